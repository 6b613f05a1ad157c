//! Tests of the writer of captures.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    disk::simulated::SimulatedDisk,
    sample::{Random, origin, random_events},
    *,
};
use crate::{
    capture::{Recorded, open, open_all, read_bytes},
    event::{Data, Direction, Event, EventKind, Origin, StreamId},
    loss::{Loss, Losses},
    secret::Secret,
};

/// What the core can distinguish: repeated origins, origins that are replaced
/// before any data, and streams without data make no difference. Each other
/// event comes with its origin.
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

/// A writer on a disk on which syncing is quick.
fn create(directory: &Path, options: CaptureOptions) -> CaptureWriter {
    CaptureWriter::create_on(directory, options, Arc::new(SimulatedDisk::default())).unwrap()
}

fn record(directory: &Path, events: &mut [Event], max_bytes: u64) -> Vec<PathBuf> {
    let mut writer = create(directory, options(max_bytes));
    for event in events {
        writer.write(event).unwrap();
    }
    writer.close().unwrap()
}

fn replayed(path: &Path) -> (Vec<Event>, Losses) {
    let mut losses = Losses::default();
    let mut source = open(path).unwrap();
    let mut events = Vec::new();
    while let Some(recorded) = source.next(&mut losses).unwrap() {
        events.extend(recorded.event());
    }
    (events, losses)
}

#[test]
fn replay_gives_what_was_recorded() {
    let sizes = |seed| [(seed, u64::MAX), (seed, 2_000), (seed, 1)];
    for (seed, max_bytes) in (1..20).flat_map(sizes) {
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
    let mut writer = create(directory.path(), options(u64::MAX));
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
            .filter_map(Recorded::event)
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
        // A cut is reported, unless the rest is too short to be a capture.
        assert_eq!(losses.total(), u64::from(length >= 4), "cut at {length}");
        longest = part.len();
    }
    assert_eq!(longest, whole.len());
}

#[test]
fn a_capture_cut_at_every_byte_of_its_last_64_kib_says_so() {
    let stream = StreamId {
        owner: 1,
        handle: 2,
        born: 3,
    };
    let data = |offset, length| {
        EventKind::Data(Data {
            direction: Direction::Sent,
            offset,
            bytes: Secret::new(Bytes::from(vec![b'x'; length])),
        })
    };
    let kinds = [
        data(0, 10),
        data(10, 50_000),
        data(50_010, 20_000),
        EventKind::Closed,
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
    let paths = record(directory.path(), &mut events, u64::MAX);
    let bytes = fs::read(&paths[0]).unwrap();
    assert_eq!(read_bytes(&bytes, &mut Losses::default()).len(), 4);
    for length in bytes.len() - 65_536..bytes.len() {
        let mut losses = Losses::default();
        let read = read_bytes(&bytes[..length], &mut losses);
        assert_eq!(losses.get(Loss::CaptureTruncated), 1, "cut at {length}");
        assert!(!read.is_empty() && losses.total() == 1, "cut at {length}");
    }
}
