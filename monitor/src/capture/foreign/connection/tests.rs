//! Tests of foreign connections.

use std::{net::SocketAddr, sync::Arc};

use super::*;
use crate::{
    capture::packet::{LINK_RAW, synthesize},
    event::EventKind,
};

const CLIENT: &str = "10.0.0.1:5000";
const SERVER: &str = "10.0.0.2:80";

type Sketch<'a> = (&'a str, u32, u8, &'a [u8]);

/// An acknowledgment without information.
const NONE: u32 = 0;

/// Feeds packets `(sender, sequence, flags, payload)` and compares what comes
/// out, one line an event.
fn check(packets: &[Sketch<'_>], expected: &[&str]) {
    let packets: Vec<_> = packets
        .iter()
        .map(|(sender, sequence, flags, payload)| (*sender, *sequence, NONE, *flags, *payload))
        .collect();
    check_answers(&packets, expected, &[]);
}

/// Like [`check`], with acknowledgments (`(sender, sequence, acknowledgment,
/// flags, payload)`) and losses.
fn check_answers(
    packets: &[(&str, u32, u32, u8, &[u8])],
    expected: &[&str],
    expected_losses: &[(Loss, u64)],
) {
    let mut connections = Connections::default();
    let (mut queue, mut losses) = (VecDeque::new(), Losses::default());
    let endpoint = |text: &str| {
        let address: SocketAddr = text.parse().expect("a literal address");
        (address.ip(), address.port())
    };
    for (index, (sender, sequence, acknowledgment, flags, payload)) in packets.iter().enumerate() {
        let receiver = if *sender == CLIENT { SERVER } else { CLIENT };
        let mut data = Vec::new();
        let segment = Segment {
            source: endpoint(sender),
            destination: endpoint(receiver),
            sequence: *sequence,
            acknowledgment: *acknowledgment,
            flags: *flags,
            payload,
            cut: 0,
        };
        synthesize(&segment, &mut data);
        let packet = Packet {
            file: &Arc::from("test"),
            number: index as u64 + 1,
            time: Timestamp(index as u64),
            link: LINK_RAW,
            data: &data,
            cut: 0,
            comment: None,
            is_ours: false,
        };
        connections.push(&packet, &mut queue, &mut losses);
    }
    connections.finish(&mut queue, &mut losses);
    let shown: Vec<_> = queue
        .iter()
        .map(|event| {
            let stream = event.stream.handle;
            match &event.kind {
                EventKind::Opened(origin) => format!(
                    "{stream} opened {} {}",
                    origin.local.map_or(0, |address| address.port()),
                    origin.peer.map_or(0, |address| address.port())
                ),
                EventKind::Data(data) => format!(
                    "{stream} {:?} {} {}",
                    data.direction,
                    data.offset,
                    String::from_utf8_lossy(data.bytes.expose())
                ),
                EventKind::Closed => format!("{stream} closed"),
                EventKind::Missing {
                    direction,
                    offset,
                    length,
                    ..
                } => format!("{stream} missing {direction:?} {offset} {length}"),
                EventKind::Named(_) => "unexpected".into(),
            }
        })
        .collect();
    assert_eq!(shown, expected);
    assert_eq!(losses.iter().collect::<Vec<_>>(), expected_losses);
}

#[test]
fn a_whole_connection() {
    check(
        &[
            (CLIENT, 99, SYN, b""),
            (SERVER, 499, SYN | ACK, b""),
            (CLIENT, 100, ACK, b"GET "),
            (SERVER, 500, ACK, b"HTTP"),
            (CLIENT, 104, ACK | FIN, b"bye"),
            (SERVER, 504, ACK | FIN, b""),
            // Sent again after the end.
            (CLIENT, 100, ACK, b"GET "),
        ],
        &[
            "1 opened 5000 80",
            "1 Sent 0 GET ",
            "1 Received 0 HTTP",
            "1 Sent 4 bye",
            "1 closed",
        ],
    );
}

#[test]
fn repeated_and_reordered_segments_keep_their_offsets() {
    check(
        &[
            (CLIENT, 99, SYN, b""),
            (CLIENT, 99, SYN, b""),
            (CLIENT, 104, ACK, b"efgh"),
            (CLIENT, 100, ACK, b"abcd"),
            (CLIENT, 102, ACK, b"cdef"),
            // A keep-alive from before the first byte.
            (CLIENT, 99, ACK, b"x"),
            (CLIENT, 98, ACK, b"xxab"),
        ],
        &[
            "1 opened 5000 80",
            "1 Sent 4 efgh",
            "1 Sent 0 abcd",
            "1 closed",
        ],
    );
}

#[test]
fn sequence_numbers_wrap() {
    check(
        &[
            (CLIENT, u32::MAX - 2, SYN, b""),
            (CLIENT, u32::MAX - 1, ACK, b"abcd"),
            (CLIENT, 2, ACK, b"ef"),
            (CLIENT, u32::MAX, ACK, b"bc"),
        ],
        &[
            "1 opened 5000 80",
            "1 Sent 0 abcd",
            "1 Sent 4 ef",
            "1 closed",
        ],
    );
}

#[test]
fn a_late_connection_has_room_before_its_first_byte() {
    check(
        &[
            (SERVER, 500, ACK, b"HTTP/1.1 200"),
            (CLIENT, 104, ACK, b"efgh"),
            (CLIENT, 100, ACK, b"abcd"),
        ],
        &[
            "1 opened 5000 80",
            "1 Received 4294967296 HTTP/1.1 200",
            "1 Sent 4294967296 efgh",
            "1 Sent 4294967292 abcd",
            "1 closed",
        ],
    );
    // The request identifies the client even against the ports.
    check(
        &[(SERVER, 1, ACK, b"POST / HTTP/1.1")],
        &[
            "1 opened 80 5000",
            "1 Sent 4294967296 POST / HTTP/1.1",
            "1 closed",
        ],
    );
    check(
        &[(SERVER, 1, ACK, &[0x16, 3, 1, 0, 9, 1])],
        &[
            "1 opened 80 5000",
            "1 Sent 4294967296 \u{16}\u{3}\u{1}\0\t\u{1}",
            "1 closed",
        ],
    );
    check(
        &[(SERVER, 1, ACK, b"?")],
        &["1 opened 5000 80", "1 Received 4294967296 ?", "1 closed"],
    );
}

#[test]
fn addresses_used_again_are_another_stream() {
    check(
        &[
            (CLIENT, 99, SYN, b""),
            (CLIENT, 100, ACK, b"a"),
            (CLIENT, 7_000, SYN, b""),
            (CLIENT, 7_001, ACK, b"b"),
            (SERVER, 1, RST, b""),
            // Its SYN was not captured.
            (CLIENT, 90_000, ACK, b"c"),
        ],
        &[
            "1 opened 5000 80",
            "1 Sent 0 a",
            "1 closed",
            "2 opened 5000 80",
            "2 Sent 0 b",
            "2 closed",
            "3 opened 5000 80",
            "3 Sent 4294967296 c",
            "3 closed",
        ],
    );
}

#[test]
fn the_start_is_known_however_it_is_captured() {
    let whole = [
        "1 opened 5000 80",
        "1 Sent 0 GET ",
        "1 Received 0 HTTP",
        "1 closed",
    ];
    let syn = (CLIENT, 99, 0, SYN, &b""[..]);
    let answer = (SERVER, 499, 100, SYN | ACK, &b""[..]);
    let request = (CLIENT, 100, 500, ACK, &b"GET "[..]);
    let response = (SERVER, 500, 104, ACK, &b"HTTP"[..]);
    // Both opened at once; SYN with data.
    let both = (SERVER, 499, 0, SYN, &b""[..]);
    let early = (CLIENT, 99, 0, SYN, &b"GET "[..]);
    for packets in [
        [syn, answer, request, response],
        [answer, syn, request, response],
        [answer, answer, request, response],
        [syn, syn, request, answer].map(|packet| packet),
        [syn, both, request, response],
        [early, answer, request, response],
    ] {
        let packets = [&packets[..], &[response]].concat();
        check_answers(&packets, &whole, &[]);
    }
}

#[test]
fn answers_stand_behind_what_they_answer() {
    let start = [
        (CLIENT, 99, 0, SYN, &b""[..]),
        (SERVER, 499, 100, SYN | ACK, b""),
        (CLIENT, 100, 500, ACK, b"ab"),
    ];
    let (late, answer) = (
        (CLIENT, 102, 500, ACK, &b"cd"[..]),
        (SERVER, 500, 104, ACK, &b"ok"[..]),
    );
    let next = (CLIENT, 104, 502, ACK, &b"ef"[..]);
    // Captured in another order.
    check_answers(
        &[&start[..], &[answer, late, next]].concat(),
        &[
            "1 opened 5000 80",
            "1 Sent 0 ab",
            "1 Sent 2 cd",
            "1 Received 0 ok",
            "1 Sent 4 ef",
            "1 closed",
        ],
        &[],
    );
    // Not captured.
    check_answers(
        &[&start[..], &[answer, next]].concat(),
        &[
            "1 opened 5000 80",
            "1 Sent 0 ab",
            "1 Sent 4 ef",
            "1 missing Sent 2 2",
            "1 Received 0 ok",
            "1 closed",
        ],
        &[(Loss::StreamGap, 1)],
    );
}

#[test]
fn an_end_waits_for_what_comes_before_it() {
    check(
        &[
            (CLIENT, 99, SYN, b""),
            (CLIENT, 100, ACK, b"ab"),
            (CLIENT, 104, ACK | FIN, b""),
            (SERVER, 500, ACK | FIN, b""),
            (CLIENT, 102, ACK, b"cd"),
            // Another connection without its start.
            (CLIENT, 9_000, ACK, b"ef"),
        ],
        &[
            "1 opened 5000 80",
            "1 Sent 0 ab",
            "1 Sent 2 cd",
            "1 closed",
            "2 opened 5000 80",
            "2 Sent 4294967296 ef",
            "2 closed",
        ],
    );
}

#[test]
fn probes_and_far_numbers_are_no_data() {
    check(
        &[
            (CLIENT, 99, ACK, b"\0"),
            (CLIENT, 100, ACK, b"ab"),
            (CLIENT, 101, ACK, b"\0"),
            // Too far back for a retransmission.
            (CLIENT, 0xf000_0000, ACK, b"cd"),
        ],
        &[
            "1 opened 5000 80",
            "1 Sent 4294967296 ab",
            "1 closed",
            "2 opened 5000 80",
            "2 Sent 4294967296 cd",
            "2 closed",
        ],
    );
}
