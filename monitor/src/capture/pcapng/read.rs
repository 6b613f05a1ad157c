//! Packets of a pcapng file, ours or foreign, of either byte order.

use std::{ops::Range, str, sync::Arc};

use super::{
    option::{ByteOrder, Options},
    section::{MAX_SECTIONS, SectionSurvey},
    write::{
        ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, OPTION_COMMENT,
        SECTION_HEADER,
    },
};
use crate::{
    capture::{
        CaptureError,
        file::{Input, MAX_BLOCK, MAX_PLAUSIBLE, Packet},
        note::{CAPTURE_VERSION, LossNote, SectionNote, recorded_losses},
    },
    event::Timestamp,
    loss::{Loss, Losses},
};

/// The packet block that the enhanced one replaced.
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
/// The journal block and both custom blocks: Wireshark numbers them although
/// they hold no packet.
const NUMBERED: [u32; 3] = [9, 0x0000_0BAD, 0x4000_0BAD];
/// How many interfaces of one section are remembered.
const MAX_INTERFACES: usize = 4_096;

/// Resolution and offset of an interface's times.
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
/// Packets that the interface, or the operating system, dropped so far.
const OPTIONS_DROPPED: [u16; 2] = [5, 7];

#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    /// The longest packet that was captured whole; 0 means no limit.
    snap: u32,
    /// The exponent as the file has it.
    resolution: u8,
    offset: i64,
    /// Packets that were dropped, according to the latest statistics.
    dropped: u64,
}

/// Where the current packet is.
struct Found {
    interface: Interface,
    data: Range<usize>,
    /// Where the options begin.
    options: usize,
    cut: u32,
}

/// A pcapng file while it is read.
pub(in crate::capture) struct Blocks<'a> {
    input: Input<'a>,
    file: Arc<str>,
    kind: u32,
    /// Length of the current block, which is skipped to reach the next.
    length: usize,
    order: ByteOrder,
    is_ours: bool,
    /// The host that a section of ours names.
    host: Arc<str>,
    /// It holds messages, not streams.
    is_redacted: bool,
    interfaces: Vec<Interface>,
    /// Statistics blocks since the last block of another kind.
    statistics: usize,
    number: u64,
    /// Time of the last packet, for packets that have none.
    time: Timestamp,
    found: Option<Found>,
    /// What the recorders say about themselves.
    sections: Vec<SectionSurvey>,
}

impl<'a> Blocks<'a> {
    pub(in crate::capture) fn new(input: Input<'a>, file: Arc<str>) -> Self {
        Self {
            input,
            file,
            kind: 0,
            length: 0,
            order: ByteOrder::default(),
            is_ours: false,
            host: Arc::from(""),
            is_redacted: false,
            interfaces: Vec::new(),
            statistics: 0,
            number: 0,
            time: Timestamp::default(),
            found: None,
            sections: Vec::new(),
        }
    }

    /// What the recorders say about themselves, as far as the file was read.
    pub(in crate::capture) fn sections(&self) -> &[SectionSurvey] {
        &self.sections
    }

    /// Goes to the next packet. `false` at the end of the file.
    pub(in crate::capture) fn advance(
        &mut self,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        loop {
            self.input.consume(self.length);
            self.length = 0;
            let Some(length) = self.frame(losses)? else {
                return Ok(false);
            };
            let is_packet = [ENHANCED_PACKET, OBSOLETE_PACKET, SIMPLE_PACKET].contains(&self.kind);
            self.number += u64::from(is_packet || NUMBERED.contains(&self.kind));
            if length > MAX_BLOCK {
                losses.count(Loss::CaptureMalformed);
                if !self.input.skip(u64::from(length))? {
                    losses.count(Loss::CaptureTruncated);
                    return Ok(false);
                }
                continue;
            }
            let length = length as usize;
            if self.input.peek(length)?.len() < length {
                losses.count(Loss::CaptureTruncated);
                return Ok(false);
            }
            self.length = length;
            self.statistics = match self.kind {
                INTERFACE_STATISTICS => self.statistics + 1,
                _ => 0,
            };
            let is_whole = self.order.u32(self.block(), length - 4) as usize == length;
            if is_packet {
                self.found = is_whole.then(|| self.locate()).flatten();
                if self.found.is_some() {
                    return Ok(true);
                }
                losses.count(Loss::CaptureMalformed);
            } else if matches!(
                self.kind,
                SECTION_HEADER | INTERFACE_DESCRIPTION | INTERFACE_STATISTICS
            ) {
                self.describe(is_whole, losses);
            }
        }
    }

    fn block(&self) -> &[u8] {
        self.input.ready(self.length)
    }

    /// Reads the beginning of a block and returns its length; `None` at the end
    /// of what can be read.
    fn frame(&mut self, losses: &mut Losses) -> Result<Option<u32>, CaptureError> {
        // A section of ours ends with the statistics of each interface. One
        // without them was cut, or is still being written.
        let is_ended =
            !self.is_ours || self.statistics > 0 && self.statistics >= self.interfaces.len();
        let head = self.input.peek(12)?;
        let Some(&[t0, t1, t2, t3, _, _, _, _, m0, m1, m2, m3]) = head.first_chunk::<12>() else {
            if !head.is_empty() || self.input.is_broken() || !is_ended {
                losses.count(Loss::CaptureTruncated);
            }
            return Ok(None);
        };
        if [t0, t1, t2, t3] == SECTION_HEADER.to_le_bytes() {
            // The type of a section header reads the same in both byte orders;
            // the magic number behind the length decides.
            self.order.is_big_endian = match [m0, m1, m2, m3] {
                [0x4d, 0x3c, 0x2b, 0x1a] => false,
                [0x1a, 0x2b, 0x3c, 0x4d] => true,
                _ => return Ok(give_up(losses)),
            };
            self.is_ours = false;
            self.is_redacted = false;
            self.interfaces.clear();
        }
        let head = self.input.ready(12);
        let (kind, length) = (self.order.u32(head, 0), self.order.u32(head, 4));
        self.kind = kind;
        if length < 12 || !length.is_multiple_of(4) || length > MAX_PLAUSIBLE {
            return Ok(give_up(losses));
        }
        Ok(Some(length))
    }

    /// Takes in a block that describes the section.
    fn describe(&mut self, is_whole: bool, losses: &mut Losses) {
        let block = self.input.ready(self.length);
        let body = block
            .get(8..self.length.saturating_sub(4))
            .filter(|_| is_whole)
            .unwrap_or_default();
        let (order, fixed) = match self.kind {
            SECTION_HEADER => (self.order, 16),
            INTERFACE_DESCRIPTION => (self.order, 8),
            _ => (self.order, 12),
        };
        let options = body.get(fixed..).map(|list| order.options(list));
        if options.is_none() {
            losses.count(Loss::CaptureMalformed);
        }
        match self.kind {
            SECTION_HEADER => {
                let mut section = SectionSurvey::header(options.as_ref());
                let note = options.and_then(comment);
                if let Some(note) = note.and_then(|text| serde_json::from_str(text).ok()) {
                    let note: SectionNote = note;
                    section.provenance = Some(note.provenance.clone());
                    self.is_ours = note.capture == CAPTURE_VERSION;
                    self.is_redacted = note.provenance.redacted;
                    if !self.is_ours {
                        losses.count(Loss::CaptureUnsupported);
                    }
                    self.host = note.provenance.host.into();
                }
                if self.sections.len() < MAX_SECTIONS {
                    self.sections.push(section);
                }
            }
            INTERFACE_DESCRIPTION => {
                let mut interface = Interface {
                    link: u16::MAX,
                    snap: 0,
                    resolution: 6,
                    offset: 0,
                    dropped: 0,
                };
                if let Some(options) = options {
                    (interface.link, interface.snap) = (order.u16(body, 0), order.u32(body, 4));
                    for (code, value) in options {
                        match (code, value) {
                            (OPTION_RESOLUTION, [exponent, ..]) => interface.resolution = *exponent,
                            (OPTION_OFFSET, [_, _, _, _, _, _, _, _]) => {
                                interface.offset = order.u64(value, 0).cast_signed();
                            }
                            _ => {}
                        }
                    }
                }
                // Later interfaces keep their numbers, also after a broken one.
                if self.interfaces.len() < MAX_INTERFACES {
                    self.interfaces.push(interface);
                } else {
                    losses.count(Loss::CaptureMalformed);
                }
            }
            _ if self.is_ours => {
                let note = options.and_then(comment);
                if let Some(note) = note.and_then(|text| serde_json::from_str(text).ok()) {
                    let note: LossNote = note;
                    losses.merge(&recorded_losses(&note, self.is_redacted));
                    if let Some(section) = self.sections.last_mut() {
                        section.add(&note);
                    }
                }
            }
            _ => {
                let Some(options) = options else { return };
                let dropped = options
                    .filter(|(code, value)| OPTIONS_DROPPED.contains(code) && value.len() == 8)
                    .fold(0_u64, |sum, (_, value)| {
                        sum.saturating_add(order.u64(value, 0))
                    });
                let index = order.u32(body, 0) as usize;
                if let Some(interface) = self.interfaces.get_mut(index) {
                    // Each statistics block repeats the total so far.
                    let more = dropped.saturating_sub(interface.dropped);
                    interface.dropped += more;
                    losses.add(Loss::CaptureDropped, more);
                    if let Some(section) = self.sections.last_mut() {
                        section.dropped = section.dropped.saturating_add(more);
                    }
                }
            }
        }
    }

    /// Finds the packet in the current block and its time. `None` if the block
    /// is malformed.
    fn locate(&mut self) -> Option<Found> {
        let (order, block) = (self.order, self.input.ready(self.length));
        let end = self.length.checked_sub(4)?;
        if self.kind == SIMPLE_PACKET {
            let interface = *self.interfaces.first()?;
            let length = order.u32(block.get(..12)?, 8);
            let limit = if interface.snap == 0 {
                length
            } else {
                length.min(interface.snap)
            };
            let captured = usize::try_from(limit).ok()?.min(end.checked_sub(12)?);
            return Some(Found {
                interface,
                data: 12..12 + captured,
                options: end,
                cut: length.saturating_sub(captured as u32),
            });
        }
        let fixed = block.get(..28)?;
        let index = if self.kind == OBSOLETE_PACKET {
            usize::from(order.u16(fixed, 8))
        } else {
            order.u32(fixed, 8) as usize
        };
        let interface = *self.interfaces.get(index)?;
        let ticks = u64::from(order.u32(fixed, 12)) << 32 | u64::from(order.u32(fixed, 16));
        let (captured, length) = (order.u32(fixed, 20), order.u32(fixed, 24));
        let data = 28..usize::try_from(captured).ok()?.checked_add(28)?;
        if data.end > end {
            return None;
        }
        self.time = interface.time(ticks);
        Some(Found {
            interface,
            options: data.end.next_multiple_of(4),
            data,
            cut: length.saturating_sub(captured),
        })
    }

    /// When the current packet was captured.
    pub(in crate::capture) const fn time(&self) -> Timestamp {
        self.time
    }

    /// The host on which phiwatch ran, if it wrote the current section.
    pub(in crate::capture) fn our_host(&self) -> Option<&Arc<str>> {
        self.is_ours.then_some(&self.host)
    }

    /// The packet that [`Blocks::advance`] came to.
    pub(in crate::capture) fn packet(&self) -> Option<Packet<'_>> {
        let found = self.found.as_ref()?;
        let block = self.block();
        let options = block
            .get(found.options..block.len().saturating_sub(4))
            .filter(|_| self.is_ours)
            .unwrap_or_default();
        Some(Packet {
            file: &self.file,
            number: self.number,
            time: self.time,
            link: found.interface.link,
            data: block.get(found.data.clone())?,
            cut: found.cut,
            // Nobody asks for the comments of others.
            comment: comment(self.order.options(options)),
            is_ours: self.is_ours,
        })
    }
}

impl Interface {
    /// The time that `ticks` say.
    fn time(self, ticks: u64) -> Timestamp {
        let exponent = u32::from(self.resolution & 0x7f);
        let ticks = u128::from(ticks);
        // Ticks a second; a resolution finer than 128 bits hold leaves zero.
        let elapsed = match (self.resolution & 0x80 == 0, exponent) {
            (true, 9) => Some(ticks),
            (true, 6) => Some(ticks * 1_000),
            (true, _) => 10_u128
                .checked_pow(exponent)
                .map(|per_second| ticks * 1_000_000_000 / per_second),
            (false, _) => (ticks * 1_000_000_000).checked_shr(exponent),
        };
        let elapsed = i128::try_from(elapsed.unwrap_or(0)).unwrap_or(i128::MAX);
        let time = elapsed.saturating_add(i128::from(self.offset) * 1_000_000_000);
        Timestamp(u64::try_from(time.max(0)).unwrap_or(u64::MAX))
    }
}

/// The next block cannot be found.
fn give_up(losses: &mut Losses) -> Option<u32> {
    losses.count(Loss::CaptureMalformed);
    losses.count(Loss::CaptureTruncated);
    None
}

fn comment(options: Options<'_>) -> Option<&str> {
    str::from_utf8(options.find_code(OPTION_COMMENT)?).ok()
}
