//! Tests of the checks: whatever is changed is found and named.

use std::sync::Arc;

use super::*;
use crate::{
    capture::Provenance,
    event::{EventKind, Timestamp},
    store::{
        CaptureOptions, CaptureWriter, Custody, StoreOptions, Who,
        custody::CUSTODY_FILE,
        disk::simulated::SimulatedDisk,
        name::{SUMS, draft_name},
        sample::random_events,
    },
};

/// A closed capture of about three small segments, with a custody log.
fn capture() -> tempfile::TempDir {
    recorded(14)
}

/// A closed capture of `count` events, with a custody log.
fn recorded(count: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let options = CaptureOptions {
        store: StoreOptions {
            segment_bytes: 2_500,
            ..StoreOptions::default()
        },
        provenance: Provenance::default(),
        started: Timestamp(1_764_038_463_000_000_000),
    };
    let disk = Arc::new(SimulatedDisk::default());
    let mut writer = CaptureWriter::create_on(folder.path(), options, disk).unwrap();
    for mut event in random_events(3, count) {
        let is_long = |data: &crate::event::Data| data.bytes.expose().len() > 1_000;
        if !matches!(&event.kind, EventKind::Data(data) if is_long(data)) {
            writer.write(&mut event).unwrap();
        }
    }
    writer.close().unwrap();
    let who = Who::current();
    Custody::append(folder.path(), "export", &who, "a case", vec![], [].into()).unwrap();
    folder
}

fn failures(found: &Verification) -> Vec<(&str, FileState)> {
    found
        .files
        .iter()
        .filter(|file| file.state.is_failure())
        .map(|file| (file.name.as_str(), file.state))
        .collect()
}

fn ours(folder: &Path) -> Vec<String> {
    names(folder).unwrap()
}

#[test]
fn an_untouched_capture_is_as_it_was_written() {
    let folder = capture();
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(failures(&found), []);
    assert!(found.has_manifest && !found.is_being_written);
    let names: Vec<_> = found.files.iter().map(|file| &file.name).collect();
    for name in ours(folder.path()) {
        assert!(names.contains(&&name), "{name} is not mentioned");
    }
    let first = &found.files[0];
    assert!(first.packets > Some(0) && first.first.is_some() && first.sha256.is_some());
}

#[test]
fn a_flipped_bit_anywhere_names_its_file() {
    let folder = recorded(4);
    for name in ours(folder.path()) {
        let path = folder.path().join(&name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let found = verify(folder.path(), None).unwrap();
            let failures = failures(&found);
            assert!(
                failures.iter().any(|(failed, _)| *failed == name),
                "{name} byte {at}: {failures:?}"
            );
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(!verify(folder.path(), None).unwrap().is_failure());
}

#[test]
fn a_file_that_is_cut_or_gone_is_named() {
    let folder = capture();
    cut_or_gone(&folder);
    cut_or_gone(&recorded(4));
}

fn cut_or_gone(folder: &tempfile::TempDir) {
    for name in ours(folder.path()) {
        let path = folder.path().join(&name);
        let whole = fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(37) {
            fs::write(&path, &whole[..length]).unwrap();
            let found = verify(folder.path(), None).unwrap();
            // A chain stays a chain if whole lines are removed from its end.
            // For the manifest, the sums and the segments then know more than
            // it does; for the custody log, only its head tells.
            let is_chain = [CUSTODY_FILE, MANIFEST].contains(&&*name);
            let is_short_chain = is_chain && (length == 0 || whole[length - 1] == b'\n');
            let failures = failures(&found);
            assert!(
                is_short_chain || failures.iter().any(|(failed, _)| *failed == name),
                "{name} cut at {length}: {failures:?}"
            );
        }
        fs::remove_file(&path).unwrap();
        let found = verify(folder.path(), None).unwrap();
        assert!(name == CUSTODY_FILE || found.is_failure(), "{name}");
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn entries_cannot_be_taken_off_the_end_of_the_manifest() {
    let folder = capture();
    let path = folder.path().join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for count in 0..lines.len() {
        fs::write(&path, lines[..count].concat()).unwrap();
        let found = verify(folder.path(), None).unwrap();
        assert!(found.is_failure(), "{count} of {} lines", lines.len());
    }
}

#[test]
fn sums_may_be_one_update_behind() {
    let folder = capture();
    let path = folder.path().join(SUMS);
    let text = fs::read_to_string(&path).unwrap();
    let (before, _) = text.trim_end().rsplit_once('\n').unwrap();
    fs::write(&path, format!("{before}\n")).unwrap();
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(failures(&found), [(SUMS, FileState::Changed)]);
    // Its writer was stopped before it could rename the drafts.
    fs::write(folder.path().join(draft_name(SUMS)), &text).unwrap();
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(failures(&found), []);
    let sums = found.files.iter().find(|file| file.name == SUMS).unwrap();
    assert_eq!(sums.state, FileState::Behind);
    // A line that occurs in no earlier state of the manifest either.
    let (_, later) = text.split_once('\n').unwrap();
    fs::write(&path, later).unwrap();
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(failures(&found), [(SUMS, FileState::Changed)]);
}

#[test]
fn one_segment_is_checked_with_what_vouches_for_it() {
    let folder = capture();
    let names = ours(folder.path());
    let [first, second] = [0, 1].map(|index| {
        let mut segments = names
            .iter()
            .filter(|name| FileKind::of(name) == FileKind::Segment);
        folder.path().join(segments.nth(index).unwrap())
    });
    fs::write(&second, b"changed").unwrap();
    assert!(!verify(&first, None).unwrap().is_failure());
    let found = verify(&second, None).unwrap();
    let name = second.file_name().unwrap().to_str().unwrap();
    assert_eq!(failures(&found), [(name, FileState::Changed)]);
}

#[test]
fn a_link_is_no_segment() {
    let folder = capture();
    let names = ours(folder.path());
    let segment = names
        .iter()
        .find(|name| FileKind::of(name) == FileKind::Segment)
        .unwrap();
    let path = folder.path().join(segment);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(failures(&found), [(segment.as_str(), FileState::Missing)]);
}

#[test]
fn without_a_manifest_only_the_structure_is_checked_and_it_is_said() {
    let folder = capture();
    let names = ours(folder.path());
    let segment = names
        .iter()
        .find(|name| FileKind::of(name) == FileKind::Segment)
        .unwrap();
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("mine.pcapng");
    let whole = fs::read(folder.path().join(segment)).unwrap();
    let check = |bytes: &[u8], state: FileState, detail: &str| {
        fs::write(&path, bytes).unwrap();
        for place in [path.as_path(), other.path()] {
            let found = verify(place, None).unwrap();
            assert!(!found.has_manifest);
            let file = &found.files[0];
            assert_eq!(file.state, state, "{file:?}");
            assert!(file.detail.contains("no manifest") || state == FileState::Torn);
            assert!(file.detail.contains(detail), "{}", file.detail);
        }
    };
    check(&whole, FileState::Complete, "only its structure");
    check(&whole[..whole.len() - 3], FileState::Torn, "torn at byte");
    check(b"no capture", FileState::Torn, "is no capture");
    check(
        b"{\"log\": {\"entries\": []}}",
        FileState::Complete,
        "only its structure",
    );
    // Our segments without their manifest are a different case.
    fs::write(other.path().join(segment), &whole).unwrap();
    let found = verify(other.path(), None).unwrap();
    assert!(failures(&found).contains(&(MANIFEST, FileState::Missing)));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        verify(empty.path(), None),
        Err(StoreError::NoCapture { .. })
    ));
}

#[test]
fn names_of_others_cannot_speak_to_the_terminal() {
    let folder = capture();
    fs::write(folder.path().join("\u{1b}[31mred\n"), b"").unwrap();
    let found = verify(folder.path(), None).unwrap();
    assert!(
        found
            .files
            .iter()
            .all(|file| !file.name.contains(char::is_control))
    );
}
