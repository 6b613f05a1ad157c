//! The core of the daemon: the same three parts as in a replay, with helper
//! threads that examine messages beside the caller's.
//!
//! In: events as they come. Out: the results, in order and equal for any number
//! of helpers. The work in progress is bounded, and none remains after
//! [`Live::settle`].

use std::{
    io,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use super::{
    AbandonOnPanic, BATCH_BYTES, Batch, ExaminedStep, OrderedQueue, examine, settle, wait, weigh,
};
use crate::{
    event::{Event, Timestamp},
    finding::PeopleCount,
    loss::Losses,
    pipeline::{Correlator, Examiner, MessageAssembler, Output, Step, WorkerCache},
    tracker::{Catalog, Services},
};

/// Steps that are examined at once: about a millisecond of work, so that the
/// cost of passing them to another thread is negligible.
const CHUNK: usize = 64;
/// Chunks in progress: enough for every thread, and little memory.
const MAX_CHUNKS: u64 = 8;
/// Helpers, however many processors the host has. The sequential work for a
/// message takes a quarter of the time of examining it, so that more helpers
/// would wait for the caller's thread.
const MAX_HELPERS: usize = 3;

/// How many helpers a host gets: together with the caller's thread, one for
/// each processor.
pub(in crate::command) fn helpers() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    processors.saturating_sub(1).min(MAX_HELPERS)
}

/// The core and its helpers.
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
    /// How many chunks were posted, and how many of them are settled.
    posted: u64,
    settled: u64,
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

/// What the caller and the helpers share.
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
            let batch = batch.examine(&self.examiner(), &mut cache);
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
    /// A core with this many `helpers`, threads that end with it.
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

    /// Replaces catalog and services, for events from now on.
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

    /// How many people's data the tracker with this id has received so far.
    pub(in crate::command) fn people(&self, tracker: &str) -> PeopleCount {
        self.correlator.people(tracker)
    }

    /// Takes one event. Results of earlier ones may be added to `out`.
    ///
    /// # Panics If a helper panicked: its results would be missing.
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
        // Without a weight: the number of chunks is the bound.
        match self.shared.queue.post(steps, 0) {
            Ok(()) => self.posted += 1,
            Err(_) => return self.joined(),
        }
        self.settle_until(self.posted.saturating_sub(MAX_CHUNKS), out);
    }

    /// Advances the time to `now`, so that waiting requests are released.
    pub(in crate::command) fn tick(&mut self, now: Timestamp) {
        self.assembler.tick(now, &mut self.losses, &mut self.steps);
    }

    /// Says that no event will follow.
    pub(in crate::command) fn finish(&mut self) {
        self.assembler.finish(&mut self.losses, &mut self.steps);
    }

    /// Finishes all pending work and adds its results to `out`.
    ///
    /// # Panics If a helper panicked: its results would be missing.
    pub(in crate::command) fn settle(&mut self, out: &mut Output) {
        self.settle_until(self.posted, out);
        // An incomplete chunk is not worth passing on, which a quiet host never
        // has to do.
        let examiner = self.shared.examiner();
        for step in std::mem::take(&mut self.steps) {
            let step = examine(vec![step], &examiner, &mut self.cache);
            settle(step, &examiner, &mut self.correlator, &mut self.losses, out);
        }
        (self.weighed, self.weight) = (0, 0);
    }

    /// Settles the chunks before that number, and examines others meanwhile.
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
                    let batch = batch.examine(&examiner, &mut self.cache);
                    self.shared.queue.put(number, batch);
                }
                Turn::Ended => return self.joined(),
            }
        }
    }

    /// Waits for the helpers; a panic of one continues in this thread.
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
            // Its panic was reported when it happened.
            drop(helper.join());
        }
    }
}

#[cfg(test)]
mod tests;
