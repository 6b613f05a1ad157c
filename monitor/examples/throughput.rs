//! How many requests a second the core handles on one processor, without a
//! kernel: requests of a server to a tracker, on many connections that stay
//! open.
//!
//! `cargo run --release --package phiwatch --example throughput -- [REQUESTS [PART]]`
//!
//! The parts: `assemble` makes whole messages of events, `tracker` finds what
//! is in them, `other` are requests to a host that is no tracker, `alerts`
//! counts and journals findings as well, `raw` records events and finds
//! nothing.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use phiwatch::{
    alert::{Journal, Metrics},
    capture::Provenance,
    event::{Data, Direction, Event, EventKind, Origin, Process, Source, StreamId, Timestamp},
    loss::Losses,
    pipeline::{MessageAssembler, Output, Pipeline},
    probe::hook_names,
    secret::Secret,
    store::{CaptureOptions, CaptureWriter, StoreOptions},
    token::TokenKey,
    tracker::Catalog,
};

/// Who gets the requests.
const TRACKER: &str = "graph.facebook.com";
/// Connections that take turns.
const STREAMS: u64 = 1_000;
/// Events that are made at once, as many as a batch of the ring thread has.
const BATCH: usize = 4_096;

/// What the tracker answers.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{\"events_received\":1}";

/// Makes the events of a load.
struct Load {
    host: &'static str,
    number: u64,
    offsets: Vec<u64>,
    answers: Vec<u64>,
    origin: Arc<Origin>,
}

impl Load {
    fn new(host: &'static str) -> Self {
        Self {
            host,
            number: 0,
            offsets: vec![0; STREAMS as usize],
            answers: vec![0; STREAMS as usize],
            origin: Arc::new(Origin {
                source: Source::OpenSsl,
                process: Some(Arc::new(Process {
                    pid: 7,
                    exe: Some("/usr/bin/python3.11".to_owned()),
                    ..Process::default()
                })),
                local: None,
                peer: None,
                one_way: false,
                blindness: None,
            }),
        }
    }

    /// The next request, 600 bytes long.
    fn next(&mut self, events: &mut Vec<Event>) {
        let number = self.number;
        self.number += 1;
        let handle = number % STREAMS;
        let stream = StreamId {
            owner: 7,
            handle,
            born: 1,
        };
        let time = Timestamp(1_764_038_463_000_000_000 + number * 20_000);
        let event = |kind| Event {
            time,
            stream,
            place: None,
            kind,
        };
        let offset = &mut self.offsets[handle as usize];
        if *offset == 0 {
            events.push(event(EventKind::Opened(Arc::clone(&self.origin))));
        }
        let body = format!(
            "{{\"data\":[{{\"event_name\":\"Schedule\",\"event_time\":1764038463,\"action_source\":\"website\",\"event_source_url\":\"https://care.example.com/anxiety/book\",\"user_data\":{{\"em\":[\"patient{}@example.com\"],\"ph\":[\"+1206555{:04}\"],\"client_user_agent\":\"Mozilla/5.0\"}},\"custom_data\":{{\"diagnosis\":\"generalized anxiety disorder\",\"value\":120}}}}]}}",
            number % 5_000,
            number % 10_000
        );
        let text = format!(
            "POST /v26.0/1234567890/events HTTP/1.1\r\nHost: {}\r\nUser-Agent: python-requests/2.32\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        let length = text.len() as u64;
        events.push(event(EventKind::Data(Data {
            direction: Direction::Sent,
            offset: *offset,
            bytes: Secret::new(Bytes::from(text)),
        })));
        *offset += length;
        let answer = &mut self.answers[handle as usize];
        events.push(event(EventKind::Data(Data {
            direction: Direction::Received,
            offset: *answer,
            bytes: Secret::new(Bytes::from_static(ANSWER)),
        })));
        *answer += ANSWER.len() as u64;
    }
}

/// Passes that many requests to `take` in batches. Returns the time that it
/// took.
fn run(host: &'static str, requests: u64, mut take: impl FnMut(Vec<Event>)) -> Duration {
    let mut load = Load::new(host);
    let mut spent = Duration::ZERO;
    while load.number < requests {
        let mut events = Vec::with_capacity(BATCH + 1);
        while events.len() < BATCH && load.number < requests {
            load.next(&mut events);
        }
        let start = Instant::now();
        take(events);
        spent += start.elapsed();
    }
    spent
}

fn metrics(catalog: &Catalog) -> Metrics {
    let trackers: Vec<_> = catalog.entries().iter().map(|entry| &*entry.id).collect();
    Metrics::new(&trackers, &hook_names()).expect("metrics")
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let requests: u64 = arguments
        .next()
        .map_or(100_000, |text| text.parse().expect("a number of requests"));
    let only = arguments.next();
    let mut out = io::stdout();
    let mut say = |name: &str, spent: Duration| {
        let rate = requests as f64 / spent.as_secs_f64();
        writeln!(out, "{name:<32} {rate:>10.0} requests/s")
    };
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("assemble") {
        let (mut assembler, mut losses, mut steps) =
            (MessageAssembler::default(), Losses::default(), Vec::new());
        let spent = run(TRACKER, requests, |events| {
            for event in events {
                assembler.push(&event, &mut losses, &mut steps);
            }
            steps.clear();
        });
        say("assemble", spent)?;
    }
    for (name, host) in [("tracker", TRACKER), ("other", "api.example.com")] {
        if !wanted(name) {
            continue;
        }
        let mut pipeline = Pipeline::new(Catalog::builtin(), TokenKey::from_bytes([3; 32]));
        let mut findings = 0;
        let spent = run(host, requests, |events| {
            let mut out = Output::default();
            for event in events {
                pipeline.push(&event, &mut out);
            }
            pipeline.tick(Timestamp(0), &mut out);
            findings += out.findings.len();
        });
        say(&format!("{name} ({findings} findings)"), spent)?;
    }
    if wanted("alerts") {
        let folder = tempfile::tempdir()?;
        let catalog = Catalog::builtin();
        let metrics = metrics(&catalog);
        let settings = phiwatch::config::JournalSection {
            file: phiwatch::config::JournalTarget::File(folder.path().join("journal")),
            ..Default::default()
        };
        let mut journal = Journal::open(&settings).expect("a journal");
        let mut pipeline = Pipeline::new(catalog, TokenKey::from_bytes([3; 32]));
        let mut inside = Duration::ZERO;
        let spent = run(TRACKER, requests, |events| {
            let mut out = Output::default();
            let now = events.last().map_or(Timestamp(0), |event| event.time);
            for event in events {
                pipeline.push(&event, &mut out);
            }
            pipeline.tick(now, &mut out);
            let start = Instant::now();
            for finding in &out.findings {
                metrics.finding(finding, now);
                let tracker = &finding.recipient.tracker;
                metrics.set_people(tracker, pipeline.people(tracker).at_least);
            }
            journal.write_batch(&out.findings, now).expect("written");
            inside += start.elapsed();
        });
        say("tracker, metrics and journal", spent)?;
        say("  of these metrics and journal", inside)?;
    }
    if wanted("raw") {
        let folder = tempfile::tempdir()?;
        let options = CaptureOptions {
            store: StoreOptions::default(),
            provenance: Provenance::default(),
            started: Timestamp(1_764_038_463_000_000_000),
        };
        let mut writer =
            CaptureWriter::create(&folder.path().join("capture"), options).expect("a capture");
        let spent = run(TRACKER, requests, |events| {
            for mut event in events {
                writer.write(&mut event).expect("written");
            }
        });
        say("raw capture", spent)?;
    }
    Ok(())
}
