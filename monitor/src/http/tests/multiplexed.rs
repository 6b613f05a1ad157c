//! HTTP/2: streams that interleave, what is missing, and what is unknown.

use super::*;

const PREFACE: &[u8] = http2::frame::PREFACE;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 32;
const LAST: u8 = END_STREAM | END_HEADERS;

fn frame(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Fields that enter the table where `prefix` is 0x40, and do not where it is 0.
fn block(prefix: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(prefix);
        for part in [name, value] {
            let length = part.len();
            if length < 127 {
                block.push(length as u8);
            } else {
                let rest = length - 127;
                block.extend([127, (rest & 0x7f) as u8 | 0x80, (rest >> 7) as u8]);
            }
            block.extend(part.bytes());
        }
    }
    block
}

fn get(stream: u32, path: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "A.example:443"),
        (":path", path),
    ];
    frame(HEADERS, LAST, stream, block(0, &fields))
}

fn post(stream: u32, path: &str) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a.example"),
        (":path", path),
    ];
    frame(HEADERS, END_HEADERS, stream, block(0, &fields))
}

fn status(stream: u32, status: &str) -> Vec<u8> {
    frame(
        HEADERS,
        END_HEADERS,
        stream,
        block(0, &[(":status", status)]),
    )
}

/// A connection of a client with these frames.
fn client(frames: &[Vec<u8>]) -> Vec<u8> {
    let settings = frame(SETTINGS, 0, 0, [0, 1, 0, 0, 16, 0]);
    [PREFACE, &settings, &frames.concat()].concat()
}

fn late(time: u64, text: impl AsRef<[u8]>) -> Delivery {
    let mut delivery = sent(time, text);
    delivery.late = true;
    delivery
}

/// Like `check`, where requests are complete in another order than they began.
fn check_any(deliveries: &[Delivery], expected: &[&str], expected_losses: &[Loss]) {
    let (requests, losses) = run(deliveries);
    assert_eq!(requests.iter().map(shown).collect::<Vec<_>>(), expected);
    assert!(
        requests
            .iter()
            .all(|request| request.protocol == Protocol::Http2)
    );
    let counts: Vec<_> = losses.iter().collect();
    let want: Vec<_> = expected_losses.iter().map(|loss| (*loss, 1)).collect();
    assert_eq!(counts, want, "{expected:?}");
}

#[test]
fn every_split_gives_the_same_requests() {
    let zipped = body::tests::gzip(b"{\"em\":\"jane.roe@example.com\"}");
    let head = block(
        0x40,
        &[
            (":method", "POST"),
            (":authority", "b.example"),
            (":path", "/z"),
            ("content-encoding", "gzip"),
        ],
    );
    let (one, two) = head.split_at(20);
    let (two, three) = two.split_at(7);
    let padded = [&[3][..], b"hello", &[0; 3]].concat();
    let with_priority = [&[2, 0, 0, 0, 0, 16][..], &[0x82, 0x84, 0x87], &[0; 2]].concat();
    for (frames, expected) in [
        (vec![get(1, "/a")], vec!["GET a.example /a - complete "]),
        (
            vec![
                post(1, "/p"),
                frame(DATA, PADDED, 1, &padded),
                frame(WINDOW_UPDATE, 0, 0, [0, 1, 0, 0]),
                frame(DATA, 0, 1, ""),
                frame(DATA, END_STREAM, 1, " you"),
            ],
            vec!["POST a.example /p - complete hello you"],
        ),
        (
            vec![
                frame(HEADERS, 0, 1, one),
                frame(CONTINUATION, 0, 1, two),
                frame(CONTINUATION, END_HEADERS, 1, three),
                frame(DATA, 0, 1, &zipped[..9]),
                frame(PING, 0, 0, "12345678"),
                frame(DATA, 0, 1, &zipped[9..]),
                frame(HEADERS, LAST, 1, block(0, &[("grpc-status", "0")])),
            ],
            vec!["POST b.example /z - complete {\"em\":\"jane.roe@example.com\"}"],
        ),
        (
            vec![
                frame(PRIORITY, 0, 3, [0, 0, 0, 0, 1]),
                frame(HEADERS, LAST | PADDED | WITH_PRIORITY, 3, with_priority),
                frame(0xfa, 0, 0, "an extension"),
                post(5, "/5"),
                post(7, "/7"),
                frame(DATA, 0, 5, "five"),
                frame(DATA, END_STREAM, 7, "seven"),
                frame(RST_STREAM, 0, 5, [0, 0, 0, 8]),
                frame(GOAWAY, 0, 0, [0; 8]),
            ],
            vec![
                "POST a.example /5 - truncated five",
                "GET - / - complete ",
                "POST a.example /7 - complete seven",
            ],
        ),
    ] {
        let message = client(&frames);
        let whole = run(&[sent(1, &message)]);
        check_any(&[sent(1, &message)], &expected, &[]);
        let each: Vec<_> = message.iter().map(|byte| sent(1, [*byte])).collect();
        assert_eq!(run(&each), whole);
        for split in 0..message.len() {
            let (one, two) = message.split_at(split);
            assert_eq!(
                run(&[sent(1, one), sent(1, two)]),
                whole,
                "split at {split}"
            );
            let (requests, losses) = run(&[sent(1, one), closed(1)]);
            assert!(requests.len() <= expected.len() && losses.total() == 0);
        }
    }
}

#[test]
fn heads_are_those_of_http1() {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/p"),
        (":authority", "A.Example:8443"),
        ("cookie", "a=1"),
        ("X-Upper", " padded "),
        ("cookie", "b=2"),
        ("bad name", "x"),
        ("split", "a\r\nb: c"),
    ];
    let message = client(&[frame(HEADERS, LAST, 1, block(0, &fields))]);
    let (requests, losses) = run(&[sent(5, message)]);
    let [request] = &requests[..] else {
        panic!("{}", requests.len())
    };
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value.expose()).into_owned();
            format!("{}: {value}", header.name)
        })
        .collect();
    assert_eq!(
        headers,
        [
            "host: A.Example:8443",
            "cookie: a=1; b=2",
            "x-upper: padded",
            "split: a  b: c",
        ]
    );
    assert_eq!(shown(request), "POST a.example /p - truncated ");
    assert_eq!((request.time, request.end), (Timestamp(5), Timestamp(5)));
    assert_eq!(losses.get(Loss::HttpMalformed), 1);
}

#[test]
fn lengths_are_those_of_the_frames() {
    let (head, trailer) = (
        post(1, "/"),
        frame(HEADERS, LAST, 1, block(0, &[("a", "b")])),
    );
    let data = frame(DATA, PADDED, 1, "\x02body..");
    let frames = [head.clone(), data.clone(), trailer.clone()];
    let (requests, _) = run(&[sent(1, client(&frames[..1])), sent(2, frames[1..].concat())]);
    assert_eq!(requests[0].body_wire_length, 4);
    let whole = head.len() + data.len() + trailer.len();
    assert_eq!(requests[0].wire_length, whole as u64);
    assert_eq!(
        (requests[0].time, requests[0].end),
        (Timestamp(1), Timestamp(2))
    );
    assert_eq!(requests[0].header("a"), Some(&b"b"[..]));
}

#[test]
fn statuses_find_their_streams() {
    let settings = frame(SETTINGS, 0, 0, []);
    check_any(
        &[
            received(1, &settings),
            sent(
                1,
                client(&[post(1, "/1"), get(3, "/3"), get(5, "/5"), get(7, "/7")]),
            ),
            received(2, [status(3, "103"), status(3, "404")].concat()),
            // Before the end of its request.
            received(3, status(1, "200")),
            sent(4, frame(DATA, END_STREAM, 1, "x")),
            received(5, frame(RST_STREAM, 0, 5, [0; 4])),
        ],
        &[
            "GET a.example /3 404 complete ",
            "POST a.example /1 200 complete x",
            "GET a.example /5 - complete ",
            "GET a.example /7 - complete ",
        ],
        &[],
    );
    // Most of what a server sends is not handed over.
    let mut answers = status(1, "200");
    answers.extend(frame(DATA, 0, 1, [b'x'; 100]));
    check_any(
        &[
            sent(1, client(&[get(1, "/1"), get(3, "/3"), get(5, "/5")])),
            received(2, [settings, answers[..40].to_vec()].concat()),
            gap(2, RECEIVED, 5_000),
            received(3, frame(HEADERS, LAST, 3, [0x8d])),
            received(3, frame(PUSH_PROMISE, END_HEADERS, 3, [0, 0, 0, 2, 0x82])),
            gap(3, RECEIVED, 5_000),
            // No stream that waits.
            received(4, frame(HEADERS, LAST, 9, [0x8d])),
            received(5, frame(GOAWAY, 0, 0, [0, 0, 0, 3, 0, 0, 0, 0])),
        ],
        &[
            "GET a.example /1 200 complete ",
            "GET a.example /3 404 complete ",
            "GET a.example /5 - complete ",
        ],
        &[],
    );
}

#[test]
fn gaps_cost_what_they_must() {
    let named = |prefix, stream, path| {
        let fields = [
            (":authority", "a.example"),
            (":path", path),
            (":method", "GET"),
            (":scheme", "https"),
        ];
        frame(HEADERS, LAST, stream, block(prefix, &fields))
    };
    // Within data: everything else is as it was. 62 is the newest entry.
    let again = frame(HEADERS, LAST, 5, [0xbe, 0xbf, 0xc0, 0xc1]);
    let data = frame(DATA, END_STREAM, 3, "0123456789");
    check_any(
        &[
            sent(
                1,
                client(&[named(0x40, 1, "/1"), post(3, "/3"), data[..12].to_vec()]),
            ),
            gap(2, SENT, 4),
            sent(3, [&data[16..], &again].concat()),
        ],
        &[
            "GET a.example /1 - complete ",
            "POST a.example /3 - gap 012789",
            "GET a.example /1 - complete ",
        ],
        &[],
    );
    // The rest of a frame of data, and its end with it.
    check_any(
        &[
            sent(1, client(&[post(3, "/3"), data[..12].to_vec()])),
            gap(2, SENT, 7),
            sent(3, get(5, "/5")),
        ],
        &[
            "POST a.example /3 - gap 012",
            "GET a.example /5 - complete ",
        ],
        &[],
    );
    // Within headers: they are read up to there, and the table is unknown.
    let head = named(0x40, 1, "/path/that/is/long");
    check_any(
        &[
            sent(1, client(&[head[..40].to_vec()])),
            gap(2, SENT, 10),
            sent(3, [&head[50..], &again].concat()),
        ],
        &["? a.example ? - gap ", "? - ? - gap "],
        &[Loss::HttpMalformed],
    );
    // Between frames: the next is found again with a request, but not with less.
    check_any(
        &[
            sent(1, client(&[post(1, "/1"), frame(DATA, 0, 1, "abc")])),
            gap(2, SENT, 100),
            sent(3, frame(DATA, END_STREAM, 1, "def")),
            sent(
                4,
                [
                    frame(WINDOW_UPDATE, 0, 0, [0, 0, 1, 0]),
                    named(0x40, 3, "/3"),
                ]
                .concat(),
            ),
            sent(5, again),
        ],
        &[
            "POST a.example /1 - gap abc",
            "GET a.example /3 - complete ",
            "GET a.example /3 - complete ",
        ],
        &[],
    );
}

#[test]
fn what_a_late_connection_refers_to_is_unknown() {
    // GET, https, then an authority and a path from before.
    let unknown = [0x82, 0x87, 0xbe, 0xbf];
    // The name of a header from before, and a value that is known from here on.
    let half = [&[0x82, 0x87, 0x84, 0x7e][..], b"\x05hello"].concat();
    check_any(
        &[
            late(
                1,
                [
                    frame(WINDOW_UPDATE, 0, 3, [0, 0, 1, 0]),
                    frame(HEADERS, LAST, 5, unknown),
                ]
                .concat(),
            ),
            sent(2, frame(HEADERS, LAST, 7, half)),
            sent(3, get(9, "/9")),
        ],
        &[
            "GET - ? - late ",
            "GET - / - late ",
            "GET a.example /9 - complete ",
        ],
        &[],
    );
    // The first write that begins a request is found behind others.
    check_any(
        &[late(1, "rest of a body"), sent(2, get(9, "/9"))],
        &["GET a.example /9 - complete "],
        &[],
    );
}

#[test]
fn what_is_no_request_is_not_taken_for_one() {
    for bytes in [
        frame(DATA, END_STREAM, 1, "x"),
        frame(SETTINGS, 0, 0, [0; 6]),
        // A response.
        status(1, "200"),
        // Without a method, with upper case, with a name that is none.
        frame(HEADERS, LAST, 1, [0x84, 0x87]),
        frame(
            HEADERS,
            LAST,
            1,
            block(0, &[(":method", "GET"), (":path", "/"), ("A", "b")]),
        ),
        frame(
            HEADERS,
            LAST,
            1,
            block(0, &[(":method", "GET"), (":path", "/"), ("a b", "b")]),
        ),
        // An even stream, flags without meaning, a frame that is too long or cut.
        get(2, "/"),
        frame(HEADERS, LAST | 2, 1, [0x82, 0x84, 0x87]),
        get(1, &"/".repeat(16_400)),
        get(1, "/")[..30].to_vec(),
        // All of it unknown.
        frame(HEADERS, LAST, 1, [0xbe, 0xbf, 0xc0, 0xc1]),
    ] {
        let (requests, losses) = run(&[late(1, &bytes), sent(2, "more")]);
        let head = bytes.get(..30).unwrap_or(&bytes);
        assert_eq!((requests.len(), losses.total()), (0, 0), "{head:x?}");
    }
    // Random bytes, with the head of a frame in front of every second.
    let mut seed = 7_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut found = 0;
    for round in 0..200_000 {
        let mut bytes: Vec<u8> = (0..8).flat_map(|_| next().to_le_bytes()).collect();
        if round % 2 == 0 {
            bytes = frame(HEADERS, LAST, 1, &bytes[..16 + (next() % 48) as usize]);
        }
        found += usize::from(http2::begins_with_request(&bytes));
    }
    assert_eq!(found, 0);
}

#[test]
fn broken_frames_lose_the_rest() {
    for bad in [
        frame(CONTINUATION, END_HEADERS, 1, [0x82]),
        [frame(HEADERS, 0, 5, [0x82]), frame(DATA, 0, 5, "")].concat(),
        frame(WINDOW_UPDATE, 0, 0, [0; 5]),
        frame(DATA, PADDED, 1, "\x09abc"),
    ] {
        let (requests, losses) = run(&[
            sent(1, client(&[post(1, "/1"), bad.clone()])),
            sent(2, get(7, "/7")),
        ]);
        let shown: Vec<_> = requests.iter().map(shown).collect();
        assert_eq!(
            shown.first().unwrap(),
            "POST a.example /1 - gap ",
            "{bad:?}"
        );
        assert_eq!(shown.last().unwrap(), "GET a.example /7 - complete ");
        assert!(losses.get(Loss::HttpMalformed) >= 1);
    }
    // A header block that is none does not move the frames.
    check_any(
        &[sent(
            1,
            client(&[frame(HEADERS, LAST, 1, [0x82, 0x84, 0xff]), get(3, "/3")]),
        )],
        &["GET - / - truncated ", "GET a.example /3 - complete "],
        &[Loss::HttpMalformed],
    );
}

#[test]
fn http1_turns_into_http2() {
    let upgrade = "GET /up HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    check(
        &[
            sent(1, upgrade),
            received(2, switch),
            sent(3, client(&[get(3, "/3")])),
            received(4, status(1, "200")),
            received(4, status(3, "204")),
        ],
        &[
            "GET a.example /up 101 complete ",
            "GET a.example /3 204 complete ",
        ],
        &[],
    );
    // The server refused.
    check(
        &[
            sent(1, upgrade),
            received(2, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            sent(3, "GET / HTTP/1.1\r\n\r\n"),
        ],
        &["GET a.example /up 200 complete ", "GET - / - complete "],
        &[],
    );
}

#[test]
fn what_is_kept_is_bounded() {
    // More streams than are remembered.
    let many: Vec<_> = (0..MAX_UNANSWERED as u32 + 2)
        .map(|number| get(2 * number + 1, "/"))
        .collect();
    let (requests, losses) = run(&[sent(1, client(&many))]);
    assert_eq!(requests.len(), many.len());
    assert_eq!(losses.get(Loss::HttpPipelineLimit), 2);
    // One entry of the table, referred to again and again.
    let value = "x".repeat(4_000);
    let mut bomb = vec![0x82, 0x84, 0x87];
    bomb.extend(block(0x40, &[("a", &value)]));
    bomb.extend([0xbe; 12_000]);
    check_any(
        &[sent(
            1,
            client(&[frame(HEADERS, LAST, 1, bomb), get(3, "/3")]),
        )],
        &["GET - / - truncated ", "GET a.example /3 - complete "],
        &[Loss::HttpHeadLimit],
    );
    // A header block without end.
    let part = block(0, &[("a", &value)]);
    let mut frames = vec![frame(HEADERS, END_STREAM, 1, [0x82, 0x84, 0x87])];
    frames.extend((0..100).map(|_| frame(CONTINUATION, 0, 1, &part)));
    frames.push(frame(CONTINUATION, END_HEADERS, 1, &part));
    frames.push(get(3, "/3"));
    check_any(
        &[sent(1, client(&frames))],
        &["GET - / - truncated ", "GET a.example /3 - complete "],
        &[Loss::HttpHeadLimit],
    );
    // A body.
    let part = vec![b'x'; 1 << 16];
    let mut frames = vec![post(1, "/1")];
    frames.extend((0..=MAX_BODY >> 16).map(|_| frame(DATA, 0, 1, &part)));
    frames.push(frame(DATA, END_STREAM, 1, ""));
    let (requests, losses) = run(&[sent(1, client(&frames))]);
    assert_eq!(requests[0].body.expose().len(), MAX_BODY);
    assert_eq!(losses.get(Loss::HttpBodyLimit), 1);
}

#[test]
fn a_hundred_streams_interleave() {
    let mut frames: Vec<_> = (0..100).map(|number| post(2 * number + 1, "/p")).collect();
    let part = |stream: u32, round: u32| [(stream + round) as u8; 16_000];
    for round in 0..66 {
        for number in 0..100 {
            let stream = 2 * number + 1;
            let flags = if round == 65 { END_STREAM } else { 0 };
            frames.push(frame(DATA, flags, stream, part(stream, round)));
        }
    }
    let bytes = client(&frames);
    // Few at a time wait, so that the bound of memory is not reached.
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    for chunk in bytes.chunks(32 * 1024) {
        connections.push(&sent(1, chunk), &mut losses, &mut out);
    }
    connections.finish(&mut losses, &mut out);
    let whole = out.iter().filter(|exchange| {
        exchange.request.completeness == Completeness::Complete
            && exchange.request.body.expose().len() == 66 * 16_000
    });
    let whole = whole.count();
    assert!(whole == 100 || losses.get(Loss::StreamEvicted) > 0);
}
