//! The last part of the core: from examined steps to findings, in order.
//!
//! In: steps in order, exchanges with the results of examining them. Out:
//! findings and notes. Everything that the core remembers between messages is
//! here.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::{
    Note, Output, Record,
    assembler::Step,
    examiner::{Examined, Examiner, Records},
    matching::{Connection, Matching},
    recorded,
};
use crate::{
    canary,
    event::{Blindness, Place, Source, StreamId, Timestamp},
    finding::{
        self, Contact, Contacts, HostSource, Memory, PageSettings, Pages, PeopleCount, assemble,
    },
    http::{Exchange, Page, Request},
    loss::Losses,
    message::{ConnectionNote, MaybeKnown, Message},
    stream::{Facts, RANDOM},
    token::Token,
    tracker::MatchedBy,
};

/// How many streams are remembered as unwanted.
const MAX_STREAMS: usize = 65_536;

/// A TLS connection that has just begun.
struct SeenHello<'a> {
    /// On which stream.
    stream: StreamId,
    /// The server's name.
    name: Arc<str>,
    /// What is known of the stream.
    facts: Arc<Facts>,
    /// When.
    now: Timestamp,
    /// Where it is recorded, if it is.
    place: Option<Place>,
    /// By what it is known again.
    random: Option<[u8; RANDOM]>,
    /// The recorded message, if it is from a redacted capture.
    recorded: Option<&'a Message>,
}

/// What is remembered between messages.
#[derive(Default)]
pub(super) struct Correlator {
    memory: Memory,
    pages: Pages,
    matching: Matching,
    contacts: Contacts,
    unwanted: HashSet<StreamId>,
}

impl Correlator {
    /// How many people's data the tracker with this id has received so far.
    pub(super) fn people(&self, tracker: &str) -> PeopleCount {
        self.memory.people(tracker)
    }

    /// How many people any tracker has heard of so far.
    pub(super) fn people_in_total(&self) -> PeopleCount {
        self.memory.people_in_total()
    }

    /// Names of people who turned out to be someone else, mapped to the names
    /// of those.
    pub(super) fn merged(&self) -> HashMap<Token, Token> {
        self.memory.merged()
    }

    /// Takes any step except an exchange, which must be examined first.
    pub(super) fn step(
        &mut self,
        examiner: &Examiner,
        step: Step,
        losses: &mut Losses,
        out: &mut Output,
    ) {
        match step {
            Step::Page(page, recorded) => {
                self.page(examiner, &page, recorded.as_deref(), losses, out);
            }
            Step::Hello {
                stream,
                name,
                facts,
                now,
                place,
                random,
                recorded,
            } => {
                let hello = SeenHello {
                    stream,
                    name,
                    facts,
                    now,
                    place,
                    random,
                    recorded: recorded.as_deref(),
                };
                self.hello(examiner, hello, out);
            }
            Step::Tunneled {
                stream,
                source,
                random,
                now,
            } => {
                // What follows on the stream is not HTTP.
                if self.unwanted.len() < MAX_STREAMS && self.unwanted.insert(stream) {
                    out.notes.push(Note::Unwanted(stream, source));
                }
                if let Some(random) = random {
                    self.matching.tunneled(random, now);
                }
            }
            Step::Plaintext { stream, name, now } => {
                if examiner.catalog.match_host(&name).is_some() {
                    self.matching.seen(stream, &name, now);
                }
            }
            Step::Encrypted(stream, now) => self.matching.sends(stream, now),
            Step::Obstacle(stream, obstacle) => self.matching.explain(stream, obstacle),
            Step::Closed(stream) => self.close(stream),
            Step::Time(now) => self.time(examiner, now, out),
            Step::Exchange(..) => {}
        }
    }

    /// It is this time.
    fn time(&mut self, examiner: &Examiner, now: Timestamp, out: &mut Output) {
        while let Some(connection) = self.matching.take(now) {
            self.settle(examiner, &connection, out);
        }
        out.findings.extend(self.contacts.time(now));
    }

    /// A stream ended.
    fn close(&mut self, stream: StreamId) {
        self.unwanted.remove(&stream);
        self.matching.close(stream);
    }

    /// A process greeted a server that wants TLS.
    fn hello(&mut self, examiner: &Examiner, hello: SeenHello<'_>, out: &mut Output) {
        let SeenHello {
            stream,
            name,
            facts,
            now,
            place,
            random,
            recorded,
        } = hello;
        let note = recorded.and_then(|message| message.facts.connection.as_ref());
        let found = examiner.catalog.match_host(&name);
        let first = out.findings.len();
        if let Some(found) = found {
            if stream.owner != 0 {
                out.notes.push(Note::Contact(stream.owner));
            }
            let connection = Connection {
                is_recorded: recorded.is_some(),
                random,
                ..Connection::new(stream, name, found, now, facts, place)
            };
            match note {
                // What became of it is recorded.
                Some(note) => {
                    let connection = Connection {
                        tracker: note.tracker.as_deref().map(Arc::from),
                        is_tunnel: note.tunnel,
                        obstacle: obstacle(note),
                        is_read: note.blindness.is_none(),
                        ..connection
                    };
                    self.settle(examiner, &connection, out);
                }
                // Nothing of it is ever read, and nothing that is read is its.
                None if is_quic(&connection.facts) => {
                    let connection = Connection {
                        obstacle: Some(Blindness::Quic),
                        ..connection
                    };
                    self.settle(examiner, &connection, out);
                }
                None => self.begin(examiner, connection, out),
            }
        }
        if let Some(recorded) = recorded.filter(|_| !matches!(examiner.records, Records::None)) {
            out.records.push(Record {
                message: recorded.clone(),
                findings: first..out.findings.len(),
            });
        }
    }

    fn begin(&mut self, examiner: &Examiner, connection: Connection, out: &mut Output) {
        if let Some(evicted) = self.matching.begin(connection) {
            self.settle(examiner, &evicted, out);
        }
    }

    /// It is known whether a connection was read.
    fn settle(&mut self, examiner: &Examiner, connection: &Connection, out: &mut Output) {
        let blindness = connection.blindness();
        let tracker = connection.tracker.as_ref();
        out.notes.push(Note::Connection {
            tracker: Arc::clone(tracker.unwrap_or(&connection.found.tracker.id)),
            blindness,
        });
        let first = out.findings.len();
        if let Some(reason) = blindness {
            let contact = contact(examiner, connection, reason);
            let finding = self.contacts.take(connection.stream.owner, &contact);
            out.findings.extend(finding);
        }
        if matches!(examiner.records, Records::Redacted(_)) && !connection.is_recorded {
            out.records.push(Record {
                message: recorded::connection(connection),
                findings: first..out.findings.len(),
            });
        }
    }

    /// A proxy was asked for a tunnel, through which TLS goes if it was granted.
    fn tunnel(&mut self, examiner: &Examiner, result: &Examined, out: &mut Output) {
        let Exchange { request, facts, .. } = &*result.exchange;
        // Of a recorded one it is recorded, too, what became of it.
        let Some(host) = request
            .host
            .as_deref()
            .filter(|_| result.recorded.is_none())
        else {
            return;
        };
        let Some(found) = examiner.catalog.match_host(host) else {
            return;
        };
        if request.stream.owner != 0 {
            out.notes.push(Note::Contact(request.stream.owner));
        }
        let (began, facts) = (request.time, Arc::clone(facts));
        let place = request.place.clone();
        let connection = Connection {
            is_tunnel: true,
            // What goes through it is not looked at.
            sends: Some(began),
            ..Connection::new(request.stream, host.into(), found, began, facts, place)
        };
        self.begin(examiner, connection, out);
    }

    /// A page that a server sent.
    fn page(
        &mut self,
        examiner: &Examiner,
        page: &Page,
        recorded: Option<&Message>,
        losses: &mut Losses,
        out: &mut Output,
    ) {
        let known = recorded
            .map(|message| &*message.facts)
            .filter(|facts| recorded::is_current(facts))
            .map(recorded::page_proofs);
        let settings = PageSettings {
            catalog: &examiner.catalog,
            sender: examiner.sender(page.facts.origin.as_deref()),
            key: &examiner.key,
            limits: &examiner.limits,
            recorded: known.as_ref(),
        };
        let told = self
            .pages
            .examine(page, &settings, &mut self.memory, losses);
        let message = match (&examiner.records, recorded) {
            (Records::None, _) => None,
            (_, Some(recorded)) => Some(recorded.clone()),
            (Records::Redacted(redactor), None) => told.as_ref().map(|told| {
                let redacted = redactor.page(
                    page,
                    &told.proofs.path,
                    told.markup.expose(),
                    &told.fields,
                    &told.evidence,
                    &[],
                );
                recorded::redacted_page(page, &redacted, &told.proofs)
            }),
            (Records::Sent, None) => page
                .markup(&mut Losses::default())
                .map(|(markup, _)| recorded::sent_page(page, &markup)),
        };
        let first = out.findings.len();
        out.findings
            .extend(told.into_iter().flat_map(|told| told.findings));
        let findings = first..out.findings.len();
        out.records
            .extend(message.map(|message| Record { message, findings }));
    }

    /// A request that was examined.
    pub(super) fn exchange(
        &mut self,
        examiner: &Examiner,
        result: &Examined,
        losses: &mut Losses,
        out: &mut Output,
    ) {
        losses.merge(&result.losses);
        let request = &result.exchange.request;
        let context = examiner.context(result);
        let is_connect = request.method == "CONNECT";
        if is_connect && request.status.is_some_and(|status| status / 100 == 2) {
            self.tunnel(examiner, result, out);
        }
        self.read(examiner, result);
        let first = out.findings.len();
        if is_connect {
            // It goes to the proxy, whatever it names.
            out.notes
                .push(Note::Message(request.protocol, request.completeness));
        } else if let Some(matched) = &result.matched {
            if self.unwanted.remove(&request.stream) {
                out.notes.push(Note::Wanted(request.stream, result.source));
            }
            out.notes
                .push(Note::Message(request.protocol, request.completeness));
            out.notes
                .push(Note::TrackerRequest(Arc::clone(&matched.tracker.id)));
            out.findings
                .extend(assemble(&context, &result.proofs, &mut self.memory, losses));
        } else {
            // The body that decides may be missing because it was not wanted.
            if result.is_guess && self.unwanted.remove(&request.stream) {
                out.notes.push(Note::Wanted(request.stream, result.source));
            }
            self.pass(request, result.source, result.may_follow, out);
        }
        let plantings = result.plantings.iter();
        out.findings
            .extend(plantings.map(|planting| canary::finding(&context, planting)));
        let message = match (&examiner.records, &result.recorded) {
            (Records::None, _) => None,
            (_, Some(recorded)) => Some(Message::clone(recorded)),
            (Records::Redacted(_), None) => result.redacted.as_ref().map(|redacted| {
                let path = finding::path(&context);
                let proofs = self.memory.confirmed(&result.proofs);
                recorded::redacted_request(result, redacted, path, &proofs)
            }),
            (Records::Sent, None) => Some(recorded::sent_request(&result.exchange)),
        };
        let findings = first..out.findings.len();
        out.records
            .extend(message.map(|message| Record { message, findings }));
    }

    /// Ignores a request that goes to no tracker. The rest of its stream is
    /// unwanted, unless other requests may follow.
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

    /// A request of a TLS stream was read.
    fn read(&mut self, examiner: &Examiner, result: &Examined) {
        let Exchange { request, facts, .. } = &*result.exchange;
        if !result.source.is_tls() {
            return;
        }
        let named = request.host.as_deref();
        let name = facts.server_name.clone().or_else(|| named.map(Arc::from));
        let Some(name) = name.filter(|name| examiner.catalog.match_host(name).is_some()) else {
            return;
        };
        self.matching.seen(request.stream, &name, request.time);
        if let Some(matched) = &result.matched
            && matched.matched_by != MatchedBy::Protocol
        {
            self.matching.identify(request.stream, &matched.tracker.id);
        }
    }
}

/// Whether a connection is one of QUIC.
fn is_quic(facts: &Facts) -> bool {
    let origin = facts.origin.as_ref();
    origin.is_some_and(|origin| origin.source == Source::Quic)
}

/// A connection that could not be read, as its finding needs it.
fn contact<'a>(
    examiner: &'a Examiner,
    connection: &'a Connection,
    reason: Blindness,
) -> Contact<'a> {
    let origin = connection.facts.origin.as_deref();
    let (found, host) = (&connection.found, &connection.host);
    Contact {
        time: connection.began,
        host,
        host_source: if connection.is_tunnel {
            HostSource::Target
        } else {
            HostSource::Sni
        },
        found,
        matched: examiner
            .catalog
            .found(&found.tracker, host, MatchedBy::Host, None),
        origin,
        sender: examiner.sender(origin),
        reason,
        place: connection.place.as_ref(),
    }
}

/// The reason in a note; one that another version knows is unknown to this one.
fn obstacle(note: &ConnectionNote) -> Option<Blindness> {
    let reason = note.blindness.as_ref();
    reason.map(|reason| MaybeKnown::value(reason).unwrap_or(Blindness::Unknown))
}
