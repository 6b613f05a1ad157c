//! Connections that were read, and those that were not: the same live, from a raw
//! capture and from a redacted one.

use super::{recorded::redacting, *};
use crate::{
    capture::{Provenance, Recorded, read_bytes},
    event::Process,
    record::Encoder,
    stream::{datagrams, hello},
};

/// What happens on a stream.
#[derive(Clone, Copy)]
enum What {
    /// A socket greets this server, and sends something.
    Hello(&'static str),
    /// The same, and it sends nothing more than a handshake.
    Handshake(&'static str),
    /// The same over QUIC.
    Quic(&'static str),
    /// The probe says what keeps the socket from being read.
    Obstacle(Blindness),
    /// A proxy is asked for a tunnel to this server, and answers with this status.
    Connect(&'static str, u16),
    /// A TLS library is given a request to this server, with this target.
    Plain(&'static str, &'static str),
    /// A TLS library is given the first half of that.
    Half(&'static str),
    /// It is the end.
    Closed,
}
use What::{Closed, Connect, Half, Handshake, Hello, Obstacle, Plain, Quic};

/// After how many milliseconds, in which process, on which stream.
type Happening = (u64, u32, u64, What);

fn kinds(pid: u32, what: What) -> Vec<EventKind> {
    let opened = |source, blindness| {
        EventKind::Opened(Arc::new(Origin {
            source,
            process: Some(Arc::new(Process {
                pid,
                exe: Some("/srv/app".to_owned()),
                ..Process::default()
            })),
            local: None,
            peer: None,
            one_way: false,
            blindness,
        }))
    };
    let data = |direction, bytes: &[u8]| {
        EventKind::Data(Data {
            direction,
            offset: 0,
            bytes: Secret::new(Bytes::copy_from_slice(bytes)),
        })
    };
    let request = |method: &str, target: &str, host: &str| {
        let text =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        data(Direction::Sent, text.as_bytes())
    };
    match what {
        Hello(host) | Handshake(host) => {
            let mut bytes = hello(Some(host), 32, 4096);
            bytes.extend([23, 3, 3, 0, 53]);
            bytes.extend([7; 53]);
            if let Hello(_) = what {
                bytes.extend([23, 3, 3, 1, 0]);
            }
            vec![opened(Source::Socket, None), data(Direction::Sent, &bytes)]
        }
        Quic(host) => {
            let mut kinds = vec![opened(Source::Quic, None)];
            let mut next = 0;
            for bytes in datagrams(host, 1_800) {
                let length = bytes.len() as u64;
                kinds.push(EventKind::Data(Data {
                    direction: Direction::Sent,
                    offset: next,
                    bytes: Secret::new(Bytes::from(bytes)),
                }));
                next += length;
            }
            kinds
        }
        Obstacle(blindness) => vec![opened(Source::Socket, Some(blindness))],
        Connect(host, status) => vec![
            opened(Source::Socket, None),
            request("CONNECT", &format!("{host}:443"), host),
            data(
                Direction::Received,
                format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n").as_bytes(),
            ),
        ],
        Plain(host, target) => vec![
            opened(Source::OpenSsl, None),
            EventKind::Named(host.into()),
            request("POST", target, host),
        ],
        Half(host) => vec![
            opened(Source::OpenSsl, None),
            EventKind::Named(host.into()),
            data(Direction::Sent, b"GET /slow HT"),
        ],
        Closed => vec![EventKind::Closed],
    }
}

fn all(script: &[Happening]) -> Vec<Event> {
    let each = script.iter().flat_map(|(after, pid, handle, what)| {
        kinds(*pid, *what).into_iter().map(move |kind| Event {
            time: Timestamp(1_764_038_463_000_000_000 + after * 1_000_000),
            stream: StreamId {
                owner: *pid,
                handle: *handle,
                born: 1,
            },
            place: None,
            kind,
        })
    });
    each.collect()
}

/// What was found and noted, without the place of evidence.
fn said(out: &Output) -> (Vec<String>, Vec<String>) {
    let mut lines: Vec<_> = out
        .findings
        .iter()
        .map(|finding| {
            let mut finding = finding.clone();
            finding.evidence = None;
            serde_json::to_string(&finding).unwrap()
        })
        .collect();
    lines.sort();
    let mut notes: Vec<_> = out
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::Connection { tracker, blindness } => {
                let how = blindness.map_or("read", Blindness::as_str);
                Some(format!("{tracker} {how}"))
            }
            Note::TrackerRequest(tracker) => Some(format!("{tracker} request")),
            _ => None,
        })
        .collect();
    notes.sort();
    (lines, notes)
}

/// The same events, or messages, from a capture file.
fn replayed(write: impl FnOnce(&mut Encoder, &mut Vec<u8>), redacted: bool) -> Output {
    let mut encoder = Encoder::new(Provenance {
        redacted,
        ..Provenance::default()
    });
    let mut file = Vec::new();
    encoder.begin_segment(&mut file);
    write(&mut encoder, &mut file);
    encoder.end_segment(&Losses::default(), &mut file);
    let mut losses = Losses::default();
    let (mut pipeline, mut out) = (pipeline(), Output::default());
    for recorded in read_bytes(&file, &mut losses) {
        match recorded {
            Recorded::Event(event) => pipeline.push(&event, &mut out),
            Recorded::Message(message) => pipeline.message(&message, &mut out),
        }
    }
    pipeline.finish(&mut out);
    losses.merge(pipeline.losses());
    assert_eq!(losses, Losses::default());
    out
}

/// The notes of a script, and its contacts: process, host, reason and number.
fn check(script: &[Happening], expected: &[&str], contacts: &[&str]) {
    let events = all(script);
    let (mut pipeline, mut live) = (redacting(), Output::default());
    for event in &events {
        pipeline.push(event, &mut live);
    }
    pipeline.finish(&mut live);
    let told = said(&live);
    assert_eq!(told.1, expected);
    let found: Vec<_> = live
        .findings
        .iter()
        .filter_map(|finding| {
            let contact = finding.contact.as_ref()?;
            assert_eq!(finding.kind, Kind::Contact);
            assert_eq!(finding.process.exe.as_deref(), Some("/srv/app"));
            Some(format!(
                "{} {} {} {}",
                finding.process.pid?,
                finding.recipient.host,
                contact.reason.as_str(),
                contact.connections
            ))
        })
        .collect();
    assert_eq!(found, contacts);

    let raw = replayed(
        |encoder, file| {
            for event in &events {
                encoder.event(event, file);
            }
        },
        false,
    );
    assert_eq!(said(&raw), told, "from a raw capture");
    for finding in raw.findings.iter().filter(|own| own.contact.is_some()) {
        assert!(finding.evidence.is_some() || finding.contact.as_ref().unwrap().connections > 1);
    }
    let redacted = replayed(
        |encoder, file| {
            for record in &live.records {
                encoder.message(&record.message, file);
            }
        },
        true,
    );
    assert_eq!(said(&redacted), told, "from a redacted capture");
}

const GA: &str = "www.google-analytics.com";
const SEGMENT: &str = "api.segment.io";

#[test]
fn what_is_read_is_no_contact() {
    check(
        &[
            (0, 7, 1, Hello(META)),
            (90, 7, 50, Plain(META, "/v1.0/1/events")),
        ],
        &["meta read", "meta request"],
        &[],
    );
    // However long its response takes, and its request.
    check(
        &[
            (0, 7, 1, Hello(META)),
            (90, 7, 50, Half(META)),
            (9_000, 8, 2, Hello("clinic.example")),
            (30_000, 7, 50, Closed),
        ],
        &["meta read"],
        &[],
    );
    check(&[(0, 7, 1, Hello("clinic.example"))], &[], &[]);
    // Nothing was sent that could be read.
    check(&[(0, 7, 1, Handshake(META)), (50, 7, 1, Closed)], &[], &[]);
    check(&[(0, 7, 1, Handshake(META))], &[], &[]);
}

#[test]
fn a_connection_counts_where_its_requests_do() {
    check(
        &[(0, 7, 1, Hello(GA)), (90, 7, 50, Plain(GA, "/mp/collect"))],
        &["ga4_mp read", "ga4_mp request"],
        &[],
    );
    check(
        &[(0, 7, 1, Hello(GA))],
        &["ga4_web unknown"],
        &["7 www.google-analytics.com unknown 1"],
    );
}

#[test]
fn what_is_not_read_is_a_contact_with_its_reason() {
    check(
        &[
            (0, 7, 1, Hello(META)),
            (100, 7, 1, Obstacle(Blindness::NoSymbols)),
            (200, 9, 2, Hello(META)),
            (300, 9, 60, Plain(META, "/v1.0/1/events")),
        ],
        &["meta no_symbols", "meta read", "meta request"],
        &["7 graph.facebook.com no_symbols 1"],
    );
    // Said after the socket was closed.
    check(
        &[
            (0, 7, 1, Hello(META)),
            (50, 7, 1, Closed),
            (1_000, 7, 1, Obstacle(Blindness::Java)),
            (1_000, 7, 1, Closed),
        ],
        &["meta java"],
        &["7 graph.facebook.com java 1"],
    );
    // Each process and each host for itself, and more of the same together.
    check(
        &[
            (0, 7, 1, Hello(META)),
            (10, 7, 2, Hello(META)),
            (20, 7, 3, Hello(META)),
            (30, 7, 4, Hello(SEGMENT)),
            (40, 8, 5, Hello(META)),
        ],
        &[
            "meta unknown",
            "meta unknown",
            "meta unknown",
            "meta unknown",
            "segment unknown",
        ],
        &[
            "7 graph.facebook.com unknown 1",
            "7 api.segment.io unknown 1",
            "8 graph.facebook.com unknown 1",
            "7 graph.facebook.com unknown 2",
        ],
    );
}

#[test]
fn quic_is_never_read_and_takes_nothing_from_what_is() {
    check(
        &[
            (0, 7, 1, Quic(META)),
            (10, 7, 2, Hello(META)),
            (90, 7, 50, Plain(META, "/v1.0/1/events")),
            (95, 7, 3, Quic("clinic.example")),
            (100, 7, 1, Closed),
            (200, 8, 4, Quic(SEGMENT)),
        ],
        &["meta quic", "meta read", "meta request", "segment quic"],
        &["7 graph.facebook.com quic 1", "8 api.segment.io quic 1"],
    );
}

#[test]
fn a_tunnel_is_a_connection_if_it_was_granted() {
    check(
        &[(0, 7, 1, Connect(SEGMENT, 200))],
        &["segment proxy"],
        &["7 api.segment.io proxy 1"],
    );
    check(&[(0, 7, 1, Connect(SEGMENT, 407))], &[], &[]);
    check(
        &[
            (0, 7, 1, Connect(META, 200)),
            (90, 7, 50, Plain(META, "/v1.0/1/events")),
        ],
        &["meta read", "meta request"],
        &[],
    );
}
