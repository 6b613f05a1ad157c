//! Requests in every split, broken messages, and answers.

mod limits;
mod multiplexed;
mod order;
mod pages;
mod responses;

use bytes::Bytes;

use super::*;
use crate::{event::Place, secret::Secret};

const SECOND: u64 = 1_000_000_000;
const SENT: Direction = Direction::Sent;
const RECEIVED: Direction = Direction::Received;

const fn id(handle: u64) -> StreamId {
    StreamId {
        owner: 1,
        handle,
        born: 0,
    }
}

fn delivery(time: u64, what: Segment) -> Delivery {
    let place = Some(Place {
        file: "a.pcapng".into(),
        packet: time,
    });
    let time = Timestamp(time);
    Delivery {
        stream: id(1),
        facts: Arc::default(),
        time,
        now: time,
        place,
        late: false,
        what,
    }
}

fn bytes(time: u64, direction: Direction, bytes: &[u8]) -> Delivery {
    let bytes = Secret::new(Bytes::copy_from_slice(bytes));
    delivery(time, Segment::Bytes { direction, bytes })
}

fn sent(time: u64, text: impl AsRef<[u8]>) -> Delivery {
    bytes(time, SENT, text.as_ref())
}

fn received(time: u64, text: impl AsRef<[u8]>) -> Delivery {
    bytes(time, RECEIVED, text.as_ref())
}

fn gap(time: u64, direction: Direction, length: u64) -> Delivery {
    delivery(time, Segment::Gap { direction, length })
}

fn closed(time: u64) -> Delivery {
    delivery(time, Segment::Closed)
}

fn run(deliveries: &[Delivery]) -> (Vec<Request>, Losses) {
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    for delivery in deliveries {
        connections.push(delivery, &mut losses, &mut out);
    }
    connections.finish(&mut losses, &mut out);
    assert_eq!(connections.memory, 0, "memory is not given back");
    assert!(connections.deadlines.is_empty() && connections.table.is_empty());
    let mut requests = Vec::new();
    for mut exchange in out {
        exchange.decode(&mut losses);
        requests.push(exchange.request);
    }
    (requests, losses)
}

/// `METHOD host target status completeness body`, the body's bytes as text.
fn shown(request: &Request) -> String {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{} {} {} {} {} {}",
        request.method,
        request.host.as_deref().unwrap_or("-"),
        text(request.target.expose()),
        request
            .status
            .map_or("-".to_owned(), |status| status.to_string()),
        request.completeness.as_str(),
        text(request.body.expose()),
    )
}

fn check(deliveries: &[Delivery], expected: &[&str], expected_losses: &[Loss]) {
    let (requests, losses) = run(deliveries);
    assert_eq!(requests.iter().map(shown).collect::<Vec<_>>(), expected);
    let counts: Vec<_> = losses.iter().collect();
    let want: Vec<_> = expected_losses.iter().map(|loss| (*loss, 1)).collect();
    assert_eq!(counts, want, "{expected:?}");
    let ordinals: Vec<_> = requests.iter().map(|request| request.ordinal).collect();
    assert_eq!(ordinals, (0..requests.len() as u64).collect::<Vec<_>>());
}

/// The results that every split of the same bytes must give.
fn check_splits(message: &[u8], expected: &[&str]) {
    check(&[sent(1, message)], expected, &[]);
    let each: Vec<_> = message.iter().map(|byte| sent(1, [*byte])).collect();
    check(&each, expected, &[]);
    let whole = run(&[sent(1, message)]);
    for split in 0..message.len() {
        let parts = [sent(1, &message[..split]), sent(1, &message[split..])];
        assert_eq!(run(&parts), whole, "split at {split}");
        for second in [split + 1, split + 7] {
            if second < message.len() {
                let parts = [
                    sent(1, &message[..split]),
                    sent(1, &message[split..second]),
                    sent(1, &message[second..]),
                ];
                assert_eq!(run(&parts), whole, "split at {split} and {second}");
            }
        }
        // Every prefix is harmless, and the end never loses the request line.
        let (requests, _) = run(&[sent(1, &message[..split]), closed(1)]);
        assert!(requests.len() <= expected.len());
    }
}

fn messages() -> Vec<(Vec<u8>, Vec<&'static str>)> {
    let zipped = body::tests::gzip(b"{\"em\":\"jane.roe@example.com\"}");
    let mut coded = format!(
        "POST /z HTTP/1.1\r\nHost: a.example\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        zipped.len()
    )
    .into_bytes();
    coded.extend(&zipped);
    coded.extend(b"\r\n0\r\n\r\n");
    let plain =
        "POST /tr?id=1 HTTP/1.1\r\nHost: Graph.Example.com:443\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n\
         4;name=\"v\"\r\nwiki\r\n0005 \r\npedia\r\nA\r\n in chunks\r\n0\r\nX-Sum: 7\r\n\r\n";
    vec![
        (plain.into(), vec!["POST graph.example.com /tr?id=1 - complete hello"]),
        (b"GET / HTTP/1.0\n\n".to_vec(), vec!["GET - / - complete "]),
        (
            b"\r\n\r\nGET http://B.example:80/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n".to_vec(),
            vec!["GET b.example http://B.example:80/x?y - complete "],
        ),
        (
            b"GET /two HTTP/1.1\nHost: a.example\nHost: b.example\nContent-Length: 0\n\n".to_vec(),
            vec!["GET a.example /two - complete "],
        ),
        (chunked.into(), vec!["POST a.example /c - complete wikipedia in chunks"]),
        (
            b"PUT /lf HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\nOPTIONS * HTTP/1.1\n\n"
                .to_vec(),
            vec!["PUT - /lf - complete abc", "OPTIONS - * - complete "],
        ),
        (
            [plain.as_bytes(), &coded, chunked.as_bytes(), b"DELETE /d HTTP/1.1\r\n\r\n"].concat(),
            vec![
                "POST graph.example.com /tr?id=1 - complete hello",
                "POST a.example /z - complete {\"em\":\"jane.roe@example.com\"}",
                "POST a.example /c - complete wikipedia in chunks",
                "DELETE - /d - complete ",
            ],
        ),
        (
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n\x16\x03\x01\x02\x00\x01"
                .to_vec(),
            vec!["CONNECT a.example a.example:443 - complete "],
        ),
        (
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x85abcd".to_vec(),
            vec!["GET - /ws - complete "],
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(), vec![]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0".to_vec(), vec![]),
        (b"\0\0\0\x08\x04\xd2\x16\x2f".to_vec(), vec![]),
    ]
}

#[test]
fn every_split_gives_the_same_requests() {
    for (message, expected) in messages() {
        check_splits(&message, &expected);
    }
}

#[test]
fn times_places_lengths_and_trailers() {
    let (requests, _) = run(&[
        sent(
            5,
            "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-A:  b \r\n",
        ),
        sent(6, "\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n"),
        sent(7, "\r\nGET / HTTP/1.1\r\n\r\n"),
    ]);
    let [first, second] = &requests[..] else {
        panic!("{}", requests.len())
    };
    assert_eq!((first.time, first.end), (Timestamp(5), Timestamp(7)));
    assert_eq!((second.time, second.end), (Timestamp(7), Timestamp(7)));
    assert_eq!(first.place.as_ref().map(|place| place.packet), Some(5));
    assert_eq!(first.header("x-a"), Some(&b"b"[..]));
    assert_eq!(first.header("x-sum"), Some(&b"7"[..]));
    assert_eq!((first.body_wire_length, first.wire_length), (3, 23 + 58));
    assert_eq!((second.body_wire_length, second.wire_length), (0, 18));
}

#[test]
fn broken_messages_are_cut_and_left_behind() {
    let next = "GET /next HTTP/1.1\r\n\r\n";
    let after = "GET - /next - complete ";
    let chunked = "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for bad in [
        "zz\r\n",
        "\r\n",
        "-1\r\n",
        "11111111111111111\r\n",
        "3\r\nabcd\r\n",
    ] {
        let message = format!("{chunked}2\r\nok\r\n{bad}");
        let kept = if bad.contains("abcd") { "okabc" } else { "ok" };
        let first = format!("POST - /c - truncated {kept}");
        let parts = [sent(1, message), sent(2, "junk"), sent(3, next)];
        check(&parts, &[&first, after], &[Loss::HttpMalformed]);
    }
    let get = "GET / HTTP/1.1\r\n\r\n";
    check(
        &[
            sent(1, get),
            sent(2, "\0\0junk"),
            sent(3, "more"),
            sent(4, next),
        ],
        &["GET - / - complete ", after],
        &[Loss::HttpMalformed],
    );
    // The rest of a body of unknown length is no request.
    check(
        &[
            sent(1, "POST /l HTTP/1.1\r\nContent-Length: x\r\n\r\n{}"),
            sent(2, next),
        ],
        &["POST - /l - truncated ", after],
        &[Loss::HttpMalformed],
    );
}

#[test]
fn gaps_are_passed_over_where_the_length_is_known() {
    let post = "POST /p HTTP/1.1\r\nContent-Length: 10\r\n\r\n";
    let get = "GET / HTTP/1.1\r\n\r\n";
    let after = "GET - / - complete ";
    check(
        &[
            sent(1, format!("{post}abc")),
            gap(2, SENT, 4),
            sent(3, format!("hij{get}")),
        ],
        &["POST - /p - gap abchij", after],
        &[],
    );
    check(
        &[sent(1, post), gap(2, SENT, 10), sent(3, get)],
        &["POST - /p - gap ", after],
        &[],
    );
    // The gap includes the beginning of the next message.
    check(
        &[
            sent(1, post),
            gap(2, SENT, 12),
            sent(3, "T /x HTTP/1.1\r\n\r\n"),
            sent(4, get),
        ],
        &["POST - /p - gap ", after],
        &[],
    );
    let chunked = "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nab";
    check(
        &[
            sent(1, chunked),
            gap(2, SENT, 3),
            sent(3, format!("f\r\n0\r\n\r\n{get}")),
        ],
        &["POST - /c - gap abf", after],
        &[],
    );
    check(
        &[
            sent(1, chunked),
            gap(2, SENT, 4),
            sent(3, format!("\r\n0\r\n\r\n{get}")),
        ],
        &["POST - /c - gap ab", after],
        &[],
    );
    check(
        &[
            sent(1, chunked),
            gap(2, SENT, 9),
            sent(3, "0\r\n\r\n"),
            sent(4, get),
        ],
        &["POST - /c - gap ab", after],
        &[],
    );
    // What was seen of a head is not thrown away.
    check(
        &[
            sent(1, "GET /q?a=b HTTP/1.1\r\nHost: a.example\r\nX-"),
            gap(2, SENT, 9),
            sent(3, get),
        ],
        &["GET a.example /q?a=b - gap ", after],
        &[Loss::HttpMalformed],
    );
    check(
        &[
            sent(1, get),
            sent(1, "GET /q?a="),
            gap(2, SENT, 9),
            sent(3, get),
        ],
        &[after, after],
        &[Loss::HttpMalformed],
    );
}

#[test]
fn a_late_start_is_said() {
    let get = "GET / HTTP/1.1\r\n\r\n";
    let expected = ["GET - / - late ", "GET - / - complete "];
    check(
        &[sent(1, "e.com\"}"), sent(2, get), sent(3, get)],
        &expected,
        &[],
    );
    let mut late = sent(1, get);
    late.late = true;
    check(&[late, sent(3, get)], &expected, &[]);
}

#[test]
fn the_end_of_a_stream_ends_its_requests() {
    let post = "POST /p HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nabc";
    check(
        &[sent(1, post), closed(2)],
        &["POST a.example /p - truncated abc"],
        &[],
    );
    check(
        &[sent(1, post)],
        &["POST a.example /p - truncated abc"],
        &[],
    );
    check(
        &[sent(1, &post[..40]), closed(2)],
        &["POST a.example /p - truncated "],
        &[],
    );
    check(&[sent(1, "POST /p HT"), closed(2)], &[], &[]);
}
