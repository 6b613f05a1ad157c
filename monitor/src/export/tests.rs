//! Tests of exports.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::*;
use crate::{
    capture::{Provenance, Recorded, read_bytes},
    event::{Data, Direction, EventKind, Origin, Process, Source, StreamId, Timestamp},
    http::{Completeness, Header, write_request, write_response},
    message::MessageFacts,
    secret::Secret,
};

fn stream(number: u64) -> StreamId {
    StreamId {
        owner: 7,
        handle: number,
        born: 1,
    }
}

fn origin(peer: Option<&str>) -> Arc<Origin> {
    Arc::new(Origin {
        source: Source::Socket,
        process: Some(Arc::new(Process {
            pid: 7,
            comm: Some("shop".to_owned()),
            ..Process::default()
        })),
        local: peer.map(|_| "192.0.2.1:4000".parse().unwrap()),
        peer: peer.map(|peer| peer.parse().unwrap()),
        one_way: false,
        blindness: None,
    })
}

fn headers(list: &[(&str, &[u8])]) -> Vec<Header> {
    list.iter()
        .map(|(name, value)| Header {
            name: (*name).to_owned(),
            value: Secret::new(Bytes::copy_from_slice(value)),
        })
        .collect()
}

/// A message with these texts.
fn message(number: u64, request: Secret<Bytes>, response: Secret<Bytes>, is_page: bool) -> Message {
    Message {
        time: Timestamp(1_764_038_463_000_000_000 + number),
        stream: stream(number),
        place: None,
        origin: Some(origin(Some("203.0.113.5:8080"))),
        server_name: None,
        request,
        response,
        facts: Box::new(MessageFacts {
            page: is_page,
            end: 1_764_038_463_002_500_000 + number,
            status: Some(200),
            body_bytes: 99,
            completeness: Completeness::Complete.into(),
            ..MessageFacts::default()
        }),
    }
}

fn post(target: &str, list: &[(&str, &[u8])], body: &[u8]) -> Message {
    let request = write_request("POST", target.as_bytes(), &headers(list), body);
    message(1, request, write_response(200, &[], &[]), false)
}

/// The file with these messages.
fn file(exporter: &mut dyn Exporter, messages: &[Message]) -> Vec<u8> {
    let mut out = Vec::new();
    exporter.begin(&mut out);
    for message in messages {
        let findings = ["f1".to_owned()];
        let item = Item {
            recorded: message,
            findings: &findings,
        };
        exporter.message(&item, &mut out);
    }
    exporter.finish(&Losses::default(), &mut out);
    out
}

fn entries(messages: &[Message]) -> Vec<Value> {
    let text = file(&mut Archive::new("0.0.0", false), messages);
    let archive: Value = serde_json::from_slice(&text).unwrap();
    archive["log"]["entries"].as_array().unwrap().clone()
}

#[test]
fn an_archive_says_what_was_sent() {
    for (target, list, body, url, text) in [
        (
            "/a?x=1&y=%20b+c&z",
            &[("host", &b"example.com:8080"[..])][..],
            &b"{}"[..],
            "http://example.com:8080/a?x=1&y=%20b+c&z",
            "{}",
        ),
        (
            "/\"<é",
            &[("host", b"exa mple.com")],
            b"a\xff",
            "http://203.0.113.5:8080/%22%3C%C3%A9",
            "Yf8=",
        ),
        (
            "http://example.org/b",
            &[],
            b"x",
            "http://example.org/b",
            "x",
        ),
        (
            "*",
            &[("host", b"[2001:db8::1]")],
            b"x",
            "http://[2001:db8::1]/*",
            "x",
        ),
    ] {
        let found = entries(&[post(target, list, body)]);
        let [entry] = &found[..] else {
            panic!("{}", found.len())
        };
        let request = &entry["request"];
        assert_eq!(request["url"], url);
        assert_eq!(request["postData"]["text"], text);
        let is_base64 = request["postData"]["_encoding"] == "base64";
        assert_eq!(is_base64, text == "Yf8=", "{url}");
        assert_eq!(request["bodySize"], 99);
        assert_eq!(request["method"], "POST");
        assert_eq!(entry["response"]["status"], 200);
        assert_eq!(entry["_findings"][0], "f1");
        assert_eq!(entry["_process"]["comm"], "shop");
        assert_eq!(entry["time"], 2.5);
        assert_eq!(entry["startedDateTime"], "2025-11-25T02:41:03.000000001Z");
        assert_eq!(entry["serverIPAddress"], "203.0.113.5");
        let list = request["queryString"].as_array().unwrap();
        if url.contains('?') {
            assert_eq!(list[1]["value"], " b c");
            assert_eq!(list[2]["name"], "z");
        } else {
            assert!(list.is_empty());
        }
    }
}

#[test]
fn an_archive_holds_pages_and_messages_without_answer() {
    let page = write_response(200, &headers(&[("content-type", b"text/html")]), b"<p>");
    let found = entries(&[
        message(1, Secret::default(), page, true),
        message(
            2,
            write_request("GET", b"/", &[], &[]),
            Secret::default(),
            false,
        ),
    ]);
    let [page, unanswered] = &found[..] else {
        panic!("{}", found.len())
    };
    assert_eq!(page["response"]["content"]["text"], "<p>");
    assert_eq!(page["response"]["bodySize"], 99);
    assert_eq!(page["_kind"], "page");
    assert_eq!(unanswered["response"]["status"], 0);
    assert!(unanswered["request"].get("postData").is_none());
    assert!(entries(&[]).is_empty());
}

#[test]
fn an_archive_and_messages_are_read_back() {
    let sent = post(
        "/v1/track?a=b",
        &[
            ("host", b"example.com"),
            ("content-type", b"application/json"),
        ],
        b"{\"a\":\"\xc3\xa9\"}",
    );
    let binary = post("/b", &[("host", b"example.com")], b"\x00\xff\xfe");
    for exporter in [
        &mut Archive::new("0.0.0", true) as &mut dyn Exporter,
        &mut Packets::new(Provenance::default()),
    ] {
        let text = file(exporter, &[sent.clone(), binary.clone()]);
        let mut losses = Losses::default();
        let all = read_bytes(&text, &mut losses);
        assert_eq!(losses.iter().find(|(_, count)| *count > 0), None);
        let bodies = all.iter().map(|recorded| match recorded {
            Recorded::Message(message) => message.request.expose().clone(),
            Recorded::Event(event) => match &event.kind {
                EventKind::Data(data) => data.bytes.expose().clone(),
                _ => Bytes::new(),
            },
        });
        let all = bodies.fold(Vec::new(), |mut all, bytes| {
            all.extend_from_slice(&bytes);
            all
        });
        for part in [
            &b"{\"a\":\"\xc3\xa9\"}"[..],
            b"\x00\xff\xfe",
            b"/v1/track?a=b",
        ] {
            assert!(all.windows(part.len()).any(|own| own == part));
        }
    }
}

#[test]
fn messages_that_no_packet_holds_are_cut_and_counted() {
    let mut units = Units::new(Provenance::default());
    let body = vec![b'a'; 300_000];
    let out = file(&mut units, &[post("/a", &[], &body), post("/b", &[], b"x")]);
    assert_eq!((units.messages(), units.cut()), (2, 1));
    assert!(out.len() < 270_000);
}

/// The frames found in these bytes, sent in pieces of `step`.
fn frames(asked: &[u8], answered: &[u8], step: usize) -> Vec<(Direction, Vec<u8>)> {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    let mut push = |kind| {
        let event = Event {
            time: Timestamp(5),
            stream: stream(1),
            place: None,
            kind,
        };
        frames.push(&event, |about, bytes| {
            found.push((about.direction, bytes.to_vec()));
        });
    };
    push(EventKind::Opened(Arc::new(Origin {
        source: Source::OpenSsl,
        ..Origin::clone(&origin(None))
    })));
    let longest = asked.len().max(answered.len());
    for start in (0..longest).step_by(step) {
        for (direction, bytes) in [(Direction::Received, answered), (Direction::Sent, asked)] {
            let end = (start + step).min(bytes.len());
            let Some(piece) = bytes.get(start..end).filter(|piece| !piece.is_empty()) else {
                continue;
            };
            push(EventKind::Data(Data {
                direction,
                offset: start as u64,
                bytes: Secret::new(Bytes::copy_from_slice(piece)),
            }));
        }
    }
    push(EventKind::Closed);
    found
}

#[test]
fn frames_are_whole_however_they_come() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let data = [0, 0, 3, 0, 1, 0, 0, 0, 1, b'a', b'b', b'c'];
    let asked = [&preface[..], &settings, &data].concat();
    let answered = [&settings[..], &data, &data].concat();
    for step in 1..=asked.len() {
        let found = frames(&asked, &answered, step);
        let of = |direction| -> Vec<&[u8]> {
            let own = found.iter().filter(|(own, _)| *own == direction);
            own.map(|(_, bytes)| bytes.as_slice()).collect()
        };
        assert_eq!(
            of(Direction::Sent),
            [&preface[..], &settings, &data],
            "{step}"
        );
        assert_eq!(
            of(Direction::Received),
            [&settings[..], &data, &data],
            "{step}"
        );
    }
    for other in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"PRI * HTTP/1.1\r\n\r\n",
        &data,
    ] {
        for step in 1..=other.len() {
            assert!(frames(other, &settings, step).is_empty(), "{step}");
        }
    }
    let endless = [&preface[..], &[255, 255, 255, 0, 0, 0, 0, 0, 1], &[0; 50]].concat();
    assert_eq!(frames(&endless, &settings, 7).len(), 2);
}
