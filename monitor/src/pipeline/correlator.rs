//! The last part of the core: from examined steps to findings, in order.
//!
//! In: steps in order, exchanges with the results of examining them. Out:
//! findings and notes. Everything that the core remembers between messages is
//! here.

use std::{collections::BTreeMap, sync::Arc};

use hashbrown::{HashMap, HashSet};

use super::{
    Note, Output, Record,
    assembler::Step,
    examiner::{Examined, Examiner},
    recorded,
};
use crate::{
    canary,
    event::{MessageFacts, Source, StreamId, Timestamp},
    finding::{self, Memory, PageSettings, Pages, PeopleCount, assemble},
    http::{Exchange, Page, Request},
    loss::Losses,
    stream::Facts,
};

/// How long after a ClientHello its plaintext may come, in nanoseconds.
const CONTACT_WAIT: u64 = 30_000_000_000;
/// How many connections to trackers wait for their plaintext.
const MAX_CONTACTS: usize = 16_384;
/// How many streams are remembered as unwanted, or as read.
const MAX_STREAMS: usize = 65_536;

/// A TLS connection to a tracker whose plaintext has not been seen yet.
struct Contact {
    owner: u32,
    name: Arc<str>,
    tracker: Arc<str>,
}

/// A TLS connection that has just begun.
struct SeenHello<'a> {
    /// On which stream.
    stream: StreamId,
    /// The server's name.
    name: Arc<str>,
    /// What is known of the stream.
    facts: &'a Facts,
    /// When.
    now: Timestamp,
}

/// What is remembered between messages.
#[derive(Default)]
pub struct Correlator {
    memory: Memory,
    pages: Pages,
    contacts: BTreeMap<(Timestamp, u64), Contact>,
    next_contact: u64,
    /// Streams whose plaintext was seen, by process and server name, that no
    /// contact has claimed yet.
    read: HashMap<(u32, Arc<str>), u64>,
    counted: HashSet<StreamId>,
    unwanted: HashSet<StreamId>,
}

impl Correlator {
    /// How many people's data the tracker with this id has received so far.
    pub fn people(&self, tracker: &str) -> PeopleCount {
        self.memory.people(tracker)
    }

    /// How many people any tracker has heard of so far.
    pub fn people_in_total(&self) -> PeopleCount {
        self.memory.people_in_total()
    }

    /// Names of people who turned out to be someone else, mapped to the names
    /// of those.
    pub fn merged(&self) -> HashMap<u128, u128> {
        self.memory.merged()
    }

    /// Takes any step except an exchange, which must be examined first.
    pub fn step(&mut self, examiner: &Examiner, step: Step, losses: &mut Losses, out: &mut Output) {
        match step {
            Step::Page(page, recorded) => {
                self.page(examiner, &page, recorded.as_deref(), losses, out);
            }
            Step::Hello {
                stream,
                name,
                facts,
                now,
            } => {
                let hello = SeenHello {
                    stream,
                    name,
                    facts: &facts,
                    now,
                };
                self.hello(examiner, hello, out);
            }
            Step::Closed(stream) => self.close(stream),
            Step::Time(now) => self.time(now, out),
            Step::Exchange(..) => {}
        }
    }

    /// It is this time.
    fn time(&mut self, now: Timestamp, out: &mut Output) {
        while self
            .contacts
            .first_key_value()
            .is_some_and(|((due, _), _)| *due <= now)
        {
            if let Some((_, contact)) = self.contacts.pop_first() {
                self.settle(&contact, out);
            }
        }
    }

    /// A stream ended.
    fn close(&mut self, stream: StreamId) {
        self.unwanted.remove(&stream);
        self.counted.remove(&stream);
    }

    /// A process greeted a server that wants TLS.
    fn hello(&mut self, examiner: &Examiner, hello: SeenHello<'_>, out: &mut Output) {
        let SeenHello {
            stream,
            name,
            facts,
            now,
        } = hello;
        let Some(found) = examiner.catalog.match_host(&name) else {
            return;
        };
        if stream.owner != 0 {
            out.notes.push(Note::Contact(stream.owner));
        }
        if !found.alone {
            return;
        }
        if examiner.redactor.is_some() {
            out.records.push(Record {
                event: recorded::greeting_event(stream, facts, &name, now),
                findings: 0..0,
            });
        }
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
            .insert((now.plus(CONTACT_WAIT), self.next_contact), contact);
        self.next_contact += 1;
    }

    fn settle(&mut self, contact: &Contact, out: &mut Output) {
        let key = (contact.owner, Arc::clone(&contact.name));
        let key = if contact.owner == 0 {
            // The socket's process is not known: a stream of any process to the
            // same name is accepted.
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

    /// A page that a server sent.
    fn page(
        &mut self,
        examiner: &Examiner,
        page: &Page,
        facts: Option<&MessageFacts>,
        losses: &mut Losses,
        out: &mut Output,
    ) {
        let known = facts
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
        let Some(told) = told else { return };
        let first = out.findings.len();
        out.findings.extend(told.findings);
        if let Some(redactor) = &examiner.redactor {
            let markup = told.markup.expose();
            let redacted = redactor.page(
                page,
                &told.proofs.path,
                markup,
                &told.fields,
                &told.evidence,
                &[],
            );
            out.records.push(Record {
                event: recorded::page_event(page, &redacted, &told.proofs),
                findings: first..out.findings.len(),
            });
        }
    }

    /// A request that was examined.
    pub fn exchange(
        &mut self,
        examiner: &Examiner,
        result: &Examined,
        losses: &mut Losses,
        out: &mut Output,
    ) {
        losses.merge(&result.losses);
        self.count_read(examiner, result);
        let request = &result.exchange.request;
        let first = out.findings.len();
        let context = examiner.context(result);
        if let Some(matched) = &result.matched {
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
        if let Some(redacted) = &result.redacted {
            let path = finding::path(&context);
            let proofs = self.memory.confirmed(&result.proofs);
            out.records.push(Record {
                event: recorded::request_event(result, redacted, path, &proofs),
                findings: first..out.findings.len(),
            });
        }
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

    /// Remembers that a TLS stream's plaintext was seen.
    fn count_read(&mut self, examiner: &Examiner, result: &Examined) {
        let Exchange { request, facts, .. } = &*result.exchange;
        let (stream, source) = (request.stream, result.source);
        if source != Source::OpenSsl || self.counted.len() >= MAX_STREAMS {
            return;
        }
        let Some(name) = facts
            .server_name
            .clone()
            .or_else(|| request.host.as_deref().map(Arc::from))
        else {
            return;
        };
        if examiner.catalog.match_host(&name).is_some() && self.counted.insert(stream) {
            if self.read.len() >= MAX_CONTACTS {
                self.read.clear();
            }
            *self.read.entry((stream.owner, name)).or_insert(0) += 1;
        }
    }
}
