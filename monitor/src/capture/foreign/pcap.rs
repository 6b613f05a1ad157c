//! Packets of a classic pcap file: either byte order, microseconds or
//! nanoseconds, and the modified format of some Linux systems.

use std::sync::Arc;

use crate::{
    capture::{
        CaptureError,
        file::{Input, MAX_BLOCK, MAX_PLAUSIBLE, Packet},
    },
    event::Timestamp,
    loss::{Loss, Losses},
};

/// Length of the file header in bytes.
const FILE_HEADER: usize = 24;

/// A magic number in the byte order of the file.
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

/// Whether a file that begins like this is big-endian, and its magic number.
/// `None` if it is no pcap file.
pub(in crate::capture) fn magic(head: &[u8]) -> Option<(bool, u32)> {
    let first = *head.first_chunk()?;
    [
        (false, u32::from_le_bytes(first)),
        (true, u32::from_be_bytes(first)),
    ]
    .into_iter()
    .find(|(_, magic)| [MICROSECONDS, NANOSECONDS, MODIFIED].contains(magic))
}

/// A pcap file while it is read.
pub(in crate::capture) struct Records<'a> {
    input: Input<'a>,
    file: Arc<str>,
    is_big_endian: bool,
    /// Nanoseconds of the unit in which fractions of a second are counted.
    unit: u64,
    /// Length of what stands before a packet.
    record_header: usize,
    /// The order of the two lengths differs in files of old versions.
    version: (u16, u16),
    link: u16,
    number: u64,
    time: Timestamp,
    cut: u32,
    /// Length of the current packet, which is skipped to reach the next.
    current: usize,
}

impl<'a> Records<'a> {
    /// A file whose header is still to be read; `None` if it is cut or none.
    pub(in crate::capture) fn new(
        mut input: Input<'a>,
        file: Arc<str>,
    ) -> Result<Option<Self>, CaptureError> {
        let head = input.peek(FILE_HEADER)?;
        let (Some((is_big_endian, magic)), Some(head)) =
            (magic(head), head.first_chunk::<FILE_HEADER>())
        else {
            return Ok(None);
        };
        let half = |at: usize| {
            let bytes = [head[at], head[at + 1]];
            if is_big_endian {
                u16::from_be_bytes(bytes)
            } else {
                u16::from_le_bytes(bytes)
            }
        };
        // The upper bits hold the length of a frame check sequence.
        let version = (half(4), half(6));
        let link = half(if is_big_endian { 22 } else { 20 });
        input.consume(FILE_HEADER);
        Ok(Some(Self {
            input,
            file,
            is_big_endian,
            unit: if magic == NANOSECONDS { 1 } else { 1_000 },
            // The modified format has eight more bytes, which are not used.
            record_header: if magic == MODIFIED { 24 } else { 16 },
            version,
            link,
            number: 0,
            time: Timestamp::default(),
            cut: 0,
            current: 0,
        }))
    }

    /// Goes to the next packet. `false` at the end of the file.
    pub(in crate::capture) fn advance(
        &mut self,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        loop {
            self.input.consume(self.current);
            self.current = 0;
            let head = self.input.peek(self.record_header)?;
            if head.len() < self.record_header {
                if !head.is_empty() || self.input.is_broken() {
                    losses.count(Loss::CaptureTruncated);
                }
                return Ok(false);
            }
            let words = head.as_chunks::<4>().0;
            let word = |index: usize| {
                let bytes = words.get(index).copied().unwrap_or_default();
                if self.is_big_endian {
                    u32::from_be_bytes(bytes)
                } else {
                    u32::from_le_bytes(bytes)
                }
            };
            let (seconds, fraction, mut captured, mut length) =
                (word(0), word(1), word(2), word(3));
            // Before version 2.3 the two lengths were swapped, and by some
            // writers in 2.3.
            let is_old = (2, 0)..(2, 3);
            if is_old.contains(&self.version) || self.version == (2, 3) && captured > length {
                (captured, length) = (length, captured);
            }
            self.time =
                Timestamp(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit);
            self.number += 1;
            if captured > MAX_BLOCK {
                losses.count(Loss::CaptureMalformed);
                self.input.consume(self.record_header);
                if captured <= MAX_PLAUSIBLE && self.input.skip(u64::from(captured))? {
                    continue;
                }
                losses.count(Loss::CaptureTruncated);
                return Ok(false);
            }
            self.current = self.record_header + captured as usize;
            if self.input.peek(self.current)?.len() < self.current {
                losses.count(Loss::CaptureTruncated);
                return Ok(false);
            }
            self.cut = length.saturating_sub(captured);
            return Ok(true);
        }
    }

    /// When the current packet was captured.
    pub(in crate::capture) const fn time(&self) -> Timestamp {
        self.time
    }

    /// The packet that [`Records::advance`] came to.
    pub(in crate::capture) fn packet(&self) -> Packet<'_> {
        let block = self.input.ready(self.current);
        Packet {
            file: &self.file,
            number: self.number,
            time: self.time,
            link: self.link,
            data: block.get(self.record_header..).unwrap_or_default(),
            cut: self.cut,
            comment: None,
            is_ours: false,
        }
    }
}
