//! Requests in every split, broken messages, and answers.

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
    (
        out.into_iter().map(|exchange| exchange.request).collect(),
        losses,
    )
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

/// What is the same for every split of the same bytes.
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
        // No prefix does harm, and the end never loses the request line.
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
    assert_eq!((first.body_wire_length, first.wire_length), (23, 23 + 58));
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
    // The rest of a body whose length is not known is no request.
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
fn unusual_heads_are_read_leniently() {
    check(
        &[sent(
            1,
            "GET /n?a=\0 HTTP/1.1\r\nHost: a.example\r\nX: a\0b\r\n\r\n",
        )],
        &["GET a.example /n?a=\0 - complete "],
        &[],
    );
    check(
        &[sent(
            1,
            "GET / HTTP/1.1\r\nbad line\r\nHost : a.example\r\n\r\n",
        )],
        &["GET a.example / - truncated "],
        &[Loss::HttpMalformed],
    );
    let with = |headers: usize| {
        let mut message = b"POST /h HTTP/1.1\r\nHost: a.example\r\n".to_vec();
        for index in 1..headers {
            message.extend(format!("x{index}: y\r\n").bytes());
        }
        message
    };
    let tail = "Content-Length: 2\r\n\r\nokGET / HTTP/1.1\r\n\r\n";
    let get = "GET - / - complete ";
    for (headers, completeness, losses) in [
        (USUAL_HEADERS - 1, "complete", &[][..]),
        (USUAL_HEADERS, "complete", &[]),
        (MAX_HEADERS - 1, "complete", &[]),
        (MAX_HEADERS, "truncated", &[Loss::HttpHeadLimit]),
    ] {
        let message = [&with(headers), tail.as_bytes()].concat();
        let first = format!("POST a.example /h - {completeness} ok");
        check(&[sent(1, message)], &[&first, get], losses);
    }
    // A head beyond the limit is passed over to its end.
    let huge = [&with(100_000), &b"\r\nGET / HTTP/1.1\r\n\r\n"[..]].concat();
    check(
        &[sent(1, &huge)],
        &["POST a.example /h - truncated ", get],
        &[Loss::HttpHeadLimit],
    );
    assert_eq!(run(&[sent(1, &huge)]).0[0].headers.len(), MAX_HEADERS);
    let parts: Vec<_> = huge.chunks(1_000).map(|part| sent(1, part)).collect();
    assert_eq!(run(&parts), run(&[sent(1, &huge)]));

    let target = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MAX_HEAD));
    let (requests, losses) = run(&[sent(1, target)]);
    assert_eq!(requests[0].target.expose().len(), MAX_HEAD - 4);
    assert_eq!(losses.get(Loss::HttpHeadLimit), 1);
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
    // The gap takes the next message's beginning with it.
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

#[test]
fn bodies_are_bounded() {
    let length = MAX_BODY + 1_000;
    let head = format!("POST /b HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
    let body = vec![b'x'; length];
    let (requests, losses) = run(&[sent(1, head), sent(1, &body), sent(1, "GET / HTTP/1.1\n\n")]);
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body.expose().len(), MAX_BODY);
    assert_eq!(requests[0].body_wire_length, length as u64);
    assert_eq!(requests[0].completeness, Completeness::Truncated);
    assert_eq!(losses.get(Loss::HttpBodyLimit), 1);

    // Over all connections: the least recently used ones are handed on early.
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let (mut out, count) = (Vec::new(), MAX_MEMORY / MAX_BODY + 8);
    for handle in 0..count as u64 {
        let head = format!(
            "POST /b HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            MAX_BODY + 1
        );
        for part in [head.as_bytes(), &body[..MAX_BODY]] {
            let mut delivery = sent(1, part);
            delivery.stream = id(handle);
            connections.push(&delivery, &mut losses, &mut out);
        }
        assert!(connections.memory <= MAX_MEMORY);
        out.retain_mut(|exchange| {
            exchange.request.body = Secret::default();
            true
        });
    }
    assert!(out.len() >= 8);
    assert_eq!(out[0].request.stream, id(0));
    assert_eq!(losses.get(Loss::StreamEvicted), out.len() as u64);
}

#[test]
fn answers_are_matched_in_order() {
    let get = |name: &str| sent(1, format!("GET /{name} HTTP/1.1\r\n\r\n"));
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let no = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    let (a_ok, b_no) = ("GET - /a 200 complete ", "GET - /b 404 complete ");
    check(
        &[get("a"), received(2, ok), get("b"), received(3, no)],
        &[a_ok, b_no],
        &[],
    );
    let both = format!("{ok}{no}");
    check(
        &[get("a"), get("b"), received(2, &both)],
        &[a_ok, b_no],
        &[],
    );
    let each: Vec<_> = both.bytes().map(|byte| received(2, [byte])).collect();
    check(
        &[&[get("a"), get("b")][..], &each].concat(),
        &[a_ok, b_no],
        &[],
    );
    for split in 0..both.len() {
        let parts = [received(2, &both[..split]), received(3, &both[split..])];
        check(
            &[&[get("a"), get("b")][..], &parts].concat(),
            &[a_ok, b_no],
            &[],
        );
    }

    let head = sent(1, "HEAD /a HTTP/1.1\r\n\r\n");
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
    let answers = received(2, format!("{long}{no}"));
    check(
        &[head, get("b"), answers],
        &["HEAD - /a 200 complete ", b_no],
        &[],
    );
    for status in [204, 304] {
        let answers = format!("HTTP/1.1 {status} x\r\nContent-Length: 9\r\n\r\n{no}");
        let first = format!("GET - /a {status} complete ");
        check(
            &[get("a"), get("b"), received(2, answers)],
            &[&first, b_no],
            &[],
        );
    }

    let post = sent(
        1,
        "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    let go = received(2, "HTTP/1.1 100 Continue\r\n\r\n");
    let posted = "POST - /a 200 complete hi";
    check(
        &[post.clone(), go, sent(3, "hi"), received(4, ok)],
        &[posted],
        &[],
    );
    // An answer that comes before the request is complete.
    let early = received(2, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    check(
        &[post, early, sent(3, "hi"), get("b"), received(4, no)],
        &["POST - /a 413 complete hi", b_no],
        &[],
    );
}

#[test]
fn missing_response_bodies_do_not_matter() {
    let get = |name: &str| sent(1, format!("GET /{name} HTTP/1.1\r\n\r\n"));
    let (a_ok, b_ok) = ("GET - /a 200 complete ", "GET - /b 200 complete ");
    let known = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let unsaid = "HTTP/1.1 200 OK\r\n\r\n";
    for head in [known, chunked, unsaid] {
        for cut in [head.len(), "HTTP/1.1 200 OK\r\n".len()] {
            let first = [get("a"), received(2, &head[..cut]), gap(3, RECEIVED, 900)];
            let second = [get("b"), received(4, head), gap(5, RECEIVED, 900)];
            check(&[first, second].concat(), &[a_ok, b_ok], &[]);
        }
    }
    // A gap in which a response began.
    check(
        &[
            get("a"),
            received(2, known),
            gap(3, RECEIVED, 901),
            get("b"),
            received(4, known),
        ],
        &[a_ok, b_ok],
        &[],
    );
}

#[test]
fn another_protocol_ends_the_requests() {
    let upgrade = sent(1, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    let switch = received(2, "HTTP/1.1 101 Switching\r\n\r\n");
    let inside = [
        sent(3, "GET /no HTTP/1.1\r\n\r\n"),
        received(4, "HTTP/1.1 200 OK\r\n\r\n"),
    ];
    check(
        &[&[upgrade, switch][..], &inside].concat(),
        &["GET - /ws 101 complete "],
        &[],
    );
    let connect = sent(1, "CONNECT a.example:443 HTTP/1.1\r\n\r\n");
    let open = received(2, "HTTP/1.1 200 Connected\r\n\r\n");
    check(
        &[&[connect.clone(), open][..], &inside].concat(),
        &["CONNECT a.example a.example:443 200 complete "],
        &[],
    );
    let denied = received(2, "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n");
    check(
        &[connect, denied, sent(3, "GET / HTTP/1.1\r\n\r\n")],
        &[
            "CONNECT a.example a.example:443 407 complete ",
            "GET - / - complete ",
        ],
        &[],
    );
}

#[test]
fn a_request_does_not_wait_for_ever() {
    let get = |time, name: &str| sent(time, format!("GET /{name} HTTP/1.1\r\n\r\n"));
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let no = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
    let unanswered = "GET - /a - complete ";
    // The answer that comes too late is not taken for the next one's.
    check(
        &[
            get(1, "a"),
            get(2 * SECOND, "b"),
            received(MAX_WAIT + 1, ok),
            received(MAX_WAIT + 2, no),
        ],
        &[unanswered, "GET - /b 404 complete "],
        &[],
    );
    let mut connections = Connections::default();
    let (mut losses, mut out) = (Losses::default(), Vec::new());
    connections.push(&get(1, "a"), &mut losses, &mut out);
    connections.tick(Timestamp(MAX_WAIT), &mut losses, &mut out);
    assert!(out.is_empty());
    connections.tick(Timestamp(MAX_WAIT + 1), &mut losses, &mut out);
    assert_eq!(
        out.iter()
            .map(|exchange| shown(&exchange.request))
            .collect::<Vec<_>>(),
        [unanswered]
    );
    out.clear();

    for _ in 0..=MAX_UNANSWERED + 5 {
        connections.push(&get(MAX_WAIT + 2, "b"), &mut losses, &mut out);
    }
    // The first one to give way was handed on before.
    assert_eq!(losses.get(Loss::HttpPipelineLimit), 6);
    assert_eq!(out.len(), 6);
}

#[test]
fn ticks_change_nothing_but_how_soon() {
    let get = |time, handle| {
        let mut delivery = sent(time, "GET / HTTP/1.1\r\n\r\n");
        delivery.stream = id(handle);
        delivery
    };
    let deliveries = [
        get(1, 3),
        get(2, 2),
        get(3 * SECOND, 1),
        get(MAX_WAIT + 2, 3),
        get(4 * MAX_WAIT, 1),
    ];
    let expected = run(&deliveries).0;
    let order: Vec<_> = expected
        .iter()
        .map(|request| request.stream.handle)
        .collect();
    assert_eq!(order, [3, 2, 1, 3, 1]);
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    for (index, delivery) in deliveries.iter().enumerate() {
        connections.push(delivery, &mut losses, &mut out);
        let until = deliveries
            .get(index + 1)
            .map_or(u64::MAX, |next| next.now.0);
        for step in 1..40 {
            let now = delivery.now.plus(step * SECOND);
            if now.0 < until {
                connections.tick(now, &mut losses, &mut out);
            }
        }
    }
    let got: Vec<_> = out.into_iter().map(|exchange| exchange.request).collect();
    assert_eq!(got, expected);
}

#[test]
fn packets_in_any_order_give_the_same_request() {
    use crate::{
        event::{Data, Event, EventKind},
        stream::Streams,
    };
    let message = b"POST /c HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nem=a%40b.";
    let mut cuts: Vec<_> = message.chunks(11).enumerate().collect();
    for turn in 0..cuts.len() {
        cuts.rotate_left(1);
        if turn % 2 == 0 {
            cuts.reverse();
        }
        let (mut streams, mut connections) = (Streams::default(), Connections::default());
        let (mut losses, mut steps, mut out) = (Losses::default(), Vec::new(), Vec::new());
        for (index, part) in &cuts {
            let bytes = Secret::new(Bytes::copy_from_slice(part));
            let data = Data {
                direction: SENT,
                offset: 11 * *index as u64,
                bytes,
            };
            let kind = EventKind::Data(data);
            let event = Event {
                time: Timestamp(1),
                stream: id(1),
                place: None,
                kind,
            };
            streams.push(&event, &mut losses, &mut steps);
        }
        streams.finish(&mut losses, &mut steps);
        for step in &steps {
            connections.push(step, &mut losses, &mut out);
        }
        let [exchange] = &out[..] else {
            panic!("{} requests", out.len())
        };
        assert_eq!(
            shown(&exchange.request),
            "POST a.example /c - complete em=a%40b."
        );
        assert_eq!(losses.total(), 0);
    }
}

#[test]
fn a_thousand_requests_on_one_connection() {
    let mut deliveries = Vec::new();
    for index in 0..1_000_u64 {
        let body = format!("em=jane.roe.{index}@example.com");
        let head = format!(
            "POST /{index} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        deliveries.extend([
            sent(2 * index, head),
            sent(2 * index, body),
            received(
                2 * index + 1,
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            ),
            received(2 * index + 1, "ok"),
        ]);
    }
    let (requests, losses) = run(&deliveries);
    assert_eq!((requests.len(), losses.total()), (1_000, 0));
    for (index, request) in requests.iter().enumerate() {
        let body = format!("em=jane.roe.{index}@example.com");
        let expected = format!("POST a.example /{index} 200 complete {body}");
        assert_eq!(shown(request), expected);
    }
}

#[test]
fn no_mutation_does_harm() {
    // A small generator of our own keeps the test the same on every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let whole: Vec<u8> = messages()
        .into_iter()
        .flat_map(|(message, _)| message)
        .collect();
    for _ in 0..2_000 {
        let mut message = whole.clone();
        for _ in 0..=next(6) {
            let at = next(message.len());
            message[at] = b"\0\r\n :;0fZ\xff"[next(10)];
        }
        let mut deliveries = Vec::new();
        let mut rest = &message[..];
        while !rest.is_empty() {
            let (part, after) = rest.split_at(1 + next(rest.len().min(90)));
            rest = after;
            let direction = if next(4) == 0 { RECEIVED } else { SENT };
            deliveries.push(bytes(1, direction, part));
            if next(20) == 0 {
                deliveries.push(gap(1, direction, next(40) as u64));
            }
        }
        let (requests, _) = run(&deliveries);
        assert!(requests.iter().all(|request| request.method.len() <= 32));
    }
}
