//! Packets of a pcapng file, ours or foreign, of either byte order.

use std::sync::Arc;

use pcap_parser::{
    Block, InterfaceDescriptionBlock, OptionCode, PcapNGOption, parse_block_be, parse_block_le,
    traits::PcapNGPacketBlock as _,
};

use super::write::{ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, SECTION_HEADER};
use crate::{
    capture::{
        CaptureError,
        input::{Input, MAX_BLOCK, MAX_PLAUSIBLE, Packet},
        note::{CAPTURE_VERSION, LossNote, SectionNote, recorded_losses},
    },
    event::Timestamp,
    loss::{Loss, Losses},
};

const SIMPLE_PACKET: u32 = 3;
/// The packet block that the enhanced one replaced, the journal block and both
/// custom blocks: Wireshark gives them a number although they hold no packet
/// that is read here.
const NUMBERED: [u32; 4] = [2, 9, 0x0000_0BAD, 0x4000_0BAD];
/// More interfaces in one section than this are not remembered.
const MAX_INTERFACES: usize = 4_096;

#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    /// The exponent as the file has it.
    resolution: u8,
    offset: i64,
}

/// A pcapng file while it is read.
pub(in crate::capture) struct Blocks<'a> {
    input: Input<'a>,
    file: Arc<str>,
    /// The current block, framed and whole.
    block: Vec<u8>,
    kind: u32,
    is_big_endian: bool,
    is_ours: bool,
    /// It holds messages, not streams.
    is_redacted: bool,
    interfaces: Vec<Interface>,
    /// Statistics blocks since the last block of another kind.
    statistics: usize,
    number: u64,
    /// Time of the last packet, for packets that have none.
    time: Timestamp,
}

impl<'a> Blocks<'a> {
    pub(in crate::capture) fn new(input: Input<'a>, file: Arc<str>) -> Self {
        Self {
            input,
            file,
            block: Vec::new(),
            kind: 0,
            is_big_endian: false,
            is_ours: false,
            is_redacted: false,
            interfaces: Vec::new(),
            statistics: 0,
            number: 0,
            time: Timestamp::default(),
        }
    }

    /// Goes to the next packet. `false` at the end of the file.
    pub(in crate::capture) fn advance(
        &mut self,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        loop {
            let Some(length) = self.frame(losses)? else {
                return Ok(false);
            };
            if length > MAX_BLOCK {
                losses.count(Loss::CaptureMalformed);
                let rest = u64::from(length).saturating_sub(self.block.len() as u64);
                if !self.input.skip(rest)? {
                    losses.count(Loss::CaptureTruncated);
                    return Ok(false);
                }
            } else {
                let rest = u64::from(length).saturating_sub(self.block.len() as u64);
                if !self.input.append(&mut self.block, rest)? {
                    losses.count(Loss::CaptureTruncated);
                    return Ok(false);
                }
            }
            self.statistics = match self.kind {
                INTERFACE_STATISTICS => self.statistics + 1,
                _ => 0,
            };
            match self.kind {
                ENHANCED_PACKET | SIMPLE_PACKET => {
                    self.number += 1;
                    if length <= MAX_BLOCK {
                        return Ok(true);
                    }
                }
                kind if NUMBERED.contains(&kind) => {
                    self.number += 1;
                    if kind == 2 {
                        losses.count(Loss::CaptureUnsupported);
                    }
                }
                SECTION_HEADER | INTERFACE_DESCRIPTION | INTERFACE_STATISTICS
                    if length <= MAX_BLOCK =>
                {
                    self.describe(losses);
                }
                _ => {}
            }
        }
    }

    /// Reads what begins a block and gives its whole length, `None` at the end
    /// of what can be read.
    fn frame(&mut self, losses: &mut Losses) -> Result<Option<u32>, CaptureError> {
        if !self.input.fill(&mut self.block, 12)? {
            // A section of ours ends with the statistics of each interface: one
            // that does not was cut there, or is still being written.
            let is_ended =
                !self.is_ours || self.statistics > 0 && self.statistics >= self.interfaces.len();
            if !self.block.is_empty() || !is_ended {
                losses.count(Loss::CaptureTruncated);
            }
            return Ok(None);
        }
        let word = |at: usize| -> [u8; 4] {
            self.block
                .get(at..)
                .and_then(|rest| rest.first_chunk())
                .copied()
                .unwrap_or_default()
        };
        let kind = word(0);
        if kind == SECTION_HEADER.to_le_bytes() {
            // The type of a section header reads the same in both byte orders;
            // the magic behind the length tells which it is.
            match word(8) {
                [0x4d, 0x3c, 0x2b, 0x1a] => self.is_big_endian = false,
                [0x1a, 0x2b, 0x3c, 0x4d] => self.is_big_endian = true,
                _ => return Ok(self.give_up(losses)),
            }
            self.is_ours = false;
            self.is_redacted = false;
            self.interfaces.clear();
        }
        let integer = if self.is_big_endian {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        self.kind = integer(kind);
        let length = integer(word(4));
        if length < 12 || !length.is_multiple_of(4) || length > MAX_PLAUSIBLE {
            return Ok(self.give_up(losses));
        }
        Ok(Some(length))
    }

    /// The next block cannot be found.
    #[expect(clippy::unused_self, reason = "reads as an action of the file")]
    fn give_up(&self, losses: &mut Losses) -> Option<u32> {
        losses.count(Loss::CaptureMalformed);
        losses.count(Loss::CaptureTruncated);
        None
    }

    /// Takes in a block that describes the section.
    fn describe(&mut self, losses: &mut Losses) {
        let Some(block) = parse_block(self.is_big_endian, &self.block) else {
            losses.count(Loss::CaptureMalformed);
            if self.kind == INTERFACE_DESCRIPTION && self.interfaces.len() < MAX_INTERFACES {
                // Later interfaces keep their numbers.
                self.interfaces.push(Interface {
                    link: u16::MAX,
                    resolution: 6,
                    offset: 0,
                });
            }
            return;
        };
        match block {
            Block::SectionHeader(section) => {
                let note = comment(&section.options)
                    .and_then(|text| serde_json::from_str::<SectionNote>(text).ok());
                if let Some(note) = note {
                    self.is_ours = note.capture == CAPTURE_VERSION;
                    self.is_redacted = note.provenance.redacted;
                    if !self.is_ours {
                        losses.count(Loss::CaptureUnsupported);
                    }
                }
            }
            Block::InterfaceDescription(description) => {
                let interface = interface(&description);
                if self.interfaces.len() < MAX_INTERFACES {
                    self.interfaces.push(interface);
                } else {
                    losses.count(Loss::CaptureMalformed);
                }
            }
            Block::InterfaceStatistics(statistics) if self.is_ours => {
                let note = comment(&statistics.options)
                    .and_then(|text| serde_json::from_str::<LossNote>(text).ok());
                if let Some(note) = note {
                    losses.merge(&recorded_losses(&note, self.is_redacted));
                }
            }
            _ => {}
        }
    }

    /// Hands the packet that [`Blocks::advance`] came to to `sink`.
    pub(in crate::capture) fn packet(
        &mut self,
        losses: &mut Losses,
        sink: impl FnOnce(&Packet<'_>, &mut Losses),
    ) {
        let Some(block) = parse_block(self.is_big_endian, &self.block) else {
            losses.count(Loss::CaptureMalformed);
            return;
        };
        let (interface, ticks, data, comment) = match &block {
            Block::EnhancedPacket(packet) => (
                packet.if_id as usize,
                Some(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low)),
                packet.packet_data(),
                comment(&packet.options),
            ),
            Block::SimplePacket(packet) => (0, None, packet.packet_data(), None),
            _ => return,
        };
        let Some(interface) = self.interfaces.get(interface) else {
            losses.count(Loss::CaptureMalformed);
            return;
        };
        if let Some(ticks) = ticks {
            self.time = interface.time(ticks);
        }
        let packet = Packet {
            file: &self.file,
            number: self.number,
            time: self.time,
            link: interface.link,
            data,
            comment,
            is_ours: self.is_ours,
        };
        sink(&packet, losses);
    }
}

impl Interface {
    /// The time that `ticks` say.
    fn time(self, ticks: u64) -> Timestamp {
        let exponent = u32::from(self.resolution & 0x7f);
        // Ticks a second; a resolution finer than 128 bits hold leaves zero.
        let per_second = if self.resolution & 0x80 == 0 {
            10_u128.checked_pow(exponent)
        } else {
            1_u128.checked_shl(exponent).filter(|value| *value != 0)
        };
        let elapsed = per_second
            .and_then(|per_second| {
                u128::from(ticks)
                    .checked_mul(1_000_000_000)
                    .map(|n| n / per_second)
            })
            .unwrap_or(0);
        let elapsed = i128::try_from(elapsed).unwrap_or(i128::MAX);
        let time = elapsed.saturating_add(i128::from(self.offset) * 1_000_000_000);
        Timestamp(u64::try_from(time.max(0)).unwrap_or(u64::MAX))
    }
}

fn parse_block(is_big_endian: bool, block: &[u8]) -> Option<Block<'_>> {
    let result = if is_big_endian {
        parse_block_be(block)
    } else {
        parse_block_le(block)
    };
    result.ok().map(|(_, block)| block)
}

fn interface(description: &InterfaceDescriptionBlock<'_>) -> Interface {
    Interface {
        link: u16::try_from(description.linktype.0).unwrap_or(u16::MAX),
        resolution: description.if_tsresol,
        offset: description.if_tsoffset,
    }
}

fn comment<'a>(options: &'a [PcapNGOption<'a>]) -> Option<&'a str> {
    options
        .iter()
        .find(|option| option.code == OptionCode::Comment)?
        .as_str()
        .ok()
}
