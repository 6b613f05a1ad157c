//! What a probe, or a capture in its place, delivers: the core's input, besides
//! the finished messages of redacted captures.
//!
//! Events are owned, validated and carry their own time, so that the core needs
//! no clock. An event that replay reads from a capture equals the event that
//! was recorded, which is why live and replay give the same findings.

mod blindness;
mod moment;

use std::{fmt, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, Serializer};

pub use self::{
    blindness::Blindness,
    moment::{Span, parse_time},
};
use crate::{loss::Loss, name::named, secret::Secret};

/// Nanoseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This time and `nanoseconds` more, saturating.
    #[must_use]
    pub const fn plus(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// Nanoseconds from `earlier` to this time, 0 if it is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// RFC 3339 in UTC with nanoseconds: `2026-11-24T02:41:03.123456789Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanoseconds) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let time = jiff::Timestamp::new(seconds.cast_signed(), nanoseconds as i32)
            .expect("64 bits of nanoseconds end in 2554");
        write!(f, "{time:.9}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Names one stream: the ordered bytes of one process on one connection.
///
/// A TLS object's address alone is reused and collides between processes, so
/// the process and the time of the stream's birth are part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// Thread-group id of the process; 0 where it is not known.
    pub owner: u32,
    /// Address of the TLS object, cookie of the socket, or a number that the
    /// capture reader gave to the connection.
    pub handle: u64,
    /// When the stream was first seen, by the clock of the source.
    pub born: u64,
}

named! {
    /// Which hook, or which kind of file, saw the bytes.
    pub enum Source {
        /// `SSL_write` and its relatives.
        OpenSsl = "openssl",
        /// `gnutls_record_send` and its relatives.
        GnuTls = "gnutls",
        /// Go's `crypto/tls`.
        Go = "go",
        /// Plaintext, or the first TLS record, on a socket.
        Socket = "socket",
        /// The first datagrams of a QUIC connection, each a chunk.
        Quic = "quic",
        /// A packet capture that phiwatch did not write.
        Pcap = "pcap",
        /// An HTTP archive.
        Har = "har",
    }
}

impl Source {
    /// Whether it is a TLS library, which gives plaintext call by call.
    pub const fn is_tls(self) -> bool {
        match self {
            Self::OpenSsl | Self::GnuTls | Self::Go => true,
            Self::Socket | Self::Quic | Self::Pcap | Self::Har => false,
        }
    }

    /// Whether chunks can arrive out of order, twice or overlapping.
    pub const fn is_packets(self) -> bool {
        matches!(self, Self::Socket | Self::Quic | Self::Pcap)
    }
}

/// The process behind a stream. None of this is payload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Process {
    /// Thread-group id in the host's pid namespace.
    pub pid: u32,
    /// Path of the executable, as the kernel shows it.
    pub exe: Option<String>,
    /// The name of the thread-group leader, at most 15 bytes.
    pub comm: Option<String>,
    /// Path in the cgroup v2 hierarchy.
    pub cgroup: Option<String>,
    /// Container id, where the cgroup path holds one.
    pub container: Option<String>,
    /// systemd unit, where the cgroup path holds one.
    pub unit: Option<String>,
    /// The operator's own name for the service.
    pub service: Option<String>,
}

/// Where a stream comes from: enrichment, never a precondition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who saw it.
    pub source: Source,
    /// The process, where it is known.
    pub process: Option<Arc<Process>>,
    /// This host's end of the connection.
    pub local: Option<SocketAddr>,
    /// The other end of the connection.
    pub peer: Option<SocketAddr>,
    /// Only what the process sends is seen, so no response can be waited for.
    pub one_way: bool,
    /// What keeps the plaintext of this TLS connection from being read, as far as
    /// the probe knows.
    pub blindness: Option<Blindness>,
}

/// As seen from the watched process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Written by the process.
    Sent,
    /// Read by the process.
    Received,
}

/// Where an event is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the capture file.
    pub file: Arc<str>,
    /// Number of the packet in the file, from 1, as Wireshark counts.
    pub packet: u64,
}

/// One thing that a probe or a capture saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub time: Timestamp,
    /// On which stream.
    pub stream: StreamId,
    /// Where it is recorded, if it is.
    pub place: Option<Place>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The stream, or more about it, became known. May occur more than once;
    /// the latest replaces earlier ones.
    Opened(Arc<Origin>),
    /// The client named the server it wants (TLS SNI). Host names are no payload.
    Named(Arc<str>),
    /// Bytes.
    Data(Data),
    /// Bytes that exist but are not here.
    Missing {
        /// Which way they went.
        direction: Direction,
        /// Offset of the first of them in the stream.
        offset: u64,
        /// How many.
        length: u64,
        /// Why they were lost; `None` if they were not wanted (the body of a
        /// response). The loss has been counted already.
        loss: Option<Loss>,
    },
    /// Nothing more will come on this stream.
    Closed,
}

/// A chunk of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Which way it went.
    pub direction: Direction,
    /// Offset of the first byte in its direction of the stream, from 0.
    pub offset: u64,
    /// The bytes.
    pub bytes: Secret<Bytes>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_rfc_3339() {
        for (nanoseconds, expected) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_827_696_000_000_007, "2000-02-29T12:34:56.000000007Z"),
            (1_709_164_799_999_999_999, "2024-02-28T23:59:59.999999999Z"),
            (1_764_038_463_123_456_789, "2025-11-25T02:41:03.123456789Z"),
            (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(Timestamp(nanoseconds).to_string(), expected);
        }
    }

    #[test]
    fn source_names_round_trip() {
        for source in Source::ALL {
            assert_eq!(Source::from_name(source.as_str()), Some(*source));
        }
        assert_eq!(Source::from_name("udp"), None);
    }
}
