//! One direction of a stream: chunks in, the same bytes in order out.
//!
//! A packet source delivers chunks in any order, duplicated and overlapping;
//! the first copy of a byte wins. A hole in front of waiting chunks becomes a
//! gap when it is too old, or when too much waits behind it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    event::{Place, Timestamp},
    loss::{Loss, Losses},
};

/// Most bytes that wait behind a hole of one direction.
pub const MAX_WAITING_BYTES: usize = 256 * 1024;
/// Most chunks that wait behind a hole of one direction.
pub const MAX_WAITING_CHUNKS: usize = 256;
/// How long a hole may stay open, in nanoseconds of event time.
pub const MAX_HOLE_AGE: u64 = 2_000_000_000;

/// The limits for foreign captures, where findings are not urgent, and where a
/// retransmission can take minutes.
const MAX_WAITING_BYTES_FILE: usize = 4 * 1024 * 1024;
const MAX_WAITING_CHUNKS_FILE: usize = 4_096;
const MAX_HOLE_AGE_FILE: u64 = 120_000_000_000;
/// In foreign captures, a stream that was joined late begins behind this
/// offset.
const EARLIEST_LATE: u64 = 1 << 31;

/// Bytes, or a gap of missing ones.
#[derive(Clone)]
pub(super) enum Run {
    Bytes(Bytes),
    Gap(u64),
}

impl Run {
    const fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Gap(length) => *length,
        }
    }

    /// The part from `start` to `end`, both within the run.
    fn part(&self, start: u64, end: u64) -> Self {
        match self {
            Self::Bytes(bytes) => {
                let length = bytes.len();
                let end = usize::try_from(end).unwrap_or(length).min(length);
                let start = usize::try_from(start).unwrap_or(end).min(end);
                Self::Bytes(bytes.slice(start..end))
            }
            Self::Gap(_) => Self::Gap(end.saturating_sub(start)),
        }
    }
}

/// A run with the facts of its event.
pub(super) struct Piece {
    pub(super) run: Run,
    /// Time of the event.
    pub(super) time: Timestamp,
    /// Clock of the core when it arrived.
    pub(super) seen: Timestamp,
    pub(super) place: Option<Place>,
    /// Whether the stream was joined here, after its beginning.
    pub(super) late: bool,
}

/// The state of one direction.
#[derive(Default)]
pub(super) struct Reassembler {
    /// Offset of the next byte to hand on.
    next: u64,
    /// Whether anything was handed on.
    begun: bool,
    /// Pieces behind a hole, by offset; they do not overlap.
    waiting: BTreeMap<u64, Piece>,
    waiting_bytes: usize,
    /// When the first of the waiting pieces arrived.
    oldest: Option<Timestamp>,
    /// The source is a capture of others.
    is_patient: bool,
    /// The deadline that the table has noted for this direction.
    pub(super) noted: Option<Timestamp>,
}

impl Reassembler {
    /// Bytes that wait behind a hole.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Offset of the next byte to hand on.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Drops what waits.
    pub(super) fn forget_waiting(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.oldest = None;
    }

    /// Waits longer, and for more bytes, than with a live source.
    pub(super) const fn be_patient(&mut self) {
        self.is_patient = true;
    }

    /// When the hole in front of the waiting pieces is too old.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        // The first bytes of a stream that was joined late need not wait.
        let age = if self.is_patient && (self.begun || self.begins_early()) {
            MAX_HOLE_AGE_FILE
        } else {
            MAX_HOLE_AGE
        };
        self.oldest.map(|oldest| oldest.plus(age))
    }

    /// Advances over a run that begins at `offset`, if it is the next one and
    /// nothing waits, which is nearly always so. Returns whether it did; the
    /// run is then to be delivered.
    pub(super) fn pass(&mut self, offset: u64, run: &Run) -> bool {
        let end = offset.checked_add(run.length());
        let Some(end) = end.filter(|end| offset == self.next && *end > offset) else {
            return false;
        };
        if !self.waiting.is_empty() {
            return false;
        }
        (self.next, self.begun) = (end, true);
        true
    }

    /// Takes a piece at `offset`; what is in order goes to `out`.
    pub(super) fn insert(
        &mut self,
        offset: u64,
        piece: &Piece,
        packets: bool,
        losses: &mut Losses,
        out: &mut Vec<Piece>,
    ) {
        let Some(end) = offset.checked_add(piece.run.length()) else {
            losses.count(Loss::StreamReorderLimit);
            return;
        };
        if end <= self.next {
            return;
        }
        self.insert_uncovered(offset, end, piece);
        self.drain(out);
        let (bytes, chunks) = if self.is_patient {
            (MAX_WAITING_BYTES_FILE, MAX_WAITING_CHUNKS_FILE)
        } else {
            (MAX_WAITING_BYTES, MAX_WAITING_CHUNKS)
        };
        while !self.waiting.is_empty()
            && (!packets || self.waiting_bytes > bytes || self.waiting.len() > chunks)
        {
            self.skip_hole(!packets, losses, out);
        }
    }

    /// Whether the waiting pieces belong to a stream whose start was seen and
    /// of which nothing has been delivered.
    fn begins_early(&self) -> bool {
        self.waiting
            .first_key_value()
            .is_some_and(|(offset, _)| *offset < EARLIEST_LATE)
    }

    /// Gives up on the hole in front of the waiting pieces. If nothing was
    /// delivered yet and `count_start` is not set, the stream was joined late,
    /// and nothing is lost.
    pub(super) fn skip_hole(
        &mut self,
        count_start: bool,
        losses: &mut Losses,
        out: &mut Vec<Piece>,
    ) {
        let knows_start = self.begun || self.is_patient && self.begins_early();
        let Some(mut first) = self.waiting.first_entry() else {
            return;
        };
        let offset = *first.key();
        if knows_start {
            losses.count(Loss::StreamGap);
            let Piece {
                time,
                seen,
                ref place,
                ..
            } = *first.get();
            let run = Run::Gap(offset.saturating_sub(self.next));
            out.push(Piece {
                run,
                time,
                seen,
                place: place.clone(),
                late: false,
            });
        } else {
            if count_start {
                losses.count(Loss::StreamGap);
            }
            first.get_mut().late = true;
        }
        self.next = offset;
        self.drain(out);
    }

    /// Gives up on every hole.
    pub(super) fn flush(&mut self, packets: bool, losses: &mut Losses, out: &mut Vec<Piece>) {
        while !self.waiting.is_empty() {
            self.skip_hole(!packets, losses, out);
        }
    }

    /// Keeps the parts of `piece` that no earlier piece covers.
    fn insert_uncovered(&mut self, offset: u64, end: u64, piece: &Piece) {
        let mut from = offset.max(self.next);
        while from < end {
            let covered = self
                .waiting
                .range(..=from)
                .next_back()
                .map(|(start, piece)| start.saturating_add(piece.run.length()))
                .filter(|covered| *covered > from);
            if let Some(covered) = covered {
                from = covered;
                continue;
            }
            let to = self
                .waiting
                .range(from..end)
                .next()
                .map_or(end, |(start, _)| *start);
            let mut run = piece.run.part(from - offset, to - offset);
            if let Run::Bytes(bytes) = &mut run {
                self.waiting_bytes += bytes.len();
                // A waiting piece must not keep a much larger buffer alive.
                if from > self.next {
                    *bytes = Bytes::copy_from_slice(bytes);
                }
            }
            let Piece {
                run: _,
                time,
                seen,
                ref place,
                late,
            } = *piece;
            self.oldest = Some(self.oldest.map_or(seen, |oldest| oldest.min(seen)));
            self.waiting.insert(
                from,
                Piece {
                    run,
                    time,
                    seen,
                    place: place.clone(),
                    late,
                },
            );
            from = to;
        }
    }

    /// Delivers the pieces that begin where the last one ended.
    fn drain(&mut self, out: &mut Vec<Piece>) {
        let mut has_gone = false;
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() != self.next {
                break;
            }
            has_gone = true;
            let piece = first.remove();
            self.next = self.next.saturating_add(piece.run.length());
            self.begun = true;
            if let Run::Bytes(bytes) = &piece.run {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes.len());
            }
            out.push(piece);
        }
        if has_gone && self.waiting.is_empty() {
            // An emptied map keeps a node of a kilobyte, and every connection
            // has two.
            self.waiting = BTreeMap::new();
        }
        if has_gone {
            self.oldest = self.waiting.values().map(|piece| piece.seen).min();
        }
    }
}
