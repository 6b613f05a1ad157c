//! The core, wired: events in, findings out.
//!
//! Pure and bounded: no clock, file, socket or log; time comes in the events.
//! Live and replay differ only in who calls [`Pipeline::push`], so the same
//! events give the same findings.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use crate::{
    event::{Event, Source, StreamId, Timestamp},
    field::{self, FieldLimits},
    finding::{Context, Finding, Pages, assemble},
    http::{Completeness, Connections, Exchange, Protocol},
    loss::Losses,
    phi,
    stream::{Delivery, Facts, Segment, Streams},
    token::TokenKey,
    tracker::{Catalog, Match},
};

/// How long after a ClientHello its plaintext may come, nanoseconds.
const CONTACT_WAIT: u64 = 30_000_000_000;
/// How many connections to trackers wait for their plaintext.
const MAX_CONTACTS: usize = 16_384;
/// How many streams are remembered as unwanted, or as read.
const MAX_STREAMS: usize = 65_536;

/// What the core noticed besides findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A request was seen.
    Message(Protocol, Completeness),
    /// A request went to a tracker.
    TrackerRequest(&'static str),
    /// A TLS connection to a tracker was opened; whether its plaintext was seen.
    Connection {
        /// Id of the tracker.
        tracker: &'static str,
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
    tracker: &'static str,
}

/// The core.
pub struct Pipeline {
    streams: Streams,
    connections: Connections,
    catalog: Catalog,
    key: TokenKey,
    limits: FieldLimits,
    losses: Losses,
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
    pages: Pages,
}

impl Pipeline {
    /// A core that recognizes the trackers of `catalog` and whose tokens are
    /// made with `key`.
    pub fn new(catalog: Catalog, key: TokenKey) -> Self {
        Self {
            streams: Streams::default(),
            connections: Connections::default(),
            catalog,
            key,
            limits: FieldLimits::default(),
            losses: Losses::default(),
            now: Timestamp::default(),
            contacts: BTreeMap::new(),
            next_contact: 0,
            read: HashMap::new(),
            counted: HashSet::new(),
            unwanted: HashSet::new(),
            deliveries: Vec::new(),
            exchanges: Vec::new(),
            pages: Pages::default(),
        }
    }

    /// What the core has lost so far.
    pub const fn losses(&self) -> &Losses {
        &self.losses
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
            tracker: found.tracker.id,
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
            tracker: contact.tracker,
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
            out.findings.extend(self.pages.examine(
                &page,
                &self.catalog,
                &self.key,
                &self.limits,
                &mut self.losses,
            ));
        }
    }

    fn examine_one(&mut self, exchange: &Exchange, out: &mut Output) {
        let Exchange { request, facts } = exchange;
        let origin = facts.origin.as_deref();
        let source = origin.map_or(Source::Pcap, |origin| origin.source);
        self.count_read(request.stream, source, facts, request.host.as_deref());
        let path = path_of(request.target.expose());
        let server_name = facts.server_name.as_deref();
        let is_absolute = !request.target.expose().starts_with(b"/");
        let named = request
            .host
            .as_deref()
            .map(|host| (host, if is_absolute { "target" } else { "host-header" }));
        let sni = server_name.map(|name| (name, "sni"));
        let candidates: Vec<(&str, &'static str)> = named.into_iter().chain(sni).collect();
        // The host that the request names comes first; a TLS name that is a
        // tracker's counts even where the request names another host.
        let matched: Option<(Match, &str, &'static str)> = candidates
            .iter()
            .find_map(|(host, from)| {
                let matched = self
                    .catalog
                    .match_request(Some(host), &request.method, &path)?;
                Some((matched, *host, *from))
            })
            .or_else(|| {
                if !candidates.is_empty() {
                    return None;
                }
                let matched = self.catalog.match_request(None, &request.method, &path)?;
                Some((matched, "", "none"))
            });
        let Some((matched, host, host_source)) = matched else {
            if !self.unwanted.contains(&request.stream) {
                out.notes
                    .push(Note::Message(request.protocol, request.completeness));
                // A host that serves trackers under other paths, and a proxy, may
                // carry the next request to a tracker on the same connection.
                let may_follow = is_absolute
                    || candidates
                        .iter()
                        .any(|(host, _)| self.catalog.match_host(host).is_some());
                if !may_follow && self.unwanted.len() < MAX_STREAMS {
                    self.unwanted.insert(request.stream);
                    out.notes.push(Note::Unwanted(request.stream, source));
                }
            }
            return;
        };
        if self.unwanted.remove(&request.stream) {
            out.notes.push(Note::Wanted(request.stream, source));
        }
        out.notes
            .push(Note::Message(request.protocol, request.completeness));
        out.notes.push(Note::TrackerRequest(matched.tracker.id));
        let fields = field::read(request, &self.limits, &mut self.losses);
        let evidence = phi::detect(&fields);
        let context = Context {
            request,
            origin,
            server_name,
            matched: &matched,
            host,
            host_source,
            key: &self.key,
        };
        out.findings.extend(assemble(&context, &fields, &evidence));
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

/// The path of a request target: without query, and without the scheme and
/// authority of the absolute form.
fn path_of(target: &[u8]) -> String {
    let text = String::from_utf8_lossy(target);
    let text = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => &text,
    };
    text.split(['?', '#']).next().unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_target() {
        for (target, expected) in [
            ("/v1/events?x=1", "/v1/events"),
            ("http://example.com/a/b?c", "/a/b"),
            ("http://example.com", "/"),
            ("/redirect?to=http://example.com/x", "/redirect"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(path_of(target.as_bytes()), expected, "{target}");
        }
    }
}
