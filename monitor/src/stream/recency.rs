//! Which entries of a table were used least recently.

use std::collections::BTreeMap;

use crate::event::StreamId;

/// Streams in the order of their last use. Order depends on the calls only, so
/// the same events evict the same streams.
#[derive(Default)]
pub(crate) struct Recency {
    order: BTreeMap<u64, StreamId>,
    next: u64,
}

impl Recency {
    /// Notes that `stream` is used now. `stamp` is what the table keeps with the
    /// stream; 0 stands for a new one.
    pub(crate) fn touch(&mut self, stream: StreamId, stamp: &mut u64) {
        self.order.remove(stamp);
        self.next += 1;
        *stamp = self.next;
        self.order.insert(self.next, stream);
    }

    /// Forgets the stream with this stamp.
    pub(crate) fn forget(&mut self, stamp: u64) {
        self.order.remove(&stamp);
    }

    /// The stream whose last use is longest ago.
    pub(crate) fn oldest(&self) -> Option<StreamId> {
        self.order.first_key_value().map(|(_, stream)| *stream)
    }
}
