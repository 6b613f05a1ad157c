//! Link headers: what stands before the IP header.
//!
//! In: a packet and its link type. Out: where IP begins, or that there is none.

use super::{
    Cursor, MAX_NESTED_HEADERS,
    exported::{self, Pdu},
};

/// Ethernet.
pub(super) const ETHERNET: u16 = 1;
/// Link type of packets that begin with an IP header.
pub(crate) const LINK_RAW: u16 = 101;
/// What Wireshark calls exported PDUs.
const EXPORTED: u16 = 252;

/// What follows a link header.
pub(super) enum Network<'a> {
    Ip(Cursor<'a>),
    Pdu(Pdu<'a>),
    Other,
    Unsupported,
}

/// Strips the link header. `None` if it ends early.
pub(super) fn network(link: u16, mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    let protocol = match link {
        ETHERNET => {
            cursor.take(12)?;
            cursor.u16()?
        }
        // Linux cooked v1 and v2.
        113 => {
            cursor.take(14)?;
            cursor.u16()?
        }
        276 => {
            let protocol = cursor.u16()?;
            cursor.take(18)?;
            protocol
        }
        // BSD loopback: an address family of four bytes in the writer's byte
        // order, redundant with the version in the IP header.
        0 | 108 => {
            cursor.take(4)?;
            return Some(Network::Ip(cursor));
        }
        // 12 and 14 are what some systems write for it.
        LINK_RAW | 12 | 14 | 228 | 229 => return Some(Network::Ip(cursor)),
        // PPP, with or without the address and control bytes of HDLC.
        9 | 50 => return ppp(cursor),
        EXPORTED => return exported::pdu(cursor),
        _ => return Some(Network::Unsupported),
    };
    ethertype(protocol, cursor)
}

/// What follows an Ethernet type.
pub(super) fn ethertype(mut protocol: u16, mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    for _ in 0..MAX_NESTED_HEADERS {
        match protocol {
            0x0800 | 0x86dd => return Some(Network::Ip(cursor)),
            // IEEE 802.1Q, 802.1ad and the older tag of stacked VLANs.
            0x8100 | 0x88a8 | 0x9100 => {
                cursor.take(2)?;
                protocol = cursor.u16()?;
            }
            0x8847 | 0x8848 => return mpls(cursor),
            // A session of PPP over Ethernet.
            0x8864 => {
                cursor.take(6)?;
                return ppp(cursor);
            }
            _ => return Some(Network::Other),
        }
    }
    Some(Network::Unsupported)
}

/// Labels, the last of which has a bit set. What follows them is not named: IP
/// is recognized by its version, a pseudowire is not.
fn mpls(mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    for _ in 0..MAX_NESTED_HEADERS {
        if cursor.u32()? & 0x100 != 0 {
            return Some(match cursor.0.first()? >> 4 {
                4 | 6 => Network::Ip(cursor),
                _ => Network::Unsupported,
            });
        }
    }
    Some(Network::Unsupported)
}

fn ppp(mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    if cursor.0.starts_with(&[0xff, 0x03]) {
        cursor.take(2)?;
    }
    // A protocol below 256 may be compressed to one byte, which is odd.
    let protocol = match cursor.0.first()? {
        odd if odd & 1 == 1 => u16::from(cursor.u8()?),
        _ => cursor.u16()?,
    };
    Some(match protocol {
        0x21 | 0x57 => Network::Ip(cursor),
        // Van Jacobson compressed TCP, multilink, compressed or encrypted.
        0x2d | 0x2f | 0x3d | 0xfb | 0xfd => Network::Unsupported,
        _ => Network::Other,
    })
}
