//! One open capture file: its next packet or entry, and the time of it.

use std::{collections::VecDeque, sync::Arc};

use super::wrapping::Format;
use crate::{
    capture::{
        CaptureError, Recorded,
        file::Input,
        foreign::{connection::Connections, har::Entries, pcap::Records},
        pcapng::{read::Blocks, section::SectionSurvey},
        replay::Replay,
    },
    event::{Event, Timestamp},
    loss::{Loss, Losses},
};

/// A file while it is read.
pub(in crate::capture) enum Track<'a> {
    Pcap(Records<'a>),
    Pcapng(Blocks<'a>),
    Archive(Box<Entries<'a>>),
    /// Cut before its first packet.
    Torn,
}

impl<'a> Track<'a> {
    /// Begins to read `input`, which is `format`. `None` if it is no capture.
    pub(in crate::capture) fn open(
        input: Input<'a>,
        format: Format,
        name: &Arc<str>,
        losses: &mut Losses,
    ) -> Result<Option<Self>, CaptureError> {
        let name = Arc::clone(name);
        let track = match format {
            Format::Pcapng => Some(Self::Pcapng(Blocks::new(input, name))),
            Format::Pcap => Records::new(input, name)?.map(Self::Pcap),
            Format::Json => {
                let entries = Entries::open(input, name)?;
                return Ok(entries.map(|entries| Self::Archive(Box::new(entries))));
            }
            Format::Torn => None,
            Format::Unknown => return Ok(None),
        };
        if track.is_none() {
            losses.count(Loss::CaptureTruncated);
        }
        Ok(Some(track.unwrap_or(Self::Torn)))
    }

    /// Goes to the next packet or entry. `false` at the end of the file.
    pub(in crate::capture) fn advance(
        &mut self,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        match self {
            Self::Pcap(records) => records.advance(losses),
            Self::Pcapng(blocks) => blocks.advance(losses),
            Self::Archive(entries) => entries.advance(losses),
            Self::Torn => Ok(false),
        }
    }

    /// The time of the current packet or entry.
    pub(in crate::capture) const fn time(&self) -> Timestamp {
        match self {
            Self::Pcap(records) => records.time(),
            Self::Pcapng(blocks) => blocks.time(),
            Self::Archive(entries) => entries.time(),
            Self::Torn => Timestamp(0),
        }
    }

    /// The host on which phiwatch ran, if it wrote this file.
    pub(in crate::capture) fn our_host(&self) -> Option<&Arc<str>> {
        match self {
            Self::Pcapng(blocks) => blocks.our_host(),
            Self::Pcap(_) | Self::Archive(_) | Self::Torn => None,
        }
    }

    /// What the recorders say about themselves, as far as the file was read.
    pub(in crate::capture) fn sections(&self) -> &[SectionSurvey] {
        match self {
            Self::Pcapng(blocks) => blocks.sections(),
            Self::Pcap(_) | Self::Archive(_) | Self::Torn => &[],
        }
    }

    /// Appends what the current packet or entry stands for to `queue`. `events`
    /// is only for reuse.
    pub(in crate::capture) fn take(
        &self,
        replay: &mut Replay,
        connections: &mut Connections,
        events: &mut VecDeque<Event>,
        queue: &mut VecDeque<Recorded>,
        losses: &mut Losses,
    ) {
        match self {
            Self::Pcap(records) => connections.push(&records.packet(), events, losses),
            Self::Pcapng(blocks) => {
                if let Some(packet) = blocks.packet() {
                    if packet.is_ours {
                        replay.push(&packet, queue, losses);
                    } else {
                        connections.push(&packet, events, losses);
                    }
                }
            }
            Self::Archive(entries) => {
                entries.take(&mut || connections.next_handle(), events, losses);
            }
            Self::Torn => {}
        }
        queue.extend(events.drain(..).map(Recorded::Event));
    }
}
