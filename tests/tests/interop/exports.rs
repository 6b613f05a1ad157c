//! The verb `export`: what it refuses, what it enters into the custody log, and
//! that it reveals no value that was not asked for.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::{disclosure, patient, phiwatch};

use super::{Setting, findings, traffic::traffic};

const FORMATS: &[&str] = &["har", "pcapng", "pdu"];

fn export(setting: &Setting, arguments: &str) -> Result<Output> {
    Command::new(phiwatch())
        .arg("export")
        .args(arguments.split_whitespace())
        .args(["--state", "state"])
        .current_dir(setting.folder.path())
        .output()
        .context("start phiwatch")
}

/// The entries of the custody log in `folder`.
fn custody(folder: &Path) -> Result<Vec<Value>> {
    let path = folder.join("custody.jsonl");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("an entry"))
        .collect()
}

#[test]
fn redacted_exports_hold_no_value_and_are_the_same_every_time() -> Result<()> {
    let setting = Setting::new(traffic()?)?;
    for format in FORMATS {
        let mut files = Vec::new();
        for name in ["one", "two"] {
            let output = export(&setting, &format!("raw.pcapng --to {format} -o {name}"))?;
            assert!(output.status.success(), "{output:?}");
            let path = setting.path(name);
            assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
            files.push(fs::read(&path)?);
            fs::remove_file(path)?;
        }
        assert!(files[0] == files[1], "{format}");
        let found = disclosure::found_in(&files[0], patient::PLANTED);
        assert_eq!(found, Vec::<String>::new(), "{format}");
        assert!(
            !disclosure::found_in(&fs::read(setting.path("raw.pcapng"))?, patient::PLANTED)
                .is_empty()
        );
    }
    // Nobody asked for an entry, and there was no log.
    assert_eq!(custody(setting.folder.path())?, Vec::<Value>::new());
    Ok(())
}

#[test]
fn raw_exports_need_a_reason_and_are_entered() -> Result<()> {
    let setting = Setting::new(traffic()?)?;
    for (arguments, code) in [
        ("raw.pcapng --to har -o out --raw", 2),
        ("raw.pcapng --to csv -o out", 2),
        ("raw.pcapng --to har", 2),
        ("raw.pcapng --to har -o .", 74),
        ("raw.pcapng --to har -o . --force", 2),
        ("raw.pcapng --to har -o raw.pcapng", 74),
        ("missing.pcapng --to har -o out", 74),
        ("raw.pcapng --to har -o missing/out", 74),
        ("raw.pcapng --to har -o out --filter bad", 2),
    ] {
        let output = export(&setting, arguments)?;
        assert_eq!(output.status.code(), Some(code), "{arguments}: {output:?}");
        assert!(!setting.path("out").exists());
    }
    assert_eq!(custody(setting.folder.path())?, Vec::<Value>::new());

    for (number, format) in FORMATS.iter().enumerate() {
        let line = format!("raw.pcapng --to {format} -o out{number} --raw --reason case-4711");
        let output = export(&setting, &line)?;
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("warning"), "{said}");
        let found = disclosure::found_in(
            &fs::read(setting.path(&format!("out{number}")))?,
            &[patient::EMAIL],
        );
        assert!(!found.is_empty(), "{format}");
    }
    // If there is a log, redacted exports are entered as well.
    let output = export(&setting, "raw.pcapng --to har -o out3")?;
    assert!(output.status.success(), "{output:?}");
    let entries = custody(setting.folder.path())?;
    assert_eq!(entries.len(), 4);
    for (number, entry) in entries.iter().enumerate() {
        let text = entry.to_string();
        assert!(text.contains("\"export\""), "{text}");
        assert!(text.contains("raw.pcapng"), "{text}");
        assert_eq!(text.contains("case-4711"), number < 3, "{text}");
        let out = setting.path(&format!("out{number}"));
        assert!(text.contains(&tests::sha256(&fs::read(&out)?)), "{text}");
    }

    // A changed log is not continued, and nothing is exported.
    let log = setting.path("custody.jsonl");
    fs::write(
        &log,
        fs::read_to_string(&log)?.replace("case-4711", "case-4712"),
    )?;
    let output = export(&setting, "raw.pcapng --to har -o out")?;
    assert_eq!(output.status.code(), Some(65), "{output:?}");
    assert!(!setting.path("out").exists());
    Ok(())
}

/// The ids of findings in an archive, by entry.
fn ids(archive: &Path) -> Result<Vec<Vec<String>>> {
    let archive: Value = serde_json::from_slice(&fs::read(archive)?)?;
    let entries = archive["log"]["entries"].as_array().context("no entries")?;
    let ids = entries.iter().map(|entry| {
        let findings = entry["_findings"].as_array().into_iter().flatten();
        findings
            .filter_map(|id| Some(id.as_str()?.to_owned()))
            .collect()
    });
    Ok(ids.collect())
}

#[test]
fn messages_are_chosen_by_their_findings() -> Result<()> {
    let setting = Setting::new(traffic()?)?;
    let findings = findings(&setting.path("raw.pcapng"))?;
    let id = |finding: &Value| finding["id"].as_str().unwrap_or_default().to_owned();
    let run = |arguments: &str| -> Result<Vec<Vec<String>>> {
        let line = format!("raw.pcapng --to har -o out.har --force {arguments}");
        let output = export(&setting, &line)?;
        assert!(output.status.success(), "{output:?}");
        ids(&setting.path("out.har"))
    };
    let all = run("")?;
    assert_eq!(all.len(), setting.asked.len());
    let mut own: Vec<_> = all.concat();
    let mut known: Vec<_> = findings.iter().map(id).collect();
    own.sort();
    known.sort();
    assert_eq!(own, known);

    let with: Vec<_> = all.iter().filter(|ids| !ids.is_empty()).cloned().collect();
    assert!(with.len() < all.len());
    assert_eq!(run("--only-findings")?, with);
    assert_eq!(run("--severity info")?, with);
    let first = id(&findings[0]);
    let one = run(&format!("--finding {first}"))?;
    assert!(one.iter().all(|ids| ids.contains(&first)));
    assert!(!one.is_empty());
    assert!(run("--finding 0000")?.is_empty());
    let segment = run("--tracker segment")?.len();
    let meta = run("--tracker meta")?.len();
    assert_eq!(segment + meta, with.len());
    assert_eq!(run("--since 2025-11-25T02:41:03Z")?.len(), all.len());
    assert!(run("--since 2025-11-26")?.is_empty());
    let early = run("--until 2025-11-25T02:41:03.1Z")?;
    assert!(!early.is_empty() && early.len() < all.len());
    Ok(())
}
