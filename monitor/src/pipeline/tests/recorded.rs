//! Tests of messages that leave the core with their values replaced, go through
//! a capture file and come back.

use super::*;
use crate::{
    capture::{Provenance, Recorded, read_bytes},
    record::Encoder,
    redact::{RedactionKey, Redactor},
};

const PLANTED: &[&str] = &[
    "jane.roe@example.com",
    "Averylla",
    "2025550143",
    "1987-03-14",
];

pub(super) fn redacting() -> Pipeline {
    let redactor = Redactor::new(RedactionKey::from_bytes([9; 32]));
    Pipeline::from(examiner(3).with_redactor(redactor))
}

/// The records of `out` as one capture file.
fn file(out: &Output) -> Vec<u8> {
    let mut encoder = Encoder::new(Provenance {
        redacted: true,
        ..Provenance::default()
    });
    let mut file = Vec::new();
    encoder.begin_segment(&mut file);
    for record in &out.records {
        encoder.message(&record.message, &mut file);
    }
    encoder.end_segment(&Losses::default(), &mut file);
    file
}

/// What a core with another key finds in a file.
fn replayed(file: &[u8]) -> (Output, Losses) {
    let mut losses = Losses::default();
    let (mut pipeline, mut out) = (Pipeline::from(examiner(77)), Output::default());
    for recorded in read_bytes(file, &mut losses) {
        match recorded {
            Recorded::Event(event) => pipeline.push(&event, &mut out),
            Recorded::Message(message) => pipeline.message(&message, &mut out),
        }
    }
    pipeline.finish(&mut out);
    losses.merge(pipeline.losses());
    (out, losses)
}

/// The findings without the place of their evidence.
fn lines(out: &Output) -> Vec<String> {
    out.findings
        .iter()
        .map(|finding| {
            let mut finding = finding.clone();
            finding.evidence = None;
            serde_json::to_string(&finding).unwrap()
        })
        .collect()
}

fn requests() -> Vec<String> {
    let digest = "1e3f7a3f3c7b0b7c5a5d2f0f4a8e6d0b8a1c2d3e4f5061728394a5b6c7d8e9f0";
    let many: Vec<String> = (0..60)
        .map(|number| {
            format!(
                "{{\"user\":{{\"email\":\"p{number}@example.com\"}},\"content\":\"depression\"}}"
            )
        })
        .collect();
    vec![
        post(
            META,
            "/v26.0/1234/events?access_token=EAAsecret",
            &format!(
                "{{\"data\":[{{\"user_data\":{{\"em\":[\"{digest}\"],\"fn\":[\"Averylla\"]}},\"custom_data\":{{\"content_name\":\"Depression self-assessment (PHQ-9)\",\"contact_email\":\"jane.roe@example.com\"}}}}]}}"
            ),
        ),
        post(
            "api.segment.io",
            "/v1/track",
            "{\"userId\":\"u-1\",\"event\":\"Appointment Booked\",\"properties\":{\"email\":\"jane.roe@example.com\",\"phone\":\"2025550143\",\"birthday\":\"1987-03-14\",\"treatment\":\"depression\"}}",
        ),
        post(
            "api.segment.io",
            "/v1/batch",
            &format!("{{\"batch\":[{}]}}", many.join(",")),
        ),
        post(
            "hooks.example.net",
            "/hook",
            "{\"note\":\"write to Quillon@Example.com\"}",
        ),
        post(
            "internal.example",
            "/api/patients",
            "{\"email\":\"jane.roe@example.com\"}",
        ),
    ]
}

#[test]
fn a_redacted_capture_gives_the_same_findings() {
    let requests = requests();
    let mut pipeline = redacting();
    let mut live = Output::default();
    for (number, request) in (1..).zip(&requests) {
        for event in events(number, request, 40) {
            pipeline.push(&event, &mut live);
        }
    }
    pipeline.finish(&mut live);
    assert_eq!(live.records.len(), requests.len());
    assert!(live.findings.len() > 60, "{}", live.findings.len());
    let file = file(&live);
    let (again, losses) = replayed(&file);
    assert_eq!(lines(&again), lines(&live));
    assert_eq!(losses, Losses::default());
    for planted in PLANTED {
        let found = memchr::memmem::find(&file, planted.as_bytes());
        assert_eq!(found, None, "{planted}");
    }
    // And the first findings of a capture that ends early, marked as such.
    let (cut, losses) = replayed(file.get(..file.len() / 2).unwrap());
    let whole = lines(&live);
    assert!(whole.starts_with(&lines(&cut)) && !cut.findings.is_empty());
    // The block that was cut, and the message that it was part of.
    assert_eq!(losses.get(crate::loss::Loss::CaptureTruncated), 2);
}

#[test]
fn records_know_their_findings() {
    let requests = requests();
    let mut pipeline = redacting();
    for (number, request) in (1..).zip(&requests) {
        let mut out = Output::default();
        for event in events(number, request, 40) {
            pipeline.push(&event, &mut out);
        }
        pipeline.finish(&mut out);
        assert_eq!(out.records.len(), 1, "{number}");
        for record in &out.records {
            assert_eq!(record.findings, 0..out.findings.len(), "{number}");
        }
    }
}

#[test]
fn messages_are_kept_as_they_were_sent() {
    let requests = requests();
    let mut pipeline = Pipeline::from(examiner(3).keeping());
    let mut out = Output::default();
    for (number, request) in (1..).zip(&requests) {
        for event in events(number, request, 40) {
            pipeline.push(&event, &mut out);
        }
    }
    pipeline.finish(&mut out);
    let sent: Vec<_> = out
        .records
        .iter()
        .map(|record| String::from_utf8_lossy(record.message.request.expose()).to_lowercase())
        .collect();
    // Names of headers are in lower case.
    let expected: Vec<_> = requests.iter().map(|own| own.to_lowercase()).collect();
    assert_eq!(sent, expected);
}

#[test]
fn a_message_is_recorded_only_once() {
    let requests = requests();
    let (mut pipeline, mut live) = (redacting(), Output::default());
    for (number, request) in (1..).zip(&requests) {
        for event in events(number, request, 40) {
            pipeline.push(&event, &mut live);
        }
    }
    pipeline.finish(&mut live);
    for again in [redacting(), Pipeline::from(examiner(3).keeping())] {
        let (mut pipeline, mut out) = (again, Output::default());
        let messages = live.records.iter().map(|record| &record.message);
        for message in messages.clone() {
            pipeline.message(message, &mut out);
        }
        pipeline.finish(&mut out);
        assert!(
            out.records
                .iter()
                .map(|record| &record.message)
                .eq(messages)
        );
        assert_eq!(lines(&out), lines(&live));
    }
}
