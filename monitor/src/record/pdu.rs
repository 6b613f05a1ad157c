//! Messages to exported PDUs: packets that hold whole messages and name their
//! protocol, so that Wireshark reads them on any port.
//!
//! In: messages, or frames of HTTP/2, with what is known of their streams. Out:
//! pcapng blocks appended to a byte vector, one packet per message.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use serde::Serialize;

use super::{
    address::{AddressBook, Addresses},
    section::{Captured, Section, SegmentSummary},
};
use crate::{
    capture::{
        note::{Provenance, json},
        packet::Endpoint,
        pcapng::write::MAX_OPTION,
    },
    event::{Direction, Origin, Process, StreamId, Timestamp},
    loss::Losses,
};

/// The longest packet that Wireshark reads, in bytes.
const MAX_PACKET: usize = 262_144;
/// Streams whose addresses are remembered.
const MAX_STREAMS: usize = 65_536;

/// Tags before the message.
mod tag {
    pub(super) const END: u16 = 0;
    pub(super) const DISSECTOR: u16 = 12;
    pub(super) const IPV4: [u16; 2] = [20, 21];
    pub(super) const IPV6: [u16; 2] = [22, 23];
    pub(super) const PORT_TYPE: u16 = 24;
    pub(super) const PORTS: [u16; 2] = [25, 26];
}

/// The port type that means TCP.
const TCP: u32 = 2;

/// The protocol of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dissector {
    /// A whole message of HTTP/1.1.
    Http,
    /// The preface of HTTP/2, or whole frames.
    Http2,
}

impl Dissector {
    /// The name of Wireshark's dissector.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Http2 => "http2",
        }
    }
}

/// Everything known of a message besides its bytes.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// On which stream.
    pub stream: StreamId,
    /// When its first byte was seen.
    pub time: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// Where its stream comes from, where that is known.
    pub origin: Option<&'a Origin>,
    /// The server name that the TLS client asked for.
    pub server_name: Option<&'a str>,
    /// Ids of the findings in it.
    pub findings: &'a [String],
    /// How much of it was seen, if that is said.
    pub completeness: Option<&'a str>,
}

/// The comment of a packet.
#[derive(Serialize)]
struct Comment<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<&'a Process>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    /// Which addresses are real: `real`, `peer` or `synthetic`.
    addresses: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    completeness: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    findings: &'a [String],
}

struct Known {
    order: u64,
    addresses: Addresses,
}

/// Turns messages into pcapng blocks.
pub struct PduEncoder {
    section: Section,
    streams: HashMap<StreamId, Known>,
    order: BTreeMap<u64, StreamId>,
    next_order: u64,
    addresses: AddressBook,
    packet: Vec<u8>,
    cut: u64,
}

impl PduEncoder {
    /// An encoder that has written nothing.
    pub fn new(provenance: Provenance) -> Self {
        Self {
            section: Section::of_pdus(provenance),
            streams: HashMap::new(),
            order: BTreeMap::new(),
            next_order: 0,
            addresses: AddressBook::default(),
            packet: Vec::new(),
            cut: 0,
        }
    }

    /// Appends the blocks that begin a file.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        self.section.begin(out);
    }

    /// Appends the statistics that end a file.
    pub fn end(&mut self, drops: &Losses, out: &mut Vec<u8>) -> SegmentSummary {
        self.section.end(drops, out)
    }

    /// Messages that were too long for a packet and are not complete in the
    /// file.
    pub const fn cut(&self) -> u64 {
        self.cut
    }

    /// Appends one packet with `bytes`.
    pub fn message(
        &mut self,
        dissector: Dissector,
        about: &About<'_>,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) {
        let addresses = self.addresses(about);
        let mut packet = std::mem::take(&mut self.packet);
        packet.clear();
        let ends = match about.direction {
            Direction::Sent => [addresses.client, addresses.server],
            Direction::Received => [addresses.server, addresses.client],
        };
        push_tags(&mut packet, dissector, ends);
        let room = MAX_PACKET.saturating_sub(packet.len());
        let (bytes, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        packet.extend_from_slice(bytes);
        let cut = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        self.cut += u64::from(cut > 0);
        let process = about.origin.and_then(|origin| origin.process.as_deref());
        let captured = Captured {
            source: about.origin.map(|origin| origin.source),
            time: about.time,
            direction: about.direction,
            pid: process.map_or(about.stream.owner, |process| process.pid),
            comment: Some(comment(about, process, addresses.kind)),
        };
        self.section.frame(&packet, cut, captured, out);
        self.packet = packet;
    }

    /// The addresses of a stream, the same for all of its messages.
    fn addresses(&mut self, about: &About<'_>) -> Addresses {
        if let Some(known) = self.streams.get(&about.stream) {
            return known.addresses;
        }
        if self.streams.len() >= MAX_STREAMS
            && let Some((_, oldest)) = self.order.pop_first()
            && let Some(known) = self.streams.remove(&oldest)
        {
            self.addresses.release(&known.addresses);
        }
        let addresses = self.addresses.assign(about.stream, about.origin);
        self.next_order += 1;
        let order = self.next_order;
        self.order.insert(order, about.stream);
        self.streams
            .insert(about.stream, Known { order, addresses });
        addresses
    }

    /// Forgets a stream that has ended: another may get its addresses.
    pub fn closed(&mut self, stream: StreamId) {
        if let Some(known) = self.streams.remove(&stream) {
            self.order.remove(&known.order);
            self.addresses.release(&known.addresses);
        }
    }
}

fn push_tags(packet: &mut Vec<u8>, dissector: Dissector, ends: [Endpoint; 2]) {
    // Padded with zeros to a multiple of four bytes, as the format asks.
    let mut name = dissector.as_str().as_bytes().to_vec();
    name.resize(name.len().next_multiple_of(4), 0);
    push_tag(packet, tag::DISSECTOR, &name);
    for ((address, _), (ipv4, ipv6)) in ends.iter().zip(tag::IPV4.into_iter().zip(tag::IPV6)) {
        match address {
            IpAddr::V4(address) => push_tag(packet, ipv4, &address.octets()),
            IpAddr::V6(address) => push_tag(packet, ipv6, &address.octets()),
        }
    }
    push_tag(packet, tag::PORT_TYPE, &TCP.to_be_bytes());
    for ((_, port), tag) in ends.iter().zip(tag::PORTS) {
        push_tag(packet, tag, &u32::from(*port).to_be_bytes());
    }
    push_tag(packet, tag::END, &[]);
}

fn push_tag(packet: &mut Vec<u8>, tag: u16, value: &[u8]) {
    packet.extend_from_slice(&tag.to_be_bytes());
    packet.extend_from_slice(&(value.len() as u16).to_be_bytes());
    packet.extend_from_slice(value);
}

/// The comment as JSON, without what does not fit an option.
fn comment(about: &About<'_>, process: Option<&Process>, addresses: &'static str) -> String {
    let full = Comment {
        process,
        server_name: about.server_name,
        addresses,
        completeness: about.completeness,
        findings: about.findings,
    };
    let text = json(&full);
    if text.len() <= MAX_OPTION {
        return text;
    }
    json(&Comment {
        process: None,
        server_name: None,
        findings: about.findings.get(..256).unwrap_or(about.findings),
        ..full
    })
}
