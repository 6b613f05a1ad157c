//! Packets: parses link, IP and TCP headers, and builds TCP segments.
//!
//! In: the bytes of one captured packet and its link type. Out: a [`Segment`],
//! or why there is none. Every read is checked against the end of the packet.

mod exported;
mod fragments;
mod internet;
mod link;

use std::net::IpAddr;

use etherparse::{IpNumber, Ipv4Header, Ipv6Header, TcpHeader};

pub(super) use exported::Pdu;
pub(super) use fragments::Fragments;
pub(super) use internet::datagram;
use internet::internet;
pub(crate) use link::LINK_RAW;
use link::{Network, network};

/// Flag FIN of a TCP header.
pub(crate) const FIN: u8 = 0x01;
/// Flag SYN of a TCP header.
pub(crate) const SYN: u8 = 0x02;
/// Flag RST of a TCP header.
pub(super) const RST: u8 = 0x04;
/// Flag PSH of a TCP header.
pub(crate) const PSH: u8 = 0x08;
/// Flag ACK of a TCP header.
pub(crate) const ACK: u8 = 0x10;

/// Hops that a packet of ours may take.
const HOPS: u8 = 64;
/// Why a header can be written.
const FITS: &str = "the caller keeps the payload below 65,000 bytes";

/// How many VLAN tags or extension headers are followed.
const MAX_NESTED_HEADERS: usize = 8;

/// One end of a connection.
pub(crate) type Endpoint = (IpAddr, u16);

/// Both ends of a connection, in the same order whichever of them sent the
/// packet.
pub(crate) type Pair = (Endpoint, Endpoint);

/// The key of a connection between `a` and `b`.
pub(crate) fn pair(a: Endpoint, b: Endpoint) -> Pair {
    if a <= b { (a, b) } else { (b, a) }
}

/// A TCP segment. It holds payload of the watched traffic: no `Debug`.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) source: Endpoint,
    pub(crate) destination: Endpoint,
    /// Sequence number of the first byte, or of SYN.
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) flags: u8,
    /// What was captured of the payload.
    pub(crate) payload: &'a [u8],
    /// Payload bytes that the packet had and the capture does not.
    pub(crate) cut: u32,
}

impl Segment<'_> {
    /// Whether `flag` is set.
    pub(crate) const fn has(&self, flag: u8) -> bool {
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
pub(crate) fn synthesize(segment: &Segment<'_>, out: &mut Vec<u8>) {
    let payload = segment.payload;
    let length = (TcpHeader::MIN_LEN + payload.len()) as u16;
    let mut tcp = TcpHeader {
        acknowledgment_number: segment.acknowledgment,
        fin: segment.has(FIN),
        syn: segment.has(SYN),
        rst: segment.has(RST),
        psh: segment.has(PSH),
        ack: segment.has(ACK),
        ..TcpHeader::new(
            segment.source.1,
            segment.destination.1,
            segment.sequence,
            u16::MAX,
        )
    };
    match (segment.source.0, segment.destination.0) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let (source, destination) = (source.octets(), destination.octets());
            let ip = Ipv4Header::new(length, HOPS, IpNumber::TCP, source, destination);
            let mut ip = ip.expect(FITS);
            ip.header_checksum = ip.calc_header_checksum();
            out.extend_from_slice(&ip.to_bytes());
            let checksum = tcp.calc_checksum_ipv4_raw(source, destination, payload);
            tcp.checksum = checksum.expect(FITS);
        }
        (source, destination) => {
            let octets = |address| match address {
                IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
                IpAddr::V6(v6) => v6.octets(),
            };
            let ip = Ipv6Header {
                payload_length: length,
                next_header: IpNumber::TCP,
                hop_limit: HOPS,
                source: octets(source),
                destination: octets(destination),
                ..Ipv6Header::default()
            };
            out.extend_from_slice(&ip.to_bytes());
            let checksum = tcp.calc_checksum_ipv6_raw(ip.source, ip.destination, payload);
            tcp.checksum = checksum.expect(FITS);
        }
    }
    out.extend_from_slice(&tcp.to_bytes());
    out.extend_from_slice(payload);
}

/// The offset nearest to `near` that is `low` modulo 2^32.
pub(super) fn unwrap(near: u64, low: u32) -> u64 {
    let step = low.wrapping_sub(near as u32).cast_signed();
    near.wrapping_add_signed(i64::from(step))
}

#[cfg(test)]
mod tests;
