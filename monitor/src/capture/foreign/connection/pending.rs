//! Answers to bytes that were not captured, or not yet.
//!
//! In: data that acknowledges bytes of the other side which were not seen. Out:
//! the same data a moment later: behind those bytes if the capture has them in
//! another order, otherwise behind the statement that they are missing. So a
//! response always follows what it answers.

use std::collections::VecDeque;

use super::single::Connection;
use crate::{
    event::{Direction, Event, EventKind, Timestamp},
    loss::{Loss, Losses},
};

/// How long a response waits, in nanoseconds: longer than packets overtake one
/// another within a capture, and shorter than a retransmission takes.
const MAX_HOLD: u64 = 100_000_000;
/// Events of a connection that wait.
const MAX_PENDING: usize = 256;

/// What is held back on one connection. It holds payload: no `Debug`.
#[derive(Default)]
pub(super) struct PendingData {
    events: VecDeque<Event>,
    /// Which direction waits, up to which number, and until when.
    waits: Option<(usize, u32, Timestamp)>,
}

impl PendingData {
    /// Whether what waits does so until `due`.
    pub(super) fn is_due(&self, due: Timestamp) -> bool {
        self.waits.is_some_and(|(.., until)| until == due)
    }
}

impl Connection {
    /// Whether data of direction `side` that acknowledges up to a number has to
    /// wait.
    pub(super) fn must_hold(&self, side: usize, acknowledged: u32) -> bool {
        if let Some((waiting, ..)) = self.pending.waits {
            return waiting == side;
        }
        let other = self.directions.get(1 - side);
        other.is_some_and(|other| !other.unseen_before(acknowledged).is_empty())
    }

    /// Holds back `events` of direction `side`, if there are any. Returns until
    /// when if nothing was held before.
    pub(super) fn hold(
        &mut self,
        side: usize,
        events: VecDeque<Event>,
        acknowledged: u32,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if events.is_empty() {
            return None;
        }
        self.pending.events.extend(events);
        if let Some((_, until_number, _)) = &mut self.pending.waits {
            if acknowledged.wrapping_sub(*until_number).cast_signed() > 0 {
                *until_number = acknowledged;
            }
            return None;
        }
        let due = now.plus(MAX_HOLD);
        self.pending.waits = Some((side, acknowledged, due));
        Some(due)
    }

    /// Whether something waits for bytes that may still arrive.
    pub(super) fn is_waiting(&self) -> bool {
        let Some((side, acknowledged, _)) = self.pending.waits else {
            return false;
        };
        let other = self.directions.get(1 - side);
        self.pending.events.len() <= MAX_PENDING
            && other.is_some_and(|other| !other.unseen_before(acknowledged).is_empty())
    }

    /// Hands on what waits, behind what is missing.
    pub(super) fn release(
        &mut self,
        time: Timestamp,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        let Some((side, acknowledged, _)) = self.pending.waits.take() else {
            return;
        };
        let Some(first) = self.pending.events.front() else {
            return;
        };
        let direction = match &first.kind {
            EventKind::Data(data) if data.direction == Direction::Sent => Direction::Received,
            _ => Direction::Sent,
        };
        if let Some(other) = self.directions.get_mut(1 - side) {
            for (offset, length) in other.unseen_before(acknowledged) {
                other.give_up(offset, length);
                losses.count(Loss::StreamGap);
                queue.push_back(Event {
                    time,
                    stream: self.stream,
                    place: None,
                    kind: EventKind::Missing {
                        direction,
                        offset,
                        length,
                        loss: Some(Loss::StreamGap),
                    },
                });
            }
        }
        queue.append(&mut self.pending.events);
    }
}
