//! Single findings, and the values behind them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use phiwatch::{
    capture::{Provenance, open},
    event::Timestamp,
    loss::Losses,
    pipeline::{Examiner, Output, Pipeline},
    record::Encoder,
    redact::{RedactionKey, Redactor},
    store::{AgeRecipients, CaptureOptions, CaptureWriter, StoreOptions},
    token::TokenKey,
    tracker::Catalog,
};
use serde_json::{Value, json};
use tests::{disclosure, identity};

use super::{PLANTED, Workspace, lines, names};

/// The id of the finding about Segment.
fn segment(workspace: &Workspace) -> Result<String> {
    let found = workspace.findings(&["--tracker", "segment"])?;
    let id = found.first().and_then(|finding| finding["id"].as_str());
    id.map(str::to_owned).context("no finding")
}

#[test]
fn a_finding_is_shown_and_its_values_after_the_custody_log() -> Result<()> {
    let workspace = Workspace::new()?;
    let id = segment(&workspace)?;
    for name in [&id, &id[..6].to_uppercase()] {
        let shown = workspace.run(&["explain", name, "a.har"], 0)?;
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
    assert!(!workspace.path("custody.jsonl").exists());
    workspace.run(&["explain", "000000", "a.har"], 65)?;
    workspace.run(&["explain", &id], 2)?;
    workspace.run(&["explain", &id, "a.har", "--reveal"], 2)?;
    workspace.run(&["explain", &id, "a.har", "--reveal", "--reason", " "], 2)?;
    let reveal = [
        "explain",
        id.as_str(),
        "a.har",
        "--reveal",
        "--reason",
        "case 4711",
    ];
    let shown = String::from_utf8(workspace.run(&reveal, 0)?.stdout)?;
    assert!(
        shown.contains("Value:    \"eve.adams@example.com\""),
        "{shown}"
    );
    let log = fs::read_to_string(workspace.path("custody.jsonl"))?;
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
    // If the log cannot be written, nothing is shown.
    fs::write(workspace.path("custody.jsonl"), "no log\n")?;
    assert!(workspace.run(&reveal, 74)?.stdout.is_empty());
    Ok(())
}

/// The events of `a.har` as a raw capture for an age identity.
fn encrypted(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.path("raw");
    let options = CaptureOptions {
        store: StoreOptions {
            recipients: AgeRecipients::parse(&[identity::RECIPIENT])?,
            ..StoreOptions::default()
        },
        provenance: Provenance::default(),
        started: Timestamp(1_763_946_000_000_000_000),
    };
    let mut writer = CaptureWriter::create(&folder, options)?;
    let mut source = open(&workspace.path("a.har"))?;
    let mut losses = Losses::default();
    while let Some(recorded) = source.next(&mut losses)? {
        writer.write(&mut recorded.event().context("an archive has only events")?)?;
    }
    writer.close()?;
    Ok(folder)
}

/// The events of `a.har` as a redacted capture.
fn redacted(workspace: &Workspace) -> Result<PathBuf> {
    let key = fs::read(workspace.path("state/token.key"))?;
    let key = TokenKey::from_bytes(key.as_slice().try_into()?);
    let redactor = Redactor::new(RedactionKey::from_bytes([7; 32]));
    let mut pipeline =
        Pipeline::from(Examiner::new(Catalog::builtin(), key).with_redactor(redactor));
    let mut source = open(&workspace.path("a.har"))?;
    let mut losses = Losses::default();
    let mut out = Output::default();
    while let Some(recorded) = source.next(&mut losses)? {
        let event = recorded.event().context("an archive has only events")?;
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
        encoder.message(&record.message, &mut bytes);
    }
    encoder.end_segment(&losses, &mut bytes);
    let path = workspace.path("redacted.pcapng");
    fs::write(&path, bytes)?;
    Ok(path)
}

#[test]
fn encrypted_captures_need_an_identity_and_redacted_ones_have_no_values() -> Result<()> {
    let workspace = Workspace::new()?;
    let id = segment(&workspace)?;
    let raw = encrypted(&workspace)?;
    let identity = identity::file(workspace.folder.path())?;
    let (raw, identity) = (raw.display().to_string(), identity.display().to_string());
    let refused = workspace.run(&["replay", &raw], 77)?;
    let error = String::from_utf8(refused.stderr)?;
    assert!(error.contains("--identity"), "{error}");
    let opened = ["replay", &raw, "--identity", &identity, "--format", "jsonl"];
    let found = lines(&workspace.run(&opened, 0)?.stdout)?;
    assert_eq!(names(&found), names(&workspace.findings(&[])?));
    let reveal = ["--reveal", "--reason", "case 4711"];
    let start = ["explain", id.as_str(), &raw, "--identity", &identity];
    let shown = workspace.run(&[&start[..], &reveal[..]].concat(), 0)?;
    let shown = String::from_utf8(shown.stdout)?;
    assert!(shown.contains("\"eve.adams@example.com\""), "{shown}");
    assert!(Path::new(&raw).join("custody.jsonl").exists());
    let path = redacted(&workspace)?.display().to_string();
    let shown = workspace.run(&["explain", &id, &path], 0)?;
    assert!(disclosure::found_in(&shown.stdout, PLANTED).is_empty());
    let start = ["explain", id.as_str(), path.as_str()];
    let refused = workspace.run(&[&start[..], &reveal[..]].concat(), 65)?;
    assert!(refused.stdout.is_empty());
    let error = String::from_utf8(refused.stderr)?;
    assert!(error.contains("redacted"), "{error}");
    assert!(!workspace.path("custody.jsonl").exists());
    Ok(())
}
