//! The core, wired: events in, findings out.
//!
//! Pure and bounded: no clock, file, socket or log; time comes in the events, and
//! the threads that it may have change nothing but its speed. Live and replay
//! differ only in the [`Feed`] and the [`Sink`] that [`drive`] connects, so the same
//! events give the same findings.
//!
//! It has three parts, so that several threads can do the expensive second one:
//! [`MessageAssembler`] assembles whole messages from events, [`Examiner`]
//! examines each message alone, and the correlator makes findings of the
//! results, in the order of the assembler.

mod assembler;
mod correlator;
mod driver;
mod examiner;
mod matching;
mod pool;
mod recorded;
mod reveal;
mod target;

use std::{io, num::NonZero, ops::Range, sync::Arc};

use hashbrown::HashMap;

#[cfg(test)]
use self::target::{is_third_party, path_of};
pub use self::{
    assembler::{MessageAssembler, Step},
    driver::{Feed, Input, Sink, drive, each_step},
    examiner::Examiner,
    reveal::Revealed,
};
use self::{
    correlator::Correlator,
    examiner::{Examined, WorkerCache},
    pool::OrderedPool,
};
use crate::{
    event::{Blindness, Event, Source, StreamId, Timestamp},
    finding::{Finding, PeopleCount},
    http::{Completeness, Protocol},
    loss::Losses,
    message::Message,
    token::{Token, TokenKey},
    tracker::{Catalog, Services},
};

/// Approximate weight of the messages that are examined at once, in bytes.
const BATCH_BYTES: usize = 128 * 1024;
/// Steps that are examined at once, whatever they weigh: about a millisecond of
/// work, so that the cost of passing them to another thread is negligible.
const BATCH_STEPS: usize = 64;
/// Bytes of messages that wait for helpers or are with them, at most, unless a
/// single batch weighs more.
const MAX_UNDER_WAY: usize = 4 * 1024 * 1024;

/// What the core reports besides findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A request was seen.
    Message(Protocol, Completeness),
    /// A request went to a tracker.
    TrackerRequest(Arc<str>),
    /// A TLS connection to a tracker, or to a host that a tracker shares, was
    /// opened, and its plaintext was read or not.
    Connection {
        /// Id of the tracker.
        tracker: Arc<str>,
        /// Why its plaintext was not read, if it was not.
        blindness: Option<Blindness>,
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
    /// The messages, if they are to be recorded.
    pub records: Vec<Record>,
    /// How much of it each step of the work has led to; the steps depend only on
    /// the events.
    pub step_ends: Vec<StepEnd>,
}

impl Output {
    fn clear(&mut self) {
        let Self {
            findings,
            notes,
            records,
            step_ends,
        } = self;
        findings.clear();
        notes.clear();
        records.clear();
        step_ends.clear();
    }
}

/// Where the results of a step end in an [`Output`].
#[derive(Clone, Copy, Debug)]
pub struct StepEnd {
    /// How many findings there are up to here.
    pub findings: usize,
    /// How many notes.
    pub notes: usize,
}

/// A message as it is recorded: with its values replaced, unless it is to be
/// kept as it was sent.
#[derive(Debug)]
pub struct Record {
    /// As a capture of messages holds it.
    pub message: Message,
    /// Which of the findings of this output belong to the message: their
    /// evidence is where it is recorded.
    pub findings: Range<usize>,
}

/// The core. Batches of messages are examined on several threads, if it has
/// them; the results are the same for any number of threads.
pub struct Pipeline {
    assembler: MessageAssembler,
    examiner: Arc<Examiner>,
    pool: OrderedPool<WorkerCache, Batch<Step>, Batch<ExaminedStep>>,
    correlator: Correlator,
    losses: Losses,
    events: u64,
    steps: Vec<Step>,
    /// How many of the steps are in the weight.
    weighed: usize,
    /// Bytes that the steps hold, about.
    weight: usize,
}

/// Steps that are examined at once, under the same configuration.
struct Batch<T> {
    steps: Vec<T>,
    examiner: Arc<Examiner>,
}

/// A step with its meaning, if it is an exchange.
enum ExaminedStep {
    Examined(Box<Examined>),
    Other(Step),
}

impl Pipeline {
    /// A core without threads of its own that recognizes the trackers of
    /// `catalog` and whose tokens are made with `key`.
    pub fn new(catalog: Catalog, key: TokenKey) -> Self {
        Self::from(Examiner::new(catalog, key))
    }

    /// This core, which examines on this many threads, the caller's among them.
    ///
    /// # Errors
    /// That of starting a thread.
    pub fn with_threads(self, threads: NonZero<usize>) -> io::Result<Self> {
        let pool = self.pool.with_helpers(threads.get() - 1)?;
        Ok(Self { pool, ..self })
    }

    /// Replaces catalog and services, for events from now on.
    pub fn set_recipients(&mut self, catalog: Catalog, services: Services) {
        self.post();
        let examiner = Examiner::clone(&self.examiner);
        self.examiner = Arc::new(examiner.with_catalog(catalog).with_services(services));
    }

    /// How many events and messages it took.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// What the core has lost so far.
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// How many people's data the tracker with this id has received so far.
    pub fn people(&self, tracker: &str) -> PeopleCount {
        self.correlator.people(tracker)
    }

    /// How many people any tracker has heard of so far.
    pub fn people_in_total(&self) -> PeopleCount {
        self.correlator.people_in_total()
    }

    /// Names of people who turned out to be someone else, mapped to the names
    /// of those.
    pub fn merged(&self) -> HashMap<Token, Token> {
        self.correlator.merged()
    }

    /// Takes one event. Results of earlier ones may be added to `out`.
    ///
    /// # Panics
    /// If a thread panicked: its results would be missing.
    pub fn push(&mut self, event: &Event, out: &mut Output) {
        self.assembler
            .push(event, &mut self.losses, &mut self.steps);
        self.pushed(out);
    }

    /// Takes one message of a redacted capture, like [`Pipeline::push`].
    ///
    /// # Panics
    /// If a thread panicked: its results would be missing.
    pub fn message(&mut self, message: &Message, out: &mut Output) {
        self.assembler
            .message(message, &mut self.losses, &mut self.steps);
        self.pushed(out);
    }

    /// Passes new steps on, once they are worth it.
    fn pushed(&mut self, out: &mut Output) {
        self.events += 1;
        let new = self.steps.iter().skip(self.weighed);
        let weights = new.map(Step::weight);
        self.weight = weights.fold(self.weight, usize::saturating_add);
        self.weighed = self.steps.len();
        if self.weight < BATCH_BYTES && self.steps.len() < BATCH_STEPS {
            return;
        }
        self.post();
        let has_helpers = self.pool.helpers() > 0;
        self.settle_until(if has_helpers { MAX_UNDER_WAY } else { 0 }, out);
    }

    /// Advances the time to `now`, so that waiting requests are released, and
    /// adds the results of everything so far to `out`.
    ///
    /// # Panics
    /// If a thread panicked: its results would be missing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Output) {
        self.assembler.tick(now, &mut self.losses, &mut self.steps);
        self.settle(out);
    }

    /// Says that no event will follow, and adds all remaining results to `out`.
    ///
    /// # Panics
    /// If a thread panicked: its results would be missing.
    pub fn finish(&mut self, out: &mut Output) {
        self.assembler.finish(&mut self.losses, &mut self.steps);
        self.settle(out);
    }

    /// Finishes the work on all steps.
    fn settle(&mut self, out: &mut Output) {
        self.settle_until(0, out);
        // An incomplete batch is not worth passing on to another thread, so
        // those of a quiet host have nothing to do.
        if !self.steps.is_empty() {
            let batch = self.batch();
            let batch = self.pool.work(batch);
            self.correlate(batch, out);
        }
    }

    /// Settles what is done, and waits while more than `limit` bytes are under
    /// way.
    fn settle_until(&mut self, limit: usize, out: &mut Output) {
        while let Some(batch) = self.pool.take(limit) {
            self.correlate(batch, out);
        }
    }

    fn correlate(&mut self, batch: Batch<ExaminedStep>, out: &mut Output) {
        let Self {
            correlator, losses, ..
        } = self;
        let Batch { steps, examiner } = batch;
        for step in steps {
            match step {
                ExaminedStep::Examined(result) => {
                    correlator.exchange(&examiner, &result, losses, out);
                }
                ExaminedStep::Other(step) => correlator.step(&examiner, step, losses, out),
            }
            out.step_ends.push(StepEnd {
                findings: out.findings.len(),
                notes: out.notes.len(),
            });
        }
    }

    fn post(&mut self) {
        if !self.steps.is_empty() {
            let weight = self.weight;
            let batch = self.batch();
            self.pool.post(batch, weight);
        }
    }

    fn batch(&mut self) -> Batch<Step> {
        (self.weighed, self.weight) = (0, 0);
        Batch {
            steps: std::mem::take(&mut self.steps),
            examiner: Arc::clone(&self.examiner),
        }
    }
}

fn examine(cache: &mut WorkerCache, batch: Batch<Step>) -> Batch<ExaminedStep> {
    let Batch { steps, examiner } = batch;
    let steps = steps.into_iter().map(|step| match step {
        Step::Exchange(exchange, recorded) => {
            ExaminedStep::Examined(Box::new(examiner.examine(cache, exchange, recorded)))
        }
        other => ExaminedStep::Other(other),
    });
    Batch {
        steps: steps.collect(),
        examiner,
    }
}

impl From<Examiner> for Pipeline {
    fn from(examiner: Examiner) -> Self {
        Self {
            assembler: MessageAssembler::default(),
            examiner: Arc::new(examiner),
            pool: OrderedPool::new(examine),
            correlator: Correlator::default(),
            losses: Losses::default(),
            events: 0,
            steps: Vec::new(),
            weighed: 0,
            weight: 0,
        }
    }
}

#[cfg(test)]
mod tests;
