//! The core of the daemon: the same three parts as in a replay, with helpers
//! that examine messages beside the caller's thread.
//!
//! In: events as they come. Out: what the core says, in their order and equal for
//! any number of helpers. What is under way is bounded, and nothing is after
//! [`Live::settle`].

use std::{
    io,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use super::{
    AbandonOnPanic, BATCH_BYTES, Batch, ExaminedStep, OrderedQueue, examined, settle, wait, weigh,
};
use crate::{
    event::{Event, Timestamp},
    finding::PeopleCount,
    loss::Losses,
    pipeline::{Correlator, Examiner, MessageAssembler, Output, Step, WorkerCache},
    tracker::{Catalog, Services},
};

/// Steps that are examined at once: about a millisecond of work, beside which
/// handing them over is nothing.
const CHUNK: usize = 64;
/// Chunks that are under way: enough for every thread, and little memory.
const MAX_CHUNKS: u64 = 8;
/// Helpers, however many processors the host has. What one thread does in order
/// for a message takes a quarter of what examining it takes, so more of them
/// would wait for that thread.
const MAX_HELPERS: usize = 3;

/// How many helpers a host gets: with the caller's thread, one for each processor.
pub(in crate::command) fn helpers() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    processors.saturating_sub(1).min(MAX_HELPERS)
}

/// The core, and its helpers.
pub(in crate::command) struct Live {
    assembler: MessageAssembler,
    cache: WorkerCache,
    correlator: Correlator,
    losses: Losses,
    steps: Vec<Step>,
    /// How many of the steps are in the weight.
    weighed: usize,
    /// Bytes that the steps hold, about.
    weight: usize,
    /// How many chunks were put up, and how many of them are settled.
    posted: u64,
    settled: u64,
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

/// What the helpers see.
struct Shared {
    queue: OrderedQueue,
    examiner: Mutex<Arc<Examiner>>,
}

impl Shared {
    fn examiner(&self) -> Arc<Examiner> {
        let examiner = self.examiner.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&examiner)
    }

    fn help(&self) {
        let _guard = AbandonOnPanic(&self.queue);
        let mut cache = WorkerCache::default();
        while let Some((number, batch)) = self.queue.take() {
            let batch = batch.examined(&self.examiner(), &mut cache);
            self.queue.put(number, batch);
        }
    }
}

/// What the caller's thread does next.
enum Turn {
    /// Settle this chunk.
    Settle(Batch<ExaminedStep>),
    /// Examine a chunk that no helper has taken.
    Examine(u64, Batch<Step>),
    /// A helper panicked.
    Ended,
}

impl OrderedQueue {
    fn turn(&self, number: u64) -> Turn {
        let mut state = self.state();
        loop {
            if let Some(batch) = state.ready.remove(&number) {
                return Turn::Settle(batch);
            }
            if state.is_abandoned {
                return Turn::Ended;
            }
            if let Some((number, batch)) = state.waiting.pop_front() {
                return Turn::Examine(number, batch);
            }
            state = wait(&self.news, state);
        }
    }
}

impl Live {
    /// A core with that many `helpers`, threads that end with it.
    ///
    /// # Errors
    /// That of starting a thread.
    pub(in crate::command) fn new(examiner: Examiner, helpers: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: OrderedQueue::default(),
            examiner: Mutex::new(Arc::new(examiner)),
        });
        let mut live = Self {
            assembler: MessageAssembler::default(),
            cache: WorkerCache::default(),
            correlator: Correlator::default(),
            losses: Losses::default(),
            steps: Vec::new(),
            weighed: 0,
            weight: 0,
            posted: 0,
            settled: 0,
            shared,
            helpers: Vec::new(),
        };
        for _ in 0..helpers {
            let shared = Arc::clone(&live.shared);
            let helper = thread::Builder::new()
                .name("phiwatch-helper".to_owned())
                .spawn(move || shared.help())?;
            live.helpers.push(helper);
        }
        Ok(live)
    }

    /// Takes another catalog and other services, for whatever comes from now on.
    pub(in crate::command) fn set_recipients(&mut self, catalog: Catalog, services: Services) {
        let mut examiner = self
            .shared
            .examiner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let new = Examiner::clone(&examiner);
        *examiner = Arc::new(new.with_catalog(catalog).with_services(services));
    }

    /// What the core has lost so far.
    pub(in crate::command) const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// How many people the tracker with this id has heard of so far.
    pub(in crate::command) fn people(&self, tracker: &str) -> PeopleCount {
        self.correlator.people(tracker)
    }

    /// Takes one event. What came out of others may be added to `out`.
    ///
    /// # Panics
    /// If a helper did: what it worked on would be missing.
    pub(in crate::command) fn push(&mut self, event: &Event, out: &mut Output) {
        self.assembler
            .push(event, &mut self.losses, &mut self.steps);
        let new = self.steps.iter().skip(self.weighed);
        self.weight += new.map(weigh).sum::<usize>();
        self.weighed = self.steps.len();
        if self.steps.len() < CHUNK && self.weight < BATCH_BYTES {
            return;
        }
        let steps = std::mem::replace(&mut self.steps, Vec::with_capacity(CHUNK));
        (self.weighed, self.weight) = (0, 0);
        // Weightless: the number of chunks is what bounds them.
        match self.shared.queue.post(steps, 0) {
            Ok(()) => self.posted += 1,
            Err(_) => return self.joined(),
        }
        self.settle_until(self.posted.saturating_sub(MAX_CHUNKS), out);
    }

    /// Says that it is `now`, so that waiting requests are let go.
    pub(in crate::command) fn tick(&mut self, now: Timestamp) {
        self.assembler.tick(now, &mut self.losses, &mut self.steps);
    }

    /// Says that no event will follow.
    pub(in crate::command) fn finish(&mut self) {
        self.assembler.finish(&mut self.losses, &mut self.steps);
    }

    /// Adds to `out` what comes out of everything that was taken.
    ///
    /// # Panics
    /// If a helper did: what it worked on would be missing.
    pub(in crate::command) fn settle(&mut self, out: &mut Output) {
        self.settle_until(self.posted, out);
        // What fills no chunk is not worth a hand-over, and none is needed on a
        // quiet host.
        let examiner = self.shared.examiner();
        for step in std::mem::take(&mut self.steps) {
            let step = examined(vec![step], &examiner, &mut self.cache);
            settle(step, &examiner, &mut self.correlator, &mut self.losses, out);
        }
        (self.weighed, self.weight) = (0, 0);
    }

    /// Settles the chunks before that number, and helps meanwhile.
    fn settle_until(&mut self, number: u64, out: &mut Output) {
        let examiner = self.shared.examiner();
        while self.settled < number {
            match self.shared.queue.turn(self.settled) {
                Turn::Settle(batch) => {
                    settle(
                        batch.steps,
                        &examiner,
                        &mut self.correlator,
                        &mut self.losses,
                        out,
                    );
                    self.settled += 1;
                }
                Turn::Examine(number, batch) => {
                    let batch = batch.examined(&examiner, &mut self.cache);
                    self.shared.queue.put(number, batch);
                }
                Turn::Ended => return self.joined(),
            }
        }
    }

    /// Waits for the helpers; the panic of one goes on in this thread.
    fn joined(&mut self) {
        self.shared.queue.close();
        for helper in self.helpers.drain(..) {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.queue.close();
        for helper in self.helpers.drain(..) {
            // Its panic was told when it happened.
            drop(helper.join());
        }
    }
}

#[cfg(test)]
mod tests;
