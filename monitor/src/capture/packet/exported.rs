//! Exported PDUs: whole messages without the packets that carried them.
//!
//! In: a list of tags and the bytes behind it. Out: a [`Pdu`], if it is HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Cursor, Endpoint, link::Network};

/// More tags than this no writer has.
const MAX_TAGS: usize = 64;

/// A message, or several frames of HTTP/2, of one side. It is payload: no
/// `Debug`.
pub(in crate::capture) struct Pdu<'a> {
    pub(in crate::capture) source: Endpoint,
    pub(in crate::capture) destination: Endpoint,
    pub(in crate::capture) payload: &'a [u8],
}

/// Reads the tags in front of a PDU. `None` where they end early.
pub(super) fn pdu(mut cursor: Cursor<'_>) -> Option<Network<'_>> {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut ends = [(unknown, 0_u16), (unknown, 0)];
    let mut dissector: &[u8] = &[];
    for _ in 0..MAX_TAGS {
        let (tag, length) = (cursor.u16()?, cursor.u16()?);
        let value = cursor.take(usize::from(length))?;
        let port = || Some(u32::from_be_bytes(*value.first_chunk()?) as u16);
        match tag {
            0 => {
                let is_http = [&b"http"[..], b"http2"].contains(&dissector);
                let [source, destination] = ends;
                return Some(if is_http {
                    Network::Pdu(Pdu {
                        source,
                        destination,
                        payload: cursor.0,
                    })
                } else {
                    Network::Unsupported
                });
            }
            // Padded with zeros.
            12 => dissector = value.split(|byte| *byte == 0).next().unwrap_or_default(),
            20 => ends[0].0 = Ipv4Addr::from(*value.first_chunk::<4>()?).into(),
            21 => ends[1].0 = Ipv4Addr::from(*value.first_chunk::<4>()?).into(),
            22 => ends[0].0 = Ipv6Addr::from(*value.first_chunk::<16>()?).into(),
            23 => ends[1].0 = Ipv6Addr::from(*value.first_chunk::<16>()?).into(),
            25 => ends[0].1 = port()?,
            26 => ends[1].1 = port()?,
            _ => {}
        }
    }
    None
}
