//! One direction of a TCP connection: sequence numbers to offsets, and which
//! bytes were seen.
//!
//! In: sequence numbers of segments in any order. Out: where their bytes belong,
//! whether they are new, and whether nothing is missing before the end.

use super::{LATE_OFFSET, unwrap};

/// Bytes farther behind the last than this are no retransmission but belong to
/// a connection whose start was not seen. No system's send buffer is as long.
const MAX_BEHIND: u64 = 64 << 20;
/// Bytes farther ahead than this do not belong to the same connection either:
/// it is the largest TCP window.
const MAX_AHEAD: u64 = 1 << 30;
/// Holes of one direction that are remembered.
const MAX_RANGES: usize = 256;

/// Where a segment belongs.
pub(super) enum Placed<'p> {
    /// At this offset, and at least one byte of it is new.
    New(u64, &'p [u8]),
    /// Everything in it was seen before.
    Repeated,
    /// It cannot be of this connection.
    Elsewhere,
}

/// One direction of a connection.
#[derive(Default)]
pub(super) struct TcpDirection {
    /// Sequence number of SYN, where it was seen.
    pub(super) initial: Option<u32>,
    /// Sequence number at offset `origin`, once one was seen.
    base: Option<u32>,
    /// Offset of `base`: 0, or [`LATE_OFFSET`].
    origin: u64,
    /// End of the farthest byte seen.
    pub(super) end: u64,
    /// The bytes that were seen, in ascending ranges that neither overlap nor
    /// touch.
    seen: Vec<(u64, u64)>,
    /// Offset of FIN, where it was seen.
    finished: Option<u64>,
}

impl TcpDirection {
    /// Takes in the sequence number of SYN.
    pub(super) const fn start(&mut self, sequence: u32) {
        self.initial = Some(sequence);
        self.base = Some(sequence.wrapping_add(1));
    }

    /// Learns from the acknowledgment of the other side where the bytes begin.
    pub(super) fn start_before(&mut self, acknowledged: u32) {
        self.base.get_or_insert(acknowledged);
    }

    /// Whether it is known where the bytes begin, or some were seen.
    pub(super) const fn has_begun(&self) -> bool {
        self.base.is_some()
    }

    /// Whether bytes were seen.
    pub(super) const fn has_bytes(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Whether a SYN with this number could precede the bytes seen.
    pub(super) fn could_begin_at(&self, sequence: u32) -> bool {
        self.base
            .is_some_and(|base| u64::from(base.wrapping_sub(sequence).wrapping_sub(1)) < MAX_BEHIND)
    }

    /// Handles a keep-alive probe of a connection whose start was not seen: it
    /// repeats the byte before the next one.
    pub(super) fn probe(&mut self, sequence: u32) {
        self.base_or_late(sequence.wrapping_add(1));
    }

    /// Where `payload` with number `sequence` belongs, without the bytes before
    /// offset 0. The `cut` bytes behind it count as seen.
    pub(super) fn place<'p>(&mut self, sequence: u32, payload: &'p [u8], cut: u32) -> Placed<'p> {
        let base = self.base_or_late(sequence);
        let low = sequence.wrapping_sub(base);
        // Signed, as the bytes may be from before the base.
        let position = unwrap(self.end.wrapping_sub(self.origin), low).cast_signed();
        let offset = position.saturating_add_unsigned(self.origin);
        let before = usize::try_from(offset.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let offset = offset.max(0).unsigned_abs();
        let end = offset.saturating_add(payload.len().saturating_sub(before) as u64);
        if end.saturating_add(MAX_BEHIND) < self.end
            || before as u64 > MAX_BEHIND
            || offset > self.end.saturating_add(MAX_AHEAD)
        {
            return Placed::Elsewhere;
        }
        match payload.get(before..) {
            Some(rest) if !rest.is_empty() && self.see(offset, end + u64::from(cut)) => {
                Placed::New(offset, rest)
            }
            _ => Placed::Repeated,
        }
    }

    /// Appends `length` bytes. Returns their offset.
    pub(super) fn append(&mut self, length: usize) -> u64 {
        let offset = self.end;
        self.base.get_or_insert(0);
        self.see(offset, offset.saturating_add(length as u64));
        offset
    }

    /// Takes in FIN, which has number `sequence`.
    pub(super) fn finish(&mut self, sequence: u32) {
        let base = self.base_or_late(sequence);
        let low = sequence.wrapping_sub(base);
        let position = unwrap(self.end.wrapping_sub(self.origin), low);
        self.finished
            .get_or_insert(position.wrapping_add(self.origin));
    }

    /// Whether FIN was seen.
    pub(super) const fn is_finished(&self) -> bool {
        self.finished.is_some()
    }

    /// Whether no byte before the end is missing, as far as the end is known.
    pub(super) fn is_whole(&self) -> bool {
        let end = self.finished.unwrap_or(self.end);
        match self.seen[..] {
            [] => end == self.origin,
            [(start, seen)] => (start == 0 || self.origin == LATE_OFFSET) && seen >= end,
            _ => false,
        }
    }

    /// The bytes that the other side has acknowledged and that were not seen,
    /// as offsets and lengths. Empty for a direction of which nothing was seen.
    pub(super) fn unseen_before(&self, acknowledged: u32) -> Vec<(u64, u64)> {
        let (Some(base), Some(first)) = (self.base, self.seen.first()) else {
            return Vec::new();
        };
        let low = acknowledged.wrapping_sub(base);
        let position = unwrap(self.end.wrapping_sub(self.origin), low);
        let mut limit = position.wrapping_add(self.origin);
        if limit > self.end.saturating_add(MAX_AHEAD) {
            return Vec::new();
        }
        // FIN takes a number, and may not have been captured.
        if limit == self.end + 1 {
            limit = self.end;
        }
        limit = self.finished.map_or(limit, |finished| finished.min(limit));
        let mut from = if self.origin == 0 { 0 } else { first.0 };
        let mut unseen = Vec::new();
        for (start, end) in self.seen.iter().copied().chain([(limit, limit)]) {
            let start = start.min(limit);
            if start > from {
                unseen.push((from, start - from));
            }
            from = from.max(end);
        }
        unseen
    }

    /// Gives up on bytes: they count as seen.
    pub(super) fn give_up(&mut self, offset: u64, length: u64) {
        self.see(offset, offset.saturating_add(length));
    }

    fn base_or_late(&mut self, sequence: u32) -> u32 {
        *self.base.get_or_insert_with(|| {
            (self.origin, self.end) = (LATE_OFFSET, LATE_OFFSET);
            sequence
        })
    }

    /// Notes the bytes from `start` to `end`. Returns whether any of them is
    /// new.
    fn see(&mut self, start: u64, end: u64) -> bool {
        self.end = self.end.max(end);
        // In order, which is what nearly all are.
        if let Some(last) = self.seen.last_mut()
            && last.1 == start
        {
            last.1 = end;
            return true;
        }
        let first = self.seen.partition_point(|range| range.1 < start);
        let after = self.seen.partition_point(|range| range.0 <= end);
        let touched = self.seen.get(first..after).unwrap_or_default();
        if touched
            .iter()
            .any(|range| range.0 <= start && end <= range.1)
        {
            return false;
        }
        let low = touched.first().map_or(start, |range| range.0.min(start));
        let high = touched.last().map_or(end, |range| range.1.max(end));
        self.seen.splice(first..after, [(low, high)]);
        if self.seen.len() > MAX_RANGES {
            // A retransmission from there counts as new again; the stream stage
            // discards it.
            self.seen.remove(0);
        }
        true
    }
}
