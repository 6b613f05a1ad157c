//! The core, wired: events in, findings out.
//!
//! Pure and bounded: no clock, file, socket or log; time comes in the events.
//! Live and replay differ only in who calls [`Pipeline::push`], so the same
//! events give the same findings.

mod target;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use target::{is_third_party, path_of};

use crate::{
    canary::{self, Canaries},
    event::{Event, Source, StreamId, Timestamp},
    field::{self, FieldLimits},
    finding::{Context, Finding, Memory, Pages, PeopleCount, Sender, Setting, assemble},
    http::{Completeness, Connections, Exchange, Protocol, Request},
    loss::Losses,
    phi::{self, Detector},
    stream::{Delivery, Facts, Segment, Streams},
    token::TokenKey,
    tracker::{Catalog, Match, Service, Services, fields_fit},
};

/// How long after a ClientHello its plaintext may come, nanoseconds.
const CONTACT_WAIT: u64 = 30_000_000_000;
/// How many connections to trackers wait for their plaintext.
const MAX_CONTACTS: usize = 16_384;
/// How many streams are remembered as unwanted, or as read.
const MAX_STREAMS: usize = 65_536;

/// What the core noticed besides findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A request was seen.
    Message(Protocol, Completeness),
    /// A request went to a tracker.
    TrackerRequest(Arc<str>),
    /// A TLS connection to a tracker was opened; whether its plaintext was seen.
    Connection {
        /// Id of the tracker.
        tracker: Arc<str>,
        /// Whether its plaintext was seen.
        readable: bool,
    },
    /// Nothing but the heads of this stream's requests is wanted.
    Unwanted(StreamId, Source),
    /// All of this stream is wanted after all.
    Wanted(StreamId, Source),
}

/// What came out of the core.
#[derive(Debug, Default)]
pub struct Output {
    /// Findings, in the order in which they were complete.
    pub findings: Vec<Finding>,
    /// What else was noticed.
    pub notes: Vec<Note>,
}

/// A TLS connection to a tracker whose plaintext has not been seen yet.
struct Contact {
    owner: u32,
    name: Arc<str>,
    tracker: Arc<str>,
}

/// Who a request is addressed to.
struct Addressed<'a> {
    /// The tracker, if it is one.
    matched: Option<Match>,
    host: &'a str,
    host_source: &'static str,
    /// The fields, where they had to be read to decide.
    fields: Option<field::Fields>,
    /// Whether the stream may carry requests to a tracker.
    may_follow: bool,
    /// Whether the path alone could be that of a tracker's protocol.
    is_guess: bool,
}

/// The core.
pub struct Pipeline {
    streams: Streams,
    connections: Connections,
    catalog: Catalog,
    services: Services,
    key: TokenKey,
    detector: Detector,
    limits: FieldLimits,
    losses: Losses,
    memory: Memory,
    pages: Pages,
    canaries: Canaries,
    now: Timestamp,
    contacts: BTreeMap<(Timestamp, u64), Contact>,
    next_contact: u64,
    /// Streams whose plaintext was seen, by process and server name, that no
    /// contact has claimed yet.
    read: HashMap<(u32, Arc<str>), u64>,
    counted: HashSet<StreamId>,
    unwanted: HashSet<StreamId>,
    deliveries: Vec<Delivery>,
    exchanges: Vec<Exchange>,
}

impl Pipeline {
    /// A core that recognizes the trackers of `catalog` and whose tokens are
    /// made with `key`.
    pub fn new(catalog: Catalog, key: TokenKey) -> Self {
        Self {
            streams: Streams::default(),
            connections: Connections::default(),
            catalog,
            services: Services::default(),
            key,
            detector: Detector::default(),
            limits: FieldLimits::default(),
            losses: Losses::default(),
            memory: Memory::default(),
            pages: Pages::default(),
            canaries: Canaries::default(),
            now: Timestamp::default(),
            contacts: BTreeMap::new(),
            next_contact: 0,
            read: HashMap::new(),
            counted: HashSet::new(),
            unwanted: HashSet::new(),
            deliveries: Vec::new(),
            exchanges: Vec::new(),
        }
    }

    /// This core, which knows these services.
    #[must_use]
    pub fn with_services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// Takes another catalog and other services, for whatever comes from now on.
    pub fn set_recipients(&mut self, catalog: Catalog, services: Services) {
        self.catalog = catalog;
        self.services = services;
    }

    /// Seeks planted values as well, in requests to any third party: then no
    /// stream to one is unwanted.
    #[must_use]
    pub fn with_canaries(mut self, canaries: Canaries) -> Self {
        self.canaries = canaries;
        self
    }

    /// What the core has lost so far.
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// How many people the tracker with this id has heard of so far.
    pub fn people(&self, tracker: &str) -> PeopleCount {
        self.memory.people(tracker)
    }

    /// Takes one event.
    pub fn push(&mut self, event: &Event, out: &mut Output) {
        // Deadlines first, whoever is in between: so the order of findings
        // depends on the events alone.
        self.tick(event.time, out);
        self.streams
            .push(event, &mut self.losses, &mut self.deliveries);
        self.drain(out);
    }

    /// Says that it is `now`, so that waiting requests are let go.
    pub fn tick(&mut self, now: Timestamp, out: &mut Output) {
        self.now = self.now.max(now);
        self.streams
            .tick(self.now, &mut self.losses, &mut self.deliveries);
        self.drain(out);
        self.connections
            .tick(self.now, &mut self.losses, &mut self.exchanges);
        self.examine(out);
        while self
            .contacts
            .first_key_value()
            .is_some_and(|((due, _), _)| *due <= self.now)
        {
            if let Some((_, contact)) = self.contacts.pop_first() {
                self.settle(&contact, out);
            }
        }
    }

    /// Says that no event will follow.
    pub fn finish(&mut self, out: &mut Output) {
        self.streams.finish(&mut self.losses, &mut self.deliveries);
        self.drain(out);
        self.connections
            .finish(&mut self.losses, &mut self.exchanges);
        self.examine(out);
        while let Some((_, contact)) = self.contacts.pop_first() {
            self.settle(&contact, out);
        }
    }

    fn drain(&mut self, out: &mut Output) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        for delivery in deliveries.drain(..) {
            match &delivery.what {
                Segment::Hello(hello) => {
                    let name = hello.server_name.clone();
                    self.contact(&delivery.facts, delivery.stream, name, out);
                }
                Segment::Closed => {
                    self.unwanted.remove(&delivery.stream);
                    self.counted.remove(&delivery.stream);
                }
                _ => {}
            }
            self.connections
                .push(&delivery, &mut self.losses, &mut self.exchanges);
            self.examine(out);
        }
        self.deliveries = deliveries;
    }

    fn contact(
        &mut self,
        facts: &Facts,
        stream: StreamId,
        name: Option<Arc<str>>,
        out: &mut Output,
    ) {
        let Some(name) = name.or_else(|| facts.server_name.clone()) else {
            return;
        };
        let Some(found) = self.catalog.match_host(&name).filter(|found| found.alone) else {
            return;
        };
        if self.contacts.len() >= MAX_CONTACTS
            && let Some((_, oldest)) = self.contacts.pop_first()
        {
            self.settle(&oldest, out);
        }
        let contact = Contact {
            owner: stream.owner,
            name,
            tracker: Arc::clone(&found.tracker.id),
        };
        self.contacts
            .insert((self.now.plus(CONTACT_WAIT), self.next_contact), contact);
        self.next_contact += 1;
    }

    fn settle(&mut self, contact: &Contact, out: &mut Output) {
        let key = (contact.owner, Arc::clone(&contact.name));
        let key = if contact.owner == 0 {
            // The socket's process is not known: a stream of any process to the
            // same name will do.
            self.read
                .keys()
                .filter(|(_, name)| *name == contact.name)
                .min()
                .cloned()
        } else {
            Some(key)
        };
        let readable = key.is_some_and(|key| {
            let Some(count) = self.read.get_mut(&key) else {
                return false;
            };
            *count -= 1;
            if *count == 0 {
                self.read.remove(&key);
            }
            true
        });
        out.notes.push(Note::Connection {
            tracker: Arc::clone(&contact.tracker),
            readable,
        });
    }

    fn examine(&mut self, out: &mut Output) {
        let mut exchanges = std::mem::take(&mut self.exchanges);
        for exchange in exchanges.drain(..) {
            self.examine_one(&exchange, out);
        }
        self.exchanges = exchanges;
        for page in self.connections.take_pages() {
            let service = page
                .facts
                .origin
                .as_deref()
                .and_then(|origin| origin.process.as_deref())
                .and_then(|process| self.services.find(process));
            let setting = Setting {
                catalog: &self.catalog,
                sender: sender(service),
                key: &self.key,
                limits: &self.limits,
            };
            out.findings.extend(self.pages.examine(
                &page,
                &setting,
                &mut self.memory,
                &mut self.losses,
            ));
        }
    }

    fn examine_one(&mut self, exchange: &Exchange, out: &mut Output) {
        let Exchange { request, facts } = exchange;
        let origin = facts.origin.as_deref();
        let source = origin.map_or(Source::Pcap, |origin| origin.source);
        self.count_read(request.stream, source, facts, request.host.as_deref());
        let server_name = facts.server_name.as_deref();
        let Addressed {
            matched,
            host,
            host_source,
            fields,
            may_follow,
            is_guess,
        } = self.addressed(request, server_name);
        let sought = !self.canaries.is_empty()
            && is_third_party(host, origin)
            && !self.catalog.is_first_party(host);
        if matched.is_none() {
            // The body that decides may be missing because nobody wanted it.
            if is_guess && self.unwanted.remove(&request.stream) {
                out.notes.push(Note::Wanted(request.stream, source));
            }
            self.pass(request, source, may_follow || sought, out);
            if !sought {
                return;
            }
        }
        let mut fields =
            fields.unwrap_or_else(|| field::read(request, &self.limits, &mut self.losses));
        let service = origin
            .and_then(|origin| origin.process.as_deref())
            .and_then(|process| self.services.find(process));
        let context = Context {
            request,
            origin,
            sender: sender(service),
            server_name,
            matched: matched.as_ref(),
            host,
            host_source,
            key: &self.key,
        };
        if let Some(matched) = &matched {
            if self.unwanted.remove(&request.stream) {
                out.notes.push(Note::Wanted(request.stream, source));
            }
            out.notes
                .push(Note::Message(request.protocol, request.completeness));
            out.notes
                .push(Note::TrackerRequest(Arc::clone(&matched.tracker.id)));
            phi::label_columns(&mut fields);
            let evidence = self.detector.detect(&fields);
            out.findings.extend(assemble(
                &context,
                &fields,
                &evidence,
                &mut self.memory,
                &mut self.losses,
            ));
        }
        if sought {
            seek(&self.canaries, &context, &fields, out);
        }
    }

    /// Who a request is addressed to. The host that it names comes first; a TLS
    /// name that is a tracker's counts even where the request names another.
    fn addressed<'a>(
        &mut self,
        request: &'a Request,
        server_name: Option<&'a str>,
    ) -> Addressed<'a> {
        let path = path_of(request.target.expose());
        let is_absolute = !request.target.expose().starts_with(b"/");
        let named = request
            .host
            .as_deref()
            .map(|host| (host, if is_absolute { "target" } else { "host-header" }));
        let sni = server_name.map(|name| (name, "sni"));
        let candidates: Vec<(&str, &'static str)> = named.into_iter().chain(sni).collect();
        let (host, host_source) = candidates.first().copied().unwrap_or(("", "none"));
        // A host that serves trackers under other paths, and a proxy, may carry
        // the next request to a tracker on the same connection.
        let mut addressed = Addressed {
            matched: None,
            host,
            host_source,
            fields: None,
            may_follow: is_absolute
                || candidates
                    .iter()
                    .any(|(host, _)| self.catalog.match_host(host).is_some()),
            is_guess: false,
        };
        let nameless = candidates.is_empty().then_some((None, "none"));
        let named = candidates.iter().map(|(host, from)| (Some(*host), *from));
        for (host, from) in named.chain(nameless) {
            let Some(mut found) = self.catalog.match_request(host, &request.method, &path) else {
                continue;
            };
            if found.needs_body_shape.is_some() {
                addressed.is_guess = true;
                addressed.may_follow = true;
                let (limits, losses) = (&self.limits, &mut self.losses);
                let fields =
                    (addressed.fields).get_or_insert_with(|| field::read(request, limits, losses));
                let confirmed = self.catalog.confirm(host, &request.method, &path, |shape| {
                    fields_fit(shape, fields)
                });
                let Some(confirmed) = confirmed else {
                    continue;
                };
                found = confirmed;
            }
            addressed.matched = Some(found);
            addressed.host = host.unwrap_or_default();
            addressed.host_source = from;
            break;
        }
        addressed
    }

    /// Lets a request go that goes to no tracker. The rest of its stream is
    /// unwanted, unless something may follow.
    fn pass(&mut self, request: &Request, source: Source, may_follow: bool, out: &mut Output) {
        if self.unwanted.contains(&request.stream) {
            return;
        }
        out.notes
            .push(Note::Message(request.protocol, request.completeness));
        if !may_follow && self.unwanted.len() < MAX_STREAMS {
            self.unwanted.insert(request.stream);
            out.notes.push(Note::Unwanted(request.stream, source));
        }
    }

    /// Remembers that a TLS stream's plaintext was seen.
    fn count_read(&mut self, stream: StreamId, source: Source, facts: &Facts, host: Option<&str>) {
        if source != Source::OpenSsl || self.counted.len() >= MAX_STREAMS {
            return;
        }
        let Some(name) = facts.server_name.clone().or_else(|| host.map(Arc::from)) else {
            return;
        };
        if self.catalog.match_host(&name).is_some() && self.counted.insert(stream) {
            if self.read.len() >= MAX_CONTACTS {
                self.read.clear();
            }
            *self.read.entry((stream.owner, name)).or_insert(0) += 1;
        }
    }
}

/// Seeks planted values in one request.
fn seek(canaries: &Canaries, context: &Context<'_>, fields: &field::Fields, out: &mut Output) {
    let found = canaries.find(fields, context.request.body.expose());
    out.findings.extend(
        found
            .iter()
            .map(|disclosure| canary::finding(context, fields, disclosure)),
    );
}

/// What the operator declared about a service.
fn sender(service: Option<&Service>) -> Sender<'_> {
    service.map_or_else(Sender::default, |service| Sender {
        service: Some(&service.name),
        is_health: service.health,
    })
}

#[cfg(test)]
mod tests;
