//! Ring bytes to records: the only place that knows how the kernel lays them
//! out. An unknown tag or an impossible length is an outcome, never a panic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use phiwatch_ebpf::abi::{self, Addresses, Header};

use super::table;
use crate::{
    event::{Direction, Source, StreamId},
    loss::Loss,
    secret::Secret,
};

/// Bytes of a stream, and how many more the record stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The stream.
    pub stream: StreamId,
    /// Who saw it.
    pub source: Source,
    /// Which way the bytes went.
    pub direction: Direction,
    /// Offset in the stream; for sockets its low 32 bits.
    pub offset: u64,
    /// The bytes that were copied.
    pub bytes: Secret<Bytes>,
    /// How many bytes the record stands for beyond those.
    pub missing: u64,
    /// Why they were not copied; `None` if nobody asked for them.
    pub loss: Option<Loss>,
    /// Whether the process is the server of the connection, of which only pages
    /// are handed over.
    pub server: bool,
    /// Whether only what the process sends is seen.
    pub one_way: bool,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Bytes of a stream.
    Data(Chunk),
    /// A TLS client asked for this server.
    ServerName {
        /// The stream.
        stream: StreamId,
        /// The library.
        source: Source,
        /// The name.
        name: String,
    },
    /// The stream ended.
    Closed {
        /// The stream.
        stream: StreamId,
        /// How many bytes it sent in all, where the kernel counts them.
        sent: Option<u64>,
    },
    /// The ends of a socket.
    Socket {
        /// The stream.
        stream: StreamId,
        /// What is sent on it.
        source: Source,
        /// This host's end.
        local: SocketAddr,
        /// The other end.
        peer: SocketAddr,
    },
    /// A process called exec.
    Exec {
        /// The process.
        pid: u32,
        /// The path it gave.
        path: String,
    },
    /// A process was forked.
    Fork {
        /// The process that forked it.
        parent: u32,
        /// The new process.
        child: u32,
    },
    /// A process has loaded libraries, or is about to.
    Library {
        /// The process.
        pid: u32,
    },
    /// A process was moved into another cgroup.
    Moved {
        /// The process.
        pid: u32,
    },
    /// A process ended.
    Exit {
        /// The process.
        pid: u32,
    },
}

/// A record that this build does not know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown;

/// Takes the first `N` bytes off.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn header(bytes: &mut &[u8]) -> Option<Header> {
    let [kind, function, direction, flags] = take(bytes)?;
    Some(Header {
        kind,
        function,
        direction,
        flags,
        tgid: u32::from_ne_bytes(take(bytes)?),
        time: u64::from_ne_bytes(take(bytes)?),
        handle: u64::from_ne_bytes(take(bytes)?),
        born: u64::from_ne_bytes(take(bytes)?),
        offset: u64::from_ne_bytes(take(bytes)?),
        captured: u32::from_ne_bytes(take(bytes)?),
        length: u32::from_ne_bytes(take(bytes)?),
    })
}

fn addresses(mut bytes: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let [version, _, _, _] = take(&mut bytes)?;
    let local_port = u16::from_ne_bytes(take(&mut bytes)?);
    let peer_port = u16::from_ne_bytes(take(&mut bytes)?);
    let (local, peer): ([u8; 16], [u8; 16]) = (take(&mut bytes)?, take(&mut bytes)?);
    let address = |raw: [u8; 16]| match version {
        4 => Some(IpAddr::V4(Ipv4Addr::new(raw[0], raw[1], raw[2], raw[3]))),
        6 => Some(IpAddr::V6(Ipv6Addr::from(raw))),
        _ => None,
    };
    Some((
        SocketAddr::new(address(local)?, local_port),
        SocketAddr::new(address(peer)?, peer_port),
    ))
}

/// Decodes one record and its time (`CLOCK_MONOTONIC`, nanoseconds).
pub(super) fn decode(mut bytes: &[u8]) -> Result<(u64, Record), Unknown> {
    let header = header(&mut bytes).ok_or(Unknown)?;
    let payload = bytes.get(..header.captured as usize).ok_or(Unknown)?;
    let text = || String::from_utf8_lossy(payload).into_owned();
    let stream = StreamId {
        owner: header.tgid,
        handle: header.handle,
        born: header.born,
    };
    let source = match header.function {
        abi::function::QUIC => Source::Quic,
        abi::function::SOCKET | abi::function::PROCESS | abi::function::LOADER => Source::Socket,
        function => table::source(function).ok_or(Unknown)?,
    };
    let record = match header.kind {
        abi::kind::DATA => Record::Data(Chunk {
            stream,
            source,
            direction: match header.direction {
                abi::SENT => Direction::Sent,
                abi::RECEIVED => Direction::Received,
                _ => return Err(Unknown),
            },
            offset: header.offset,
            bytes: Secret::new(Bytes::copy_from_slice(payload)),
            missing: u64::from(header.length.saturating_sub(header.captured)),
            loss: if header.flags & abi::flag::FAULT != 0 {
                Some(Loss::KernelFault)
            } else if header.flags & abi::flag::CAPPED != 0 {
                Some(Loss::KernelCallCap)
            } else {
                None
            },
            server: header.flags & abi::flag::SERVER != 0,
            one_way: header.flags & abi::flag::ONE_WAY != 0,
        }),
        abi::kind::SERVER_NAME => Record::ServerName {
            stream,
            source,
            name: text(),
        },
        abi::kind::CLOSED => Record::Closed {
            stream,
            sent: source.is_tls().then_some(header.offset),
        },
        abi::kind::SOCKET => {
            let (local, peer) = addresses(payload).ok_or(Unknown)?;
            Record::Socket {
                stream,
                source,
                local,
                peer,
            }
        }
        abi::kind::EXEC => Record::Exec {
            pid: header.tgid,
            path: text(),
        },
        abi::kind::FORK => Record::Fork {
            parent: u32::try_from(header.handle).ok().ok_or(Unknown)?,
            child: header.tgid,
        },
        abi::kind::LIBRARY => Record::Library { pid: header.tgid },
        abi::kind::MOVED => Record::Moved { pid: header.tgid },
        abi::kind::EXIT => Record::Exit { pid: header.tgid },
        _ => return Err(Unknown),
    };
    Ok((header.time, record))
}

const _: () = assert!(size_of::<Header>() == 48 && size_of::<Addresses>() == 40);

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(kind: u8, function: u8, flags: u8, captured: u32, length: u32) -> Vec<u8> {
        let mut bytes = vec![kind, function, abi::SENT, flags];
        bytes.extend(7_u32.to_ne_bytes());
        for word in [100_u64, 0xdead, 90, 4_096] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(captured.to_ne_bytes());
        bytes.extend(length.to_ne_bytes());
        bytes
    }

    #[test]
    fn data_says_what_is_missing_and_why() {
        for (flags, loss) in [
            (abi::flag::UNWANTED, None),
            (abi::flag::UNWANTED | abi::flag::SERVER, None),
            (abi::flag::UNWANTED | abi::flag::ONE_WAY, None),
            (abi::flag::FAULT, Some(Loss::KernelFault)),
            (abi::flag::CAPPED, Some(Loss::KernelCallCap)),
        ] {
            let mut bytes = encode(abi::kind::DATA, abi::function::SSL_WRITE, flags, 3, 10);
            bytes.extend(b"abcdefgh");
            let (time, record) = decode(&bytes).expect("a known record");
            assert_eq!(time, 100);
            assert_eq!(
                record,
                Record::Data(Chunk {
                    stream: StreamId {
                        owner: 7,
                        handle: 0xdead,
                        born: 90
                    },
                    source: Source::OpenSsl,
                    direction: Direction::Sent,
                    offset: 4_096,
                    bytes: Secret::new(Bytes::from_static(b"abc")),
                    missing: 7,
                    loss,
                    server: flags & abi::flag::SERVER != 0,
                    one_way: flags & abi::flag::ONE_WAY != 0,
                })
            );
        }
    }

    #[test]
    fn what_is_sent_on_a_socket_is_told_with_its_ends() {
        let mut ends = vec![4, 0, 0, 0];
        ends.extend(40_000_u16.to_ne_bytes());
        ends.extend(443_u16.to_ne_bytes());
        for address in [[10, 0, 0, 7], [10, 0, 0, 9]] {
            ends.extend(address);
            ends.extend([0; 12]);
        }
        let length = ends.len() as u32;
        for (function, expected) in [
            (abi::function::SOCKET, Source::Socket),
            (abi::function::QUIC, Source::Quic),
        ] {
            let mut bytes = encode(abi::kind::SOCKET, function, 0, length, length);
            bytes.extend(&ends);
            let Ok((_, record)) = decode(&bytes) else {
                panic!("an unknown record");
            };
            let Record::Socket {
                source,
                local,
                peer,
                ..
            } = record
            else {
                panic!("no socket");
            };
            assert_eq!(source, expected);
            assert_eq!(local, SocketAddr::from(([10, 0, 0, 7], 40_000)));
            assert_eq!(peer, SocketAddr::from(([10, 0, 0, 9], 443)));
        }
    }

    #[test]
    fn processes_are_told_with_what_they_did() {
        let mut fork = encode(abi::kind::FORK, abi::function::PROCESS, 0, 0, 0);
        let library = encode(abi::kind::LIBRARY, abi::function::LOADER, 0, 0, 0);
        let moved = encode(abi::kind::MOVED, abi::function::PROCESS, 0, 0, 0);
        let parent = 0xdead;
        for (bytes, expected) in [
            (&fork, Record::Fork { parent, child: 7 }),
            (&library, Record::Library { pid: 7 }),
            (&moved, Record::Moved { pid: 7 }),
        ] {
            assert_eq!(decode(bytes).expect("a known record").1, expected);
        }
        // No process has such a number.
        fork[23] = 1;
        assert_eq!(decode(&fork), Err(Unknown));
    }

    #[test]
    fn whatever_is_cut_or_unknown_is_unknown() {
        let mut whole = encode(abi::kind::DATA, abi::function::SSL_READ, 0, 2, 2);
        whole.extend(b"ok");
        for end in 0..whole.len() {
            assert_eq!(decode(&whole[..end]), Err(Unknown), "{end}");
        }
        assert!(decode(&whole).is_ok());
        for (index, value) in [(0, 99), (1, 99), (2, 9)] {
            let mut broken = whole.clone();
            broken[index] = value;
            assert_eq!(decode(&broken), Err(Unknown), "byte {index}");
        }
    }
}
