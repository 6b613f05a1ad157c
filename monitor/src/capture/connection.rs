//! Packets of foreign captures to events: one stream for each TCP connection.
//!
//! In: packets in file order. Out: data with offsets from the start of the
//! connection, as the packets came: repeated, overlapping or out of order bytes
//! are put in order by the stream stage. A connection whose start was not seen
//! begins at [`LATE_OFFSET`].

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use bytes::Bytes;

use super::{
    input::Packet,
    packet::{ACK, Endpoint, FIN, Pair, Parsed, RST, SYN, Segment, pair, parse},
    replay::unwrap,
};
use crate::{
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// Offset of the first byte seen of a connection whose start was not seen, so
/// that bytes sent again from before it have offsets too.
pub const LATE_OFFSET: u64 = 1 << 32;

/// Connections that are followed; the longest idle one is closed beyond that.
const MAX_CONNECTIONS: usize = 65_536;

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

/// One direction of a connection.
#[derive(Default)]
struct Half {
    /// Sequence number of SYN, where it was seen.
    initial: Option<u32>,
    /// Sequence number that has offset `origin`, once one was seen.
    base: Option<u32>,
    /// Offset of `base`: 0, or [`LATE_OFFSET`].
    origin: u64,
    /// End of the farthest byte seen.
    end: u64,
    is_finished: bool,
}

struct Connection {
    stream: StreamId,
    /// The end that opened the connection, where that is known.
    client: Option<Endpoint>,
    /// By the order of the ends in the key.
    halves: [Half; 2],
    /// `Opened` was given.
    is_opened: bool,
    is_closed: bool,
    /// Position in the order of last activity.
    activity: u64,
}

/// The connections of foreign captures while they are read.
#[derive(Default)]
pub(super) struct Connections {
    table: HashMap<Pair, Connection>,
    by_activity: BTreeMap<u64, Pair>,
    clock: u64,
    /// Connections so far, which numbers them.
    count: u64,
    last: Timestamp,
}

impl Connections {
    /// A number for a stream that no other stream of this reading has.
    pub(super) fn next_handle(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Appends to `queue` what `packet` says.
    pub(super) fn push(
        &mut self,
        packet: &Packet<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        self.last = packet.time;
        match parse(packet.link, packet.data) {
            Parsed::Tcp(segment) => self.segment(packet, &segment, queue, losses),
            Parsed::Other => {}
            Parsed::Unsupported => losses.count(Loss::CaptureUnsupported),
            Parsed::Malformed => losses.count(Loss::CaptureMalformed),
        }
    }

    /// Closes every connection, in the order of last activity.
    pub(super) fn finish(&mut self, queue: &mut VecDeque<Event>) {
        while let Some((_, key)) = self.by_activity.pop_first() {
            if let Some(mut connection) = self.table.remove(&key) {
                connection.close(self.last, queue);
            }
        }
    }

    fn segment(
        &mut self,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        let key = pair(segment.source, segment.destination);
        // Which half the sender is. Both ends alike would be no connection.
        let side = usize::from(segment.source != key.0);
        if segment.has(SYN) {
            self.begin(key, side, packet, segment, queue);
        }
        if !segment.payload.is_empty() {
            self.payload((key, side), packet, segment, queue, losses);
        }
        let Some(connection) = self.table.get_mut(&key) else {
            return;
        };
        if segment.has(FIN)
            && let Some(half) = connection.halves.get_mut(side)
        {
            half.is_finished = true;
        }
        if segment.has(RST) || connection.halves.iter().all(|half| half.is_finished) {
            connection.close(packet.time, queue);
        }
        self.touch(key);
    }

    /// Takes in a SYN: a new connection, or the second half of one.
    fn begin(
        &mut self,
        key: Pair,
        side: usize,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        queue: &mut VecDeque<Event>,
    ) {
        if let Some(connection) = self.table.get_mut(&key) {
            let half = &mut connection.halves[side];
            match half.initial {
                // Sent again.
                Some(initial) if initial == segment.sequence => return,
                // The answer to the SYN of the other side.
                None if half.base.is_none() && !connection.is_closed && segment.has(ACK) => {
                    half.start(segment.sequence);
                    return;
                }
                // The addresses are used again.
                _ => connection.close(packet.time, queue),
            }
        }
        let client = if segment.has(ACK) {
            segment.destination
        } else {
            segment.source
        };
        let connection = self.insert(key, Some(client), packet.time, queue);
        connection.halves[side].start(segment.sequence);
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
        let is_known = match self.table.get_mut(&key) {
            None => false,
            Some(connection) if connection.is_closed => {
                // Bytes sent again after the end say nothing new; other bytes
                // belong to a connection whose SYN was not seen.
                if connection.halves[side].is_repeated(sequence, segment.payload.len()) {
                    return;
                }
                false
            }
            Some(_) => true,
        };
        if !is_known {
            self.insert(key, None, packet.time, queue);
        }
        let Some(connection) = self.table.get_mut(&key) else {
            return;
        };
        let client = *connection
            .client
            .get_or_insert_with(|| guess_client(segment));
        let direction = if segment.source == client {
            Direction::Sent
        } else {
            Direction::Received
        };
        let Some((offset, payload)) = connection.halves[side].place(sequence, segment.payload)
        else {
            return;
        };
        if !connection.is_opened {
            connection.is_opened = true;
            let server = if key.0 == client { key.1 } else { key.0 };
            let origin = Origin {
                source: Source::Pcap,
                process: None,
                local: Some(SocketAddr::new(client.0, client.1)),
                peer: Some(SocketAddr::new(server.0, server.1)),
            };
            queue.push_back(Event {
                time: packet.time,
                stream: connection.stream,
                place: None,
                kind: EventKind::Opened(Arc::new(origin)),
            });
        }
        let end = offset.saturating_add(payload.len() as u64);
        let bytes = Secret::new(Bytes::copy_from_slice(payload));
        queue.push_back(Event {
            time: packet.time,
            stream: connection.stream,
            place: Some(packet.place()),
            kind: EventKind::Data(Data {
                direction,
                offset,
                bytes,
            }),
        });
        if segment.cut > 0 {
            losses.count(Loss::CaptureTruncated);
            let (length, loss) = (u64::from(segment.cut), Some(Loss::CaptureTruncated));
            let kind = EventKind::Missing {
                direction,
                offset: end,
                length,
                loss,
            };
            queue.push_back(Event {
                time: packet.time,
                stream: connection.stream,
                place: None,
                kind,
            });
        }
    }

    fn insert(
        &mut self,
        key: Pair,
        client: Option<Endpoint>,
        time: Timestamp,
        queue: &mut VecDeque<Event>,
    ) -> &mut Connection {
        if let Some(previous) = self.table.remove(&key) {
            self.by_activity.remove(&previous.activity);
        } else if self.table.len() >= MAX_CONNECTIONS
            && let Some((_, idle)) = self.by_activity.pop_first()
            && let Some(mut evicted) = self.table.remove(&idle)
        {
            evicted.close(time, queue);
        }
        self.clock += 1;
        self.by_activity.insert(self.clock, key);
        let stream = StreamId {
            owner: 0,
            handle: self.next_handle(),
            born: time.0,
        };
        let activity = self.clock;
        self.table.entry(key).or_insert_with(|| Connection {
            stream,
            client,
            halves: [Half::default(), Half::default()],
            is_opened: false,
            is_closed: false,
            activity,
        })
    }

    fn touch(&mut self, key: Pair) {
        if let Some(connection) = self.table.get_mut(&key) {
            self.by_activity.remove(&connection.activity);
            self.clock += 1;
            connection.activity = self.clock;
            self.by_activity.insert(self.clock, key);
        }
    }
}

impl Connection {
    fn close(&mut self, time: Timestamp, queue: &mut VecDeque<Event>) {
        if self.is_opened && !self.is_closed {
            let kind = EventKind::Closed;
            queue.push_back(Event {
                time,
                stream: self.stream,
                place: None,
                kind,
            });
        }
        self.is_closed = true;
    }
}

impl Half {
    /// Takes in the sequence number of SYN.
    fn start(&mut self, sequence: u32) {
        self.initial = Some(sequence);
        self.base = Some(sequence.wrapping_add(1));
    }

    /// The offset of `payload` at `sequence`, without the bytes before offset 0.
    fn place<'p>(&mut self, sequence: u32, payload: &'p [u8]) -> Option<(u64, &'p [u8])> {
        let base = *self.base.get_or_insert_with(|| {
            (self.origin, self.end) = (LATE_OFFSET, LATE_OFFSET);
            sequence
        });
        let low = sequence.wrapping_sub(base);
        // Signed, as the bytes may be from before the base.
        let position = unwrap(self.end.wrapping_sub(self.origin), low).cast_signed();
        let offset = position.checked_add_unsigned(self.origin)?;
        let before = usize::try_from(offset.min(0).unsigned_abs()).ok()?;
        let payload = payload.get(before..).filter(|rest| !rest.is_empty())?;
        let offset = offset.max(0).unsigned_abs();
        self.end = self.end.max(offset.saturating_add(payload.len() as u64));
        Some((offset, payload))
    }

    /// Whether all of `length` bytes at `sequence` come before the end seen.
    fn is_repeated(&self, sequence: u32, length: usize) -> bool {
        let Some(base) = self.base else { return false };
        let position = unwrap(
            self.end.wrapping_sub(self.origin),
            sequence.wrapping_sub(base),
        );
        let end = position
            .wrapping_add(self.origin)
            .wrapping_add(length as u64)
            .cast_signed();
        end <= self.end.cast_signed()
    }
}

/// The client of a connection that was joined late, from its first payload.
fn guess_client(segment: &Segment<'_>) -> Endpoint {
    let payload = segment.payload;
    let tls = |message: u8| {
        payload.starts_with(&[0x16, 0x03]) && payload.get(5).is_some_and(|kind| *kind == message)
    };
    if METHODS.iter().any(|method| payload.starts_with(method)) || tls(1) {
        segment.source
    } else if payload.starts_with(b"HTTP/1.") || tls(2) || segment.source.1 < segment.destination.1
    {
        segment.destination
    } else {
        segment.source
    }
}

#[cfg(test)]
mod tests;
