//! Tests of the journal.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
};

use super::*;
use crate::finding::{Kind, PeerRecord, ProcessRecord, RecipientRecord, SCHEMA, Severity};

fn finding(number: usize, tracker: &'static str, second: u32) -> Finding {
    Finding {
        schema: SCHEMA,
        id: format!("finding-{number}"),
        time: format!("2026-11-24T02:41:{second:02}.000000000Z"),
        kind: Kind::Request,
        severity: Severity::High,
        why: String::new(),
        labels: Vec::new(),
        recipient: RecipientRecord {
            tracker: tracker.into(),
            owner: "Example".into(),
            category: "ads",
            host: "tracker.example.com".to_owned(),
            matched_by: "host",
        },
        identifiers: Vec::new(),
        health: Vec::new(),
        fields: Vec::new(),
        request: None,
        process: ProcessRecord::default(),
        peer: PeerRecord {
            addr: None,
            sni: None,
            host_source: "host-header",
        },
        source: "openssl",
        completeness: "complete",
        person: None,
        people: None,
        evidence: None,
        states: Vec::new(),
    }
}

fn findings(numbers: std::ops::Range<usize>) -> Vec<Finding> {
    numbers.map(|number| finding(number, "meta", 1)).collect()
}

fn settings(path: &Path, max_bytes: u64, keep: u32) -> JournalSection {
    JournalSection {
        file: JournalTarget::File(path.to_owned()),
        max_bytes,
        keep,
        findings_per_second: 1_000_000,
    }
}

/// The numbers of the findings in the text, in order. Every line must be one
/// whole JSON object.
fn numbers(text: &str) -> Vec<usize> {
    assert!(text.is_empty() || text.ends_with('\n'), "torn: {text:?}");
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            value["id"]
                .as_str()
                .unwrap()
                .strip_prefix("finding-")
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect()
}

fn numbers_of(path: &Path) -> Vec<usize> {
    numbers(&fs::read_to_string(path).unwrap())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn file_and_folder_are_created_for_the_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/journal.jsonl");
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(0..3)).unwrap();
    assert_eq!(numbers_of(&path), [0, 1, 2]);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!((journal.pending(), journal.losses().total()), (0, 0));
}

#[test]
fn a_journal_is_continued_and_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(0..2)).unwrap();
    let second = Journal::open(&settings(&path, 1 << 20, 2)).err().unwrap();
    assert!(matches!(second, JournalError::InUse { .. }), "{second}");
    drop(journal);
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(2..4)).unwrap();
    assert_eq!(numbers_of(&path), [0, 1, 2, 3]);
}

#[test]
fn a_line_that_a_crash_cut_is_ended_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let whole = format!(
        "{}\n",
        serde_json::to_string(&finding(0, "meta", 1)).unwrap()
    );
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
        journal.write_batch(&findings(1..2)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            numbers(&format!("{}\n", text.lines().last().unwrap())),
            [1],
            "cut at {cut}"
        );
        assert_eq!(
            text.lines().count(),
            1 + usize::from(cut > 0),
            "cut at {cut}"
        );
    }
}

#[test]
fn rotation_keeps_the_newest_files_and_every_line_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let line = serde_json::to_vec(&finding(10, "meta", 1)).unwrap().len() as u64 + 1;
    let mut journal = Journal::open(&settings(&path, 3 * line, 2)).unwrap();
    journal.write_batch(&findings(10..12)).unwrap();
    journal.write_batch(&findings(12..21)).unwrap();
    journal.write_batch(&findings(21..22)).unwrap();
    let files = ["journal", "journal.1", "journal.2"].map(|name| folder.path().join(name));
    assert_eq!(numbers_of(&files[0]), [19, 20, 21]);
    assert_eq!(numbers_of(&files[1]), [16, 17, 18]);
    assert_eq!(numbers_of(&files[2]), [13, 14, 15]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[test]
fn a_line_longer_than_a_file_may_be_is_still_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = Journal::open(&settings(&path, 10, 3)).unwrap();
    journal.write_batch(&findings(0..3)).unwrap();
    assert_eq!(numbers_of(&path), [2]);
    assert_eq!(numbers_of(&folder.path().join("journal.2")), [0]);
}

#[test]
fn rotation_that_is_tried_again_pushes_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    // As a failure between the renames leaves it: number 1 is free.
    fs::write(folder.path().join("journal.2"), "older\n").unwrap();
    let mut journal = Journal::open(&settings(&path, 10, 2)).unwrap();
    journal.write_batch(&findings(0..2)).unwrap();
    assert_eq!(numbers_of(&folder.path().join("journal.1")), [0]);
    assert_eq!(
        fs::read_to_string(folder.path().join("journal.2")).unwrap(),
        "older\n"
    );
}

#[test]
fn a_journal_that_was_moved_away_or_emptied_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(0..1)).unwrap();
    fs::rename(&path, folder.path().join("moved")).unwrap();
    journal.write_batch(&findings(1..2)).unwrap();
    assert_eq!(numbers_of(&path), [1]);
    fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    journal.write_batch(&findings(2..3)).unwrap();
    assert_eq!(numbers_of(&path), [2]);
}

#[test]
fn what_cannot_be_written_waits_for_the_next_batch() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let path = place.join("journal");
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(0..1)).unwrap();
    fs::rename(&place, folder.path().join("away")).unwrap();
    assert!(journal.write_batch(&findings(1..3)).is_err());
    assert!(journal.write_batch(&[]).is_err());
    assert_eq!(journal.pending(), 2);
    assert_eq!(journal.losses().get(Loss::AlertJournalWrite), 2);
    fs::create_dir(&place).unwrap();
    journal.write_batch(&findings(3..4)).unwrap();
    assert_eq!(numbers_of(&path), [1, 2, 3]);
    assert_eq!(journal.pending(), 0);
}

#[test]
fn the_waiting_room_is_bounded_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let mut journal = Journal::open(&settings(&place.join("journal"), 1 << 30, 2)).unwrap();
    fs::remove_dir_all(&place).unwrap();
    assert!(journal.write_batch(&findings(0..MAX_PENDING + 5)).is_err());
    assert_eq!(journal.pending(), MAX_PENDING);
    // Five found no room, and one attempt failed.
    assert_eq!(journal.losses().get(Loss::AlertJournalWrite), 6);
}

#[test]
fn places_where_no_journal_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for (path, expected) in [
        (file.join("journal"), "cannot create the folder"),
        (folder.path().to_owned(), "cannot open"),
        ("/dev/null".into(), "not a regular file"),
    ] {
        let error = Journal::open(&settings(&path, 1 << 20, 2)).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// Takes `room` bytes in all, then fails until it is given more.
#[derive(Clone, Default)]
struct Cramped(Arc<Mutex<(Vec<u8>, usize)>>);

impl Write for Cramped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut guard = self.0.lock().unwrap();
        let (taken, room) = &mut *guard;
        let count = bytes.len().min(*room);
        if count == 0 {
            return Err(io::Error::other("full"));
        }
        *room -= count;
        taken.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_fails_at_any_byte_gets_every_finding_once_as_a_whole_line() {
    let line = serde_json::to_vec(&finding(0, "meta", 1)).unwrap().len() + 1;
    for room in 0..=2 * line {
        let stream = Cramped::default();
        stream.0.lock().unwrap().1 = room;
        let mut journal = Journal::to_writer(stream.clone(), 1_000);
        assert_eq!(
            journal.write_batch(&findings(0..2)).is_ok(),
            room == 2 * line
        );
        stream.0.lock().unwrap().1 = usize::MAX;
        journal.write_batch(&findings(2..3)).unwrap();
        let text = String::from_utf8(stream.0.lock().unwrap().0.clone()).unwrap();
        let whole: String = text
            .lines()
            .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
            .flat_map(|line| [line, "\n"])
            .collect();
        let mut found = numbers(&whole);
        // A line that lacked only its end is written again: never fewer.
        found.dedup();
        assert_eq!(found, [0, 1, 2], "room {room}");
    }
}

#[test]
fn the_rate_is_limited_for_each_recipient_and_second() {
    let stream = Cramped::default();
    stream.0.lock().unwrap().1 = usize::MAX;
    let mut journal = Journal::to_writer(stream.clone(), 2);
    let batch: Vec<_> = [
        (0, "meta", 1),
        (1, "meta", 1),
        (2, "meta", 1),
        (3, "tiktok", 1),
        (4, "meta", 1),
        (5, "meta", 2),
    ]
    .into_iter()
    .map(|(number, tracker, second)| finding(number, tracker, second))
    .collect();
    journal.write_batch(&batch).unwrap();
    let text = String::from_utf8(stream.0.lock().unwrap().0.clone()).unwrap();
    assert_eq!(numbers(&text), [0, 1, 3, 5]);
    assert_eq!(journal.losses().get(Loss::AlertRateLimit), 2);
}
