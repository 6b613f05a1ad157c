//! Tests of the core as a whole: events in, findings out.

mod contacts;
mod driver;
mod guess;
mod recorded;
mod reveal;

use bytes::Bytes;

use super::*;
use crate::{
    canary::{Canaries, Canary, Planted},
    event::Origin,
    event::{Data, Direction, EventKind},
    finding::Kind,
    secret::Secret,
};

#[test]
fn hosts_of_the_own_network_are_no_third_parties() {
    for (host, expected) in [
        ("hooks.example.com", true),
        ("203.0.113.9:8080", true),
        ("[2001:db8::1]:443", true),
        ("localhost:3000", false),
        ("billing", false),
        ("billing.prod.svc.cluster.local", false),
        ("10.0.0.8", false),
        ("192.168.1.4:80", false),
        ("[::1]:80", false),
        ("", false),
    ] {
        assert_eq!(is_third_party(host, None), expected, "{host}");
    }
}

#[test]
fn the_path_of_a_target() {
    for (target, expected) in [
        ("/v1/events?x=1", "/v1/events"),
        ("http://example.com/a/b?c", "/a/b"),
        ("http://example.com", "/"),
        ("/redirect?to=http://example.com/x", "/redirect"),
        ("*", "*"),
        ("", ""),
    ] {
        assert_eq!(path_of(target.as_bytes()), expected, "{target}");
    }
}

/// One request as the events of one stream, its bytes split at `split`.
fn events(number: u64, request: &str, split: usize) -> Vec<Event> {
    let stream = StreamId {
        owner: 7,
        handle: number,
        born: number,
    };
    let origin = Origin {
        source: Source::OpenSsl,
        process: None,
        local: None,
        peer: None,
        one_way: false,
        blindness: None,
    };
    let data = |from: usize, to: usize| {
        EventKind::Data(Data {
            direction: Direction::Sent,
            offset: from as u64,
            bytes: Secret::new(Bytes::copy_from_slice(&request.as_bytes()[from..to])),
        })
    };
    let split = split.min(request.len());
    [
        EventKind::Opened(Arc::new(origin)),
        data(0, split),
        data(split, request.len()),
        EventKind::Closed,
    ]
    .into_iter()
    .map(|kind| Event {
        time: Timestamp(1_764_038_463_000_000_000 + number),
        stream,
        place: None,
        kind,
    })
    .collect()
}

fn post(host: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn examiner(key: u8) -> Examiner {
    let canary = Canary {
        values: vec![(
            Planted::Email,
            Secret::new("quillon@example.com".to_owned()),
        )],
    };
    Examiner::new(Catalog::builtin(), TokenKey::from_bytes([key; 32]))
        .with_canaries(Canaries::new(&[canary]).unwrap())
}

fn pipeline() -> Pipeline {
    Pipeline::from(examiner(3))
}

/// The results for these requests, each on a stream of its own.
fn run(requests: &[String], split: usize) -> Output {
    let (mut pipeline, mut out) = (pipeline(), Output::default());
    for (number, request) in (1..).zip(requests) {
        for event in events(number, request, split) {
            pipeline.push(&event, &mut out);
        }
    }
    pipeline.finish(&mut out);
    out
}

const META: &str = "graph.facebook.com";

#[test]
fn canaries_are_findings_at_every_third_party_and_nowhere_else() {
    let canary = "{\"note\":\"write to Quillon@Example.com\"}";
    for (host, body, expected) in [
        ("hooks.example.net", canary, "canary unknown"),
        ("hooks.example.net:8443", canary, "canary unknown"),
        (META, canary, "request meta, canary meta"),
        ("hooks.example.net", "{\"email\":\"other@example.com\"}", ""),
        ("billing.internal", canary, ""),
        ("billing:8080", canary, ""),
        ("10.1.2.3", canary, ""),
    ] {
        let out = run(&[post(host, "/v26.0/1/events", body)], 20);
        let found: Vec<_> = out
            .findings
            .iter()
            .map(|finding| format!("{} {}", finding.kind.as_str(), finding.recipient.tracker))
            .collect();
        assert_eq!(found.join(", "), expected, "{host}");
        for finding in &out.findings {
            let text = serde_json::to_string(finding).unwrap().to_lowercase();
            assert!(!text.contains("quillon"), "{text}");
            if finding.kind == Kind::Canary {
                assert_eq!(finding.severity.as_str(), "critical");
                assert_eq!(
                    Some(finding.recipient.host.as_str()),
                    host.split(':').next()
                );
            }
        }
        // All of a third party's stream is wanted.
        let third_party = expected.contains("canary") || host == "hooks.example.net";
        let unwanted = out
            .notes
            .iter()
            .any(|note| matches!(note, Note::Unwanted(..)));
        assert_eq!(unwanted, !third_party, "{host}");
    }
}

#[test]
fn the_same_requests_split_differently_give_the_same_findings() {
    let hash = "b6d1c1f4a7ee6a6e8fc28dd5e0d3d0b7d0a5c4b3a29180716253443526170819";
    let requests = [
        post(
            META,
            "/v26.0/1/events",
            "{\"data\":[{\"user_data\":{\"em\":\"jane@example.com\",\"external_id\":\"u-1\"},\"custom_data\":{\"diagnosis\":\"anxiety\"}}]}",
        ),
        post(
            META,
            "/v26.0/1/events",
            &format!(
                "{{\"data\":[{{\"user_data\":{{\"em\":\"{hash}\",\"external_id\":\"u-1\"}}}}]}}"
            ),
        ),
        post(
            "hooks.example.net",
            "/in",
            "{\"e\":\"quillon@example.com\"}",
        ),
        post(
            META,
            "/v26.0/1/events",
            &format!("{{\"data\":[{{\"user_data\":{{\"em\":\"{hash}\"}}}}]}}"),
        ),
    ];
    let whole = run(&requests, usize::MAX).findings;
    assert_eq!(whole.len(), 4);
    let person = |index: usize| whole.get(index).and_then(|finding| finding.person);
    assert!(person(0).is_some());
    assert_eq!(person(0), person(1));
    assert_eq!(person(0), person(3));
    for split in [0, 1, 17, 60, 100, 130] {
        assert_eq!(run(&requests, split).findings, whole, "{split}");
    }
}

/// Whether a request over HTTP/2 to `host`, which is no tracker, makes its connection
/// unwanted.
fn is_unwanted(host: &str, server_name: Option<&str>) -> bool {
    let mut block = vec![0x82, 0x84, 0x87, 1, host.len() as u8];
    block.extend(host.bytes());
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend([0, 0, block.len() as u8, 1, 5, 0, 0, 0, 1]);
    bytes.extend(block);
    let data = EventKind::Data(Data {
        direction: Direction::Sent,
        offset: 0,
        bytes: Secret::new(bytes.into()),
    });
    let name = server_name.map(|name| EventKind::Named(name.into()));
    let opened = events(1, "", 0).swap_remove(0);
    let (mut pipeline, mut out) = (pipeline(), Output::default());
    let kinds = [Some(opened.kind.clone()), name, Some(data)];
    for kind in kinds.into_iter().flatten() {
        let event = Event {
            kind,
            ..opened.clone()
        };
        pipeline.push(&event, &mut out);
    }
    pipeline.finish(&mut out);
    let is_read = |note: &Note| matches!(note, Note::Message(Protocol::Http2, _));
    assert!(out.notes.iter().any(is_read));
    out.notes
        .iter()
        .any(|note| matches!(note, Note::Unwanted(..)))
}

#[test]
fn connections_for_many_requests_stay_wanted_where_they_may_lead_elsewhere() {
    for (host, server_name, expected) in [
        ("api.internal", Some("api.internal"), true),
        ("API.internal:443", Some("api.internal"), true),
        // A proxy.
        ("api.internal", Some("proxy.internal"), false),
        // Cleartext, or no name.
        ("api.internal", None, false),
        // Other paths of it are a tracker's.
        (META, Some(META), false),
    ] {
        assert_eq!(is_unwanted(host, server_name), expected, "{host}");
    }
}
