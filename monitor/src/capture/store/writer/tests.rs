//! Tests of the writer on a disk that fills up, fails and ages.

use std::{collections::BTreeMap, io};

use bytes::Bytes;

use super::*;
use crate::{
    capture::{
        CheckingKey, FileState, Provenance, RoomLimits, Verification, open,
        store::{
            AgeRecipients,
            disk::played::Played,
            manifest,
            name::{HOLD, MANIFEST, SUMS, draft_name},
        },
        verify,
    },
    event::{Data, Direction, StreamId},
    secret::Secret,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A folder, a disk, and what is recorded there.
struct Bench {
    folder: tempfile::TempDir,
    disk: Arc<Played>,
    options: StoreOptions,
}

impl Bench {
    fn new(segment_bytes: u64) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            disk: Arc::default(),
            options: StoreOptions {
                segment_bytes,
                room: RoomLimits {
                    max_bytes: u64::MAX,
                    max_age: None,
                    min_free_bytes: 0,
                },
                ..StoreOptions::default()
            },
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn try_writer(&self) -> Result<CaptureWriter, StoreError> {
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

    fn writer(&self) -> CaptureWriter {
        self.try_writer().unwrap()
    }

    fn verified(&self) -> Verification {
        verify(self.path(), None).unwrap()
    }

    /// Fails if anything is wrong.
    fn assert_valid(&self, when: &str) {
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
    fn assert_sums(&self, when: &str) {
        for line in fs::read_to_string(self.path().join(SUMS)).unwrap().lines() {
            let (hash, name) = line.split_once("  ").unwrap();
            let bytes = fs::read(self.path().join(name)).unwrap();
            assert_eq!(
                crate::capture::digest::sha256(&bytes),
                hash,
                "{when}: {name}"
            );
        }
    }

    /// How many files have which state.
    fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for file in self.verified().files {
            if file.name.starts_with("phiwatch-") {
                *states.entry(file.state.as_str()).or_default() += 1;
            }
        }
        states
    }

    /// Offsets of the data in the capture.
    fn replayed(&self) -> (Vec<u64>, Losses) {
        let mut losses = Losses::default();
        let mut offsets = Vec::new();
        let Ok(mut source) = open(self.path()) else {
            return (offsets, losses);
        };
        while let Some(event) = source.next(&mut losses).unwrap() {
            if let EventKind::Data(data) = event.kind {
                offsets.push(data.offset);
            }
        }
        (offsets, losses)
    }

    fn bytes(&self) -> u64 {
        self.segments()
            .iter()
            .map(|path| path.metadata().unwrap().len())
            .sum()
    }

    fn segments(&self) -> Vec<PathBuf> {
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

fn event(number: u64, length: usize) -> Event {
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

#[test]
fn segments_end_by_age_but_not_empty() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    bench.disk.pass(MINUTE * 120);
    writer.tick().unwrap();
    assert_eq!(writer.segments().len(), 1);
    writer.write(&mut event(0, 10)).unwrap();
    writer.tick().unwrap();
    // The empty segment was old when the event came.
    assert_eq!(writer.segments().len(), 2);
    bench.disk.pass(MINUTE * 61);
    writer.tick().unwrap();
    assert_eq!(writer.segments().len(), 3);
    writer.close().unwrap();
    assert_eq!(bench.states(), BTreeMap::from([("ok", 3)]));
}

#[test]
fn the_oldest_make_room_and_the_manifest_says_so() {
    let mut bench = Bench::new(20_000);
    bench.options.room.max_bytes = 250_000;
    let mut writer = bench.writer();
    for number in 0..60 {
        writer.write(&mut event(number, 9_000)).unwrap();
        writer.flush().unwrap();
        assert!(bench.bytes() <= 250_000, "after event {number}");
        bench.assert_valid("in between");
    }
    assert_eq!(writer.losses().total(), 0);
    writer.close().unwrap();
    let states = bench.states();
    assert!(states["deleted"] > 10 && states["ok"] >= 3, "{states:?}");
    let deleted = |file: &crate::capture::FileCheck| {
        file.state == FileState::Deleted && file.detail.contains("capture.max_bytes")
    };
    assert!(bench.verified().files.iter().any(deleted));
    let (offsets, _) = bench.replayed();
    assert!(offsets.ends_with(&[58 * 9_000, 59 * 9_000]));
}

#[test]
fn a_hold_stops_deletion_and_what_finds_no_room_is_counted() {
    let mut bench = Bench::new(20_000);
    bench.options.room.max_bytes = 250_000;
    bench.options.room.max_age = Some(MINUTE);
    let hold = bench.path().join(HOLD);
    fs::write(&hold, b"").unwrap();
    let mut writer = bench.writer();
    let mut refused = 0;
    for number in 0..60 {
        if let Err(error) = writer.write(&mut event(number, 9_000)) {
            assert!(
                matches!(error, StoreError::NoRoom { .. } | StoreError::Waiting),
                "{error}"
            );
            assert!(refused > 0 || error.to_string().contains("hold"), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 20);
    assert_eq!(writer.losses().get(Loss::CaptureNoRoom), refused);
    bench.disk.pass(MINUTE);
    // Old segments are not deleted either.
    writer.tick().unwrap();
    assert_eq!(bench.states().get("deleted"), None);
    fs::remove_file(hold).unwrap();
    bench.disk.pass(MINUTE);
    writer.write(&mut event(60, 9_000)).unwrap();
    writer.close().unwrap();
    assert!(bench.states()["deleted"] > 0);
    bench.assert_valid("at the end");
}

#[test]
fn others_who_fill_the_disk_cost_the_oldest_but_not_everything() {
    let mut bench = Bench::new(20_000);
    bench.options.room.min_free_bytes = 50_000;
    let mut writer = bench.writer();
    for number in 0..30 {
        writer.write(&mut event(number, 9_000)).unwrap();
    }
    bench.disk.set_space(40_000, 10_000_000);
    writer.tick().unwrap();
    let deleted = bench.states()["deleted"];
    assert!((1..3).contains(&deleted), "{deleted}");
    // Nothing would be enough: what there is stays, and nothing comes to it.
    bench.disk.set_space(0, 1 << 40);
    let mut all = Bench::new(20_000);
    all.options.room.min_free_bytes = 1 << 30;
    all.disk.set_space(0, 1 << 40);
    let mut full = all.writer();
    assert!(full.write(&mut event(0, 10)).is_err());
    assert_eq!(full.losses().get(Loss::CaptureNoRoom), 1);
    all.disk.set_space(1 << 39, 1 << 40);
    all.disk.pass(MINUTE);
    full.write(&mut event(1, 10)).unwrap();
}

/// Writes on a disk with room for `room` bytes until it is full and longer, and
/// on when there is room again; everything that was accepted is there, and what
/// was not is counted.
fn fill(room: u64, policy: SyncPolicy) {
    let when = format!("room for {room}");
    let mut bench = Bench::new(150_000);
    bench.options.sync = policy;
    bench.disk.set_room(room);
    let mut writer = bench.writer();
    let mut accepted = Vec::new();
    let count = 45;
    for number in 0..count {
        let mut event = event(number, 9_000);
        if number == 35 {
            bench.disk.set_room(u64::MAX);
            bench.disk.pass(MINUTE);
        }
        match writer.write(&mut event) {
            Ok(()) => {
                assert!(event.place.is_some());
                accepted.push(number * 9_000);
            }
            Err(_) => assert_eq!(event.place, None),
        }
        // Whatever is on disk ends after a whole block.
        for path in bench.segments() {
            let found = super::super::structure::pcapng(File::open(&path).unwrap()).unwrap();
            assert_eq!(found.fault, None, "{when}: {}", path.display());
        }
        bench.assert_valid(&when);
        bench.disk.pass(Duration::from_millis(50));
    }
    let refused = writer.losses().total();
    writer.close().unwrap();
    bench.assert_valid(&when);
    let (offsets, losses) = bench.replayed();
    if policy == SyncPolicy::Write {
        // An event that waited may be written later, without a place.
        assert!(
            accepted.iter().all(|offset| offsets.contains(offset)),
            "{when}"
        );
    } else {
        assert_eq!(offsets, accepted, "{when}");
    }
    assert_eq!(offsets.len() as u64 + refused, count, "{when}");
    let told = losses.get(Loss::CaptureNoRoom) + losses.get(Loss::CaptureWrite);
    assert_eq!(told, refused, "{when}");
}

#[test]
fn a_disk_that_is_full_at_any_moment_loses_nothing_that_was_accepted() {
    for room in (0..12_000)
        .step_by(373)
        .chain((12_000..420_000).step_by(9_973))
    {
        fill(room, SyncPolicy::Second);
    }
    for room in (0..300_000).step_by(29_989) {
        fill(room, SyncPolicy::Write);
    }
}

#[test]
fn a_disk_that_fails_costs_the_segment_and_says_so() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    writer.write(&mut event(0, 10)).unwrap();
    writer.sync().unwrap();
    writer.write(&mut event(1, 10)).unwrap();
    bench.disk.set_failing(true);
    assert!(writer.sync().is_err());
    assert!(matches!(
        writer.write(&mut event(2, 10)),
        Err(StoreError::Waiting)
    ));
    bench.disk.set_failing(false);
    bench.disk.pass(MINUTE);
    writer.write(&mut event(3, 10)).unwrap();
    assert_eq!(writer.losses().get(Loss::CaptureWrite), 1);
    writer.close().unwrap();
    assert_eq!(
        bench.states(),
        BTreeMap::from([("ok", 1), ("recovered", 1)])
    );
    assert_eq!(bench.replayed().0, [0, 10, 30]);
}

#[test]
fn what_was_written_through_is_on_disk_when_the_place_is_given() {
    let mut bench = Bench::new(50_000);
    bench.options.sync = SyncPolicy::Write;
    let mut writer = bench.writer();
    for number in 0..20 {
        let mut event = event(number, 9_000);
        writer.write(&mut event).unwrap();
        let place = event.place.unwrap();
        let file = File::open(bench.path().join(&*place.file)).unwrap();
        let found = super::super::structure::pcapng(file).unwrap();
        assert_eq!(found.packets, Some(place.packet));
    }
    let syncs = bench.disk.syncs.load(std::sync::atomic::Ordering::Relaxed);
    assert!(syncs >= 20);
}

#[test]
fn a_writer_that_is_stopped_anywhere_leaves_a_valid_manifest() {
    for steps in 0..40 {
        let bench = Bench::new(10_000);
        let mut writer = bench.writer();
        for number in 0..steps {
            writer.write(&mut event(number, 3_000)).unwrap();
            if number % 3 == 0 {
                writer.sync().unwrap();
            }
        }
        drop(writer);
        bench.assert_valid("stopped");
        let states = bench.states();
        assert_eq!(states.get("not sealed"), Some(&1), "{states:?}");
        bench.writer().close().unwrap();
        bench.assert_valid("started again");
        let states = bench.states();
        assert_eq!(states.get("recovered"), Some(&1), "{states:?}");
        assert!(bench.replayed().0.len() as u64 + 3 >= steps);
    }
}

#[test]
fn a_segment_that_is_cut_anywhere_is_recovered_to_its_last_whole_block() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    for number in 0..3 {
        writer.write(&mut event(number, 40)).unwrap();
    }
    writer.sync().unwrap();
    drop(writer);
    let path = bench.segments().remove(0);
    let name = path.file_name().unwrap().to_str().unwrap();
    let whole = fs::read(&path).unwrap();
    let before: Vec<_> = [MANIFEST, name]
        .iter()
        .map(|name| {
            (
                bench.path().join(name),
                fs::read(bench.path().join(name)).unwrap(),
            )
        })
        .collect();
    for length in 0..=whole.len() {
        for entry in fs::read_dir(bench.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (path, bytes) in &before {
            fs::write(path, bytes).unwrap();
        }
        fs::write(&path, &whole[..length]).unwrap();
        let found = bench.verified();
        assert_eq!(found.files[0].state, FileState::NotSealed);
        let is_torn = found.files[0].detail.contains("torn at byte");
        bench.writer().close().unwrap();
        bench.assert_valid("recovered");
        let kept = fs::metadata(&path).unwrap().len() as usize;
        assert!(kept <= length && length - kept < 700 && is_torn == (kept < length));
        let cut = format!(
            "; {} bytes of an incomplete block were cut off",
            length - kept
        );
        assert!(
            bench.verified().files[0].detail.ends_with(&cut),
            "cut at {length}"
        );
        // Room that was given and never written is cut off as well.
        let zeros = [&whole[..kept], &[0; 500]].concat();
        if length % 50 == 0 && kept > 0 {
            fs::write(&path, zeros).unwrap();
            fs::write(&before[0].0, &before[0].1).unwrap();
            bench.writer().close().unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len() as usize, kept);
        }
    }
}

#[test]
fn what_a_kill_leaves_between_two_steps_is_put_in_order() {
    let bench = Bench::new(u64::MAX);
    let mut writer = bench.writer();
    writer.write(&mut event(0, 40)).unwrap();
    writer.rotate(Timestamp(u64::MAX / 2)).unwrap();
    drop(writer);
    let last = bench.segments().pop().unwrap();
    let name = last.file_name().unwrap().to_str().unwrap().to_owned();
    let draft = bench.path().join(draft_name(&name));
    // Killed before the segment was put in its place.
    fs::rename(&last, &draft).unwrap();
    // Drafts of a commit, and of a segment that is in no manifest.
    let other = name.replace("-0001", "-0002");
    for name in [MANIFEST, SUMS, &*other] {
        fs::write(bench.path().join(draft_name(name)), b"half").unwrap();
    }
    // Files of others.
    for name in ["notes.txt", ".notes.new", &*other] {
        fs::write(bench.path().join(name), b"mine").unwrap();
    }
    let detail = |name: &str| {
        let found = bench.verified();
        let file = found
            .files
            .into_iter()
            .find(|file| file.name == name)
            .unwrap();
        (file.state, file.detail)
    };
    let (state, text) = detail(&name);
    assert_eq!(state, FileState::NotSealed);
    assert!(text.contains("as it began it"), "{text}");
    bench.writer().close().unwrap();
    assert_eq!(detail(&name).0, FileState::Recovered);
    assert_eq!(detail("notes.txt").0, FileState::Extra);
    assert_eq!(detail(&other).0, FileState::Unlisted);
    for name in ["notes.txt", ".notes.new", &*other] {
        assert_eq!(fs::read(bench.path().join(name)).unwrap(), b"mine");
    }
    assert!(!draft.exists() && !bench.path().join(draft_name(MANIFEST)).exists());
}

#[test]
fn a_segment_that_vanished_before_it_was_sealed_stays_missing() {
    let bench = Bench::new(u64::MAX);
    drop(bench.writer());
    fs::remove_file(&bench.segments()[0]).unwrap();
    assert_eq!(bench.states(), BTreeMap::from([("MISSING", 1)]));
    bench.disk.pass(MINUTE);
    bench.writer().close().unwrap();
    assert_eq!(bench.states(), BTreeMap::from([("MISSING", 1), ("ok", 1)]));
}

#[test]
fn a_deletion_that_was_interrupted_is_finished() {
    let mut bench = Bench::new(10_000);
    bench.writer().close().unwrap();
    let path = bench.segments().remove(0);
    let bytes = fs::read(&path).unwrap();
    bench.disk.pass(MINUTE * 60 * 24 * 3);
    bench.options.room.max_age = Some(MINUTE);
    let mut writer = bench.writer();
    writer.tick().unwrap();
    writer.close().unwrap();
    assert!(!path.exists());
    fs::write(&path, &bytes).unwrap();
    bench.disk.pass(MINUTE);
    bench.writer().close().unwrap();
    assert!(!path.exists());
    // What only has the name is not ours to delete.
    fs::write(&path, b"of others").unwrap();
    bench.writer().close().unwrap();
    assert!(path.exists());
}

#[test]
fn a_folder_has_one_writer() {
    let bench = Bench::new(u64::MAX);
    let writer = bench.writer();
    let error = bench.try_writer().map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }));
    assert!(bench.verified().is_being_written);
    drop(writer);
    assert!(!bench.verified().is_being_written);
    bench.writer().close().unwrap();
}

#[test]
fn a_broken_manifest_is_set_aside_and_kept() {
    let bench = Bench::new(u64::MAX);
    bench.writer().close().unwrap();
    let path = bench.path().join(MANIFEST);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    bench.disk.pass(MINUTE);
    bench.writer().close().unwrap();
    let found = bench.verified();
    let names: Vec<_> = found
        .files
        .iter()
        .filter(|file| file.state.is_failure())
        .map(|file| file.name.split(".broken-").next().unwrap())
        .collect();
    assert!(
        names.contains(&MANIFEST) && names.contains(&SUMS),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name.starts_with("phiwatch-")));
    let reading = manifest::read(bench.path()).unwrap().unwrap();
    assert_eq!(reading.problem, None);
}

#[test]
fn a_signature_goes_with_every_update() {
    let mut bench = Bench::new(20_000);
    let pair = minisign::KeyPair::generate_encrypted_keypair(Some(String::new())).unwrap();
    let secret = bench.path().join("minisign.key");
    fs::write(&secret, pair.sk.to_box(None).unwrap().into_string()).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&secret, permissions).unwrap();
    bench.options.key = Some(crate::capture::SigningKey::load(&secret).unwrap());
    let public = CheckingKey::from_base64(&pair.pk.to_base64()).unwrap();
    let mut writer = bench.writer();
    for number in 0..10 {
        writer.write(&mut event(number, 9_000)).unwrap();
        for key in [None, Some(&public)] {
            let found = verify(bench.path(), key).unwrap();
            assert!(!found.is_failure(), "{:#?}", found.files);
        }
    }
    writer.close().unwrap();
    let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let other = CheckingKey::from_base64(&other.pk.to_base64()).unwrap();
    assert!(verify(bench.path(), Some(&other)).unwrap().is_failure());
    fs::remove_file(bench.path().join("SHA256SUMS.minisig")).unwrap();
    assert!(bench.verified().is_failure());
}

#[test]
fn opening_a_folder_that_cannot_be_made_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let options = CaptureOptions {
        store: StoreOptions::default(),
        provenance: Provenance::default(),
        started: Timestamp(0),
    };
    let error = CaptureWriter::create(&file.join("in"), options)
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Write { source, .. } if source.kind() == io::ErrorKind::NotADirectory)
    );
}

#[cfg(feature = "encryption")]
#[test]
fn encrypted_segments_keep_what_was_synced() {
    use std::io::Read as _;

    let identity = age::x25519::Identity::generate();
    let mut bench = Bench::new(200_000);
    bench.options.recipients = AgeRecipients::parse(&[identity.to_public().to_string()]).unwrap();
    let decrypted = |path: &Path| {
        let mut plain = Vec::new();
        let file = File::open(path).unwrap();
        let decryptor = age::Decryptor::new(io::BufReader::new(file)).unwrap();
        let identity: &dyn age::Identity = &identity;
        let mut reader = decryptor.decrypt(std::iter::once(identity)).unwrap();
        // What is not yet there ends in an error.
        drop(reader.read_to_end(&mut plain));
        plain
    };
    let mut writer = bench.writer();
    for number in 0..60 {
        writer.write(&mut event(number, 9_000)).unwrap();
        if number % 7 == 0 {
            writer.sync().unwrap();
            let mut seen = 0;
            for path in bench.segments() {
                let plain = decrypted(&path);
                let mut losses = Losses::default();
                seen += crate::capture::read_bytes(&plain, &mut losses)
                    .iter()
                    .filter(|event| matches!(event.kind, EventKind::Data(_)))
                    .count() as u64;
            }
            assert_eq!(seen, number + 1);
            bench.assert_valid("encrypted");
        }
    }
    // What waits is on disk after a while.
    writer.tick().unwrap();
    bench.disk.pass(ENCRYPTED_WAIT);
    let before = bench.bytes();
    writer.tick().unwrap();
    assert!(bench.bytes() > before);
    drop(writer);
    bench.writer().close().unwrap();
    bench.assert_valid("recovered");
    let states = bench.states();
    assert!(states["ok"] > 1 && states["recovered"] == 1, "{states:?}");
    for path in bench.segments() {
        assert!(path.to_str().unwrap().ends_with(".pcapng.age"));
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(64).any(|window| window == [b'x'; 64]));
    }
}
