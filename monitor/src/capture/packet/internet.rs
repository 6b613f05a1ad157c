//! IP and TCP headers.
//!
//! In: bytes that begin with an IP header. Out: the TCP segment or the fragment
//! behind it, also through simple tunnels.

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, TcpHeaderSlice, UdpHeader,
};

use super::{
    Cursor, Fragment, MAX_NESTED_HEADERS, Parsed, Segment,
    link::{ETHERNET, Network, ethertype, network},
};

/// Ports of VXLAN: the registered one and the first one of Linux.
const PORTS_VXLAN: [u16; 2] = [4_789, 8_472];
/// How many nested tunnels are followed.
const MAX_TUNNELS: u8 = 3;

/// The fields of an IP header that are used.
struct Header {
    source: IpAddr,
    destination: IpAddr,
    protocol: IpNumber,
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
    let header = Ipv4HeaderSlice::from_slice(cursor.0).ok()?;
    let own = cursor.take(header.slice().len())?.len();
    // A length of zero is what segmentation offload leaves on the sending host.
    let length = match usize::from(header.total_len()) {
        0 => None,
        total => Some(total.checked_sub(own)?),
    };
    let head = Header {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: header.protocol(),
        length,
        tunnels,
    };
    if header.is_fragmenting_payload() {
        let id = header.identification().into();
        let offset = header.fragments_offset().byte_offset().into();
        return Some(head.fragment(id, offset, !header.more_fragments(), cursor));
    }
    head.transport(cursor, missing)
}

fn internet_v6(mut cursor: Cursor<'_>, missing: u32, tunnels: u8) -> Option<Parsed<'_>> {
    let header = Ipv6HeaderSlice::from_slice(cursor.0).ok()?;
    cursor.take(header.slice().len())?;
    let total = usize::from(header.payload_length());
    let head = Header {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: header.next_header(),
        length: if total == 0 { None } else { Some(total) },
        tunnels,
    };
    extended(head, cursor, missing)
}

/// Follows the extension headers of IPv6.
fn extended(mut head: Header, mut cursor: Cursor<'_>, missing: u32) -> Option<Parsed<'_>> {
    for _ in 0..MAX_NESTED_HEADERS {
        let mut fragment = None;
        let (next, length) = match head.protocol {
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS => {
                let header = Ipv6RawExtHeaderSlice::from_slice(cursor.0).ok()?;
                (header.next_header(), header.slice().len())
            }
            IpNumber::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(cursor.0).ok()?;
                (header.next_header(), header.slice().len())
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let header = Ipv6FragmentHeaderSlice::from_slice(cursor.0).ok()?;
                let next = header.next_header();
                let length = header.slice().len();
                fragment = Some(header).filter(Ipv6FragmentHeaderSlice::is_fragmenting_payload);
                (next, length)
            }
            _ => return head.transport(cursor, missing),
        };
        cursor.take(length)?;
        head.protocol = next;
        head.length = match head.length {
            Some(rest) => Some(rest.checked_sub(length)?),
            None => None,
        };
        if let Some(header) = fragment {
            let offset = header.fragment_offset().byte_offset().into();
            let is_last = !header.more_fragments();
            return Some(head.fragment(header.identification(), offset, is_last, cursor));
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
        protocol: IpNumber(protocol),
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
            IpNumber::TCP
                | IpNumber::IPV4
                | IpNumber::IPV6
                | IpNumber::GRE
                | IpNumber::IPV6_ROUTE_HEADER
                | IpNumber::AUTHENTICATION_HEADER
                | IpNumber::IPV6_DESTINATION_OPTIONS
        ) {
            return Parsed::Other;
        }
        let length = self.length.unwrap_or(cursor.0.len());
        let payload = cursor.0.get(..length.min(cursor.0.len()));
        let payload = payload.unwrap_or_default();
        Parsed::Fragment(Fragment {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol.0,
            id,
            offset,
            is_last,
            is_cut: payload.len() < length,
            payload,
        })
    }

    fn transport(self, mut cursor: Cursor<'_>, missing: u32) -> Option<Parsed<'_>> {
        let tunnels = self.tunnels + 1;
        if self.protocol == IpNumber::TCP {
            return self.tcp(cursor, missing).map(Parsed::Tcp);
        }
        let inner = match self.protocol {
            IpNumber::IPV4 | IpNumber::IPV6 => Network::Ip(cursor),
            IpNumber::GRE => gre(cursor)?,
            IpNumber::UDP => {
                // A packet that was cut behind its ports is still no tunnel.
                let port = cursor.0.get(2..)?.first_chunk()?;
                if !PORTS_VXLAN.contains(&u16::from_be_bytes(*port)) {
                    return Some(Parsed::Other);
                }
                cursor.take(UdpHeader::LEN)?;
                // A flag says that a network identifier follows.
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
        let header = TcpHeaderSlice::from_slice(cursor.0).ok()?;
        let own = cursor.take(header.slice().len())?;
        Some(Segment {
            source: (self.source, header.source_port()),
            destination: (self.destination, header.destination_port()),
            sequence: header.sequence_number(),
            acknowledgment: header.acknowledgment_number(),
            flags: *own.get(13)?,
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
