//! One connection, in whichever protocol it speaks.

use std::sync::Arc;

use super::{
    Exchange, http1, http2,
    message::Page,
    protocol::{At, ProtocolState, Sink},
};
use crate::{
    event::{Direction, StreamId, Timestamp},
    loss::Losses,
    stream::Facts,
};

/// The state of one connection.
pub(super) struct Connection {
    stream: StreamId,
    pub(super) facts: Arc<Facts>,
    protocol: Box<dyn ProtocolState>,
    has_received: bool,
    /// Pages that are complete.
    pub(super) pages: Vec<Page>,
    /// Place in the table's order of use.
    pub(super) stamp: u32,
    /// Memory and deadline as the table has noted them.
    pub(super) noted_memory: usize,
    pub(super) noted_deadline: Option<Timestamp>,
}

impl Connection {
    pub(super) fn new(stream: StreamId) -> Self {
        Self {
            stream,
            facts: Arc::default(),
            protocol: Box::<http1::Connection>::default(),
            has_received: false,
            pages: Vec::new(),
            stamp: 0,
            noted_memory: 0,
            noted_deadline: None,
        }
    }

    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        self.protocol.memory()
    }

    /// When the oldest request has waited long enough.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.protocol.deadline()
    }

    pub(super) fn join_late(&mut self) {
        self.protocol.join_late();
    }

    /// Takes the next bytes of a direction.
    pub(super) fn push(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: At<'_>,
        now: Timestamp,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
    ) {
        self.has_received |= direction == Direction::Received;
        let is_sent = direction == Direction::Sent;
        if is_sent && self.protocol.is_undecided() && http2::begins_with_request(bytes) {
            self.turn_to_http2(0, true);
        }
        let (protocol, mut sink) = self.parts(now, losses, out);
        protocol.push(direction, bytes, at, &mut sink);
        if let Some((requests, bytes)) = protocol.take_http2() {
            self.turn_to_http2(requests, false);
            let (protocol, mut sink) = self.parts(now, losses, out);
            protocol.push(direction, &bytes, at, &mut sink);
        }
    }

    fn turn_to_http2(&mut self, requests: u64, is_late: bool) {
        self.protocol = Box::new(http2::Connection::new(http2::Start {
            requests,
            is_late,
            has_received: self.has_received,
        }));
    }

    /// Passes over bytes of a direction that are missing.
    pub(super) fn push_gap(
        &mut self,
        direction: Direction,
        length: u64,
        at: At<'_>,
        now: Timestamp,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
    ) {
        self.has_received |= direction == Direction::Received;
        let (protocol, mut sink) = self.parts(now, losses, out);
        protocol.push_gap(direction, length, at, &mut sink);
    }

    /// Passes on the requests that have waited long enough at `now`.
    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        let mut losses = Losses::default();
        let (protocol, mut sink) = self.parts(now, &mut losses, out);
        protocol.expire(now, &mut sink);
    }

    /// The end of the stream: hands on everything.
    pub(super) fn finish(&mut self, now: Timestamp, losses: &mut Losses, out: &mut Vec<Exchange>) {
        let (protocol, mut sink) = self.parts(now, losses, out);
        protocol.finish(&mut sink);
    }

    fn parts<'a>(
        &'a mut self,
        now: Timestamp,
        losses: &'a mut Losses,
        exchanges: &'a mut Vec<Exchange>,
    ) -> (&'a mut dyn ProtocolState, Sink<'a>) {
        let sink = Sink {
            stream: self.stream,
            facts: &self.facts,
            now,
            losses,
            exchanges,
            pages: &mut self.pages,
        };
        (&mut *self.protocol, sink)
    }
}
