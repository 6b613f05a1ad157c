//! Events to packets: the pure half of recording.
//!
//! In: events in the order in which the core gets them. Out: pcapng blocks
//! appended to a byte vector, for one segment file after the other. Each file
//! has everything that replay needs to give the same events again.

mod address;
mod pdu;
mod ring;
mod section;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use self::{
    address::{AddressBook, Addresses},
    section::{Captured, Section, fitting},
};
pub use self::{
    pdu::{About, Dissector, PduEncoder},
    ring::{Ring, RingLimits},
    section::SegmentSummary,
};
use crate::{
    capture::{
        note::{
            MissingNote, Note, OpenedNote, Provenance, loss_name,
            message::{Marker, asking, markers},
        },
        packet::{ACK, FIN, PSH, SYN, Segment},
    },
    event::{Data, Direction, Event, EventKind, Origin, StreamId, Timestamp},
    loss::Losses,
    message::Message,
};

/// The most payload of one packet, in bytes; an IP packet holds 65,535.
pub const MAX_PACKET_PAYLOAD: usize = 60_000;

/// Streams whose addresses and origin are remembered. Beyond that the oldest is
/// forgotten, and introduced again with its next packet.
const MAX_STREAMS: usize = 65_536;

/// Sequence numbers encode an offset modulo 2^32. A step farther than this from
/// the stream's position is written out in a note.
const MAX_STEP: u64 = 1 << 30;

/// What is remembered of one stream.
#[derive(Default)]
struct Recorded {
    order: u64,
    origin: Option<(Timestamp, Arc<Origin>)>,
    sni: Option<Arc<str>>,
    addresses: Option<Addresses>,
    /// The segment in which the stream was last introduced; 0 is none.
    introduced: u64,
    /// The position of each direction: the end of the last data.
    next: [u64; 2],
}

/// One packet to write, without its bytes.
struct Draft<'a> {
    direction: Direction,
    offset: u64,
    flags: u8,
    payload: &'a [u8],
    note: Option<Note>,
}

/// Turns events into pcapng blocks.
pub struct Encoder {
    section: Section,
    streams: HashMap<StreamId, Recorded>,
    order: BTreeMap<u64, StreamId>,
    next_order: u64,
    addresses: AddressBook,
}

impl Encoder {
    /// An encoder that has written nothing.
    pub fn new(provenance: Provenance) -> Self {
        Self {
            section: Section::new(provenance),
            streams: HashMap::new(),
            order: BTreeMap::new(),
            next_order: 0,
            addresses: AddressBook::default(),
        }
    }

    /// Appends the blocks that begin a segment file. Packets count from 1 again,
    /// and every stream is introduced again before its next packet.
    pub fn begin_segment(&mut self, out: &mut Vec<u8>) {
        self.section.begin(out);
    }

    /// Appends the statistics that end a segment file: packets by interface,
    /// and those losses in `drops` that no earlier segment has reported.
    /// Returns what the segment holds.
    pub fn end_segment(&mut self, drops: &Losses, out: &mut Vec<u8>) -> SegmentSummary {
        self.section.end(drops, out)
    }

    /// Handles an `event` that is not recorded: what it says of its stream is
    /// remembered, and written when something of the stream is recorded again.
    pub fn skip(&mut self, event: &Event) {
        let id = event.stream;
        match &event.kind {
            EventKind::Opened(origin) => {
                let recorded = self.remember(id);
                recorded.origin = Some((event.time, Arc::clone(origin)));
                recorded.introduced = 0;
            }
            EventKind::Named(name) => {
                let recorded = self.remember(id);
                recorded.sni = Some(Arc::clone(name));
                recorded.introduced = 0;
            }
            EventKind::Closed => self.forget(id),
            _ => {}
        }
    }

    /// Appends the packets for `event`. Returns the number of the packet that
    /// stands for it, from 1, if it is data or a server name.
    ///
    /// An origin is remembered and written with the stream's next packet, if
    /// the stream has none yet, so that idle connections cost nothing.
    pub fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Option<u64> {
        let (id, time) = (event.stream, event.time);
        match &event.kind {
            EventKind::Opened(origin) => {
                self.opened(id, time, origin, out);
                None
            }
            EventKind::Named(name) => {
                let note = Note {
                    named: Some(name.as_ref().to_owned()),
                    ..Note::default()
                };
                let number = if self.is_introduced(id) {
                    self.write_marker(id, time, note, out)
                } else {
                    self.introduce(id, time, note, None, out)
                };
                self.remember(id).sni = Some(Arc::clone(name));
                Some(number)
            }
            EventKind::Data(data) => Some(self.data(id, time, data, out)),
            EventKind::Missing {
                direction,
                offset,
                length,
                loss,
            } => {
                self.introduce_if_needed(id, time, Some((*direction, *offset)), out);
                let missing = MissingNote {
                    direction: (*direction).into(),
                    offset: *offset,
                    length: *length,
                    loss: loss.map(loss_name),
                };
                let note = Note {
                    missing: vec![missing],
                    ..Note::default()
                };
                self.write_marker(id, time, note, out);
                self.remember(id).next[*direction as usize] = offset.wrapping_add(*length);
                None
            }
            EventKind::Closed => {
                self.closed(id, time, out);
                None
            }
        }
    }

    fn opened(&mut self, id: StreamId, time: Timestamp, origin: &Arc<Origin>, out: &mut Vec<u8>) {
        let is_introduced = self.is_introduced(id);
        let recorded = self.remember(id);
        if recorded
            .origin
            .as_ref()
            .is_some_and(|(_, known)| known == origin)
        {
            return;
        }
        let is_known = recorded.origin.is_some();
        recorded.origin = Some((time, Arc::clone(origin)));
        if !is_introduced && !is_known && origin.blindness.is_some() {
            // It has ended, and nothing more of it will be written.
            self.introduce_if_needed(id, time, None, out);
        } else if is_introduced {
            let opened = Some(OpenedNote::new(time.0, origin));
            self.write_marker(
                id,
                time,
                Note {
                    opened,
                    ..Note::default()
                },
                out,
            );
        }
    }

    fn data(&mut self, id: StreamId, time: Timestamp, data: &Data, out: &mut Vec<u8>) -> u64 {
        let direction = data.direction;
        self.introduce_if_needed(id, time, Some((direction, data.offset)), out);
        let number = self.section.packets() + 1;
        let mut offset = data.offset;
        let mut rest = data.bytes.expose().as_ref();
        loop {
            let (payload, tail) = rest
                .split_at_checked(MAX_PACKET_PAYLOAD)
                .unwrap_or((rest, &[]));
            // PSH marks the last packet of an event, as it marks the last
            // segment of a write on a network.
            let flags = if tail.is_empty() { ACK | PSH } else { ACK };
            let note = self.is_far(id, direction, offset).then(|| Note {
                offset: Some(offset),
                ..Note::default()
            });
            self.write(
                id,
                time,
                Draft {
                    direction,
                    offset,
                    flags,
                    payload,
                    note,
                },
                out,
            );
            offset = offset.wrapping_add(payload.len() as u64);
            self.remember(id).next[direction as usize] = offset;
            rest = tail;
            if rest.is_empty() {
                return number;
            }
        }
    }

    /// Appends the packets for a message whose values were replaced: what was
    /// known of it, then its request and its response as the next bytes of the
    /// stream. Returns the number of the packet that stands for it, from 1.
    pub fn message(&mut self, message: &Message, out: &mut Vec<u8>) -> u64 {
        let (id, time) = (message.stream, message.time);
        let recorded = self.remember(id);
        let known = recorded.origin.as_ref().map(|(_, origin)| origin);
        let mut note = Note {
            messages: true,
            ..Note::default()
        };
        if let Some(origin) = message.origin.as_ref().filter(|own| known != Some(own)) {
            recorded.origin = Some((time, Arc::clone(origin)));
            note.opened = Some(OpenedNote::new(time.0, origin));
        }
        if message.server_name.is_some() && message.server_name != recorded.sni {
            recorded.sni.clone_from(&message.server_name);
            note.sni = message.server_name.as_deref().map(str::to_owned);
        }
        if !self.is_introduced(id) {
            self.introduce(id, time, note, None, out);
        } else if note.opened.is_some() || note.sni.is_some() {
            self.write_marker(id, time, note, out);
        }
        for Marker {
            message,
            proofs,
            plantings,
        } in markers(message)
        {
            let note = Note {
                message,
                proofs,
                plantings,
                ..Note::default()
            };
            self.write_marker(id, time, note, out);
        }
        let asks = asking(&message.facts);
        let answers = match asks {
            Direction::Sent => Direction::Received,
            Direction::Received => Direction::Sent,
        };
        let mut first = None;
        for (direction, text) in [(asks, &message.request), (answers, &message.response)] {
            if text.expose().is_empty() {
                continue;
            }
            let data = Data {
                direction,
                offset: self.remember(id).next[direction as usize],
                bytes: text.clone(),
            };
            first.get_or_insert(self.data(id, time, &data, out));
        }
        first.unwrap_or_else(|| self.section.packets())
    }

    fn closed(&mut self, id: StreamId, time: Timestamp, out: &mut Vec<u8>) {
        let Some(recorded) = self.streams.get(&id) else {
            return;
        };
        if recorded.introduced > 0 {
            self.introduce_if_needed(id, time, None, out);
            let offset = self.remember(id).next[0];
            let draft = Draft {
                direction: Direction::Sent,
                offset,
                flags: ACK | FIN,
                payload: &[],
                note: None,
            };
            self.write(id, time, draft, out);
        }
        self.forget(id);
    }

    fn is_introduced(&self, id: StreamId) -> bool {
        self.streams
            .get(&id)
            .is_some_and(|recorded| recorded.introduced == self.section.number())
    }

    fn is_far(&self, id: StreamId, direction: Direction, offset: u64) -> bool {
        self.streams
            .get(&id)
            .is_none_or(|recorded| recorded.next[direction as usize].abs_diff(offset) > MAX_STEP)
    }

    /// The record of stream `id`, made if there is none.
    fn remember(&mut self, id: StreamId) -> &mut Recorded {
        if !self.streams.contains_key(&id) {
            if self.streams.len() >= MAX_STREAMS
                && let Some((_, oldest)) = self.order.first_key_value()
            {
                self.forget(*oldest);
            }
            self.next_order += 1;
            self.order.insert(self.next_order, id);
        }
        let order = self.next_order;
        self.streams.entry(id).or_insert_with(|| Recorded {
            order,
            ..Recorded::default()
        })
    }

    fn forget(&mut self, id: StreamId) {
        if let Some(recorded) = self.streams.remove(&id) {
            self.order.remove(&recorded.order);
            if let Some(addresses) = &recorded.addresses {
                self.addresses.release(addresses);
            }
        }
    }

    fn introduce_if_needed(
        &mut self,
        id: StreamId,
        time: Timestamp,
        first: Option<(Direction, u64)>,
        out: &mut Vec<u8>,
    ) {
        if !self.is_introduced(id) {
            self.introduce(id, time, Note::default(), first, out);
        }
    }

    /// Writes the SYN that introduces stream `id` in this segment. `first` is
    /// the direction and offset of the data that needs it.
    fn introduce(
        &mut self,
        id: StreamId,
        time: Timestamp,
        note: Note,
        first: Option<(Direction, u64)>,
        out: &mut Vec<u8>,
    ) -> u64 {
        let segment = self.section.number();
        let assigned = match self.remember(id) {
            Recorded {
                addresses: Some(addresses),
                ..
            } => *addresses,
            Recorded { origin, .. } => {
                let origin = origin.clone();
                self.addresses
                    .assign(id, origin.as_ref().map(|(_, origin)| origin.as_ref()))
            }
        };
        let recorded = self.remember(id);
        recorded.addresses = Some(assigned);
        if recorded.introduced == 0
            && let Some((direction, offset)) = first
        {
            recorded.next[direction as usize] = offset;
        }
        recorded.introduced = segment;
        let base = recorded.next;
        let note = Note {
            stream: Some(id.into()),
            base: Some(base),
            shift: Some(assigned.shift).filter(|shift| *shift != 0),
            addresses: Some(assigned.kind.to_owned()),
            opened: recorded
                .origin
                .as_ref()
                .map(|(time, origin)| OpenedNote::new(time.0, origin)),
            sni: recorded.sni.as_deref().map(str::to_owned),
            ..note
        };
        // SYN takes one sequence number, so the first byte has the next.
        let draft = Draft {
            direction: Direction::Sent,
            offset: base[0].wrapping_sub(1),
            flags: SYN,
            payload: &[],
            note: Some(note),
        };
        self.write(id, time, draft, out)
    }

    /// Writes a packet without payload that carries `note`.
    fn write_marker(
        &mut self,
        id: StreamId,
        time: Timestamp,
        note: Note,
        out: &mut Vec<u8>,
    ) -> u64 {
        let offset = self.remember(id).next[0];
        let draft = Draft {
            direction: Direction::Sent,
            offset,
            flags: ACK,
            payload: &[],
            note: Some(note),
        };
        self.write(id, time, draft, out)
    }

    fn write(&mut self, id: StreamId, time: Timestamp, draft: Draft<'_>, out: &mut Vec<u8>) -> u64 {
        let Some(Recorded {
            addresses: Some(addresses),
            next,
            origin,
            ..
        }) = self.streams.get(&id)
        else {
            // Every caller introduces the stream first.
            return self.section.packets();
        };
        let (source, destination, other) = match draft.direction {
            Direction::Sent => (addresses.client, addresses.server, next[1]),
            Direction::Received => (addresses.server, addresses.client, next[0]),
        };
        let number = |offset: u64| {
            (offset as u32)
                .wrapping_add(1)
                .wrapping_add(addresses.shift)
        };
        let segment = Segment {
            source,
            destination,
            sequence: number(draft.offset),
            acknowledgment: if draft.flags & ACK == 0 {
                0
            } else {
                number(other)
            },
            flags: draft.flags,
            payload: draft.payload,
            cut: 0,
        };
        let pid = match origin {
            Some((_, origin)) => origin
                .process
                .as_ref()
                .map_or(id.owner, |process| process.pid),
            None => id.owner,
        };
        let capture = Captured {
            source: origin.as_ref().map(|(_, origin)| origin.source),
            time,
            direction: draft.direction,
            pid,
            comment: draft.note.map(fitting),
        };
        self.section.packet(&segment, capture, out)
    }
}
