//! Notes: the JSON comments that carry what a TCP segment cannot.
//!
//! The first packet of a stream in a file introduces it (`stream`, `base`, what
//! is known of its origin and server name); later packets are matched by their
//! addresses and carry a note only when something changes. No note holds
//! payload.

pub(crate) mod message;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use self::message::MessageNote;
use crate::{
    event::{Blindness, Direction, Origin, Process, Source, StreamId},
    loss::{Loss, Losses},
    message::{PlantingNote, ProofNote},
};

/// The version of captures that this build writes and reads.
pub(crate) const CAPTURE_VERSION: u32 = 1;

/// The version of exported messages that this build writes.
pub(crate) const EXPORT_VERSION: u32 = 1;

/// The comment of the section header: what wrote the capture, where and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the host.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Release of its kernel.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kernel: String,
    /// Version of phiwatch.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// SHA-256 of the configuration, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_sha256: Option<String>,
    /// Digits of a hash over the detection rules.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rules: String,
    /// The capture holds messages with their values replaced, not streams.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
    /// Pairs of readings that relate the kernel's clock to the wall clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockAnchor>,
}

/// The kernel's monotonic clock and the wall clock, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnchor {
    /// Nanoseconds of the kernel's monotonic clock.
    pub monotonic: u64,
    /// Nanoseconds since the Unix epoch.
    pub realtime: u64,
}

/// The whole comment of a section header.
#[derive(Serialize, Deserialize)]
pub(crate) struct SectionNote {
    #[serde(rename = "phiwatch.capture")]
    pub(crate) capture: u32,
    #[serde(default)]
    pub(crate) segment: u64,
    #[serde(flatten)]
    pub(crate) provenance: Provenance,
}

/// The whole comment of a section header of exported messages.
#[derive(Serialize)]
pub(crate) struct ExportNote {
    #[serde(rename = "phiwatch.export")]
    pub(crate) export: u32,
    #[serde(flatten)]
    pub(crate) provenance: Provenance,
}

/// The comment of an interface statistics block: losses since the last one, by
/// `stage.reason`.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct LossNote {
    #[serde(default)]
    pub(crate) lost: BTreeMap<String, u64>,
}

/// The comment of a packet.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Introduces a stream: from here on the packet's addresses refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<StreamNote>,
    /// The position of the stream, sent and received: later sequence numbers
    /// are resolved to the nearest offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<[u64; 2]>,
    /// The number that was added to the sequence numbers of both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shift: Option<u32>,
    /// Whether the packet's addresses are `real`, only the `peer` is, or both
    /// are `synthetic`. For people; replay takes the addresses from `opened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) addresses: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opened: Option<OpenedNote>,
    /// The server name as known before this packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sni: Option<String>,
    /// This packet stands for the event that named the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) named: Option<String>,
    /// This packet stands for bytes that are not in the capture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<MissingNote>,
    /// The stream holds messages with their values replaced.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) messages: bool,
    /// A message follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<MessageNote>,
    /// Evidence in the message that was begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) proofs: Vec<ProofNote>,
    /// Planted values in the message that was begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) plantings: Vec<PlantingNote>,
    /// Offset of this packet, where the sequence number would be ambiguous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<u64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StreamNote {
    pub(crate) owner: u32,
    pub(crate) handle: u64,
    pub(crate) born: u64,
}

impl From<StreamId> for StreamNote {
    fn from(
        StreamId {
            owner,
            handle,
            born,
        }: StreamId,
    ) -> Self {
        Self {
            owner,
            handle,
            born,
        }
    }
}

impl From<StreamNote> for StreamId {
    fn from(
        StreamNote {
            owner,
            handle,
            born,
        }: StreamNote,
    ) -> Self {
        Self {
            owner,
            handle,
            born,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct OpenedNote {
    /// When the origin became known, in nanoseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) process: Option<Process>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) local: Option<SocketAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<SocketAddr>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) one_way: bool,
    /// A reason that this build does not know is none that it can pass on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blindness: Option<String>,
}

impl OpenedNote {
    /// The note that says `origin`.
    pub(crate) fn new(time: u64, origin: &Origin) -> Self {
        Self {
            time,
            source: origin.source.as_str().to_owned(),
            process: origin.process.as_deref().cloned(),
            local: origin.local,
            peer: origin.peer,
            one_way: origin.one_way,
            blindness: origin.blindness.map(|own| own.as_str().to_owned()),
        }
    }

    /// The origin in the note, if this build knows its source.
    pub(crate) fn origin(self) -> Option<Origin> {
        Some(Origin {
            source: Source::from_name(&self.source)?,
            process: self.process.map(Arc::new),
            local: self.local,
            peer: self.peer,
            one_way: self.one_way,
            blindness: self.blindness.as_deref().and_then(Blindness::from_name),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct MissingNote {
    pub(crate) direction: DirectionNote,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// `stage.reason`; absent if the bytes were not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) loss: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DirectionNote {
    Sent,
    Received,
}

impl From<Direction> for DirectionNote {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Sent => Self::Sent,
            Direction::Received => Self::Received,
        }
    }
}

impl From<DirectionNote> for Direction {
    fn from(direction: DirectionNote) -> Self {
        match direction {
            DirectionNote::Sent => Self::Sent,
            DirectionNote::Received => Self::Received,
        }
    }
}

/// The name of `loss` in notes.
pub(crate) fn loss_name(loss: Loss) -> String {
    let (stage, reason) = loss.labels();
    format!("{stage}.{reason}")
}

/// The loss that [`loss_name`] names.
pub(crate) fn loss_from_name(name: &str) -> Option<Loss> {
    let (stage, reason) = name.split_once('.')?;
    Loss::ALL
        .iter()
        .copied()
        .find(|loss| loss.labels() == (stage, reason))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Losses of the recording itself, which replay cannot find out. Replay counts
/// the losses of later stages again, unless the capture holds the results of
/// those stages.
pub(crate) fn recorded_losses(note: &LossNote, is_redacted: bool) -> Losses {
    let mut losses = Losses::default();
    for (name, times) in &note.lost {
        if let Some(loss) = loss_from_name(name)
            && (is_redacted
                || matches!(loss.labels().0, "kernel" | "probe")
                || matches!(loss, Loss::CaptureWrite | Loss::CaptureNoRoom))
        {
            losses.add(loss, *times);
        }
    }
    losses
}

/// `value` as JSON. Notes are plain structs with string keys, so this cannot
/// fail; if it did, an empty object would say nothing.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}
