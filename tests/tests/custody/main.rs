//! Captures as evidence: stock tools and `phiwatch verify` agree on them, and
//! neither a kill nor a full disk costs anything that was reported as written.

mod disk;
mod recorder;

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use phiwatch::{
    capture::{Recorded, open, read_bytes},
    event::{Event, EventKind},
    loss::Losses,
};
use serde_json::Value;
use tests::{identity, phiwatch};

use crate::recorder::{KEY, PAYLOAD, RECIPIENT, record};

fn succeeds(command: &mut Command) -> Result<Output> {
    let output = command
        .output()
        .with_context(|| format!("start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}

fn recorded(folder: &Path, events: u64, segment: u64, more: &[(&str, &str)]) -> Result<()> {
    let mut command = Command::new(env::current_exe()?);
    record(&mut command, folder, events, segment);
    succeeds(command.envs(more.iter().copied())).map(drop)
}

/// Runs `sha256sum -c SHA256SUMS`, if there is anything in it.
fn sha256sum(folder: &Path) -> Result<Output> {
    let mut command = Command::new("sha256sum");
    command
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(folder);
    command.output().context("start sha256sum")
}

fn verify(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(phiwatch());
    command.arg("verify").args(arguments).arg(folder);
    command.output().context("start phiwatch verify")
}

/// Both say that everything is as it was written.
fn assert_valid(folder: &Path, when: &str) -> Result<()> {
    let output = verify(folder, &[])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{when}: {text}");
    let sums = folder.join("SHA256SUMS");
    if fs::metadata(&sums).is_ok_and(|file| file.len() > 0) {
        let output = sha256sum(folder)?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{when}: {text}");
    }
    Ok(())
}

/// What verify says of each file.
fn states(folder: &Path) -> Result<Vec<(String, String)>> {
    let output = verify(folder, &["--json"])?;
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let files = found["places"][0]["files"].as_array().context("files")?;
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    Ok(files
        .iter()
        .map(|file| (text(file, "name"), text(file, "state")))
        .collect())
}

fn segments(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("phiwatch-")
    });
    paths.sort();
    Ok(paths)
}

/// The numbers of the data events that are in the capture, for each recorder.
fn replayed(folder: &Path) -> Result<BTreeSet<(u64, u64)>> {
    let mut losses = Losses::default();
    let mut source = open(folder)?;
    let mut numbers = BTreeSet::new();
    while let Some(recorded) = source.next(&mut losses)? {
        let event = recorded.event().context("a raw capture")?;
        if let EventKind::Data(data) = event.kind {
            numbers.insert((event.stream.handle, data.offset / PAYLOAD as u64));
        }
    }
    Ok(numbers)
}

/// Keys without a password, as stock minisign generates them.
fn keys(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (public, secret) = (folder.join("minisign.pub"), folder.join("minisign.key"));
    let mut command = Command::new("minisign");
    command
        .args(["-G", "-W", "-p"])
        .arg(&public)
        .arg("-s")
        .arg(&secret);
    succeeds(command.stdin(Stdio::null()))?;
    Ok((public, secret))
}

#[test]
fn stock_tools_check_what_verify_checks() -> Result<()> {
    let home = tempfile::tempdir()?;
    let (public, secret) = keys(home.path())?;
    let folder = home.path().join("evidence");
    let key = secret.to_str().context("a path")?;
    recorded(&folder, 40, 50_000, &[(KEY, key)])?;
    recorded(&folder, 10, 50_000, &[(KEY, key)])?;
    assert_valid(&folder, "untouched")?;
    let minisign = || -> Result<Output> {
        let mut command = Command::new("minisign");
        command
            .args(["-V", "-p"])
            .arg(&public)
            .args(["-m", "SHA256SUMS"]);
        command
            .current_dir(&folder)
            .output()
            .context("start minisign")
    };
    let output = minisign()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("chain:"), "{text}");
    let public = public.to_str().context("a path")?;
    let output = verify(&folder, &["--public-key", public])?;
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("by the key that was given"), "{text}");

    let mut names: Vec<_> = segments(&folder)?;
    let manifest = ["manifest.jsonl", "SHA256SUMS", "SHA256SUMS.minisig"];
    names.extend(manifest.iter().map(|name| folder.join(name)));
    for path in names {
        let whole = fs::read(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes)?;
            let output = verify(&folder, &[])?;
            assert_eq!(output.status.code(), Some(65), "{name} byte {at}");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(text.contains(&*name), "{text}");
            if name.starts_with("phiwatch-") {
                assert!(!sha256sum(&folder)?.status.success(), "{name} byte {at}");
            }
            if name.starts_with("SHA256SUMS") && at == whole.len() / 2 {
                assert!(!minisign()?.status.success(), "{name} byte {at}");
            }
        }
        fs::write(&path, &whole)?;
    }
    assert_valid(&folder, "restored")
}

#[test]
fn a_recorder_that_is_killed_leaves_a_valid_manifest_and_all_that_it_reported() -> Result<()> {
    let home = tempfile::tempdir()?;
    let (_, secret) = keys(home.path())?;
    let folder = home.path().join("evidence");
    for round in 0..24_u32 {
        let mut command = Command::new(env::current_exe()?);
        // Every event, or every third, begins a new segment.
        record(
            &mut command,
            &folder,
            100_000,
            [1, 10_000][round as usize % 2],
        );
        let mut child = command
            .env(KEY, &secret)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut synced = None;
        let mut reports = 0;
        while reports <= round * 7 % 11 {
            let line = lines.next().context("the recorder ended by itself")??;
            if let Some(number) = line.strip_prefix("synced ") {
                synced = Some(number.parse::<u64>()?);
                reports += 1;
            }
        }
        child.kill()?;
        // What it had reported before it was killed counts as well.
        for line in lines.map_while(io::Result::ok) {
            if let Some(number) = line.strip_prefix("synced ") {
                synced = Some(number.parse()?);
            }
        }
        child.wait()?;
        assert_valid(&folder, &format!("killed in round {round}"))?;
        let open: Vec<_> = states(&folder)?;
        let open = open
            .iter()
            .filter(|(_, state)| state == "not_sealed")
            .count();
        assert!(open <= 1, "{open} segments are not sealed");
        let numbers = replayed(&folder)?;
        let last = numbers.last().context("events")?.0;
        let synced = synced.context("a report")?;
        for number in 1..=synced {
            assert!(
                numbers.contains(&(last, number)),
                "round {round}: {number} of {synced}"
            );
        }
    }
    recorded(
        &folder,
        4,
        10_000,
        &[(KEY, secret.to_str().context("a path")?)],
    )?;
    assert_valid(&folder, "closed")?;
    assert!(
        states(&folder)?
            .iter()
            .all(|(_, state)| state != "not_sealed")
    );
    Ok(())
}

#[test]
fn stock_age_decrypts_raw_segments_and_of_a_killed_one_every_whole_chunk() -> Result<()> {
    let home = tempfile::tempdir()?;
    let folder = home.path().join("evidence");
    recorded(&folder, 180, 300_000, &[(RECIPIENT, identity::RECIPIENT)])?;
    assert_valid(&folder, "encrypted")?;
    let data = |bytes: &[u8]| {
        let mut losses = Losses::default();
        let all = read_bytes(bytes, &mut losses).into_iter();
        let events = all.filter_map(Recorded::event);
        let data = |event: &Event| matches!(event.kind, EventKind::Data(_));
        (events.filter(data).count(), losses.total())
    };
    let plain = identity::decrypted(&folder)?;
    assert!(plain.len() > 1);
    let counts: Vec<_> = plain.iter().map(|bytes| data(bytes)).collect();
    assert_eq!(counts.iter().map(|(count, _)| count).sum::<usize>(), 179);
    assert!(counts.iter().all(|(_, lost)| *lost == 0), "{counts:?}");

    let identity = identity::file(home.path())?;
    let segment = fs::read(&segments(&folder)?[0])?;
    for cut in [1, 17, 30_000, 65_552, 66_000] {
        let path = home.path().join("cut.age");
        fs::write(&path, &segment[..segment.len() - cut])?;
        let output = Command::new("age")
            .arg("-d")
            .arg("-i")
            .arg(&identity)
            .arg(&path)
            .output()?;
        assert!(!output.status.success());
        let whole = output.stdout.len();
        assert!(whole > 0 && whole.is_multiple_of(65_536), "{whole}");
        assert_eq!(output.stdout, plain[0][..whole]);
        let (count, lost) = data(&output.stdout);
        assert!(count > 0 && lost == 1);
    }
    for path in segments(&folder)? {
        assert!(
            !fs::read(path)?
                .windows(32)
                .any(|window| window == [b'x'; 32])
        );
    }
    Ok(())
}
