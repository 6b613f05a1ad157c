//! Packets of a classic pcap file: either byte order, microseconds or
//! nanoseconds.

use std::sync::Arc;

use pcap_parser::{PcapHeader, parse_pcap_header};

use super::{
    CaptureError,
    input::{Input, MAX_BLOCK, MAX_PLAUSIBLE, Packet},
};
use crate::{
    event::Timestamp,
    loss::{Loss, Losses},
};

/// Length of the file header in bytes.
pub(super) const FILE_HEADER: usize = 24;

/// A pcap file while it is read.
pub(super) struct Records<'a> {
    input: Input<'a>,
    file: Arc<str>,
    header: PcapHeader,
    record: Vec<u8>,
    number: u64,
    time: Timestamp,
}

impl<'a> Records<'a> {
    /// A file whose header is still to be read; `None` if it is cut or none.
    pub(super) fn new(mut input: Input<'a>, file: Arc<str>) -> Result<Option<Self>, CaptureError> {
        let mut record = Vec::new();
        input.fill(&mut record, FILE_HEADER as u64)?;
        let Ok((_, header)) = parse_pcap_header(&record) else {
            return Ok(None);
        };
        Ok(Some(Self {
            input,
            file,
            header,
            record,
            number: 0,
            time: Timestamp::default(),
        }))
    }

    /// Goes to the next packet. `false` at the end of the file.
    pub(super) fn advance(&mut self, losses: &mut Losses) -> Result<bool, CaptureError> {
        loop {
            // The modified format has eight more bytes that say nothing of use.
            let length = if self.header.is_modified_format() {
                24
            } else {
                16
            };
            if !self.input.fill(&mut self.record, length)? {
                if !self.record.is_empty() {
                    losses.count(Loss::CaptureTruncated);
                }
                return Ok(false);
            }
            let integer = if self.header.is_bigendian() {
                u32::from_be_bytes
            } else {
                u32::from_le_bytes
            };
            let word = |index: usize| {
                self.record
                    .as_chunks::<4>()
                    .0
                    .get(index)
                    .copied()
                    .map_or(0, integer)
            };
            let (seconds, fraction, captured) = (word(0), word(1), word(2));
            let unit = if self.header.is_nanosecond_precision() {
                1
            } else {
                1_000
            };
            self.time = Timestamp(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit);
            self.number += 1;
            let is_complete = if captured > MAX_PLAUSIBLE {
                losses.count(Loss::CaptureMalformed);
                false
            } else if captured > MAX_BLOCK {
                losses.count(Loss::CaptureMalformed);
                if self.input.skip(u64::from(captured))? {
                    continue;
                }
                false
            } else {
                self.input.fill(&mut self.record, u64::from(captured))?
            };
            if !is_complete {
                losses.count(Loss::CaptureTruncated);
            }
            return Ok(is_complete);
        }
    }

    /// The packet that [`Records::advance`] came to.
    pub(super) fn packet(&self) -> Packet<'_> {
        Packet {
            file: &self.file,
            number: self.number,
            time: self.time,
            // The upper bits tell the length of a frame check sequence.
            link: (self.header.network.0.cast_unsigned() & 0xffff) as u16,
            data: &self.record,
            comment: None,
            is_ours: false,
        }
    }
}
