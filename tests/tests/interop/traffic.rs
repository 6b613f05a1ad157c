//! Traffic of many kinds as the probe would see it, and the requests in it.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use phiwatch::{
    capture::Provenance,
    event::{
        Data,
        Direction::{self, Received, Sent},
        Event, EventKind, Origin, Process, Source, StreamId, Timestamp,
    },
    loss::Losses,
    record::Encoder,
    secret::Secret,
};
use tests::patient;

/// A request within the traffic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) target: String,
    /// Length of the body as sent, without chunk framing.
    pub(crate) length: u64,
}

/// Recorded events, and the requests in them.
#[derive(Default)]
pub(crate) struct Traffic {
    events: Vec<Event>,
    pub(crate) asked: Vec<Asked>,
    streams: u64,
}

/// One open connection.
struct Line<'a> {
    traffic: &'a mut Traffic,
    stream: StreamId,
    next: [u64; 2],
}

impl Traffic {
    fn line(&mut self, source: Source, ends: Option<(&str, &str)>, name: Option<&str>) -> Line<'_> {
        self.streams += 1;
        let stream = StreamId {
            owner: 4_711,
            handle: 0x7f00_0000 + self.streams,
            born: self.streams,
        };
        let origin = Origin {
            source,
            process: Some(Arc::new(Process {
                pid: 4_711,
                exe: Some("/usr/bin/shop".to_owned()),
                comm: Some("shop".to_owned()),
                ..Process::default()
            })),
            local: ends.map(|(local, _)| local.parse().expect("an address")),
            peer: ends.map(|(_, peer)| peer.parse().expect("an address")),
            one_way: false,
            blindness: None,
        };
        let mut line = Line {
            traffic: self,
            stream,
            next: [0, 0],
        };
        line.push(EventKind::Opened(Arc::new(origin)));
        if let Some(name) = name {
            line.push(EventKind::Named(name.into()));
        }
        line
    }

    fn asks(&mut self, method: &str, host: &str, target: &str, length: usize) {
        self.asked.push(Asked {
            method: method.to_owned(),
            host: host.to_owned(),
            target: target.to_owned(),
            length: length as u64,
        });
    }

    /// Writes everything as one capture.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut encoder = Encoder::new(Provenance::default());
        let mut out = Vec::new();
        encoder.begin_segment(&mut out);
        for event in &self.events {
            encoder.event(event, &mut out);
        }
        encoder.end_segment(&Losses::default(), &mut out);
        fs::write(path, out).with_context(|| format!("write {}", path.display()))
    }
}

impl Line<'_> {
    fn push(&mut self, kind: EventKind) {
        let number = self.traffic.events.len() as u64;
        self.traffic.events.push(Event {
            time: Timestamp(1_764_038_463_000_000_000 + number * 1_000_000),
            stream: self.stream,
            place: None,
            kind,
        });
    }

    fn data(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        let next = &mut self.next[direction as usize];
        let offset = *next;
        *next += bytes.len() as u64;
        self.push(EventKind::Data(Data {
            direction,
            offset,
            bytes: Secret::new(Bytes::copy_from_slice(bytes)),
        }));
        self
    }

    /// Sends `bytes` in pieces of `step`.
    fn pieces(&mut self, bytes: &[u8], step: usize) -> &mut Self {
        for piece in bytes.chunks(step) {
            self.data(Sent, piece);
        }
        self
    }

    fn answer(&mut self, body: &str) -> &mut Self {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n\
             {body}"
        );
        self.data(Received, text.as_bytes())
    }

    fn close(&mut self) {
        self.push(EventKind::Closed);
    }
}

fn head(method: &str, host: &str, target: &str, more: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: shop/1.0\r\n{more}\r\n")
        .into_bytes()
}

fn with_length(method: &str, host: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let more = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    [head(method, host, target, &more), body.to_vec()].concat()
}

fn gzip(body: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

const META: &str = "graph.facebook.com";
const SEGMENT: &str = "api.segment.io";
const CLIENT: &str = "198.51.100.9:50000";

/// Traffic of every kind that phiwatch records.
pub(crate) fn traffic() -> Result<Traffic> {
    let mut all = Traffic::default();
    let event = patient::meta_event().to_string().into_bytes();
    let path = patient::META_PATH;

    // In one piece and in many, on addresses of every kind. On ports of other
    // protocols tshark needs the request line in one piece.
    let ends = [
        (Some((CLIENT, "203.0.113.80:80")), event.len() + 400),
        (Some((CLIENT, "203.0.113.80:443")), 300),
        (Some(("198.51.100.9:50001", "203.0.113.80:18080")), 100),
        (Some(("198.51.100.9:50002", "203.0.113.80:8443")), 400),
        (Some(("198.51.100.9:50003", "203.0.113.80:50051")), 9_999),
        (Some(("[2001:db8::9]:50000", "[2001:db8::80]:443")), 250),
        (Some(("[2001:db8::9]:50001", "[2001:db8::80]:9200")), 160),
        (None, 1),
        (None, 9_999),
    ];
    for (ends, step) in ends {
        let source = match ends {
            Some((_, peer)) if !peer.ends_with("443") => Source::Socket,
            _ => Source::OpenSsl,
        };
        let name = (source == Source::OpenSsl).then_some(META);
        all.line(source, ends, name)
            .pieces(&with_length("POST", META, path, &event), step)
            .answer("{\"events_received\":1}")
            .close();
        all.asks("POST", META, path, event.len());
    }

    // Several on one connection: one after the other, and pipelined.
    let track = br#"{"type":"track","event":"Appointment Booked","userId":"u-1","properties":{"email":"avery.testcase@example.com","treatment":"depression"}}"#;
    let mut line = all.line(Source::OpenSsl, None, Some(SEGMENT));
    for _ in 0..3 {
        line.data(Sent, &with_length("POST", SEGMENT, "/v1/track", track))
            .answer("{}");
    }
    let pipelined = [
        with_length("POST", SEGMENT, "/v1/track", track),
        head("GET", SEGMENT, "/v1/projects?since=1&tag=a%20b", ""),
        head("HEAD", SEGMENT, "/", ""),
        with_length("PUT", SEGMENT, "/v1/identify", track),
    ];
    line.pieces(&pipelined.concat(), 150)
        .answer("{}")
        .answer("{}")
        .data(Received, b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        .answer("{}");
    for _ in 0..4 {
        all.asks("POST", SEGMENT, "/v1/track", track.len());
    }
    all.asks("GET", SEGMENT, "/v1/projects?since=1&tag=a%20b", 0);
    all.asks("HEAD", SEGMENT, "/", 0);
    all.asks("PUT", SEGMENT, "/v1/identify", track.len());

    coded(&mut all, &event)?;
    odd(&mut all, &event);
    Ok(all)
}

/// Chunks and codings.
fn coded(all: &mut Traffic, event: &[u8]) -> Result<()> {
    let path = patient::META_PATH;
    let json = "Content-Type: application/json\r\n";
    for step in [11, 500, 100_000] {
        let mut bytes = head(
            "POST",
            META,
            path,
            &format!("{json}Transfer-Encoding: chunked\r\n"),
        );
        for chunk in event.chunks(123) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        all.line(Source::OpenSsl, None, Some(META))
            .pieces(&bytes, step)
            .answer("{}")
            .close();
        all.asks("POST", META, path, event.len());
    }
    let packed = gzip(event)?;
    let more = format!(
        "{json}Content-Encoding: gzip\r\nContent-Length: {}\r\n",
        packed.len()
    );
    let bytes = [head("POST", META, path, &more), packed.clone()].concat();
    all.line(Source::OpenSsl, None, Some(META))
        .pieces(&bytes, 90)
        .answer("{}");
    all.asks("POST", META, path, packed.len());
    Ok(())
}

/// The same traffic, and bodies longer than a packet and longer than Wireshark
/// accepts.
pub(crate) fn long(mut all: Traffic) -> Traffic {
    for length in [70_000, 400_000] {
        let padding = "x".repeat(length);
        let body = format!(
            "{{\"email\":\"{}\",\"padding\":\"{padding}\"}}",
            patient::EMAIL
        );
        all.line(Source::Socket, Some((CLIENT, "203.0.113.81:80")), None)
            .data(
                Sent,
                &with_length("POST", SEGMENT, "/v1/track", body.as_bytes()),
            )
            .answer("{}")
            .close();
        all.asks("POST", SEGMENT, "/v1/track", body.len());
    }
    all
}

/// A connection of HTTP/2 with two requests, the second of which refers to the
/// header table of the first (RFC 7541, C.4).
pub(crate) fn http2() -> Traffic {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = (payload.len() as u32).to_be_bytes();
        [
            length.get(1..).unwrap_or_default(),
            &[kind, flags],
            &stream.to_be_bytes(),
            payload,
        ]
        .concat()
    };
    let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
    let second = b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
    let asked = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, 5, 1, first),
        frame(1, 4, 3, second),
        frame(0, 1, 3, br#"{"email":"avery.testcase@example.com"}"#),
    ];
    let mut all = Traffic::default();
    let ends = Some(("198.51.100.9:50000", "203.0.113.80:50051"));
    let mut line = all.line(Source::OpenSsl, ends, Some("www.example.com"));
    line.data(Received, &frame(4, 0, 0, &[]));
    line.pieces(&asked.concat(), 10);
    for stream in [1, 3] {
        line.data(Received, &frame(1, 5, stream, b"\x88"));
    }
    line.close();
    all
}

/// What happens more rarely.
fn odd(all: &mut Traffic, event: &[u8]) {
    let path = patient::META_PATH;
    // The answer's body is not recorded.
    let mut line = all.line(Source::OpenSsl, None, Some(META));
    line.data(Sent, &with_length("POST", META, path, event));
    line.data(
        Received,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\n",
    );
    let offset = line.next[Received as usize];
    line.push(EventKind::Missing {
        direction: Received,
        offset,
        length: 5_000,
        loss: None,
    });
    line.next[Received as usize] += 5_000;
    line.data(Sent, &with_length("POST", META, path, event))
        .answer("{}");
    all.asks("POST", META, path, event.len());
    all.asks("POST", META, path, event.len());

    // The body only after an interim answer.
    let whole = with_length("POST", META, path, event);
    let (before, body) = whole.split_at(whole.len() - event.len());
    all.line(Source::OpenSsl, None, Some(META))
        .data(Sent, before)
        .data(Received, b"HTTP/1.1 100 Continue\r\n\r\n")
        .data(Sent, body)
        .answer("{}")
        .close();
    all.asks("POST", META, path, event.len());

    // The same addresses again, after the earlier connection has ended.
    for _ in 0..2 {
        all.line(
            Source::Socket,
            Some(("198.51.100.9:50009", "203.0.113.82:80")),
            None,
        )
        .data(Sent, &with_length("POST", META, path, event))
        .answer("{}")
        .close();
        all.asks("POST", META, path, event.len());
    }

    // Two processes of this host communicate, and both are watched.
    let ends = ("127.0.0.1:40000", "127.0.0.1:8080");
    let request = with_length("POST", "billing.example.com", "/claims", event);
    all.line(Source::Socket, Some(ends), None)
        .data(Sent, &request)
        .answer("{}");
    all.asks("POST", "billing.example.com", "/claims", event.len());
}
