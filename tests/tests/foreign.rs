//! Captures of other tools: whatever networks, captures and tools do to the
//! packets, the findings stay the same.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use corpus::impaired::{self, Replayed};
use tempfile::TempDir;
use tests::phiwatch;

/// Conversations, which try each impairment a few times. `cargo xtask test`
/// plays 10,000.
const CONVERSATIONS: u32 = 260;

#[test]
fn impaired_conversations_give_the_findings_of_clean_ones() -> Result<()> {
    let folder = TempDir::new()?;
    let written = impaired::write(folder.path(), CONVERSATIONS, 4)?;
    let state = folder.path().join("state");
    let replay = |name: &str| Replayed::new(&phiwatch(), &state, &folder.path().join(name));
    let verdict = impaired::judge(&written, &replay("clean")?, &replay("impaired")?);
    assert!(verdict.clean > 500, "{} findings", verdict.clean);
    assert!(verdict.touched > 10, "{} requests", verdict.touched);
    assert_eq!(verdict.faults, [""; 0]);
    Ok(())
}

/// The findings of `captures`, one line each, without their evidence.
fn findings(state: &Path, captures: &[PathBuf]) -> Result<Vec<String>> {
    let output = Command::new(phiwatch())
        .args(["replay", "--format", "jsonl", "--state"])
        .arg(state)
        .args(captures)
        .output()
        .context("start phiwatch replay")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{stderr}");
    ensure!(!stderr.contains("lost"), "{stderr}");
    let mut lines = Vec::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let mut finding: serde_json::Value = serde_json::from_str(line)?;
        if let Some(record) = finding.as_object_mut() {
            record.remove("evidence");
        }
        lines.push(finding.to_string());
    }
    lines.sort();
    Ok(lines)
}

fn tool(name: &str, arguments: &[&str], files: &[&Path]) -> Result<()> {
    let output = Command::new(name)
        .args(arguments)
        .args(files)
        .output()
        .with_context(|| format!("start {name}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} {arguments:?}: {stderr}");
    Ok(())
}

#[test]
fn what_tools_make_of_a_capture_holds_the_same() -> Result<()> {
    let folder = TempDir::new()?;
    impaired::write(folder.path(), 40, 5)?;
    let state = folder.path().join("state");
    let clean = folder.path().join("clean");
    let expected = findings(&state, std::slice::from_ref(&clean))?;
    assert!(expected.len() > 80, "{} findings", expected.len());
    let names = ["ethernet", "raw", "any", "any2", "loopback"];
    let files = names.map(|name| clean.join(format!("{name}.pcap")));
    let others = folder.path().join("others");
    fs::create_dir(&others)?;
    // Every container, with microseconds if it has nothing finer.
    for format in ["pcap", "nsecpcap", "pcapng", "modpcap"] {
        let mut made = Vec::new();
        for (name, file) in names.iter().zip(&files) {
            let to = others.join(format!("{name}.{format}"));
            tool("editcap", &["-F", format], &[file, &to])?;
            made.push(to);
        }
        assert_eq!(findings(&state, &made)?, expected, "{format}");
    }
    // One file of several interfaces, and the same in pieces, in any order.
    let merged = others.join("merged.pcapng");
    let all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let to = merged.to_string_lossy().into_owned();
    tool("mergecap", &["-w", &to], &all)?;
    assert_eq!(findings(&state, std::slice::from_ref(&merged))?, expected);
    let pieces = folder.path().join("pieces");
    fs::create_dir(&pieces)?;
    let piece = pieces.join("piece.pcapng");
    tool("editcap", &["-c", "50"], &[&merged, &piece])?;
    assert_eq!(findings(&state, std::slice::from_ref(&pieces))?, expected);
    let mut parts: Vec<PathBuf> = fs::read_dir(&pieces)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    assert!(parts.len() > 3, "{} pieces", parts.len());
    parts.sort();
    parts.reverse();
    // Everything once more: what is captured twice is found once.
    parts.push(merged);
    parts.push(clean);
    assert_eq!(findings(&state, &parts)?, expected);
    Ok(())
}
