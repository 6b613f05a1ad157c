//! One section of a recorded capture, which is one segment file: its header,
//! its packets and the statistics at its end.

use std::collections::BTreeMap;

use crate::{
    capture::{
        note::{
            CAPTURE_VERSION, EXPORT_VERSION, ExportNote, LossNote, Note, Provenance, SectionNote,
            json, loss_name,
        },
        packet::{LINK_RAW, Segment, synthesize},
        pcapng::write::{
            Block, ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, MAX_OPTION,
            OPTION_COMMENT, SECTION_HEADER,
        },
    },
    event::{Direction, Process, Source, Timestamp},
    loss::Losses,
};

/// Link type of messages without the packets that carried them.
const LINK_PDU: u16 = 252;

/// The name of the interface of a stream without origin.
const UNKNOWN_INTERFACE: &str = "unknown";

/// The fields of a packet's block besides the packet.
pub(super) struct Captured {
    pub(super) source: Option<Source>,
    pub(super) time: Timestamp,
    pub(super) direction: Direction,
    /// 0 where it is not known.
    pub(super) pid: u32,
    pub(super) comment: Option<String>,
}

/// What a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentSummary {
    /// Packets.
    pub packets: u64,
    /// Earliest and latest time of a packet.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Losses that no earlier segment has reported, by `stage.reason`.
    pub lost: BTreeMap<String, u64>,
}

/// The section that is being written.
pub(super) struct Section {
    /// What its packets are.
    link: u16,
    provenance: Provenance,
    /// From 1; 0 before the first.
    number: u64,
    packets: u64,
    /// Packets by interface.
    received: Vec<u64>,
    /// Earliest and latest time.
    span: Option<(Timestamp, Timestamp)>,
    /// The losses that earlier sections have reported.
    told: Losses,
    packet: Vec<u8>,
}

impl Section {
    /// No section yet, of packets.
    pub(super) fn new(provenance: Provenance) -> Self {
        Self::of(LINK_RAW, provenance)
    }

    /// No section yet, of whole messages.
    pub(super) fn of_pdus(provenance: Provenance) -> Self {
        Self::of(LINK_PDU, provenance)
    }

    fn of(link: u16, provenance: Provenance) -> Self {
        Self {
            link,
            provenance,
            number: 0,
            packets: 0,
            received: vec![0; Source::ALL.len() + 1],
            span: None,
            told: Losses::default(),
            packet: Vec::new(),
        }
    }

    /// Number of the section, from 1; 0 before the first.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Packets in the section so far, which is also the number of the last one.
    pub(super) const fn packets(&self) -> u64 {
        self.packets
    }

    /// Appends the blocks that begin a segment file. Packets count from 1 again.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        self.number += 1;
        self.packets = 0;
        self.received.fill(0);
        self.span = None;
        let provenance = self.provenance.clone();
        // Only streams are read back as a capture of phiwatch, exported
        // messages are not.
        let comment = if self.link == LINK_PDU {
            json(&ExportNote {
                export: EXPORT_VERSION,
                provenance,
            })
        } else {
            json(&SectionNote {
                capture: CAPTURE_VERSION,
                segment: self.number,
                provenance,
            })
        };
        Block::begin(out, SECTION_HEADER)
            // Byte-order magic, version 1.0, section length not known.
            .u32(0x1A2B_3C4D)
            .u16(1)
            .u16(0)
            .u32(u32::MAX)
            .u32(u32::MAX)
            .option(3, self.provenance.kernel.as_bytes())
            .option(
                4,
                format!("phiwatch {}", self.provenance.version)
                    .trim_end()
                    .as_bytes(),
            )
            .option(OPTION_COMMENT, comment.as_bytes())
            .finish();
        let names = Source::ALL
            .iter()
            .map(|source| source.as_str())
            .chain([UNKNOWN_INTERFACE]);
        for name in names {
            Block::begin(out, INTERFACE_DESCRIPTION)
                .u16(self.link)
                .u16(0)
                .u32(0)
                .option(2, name.as_bytes())
                // Nanoseconds.
                .option(9, &[9])
                .finish();
        }
    }

    /// Appends the statistics that end a segment file: packets by interface,
    /// and those losses in `drops` that no earlier segment has reported.
    pub(super) fn end(&mut self, drops: &Losses, out: &mut Vec<u8>) -> SegmentSummary {
        let mut note = LossNote::default();
        for (loss, count) in drops.iter() {
            let fresh = count.saturating_sub(self.told.get(loss));
            if fresh > 0 {
                note.lost.insert(loss_name(loss), fresh);
            }
        }
        let (start, end) = self.span.unwrap_or_default();
        let time = |time: Timestamp| {
            let (high, low) = ((time.0 >> 32) as u32, time.0 as u32);
            [high.to_le_bytes(), low.to_le_bytes()].concat()
        };
        for (interface, received) in self.received.iter().enumerate() {
            let mut block = Block::begin(out, INTERFACE_STATISTICS);
            block
                .u32(interface as u32)
                .time(end.0)
                .option(2, &time(start))
                .option(3, &time(end))
                .option(4, &received.to_le_bytes());
            // The losses of the whole capture go to its first interface, since
            // the rings do not count them by source.
            if interface == 0 {
                let dropped = note
                    .lost
                    .values()
                    .fold(0_u64, |sum, count| sum.saturating_add(*count));
                block
                    .option(5, &dropped.to_le_bytes())
                    .option(OPTION_COMMENT, json(&note).as_bytes());
            }
            block.finish();
        }
        self.told = drops.clone();
        SegmentSummary {
            packets: self.packets,
            span: self.span,
            lost: note.lost,
        }
    }

    /// Appends a packet and gives its number.
    pub(super) fn packet(
        &mut self,
        segment: &Segment<'_>,
        captured: Captured,
        out: &mut Vec<u8>,
    ) -> u64 {
        let mut packet = std::mem::take(&mut self.packet);
        packet.clear();
        synthesize(segment, &mut packet);
        let number = self.frame(&packet, 0, captured, out);
        self.packet = packet;
        number
    }

    /// Appends the bytes of a packet, of which `cut` more are left out, and
    /// returns its number.
    pub(super) fn frame(
        &mut self,
        packet: &[u8],
        cut: u32,
        captured: Captured,
        out: &mut Vec<u8>,
    ) -> u64 {
        let Captured {
            source,
            time,
            direction,
            pid,
            comment,
        } = captured;
        let interface = source
            .and_then(|source| Source::ALL.iter().position(|known| *known == source))
            .unwrap_or(Source::ALL.len());
        let length = packet.len() as u32;
        // Inbound is 1 and outbound 2 in the lowest bits of the flags.
        let flags: u32 = match direction {
            Direction::Received => 1,
            Direction::Sent => 2,
        };
        let mut block = Block::begin(out, ENHANCED_PACKET);
        block
            .u32(interface as u32)
            .time(time.0)
            .u32(length)
            .u32(length.saturating_add(cut))
            .padded(packet);
        block.option(2, &flags.to_le_bytes());
        if pid != 0 {
            // Process and thread; the thread is not known here.
            block.option(8, &[pid.to_le_bytes(), 0_u32.to_le_bytes()].concat());
        }
        if let Some(comment) = comment {
            block.option(OPTION_COMMENT, comment.as_bytes());
        }
        block.finish();
        self.packets += 1;
        if let Some(received) = self.received.get_mut(interface) {
            *received += 1;
        }
        let (start, end) = self.span.unwrap_or((time, time));
        self.span = Some((start.min(time), end.max(time)));
        self.packets
    }
}

/// `note` as JSON that fits an option. The facts about the process can be long;
/// a note without them still identifies the stream.
pub(super) fn fitting(mut note: Note) -> String {
    let text = json(&note);
    if text.len() <= MAX_OPTION {
        return text;
    }
    if let Some(process) = note
        .opened
        .as_mut()
        .and_then(|opened| opened.process.as_mut())
    {
        *process = Process {
            pid: process.pid,
            ..Default::default()
        };
    }
    // A host name has at most 255 characters; a longer one is no name.
    note.sni = note.sni.filter(|name| name.len() < 1_024);
    note.named = note.named.filter(|name| name.len() < 1_024);
    json(&note)
}
