//! The core, wired: events in, findings out.
//!
//! Pure and bounded: no clock, file, socket or log; time comes in the events.
//! Live and replay differ only in who calls [`Pipeline::push`], so the same
//! events give the same findings.
//!
//! Three parts, so that the dear middle one can be done by many at once:
//! [`Front`] makes whole messages of events, [`Desk`] finds out what one message
//! means by itself, [`Back`] makes findings of that, in the order of the front.

mod back;
mod desk;
mod front;
mod recorded;
mod reveal;
mod target;

use std::{ops::Range, sync::Arc};

#[cfg(test)]
use self::target::{is_third_party, path_of};
pub use self::{
    back::Back,
    desk::{Desk, Examined, Practice},
    front::{Front, Step},
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
    /// This process has just connected to a tracker, or to a host that a tracker
    /// shares.
    Contact(u32),
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
    /// The messages with their values replaced, if they are to be recorded.
    pub records: Vec<Record>,
}

/// A message with its values replaced.
#[derive(Debug)]
pub struct Record {
    /// The event that a redacted capture holds.
    pub event: Event,
    /// Which of the findings beside it are of this message: their evidence is
    /// where the event is recorded.
    pub findings: Range<usize>,
}

/// The core.
pub struct Pipeline {
    front: Front,
    desk: Arc<Desk>,
    back: Back,
    practice: Practice,
    losses: Losses,
    steps: Vec<Step>,
}

impl Pipeline {
    /// A core that recognizes the trackers of `catalog` and whose tokens are
    /// made with `key`.
    pub fn new(catalog: Catalog, key: TokenKey) -> Self {
        Self::from(Desk::new(catalog, key))
    }

    /// This core, which knows these services.
    #[must_use]
    pub fn with_services(self, services: Services) -> Self {
        self.changed(|desk| desk.with_services(services))
    }

    /// Seeks planted values as well, in requests to any third party: then no
    /// stream to one is unwanted.
    #[must_use]
    pub fn with_canaries(self, canaries: Canaries) -> Self {
        self.changed(|desk| desk.with_canaries(canaries))
    }

    /// Hands out every message with its values replaced as well, for a record.
    #[must_use]
    pub fn with_redactor(self, redactor: Redactor) -> Self {
        self.changed(|desk| desk.with_redactor(redactor))
    }

    fn changed(mut self, change: impl FnOnce(Desk) -> Desk) -> Self {
        self.desk = Arc::new(change(Desk::clone(&self.desk)));
        self
    }

    /// Takes another catalog and other services, for whatever comes from now on.
    pub fn set_recipients(&mut self, catalog: Catalog, services: Services) {
        let desk = Desk::clone(&self.desk);
        self.desk = Arc::new(desk.with_catalog(catalog).with_services(services));
    }

    /// What the core has lost so far.
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// How many people the tracker with this id has heard of so far.
    pub fn people(&self, tracker: &str) -> PeopleCount {
        self.back.people(tracker)
    }

    /// Takes one event.
    pub fn push(&mut self, event: &Event, out: &mut Output) {
        self.front.push(event, &mut self.losses, &mut self.steps);
        self.take(out);
    }

    /// Says that it is `now`, so that waiting requests are let go.
    pub fn tick(&mut self, now: Timestamp, out: &mut Output) {
        self.front.tick(now, &mut self.losses, &mut self.steps);
        self.take(out);
    }

    /// Says that no event will follow.
    pub fn finish(&mut self, out: &mut Output) {
        self.front.finish(&mut self.losses, &mut self.steps);
        self.take(out);
    }

    fn take(&mut self, out: &mut Output) {
        let Self {
            desk,
            back,
            practice,
            losses,
            steps,
            ..
        } = self;
        for step in steps.drain(..) {
            match step {
                Step::Exchange(exchange, recorded) => {
                    let examined = desk.examine(practice, exchange, recorded);
                    back.exchange(desk, &examined, losses, out);
                }
                other => back.step(desk, other, losses, out),
            }
        }
    }
}

impl From<Desk> for Pipeline {
    fn from(desk: Desk) -> Self {
        Self {
            front: Front::default(),
            desk: Arc::new(desk),
            back: Back::default(),
            practice: Practice::default(),
            losses: Losses::default(),
            steps: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
