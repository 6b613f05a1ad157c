//! One connection of a foreign capture: its state and its events.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use bytes::Bytes;

use super::{pending::PendingData, tcp_direction::TcpDirection};
use crate::{
    capture::{
        file::Packet,
        packet::{Endpoint, Pair},
    },
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// A connection. What it holds is payload: no `Debug`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may hold without the others"
)]
pub(super) struct Connection {
    pub(super) stream: StreamId,
    /// The end that opened the connection, where that is known.
    pub(super) client: Option<Endpoint>,
    /// By the order of the ends in the key.
    pub(super) directions: [TcpDirection; 2],
    /// `Opened` was given.
    pub(super) is_opened: bool,
    pub(super) is_closed: bool,
    pub(super) was_reset: bool,
    pub(super) is_lingering: bool,
    /// What waits for bytes that it answers.
    pub(super) pending: PendingData,
    /// Position in the order of last activity.
    pub(super) activity: u64,
}

impl Connection {
    /// Whether its last packet was seen.
    pub(super) fn has_ended(&self) -> bool {
        self.was_reset || self.directions.iter().all(TcpDirection::is_finished)
    }

    /// Queues data, and before the first data the beginning of the stream.
    pub(super) fn data(
        &mut self,
        key: Pair,
        direction: Direction,
        offset: u64,
        bytes: Bytes,
        packet: &Packet<'_>,
        queue: &mut VecDeque<Event>,
    ) {
        if !self.is_opened {
            self.is_opened = true;
            let client = self.client.unwrap_or(key.0);
            let server = if key.0 == client { key.1 } else { key.0 };
            let origin = Origin {
                source: Source::Pcap,
                process: None,
                local: Some(SocketAddr::new(client.0, client.1)),
                peer: Some(SocketAddr::new(server.0, server.1)),
                one_way: false,
                blindness: None,
            };
            queue.push_back(Event {
                time: packet.time,
                stream: self.stream,
                place: None,
                kind: EventKind::Opened(Arc::new(origin)),
            });
        }
        let bytes = Secret::new(bytes);
        queue.push_back(Event {
            time: packet.time,
            stream: self.stream,
            place: Some(packet.place()),
            kind: EventKind::Data(Data {
                direction,
                offset,
                bytes,
            }),
        });
    }

    /// Queues a gap of `length` bytes that were on the wire and are not in the
    /// capture.
    pub(super) fn missing(
        &self,
        direction: Direction,
        offset: u64,
        length: u32,
        time: Timestamp,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        if length == 0 {
            return;
        }
        losses.count(Loss::CaptureTruncated);
        queue.push_back(Event {
            time,
            stream: self.stream,
            place: None,
            kind: EventKind::Missing {
                direction,
                offset,
                length: u64::from(length),
                loss: Some(Loss::CaptureTruncated),
            },
        });
    }

    pub(super) fn close(
        &mut self,
        time: Timestamp,
        queue: &mut VecDeque<Event>,
        losses: &mut Losses,
    ) {
        self.release(time, queue, losses);
        if self.is_opened && !self.is_closed {
            queue.push_back(Event {
                time,
                stream: self.stream,
                place: None,
                kind: EventKind::Closed,
            });
        }
        self.is_closed = true;
    }
}
