//! What the stream stage hands on.

use std::sync::Arc;

use bytes::Bytes;

use super::ClientHello;
use crate::{
    event::{Direction, Origin, Place, StreamId, Timestamp},
    secret::Secret,
};

/// What is known about a stream. None of it is payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Source, process and addresses.
    pub origin: Option<Arc<Origin>>,
    /// The name that the TLS client asked for.
    pub server_name: Option<Arc<str>>,
}

/// One step of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The stream.
    pub stream: StreamId,
    /// What is known about it at this moment.
    pub facts: Arc<Facts>,
    /// When it happened: the time of the event that brought it.
    pub time: Timestamp,
    /// When it was passed on, by the clock of the core: never earlier than the
    /// delivery before. Differs from `time` if bytes waited for others.
    pub now: Timestamp,
    /// Where it is recorded, if it is.
    pub place: Option<Place>,
    /// Whether the direction was joined here, after its beginning.
    pub late: bool,
    /// What happened.
    pub what: Segment,
}

/// What happened on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The next bytes of a direction.
    Bytes {
        /// Which way they went.
        direction: Direction,
        /// The bytes.
        bytes: Secret<Bytes>,
    },
    /// The next bytes of a direction are missing.
    Gap {
        /// Which way they went.
        direction: Direction,
        /// How many.
        length: u64,
    },
    /// The stream is TLS or QUIC that cannot be read; its bytes are not delivered.
    Hello(ClientHello),
    /// On such a stream the process begins to send more than a handshake, as far as
    /// its records show.
    Encrypted,
    /// Nothing more will come.
    Closed,
}
