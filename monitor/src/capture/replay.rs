//! Packets of our own captures back to the events they stand for.
//!
//! In: packets in file order with their notes. Out: events and messages equal to
//! those that were recorded. State continues across the segments of one capture.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};

use super::{
    Recorded,
    file::Packet,
    note::{
        Note, loss_from_name,
        message::{Coming, MessageNote},
    },
    packet::{ACK, Endpoint, FIN, LINK_RAW, PSH, Pair, Parsed, Segment, pair, parse, unwrap},
};
use crate::{
    event::{Data, Direction, Event, EventKind, Origin, Place, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// Streams that are remembered; the oldest is forgotten beyond that.
const MAX_STREAMS: usize = 131_072;

/// The most bytes into which the packets of one event are merged.
const MAX_MERGED: usize = 16 << 20;

#[derive(Default)]
struct Known {
    order: u64,
    origin: Option<Arc<Origin>>,
    sni: Option<Arc<str>>,
    next: [u64; 2],
    /// What was added to sequence numbers.
    shift: u32,
    pair: Option<Pair>,
    /// The stream holds messages, and gives no events of its own.
    is_messages: bool,
}

/// Data of which more packets may follow.
struct Partial {
    stream: StreamId,
    time: Timestamp,
    place: Place,
    direction: Direction,
    offset: u64,
    bytes: BytesMut,
}

/// The streams of a capture while it is read.
#[derive(Default)]
pub(super) struct Replay {
    streams: HashMap<StreamId, Known>,
    order: BTreeMap<u64, StreamId>,
    next_order: u64,
    /// The stream to which a packet's addresses belong, and its client.
    pairs: HashMap<Pair, (StreamId, Endpoint)>,
    partial: Option<Partial>,
    coming: Option<Coming>,
}

impl Replay {
    /// Appends to `queue` what `packet` stands for.
    pub(super) fn push(
        &mut self,
        packet: &Packet<'_>,
        queue: &mut VecDeque<Recorded>,
        losses: &mut Losses,
    ) {
        let note = match packet.comment.map(serde_json::from_str::<Note>) {
            None => Note::default(),
            Some(Ok(note)) => note,
            Some(Err(_)) => {
                losses.count(Loss::CaptureMalformed);
                Note::default()
            }
        };
        let Parsed::Tcp(segment) = parse(LINK_RAW, packet.data, packet.cut) else {
            losses.count(Loss::CaptureMalformed);
            return;
        };
        let key = pair(segment.source, segment.destination);
        if let Some(stream) = note.stream {
            self.flush(queue);
            self.bind(stream.into(), key, segment.source);
            if let Some(known) = self.streams.get_mut(&stream.into()) {
                known.is_messages = note.messages;
            }
        }
        let Some((stream, client)) = self.pairs.get(&key).copied() else {
            losses.count(Loss::CaptureMalformed);
            return;
        };
        let direction = if segment.source == client {
            Direction::Sent
        } else {
            Direction::Received
        };
        let is_data = segment.has(PSH) || !segment.payload.is_empty();
        let is_messages = self
            .streams
            .get(&stream)
            .is_some_and(|known| known.is_messages);
        if is_data && is_messages {
            self.text(stream, direction, packet, segment.payload, queue, losses);
            return;
        }
        if is_data {
            self.data(stream, direction, packet, &segment, note.offset, queue);
            return;
        }
        self.flush(queue);
        self.notes(stream, packet, note, queue, losses);
        if segment.has(FIN) && segment.has(ACK) {
            queue.push_back(event(packet, stream, EventKind::Closed).into());
            self.forget(stream);
        }
    }

    /// The file has ended: appends what no further packets will complete.
    pub(super) fn end(&mut self, queue: &mut VecDeque<Recorded>, losses: &mut Losses) {
        self.flush(queue);
        Coming::abandon(&mut self.coming, losses);
    }

    /// Takes the next bytes of a message.
    fn text(
        &mut self,
        stream: StreamId,
        direction: Direction,
        packet: &Packet<'_>,
        payload: &[u8],
        queue: &mut VecDeque<Recorded>,
        losses: &mut Losses,
    ) {
        let fits = self.coming.as_mut().is_some_and(|coming| {
            coming.stream == stream && coming.append(direction, payload, packet.place())
        });
        if fits {
            self.complete(queue);
        } else {
            losses.count(Loss::CaptureMalformed);
            self.coming = None;
        }
    }

    /// Begins a message.
    fn begin(
        &mut self,
        stream: StreamId,
        packet: &Packet<'_>,
        note: MessageNote,
        losses: &mut Losses,
    ) {
        Coming::abandon(&mut self.coming, losses);
        self.coming = Coming::new(stream, packet.time, note);
        if self.coming.is_none() {
            losses.count(Loss::CaptureMalformed);
        }
    }

    /// Appends the message that is being read, if it is complete.
    fn complete(&mut self, queue: &mut VecDeque<Recorded>) {
        let Some(coming) = self.coming.take_if(|coming| coming.is_whole()) else {
            return;
        };
        let mut message = coming.finish();
        if let Some(known) = self.streams.get(&message.stream) {
            message.origin.clone_from(&known.origin);
            message.server_name.clone_from(&known.sni);
        }
        queue.push_back(message.into());
    }

    /// Appends what no further packets of this file will complete.
    pub(super) fn flush(&mut self, queue: &mut VecDeque<Recorded>) {
        if let Some(partial) = self.partial.take() {
            queue.push_back(Recorded::Event(Event {
                time: partial.time,
                stream: partial.stream,
                place: Some(partial.place),
                kind: EventKind::Data(Data {
                    direction: partial.direction,
                    offset: partial.offset,
                    bytes: Secret::new(partial.bytes.freeze()),
                }),
            }));
        }
    }

    fn bind(&mut self, stream: StreamId, key: Pair, client: Endpoint) {
        if !self.streams.contains_key(&stream) {
            if self.streams.len() >= MAX_STREAMS
                && let Some((_, oldest)) = self.order.first_key_value()
            {
                self.forget(*oldest);
            }
            self.next_order += 1;
            self.order.insert(self.next_order, stream);
        }
        let order = self.next_order;
        let known = self.streams.entry(stream).or_insert_with(|| Known {
            order,
            ..Known::default()
        });
        if let Some(previous) = known.pair.replace(key)
            && previous != key
            && self
                .pairs
                .get(&previous)
                .is_some_and(|(owner, _)| *owner == stream)
        {
            self.pairs.remove(&previous);
        }
        self.pairs.insert(key, (stream, client));
    }

    fn forget(&mut self, stream: StreamId) {
        if let Some(known) = self.streams.remove(&stream) {
            self.order.remove(&known.order);
            if let Some(key) = known.pair
                && self
                    .pairs
                    .get(&key)
                    .is_some_and(|(owner, _)| *owner == stream)
            {
                self.pairs.remove(&key);
            }
        }
    }

    fn notes(
        &mut self,
        stream: StreamId,
        packet: &Packet<'_>,
        note: Note,
        queue: &mut VecDeque<Recorded>,
        losses: &mut Losses,
    ) {
        let Some(known) = self.streams.get_mut(&stream) else {
            return;
        };
        if known.is_messages {
            if let Some(opened) = note.opened {
                known.origin = opened.origin().map(Arc::new);
            }
            if let Some(name) = note.sni {
                known.sni = Some(name.into());
            }
            if let Some(message) = note.message {
                self.begin(stream, packet, message, losses);
            }
            if let Some(coming) = self.coming.as_mut().filter(|own| own.stream == stream) {
                coming.add(note.proofs, note.plantings);
                // One without texts is whole with its markers.
                self.complete(queue);
            }
            return;
        }
        if let Some(base) = note.base {
            known.next = base;
            known.shift = note.shift.unwrap_or_default();
        }
        if let Some(opened) = note.opened {
            let time = Timestamp(opened.time);
            match opened.origin() {
                // A segment repeats what the one before it said.
                Some(origin) if known.origin.as_deref() != Some(&origin) => {
                    let origin = Arc::new(origin);
                    known.origin = Some(Arc::clone(&origin));
                    let kind = EventKind::Opened(origin);
                    queue.push_back(Recorded::Event(Event {
                        time,
                        stream,
                        place: None,
                        kind,
                    }));
                }
                Some(_) => {}
                None => losses.count(Loss::CaptureUnsupported),
            }
        }
        let repeated = note.sni.filter(|name| known.sni.as_deref() != Some(name));
        for name in repeated.into_iter().chain(note.named) {
            let name: Arc<str> = name.into();
            known.sni = Some(Arc::clone(&name));
            let mut named = event(packet, stream, EventKind::Named(name));
            named.place = Some(packet.place());
            queue.push_back(named.into());
        }
        for missing in note.missing {
            let direction = Direction::from(missing.direction);
            known.next[direction as usize] = missing.offset.wrapping_add(missing.length);
            let kind = EventKind::Missing {
                direction,
                offset: missing.offset,
                length: missing.length,
                loss: missing.loss.as_deref().and_then(loss_from_name),
            };
            queue.push_back(event(packet, stream, kind).into());
        }
    }

    fn data(
        &mut self,
        stream: StreamId,
        direction: Direction,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        far: Option<u64>,
        queue: &mut VecDeque<Recorded>,
    ) {
        let Some(known) = self.streams.get_mut(&stream) else {
            return;
        };
        let next = &mut known.next[direction as usize];
        let low = segment.sequence.wrapping_sub(known.shift).wrapping_sub(1);
        let offset = far.unwrap_or_else(|| unwrap(*next, low));
        *next = offset.wrapping_add(segment.payload.len() as u64);
        let continues = self.partial.as_ref().is_some_and(|partial| {
            partial.stream == stream
                && partial.direction == direction
                && partial.time == packet.time
                && partial.offset.wrapping_add(partial.bytes.len() as u64) == offset
                && partial.bytes.len() < MAX_MERGED
        });
        if !continues {
            self.flush(queue);
        }
        if segment.has(PSH) && self.partial.is_none() {
            let bytes = Secret::new(Bytes::copy_from_slice(segment.payload));
            let mut data = event(
                packet,
                stream,
                EventKind::Data(Data {
                    direction,
                    offset,
                    bytes,
                }),
            );
            data.place = Some(packet.place());
            queue.push_back(data.into());
            return;
        }
        let partial = self.partial.get_or_insert_with(|| Partial {
            stream,
            time: packet.time,
            place: packet.place(),
            direction,
            offset,
            bytes: BytesMut::new(),
        });
        partial.bytes.extend_from_slice(segment.payload);
        if segment.has(PSH) {
            self.flush(queue);
        }
    }
}

fn event(packet: &Packet<'_>, stream: StreamId, kind: EventKind) -> Event {
    Event {
        time: packet.time,
        stream,
        place: None,
        kind,
    }
}
