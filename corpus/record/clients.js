// The Node client libraries, each with what it is told: SDK and CASE.
'use strict';
const story = require('./story.json');
const { people } = story;
const [, , name, which] = process.argv;
const said = story.cases[which];
const context = (p) => ({ page: { url: said.url, title: said.title }, traits: { email: p.email }, ip: p.ip });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const sdks = {
  async 'facebook-nodejs-business-sdk'() {
    const b = require('facebook-nodejs-business-sdk');
    b.FacebookAdsApi.init('EXAMPLE-TOKEN');
    if (which === 'housekeeping') {
      await new b.AdAccount('act_123456789012345').getInsights(['spend'], {});
      return;
    }
    const events = people.map((p) => {
      const user = new b.UserData()
        .setEmail(p.email).setPhone(p.phone_digits).setFirstName(p.first).setLastName(p.last)
        .setDateOfBirth(p.dob.replaceAll('-', '')).setGender(p.sex[0]).setZip(p.zip).setExternalId(p.id)
        .setClientIpAddress(p.ip).setClientUserAgent('Mozilla/5.0').setFbp(p.fbp);
      return new b.ServerEvent().setEventName(said.event).setEventTime(1795000000)
        .setEventSourceUrl(said.url).setUserData(user).setActionSource('website')
        .setCustomData(new b.CustomData().setCustomProperties(said.props));
    });
    await new b.EventRequest('EXAMPLE-TOKEN', '123456789012345').setEvents(events).execute();
  },
  async segment() {
    const { Analytics } = require('@segment/analytics-node');
    const client = new Analytics({ writeKey: 'EXAMPLEKEY', flushAt: 2 });
    for (const p of people) {
      client.track({ userId: p.id, event: said.event, properties: said.props, context: context(p) });
    }
    await client.closeAndFlush();
  },
  async mixpanel() {
    const client = require('mixpanel').init('0123456789abcdef0123456789abcdef');
    for (const p of people) {
      await new Promise((done) => client.track(said.event, {
        distinct_id: p.id, ...said.props, $email: p.email, $current_url: said.url, ip: p.ip }, done));
    }
  },
  async posthog() {
    const { PostHog } = require('posthog-node');
    const client = new PostHog('phc_EXAMPLE', { host: 'https://us.i.posthog.com', flushAt: 2 });
    for (const p of people) {
      client.capture({ distinctId: p.id, event: said.event,
        properties: { ...said.props, $current_url: said.url, $set: { email: p.email } } });
    }
    await client.shutdown();
  },
  async amplitude() {
    const amplitude = require('@amplitude/analytics-node');
    await amplitude.init('0123456789abcdef0123456789abcdef', { flushQueueSize: 2 }).promise;
    for (const p of people) {
      amplitude.track(said.event, { ...said.props, page_url: said.url },
        { user_id: p.id, ip: p.ip, user_properties: { email: p.email } });
    }
    await amplitude.flush().promise;
  },
  async rudderstack() {
    const Rudder = require('@rudderstack/rudder-sdk-node');
    const client = new Rudder('EXAMPLEKEY', { dataPlaneUrl: 'https://exampleabc.dataplane.rudderstack.com', flushAt: 2 });
    for (const p of people) {
      client.track({ userId: p.id, event: said.event, properties: said.props, context: context(p) });
    }
    await client.flush();
  },
  async 'universal-analytics'() {
    const ua = require('universal-analytics');
    for (const p of people) {
      const visitor = ua('UA-12345678-1', p.cid, { uid: p.id, strictCidFormat: false });
      visitor.set('uip', p.ip);
      await new Promise((done) => visitor.event({ ec: 'site', ea: said.event, dl: said.url, dt: said.title }).send(done));
    }
  },
  async customerio() {
    const { TrackClient } = require('customerio-node');
    const client = new TrackClient('EXAMPLE', 'EXAMPLE');
    for (const p of people) {
      await client.track(p.email, { name: said.event, data: { ...said.props, url: said.url } });
    }
  },
  async klaviyo() {
    const k = require('klaviyo-api');
    const session = new k.ApiKeySession('pk_EXAMPLE');
    if (which === 'housekeeping') {
      await new k.ListsApi(session).getLists();
      return;
    }
    for (const p of people) {
      await new k.EventsApi(session).createEvent({ data: { type: 'event', attributes: {
        properties: { ...said.props, URL: said.url },
        metric: { data: { type: 'metric', attributes: { name: said.event } } },
        profile: { data: { type: 'profile', attributes: {
          email: p.email, phoneNumber: p.phone, firstName: p.first, lastName: p.last, externalId: p.id } } } } } });
    }
  },
  async snowplow() {
    const { newTracker, buildSelfDescribingEvent } = require('@snowplow/node-tracker');
    for (const p of people) {
      const tracker = newTracker({ namespace: 'sp', appId: 'example' }, { endpoint: 'https://collector.snplow.net', bufferSize: 1 });
      tracker.setUserId(p.id);
      tracker.setIpAddress(p.ip);
      tracker.track(buildSelfDescribingEvent({ event: { schema: 'iglu:com.example/event/jsonschema/1-0-0',
        data: { event: said.event, ...said.props } } }),
      [{ schema: 'iglu:com.example/user/jsonschema/1-0-0', data: { email: p.email, url: said.url } }]);
      tracker.flush();
      await pause(200);
    }
  },
  async matomo() {
    const Matomo = require('matomo-tracker');
    const client = new Matomo(1, 'https://example.matomo.cloud/matomo.php');
    client.on('error', () => {});
    for (const p of people) {
      client.track({ url: said.url, action_name: said.title, e_c: 'site', e_a: said.event, uid: p.id,
        cip: p.ip, token_auth: '0123456789abcdef0123456789abcdef', _id: '9f2c610d6e4c8e9a' });
      await pause(200);
    }
  },
  async hubspot() {
    const { Client } = require('@hubspot/api-client');
    const client = new Client({ accessToken: 'EXAMPLE' });
    if (which === 'housekeeping') {
      await client.crm.properties.coreApi.getAll('contacts');
      return;
    }
    for (const p of people) {
      const own = Object.fromEntries(Object.entries(said.props).map(([key, value]) => [key, String(value)]));
      await client.crm.contacts.basicApi.create({ associations: [], properties: {
        email: p.email, phone: p.phone, firstname: p.first, lastname: p.last, ...own } });
    }
  },
  async intercom() {
    const { IntercomClient } = require('intercom-client');
    const client = new IntercomClient({ token: 'EXAMPLE' });
    if (which === 'housekeeping') {
      await client.dataAttributes.list();
      return;
    }
    for (const p of people) {
      await client.events.create({ event_name: said.event, created_at: 1795000000, user_id: p.id, email: p.email,
        metadata: { ...said.props, page: said.url } });
    }
  },
};

sdks[name]()
  .catch((error) => console.error(`${name} ${which}: ${String(error.message).slice(0, 200)}`))
  .then(() => pause(200))
  .then(() => process.exit(0));
