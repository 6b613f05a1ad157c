//! A folder, a disk, and events.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;

use crate::{
    capture::{Provenance, open},
    event::{Data, Direction, Event, EventKind, StreamId, Timestamp},
    loss::Losses,
    secret::Secret,
    store::{
        CaptureOptions, CaptureWriter, QuotaLimits, StoreError, StoreOptions, Verification,
        disk::{Disk, simulated::SimulatedDisk},
        name::{MANIFEST, SUMS},
        verify,
    },
};

pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// A folder, a disk, and what is recorded there.
pub(super) struct Bench {
    pub(super) folder: tempfile::TempDir,
    pub(super) disk: Arc<SimulatedDisk>,
    pub(super) options: StoreOptions,
}

impl Bench {
    pub(super) fn new(segment_bytes: u64) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            disk: Arc::default(),
            options: StoreOptions {
                segment_bytes,
                quota: QuotaLimits {
                    max_bytes: u64::MAX,
                    max_age: None,
                    min_free_bytes: 0,
                },
                ..StoreOptions::default()
            },
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn try_writer(&self) -> Result<CaptureWriter, StoreError> {
        let options = CaptureOptions {
            store: self.options.clone(),
            provenance: Provenance::default(),
            started: self.disk.now(),
        };
        CaptureWriter::create_on(
            self.path(),
            options,
            Arc::clone(&self.disk) as Arc<dyn Disk>,
        )
    }

    pub(super) fn writer(&self) -> CaptureWriter {
        self.try_writer().unwrap()
    }

    pub(super) fn verified(&self) -> Verification {
        verify(self.path(), None).unwrap()
    }

    /// Fails if anything is wrong.
    pub(super) fn assert_valid(&self, when: &str) {
        if !self.path().join(MANIFEST).exists() && self.segments().is_empty() {
            return;
        }
        let found = self.verified();
        assert!(!found.is_failure(), "{when}: {:#?}", found.files);
        if self.path().join(SUMS).exists() {
            self.assert_sums(when);
        }
    }

    /// What `sha256sum -c` does.
    pub(super) fn assert_sums(&self, when: &str) {
        for line in fs::read_to_string(self.path().join(SUMS)).unwrap().lines() {
            let (hash, name) = line.split_once("  ").unwrap();
            let bytes = fs::read(self.path().join(name)).unwrap();
            assert_eq!(crate::store::digest::sha256(&bytes), hash, "{when}: {name}");
        }
    }

    /// How many files have which state.
    pub(super) fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for file in self.verified().files {
            if file.name.starts_with("phiwatch-") {
                *states.entry(file.state.as_str()).or_default() += 1;
            }
        }
        states
    }

    /// Offsets of the data in the capture.
    pub(super) fn replayed(&self) -> (Vec<u64>, Losses) {
        let mut losses = Losses::default();
        let mut offsets = Vec::new();
        let Ok(mut source) = open(self.path()) else {
            return (offsets, losses);
        };
        while let Some(recorded) = source.next(&mut losses).unwrap() {
            if let EventKind::Data(data) = recorded.event().unwrap().kind {
                offsets.push(data.offset);
            }
        }
        (offsets, losses)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments()
            .iter()
            .map(|path| path.metadata().unwrap().len())
            .sum()
    }

    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with("phiwatch-")
            })
            .collect();
        paths.sort();
        paths
    }
}

pub(super) fn event(number: u64, length: usize) -> Event {
    Event {
        time: Timestamp(1_764_038_463_000_000_000 + number),
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 1,
        },
        place: None,
        kind: EventKind::Data(Data {
            direction: Direction::Sent,
            offset: number * length as u64,
            bytes: Secret::new(Bytes::from(vec![b'x'; length])),
        }),
    }
}
