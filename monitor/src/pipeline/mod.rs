//! The core, wired: events in, findings out.
//!
//! Pure and bounded: no clock, file, socket or log; time comes in the events.
//! Live and replay differ only in who calls [`Pipeline::push`], so the same
//! events give the same findings.
//!
//! It has three parts, so that several threads can do the expensive second one:
//! [`MessageAssembler`] assembles whole messages from events, [`Examiner`]
//! examines each message alone, and [`Correlator`] makes findings of the
//! results, in the order of the assembler.

mod assembler;
mod correlator;
mod examiner;
mod recorded;
mod reveal;
mod target;

use std::{ops::Range, sync::Arc};

#[cfg(test)]
use self::target::{is_third_party, path_of};
pub use self::{
    assembler::{MessageAssembler, Step},
    correlator::Correlator,
    examiner::{Examined, Examiner, WorkerCache},
    reveal::Revealed,
};
use crate::{
    canary::Canaries,
    event::{Event, Source, StreamId, Timestamp},
    finding::{Finding, PeopleCount},
    http::{Completeness, Protocol},
    loss::Losses,
    redact::Redactor,
    token::TokenKey,
    tracker::{Catalog, Services},
};

/// What the core reports besides findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A request was seen.
    Message(Protocol, Completeness),
    /// A request went to a tracker.
    TrackerRequest(Arc<str>),
    /// A TLS connection to a tracker was opened, and its plaintext was seen or
    /// not.
    Connection {
        /// Id of the tracker.
        tracker: Arc<str>,
        /// Whether its plaintext was seen.
        readable: bool,
    },
    /// This process has just connected to a tracker, or to a host that a tracker
    /// shares.
    Contact(u32),
    /// Only the heads of this stream's requests are wanted.
    Unwanted(StreamId, Source),
    /// All of this stream is wanted after all.
    Wanted(StreamId, Source),
}

/// The results of the core.
#[derive(Debug, Default)]
pub struct Output {
    /// Findings, in the order in which they were complete.
    pub findings: Vec<Finding>,
    /// What else was noticed.
    pub notes: Vec<Note>,
    /// The messages with their values replaced, if they are to be recorded.
    pub records: Vec<Record>,
}

/// A message with its values replaced.
#[derive(Debug)]
pub struct Record {
    /// The event that a redacted capture holds.
    pub event: Event,
    /// Which of the findings of this output belong to the message: their
    /// evidence is where the event is recorded.
    pub findings: Range<usize>,
}

/// The core.
pub struct Pipeline {
    assembler: MessageAssembler,
    examiner: Arc<Examiner>,
    correlator: Correlator,
    cache: WorkerCache,
    losses: Losses,
    steps: Vec<Step>,
}

impl Pipeline {
    /// A core that recognizes the trackers of `catalog` and whose tokens are
    /// made with `key`.
    pub fn new(catalog: Catalog, key: TokenKey) -> Self {
        Self::from(Examiner::new(catalog, key))
    }

    /// This core, which knows these services.
    #[must_use]
    pub fn with_services(self, services: Services) -> Self {
        self.changed(|examiner| examiner.with_services(services))
    }

    /// Also searches for planted values, in requests to any third party: then
    /// no stream to one is unwanted.
    #[must_use]
    pub fn with_canaries(self, canaries: Canaries) -> Self {
        self.changed(|examiner| examiner.with_canaries(canaries))
    }

    /// Also returns every message with its values replaced, for a recording.
    #[must_use]
    pub fn with_redactor(self, redactor: Redactor) -> Self {
        self.changed(|examiner| examiner.with_redactor(redactor))
    }

    fn changed(mut self, change: impl FnOnce(Examiner) -> Examiner) -> Self {
        self.examiner = Arc::new(change(Examiner::clone(&self.examiner)));
        self
    }

    /// Replaces catalog and services, for events from now on.
    pub fn set_recipients(&mut self, catalog: Catalog, services: Services) {
        let examiner = Examiner::clone(&self.examiner);
        self.examiner = Arc::new(examiner.with_catalog(catalog).with_services(services));
    }

    /// What the core has lost so far.
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// How many people's data the tracker with this id has received so far.
    pub fn people(&self, tracker: &str) -> PeopleCount {
        self.correlator.people(tracker)
    }

    /// Takes one event.
    pub fn push(&mut self, event: &Event, out: &mut Output) {
        self.assembler
            .push(event, &mut self.losses, &mut self.steps);
        self.take(out);
    }

    /// Advances the time to `now`, so that waiting requests are released.
    pub fn tick(&mut self, now: Timestamp, out: &mut Output) {
        self.assembler.tick(now, &mut self.losses, &mut self.steps);
        self.take(out);
    }

    /// Says that no event will follow.
    pub fn finish(&mut self, out: &mut Output) {
        self.assembler.finish(&mut self.losses, &mut self.steps);
        self.take(out);
    }

    fn take(&mut self, out: &mut Output) {
        let Self {
            examiner,
            correlator,
            cache,
            losses,
            steps,
            ..
        } = self;
        for step in steps.drain(..) {
            match step {
                Step::Exchange(exchange, recorded) => {
                    let examined = examiner.examine(cache, exchange, recorded);
                    correlator.exchange(examiner, &examined, losses, out);
                }
                other => correlator.step(examiner, other, losses, out),
            }
        }
    }
}

impl From<Examiner> for Pipeline {
    fn from(examiner: Examiner) -> Self {
        Self {
            assembler: MessageAssembler::default(),
            examiner: Arc::new(examiner),
            correlator: Correlator::default(),
            cache: WorkerCache::default(),
            losses: Losses::default(),
            steps: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
