//! Packets of foreign captures to events: one stream for each TCP connection.
//!
//! In: packets in file order. Out: data with offsets from the start of the
//! connection, as the packets came: overlapping or out of order bytes are put in
//! order by the stream stage. A connection whose start was not seen begins at
//! [`LATE_OFFSET`].

mod pending;
mod single;
mod tcp_direction;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use hashbrown::HashMap;

use pending::PendingData;
use single::Connection;
use tcp_direction::{Placed, TcpDirection};

use crate::{
    capture::{
        file::Packet,
        packet::{
            ACK, Endpoint, FIN, Fragments, PSH, Pair, Parsed, Pdu, RST, SYN, Segment, datagram,
            pair, parse, unwrap,
        },
    },
    event::{Direction, Event, StreamId, Timestamp},
    loss::{Loss, Losses},
};

/// Offset of the first byte seen of a connection whose start was not seen, so
/// that bytes sent again from before it have offsets too.
pub const LATE_OFFSET: u64 = 1 << 32;

/// Connections that are followed; the longest idle one is closed beyond that.
const MAX_CONNECTIONS: usize = 65_536;

/// How long a connection that ended waits for bytes from before its end, in
/// nanoseconds: packets can be captured out of order.
const MAX_LINGER: u64 = 2_000_000_000;

/// Bytes of payload that share a piece of memory.
const BUFFER: usize = 64 * 1024;

/// The connections of foreign captures while they are read.
#[derive(Default)]
pub(in crate::capture) struct Connections {
    table: HashMap<Pair, Connection>,
    /// By activity at the last look; each connection occurs once.
    idle: VecDeque<(u64, Pair)>,
    /// Connections that ended although bytes from before their end are missing,
    /// and when they stop waiting for them.
    lingering: VecDeque<(Timestamp, Pair, StreamId)>,
    /// Connections that hold answers, and when they stop.
    holding: VecDeque<(Timestamp, Pair, StreamId)>,
    fragments: Fragments,
    buffers: Buffers,
    clock: u64,
    /// Connections so far, which numbers them.
    count: u64,
    /// The latest time of a packet so far.
    last: Timestamp,
}

impl Connections {
    /// A number for a stream that no other stream of this reading has.
    pub(in crate::capture) const fn next_handle(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Appends to `queue` what `packet` says.
    pub(in crate::capture) fn push(
        &mut self,
        packet: &Packet<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        self.last = self.last.max(packet.time);
        self.stop_holding(queue, losses);
        self.stop_lingering(queue, losses);
        self.take(
            packet,
            parse(packet.link, packet.data, packet.cut),
            queue,
            losses,
        );
    }

    fn take(
        &mut self,
        packet: &Packet<'_>,
        parsed: Parsed<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        match parsed {
            Parsed::Tcp(segment) => self.segment(packet, &segment, queue, losses),
            Parsed::Pdu(pdu) => self.pdu(packet, &pdu, queue, losses),
            Parsed::Fragment(fragment) => {
                if let Some(whole) = self.fragments.push(&fragment, self.last, losses) {
                    let (source, destination) = (whole.source, whole.destination);
                    let parsed = datagram(source, destination, whole.protocol, &whole.payload);
                    // A fragment of a fragment nobody sends.
                    if matches!(parsed, Parsed::Fragment(_)) {
                        losses.count(Loss::CaptureUnsupported);
                    } else {
                        self.take(packet, parsed, queue, losses);
                    }
                }
            }
            Parsed::Other => {}
            Parsed::Unsupported => losses.count(Loss::CaptureUnsupported),
            Parsed::Cut => losses.count(Loss::CaptureTruncated),
            Parsed::Malformed => losses.count(Loss::CaptureMalformed),
        }
    }

    /// Closes every connection, in the order of last activity.
    pub(in crate::capture) fn finish(&mut self, queue: &mut VecDeque<Event>, losses: &mut Losses) {
        self.fragments.finish(losses);
        let mut left: Vec<_> = self
            .table
            .drain()
            .map(|(_, connection)| connection)
            .collect();
        left.sort_unstable_by_key(|connection| connection.activity);
        for mut connection in left {
            connection.close(self.last, queue, losses);
        }
        self.idle.clear();
        self.lingering.clear();
        self.holding.clear();
    }

    fn segment(
        &mut self,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        let key = pair(segment.source, segment.destination);
        // Which direction the packet is of. Two equal ends would be no
        // connection.
        let side = usize::from(segment.source != key.0);
        if segment.has(SYN) {
            self.begin((key, side), packet, segment, queue, losses);
        }
        if !segment.payload.is_empty() {
            self.payload((key, side), packet, segment, queue, losses);
        }
        self.clock += 1;
        let (clock, last) = (self.clock, self.last);
        let Some(connection) = self.table.get_mut(&key) else {
            return;
        };
        connection.activity = clock;
        if segment.has(FIN)
            && let Some(direction) = connection.directions.get_mut(side)
        {
            let length = segment.payload.len() as u32 + segment.cut + u32::from(segment.has(SYN));
            direction.finish(segment.sequence.wrapping_add(length));
        }
        connection.was_reset |= segment.has(RST);
        if !connection.is_closed && connection.has_ended() {
            if connection.directions.iter().all(TcpDirection::is_whole) {
                connection.close(packet.time, queue, losses);
            } else if !connection.is_lingering {
                connection.is_lingering = true;
                let due = last.plus(MAX_LINGER);
                self.lingering.push_back((due, key, connection.stream));
            }
        }
    }

    /// Closes the connections that have waited long enough for what is missing.
    fn stop_lingering(&mut self, queue: &mut VecDeque<Event>, losses: &mut Losses) {
        let is_due = |(due, ..): &mut (Timestamp, Pair, StreamId)| *due <= self.last;
        while let Some((due, key, stream)) = self.lingering.pop_front_if(is_due) {
            if let Some(connection) = self.table.get_mut(&key)
                && connection.stream == stream
            {
                connection.close(due, queue, losses);
            }
        }
    }

    /// Gives up on bytes for which responses have waited long enough.
    fn stop_holding(&mut self, queue: &mut VecDeque<Event>, losses: &mut Losses) {
        let is_due = |(due, ..): &mut (Timestamp, Pair, StreamId)| *due <= self.last;
        while let Some((due, key, stream)) = self.holding.pop_front_if(is_due) {
            if let Some(connection) = self.table.get_mut(&key)
                && connection.stream == stream
                && connection.pending.is_due(due)
            {
                connection.release(due, queue, losses);
            }
        }
    }

    /// Handles a SYN: a new connection, or the other side's part of the
    /// handshake.
    fn begin(
        &mut self,
        (key, side): (Pair, usize),
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        let is_answer = segment.has(ACK);
        if let Some(connection) = self.table.get_mut(&key) {
            let other_began = connection.directions[1 - side].initial.is_some();
            let direction = &mut connection.directions[side];
            match direction.initial {
                // Sent again.
                Some(initial) if initial == segment.sequence => return,
                None if connection.is_closed => {}
                // The response to the SYN of the other side; or both sides
                // opened at once, or the response was captured first.
                None if !direction.has_bytes() && (is_answer || other_began) => {
                    direction.start(segment.sequence);
                    if is_answer {
                        connection.directions[1 - side].start_before(segment.acknowledgment);
                    }
                    return;
                }
                // Captured behind the first bytes.
                None if direction.could_begin_at(segment.sequence) => {
                    direction.initial = Some(segment.sequence);
                    return;
                }
                _ => {}
            }
            // The addresses are used again.
            connection.close(packet.time, queue, losses);
        }
        let client = if is_answer {
            segment.destination
        } else {
            segment.source
        };
        let connection = self.insert(key, Some(client), packet.time, queue, losses);
        connection.directions[side].start(segment.sequence);
        if is_answer {
            connection.directions[1 - side].start_before(segment.acknowledgment);
        }
    }

    fn payload(
        &mut self,
        (key, side): (Pair, usize),
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        // SYN takes a sequence number of its own before the data.
        let sequence = segment.sequence.wrapping_add(u32::from(segment.has(SYN)));
        let is_probe = segment.payload == [0] && !segment.has(PSH) && segment.cut == 0;
        let known = self.table.get_mut(&key).and_then(|connection| {
            let direction = &mut connection.directions[side];
            if is_probe && !direction.has_begun() {
                direction.probe(sequence);
                return Some(Placed::Repeated);
            }
            match direction.place(sequence, segment.payload, segment.cut) {
                // Retransmissions after the end are ignored; other bytes belong
                // to a connection whose SYN was not captured.
                Placed::Repeated => Some(Placed::Repeated),
                Placed::New(..) if connection.is_closed => None,
                Placed::Elsewhere => {
                    connection.close(packet.time, queue, losses);
                    None
                }
                placed @ Placed::New(..) => Some(placed),
            }
        });
        let placed = if let Some(placed) = known {
            placed
        } else {
            let direction = &mut self
                .insert(key, None, packet.time, queue, losses)
                .directions[side];
            if is_probe {
                direction.probe(sequence);
                return;
            }
            direction.place(sequence, segment.payload, segment.cut)
        };
        let (Placed::New(offset, payload), Some(connection)) = (placed, self.table.get_mut(&key))
        else {
            return;
        };
        let client = *connection
            .client
            .get_or_insert_with(|| guess_client(segment.source, segment.destination, payload));
        let direction = if segment.source == client {
            Direction::Sent
        } else {
            Direction::Received
        };
        let end = offset.saturating_add(payload.len() as u64);
        let is_answer = segment.has(ACK) && connection.must_hold(side, segment.acknowledgment);
        let mut pending = VecDeque::new();
        let out = if is_answer { &mut pending } else { &mut *queue };
        let bytes = if is_answer {
            // Held data must not keep the buffer with other payloads alive.
            Bytes::copy_from_slice(payload)
        } else {
            self.buffers.keep(payload)
        };
        connection.data(key, direction, offset, bytes, packet, out);
        connection.missing(direction, end, segment.cut, packet.time, out, losses);
        if let Some(due) = connection.hold(side, pending, segment.acknowledgment, self.last) {
            self.holding.push_back((due, key, connection.stream));
        }
        if !connection.is_waiting() {
            connection.release(packet.time, queue, losses);
        }
    }

    /// Handles a message that stands for all packets that carried it.
    fn pdu(
        &mut self,
        packet: &Packet<'_>,
        pdu: &Pdu<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        let &Pdu {
            source,
            destination,
            payload,
        } = pdu;
        if payload.is_empty() {
            return;
        }
        let key = pair(source, destination);
        // HTTP/2 begins once in a connection.
        let begins = begins_http2(payload);
        if let Some(known) = self
            .table
            .get_mut(&key)
            .filter(|known| begins && known.is_opened)
        {
            known.close(packet.time, queue, losses);
        }
        if self.table.get(&key).is_none_or(|known| known.is_closed) {
            let client = guess_client(source, destination, payload);
            self.insert(key, Some(client), packet.time, queue, losses);
        }
        self.clock += 1;
        let clock = self.clock;
        let Some(connection) = self.table.get_mut(&key) else {
            return;
        };
        connection.activity = clock;
        let is_sent = if source == destination {
            // Where the addresses are equal, the text tells who sent it.
            !payload.starts_with(b"HTTP/")
        } else {
            connection.client.is_none_or(|client| client == source)
        };
        let (direction, side) = if is_sent {
            (Direction::Sent, 0)
        } else {
            (Direction::Received, 1)
        };
        let tcp = &mut connection.directions[side];
        let offset = tcp.append(payload.len());
        let end = tcp.append(packet.cut as usize);
        let bytes = self.buffers.keep(payload);
        connection.data(key, direction, offset, bytes, packet, queue);
        connection.missing(direction, end, packet.cut, packet.time, queue, losses);
    }

    fn insert(
        &mut self,
        key: Pair,
        client: Option<Endpoint>,
        time: Timestamp,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) -> &mut Connection {
        if !self.table.contains_key(&key) {
            if self.table.len() >= MAX_CONNECTIONS {
                self.evict(time, queue, losses);
            }
            self.idle.push_back((self.clock, key));
        }
        let stream = StreamId {
            owner: 0,
            handle: self.next_handle(),
            born: time.0,
        };
        let connection = Connection {
            stream,
            client,
            directions: [TcpDirection::default(), TcpDirection::default()],
            is_opened: false,
            is_closed: false,
            was_reset: false,
            is_lingering: false,
            pending: PendingData::default(),
            activity: self.clock,
        };
        self.table.entry(key).insert(connection).into_mut()
    }

    /// Closes and forgets the connection that was idle for the longest time.
    fn evict(&mut self, time: Timestamp, queue: &mut VecDeque<Event>, losses: &mut Losses) {
        while let Some((activity, key)) = self.idle.pop_front() {
            match self.table.get(&key) {
                Some(connection) if connection.activity == activity => {
                    if let Some(mut evicted) = self.table.remove(&key) {
                        evicted.close(time, queue, losses);
                    }
                    return;
                }
                // Active since.
                Some(connection) => self.idle.push_back((connection.activity, key)),
                None => {}
            }
        }
    }
}

/// Payloads of many packets share a buffer, which lives as long as any of them
/// is held: data that waits longer is copied.
#[derive(Default)]
struct Buffers(BytesMut);

impl Buffers {
    /// A copy of `payload` in the shared buffer.
    fn keep(&mut self, payload: &[u8]) -> Bytes {
        if self.0.capacity() < payload.len() {
            self.0 = BytesMut::with_capacity(payload.len().max(BUFFER));
        }
        self.0.extend_from_slice(payload);
        self.0.split().freeze()
    }
}

/// How a request begins.
const METHODS: [&[u8]; 10] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"PATCH ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"TRACE ",
    b"PRI ",
];

/// How a client begins HTTP/2.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2";

/// Whether a client begins HTTP/2 with this.
fn begins_http2(payload: &[u8]) -> bool {
    payload.starts_with(HTTP2_PREFACE)
}

/// Guesses the client of a connection that was joined late, from the first
/// bytes that one end sends.
fn guess_client(source: Endpoint, destination: Endpoint, payload: &[u8]) -> Endpoint {
    let tls = |message: u8| {
        payload.starts_with(&[0x16, 0x03]) && payload.get(5).is_some_and(|kind| *kind == message)
    };
    if METHODS.iter().any(|method| payload.starts_with(method)) || tls(1) {
        source
    } else if payload.starts_with(b"HTTP/1.") || tls(2) || source.1 < destination.1 {
        destination
    } else {
        source
    }
}

#[cfg(test)]
mod tests;
