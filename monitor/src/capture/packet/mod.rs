//! Packets: parses link, IP and TCP headers, and builds TCP segments.
//!
//! In: the bytes of one captured packet and its link type. Out: a [`Segment`],
//! or why there is none. Every read is checked against the end of the packet.

mod exported;
mod fragments;
mod internet;
mod link;

use std::net::IpAddr;

pub(super) use exported::Pdu;
pub(super) use fragments::Fragments;
pub(super) use internet::datagram;
use internet::{PROTOCOL_TCP, internet};
pub(super) use link::LINK_RAW;
use link::{Network, network};

/// Flag FIN of a TCP header.
pub(super) const FIN: u8 = 0x01;
/// Flag SYN of a TCP header.
pub(super) const SYN: u8 = 0x02;
/// Flag RST of a TCP header.
pub(super) const RST: u8 = 0x04;
/// Flag PSH of a TCP header.
pub(super) const PSH: u8 = 0x08;
/// Flag ACK of a TCP header.
pub(super) const ACK: u8 = 0x10;

/// How many VLAN tags or extension headers are followed.
const MAX_NESTED_HEADERS: usize = 8;

/// One end of a connection.
pub(super) type Endpoint = (IpAddr, u16);

/// Both ends of a connection, in the same order whichever of them sent the
/// packet.
pub(super) type Pair = (Endpoint, Endpoint);

/// The key of a connection between `a` and `b`.
pub(super) fn pair(a: Endpoint, b: Endpoint) -> Pair {
    if a <= b { (a, b) } else { (b, a) }
}

/// A TCP segment. It holds payload of the watched traffic: no `Debug`.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) source: Endpoint,
    pub(super) destination: Endpoint,
    /// Sequence number of the first byte, or of SYN.
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: u8,
    /// What was captured of the payload.
    pub(super) payload: &'a [u8],
    /// Payload bytes that the packet had and the capture does not.
    pub(super) cut: u32,
}

impl Segment<'_> {
    /// Whether `flag` is set.
    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A fragment of an IP datagram. It holds payload: no `Debug`.
#[derive(Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// Of what is put together.
    pub(super) protocol: u8,
    pub(super) id: u32,
    /// Where in the datagram it belongs, in bytes.
    pub(super) offset: usize,
    pub(super) is_last: bool,
    /// What was captured of it.
    pub(super) payload: &'a [u8],
    pub(super) is_cut: bool,
}

/// The result of parsing a packet.
pub(super) enum Parsed<'a> {
    /// TCP.
    Tcp(Segment<'a>),
    /// A part of an IP datagram.
    Fragment(Fragment<'a>),
    /// A message without packets.
    Pdu(Pdu<'a>),
    /// Something that cannot carry HTTP over TCP (ARP, UDP).
    Other,
    /// A tunnel or a link type that is not taken apart.
    Unsupported,
    /// The capture ends within the headers.
    Cut,
    /// Headers that contradict themselves or end early.
    Malformed,
}

/// A position in a packet that cannot go beyond its end.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
}

/// Parses `packet` of link type `link` (numbers of the `LINKTYPE_` registry),
/// of which `cut` bytes are not in the capture.
pub(super) fn parse(link: u16, packet: &[u8], cut: u32) -> Parsed<'_> {
    let parsed = match network(link, Cursor(packet)) {
        Some(Network::Ip(cursor)) => internet(cursor, cut, 0),
        Some(Network::Pdu(pdu)) => Some(Parsed::Pdu(pdu)),
        Some(Network::Other) => Some(Parsed::Other),
        Some(Network::Unsupported) => Some(Parsed::Unsupported),
        None => None,
    };
    match parsed {
        Some(parsed) => parsed,
        None if cut > 0 => Parsed::Cut,
        None => Parsed::Malformed,
    }
}

/// Appends `segment` as an IP packet with valid checksums. Both endpoints must
/// be of one address family and the payload at most 65,000 bytes, so that the
/// length fits the header.
pub(super) fn synthesize(segment: &Segment<'_>, out: &mut Vec<u8>) {
    let length = (20 + segment.payload.len()) as u16;
    let start = out.len();
    // One's complement sum of the pseudo header, which is not transmitted.
    let mut sum = u64::from(PROTOCOL_TCP) + u64::from(length);
    match (segment.source.0, segment.destination.0) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&(length + 20).to_be_bytes());
            // No identification, "don't fragment", 64 hops.
            out.extend_from_slice(&[0, 0, 0x40, 0, 64, PROTOCOL_TCP, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
            let header = checksum(out.get(start..).map_or(0, sum_of_words));
            put(out, start + 10, header);
            sum += sum_of_words(&source.octets()) + sum_of_words(&destination.octets());
        }
        (source, destination) => {
            let octets = |address| match address {
                IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
                IpAddr::V6(v6) => v6.octets(),
            };
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[PROTOCOL_TCP, 64]);
            out.extend_from_slice(&octets(source));
            out.extend_from_slice(&octets(destination));
            sum += sum_of_words(&octets(source)) + sum_of_words(&octets(destination));
        }
    }
    let tcp = out.len();
    out.extend_from_slice(&segment.source.1.to_be_bytes());
    out.extend_from_slice(&segment.destination.1.to_be_bytes());
    out.extend_from_slice(&segment.sequence.to_be_bytes());
    out.extend_from_slice(&segment.acknowledgment.to_be_bytes());
    out.extend_from_slice(&[0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend_from_slice(segment.payload);
    let total = checksum(sum + out.get(tcp..).map_or(0, sum_of_words));
    put(out, tcp + 16, total);
}

fn put(out: &mut [u8], at: usize, value: u16) {
    if let Some(field) = out.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

fn sum_of_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let sum: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    sum + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

fn checksum(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests;
