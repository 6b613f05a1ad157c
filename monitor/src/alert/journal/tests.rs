//! Tests of the journal.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
};

use super::*;
use crate::{
    event::Source,
    finding::{
        FieldRecord, HostSource, Kind, Label, PeerRecord, ProcessRecord, RecipientRecord,
        RequestRecord, SCHEMA, Severity,
    },
    http::{Completeness, Protocol},
    phi::{Class, Form, Health, Identifier},
    token::Token,
    tracker::{Category, MatchedBy},
};

/// After every finding here.
const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);

fn finding(number: usize, tracker: &'static str, at: u64) -> Finding {
    Finding {
        schema: SCHEMA,
        id: format!("finding-{number}"),
        time: second(at),
        kind: Kind::Request,
        severity: Severity::High,
        why: String::new(),
        labels: Vec::new(),
        recipient: RecipientRecord {
            tracker: tracker.into(),
            owner: "Example".into(),
            category: Some(Category::Ads),
            host: "tracker.example.com".to_owned(),
            matched_by: MatchedBy::Host,
        },
        identifiers: Vec::new(),
        health: Vec::new(),
        fields: Vec::new(),
        request: None,
        contact: None,
        process: ProcessRecord::default(),
        peer: PeerRecord {
            addr: None,
            sni: None,
            host_source: HostSource::HostHeader,
        },
        source: Some(Source::OpenSsl),
        completeness: Completeness::Complete,
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
    journal.write_batch(&findings(0..3), NOW).unwrap();
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
    journal.write_batch(&findings(0..2), NOW).unwrap();
    let second = Journal::open(&settings(&path, 1 << 20, 2)).err().unwrap();
    assert!(matches!(second, JournalError::InUse { .. }), "{second}");
    drop(journal);
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(2..4), NOW).unwrap();
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
        journal.write_batch(&findings(1..2), NOW).unwrap();
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
    journal.write_batch(&findings(10..12), NOW).unwrap();
    journal.write_batch(&findings(12..21), NOW).unwrap();
    journal.write_batch(&findings(21..22), NOW).unwrap();
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
    journal.write_batch(&findings(0..3), NOW).unwrap();
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
    journal.write_batch(&findings(0..2), NOW).unwrap();
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
    journal.write_batch(&findings(0..1), NOW).unwrap();
    fs::rename(&path, folder.path().join("moved")).unwrap();
    journal.write_batch(&findings(1..2), NOW).unwrap();
    assert_eq!(numbers_of(&path), [1]);
    fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    journal.write_batch(&findings(2..3), NOW).unwrap();
    assert_eq!(numbers_of(&path), [2]);
}

#[test]
fn what_cannot_be_written_waits_for_the_next_batch() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let path = place.join("journal");
    let mut journal = Journal::open(&settings(&path, 1 << 20, 2)).unwrap();
    journal.write_batch(&findings(0..1), NOW).unwrap();
    fs::rename(&place, folder.path().join("away")).unwrap();
    assert!(journal.write_batch(&findings(1..3), NOW).is_err());
    assert!(journal.write_batch(&[], NOW).is_err());
    assert_eq!(journal.pending(), 2);
    assert_eq!(journal.losses().get(Loss::AlertJournalWrite), 2);
    fs::create_dir(&place).unwrap();
    journal.write_batch(&findings(3..4), NOW).unwrap();
    assert_eq!(numbers_of(&path), [1, 2, 3]);
    assert_eq!(journal.pending(), 0);
}

#[test]
fn the_waiting_room_is_bounded_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    let mut journal = Journal::open(&settings(&place.join("journal"), 1 << 30, 2)).unwrap();
    fs::remove_dir_all(&place).unwrap();
    assert!(
        journal
            .write_batch(&findings(0..MAX_PENDING + 5), NOW)
            .is_err()
    );
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

/// Accepts `room` bytes in all, then fails until it is given more.
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
            journal.write_batch(&findings(0..2), NOW).is_ok(),
            room == 2 * line
        );
        stream.0.lock().unwrap().1 = usize::MAX;
        journal.write_batch(&findings(2..3), NOW).unwrap();
        let text = String::from_utf8(stream.0.lock().unwrap().0.clone()).unwrap();
        let whole: String = text
            .lines()
            .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
            .flat_map(|line| [line, "\n"])
            .collect();
        let mut found = numbers(&whole);
        // A line that lacked only its newline is written again: never fewer.
        found.dedup();
        assert_eq!(found, [0, 1, 2], "room {room}");
    }
}

/// The lines of a journal with this limit that gets these batches, each with
/// the current time: the finding's number, and how many findings the line
/// stands for.
fn lines(limit: u64, batches: &[(&[Finding], Timestamp)]) -> (Vec<(usize, u64)>, Losses) {
    let stream = Cramped::default();
    stream.0.lock().unwrap().1 = usize::MAX;
    let mut journal = Journal::to_writer(stream.clone(), limit);
    for (batch, now) in batches {
        journal.write_batch(batch, *now).unwrap();
    }
    let text = String::from_utf8(stream.0.lock().unwrap().0.clone()).unwrap();
    let counts = text.lines().map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(repeated) = value.get("repeated") else {
            return 1;
        };
        assert!(repeated["first"].as_str() <= repeated["last"].as_str());
        assert_eq!(
            value.as_object().unwrap().keys().next_back().unwrap(),
            "repeated"
        );
        repeated["count"].as_u64().unwrap()
    });
    let lines = numbers(&text).into_iter().zip(counts).collect();
    (lines, journal.losses().clone())
}

/// The beginning of that second.
const fn second(second: u64) -> Timestamp {
    // 2026-11-24T02:41:00Z
    Timestamp((1_795_488_060 + second) * 1_000_000_000)
}

#[test]
fn beyond_the_rate_of_a_recipient_and_second_findings_share_lines() {
    let batch = |findings: &[(usize, &'static str, u64)]| -> Vec<Finding> {
        let all = findings.iter();
        all.map(|(number, tracker, second)| finding(*number, tracker, *second))
            .collect()
    };
    let first = batch(&[
        (0, "meta", 1),
        (1, "meta", 1),
        (2, "meta", 1),
        (3, "tiktok", 1),
        (4, "meta", 1),
    ]);
    // Number 6 is late: it counts for the second that its recipient has reached.
    let next = batch(&[(5, "meta", 2), (6, "meta", 1), (7, "meta", 2)]);
    for (batches, expected) in [
        // The second is not over: nothing is reported yet.
        (vec![(&first[..], second(1))], &[(0, 1), (1, 1), (3, 1)][..]),
        (
            vec![(&first[..], second(2))],
            &[(0, 1), (1, 1), (3, 1), (2, 2)],
        ),
        // Only time ends a second, no finding does.
        (
            vec![(&first[..], second(1)), (&[], second(1)), (&[], second(2))],
            &[(0, 1), (1, 1), (3, 1), (2, 2)],
        ),
        (
            vec![(&first[..], second(1)), (&next[..], second(3))],
            &[(0, 1), (1, 1), (3, 1), (5, 1), (6, 1), (2, 2), (7, 1)],
        ),
    ] {
        let (lines, losses) = lines(2, &batches);
        assert_eq!(lines, expected);
        assert_eq!(losses.total(), 0);
    }
}

#[test]
fn text_keeps_to_the_limits_too() {
    let stream = Cramped::default();
    stream.0.lock().unwrap().1 = usize::MAX;
    let form = JournalForm::Text { is_colored: false };
    let mut journal = Journal::to_writer(stream.clone(), 1).with_form(form);
    journal.write_batch(&findings(0..4), second(1)).unwrap();
    journal.write_batch(&[], second(2)).unwrap();
    let text = String::from_utf8(stream.0.lock().unwrap().0.clone()).unwrap();
    let head = "2026-11-24 02:41:01 UTC  high      process not known sent to meta at \
                tracker.example.com: nothing that was recognized";
    let expected = [
        head,
        "    finding finding-0",
        head,
        "    3 findings like this one in one second",
        "    finding finding-1",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    assert!(text.ends_with('\n'), "{text:?}");
}

#[test]
fn findings_share_a_line_if_they_differ_in_the_person_only() {
    type Change = fn(&mut Finding);
    let changes: &[(Change, bool)] = &[
        (|finding| finding.person = Some(Token(8)), true),
        (|finding| finding.process.pid = Some(8), true),
        (|finding| finding.fields[0].token = None, true),
        (|finding| finding.fields[0].masked = "o…".to_owned(), true),
        (|finding| finding.time = finding.time.plus(5), true),
        (|finding| finding.kind = Kind::Canary, false),
        (|finding| finding.severity = Severity::Low, false),
        (|finding| finding.labels = vec![Label::Attempted], false),
        (|finding| finding.recipient.host = String::new(), false),
        (
            |finding| finding.identifiers = vec![Identifier::Phone],
            false,
        ),
        (|finding| finding.health = vec![Health::Condition], false),
        (
            |finding| finding.fields[0].path = "body.b".to_owned(),
            false,
        ),
        (|finding| finding.fields[0].rule = "other", false),
        (|finding| finding.fields.clear(), false),
        (|finding| finding.request = None, false),
        (|finding| finding.process.exe = None, false),
        (|finding| finding.people = Some(7), false),
    ];
    for (index, (change, is_alike)) in changes.iter().enumerate() {
        let plain = Finding {
            fields: vec![FieldRecord {
                class: Class::Identifier(Identifier::Email),
                form: Some(Form::Plain),
                path: "body.a".to_owned(),
                rule: "email",
                masked: "j…".to_owned(),
                token: Some(Token(7)),
                labels: Vec::new(),
            }],
            request: Some(RequestRecord {
                method: "POST".to_owned(),
                host: None,
                path: "/events".to_owned(),
                protocol: Protocol::Http1,
                status: Some(200),
                bytes: 100 + index as u64,
                body_bytes: 50,
            }),
            contact: None,
            process: ProcessRecord {
                exe: Some("/usr/bin/python3".to_owned()),
                ..ProcessRecord::default()
            },
            ..finding(1, "meta", 1)
        };
        let mut other = Finding {
            id: "finding-2".to_owned(),
            ..plain.clone()
        };
        change(&mut other);
        let batch = [finding(0, "meta", 1), plain, other];
        let (mut lines, _) = lines(1, &[(&batch, NOW)]);
        lines.sort_unstable();
        let expected: &[_] = if *is_alike {
            &[(0, 1), (1, 2)]
        } else {
            &[(0, 1), (1, 1), (2, 1)]
        };
        assert_eq!(lines, expected, "change {index}");
    }
}

#[test]
fn what_finds_no_room_among_the_gathered_is_lost_and_counted() {
    let mut batch = findings(0..rate::MAX_REPEATED + 4);
    for (number, finding) in batch.iter_mut().enumerate() {
        finding.recipient.host = format!("host-{number}.example.com");
    }
    // A finding of a kind that is gathered already needs no space of its own.
    batch.push(Finding {
        id: "finding-1".to_owned(),
        ..batch[1].clone()
    });
    let (lines, losses) = lines(1, &[(&batch, NOW), (&batch[..1], NOW)]);
    assert_eq!(lines.len(), 1 + rate::MAX_REPEATED + 1);
    assert!(lines.contains(&(1, 2)), "{lines:?}");
    assert_eq!(losses.get(Loss::AlertRateLimit), 3);
}
