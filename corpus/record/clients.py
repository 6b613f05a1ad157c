"""The Python client libraries, each with what it is told: SDK and CASE."""
import json
import os
import sys
import time

STORY = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "story.json")))
PEOPLE = STORY["people"]
EPOCH = 1795000000


def facebook_business(case, said):
    from facebook_business.adobjects.adspixel import AdsPixel
    from facebook_business.adobjects.serverside.custom_data import CustomData
    from facebook_business.adobjects.serverside.event import Event
    from facebook_business.adobjects.serverside.event_request import EventRequest
    from facebook_business.adobjects.serverside.gender import Gender
    from facebook_business.adobjects.serverside.user_data import UserData
    from facebook_business.api import FacebookAdsApi

    FacebookAdsApi.init(access_token="EXAMPLE-TOKEN", crash_log=False)
    if case == "housekeeping":
        AdsPixel("123456789012345").get_stats()
        return
    events = [
        Event(
            event_name=said["event"],
            event_time=EPOCH,
            event_source_url=said["url"],
            user_data=UserData(
                email=p["email"], phone=p["phone"], first_name=p["first"], last_name=p["last"],
                date_of_birth=p["dob"].replace("-", ""), gender=Gender(p["sex"][0]), zip_code=p["zip"],
                external_id=p["id"], client_ip_address=p["ip"], client_user_agent="Mozilla/5.0", fbp=p["fbp"],
            ),
            custom_data=CustomData(custom_properties={k: str(v) for k, v in said["props"].items()}),
        )
        for p in PEOPLE
    ]
    EventRequest(pixel_id="123456789012345", events=events).execute()


def tiktok_business_api(case, said):
    import business_api_client as b

    if case == "housekeeping":
        b.MeasurementApi().pixel_list("7012345678901234567", "EXAMPLE-TOKEN")
        return
    import hashlib

    p = PEOPLE[0]
    digest = lambda text: hashlib.sha256(text.lower().encode()).hexdigest()
    body = b.PixelTrackBody(
        event=said["event"], event_id="7f1d", pixel_code="C4EXAMPLE", timestamp="2026-11-18T10:00:00Z",
        context=b.PixelContext(
            page=b.PixelContextPage(url=said["url"], referrer="https://www.example.com/"),
            user=b.PixelContextUser(email=digest(p["email"]), phone_number=digest(p["phone"]), external_id=digest(p["id"])),
            ip=p["ip"], user_agent="Mozilla/5.0",
        ),
        properties=b.PixelProperties(
            contents=[b.PixelContent(content_id="A320", content_type=ITEM[case], price=10, quantity=1)],
            description=ITEM[case], currency="USD", value=10,
        ),
    )
    b.EventCallbackApi().pixel_track("EXAMPLE-TOKEN", body=body)


ITEM = {"phi1": "Sertraline 50 mg tablets", "phi2": "Prenatal vitamins for pregnancy", "shop": "Red lamp"}


def context(p, said):
    return {"page": {"url": said["url"], "title": said["title"]}, "traits": {"email": p["email"]}, "ip": p["ip"]}


def segment(case, said):
    import segment.analytics as analytics

    analytics.write_key = "EXAMPLEKEY"
    analytics.flush_at = 2
    analytics.flush_interval = 1
    for p in PEOPLE:
        analytics.track(p["id"], said["event"], said["props"], context=context(p, said))
    analytics.flush()


def mixpanel(case, said):
    from mixpanel import Mixpanel

    tracker = Mixpanel("0123456789abcdef0123456789abcdef")
    for p in PEOPLE:
        tracker.track(p["id"], said["event"], {**said["props"], "$email": p["email"], "$current_url": said["url"], "ip": p["ip"]})


def mixpanel_people(case, said):
    from mixpanel import Mixpanel

    tracker = Mixpanel("0123456789abcdef0123456789abcdef")
    for p in PEOPLE:
        tracker.people_set(p["id"], {**said["props"], "$email": p["email"], "$phone": p["phone"], "$first_name": p["first"], "$last_name": p["last"]})


def amplitude(case, said):
    from amplitude import Amplitude, BaseEvent

    client = Amplitude("0123456789abcdef0123456789abcdef")
    client.configuration.flush_queue_size = 2
    for p in PEOPLE:
        client.track(BaseEvent(
            event_type=said["event"], user_id=p["id"], ip=p["ip"],
            event_properties={**said["props"], "page_url": said["url"]}, user_properties={"email": p["email"]},
        ))
    client.flush()
    client.shutdown()


def posthog(case, said):
    from posthog import Posthog

    client = Posthog("phc_EXAMPLE", host="https://us.i.posthog.com", flush_at=2, disable_geoip=True,
                     personal_api_key="phx_EXAMPLE" if case == "housekeeping" else None)
    if case == "housekeeping":
        client.load_feature_flags()
        return
    for p in PEOPLE:
        client.capture(said["event"], distinct_id=p["id"], properties={
            **said["props"], "$current_url": said["url"], "$set": {"email": p["email"]}})
    client.flush()


def ga4mp(case, said):
    from ga4mp import GtagMP

    for p in PEOPLE:
        client = GtagMP(api_secret="EXAMPLE", measurement_id="G-EXAMPLE", client_id=p["cid"])
        event = client.create_new_event(name=said["event"].lower().replace(" ", "_").replace("-", "_"))
        for key, value in {**said["props"], "page_location": said["url"], "page_title": said["title"]}.items():
            event.set_event_param(name=key, value=value)
        client.send(events=[event])


def hubspot(case, said):
    from hubspot import HubSpot
    from hubspot.crm.contacts import SimplePublicObjectInputForCreate

    client = HubSpot(access_token="EXAMPLE")
    if case == "housekeeping":
        client.crm.properties.core_api.get_all(object_type="contacts")
        return
    for p in PEOPLE:
        client.crm.contacts.basic_api.create(SimplePublicObjectInputForCreate(associations=[], properties={
            "email": p["email"], "phone": p["phone"], "firstname": p["first"], "lastname": p["last"],
            **{k: str(v) for k, v in said["props"].items()}}))


def rudderstack(case, said):
    import rudderstack.analytics as rudder

    rudder.write_key = "EXAMPLEKEY"
    rudder.dataPlaneUrl = "https://exampleabc.dataplane.rudderstack.com"
    for p in PEOPLE:
        rudder.track(p["id"], said["event"], said["props"], context(p, said))
    rudder.flush()


def customerio(case, said):
    from customerio import CustomerIO

    client = CustomerIO("EXAMPLE", "EXAMPLE")
    for p in PEOPLE:
        client.track(customer_id=p["email"], name=said["event"], data={**said["props"], "url": said["url"]})


def klaviyo(case, said):
    from klaviyo_api import KlaviyoAPI

    client = KlaviyoAPI("pk_EXAMPLE", max_delay=1, max_retries=1)
    if case == "housekeeping":
        client.Lists.get_lists()
        return
    for p in PEOPLE:
        client.Events.create_event({"data": {"type": "event", "attributes": {
            "properties": {**said["props"], "URL": said["url"]},
            "metric": {"data": {"type": "metric", "attributes": {"name": said["event"]}}},
            "profile": {"data": {"type": "profile", "attributes": {
                "email": p["email"], "phone_number": p["phone"], "first_name": p["first"],
                "last_name": p["last"], "external_id": p["id"]}}}}}})


def snowplow(case, said):
    from snowplow_tracker import Emitter, SelfDescribing, SelfDescribingJson, Subject, Tracker

    for p in PEOPLE:
        subject = Subject().set_user_id(p["id"]).set_ip_address(p["ip"])
        tracker = Tracker("sp", Emitter("collector.snplow.net", batch_size=1), subject=subject, app_id="example")
        page = {"url": said["url"], "title": said["title"]}
        user = SelfDescribingJson("iglu:com.example/user/jsonschema/1-0-0", {"email": p["email"], **page})
        tracker.track(SelfDescribing(
            SelfDescribingJson("iglu:com.example/event/jsonschema/1-0-0", {"event": said["event"], **said["props"]}),
            context=[user]))
        tracker.flush()


def snap(case, said):
    from snap_business_sdk.public.conversion_api import ConversionApi
    from snap_business_sdk.public.conversion_event import ConversionEvent

    api = ConversionApi("EXAMPLE-TOKEN")
    p = PEOPLE[0]
    event = ConversionEvent(
        pixel_id="00000000-1111-4222-8333-444444444444", event_type="PAGE_VIEW", event_conversion_type="WEB",
        timestamp=str(EPOCH * 1000), email=p["email"], phone=p["phone_digits"], first_name=p["first"],
        ip_address=p["ip"], user_agent="Mozilla/5.0", page_url=said["url"], description=ITEM[case])
    api.send_event(event)


def sentry(case, said):
    import sentry_sdk

    sentry_sdk.init(dsn="https://0123456789abcdef0123456789abcdef@o123456.ingest.sentry.io/7654321",
                    server_name="web-1", release="app@2.14.3", attach_stacktrace=False, default_integrations=False,
                    send_default_pii=True, auto_session_tracking=False)
    p = PEOPLE[0]
    sentry_sdk.set_user({"id": p["id"], "email": p["email"], "ip_address": p["ip"]})
    sentry_sdk.set_context("form", said["props"])
    sentry_sdk.capture_message(said["event"])
    sentry_sdk.flush()


if __name__ == "__main__":
    name, case = sys.argv[1:3]
    said = STORY["cases"].get(case, {})
    try:
        globals()[name.replace("-", "_")](case, said)
    except Exception as error:  # A client that dislikes the sink's answer has still sent.
        print(f"{name} {case}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
    time.sleep(0.2)
