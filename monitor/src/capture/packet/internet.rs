//! IP and TCP headers.
//!
//! In: bytes that begin with an IP header. Out: the TCP segment or the fragment
//! behind it, also through simple tunnels.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    Cursor, Fragment, MAX_NESTED_HEADERS, Parsed, Segment,
    link::{ETHERNET, Network, ethertype, network},
};

pub(super) const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_IPV4: u8 = 4;
const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_IPV6: u8 = 41;
const PROTOCOL_GRE: u8 = 47;
/// Ports of VXLAN: the registered one and the first one of Linux.
const PORTS_VXLAN: [u16; 2] = [4_789, 8_472];
/// How many nested tunnels are followed.
const MAX_TUNNELS: u8 = 3;

/// The fields of an IP header that are used.
struct Header {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// Length of what follows the header, where the header has it.
    length: Option<usize>,
    tunnels: u8,
}

/// Parses an IP packet, of which the capture lacks `missing` bytes.
pub(super) fn internet(cursor: Cursor<'_>, missing: u32, tunnels: u8) -> Option<Parsed<'_>> {
    match cursor.0.first()? >> 4 {
        4 => internet_v4(cursor, missing, tunnels),
        6 => internet_v6(cursor, missing, tunnels),
        _ => Some(Parsed::Malformed),
    }
}

fn internet_v4(mut cursor: Cursor<'_>, missing: u32, tunnels: u8) -> Option<Parsed<'_>> {
    let header = usize::from(cursor.u8()? & 0x0f) * 4;
    cursor.take(1)?;
    let total = usize::from(cursor.u16()?);
    let id = u32::from(cursor.u16()?);
    let fragment = cursor.u16()?;
    cursor.take(1)?;
    let protocol = cursor.u8()?;
    cursor.take(2)?;
    let source = IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?));
    let destination = IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?));
    cursor.take(header.checked_sub(20)?)?;
    // A length of zero is what segmentation offload leaves on the sending host.
    let length = if total == 0 {
        None
    } else {
        Some(total.checked_sub(header)?)
    };
    let head = Header {
        source,
        destination,
        protocol,
        length,
        tunnels,
    };
    // More fragments, or an offset other than zero.
    if fragment & 0x3fff != 0 {
        let offset = usize::from(fragment & 0x1fff) * 8;
        return Some(head.fragment(id, offset, fragment & 0x2000 == 0, cursor));
    }
    head.transport(cursor, missing)
}

fn internet_v6(mut cursor: Cursor<'_>, missing: u32, tunnels: u8) -> Option<Parsed<'_>> {
    cursor.take(4)?;
    let total = usize::from(cursor.u16()?);
    let protocol = cursor.u8()?;
    cursor.take(1)?;
    let source = IpAddr::V6(Ipv6Addr::from(cursor.array::<16>()?));
    let destination = IpAddr::V6(Ipv6Addr::from(cursor.array::<16>()?));
    let length = if total == 0 { None } else { Some(total) };
    let head = Header {
        source,
        destination,
        protocol,
        length,
        tunnels,
    };
    extended(head, cursor, missing)
}

/// Follows the extension headers of IPv6.
fn extended(mut head: Header, mut cursor: Cursor<'_>, missing: u32) -> Option<Parsed<'_>> {
    for _ in 0..MAX_NESTED_HEADERS {
        let length = match head.protocol {
            // Hop-by-hop, routing and destination options.
            0 | 43 | 60 => (usize::from(*cursor.0.get(1)?) + 1) * 8,
            // Authentication header, whose length counts words of four bytes.
            51 => (usize::from(*cursor.0.get(1)?) + 2) * 4,
            44 => 8,
            _ => return head.transport(cursor, missing),
        };
        let is_fragment = head.protocol == 44;
        let mut extension = Cursor(cursor.take(length)?);
        head.protocol = extension.u8()?;
        head.length = match head.length {
            Some(rest) => Some(rest.checked_sub(length)?),
            None => None,
        };
        if is_fragment {
            extension.take(1)?;
            let fragment = extension.u16()?;
            let id = extension.u32()?;
            if fragment & 0xfff9 != 0 {
                let offset = usize::from(fragment & 0xfff8);
                return Some(head.fragment(id, offset, fragment & 1 == 0, cursor));
            }
        }
    }
    Some(Parsed::Unsupported)
}

/// Parses a datagram that was reassembled from fragments.
pub(in crate::capture) fn datagram(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    payload: &[u8],
) -> Parsed<'_> {
    let head = Header {
        source,
        destination,
        protocol,
        length: Some(payload.len()),
        tunnels: 0,
    };
    let cursor = Cursor(payload);
    let parsed = if source.is_ipv6() {
        extended(head, cursor, 0)
    } else {
        head.transport(cursor, 0)
    };
    parsed.unwrap_or(Parsed::Malformed)
}

impl Header {
    fn fragment(self, id: u32, offset: usize, is_last: bool, cursor: Cursor<'_>) -> Parsed<'_> {
        // Only what can carry TCP is reassembled.
        if !matches!(
            self.protocol,
            PROTOCOL_TCP | PROTOCOL_IPV4 | PROTOCOL_IPV6 | PROTOCOL_GRE | 43 | 51 | 60
        ) {
            return Parsed::Other;
        }
        let length = self.length.unwrap_or(cursor.0.len());
        let payload = cursor.0.get(..length.min(cursor.0.len()));
        let payload = payload.unwrap_or_default();
        Parsed::Fragment(Fragment {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            id,
            offset,
            is_last,
            is_cut: payload.len() < length,
            payload,
        })
    }

    fn transport(self, mut cursor: Cursor<'_>, missing: u32) -> Option<Parsed<'_>> {
        let tunnels = self.tunnels + 1;
        if self.protocol == PROTOCOL_TCP {
            return self.tcp(cursor, missing).map(Parsed::Tcp);
        }
        let inner = match self.protocol {
            PROTOCOL_IPV4 | PROTOCOL_IPV6 => Network::Ip(cursor),
            PROTOCOL_GRE => gre(cursor)?,
            PROTOCOL_UDP => {
                let destination = u16::from_be_bytes(*cursor.0.get(2..)?.first_chunk()?);
                if !PORTS_VXLAN.contains(&destination) {
                    return Some(Parsed::Other);
                }
                // UDP, and a flag that says that a network identifier follows.
                cursor.take(8)?;
                if cursor
                    .take(8)?
                    .first()
                    .is_none_or(|flags| flags & 0x08 == 0)
                {
                    return Some(Parsed::Unsupported);
                }
                network(ETHERNET, cursor)?
            }
            _ => return Some(Parsed::Other),
        };
        match inner {
            Network::Ip(inner) if tunnels <= MAX_TUNNELS => internet(inner, missing, tunnels),
            Network::Other => Some(Parsed::Other),
            _ => Some(Parsed::Unsupported),
        }
    }

    fn tcp(self, mut cursor: Cursor<'_>, missing: u32) -> Option<Segment<'_>> {
        // Bytes after the end that the IP header names are padding of the link.
        let length = self
            .length
            .unwrap_or_else(|| cursor.0.len().saturating_add(missing as usize));
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
            source: (self.source, ports.0),
            destination: (self.destination, ports.1),
            sequence,
            acknowledgment,
            flags,
            payload: cursor.0,
            cut: u32::try_from(length - captured).unwrap_or(u32::MAX),
        })
    }
}

/// Generic routing encapsulation, version 0.
fn gre(mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    let flags = cursor.u16()?;
    let protocol = cursor.u16()?;
    // Version and routing, which nobody uses.
    if flags & 0x4007 != 0 {
        return Some(Network::Unsupported);
    }
    // Checksum, key and sequence number.
    let fields = [0x8000, 0x2000, 0x1000].iter();
    let present = fields.filter(|flag| flags & **flag != 0).count();
    cursor.take(4 * present)?;
    match protocol {
        // Ethernet behind it.
        0x6558 => network(ETHERNET, cursor),
        _ => match ethertype(protocol, cursor)? {
            Network::Other => Some(Network::Unsupported),
            inner => Some(inner),
        },
    }
}
