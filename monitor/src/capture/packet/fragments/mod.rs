//! Fragments of IP datagrams, put together.
//!
//! In: fragments in any order, duplicated and overlapping; the first copy of a
//! byte wins. Out: the datagrams that are complete. Others are counted when
//! they are dropped as too old or too many.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
};

use super::Fragment;
use crate::{
    event::Timestamp,
    loss::{Loss, Losses},
};

/// Incomplete datagrams that are kept.
const MAX_DATAGRAMS: usize = 1_024;
/// Most bytes that they hold together.
const MAX_BYTES: usize = 16 << 20;
/// Pieces of one datagram; only an attack has more.
const MAX_PIECES: usize = 1_024;
/// The longest datagram that IP has.
const MAX_LENGTH: usize = 65_535;
/// How long the rest of a datagram may take, in nanoseconds; as long as Linux
/// waits.
const MAX_AGE: u64 = 30_000_000_000;
/// For how long fragments of a complete datagram are taken for copies, rather
/// than for another datagram with the same number, in nanoseconds.
const MAX_COPY_AGE: u64 = 1_000_000_000;

/// Identifies a datagram. IPv4 numbers them for each protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    id: u32,
}

#[derive(Default)]
struct Partial {
    number: u64,
    protocol: u8,
    /// By offset; they do not overlap.
    pieces: BTreeMap<usize, Vec<u8>>,
    bytes: usize,
    /// Known from the last fragment.
    length: Option<usize>,
    /// When it was complete; after that it holds nothing.
    completed: Option<Timestamp>,
}

/// A datagram whose fragments are all there. It holds payload: no `Debug`.
pub(in crate::capture) struct Datagram {
    pub(in crate::capture) source: IpAddr,
    pub(in crate::capture) destination: IpAddr,
    pub(in crate::capture) protocol: u8,
    pub(in crate::capture) payload: Vec<u8>,
}

/// Datagrams that are incomplete.
#[derive(Default)]
pub(in crate::capture) struct Fragments {
    table: HashMap<Key, Partial>,
    /// In the order of their first fragments; removed ones stay until their
    /// turn.
    order: VecDeque<(u64, Timestamp, Key)>,
    count: u64,
    bytes: usize,
}

impl Fragments {
    /// Adds a fragment. Returns the datagram that it completes.
    pub(in crate::capture) fn push(
        &mut self,
        fragment: &Fragment<'_>,
        now: Timestamp,
        losses: &mut Losses,
    ) -> Option<Datagram> {
        self.expire(now, losses);
        if fragment.is_cut {
            losses.count(Loss::CaptureTruncated);
        }
        let key = Key {
            source: fragment.source,
            destination: fragment.destination,
            // Fragments of an IPv6 datagram may name different next headers.
            protocol: if fragment.source.is_ipv4() {
                fragment.protocol
            } else {
                0
            },
            id: fragment.id,
        };
        match self.table.get(&key).map(|partial| partial.completed) {
            Some(Some(completed)) if now.since(completed) <= MAX_COPY_AGE => return None,
            Some(Some(_)) => self.forget(&key),
            Some(None) | None => {}
        }
        if !self.table.contains_key(&key) {
            while self.table.len() >= MAX_DATAGRAMS && self.drop_oldest(losses) {}
            self.count += 1;
            self.order.push_back((self.count, now, key));
            let partial = Partial {
                number: self.count,
                ..Partial::default()
            };
            self.table.insert(key, partial);
        }
        let partial = self.table.get_mut(&key)?;
        let before = partial.bytes;
        partial.insert(fragment);
        self.bytes = self.bytes.saturating_sub(before) + partial.bytes;
        let payload = partial.assemble();
        if payload.is_some() {
            self.bytes = self.bytes.saturating_sub(partial.bytes);
            partial.pieces.clear();
            (partial.bytes, partial.completed) = (0, Some(now));
        }
        while self.bytes > MAX_BYTES && self.drop_oldest(losses) {}
        let (payload, protocol) = payload?;
        Some(Datagram {
            source: key.source,
            destination: key.destination,
            protocol,
            payload,
        })
    }

    /// Gives up on everything, at the end of the capture.
    pub(in crate::capture) fn finish(&mut self, losses: &mut Losses) {
        let is_incomplete = |partial: &&Partial| partial.completed.is_none();
        let count = self.table.values().filter(is_incomplete).count();
        losses.add(Loss::CaptureFragment, count as u64);
        *self = Self::default();
    }

    fn expire(&mut self, now: Timestamp, losses: &mut Losses) {
        while let Some((_, began, _)) = self.order.front()
            && now.since(*began) > MAX_AGE
        {
            self.drop_oldest(losses);
        }
    }

    /// Whether there was one.
    fn drop_oldest(&mut self, losses: &mut Losses) -> bool {
        let Some((number, _, key)) = self.order.pop_front() else {
            return false;
        };
        if let Some(partial) = self.table.get(&key)
            && partial.number == number
        {
            if partial.completed.is_none() {
                losses.count(Loss::CaptureFragment);
            }
            self.forget(&key);
        }
        true
    }

    fn forget(&mut self, key: &Key) {
        if let Some(partial) = self.table.remove(key) {
            self.bytes = self.bytes.saturating_sub(partial.bytes);
        }
    }
}

impl Partial {
    /// Keeps what no earlier fragment covers.
    fn insert(&mut self, fragment: &Fragment<'_>) {
        let end = fragment.offset + fragment.payload.len();
        if end > MAX_LENGTH || self.length.is_some_and(|length| end > length) {
            return;
        }
        if fragment.is_last && !fragment.is_cut {
            self.length.get_or_insert(end);
        }
        if fragment.offset == 0 || self.pieces.is_empty() {
            self.protocol = fragment.protocol;
        }
        let mut from = fragment.offset;
        while from < end && self.pieces.len() < MAX_PIECES {
            let covered = self
                .pieces
                .range(..=from)
                .next_back()
                .map(|(start, piece)| start + piece.len())
                .filter(|covered| *covered > from);
            if let Some(covered) = covered {
                from = covered;
                continue;
            }
            let to = self
                .pieces
                .range(from..end)
                .next()
                .map_or(end, |(start, _)| *start);
            let range = from - fragment.offset..to - fragment.offset;
            let piece = fragment.payload.get(range).unwrap_or_default();
            self.bytes += piece.len();
            self.pieces.insert(from, piece.to_vec());
            from = to;
        }
    }

    /// The payload and its protocol, if nothing is missing.
    fn assemble(&self) -> Option<(Vec<u8>, u8)> {
        // The pieces do not overlap, so their sum is enough.
        if self.length? != self.bytes {
            return None;
        }
        let payload = self.pieces.values().flatten().copied().collect();
        Some((payload, self.protocol))
    }
}

#[cfg(test)]
mod tests;
