//! Single findings, and the values behind them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use phiwatch::{
    capture::{
        AgeRecipients, CaptureOptions, CaptureWriter, Encoder, Provenance, StoreOptions, open,
    },
    event::Timestamp,
    loss::Losses,
    pipeline::Pipeline,
    redact::{RedactionKey, Redactor},
    token::TokenKey,
    tracker::Catalog,
};
use serde_json::{Value, json};
use tests::{disclosure, identity};

use super::{Desk, PLANTED, lines, names};

/// The id of the finding about Segment.
fn segment(desk: &Desk) -> Result<String> {
    let found = desk.findings(&["--tracker", "segment"])?;
    let id = found.first().and_then(|finding| finding["id"].as_str());
    id.map(str::to_owned).context("no finding")
}

#[test]
fn a_finding_is_shown_and_its_values_after_the_custody_log() -> Result<()> {
    let desk = Desk::new()?;
    let id = segment(&desk)?;
    for name in [&id, &id[..6].to_uppercase()] {
        let shown = desk.run(&["explain", name, "a.har"], 0)?;
        let leaks = disclosure::found_in(&shown.stdout, PLANTED);
        assert!(leaks.is_empty(), "{leaks:?}");
        let text = String::from_utf8(shown.stdout)?;
        for part in [
            id.as_str(),
            "email, plain: e…",
            "direct identifiers in clear (I3)",
            "a.har, packet",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    assert!(!desk.path("custody.jsonl").exists());
    desk.run(&["explain", "000000", "a.har"], 65)?;
    desk.run(&["explain", &id], 2)?;
    desk.run(&["explain", &id, "a.har", "--reveal"], 2)?;
    desk.run(&["explain", &id, "a.har", "--reveal", "--reason", " "], 2)?;
    let reveal = [
        "explain",
        id.as_str(),
        "a.har",
        "--reveal",
        "--reason",
        "case 4711",
    ];
    let shown = String::from_utf8(desk.run(&reveal, 0)?.stdout)?;
    assert!(
        shown.contains("Value:    \"eve.adams@example.com\""),
        "{shown}"
    );
    let log = fs::read_to_string(desk.path("custody.jsonl"))?;
    let entry: Value = serde_json::from_str(log.trim_end())?;
    assert_eq!(
        (
            &entry["action"],
            &entry["reason"],
            &entry["details"]["finding"]
        ),
        (&json!("reveal"), &json!("case 4711"), &json!(id))
    );
    assert!(disclosure::found_in(log.as_bytes(), PLANTED).is_empty());
    // A log that cannot be written: nothing is shown.
    fs::write(desk.path("custody.jsonl"), "no log\n")?;
    assert!(desk.run(&reveal, 74)?.stdout.is_empty());
    Ok(())
}

/// The events of `a.har` as a raw capture for an age identity.
fn encrypted(desk: &Desk) -> Result<PathBuf> {
    let folder = desk.path("raw");
    let options = CaptureOptions {
        store: StoreOptions {
            recipients: AgeRecipients::parse(&[identity::RECIPIENT])?,
            ..StoreOptions::default()
        },
        provenance: Provenance::default(),
        started: Timestamp(1_763_946_000_000_000_000),
    };
    let mut writer = CaptureWriter::create(&folder, options)?;
    let mut source = open(&desk.path("a.har"))?;
    let mut losses = Losses::default();
    while let Some(mut event) = source.next(&mut losses)? {
        writer.write(&mut event)?;
    }
    writer.close()?;
    Ok(folder)
}

/// The events of `a.har` as a redacted capture.
fn redacted(desk: &Desk) -> Result<PathBuf> {
    let key = fs::read(desk.path("state/token.key"))?;
    let key = TokenKey::from_bytes(key.as_slice().try_into()?);
    let mut pipeline = Pipeline::new(Catalog::builtin(), key)
        .with_redactor(Redactor::new(RedactionKey::from_bytes([7; 32])));
    let mut source = open(&desk.path("a.har"))?;
    let mut losses = Losses::default();
    let mut out = phiwatch::pipeline::Output::default();
    while let Some(event) = source.next(&mut losses)? {
        pipeline.push(&event, &mut out);
    }
    pipeline.finish(&mut out);
    let mut encoder = Encoder::new(Provenance {
        redacted: true,
        ..Provenance::default()
    });
    let mut bytes = Vec::new();
    encoder.begin_segment(&mut bytes);
    for record in &out.records {
        encoder.event(&record.event, &mut bytes);
    }
    encoder.end_segment(&losses, &mut bytes);
    let path = desk.path("redacted.pcapng");
    fs::write(&path, bytes)?;
    Ok(path)
}

#[test]
fn encrypted_captures_need_an_identity_and_redacted_ones_have_no_values() -> Result<()> {
    let desk = Desk::new()?;
    let id = segment(&desk)?;
    let raw = encrypted(&desk)?;
    let identity = identity::file(desk.folder.path())?;
    let (raw, identity) = (raw.display().to_string(), identity.display().to_string());
    let refused = desk.run(&["replay", &raw], 77)?;
    let error = String::from_utf8(refused.stderr)?;
    assert!(error.contains("--identity"), "{error}");
    let opened = ["replay", &raw, "--identity", &identity, "--format", "jsonl"];
    let found = lines(&desk.run(&opened, 0)?.stdout)?;
    assert_eq!(names(&found), names(&desk.findings(&[])?));
    let reveal = ["--reveal", "--reason", "case 4711"];
    let start = ["explain", id.as_str(), &raw, "--identity", &identity];
    let shown = desk.run(&[&start[..], &reveal[..]].concat(), 0)?;
    let shown = String::from_utf8(shown.stdout)?;
    assert!(shown.contains("\"eve.adams@example.com\""), "{shown}");
    assert!(Path::new(&raw).join("custody.jsonl").exists());
    let path = redacted(&desk)?.display().to_string();
    let shown = desk.run(&["explain", &id, &path], 0)?;
    assert!(disclosure::found_in(&shown.stdout, PLANTED).is_empty());
    let start = ["explain", id.as_str(), path.as_str()];
    let refused = desk.run(&[&start[..], &reveal[..]].concat(), 65)?;
    assert!(refused.stdout.is_empty());
    let error = String::from_utf8(refused.stderr)?;
    assert!(error.contains("redacted"), "{error}");
    assert!(!desk.path("custody.jsonl").exists());
    Ok(())
}
