//! Replays a capture on all cores: one thread reads, one assembles messages,
//! several examine them, and the caller's makes the findings.
//!
//! In: a source of events. Out: the results, in the order of the capture and
//! equal for any number of threads. The work in progress is bounded in bytes.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZero,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, ScopedJoinHandle},
};

mod live;

pub(super) use self::live::{Live, helpers};
use super::Failure;
use crate::{
    capture::{CaptureError, EventSource},
    event::{Event, EventKind},
    finding::PeopleCount,
    loss::Losses,
    pipeline::{Correlator, Examined, Examiner, MessageAssembler, Output, Step, WorkerCache},
};

/// Approximate size of the events that are passed on at once, in bytes.
const EVENTS_BYTES: usize = 64 * 1024;
/// The most events that are passed on at once.
const EVENTS: usize = 256;
/// Times that many that were read and not taken.
const MAX_EVENTS_WAITING: usize = 8;
/// Approximate weight of the messages that are examined at once, in bytes.
const BATCH_BYTES: usize = 128 * 1024;
/// Steps of one batch, whatever they weigh.
const BATCH_STEPS: usize = 256;
/// Bytes of messages in progress, over all batches.
const MAX_UNDER_WAY: usize = 4 * 1024 * 1024;
/// What a step weighs besides its payload.
const STEP_BYTES: usize = 256;

/// What a replay knows at its end.
pub(super) struct Replayed {
    /// Events of the capture.
    pub(super) events: u64,
    /// Everything that was lost.
    pub(super) losses: Losses,
    /// What the core remembers.
    pub(super) correlator: Correlator,
}

impl Replayed {
    /// How many people's data the tracker with this id has received.
    pub(super) fn people(&self, tracker: &str) -> PeopleCount {
        self.correlator.people(tracker)
    }
}

/// One thread for each core of the machine.
pub(super) fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Replays `source` and examines its messages with this many `threads`; with
/// one, everything happens on the caller's thread. Results go to `sink` as soon
/// as they are known.
///
/// # Errors What `unreadable` makes of an error of the source, after everything
/// before it was passed on; or the error of `sink`, at once.
pub(super) fn replay(
    source: &mut dyn EventSource,
    examiner: &Examiner,
    threads: NonZero<usize>,
    unreadable: impl FnOnce(CaptureError) -> Failure,
    mut sink: impl FnMut(&mut Output) -> Result<(), Failure>,
) -> Result<Replayed, Failure> {
    let queue = OrderedQueue::default();
    let mut correlator = Correlator::default();
    let mut losses = Losses::default();
    let read = thread::scope(|scope| {
        if threads.get() == 1 {
            let mut single = SingleThread {
                examiner,
                cache: WorkerCache::default(),
                correlator: &mut correlator,
                losses: &mut losses,
                out: Output::default(),
            };
            let mut batcher = Batcher::default();
            let end = read(source, |events| {
                let mut post = |steps, _| single.work(steps, &mut sink);
                events
                    .iter()
                    .try_for_each(|event| batcher.push(event, &mut post))
            })?;
            return batcher.finish(end, |steps, _| single.work(steps, &mut sink));
        }
        let (events, incoming) = mpsc::sync_channel(MAX_EVENTS_WAITING);
        let reader = scope.spawn(move || {
            // The assembling thread ends early if nobody takes its messages.
            read(source, |batch| {
                events.send(batch).map_err(|_gone| Stop::Ended)
            })
        });
        let maker = scope.spawn(|| {
            let _guard = CloseOnDrop(&queue);
            let mut batcher = Batcher::default();
            let mut post = |steps, weight| queue.post(steps, weight);
            for chunk in incoming {
                for event in &chunk {
                    batcher.push(event, &mut post)?;
                }
            }
            batcher.finish(joined(reader)?, post)
        });
        for _ in 0..threads.get() {
            scope.spawn(|| {
                let _guard = AbandonOnPanic(&queue);
                let mut cache = WorkerCache::default();
                while let Some((number, batch)) = queue.take() {
                    queue.put(number, batch.examine(examiner, &mut cache));
                }
            });
        }
        let guard = AbandonOnPanic(&queue);
        let mut out = Output::default();
        let settled = (0..).try_for_each(|number| {
            let Some(batch) = queue.next(number) else {
                return Err(Stop::Ended);
            };
            settle(
                batch.steps,
                examiner,
                &mut correlator,
                &mut losses,
                &mut out,
            );
            queue.release(batch.weight);
            hand_on(&mut out, &mut sink).map_err(Stop::Failed)
        });
        if let Err(Stop::Failed(failure)) = settled {
            queue.abandon();
            return Err(Stop::Failed(failure));
        }
        drop(guard);
        joined(maker)
    });
    let read = match read {
        Ok(read) => read,
        Err(Stop::Failed(failure)) => return Err(failure),
        // A panic is reported where it happens and joined below.
        Err(Stop::Ended) => Read::default(),
    };
    losses.merge(&read.losses);
    match read.error {
        Some(error) => Err(unreadable(error)),
        None => Ok(Replayed {
            events: read.events,
            losses,
            correlator,
        }),
    }
}

/// What a thread gave; its panic goes on in this one.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Why no further batch is settled.
enum Stop {
    Ended,
    Failed(Failure),
}

/// A step with its meaning, if it is an exchange.
enum ExaminedStep {
    Examined(Box<Examined>),
    Other(Step),
}

fn settle(
    steps: Vec<ExaminedStep>,
    examiner: &Examiner,
    correlator: &mut Correlator,
    losses: &mut Losses,
    out: &mut Output,
) {
    for step in steps {
        match step {
            ExaminedStep::Examined(result) => {
                correlator.exchange(examiner, &result, losses, out);
            }
            ExaminedStep::Other(step) => correlator.step(examiner, step, losses, out),
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

/// Does all the work on the caller's thread.
struct SingleThread<'a> {
    examiner: &'a Examiner,
    cache: WorkerCache,
    correlator: &'a mut Correlator,
    losses: &'a mut Losses,
    out: Output,
}

impl SingleThread<'_> {
    fn work(
        &mut self,
        steps: Vec<Step>,
        sink: &mut impl FnMut(&mut Output) -> Result<(), Failure>,
    ) -> Result<(), Stop> {
        let steps = examine(steps, self.examiner, &mut self.cache);
        settle(
            steps,
            self.examiner,
            self.correlator,
            self.losses,
            &mut self.out,
        );
        hand_on(&mut self.out, sink).map_err(Stop::Failed)
    }
}

fn examine(steps: Vec<Step>, examiner: &Examiner, cache: &mut WorkerCache) -> Vec<ExaminedStep> {
    steps
        .into_iter()
        .map(|step| match step {
            Step::Exchange(exchange, recorded) => {
                ExaminedStep::Examined(Box::new(examiner.examine(cache, exchange, recorded)))
            }
            other => ExaminedStep::Other(other),
        })
        .collect()
}

/// The result of reading.
#[derive(Default)]
struct Read {
    events: u64,
    losses: Losses,
    error: Option<CaptureError>,
}

/// Reads `source` to its end and gives `post` its events in batches.
fn read(
    source: &mut dyn EventSource,
    mut post: impl FnMut(Vec<Event>) -> Result<(), Stop>,
) -> Result<Read, Stop> {
    let mut read = Read::default();
    let (mut batch, mut bytes) = (Vec::with_capacity(EVENTS), 0_usize);
    loop {
        let event = source.next(&mut read.losses);
        let is_over = !matches!(event, Ok(Some(_)));
        match event {
            Ok(Some(event)) => {
                read.events += 1;
                bytes = bytes.saturating_add(held(&event));
                batch.push(event);
            }
            Ok(None) => {}
            Err(error) => read.error = Some(error),
        }
        if is_over || bytes >= EVENTS_BYTES || batch.len() >= EVENTS {
            bytes = 0;
            post(std::mem::replace(&mut batch, Vec::with_capacity(EVENTS)))?;
        }
        if is_over {
            return Ok(read);
        }
    }
}

/// Bytes of payload that an event holds.
fn held(event: &Event) -> usize {
    match &event.kind {
        EventKind::Data(data) => data.bytes.expose().len(),
        EventKind::Message(message) => {
            let (request, response) = (&message.request, &message.response);
            request.expose().len() + response.expose().len()
        }
        _ => 0,
    }
}

/// Assembles messages and groups them into batches.
#[derive(Default)]
struct Batcher {
    assembler: MessageAssembler,
    losses: Losses,
    steps: Vec<Step>,
    /// How many of the steps are in the weight.
    weighed: usize,
    weight: usize,
}

impl Batcher {
    /// Takes an event, and passes a batch of steps with its weight to `post`
    /// when one is full.
    fn push(
        &mut self,
        event: &Event,
        post: &mut impl FnMut(Vec<Step>, usize) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.assembler
            .push(event, &mut self.losses, &mut self.steps);
        let new = self.steps.iter().skip(self.weighed);
        self.weight += new.map(weigh).sum::<usize>();
        self.weighed = self.steps.len();
        if self.weight >= BATCH_BYTES || self.steps.len() >= BATCH_STEPS {
            let weight = std::mem::take(&mut self.weight);
            self.weighed = 0;
            post(std::mem::take(&mut self.steps), weight)?;
        }
        Ok(())
    }

    /// Passes the rest to `post`. After an error of the source there may be
    /// more that cannot be read, so nothing is declared complete.
    fn finish(
        mut self,
        mut end: Read,
        mut post: impl FnMut(Vec<Step>, usize) -> Result<(), Stop>,
    ) -> Result<Read, Stop> {
        if end.error.is_none() {
            self.assembler.finish(&mut self.losses, &mut self.steps);
        }
        end.losses.merge(&self.losses);
        let weight = self.weight;
        post(self.steps, weight)?;
        Ok(end)
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

/// A batch in progress.
struct Batch<T> {
    steps: Vec<T>,
    weight: usize,
}

impl Batch<Step> {
    fn examine(self, examiner: &Examiner, cache: &mut WorkerCache) -> Batch<ExaminedStep> {
        Batch {
            steps: examine(self.steps, examiner, cache),
            weight: self.weight,
        }
    }
}

/// Batches for the threads that examine them, and their results in order.
#[derive(Default)]
struct OrderedQueue {
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
    waiting: VecDeque<(u64, Batch<Step>)>,
    ready: BTreeMap<u64, Batch<ExaminedStep>>,
    is_closed: bool,
    is_abandoned: bool,
}

impl OrderedQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts a batch for examination, once there is room for it.
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
        state.waiting.push_back((number, Batch { steps, weight }));
        self.work.notify_one();
        Ok(())
    }

    /// The next batch to examine; `None` at the end.
    fn take(&self) -> Option<(u64, Batch<Step>)> {
        let mut state = self.state();
        loop {
            if state.is_abandoned {
                return None;
            }
            if let Some(batch) = state.waiting.pop_front() {
                return Some(batch);
            }
            if state.is_closed {
                return None;
            }
            state = wait(&self.work, state);
        }
    }

    /// Gives back a batch that was examined.
    fn put(&self, number: u64, batch: Batch<ExaminedStep>) {
        self.state().ready.insert(number, batch);
        self.news.notify_one();
    }

    /// The batch with this number, once it has been examined; `None` at the
    /// end.
    fn next(&self, number: u64) -> Option<Batch<ExaminedStep>> {
        let mut state = self.state();
        loop {
            if let Some(batch) = state.ready.remove(&number) {
                return Some(batch);
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

/// Closes the queue, however the thread ends.
struct CloseOnDrop<'a>(&'a OrderedQueue);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Keeps other threads from waiting for one that panicked.
struct AbandonOnPanic<'a>(&'a OrderedQueue);

impl Drop for AbandonOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}

#[cfg(test)]
mod tests;
