//! Packets on the wire, and the files that tools capture them to.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    net::IpAddr,
    path::Path,
};

use anyhow::{Context as _, Result};

use super::{
    conversation::{Conversation, Segment},
    impair::Packet,
};
use crate::rng::Rng;

/// What precedes the IP header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Ethernet,
    Vlan,
    StackedVlan,
    Mpls,
    Raw,
    Cooked,
    Cooked2,
    Loopback,
}

impl Link {
    pub(super) const ALL: [Self; 8] = [
        Self::Ethernet,
        Self::Vlan,
        Self::StackedVlan,
        Self::Mpls,
        Self::Raw,
        Self::Cooked,
        Self::Cooked2,
        Self::Loopback,
    ];

    /// The number of the file of [`Files`] that such packets go to.
    fn file(self) -> usize {
        match self {
            Self::Ethernet | Self::Vlan | Self::StackedVlan | Self::Mpls => 0,
            Self::Raw => 1,
            Self::Cooked => 2,
            Self::Cooked2 => 3,
            Self::Loopback => 4,
        }
    }

    fn header(self, is_v6: bool) -> Vec<u8> {
        let kind: [u8; 2] = if is_v6 { [0x86, 0xdd] } else { [8, 0] };
        let ethernet = |rest: &[u8]| [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], rest].concat();
        match self {
            Self::Ethernet => ethernet(&kind),
            Self::Vlan => ethernet(&[0x81, 0, 0, 7, kind[0], kind[1]]),
            Self::StackedVlan => ethernet(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, kind[0], kind[1]]),
            Self::Mpls => ethernet(&[0x88, 0x47, 0, 1, 1, 64]),
            Self::Raw => Vec::new(),
            Self::Cooked => [&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &kind[..]].concat(),
            Self::Cooked2 => [&kind[..], &[0; 6], &[0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat(),
            Self::Loopback => vec![if is_v6 { 30 } else { 2 }, 0, 0, 0],
        }
    }
}

/// A packet with its time.
pub(super) struct Frame {
    /// Microseconds since the beginning of the capture.
    pub(super) time: u64,
    link: Link,
    bytes: Vec<u8>,
}

/// Appends the frames that carry `packet`, which was sent at `begin` plus its
/// own time.
pub(super) fn frames(
    conversation: &Conversation,
    packet: &Packet,
    link: Link,
    begin: u64,
    rng: &mut Rng,
    out: &mut Vec<Frame>,
) {
    let segment = &packet.segment;
    let (source, destination) = if segment.from_client {
        (conversation.client, conversation.server)
    } else {
        (conversation.server, conversation.client)
    };
    let tcp = tcp(segment, source.1, destination.1);
    let ends = (source.0, destination.0);
    let header = link.header(ends.0.is_ipv6());
    let time = begin + segment.time;
    let mut push = |time, ip: Vec<u8>| {
        let bytes = [header.clone(), ip].concat();
        out.push(Frame { time, link, bytes });
    };
    let Some(size) = packet.fragment else {
        let mut ip = internet(ends, 6, tcp.len(), [0, 0]);
        ip.extend(tcp);
        push(time, ip);
        return;
    };
    let id = rng.next() as u32;
    let count = tcp.len().div_ceil(size);
    let mut pieces: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        pieces.swap(at, rng.index(at + 1));
    }
    if rng.chance(30) {
        pieces.insert(0, rng.index(count));
    }
    // The last fragment to arrive completes the datagram.
    for (number, piece) in pieces.into_iter().enumerate() {
        let bytes = tcp.chunks(size).nth(piece).unwrap_or_default();
        let is_last = piece + 1 == count;
        let units = (piece * size / 8) as u16;
        let mut ip = if ends.0.is_ipv6() {
            let mut ip = internet(ends, 44, bytes.len() + 8, [0, 0]);
            ip.extend([6, 0]);
            ip.extend((units << 3 | u16::from(!is_last)).to_be_bytes());
            ip.extend(id.to_be_bytes());
            ip
        } else {
            let field = units | if is_last { 0 } else { 0x2000 };
            let mut ip = internet(ends, 6, bytes.len(), field.to_be_bytes());
            ip[4..6].copy_from_slice(&(id as u16).to_be_bytes());
            ip
        };
        ip.extend(bytes);
        push(time + number as u64, ip);
    }
}

/// A TCP segment without a checksum, as offload leaves it.
fn tcp(segment: &Segment, source: u16, destination: u16) -> Vec<u8> {
    let mut tcp = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    tcp.extend(segment.sequence.to_be_bytes());
    tcp.extend(segment.acknowledgment.to_be_bytes());
    // With timestamps, as nearly all have.
    tcp.extend([0x80, segment.flags, 0xff, 0xff, 0xba, 0xad, 0, 0]);
    tcp.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    tcp.extend(&segment.payload);
    tcp
}

fn internet(ends: (IpAddr, IpAddr), protocol: u8, length: usize, fragment: [u8; 2]) -> Vec<u8> {
    match ends {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let total = (length as u16 + 20).to_be_bytes();
            let [high, low] = fragment;
            let mut ip = vec![
                0x45, 0, total[0], total[1], 0, 0, high, low, 64, protocol, 0, 0,
            ];
            ip.extend(source.octets());
            ip.extend(destination.octets());
            ip
        }
        (source, destination) => {
            let octets = |address| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            let mut ip = vec![0x60, 0, 0, 0];
            ip.extend((length as u16).to_be_bytes());
            ip.extend([protocol, 64]);
            ip.extend(octets(source));
            ip.extend(octets(destination));
            ip
        }
    }
}

/// Name, link type, magic number and byte order of the files of a capture.
const FILES: [(&str, u32, u32, bool); 5] = [
    ("ethernet.pcap", 1, 0xa1b2_c3d4, false),
    ("raw.pcap", 101, 0xa1b2_3c4d, false),
    ("any.pcap", 113, 0xa1b2_c3d4, true),
    ("any2.pcap", 276, 0xa1b2_3c4d, true),
    ("loopback.pcap", 0, 0xa1b2_cd34, false),
];

/// Writes `frames` to one file for each link type in `directory`. Returns how
/// many packets and bytes they have.
pub(super) fn write(directory: &Path, frames: &mut [Frame]) -> Result<(usize, usize)> {
    frames.sort_by_key(|frame| frame.time);
    let mut files = Vec::new();
    for (name, link, magic, is_big) in FILES {
        let path = directory.join(name);
        let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
        let mut file = BufWriter::new(file);
        let version = if is_big { 0x0002_0004 } else { 0x0004_0002 };
        for value in [magic, version, 0, 0, 262_144, link] {
            file.write_all(&word(value, is_big))?;
        }
        files.push(file);
    }
    let mut length = 0;
    for frame in &*frames {
        let number = frame.link.file();
        let (_, _, magic, is_big) = FILES[number];
        let fraction = (frame.time % 1_000_000) as u32;
        let unit = if magic == 0xa1b2_3c4d { 1_000 } else { 1 };
        let size = frame.bytes.len() as u32;
        let seconds = 1_795_000_000 + (frame.time / 1_000_000) as u32;
        let file = &mut files[number];
        for value in [seconds, fraction * unit, size, size] {
            file.write_all(&word(value, is_big))?;
        }
        if magic == 0xa1b2_cd34 {
            file.write_all(&[0; 8])?;
        }
        file.write_all(&frame.bytes)?;
        length += frame.bytes.len();
    }
    for mut file in files {
        file.flush().context("write the capture")?;
    }
    Ok((frames.len(), length))
}

fn word(value: u32, is_big_endian: bool) -> [u8; 4] {
    if is_big_endian {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    }
}
