//! Tests of the writer of captures.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::*;
use crate::{
    capture::{open, open_all, read_bytes},
    event::{Data, Direction, Event, EventKind, Origin, Process, Source, StreamId},
    loss::{Loss, Losses},
    secret::Secret,
};

/// A small deterministic generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn origin(random: &mut Random) -> Arc<Origin> {
    let addresses = [
        "10.0.0.1:40000",
        "10.0.0.2:443",
        "[2001:db8::1]:5000",
        "[fe80::1%3]:443",
        "127.0.0.1:80",
    ];
    let mut address = || {
        let index = random.below(8) as usize;
        addresses
            .get(index)
            .map(|text| text.parse().expect("a literal address"))
    };
    let (local, peer) = (address(), address());
    let process = (random.below(2) == 0).then(|| {
        Arc::new(Process {
            pid: 7,
            exe: Some("/usr/bin/\"quoted\"".into()),
            ..Process::default()
        })
    });
    let source = Source::ALL[random.below(Source::ALL.len() as u64) as usize];
    Arc::new(Origin {
        source,
        process,
        local,
        peer,
    })
}

fn random_events(seed: u64, count: u64) -> Vec<Event> {
    let mut random = Random(seed);
    let mut events = Vec::new();
    let mut opened = std::collections::HashSet::new();
    for step in 0..count {
        let number = random.below(6);
        let stream = StreamId {
            owner: number as u32,
            handle: u64::MAX - number,
            born: 9,
        };
        let direction = if random.below(2) == 0 {
            Direction::Sent
        } else {
            Direction::Received
        };
        let offset = match random.below(4) {
            0 => random.below(u64::MAX),
            1 => (1 << 32) - 10 + random.below(20),
            _ => random.below(5_000),
        };
        let kind = match random.below(12) {
            0 => {
                let origin = origin(&mut random);
                opened.insert(stream);
                EventKind::Opened(origin)
            }
            1 => EventKind::Named(format!("host-{number}.example.com").into()),
            2 => EventKind::Missing {
                direction,
                offset,
                length: random.below(u64::MAX),
                loss: [None, Some(Loss::KernelRingFull)][random.below(2) as usize],
            },
            3 => EventKind::Closed,
            other => {
                let length = if other == 4 {
                    60_000 + random.below(70_000)
                } else {
                    random.below(50)
                };
                let bytes = vec![other as u8; length as usize];
                EventKind::Data(Data {
                    direction,
                    offset,
                    bytes: Secret::new(Bytes::from(bytes)),
                })
            }
        };
        events.push(Event {
            time: Timestamp(1_764_038_463_000_000_000 + step),
            stream,
            place: None,
            kind,
        });
    }
    events
}

/// What the core can tell apart: an origin that is repeated, or replaced before
/// the stream said anything, and streams that said nothing, make no difference.
/// Each other event comes with the origin that it has.
fn observable(events: &[Event]) -> Vec<(Event, Option<Arc<Origin>>)> {
    let mut origins = std::collections::HashMap::new();
    let mut spoke = std::collections::HashSet::new();
    let mut seen = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Opened(origin) => {
                origins.insert(event.stream, Arc::clone(origin));
            }
            EventKind::Closed => {
                let origin = origins.remove(&event.stream);
                if spoke.remove(&event.stream) {
                    seen.push((event.clone(), origin));
                }
            }
            _ => {
                spoke.insert(event.stream);
                seen.push((event.clone(), origins.get(&event.stream).cloned()));
            }
        }
    }
    seen
}

fn options(max_bytes: u64) -> CaptureOptions {
    let provenance = Provenance {
        host: "host.example.com".into(),
        kernel: "6.1".into(),
        version: "0.1.0".into(),
        ..Provenance::default()
    };
    CaptureOptions {
        store: StoreOptions {
            segment_bytes: max_bytes,
            ..StoreOptions::default()
        },
        provenance,
        started: Timestamp(1_764_038_463_000_000_000),
    }
}

fn record(directory: &Path, events: &mut [Event], max_bytes: u64) -> Vec<PathBuf> {
    let mut writer = CaptureWriter::create(directory, options(max_bytes)).unwrap();
    for event in events {
        writer.write(event).unwrap();
    }
    writer.close().unwrap()
}

fn replayed(path: &Path) -> (Vec<Event>, Losses) {
    let mut losses = Losses::default();
    let mut source = open(path).unwrap();
    let mut events = Vec::new();
    while let Some(event) = source.next(&mut losses).unwrap() {
        events.push(event);
    }
    (events, losses)
}

#[test]
fn replay_gives_what_was_recorded() {
    for (seed, max_bytes) in (1..40).flat_map(|seed| [(seed, u64::MAX), (seed, 2_000), (seed, 1)]) {
        let directory = tempfile::tempdir().unwrap();
        let mut events = random_events(seed, 60);
        let paths = record(directory.path(), &mut events, max_bytes);
        assert!(max_bytes > 2_000 || paths.len() > 1);
        let (again, losses) = replayed(directory.path());
        assert_eq!(losses, Losses::default(), "seed {seed}");
        let (expected, got) = (observable(&events), observable(&again));
        assert_eq!(
            expected.len(),
            got.len(),
            "seed {seed} segments of {max_bytes}"
        );
        for (expected, got) in expected.iter().zip(&got) {
            assert_eq!(expected, got, "seed {seed} segments of {max_bytes}");
        }
    }
}

#[test]
fn each_segment_stands_alone() {
    let stream = StreamId {
        owner: 1,
        handle: 2,
        born: 3,
    };
    let origin = origin(&mut Random(5));
    let name: Arc<str> = "tracker.example.com".into();
    let data = |offset| {
        let bytes = Secret::new(Bytes::from_static(b"abc"));
        EventKind::Data(Data {
            direction: Direction::Sent,
            offset,
            bytes,
        })
    };
    let kinds = [
        EventKind::Opened(Arc::clone(&origin)),
        EventKind::Named(Arc::clone(&name)),
        data(5 << 32),
        data((5 << 32) + 3),
    ];
    let mut events: Vec<_> = kinds
        .into_iter()
        .map(|kind| Event {
            time: Timestamp(1),
            stream,
            place: None,
            kind,
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let paths = record(directory.path(), &mut events, 1);
    assert_eq!(open_all(&paths).map(|_| ()).ok(), Some(()));
    let (last, _) = replayed(paths.last().unwrap());
    let kinds: Vec<_> = last.into_iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::Opened(origin),
            EventKind::Named(name),
            data((5 << 32) + 3)
        ]
    );
}

#[test]
fn losses_of_the_kernel_are_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = CaptureWriter::create(directory.path(), options(u64::MAX)).unwrap();
    let mut drops = Losses::default();
    drops.add(Loss::KernelRingFull, 3);
    // Replay finds the gaps itself.
    drops.add(Loss::StreamGap, 5);
    writer.set_drops(&drops);
    writer.rotate(Timestamp(2)).unwrap();
    drops.add(Loss::KernelRingFull, 4);
    writer.set_drops(&drops);
    writer.close().unwrap();
    let (_, losses) = replayed(directory.path());
    assert_eq!((losses.get(Loss::KernelRingFull), losses.total()), (7, 7));
}

#[test]
fn files_are_private_and_never_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new");
    let first = record(&directory, &mut [], u64::MAX);
    let second = record(&directory, &mut [], u64::MAX);
    let names: Vec<_> = [&first, &second]
        .map(|paths| paths[0].file_name().unwrap().to_str().unwrap().to_owned())
        .into();
    assert_eq!(
        names,
        [
            "phiwatch-20251125T024103Z-0000.pcapng",
            "phiwatch-20251125T024103Z-0001.pcapng"
        ]
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&first[0])), (0o700, 0o600));
}

#[test]
fn a_capture_cut_anywhere_gives_what_came_before() {
    let mut events: Vec<_> = random_events(3, 40)
        .into_iter()
        .filter(|event| !matches!(&event.kind, EventKind::Data(data) if data.bytes.expose().len() > 60_000))
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let paths = record(directory.path(), &mut events, u64::MAX);
    let bytes = fs::read(&paths[0]).unwrap();
    let kinds = |bytes: &[u8], losses: &mut Losses| {
        read_bytes(bytes, losses)
            .into_iter()
            .map(|event| (event.time, event.kind))
            .collect::<Vec<_>>()
    };
    let whole = kinds(&bytes, &mut Losses::default());
    assert!(whole.len() > 20);
    let mut longest = 0;
    for length in 0..bytes.len() {
        let mut losses = Losses::default();
        let part = kinds(&bytes[..length], &mut losses);
        assert!(whole.starts_with(&part), "cut at {length}");
        assert!(part.len() >= longest, "cut at {length}");
        assert!(losses.total() <= 1, "cut at {length}");
        longest = part.len();
    }
    assert_eq!(longest, whole.len());
}
