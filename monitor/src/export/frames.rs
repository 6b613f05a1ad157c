//! HTTP/2 in recorded streams, as whole frames.
//!
//! In: the events of streams, in order. Out: the preface and the frames of
//! those that begin as HTTP/2 does. Nothing in them is parsed or replaced, so
//! they are only for exports of what was sent. After missing bytes the frame
//! boundaries are unknown, and nothing more of that direction is exported.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    event::{Direction, Event, StreamId, Timestamp},
    http::http2::frame::{PREFACE, kind::SETTINGS, unit},
    loss::Losses,
    record::About,
    stream::{Delivery, Segment, Streams},
};

/// Longest frame that is taken, in bytes with its head.
const MAX_FRAME: usize = 128 * 1024;
/// Bytes of one direction that wait for the rest of a frame, or for the other
/// side's preface.
const MAX_WAITING: usize = MAX_FRAME;
/// Streams that are examined; beyond that the oldest is forgotten.
const MAX_STREAMS: usize = 4_096;
/// Streams that are remembered as being something else.
const MAX_OTHERS: usize = 65_536;

/// What is known of a stream's protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It could be HTTP/2.
    Undecided,
    /// One side sent the preface.
    Http2,
}

/// One direction of a stream.
#[derive(Default)]
struct DirectionBuffer {
    waiting: Vec<u8>,
    time: Timestamp,
    is_lost: bool,
}

struct Stream {
    order: u64,
    state: State,
    directions: [DirectionBuffer; 2],
}

/// The streams that may be HTTP/2.
#[derive(Default)]
pub struct Frames {
    /// Puts the bytes in order.
    ordered: Streams,
    deliveries: Vec<Delivery>,
    streams: HashMap<StreamId, Stream>,
    order: BTreeMap<u64, StreamId>,
    next_order: u64,
    /// Streams that began as something else.
    others: HashSet<StreamId>,
    /// Streams whose frames were handed on, as many as are remembered.
    handed_on: HashSet<StreamId>,
    found: u64,
}

impl Frames {
    /// Streams that are HTTP/2.
    pub const fn streams(&self) -> u64 {
        self.found
    }

    /// Whether the frames of a stream were handed on.
    pub fn has(&self, stream: StreamId) -> bool {
        self.handed_on.contains(&stream)
    }

    /// Takes one event. Complete units go to `hand_on`: the preface, or one
    /// frame.
    pub fn push(&mut self, event: &Event, mut hand_on: impl FnMut(&About<'_>, &[u8])) {
        self.tick(event.time, &mut hand_on);
        // The losses are counted where the same events are read for their
        // messages.
        self.ordered
            .push(event, &mut Losses::default(), &mut self.deliveries);
        self.deliver(&mut hand_on);
    }

    /// Advances the time to `now`.
    pub fn tick(&mut self, now: Timestamp, mut hand_on: impl FnMut(&About<'_>, &[u8])) {
        self.ordered
            .tick(now, &mut Losses::default(), &mut self.deliveries);
        self.deliver(&mut hand_on);
    }

    fn deliver(&mut self, hand_on: &mut impl FnMut(&About<'_>, &[u8])) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        for delivery in deliveries.drain(..) {
            self.take(&delivery, hand_on);
        }
        self.deliveries = deliveries;
    }

    /// Takes what still waits for bytes that never came.
    pub fn finish(&mut self, mut hand_on: impl FnMut(&About<'_>, &[u8])) {
        let mut deliveries = Vec::new();
        self.ordered.finish(&mut Losses::default(), &mut deliveries);
        for delivery in &deliveries {
            self.take(delivery, &mut hand_on);
        }
    }

    fn take(&mut self, delivery: &Delivery, hand_on: &mut impl FnMut(&About<'_>, &[u8])) {
        let id = delivery.stream;
        let (direction, bytes) = match &delivery.what {
            Segment::Bytes { direction, bytes } if !delivery.late => (*direction, bytes.expose()),
            Segment::Bytes { direction, .. } | Segment::Gap { direction, .. } => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.directions[*direction as usize].is_lost = true;
                } else if self.others.len() < MAX_OTHERS {
                    self.others.insert(id);
                }
                return;
            }
            Segment::Closed => {
                self.forget(id);
                self.others.remove(&id);
                return;
            }
            Segment::Hello(_) | Segment::Encrypted => return,
        };
        if self.others.contains(&id) {
            return;
        }
        let stream = self.stream(id);
        let was_found = stream.state == State::Http2;
        stream.take(direction, bytes, delivery.time);
        let is_found = stream.state == State::Http2;
        if is_found {
            stream.hand_on(delivery, direction, hand_on);
        } else if stream.is_other() {
            self.forget(id);
            if self.others.len() < MAX_OTHERS {
                self.others.insert(id);
            }
        }
        if is_found && !was_found {
            self.found += 1;
            if self.handed_on.len() < MAX_OTHERS {
                self.handed_on.insert(id);
            }
        }
    }

    /// The state of stream `id`, which is created if it is new.
    fn stream(&mut self, id: StreamId) -> &mut Stream {
        if !self.streams.contains_key(&id) {
            if self.streams.len() >= MAX_STREAMS
                && let Some((_, oldest)) = self.order.pop_first()
            {
                self.streams.remove(&oldest);
            }
            self.next_order += 1;
            self.order.insert(self.next_order, id);
        }
        let order = self.next_order;
        self.streams.entry(id).or_insert_with(|| Stream {
            order,
            state: State::Undecided,
            directions: [DirectionBuffer::default(), DirectionBuffer::default()],
        })
    }

    fn forget(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.remove(&id) {
            self.order.remove(&stream.order);
        }
    }
}

impl Stream {
    /// Takes bytes of one direction.
    fn take(&mut self, direction: Direction, bytes: &[u8], time: Timestamp) {
        let buffer = &mut self.directions[direction as usize];
        if buffer.is_lost {
            return;
        }
        if buffer.waiting.is_empty() {
            buffer.time = time;
        }
        buffer.waiting.extend_from_slice(bytes);
        if buffer.waiting.starts_with(PREFACE) {
            self.state = State::Http2;
        }
    }

    /// Whether neither direction can be HTTP/2.
    fn is_other(&self) -> bool {
        !self.directions.iter().any(|buffer| {
            let waiting = &buffer.waiting;
            let asks = waiting.starts_with(PREFACE.get(..waiting.len()).unwrap_or(PREFACE));
            let answers = waiting.get(3).is_none_or(|kind| *kind == SETTINGS);
            waiting.len() <= MAX_WAITING
                && !buffer.is_lost
                && !waiting.is_empty()
                && (asks || answers)
        })
    }

    /// Passes on what is complete, beginning with the direction that sent
    /// first, so that requests and responses stay in order.
    fn hand_on(
        &mut self,
        delivery: &Delivery,
        first: Direction,
        hand_on: &mut impl FnMut(&About<'_>, &[u8]),
    ) {
        let second = match first {
            Direction::Sent => Direction::Received,
            Direction::Received => Direction::Sent,
        };
        for direction in [first, second] {
            let buffer = &mut self.directions[direction as usize];
            let about = About {
                stream: delivery.stream,
                time: buffer.time,
                direction,
                origin: delivery.facts.origin.as_deref(),
                server_name: delivery.facts.server_name.as_deref(),
                findings: &[],
                completeness: None,
            };
            let mut rest = buffer.waiting.as_slice();
            while let Some(length) = unit(rest) {
                let Some((whole, behind)) = rest.split_at_checked(length) else {
                    buffer.is_lost |= length > MAX_FRAME;
                    break;
                };
                hand_on(&about, whole);
                rest = behind;
            }
            let used = buffer.waiting.len() - rest.len();
            buffer.waiting.drain(..used);
            if used > 0 {
                buffer.time = delivery.time;
            }
            if buffer.is_lost {
                buffer.waiting = Vec::new();
            }
        }
    }
}
