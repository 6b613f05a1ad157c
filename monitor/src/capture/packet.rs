//! Packets: link, IP and TCP headers taken apart, and TCP segments put together.
//!
//! In: the bytes of one captured packet and its link type. Out: a [`Segment`],
//! or why there is none. Every read is checked against the end of the packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Link type of packets that begin with an IP header.
pub(super) const LINK_RAW: u16 = 101;

const PROTOCOL_TCP: u8 = 6;
/// IPv4 in IP, IPv6 in IP and GRE: TCP may be inside, but is not looked for.
const PROTOCOLS_TUNNEL: [u8; 3] = [4, 41, 47];
/// More VLAN tags or extension headers than this are not followed.
const MAX_NESTED_HEADERS: usize = 8;

/// One end of a connection.
pub(super) type Endpoint = (IpAddr, u16);

/// Both ends of a connection, the same whichever of them sent the packet.
pub(super) type Pair = (Endpoint, Endpoint);

/// The key of a connection between `a` and `b`.
pub(super) fn pair(a: Endpoint, b: Endpoint) -> Pair {
    if a <= b { (a, b) } else { (b, a) }
}

/// A TCP segment. Its payload is payload of the watched traffic: no `Debug`.
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

/// What a packet turned out to be.
pub(super) enum Parsed<'a> {
    /// TCP.
    Tcp(Segment<'a>),
    /// Something that cannot carry HTTP over TCP (ARP, UDP).
    Other,
    /// A fragment, a tunnel or an unknown link type.
    Unsupported,
    /// Headers that contradict themselves or end early.
    Malformed,
}

/// A position in a packet that cannot leave it.
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

/// What a link header says about the bytes behind it.
enum Network<'a> {
    Ip(Cursor<'a>),
    Other,
    Unsupported,
}

/// Takes `packet` apart, which has link type `link` (numbers of the `LINKTYPE_`
/// registry).
pub(super) fn parse(link: u16, packet: &[u8]) -> Parsed<'_> {
    match network(link, Cursor(packet)) {
        Some(Network::Ip(cursor)) => internet(cursor).unwrap_or(Parsed::Malformed),
        Some(Network::Other) => Parsed::Other,
        Some(Network::Unsupported) => Parsed::Unsupported,
        None => Parsed::Malformed,
    }
}

fn network(link: u16, mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    let protocol = match link {
        // Ethernet, Linux cooked v1, Linux cooked v2.
        1 => {
            cursor.take(12)?;
            cursor.u16()?
        }
        113 => {
            cursor.take(14)?;
            cursor.u16()?
        }
        276 => {
            let protocol = cursor.u16()?;
            cursor.take(18)?;
            protocol
        }
        // BSD loopback: an address family of four bytes in the writer's order,
        // redundant with the version that begins the IP header.
        0 | 108 => {
            cursor.take(4)?;
            return Some(Network::Ip(cursor));
        }
        LINK_RAW | 228 | 229 => return Some(Network::Ip(cursor)),
        _ => return Some(Network::Unsupported),
    };
    ethertype(protocol, cursor)
}

fn ethertype(mut protocol: u16, mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    for _ in 0..MAX_NESTED_HEADERS {
        match protocol {
            0x0800 | 0x86dd => return Some(Network::Ip(cursor)),
            // IEEE 802.1Q, 802.1ad and the older tag of stacked VLANs.
            0x8100 | 0x88a8 | 0x9100 => {
                cursor.take(2)?;
                protocol = cursor.u16()?;
            }
            // MPLS and PPPoE carry IP that is not looked for.
            0x8847 | 0x8848 | 0x8864 => return Some(Network::Unsupported),
            _ => return Some(Network::Other),
        }
    }
    Some(Network::Unsupported)
}

fn internet(cursor: Cursor<'_>) -> Option<Parsed<'_>> {
    match cursor.0.first()? >> 4 {
        4 => internet_v4(cursor),
        6 => internet_v6(cursor),
        _ => Some(Parsed::Malformed),
    }
}

fn internet_v4(mut cursor: Cursor<'_>) -> Option<Parsed<'_>> {
    let header = usize::from(cursor.u8()? & 0x0f) * 4;
    cursor.take(1)?;
    let total = usize::from(cursor.u16()?);
    cursor.take(2)?;
    let fragment = cursor.u16()?;
    cursor.take(1)?;
    let protocol = cursor.u8()?;
    cursor.take(2)?;
    let source = IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?));
    let destination = IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?));
    cursor.take(header.checked_sub(20)?)?;
    // More fragments, or an offset other than zero.
    let is_fragment = fragment & 0x3fff != 0;
    // A length of zero is what segmentation offload leaves on the sending host.
    let length = if total == 0 {
        None
    } else {
        Some(total.checked_sub(header)?)
    };
    Some(transport(
        protocol,
        is_fragment,
        length,
        source,
        destination,
        cursor,
    ))
}

fn internet_v6(mut cursor: Cursor<'_>) -> Option<Parsed<'_>> {
    cursor.take(4)?;
    let total = usize::from(cursor.u16()?);
    let mut protocol = cursor.u8()?;
    cursor.take(1)?;
    let source = IpAddr::V6(Ipv6Addr::from(cursor.array::<16>()?));
    let destination = IpAddr::V6(Ipv6Addr::from(cursor.array::<16>()?));
    let mut length = if total == 0 { None } else { Some(total) };
    let mut is_fragment = false;
    for _ in 0..MAX_NESTED_HEADERS {
        let header = match protocol {
            // Hop-by-hop, routing and destination options.
            0 | 43 | 60 => (usize::from(*cursor.0.get(1)?) + 1) * 8,
            // Authentication header, whose length counts words of four bytes.
            51 => (usize::from(*cursor.0.get(1)?) + 2) * 4,
            44 => {
                is_fragment |=
                    u16::from_be_bytes([*cursor.0.get(2)?, *cursor.0.get(3)?]) & 0xfff9 != 0;
                8
            }
            _ => {
                return Some(transport(
                    protocol,
                    is_fragment,
                    length,
                    source,
                    destination,
                    cursor,
                ));
            }
        };
        protocol = *cursor.0.first()?;
        cursor.take(header)?;
        length = match length {
            Some(length) => Some(length.checked_sub(header)?),
            None => None,
        };
    }
    Some(Parsed::Unsupported)
}

fn transport(
    protocol: u8,
    is_fragment: bool,
    length: Option<usize>,
    source: IpAddr,
    destination: IpAddr,
    cursor: Cursor<'_>,
) -> Parsed<'_> {
    match protocol {
        PROTOCOL_TCP if is_fragment => Parsed::Unsupported,
        PROTOCOL_TCP => {
            tcp(length, source, destination, cursor).map_or(Parsed::Malformed, Parsed::Tcp)
        }
        tunnel if PROTOCOLS_TUNNEL.contains(&tunnel) => Parsed::Unsupported,
        _ => Parsed::Other,
    }
}

fn tcp(
    length: Option<usize>,
    source: IpAddr,
    destination: IpAddr,
    mut cursor: Cursor<'_>,
) -> Option<Segment<'_>> {
    // Bytes after the end that the IP header names are padding of the link.
    let length = length.unwrap_or(cursor.0.len());
    let captured = cursor.0.len().min(length);
    cursor.0 = cursor.0.get(..captured)?;
    let ports = (cursor.u16()?, cursor.u16()?);
    let sequence = cursor.u32()?;
    let acknowledgment = cursor.u32()?;
    let header = usize::from(cursor.u8()? >> 4) * 4;
    let flags = cursor.u8()?;
    cursor.take(6)?;
    cursor.take(header.checked_sub(20)?)?;
    Some(Segment {
        source: (source, ports.0),
        destination: (destination, ports.1),
        sequence,
        acknowledgment,
        flags,
        payload: cursor.0,
        cut: u32::try_from(length - captured).unwrap_or(u32::MAX),
    })
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
