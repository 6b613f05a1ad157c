//! A capture through the core with every core of the machine: one thread reads
//! and makes messages, several examine them, the caller's makes findings.
//!
//! In: a source of events. Out: what the core says, in the order of the capture
//! and equal for any number of threads. What is under way is bounded in bytes.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZero,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::Failure;
use crate::{
    capture::{CaptureError, EventSource},
    finding::PeopleCount,
    loss::Losses,
    pipeline::{Back, Desk, Examined, Front, Output, Practice, Step},
};

/// Messages that are examined at once weigh this many bytes, about.
const BATCH_BYTES: usize = 128 * 1024;
/// Steps of one batch, whatever they weigh.
const BATCH_STEPS: usize = 256;
/// Bytes of messages that were made and not finished, over all batches.
const MAX_UNDER_WAY: usize = 8 * 1024 * 1024;
/// What a step weighs besides its payload.
const STEP_BYTES: usize = 256;

/// What is known at the end.
pub(super) struct Replayed {
    /// Events of the capture.
    pub(super) events: u64,
    /// Everything that was lost.
    pub(super) losses: Losses,
    /// What the core remembers.
    pub(super) back: Back,
}

impl Replayed {
    /// How many people the tracker with this id has heard of.
    pub(super) fn people(&self, tracker: &str) -> PeopleCount {
        self.back.people(tracker)
    }
}

/// One thread for each core of the machine.
pub(super) fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Replays `source` with that many `threads`, and hands `sink` what the core
/// says as soon as it is known.
///
/// # Errors
/// What `unreadable` makes of an error of the source, after everything before it
/// was handed on; or the error of `sink`, at once.
pub(super) fn replay(
    source: &mut dyn EventSource,
    desk: &Desk,
    threads: NonZero<usize>,
    unreadable: impl FnOnce(CaptureError) -> Failure,
    mut sink: impl FnMut(&mut Output) -> Result<(), Failure>,
) -> Result<Replayed, Failure> {
    let board = Board::default();
    let mut back = Back::default();
    let mut losses = Losses::default();
    let read = thread::scope(|scope| {
        let helpers = threads.get().saturating_sub(1);
        if helpers == 0 {
            let mut alone = Alone {
                desk,
                practice: Practice::default(),
                back: &mut back,
                losses: &mut losses,
                out: Output::default(),
            };
            return read(source, |steps, _| alone.work(steps, &mut sink));
        }
        let reader = scope.spawn(|| {
            let _guard = Closing(&board);
            read(source, |steps, weight| board.post(steps, weight))
        });
        for _ in 0..helpers {
            scope.spawn(|| {
                let _guard = Alarm(&board);
                let mut practice = Practice::default();
                while let Some((number, job)) = board.take() {
                    board.put(number, job.examined(desk, &mut practice));
                }
            });
        }
        let guard = Alarm(&board);
        let mut out = Output::default();
        let settled = (0..).try_for_each(|number| {
            let Some(job) = board.next(number) else {
                return Err(Stop::Ended);
            };
            settle(job.steps, desk, &mut back, &mut losses, &mut out);
            board.release(job.weight);
            hand_on(&mut out, &mut sink).map_err(Stop::Failed)
        });
        if let Err(Stop::Failed(failure)) = settled {
            board.abandon();
            return Err(Stop::Failed(failure));
        }
        drop(guard);
        match reader.join() {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let read = match read {
        Ok(read) => read,
        Err(Stop::Failed(failure)) => return Err(failure),
        // A thread that died is told by its panic, which came before.
        Err(Stop::Ended) => Read::default(),
    };
    losses.merge(&read.losses);
    match read.error {
        Some(error) => Err(unreadable(error)),
        None => Ok(Replayed {
            events: read.events,
            losses,
            back,
        }),
    }
}

/// Why no further batch is settled.
enum Stop {
    Ended,
    Failed(Failure),
}

/// A step, and what it means if it was an exchange.
enum Known {
    Examined(Box<Examined>),
    Other(Step),
}

fn settle(steps: Vec<Known>, desk: &Desk, back: &mut Back, losses: &mut Losses, out: &mut Output) {
    for step in steps {
        match step {
            Known::Examined(examined) => back.exchange(desk, &examined, losses, out),
            Known::Other(step) => back.step(desk, step, losses, out),
        }
    }
}

fn hand_on(
    out: &mut Output,
    sink: &mut impl FnMut(&mut Output) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let result = sink(out);
    out.findings.clear();
    out.notes.clear();
    result
}

/// All the work on the caller's thread.
struct Alone<'a> {
    desk: &'a Desk,
    practice: Practice,
    back: &'a mut Back,
    losses: &'a mut Losses,
    out: Output,
}

impl Alone<'_> {
    fn work(
        &mut self,
        steps: Vec<Step>,
        sink: &mut impl FnMut(&mut Output) -> Result<(), Failure>,
    ) -> Result<(), Stop> {
        let steps = examined(steps, self.desk, &mut self.practice);
        settle(steps, self.desk, self.back, self.losses, &mut self.out);
        hand_on(&mut self.out, sink).map_err(Stop::Failed)
    }
}

fn examined(steps: Vec<Step>, desk: &Desk, practice: &mut Practice) -> Vec<Known> {
    steps
        .into_iter()
        .map(|step| match step {
            Step::Exchange(exchange, recorded) => {
                Known::Examined(Box::new(desk.examine(practice, exchange, recorded)))
            }
            other => Known::Other(other),
        })
        .collect()
}

/// What the reading thread has to say at the end.
#[derive(Default)]
struct Read {
    events: u64,
    losses: Losses,
    error: Option<CaptureError>,
}

/// Reads `source` to its end and gives `post` batches of steps with their weight.
fn read(
    source: &mut dyn EventSource,
    mut post: impl FnMut(Vec<Step>, usize) -> Result<(), Stop>,
) -> Result<Read, Stop> {
    let mut front = Front::default();
    let mut read = Read::default();
    let (mut steps, mut weighed, mut weight) = (Vec::new(), 0, 0);
    loop {
        let is_over = match source.next(&mut read.losses) {
            Ok(Some(event)) => {
                read.events += 1;
                front.push(&event, &mut read.losses, &mut steps);
                false
            }
            Ok(None) => {
                front.finish(&mut read.losses, &mut steps);
                true
            }
            Err(error) => {
                read.error = Some(error);
                true
            }
        };
        weight += steps.iter().skip(weighed).map(weigh).sum::<usize>();
        weighed = steps.len();
        if is_over || weight >= BATCH_BYTES || steps.len() >= BATCH_STEPS {
            post(std::mem::take(&mut steps), weight)?;
            (weighed, weight) = (0, 0);
        }
        if is_over {
            return Ok(read);
        }
    }
}

/// Bytes of memory that a step holds, about.
fn weigh(step: &Step) -> usize {
    let payload = match step {
        Step::Exchange(exchange, _) => {
            let request = &exchange.request;
            let head = request.wire_length.saturating_sub(request.body_wire_length);
            request.body.expose().len() + usize::try_from(head).unwrap_or(usize::MAX)
        }
        Step::Page(page, _) => page.body.expose().len(),
        Step::Time(_) | Step::Hello { .. } | Step::Closed(_) => 0,
    };
    payload.saturating_add(STEP_BYTES)
}

/// A batch on its way.
struct Job<T> {
    steps: Vec<T>,
    weight: usize,
}

impl Job<Step> {
    fn examined(self, desk: &Desk, practice: &mut Practice) -> Job<Known> {
        Job {
            steps: examined(self.steps, desk, practice),
            weight: self.weight,
        }
    }
}

/// What all threads see.
#[derive(Default)]
struct Board {
    state: Mutex<State>,
    /// There is a batch to examine, or no more will come.
    work: Condvar,
    /// A batch was finished.
    room: Condvar,
    /// A batch was examined, or no more will come.
    news: Condvar,
}

#[derive(Default)]
struct State {
    posted: u64,
    under_way: usize,
    waiting: VecDeque<(u64, Job<Step>)>,
    ready: BTreeMap<u64, Job<Known>>,
    is_closed: bool,
    is_abandoned: bool,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts up a batch to examine, once there is room for it.
    fn post(&self, steps: Vec<Step>, weight: usize) -> Result<(), Stop> {
        let mut state = self.state();
        while state.under_way > 0
            && state.under_way.saturating_add(weight) > MAX_UNDER_WAY
            && !state.is_abandoned
        {
            state = wait(&self.room, state);
        }
        if state.is_abandoned {
            return Err(Stop::Ended);
        }
        state.under_way += weight;
        let number = state.posted;
        state.posted += 1;
        state.waiting.push_back((number, Job { steps, weight }));
        self.work.notify_one();
        Ok(())
    }

    /// The next batch to examine; `None` at the end.
    fn take(&self) -> Option<(u64, Job<Step>)> {
        let mut state = self.state();
        loop {
            if state.is_abandoned {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state = wait(&self.work, state);
        }
    }

    /// Gives back a batch that was examined.
    fn put(&self, number: u64, job: Job<Known>) {
        self.state().ready.insert(number, job);
        self.news.notify_one();
    }

    /// The batch with this number, once it was examined; `None` at the end.
    fn next(&self, number: u64) -> Option<Job<Known>> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.ready.remove(&number) {
                return Some(job);
            }
            if state.is_abandoned || state.is_closed && number >= state.posted {
                return None;
            }
            state = wait(&self.news, state);
        }
    }

    /// A batch is finished.
    fn release(&self, weight: usize) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(weight);
        drop(state);
        self.room.notify_one();
    }

    fn close(&self) {
        self.state().is_closed = true;
        self.wake_all();
    }

    fn abandon(&self) {
        self.state().is_abandoned = true;
        self.wake_all();
    }

    fn wake_all(&self) {
        self.work.notify_all();
        self.room.notify_all();
        self.news.notify_all();
    }
}

fn wait<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition
        .wait(state)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Says that no more batches will come, however the thread ends.
struct Closing<'a>(&'a Board);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Keeps the others from waiting for a thread that panicked.
struct Alarm<'a>(&'a Board);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}

#[cfg(test)]
mod tests;
