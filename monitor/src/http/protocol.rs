//! The interface of a protocol: it finds the frames in the bytes of a connection,
//! parses them, and stitches requests and responses together.
//!
//! In: the bytes and gaps of both directions, in order. Out: what a [`Sink`]
//! takes. What is lost is counted there with its reason.

use std::sync::Arc;

use super::{Exchange, draft::Draft, message::Page};
use crate::{
    event::{Direction, Place, StreamId, Timestamp},
    loss::Losses,
    stream::Facts,
};

/// Most unanswered requests that are remembered of one connection.
pub const MAX_UNANSWERED: usize = 1_024;
/// How long a complete request waits for its status, in nanoseconds of event
/// time.
pub const MAX_WAIT: u64 = 10_000_000_000;

/// When and where a segment was seen.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) time: Timestamp,
    pub(super) place: Option<&'a Place>,
}

/// Where a protocol puts what it found, and what is known of the connection.
pub(super) struct Sink<'a> {
    pub(super) stream: StreamId,
    pub(super) facts: &'a Arc<Facts>,
    /// The clock of the core.
    pub(super) now: Timestamp,
    pub(super) losses: &'a mut Losses,
    pub(super) exchanges: &'a mut Vec<Exchange>,
    pub(super) pages: &'a mut Vec<Page>,
}

impl Sink<'_> {
    /// Passes on a request.
    pub(super) fn tell(&mut self, draft: Draft, status: Option<u16>) {
        let (request, coded) = draft.finish(self.stream, status);
        self.exchanges.push(Exchange {
            request,
            facts: Arc::clone(self.facts),
            coded,
        });
    }

    /// Whether nothing will answer what is sent now.
    pub(super) fn is_one_way(&self) -> bool {
        let origin = self.facts.origin.as_ref();
        origin.is_some_and(|origin| origin.one_way)
    }
}

/// The state of a connection in one protocol.
pub(super) trait ProtocolState: Send {
    /// Takes the next bytes of a direction.
    fn push(&mut self, direction: Direction, bytes: &[u8], at: At<'_>, sink: &mut Sink<'_>);

    /// Passes over `length` bytes of a direction that are missing.
    fn push_gap(&mut self, direction: Direction, length: u64, at: At<'_>, sink: &mut Sink<'_>);

    /// The stream was joined after it had begun.
    fn join_late(&mut self);

    /// When the oldest request has waited long enough for its status.
    fn deadline(&self) -> Option<Timestamp>;

    /// Passes on the requests that have waited long enough at `now`.
    fn expire(&mut self, now: Timestamp, sink: &mut Sink<'_>);

    /// The end of the stream: passes on everything.
    fn finish(&mut self, sink: &mut Sink<'_>);

    /// Whether the stream may be in another protocol, since none of it was recognized.
    fn is_undecided(&self) -> bool {
        false
    }

    /// The client has left the protocol for HTTP/2: how many requests came before, and
    /// what it sent from the preface on.
    fn take_http2(&mut self) -> Option<(u64, Vec<u8>)> {
        None
    }

    /// Bytes of memory that it holds, about.
    fn memory(&self) -> usize;
}
