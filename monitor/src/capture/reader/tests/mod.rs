//! Tests of the reader of captures.

mod broken;
mod order;

use std::{fs::File, io::Write as _};

use super::*;
use crate::{
    capture::packet::{ACK, SYN, Segment, synthesize},
    event::EventKind,
};

/// An IPv4 packet from client to server.
fn packet(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let endpoint = |last, port| (std::net::IpAddr::from([10, 0, 0, last]), port);
    let segment = Segment {
        source: endpoint(1, 5_000),
        destination: endpoint(2, 80),
        sequence,
        acknowledgment: 0,
        flags,
        payload,
        cut: 0,
    };
    let mut out = Vec::new();
    synthesize(&segment, &mut out);
    out
}

fn packets() -> Vec<Vec<u8>> {
    vec![
        packet(99, SYN, b""),
        packet(100, ACK, b"GET / "),
        packet(106, ACK, b"HTTP/1.1"),
    ]
}

/// A classic pcap file with one packet a second.
fn pcap(magic: u32, is_big_endian: bool, fraction: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    pcap_from(0, magic, is_big_endian, fraction, packets)
}

fn pcap_from(
    begins: u32,
    magic: u32,
    is_big_endian: bool,
    fraction: u32,
    packets: &[Vec<u8>],
) -> Vec<u8> {
    let word = |value: u32| {
        if is_big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut out = [
        word(magic),
        word(if is_big_endian {
            0x0002_0004
        } else {
            0x0004_0002
        }),
    ]
    .concat();
    out.extend([word(0), word(0), word(65_535), word(101)].concat());
    for (second, packet) in packets.iter().enumerate() {
        let length = packet.len() as u32;
        out.extend(
            [
                word(begins + second as u32),
                word(fraction),
                word(length),
                word(length),
            ]
            .concat(),
        );
        out.extend(packet);
    }
    out
}

fn block(kind: u32, is_big_endian: bool, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| {
        if is_big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let length = word((body.len() as u32).next_multiple_of(4) + 12);
    let mut out = [word(kind), length].concat();
    out.extend(body);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(length);
    out
}

/// A foreign pcapng file; `middle` stands after the first packet.
fn pcapng(is_big_endian: bool, middle: &[u8]) -> Vec<u8> {
    let word = |value: u32| {
        if is_big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let version = word(if is_big_endian { 0x0001_0000 } else { 1 });
    let section = [word(0x1A2B_3C4D), version, word(u32::MAX), word(u32::MAX)].concat();
    let mut out = block(0x0A0D_0D0A, is_big_endian, &section);
    let link = word(if is_big_endian { 101 << 16 } else { 101 });
    out.extend(block(1, is_big_endian, &[link, word(0)].concat()));
    for (second, packet) in packets().iter().enumerate() {
        let length = word(packet.len() as u32);
        let ticks = second as u32 * 1_000_000 + 5;
        let mut body = [word(0), word(0), word(ticks), length, length].concat();
        body.extend(packet);
        out.extend(block(6, is_big_endian, &body));
        if second == 0 {
            out.extend(middle);
        }
    }
    out
}

/// One line for each event: seconds and nanoseconds, place, and what it is.
fn shown(bytes: &[u8]) -> (Vec<String>, Losses) {
    let mut losses = Losses::default();
    let lines = read_bytes(bytes, &mut losses)
        .into_iter()
        .filter_map(Recorded::event)
        .map(|event| {
            let place = event.place.as_ref().map_or(0, |place| place.packet);
            let what = match &event.kind {
                EventKind::Data(data) => {
                    format!(
                        "{} {}",
                        data.offset,
                        String::from_utf8_lossy(data.bytes.expose())
                    )
                }
                EventKind::Opened(_) => "opened".into(),
                EventKind::Closed => "closed".into(),
                _ => "unexpected".into(),
            };
            format!("{} {place} {what}", event.time.0)
        })
        .collect();
    (lines, losses)
}

fn check(bytes: &[u8], nanoseconds: u64, shift: u64, expected_losses: &[(Loss, u64)]) {
    let (lines, losses) = shown(bytes);
    let time = |second: u64| second * 1_000_000_000 + nanoseconds;
    assert_eq!(
        lines,
        [
            format!("{} 0 opened", time(1)),
            format!("{} {} 0 GET / ", time(1), 2 + shift),
            format!("{} {} 6 HTTP/1.1", time(2), 3 + shift),
            format!("{} 0 closed", time(2)),
        ]
    );
    assert_eq!(losses.iter().collect::<Vec<_>>(), expected_losses);
}

#[test]
fn every_container_gives_the_same_events() {
    check(&pcap(0xa1b2_c3d4, false, 5, &packets()), 5_000, 0, &[]);
    check(&pcap(0xa1b2_c3d4, true, 5, &packets()), 5_000, 0, &[]);
    check(&pcap(0xa1b2_3c4d, false, 5, &packets()), 5, 0, &[]);
    check(&pcap(0xa1b2_3c4d, true, 5, &packets()), 5, 0, &[]);
    check(&pcapng(false, &[]), 5_000, 0, &[]);
    check(&pcapng(true, &[]), 5_000, 0, &[]);
    let packed = zstd::stream::encode_all(&pcapng(true, &[])[..], 1).unwrap();
    check(&packed, 5_000, 0, &[]);
}

#[test]
fn blocks_that_are_broken_are_stepped_over() {
    let malformed = |count| [(Loss::CaptureMalformed, count)];
    // Unknown, and a custom block that Wireshark gives a number.
    check(
        &pcapng(false, &block(0x7777, false, b"what")),
        5_000,
        0,
        &[],
    );
    check(
        &pcapng(false, &block(0x0BAD, false, &[0; 8])),
        5_000,
        1,
        &[],
    );
    // A packet on an interface that was not described.
    check(
        &pcapng(false, &block(6, false, &[9; 24])),
        5_000,
        1,
        &malformed(1),
    );
    // Too short for a packet, with a wrong second length, with a captured length
    // that leaves the block.
    check(
        &pcapng(false, &block(6, false, &[])),
        5_000,
        1,
        &malformed(1),
    );
    let mut unequal = block(6, false, &[0; 20]);
    unequal.splice(28..32, 99_u32.to_le_bytes());
    check(&pcapng(false, &unequal), 5_000, 1, &malformed(1));
    let lying = [&[0; 12][..], &u32::MAX.to_le_bytes(), &[0; 4]].concat();
    check(
        &pcapng(false, &block(6, false, &lying)),
        5_000,
        1,
        &malformed(1),
    );
    // Longer than is read.
    check(
        &pcapng(false, &block(6, false, &vec![0; 5 << 20])),
        5_000,
        1,
        &malformed(1),
    );
}

#[test]
fn lengths_that_lead_nowhere_end_the_file() {
    for length in [0_u32, 4, 8, 13, 0x8000_0000, u32::MAX] {
        let middle = [6_u32.to_le_bytes(), length.to_le_bytes(), [0; 4]].concat();
        let (lines, losses) = shown(&pcapng(false, &middle));
        assert_eq!(lines.len(), 0, "{length}");
        assert_eq!(losses.get(Loss::CaptureTruncated), 1, "{length}");
    }
    let mut file = pcap(0xa1b2_c3d4, false, 0, &packets()[..2]);
    file.extend([[0; 4], [0; 4], [0xff; 4], [0xff; 4]].concat());
    let (lines, losses) = shown(&file);
    assert_eq!((lines.len(), losses.get(Loss::CaptureTruncated)), (3, 1));
}

#[test]
fn cut_and_garbled_files_never_panic() {
    let packed = zstd::stream::encode_all(&pcapng(false, &[])[..], 1).unwrap();
    let mut state = 1_u32;
    for file in [
        pcap(0xa1b2_c3d4, true, 5, &packets()),
        pcapng(false, &[]),
        packed,
    ] {
        let (whole, _) = shown(&file);
        for length in 0..file.len() {
            let (part, losses) = shown(&file[..length]);
            let data = part.iter().filter(|line| !line.ends_with("closed")).count();
            assert!(
                whole.iter().zip(&part).take(data).all(|(a, b)| a == b),
                "cut at {length}"
            );
            assert!(losses.total() <= 1, "cut at {length}");
        }
        for _ in 0..2_000 {
            let mut garbled = file.clone();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % garbled.len();
                garbled[at] = state as u8;
            }
            // A time may move anywhere; it only matters that reading ends.
            assert!(shown(&garbled).0.len() <= 12);
        }
    }
}

#[test]
fn files_are_known_by_their_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("capture");
    let opens = |bytes: &[u8]| {
        File::create(&path).unwrap().write_all(bytes).unwrap();
        open(&path).map(|_| ())
    };
    assert!(opens(&pcapng(true, &[])).is_ok());
    assert!(opens(b" \n{\"log\":{\"entries\":[]}}").is_ok());
    // Torn before its first packet, which is reported when it is read.
    assert!(opens(b"\x28\xb5\x2f\xfd\0").is_ok());
    for other in [&b""[..], b"{}", b"#!/bin/sh"] {
        assert!(matches!(
            opens(other),
            Err(CaptureError::Unrecognized { .. })
        ));
    }
    let nothing = directory.path().join("nothing");
    assert!(matches!(open(&nothing), Err(CaptureError::Read { .. })));
}

#[test]
fn a_directory_is_one_capture() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (&packets()[..2], &packets()[2..]);
    for (name, content) in [
        ("a.pcap", pcap_from(2, 0xa1b2_c3d4, false, 0, second)),
        ("b.pcap", pcap(0xa1b2_c3d4, false, 0, first)),
        ("c.pcap", b"none".to_vec()),
        ("manifest", b"none".to_vec()),
        ("notes.json", b"{}".to_vec()),
    ] {
        File::create(directory.path().join(name))
            .unwrap()
            .write_all(&content)
            .unwrap();
    }
    let mut losses = Losses::default();
    let mut source = open(directory.path()).unwrap();
    let mut places = Vec::new();
    while let Some(recorded) = source.next(&mut losses).unwrap() {
        let event = recorded.event().unwrap();
        if let Some(place) = event.place {
            places.push((place.file.to_string(), place.packet, event.stream.handle));
        }
    }
    assert_eq!(
        places,
        [("b.pcap".to_owned(), 2, 1), ("a.pcap".to_owned(), 1, 1)]
    );
    assert_eq!((losses.get(Loss::CaptureMalformed), losses.total()), (1, 1));
}
