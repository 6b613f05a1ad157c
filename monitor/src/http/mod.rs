//! Streams to HTTP: the requests that a process sent, with the status of the
//! response to each, and the pages that servers sent.
//!
//! In: [`Delivery`]s of the stream stage. Out: [`Exchange`]s, in the order of
//! completion: a request is complete when its last byte was seen and its status
//! is known, or its stream ended, or it waited long enough; and [`Page`]s, from
//! [`Connections::take_pages`].

pub mod body;
mod connection;
mod draft;
mod head;
mod http1;
pub(crate) mod http2;
pub mod message;
mod protocol;

use std::{collections::BTreeSet, sync::Arc};

pub use draft::{Coded, MAX_BODY};
pub use head::{MAX_HEAD, MAX_HEADERS};
pub use http1::{
    MAX_PAGE, RequestText, ResponseText, USUAL_HEADERS, read_request, read_response, write_request,
    write_response,
};
pub use message::*;
pub use protocol::{MAX_UNANSWERED, MAX_WAIT};

use connection::Connection;
use hashbrown::HashMap;
use protocol::At;

use crate::{
    event::{Direction, StreamId, Timestamp},
    loss::{Loss, Losses},
    lru::LruList,
    stream::{Delivery, Facts, MAX_STREAMS, Segment},
};

/// Most bytes of memory that unfinished and unanswered requests hold, over all
/// connections, about: a hundred bodies of a mebibyte, interleaved, have room.
pub const MAX_MEMORY: usize = 160 * 1024 * 1024;

/// A request and what is known about the stream it was sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The request, with the status of its answer.
    pub request: Request,
    /// Source, process, addresses, TLS server name.
    pub facts: Arc<Facts>,
    /// The codings that have to be removed before the body can be read, if any.
    pub coded: Option<Coded>,
}

impl Exchange {
    /// Removes the codings of the body, as far as possible, unless that was
    /// done before.
    pub fn decode(&mut self, losses: &mut Losses) {
        if let Some(coded) = self.coded.take() {
            coded.decode(&mut self.request, losses);
        }
    }
}

/// The table of connections that may carry HTTP.
#[derive(Default)]
pub struct Connections {
    now: Timestamp,
    table: HashMap<StreamId, Connection>,
    lru: LruList<StreamId>,
    /// When a request of which connection has waited long enough.
    deadlines: BTreeSet<(Timestamp, StreamId)>,
    memory: usize,
    pages: Vec<Page>,
}

impl Connections {
    /// The pages that were sent since the last call, in the order in which they
    /// were complete.
    pub fn take_pages(&mut self) -> Vec<Page> {
        std::mem::take(&mut self.pages)
    }

    /// Takes one delivery; complete requests go to `out`.
    pub fn push(&mut self, delivery: &Delivery, losses: &mut Losses, out: &mut Vec<Exchange>) {
        self.tick(delivery.now, out);
        self.now = self.now.max(delivery.now);
        let id = delivery.stream;
        let at = At {
            time: delivery.time,
            place: delivery.place.as_ref(),
        };
        match &delivery.what {
            Segment::Bytes { direction, bytes } => {
                let bytes = bytes.expose();
                self.with(
                    delivery,
                    *direction,
                    losses,
                    out,
                    |connection, now, losses, out| {
                        connection.push(*direction, bytes, at, now, losses, out);
                    },
                );
            }
            Segment::Gap { direction, length } => {
                self.with(
                    delivery,
                    *direction,
                    losses,
                    out,
                    |connection, now, losses, out| {
                        connection.push_gap(*direction, *length, at, now, losses, out);
                    },
                );
            }
            // What follows is ciphertext, and is not delivered.
            Segment::Hello(_) | Segment::Encrypted => {}
            Segment::Closed => {
                if let Some(connection) = self.table.get_mut(&id) {
                    connection.facts = Arc::clone(&delivery.facts);
                }
                self.end(id, losses, out);
            }
        }
        while self.memory > MAX_MEMORY
            && let Some(oldest) = self.lru.oldest()
        {
            losses.count(Loss::StreamEvicted);
            self.end(oldest, losses, out);
        }
    }

    /// Advances the time: passes on the requests that have waited long enough
    /// at `now`.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        while let Some(&(deadline, id)) = self.deadlines.first() {
            if deadline > now {
                break;
            }
            self.deadlines.pop_first();
            self.now = self.now.max(deadline);
            if let Some(connection) = self.table.get_mut(&id) {
                connection.noted_deadline = None;
                connection.expire(deadline, out);
                note(id, connection, &mut self.memory, &mut self.deadlines);
            }
        }
    }

    /// The end of the input: passes on everything, first what is complete, in
    /// the order of completion, then the rest in the order of the stream ids.
    pub fn finish(&mut self, losses: &mut Losses, out: &mut Vec<Exchange>) {
        self.tick(Timestamp(u64::MAX), out);
        let mut ids: Vec<_> = self.table.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.end(id, losses, out);
        }
    }

    /// Applies `change` to the connection of a delivery, which is created if it
    /// is new.
    fn with(
        &mut self,
        delivery: &Delivery,
        direction: Direction,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
        change: impl FnOnce(&mut Connection, Timestamp, &mut Losses, &mut Vec<Exchange>),
    ) {
        let id = delivery.stream;
        if !self.table.contains_key(&id) {
            if self.table.len() >= MAX_STREAMS
                && let Some(oldest) = self.lru.oldest()
            {
                losses.count(Loss::StreamEvicted);
                self.end(oldest, losses, out);
            }
            self.table.insert(id, Connection::new(id));
        }
        let Some(connection) = self.table.get_mut(&id) else {
            return;
        };
        self.lru.touch(id, &mut connection.stamp);
        if !Arc::ptr_eq(&connection.facts, &delivery.facts) {
            connection.facts = Arc::clone(&delivery.facts);
        }
        if delivery.late && direction == Direction::Sent {
            connection.join_late();
        }
        change(connection, self.now, losses, out);
        self.pages.append(&mut connection.pages);
        note(id, connection, &mut self.memory, &mut self.deadlines);
    }

    fn end(&mut self, id: StreamId, losses: &mut Losses, out: &mut Vec<Exchange>) {
        let Some(mut connection) = self.table.remove(&id) else {
            return;
        };
        self.lru.forget(connection.stamp);
        self.memory = self.memory.saturating_sub(connection.noted_memory);
        if let Some(deadline) = connection.noted_deadline {
            self.deadlines.remove(&(deadline, id));
        }
        connection.finish(self.now, losses, out);
        self.pages.append(&mut connection.pages);
    }
}

/// Notes the memory and the deadline of a connection that changed.
fn note(
    id: StreamId,
    connection: &mut Connection,
    sum: &mut usize,
    deadlines: &mut BTreeSet<(Timestamp, StreamId)>,
) {
    let memory = connection.memory();
    *sum = sum
        .saturating_sub(connection.noted_memory)
        .saturating_add(memory);
    connection.noted_memory = memory;
    let deadline = connection.deadline();
    if deadline != connection.noted_deadline {
        if let Some(noted) = connection.noted_deadline {
            deadlines.remove(&(noted, id));
        }
        if let Some(deadline) = deadline {
            deadlines.insert((deadline, id));
        }
        connection.noted_deadline = deadline;
    }
}

#[cfg(test)]
mod tests;
