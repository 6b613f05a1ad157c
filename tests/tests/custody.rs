//! Captures as evidence: stock tools and `phiwatch verify` agree on them, and
//! neither a kill nor a full disk costs anything that was reported as written.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use phiwatch::{
    capture::{
        AgeRecipients, CaptureOptions, CaptureWriter, Provenance, RoomLimits, SigningKey,
        StoreOptions, SyncPolicy, open, read_bytes,
    },
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};
use serde_json::Value;
use tests::{
    Daemon, Sandbox, Side, Sink,
    client::{self, Job},
    identity, kernel, patient, phiwatch,
    sink::Options,
};

/// Where the recorder records, and with what.
const FOLDER: &str = "PHIWATCH_TEST_FOLDER";
const EVENTS: &str = "PHIWATCH_TEST_EVENTS";
const SEGMENT: &str = "PHIWATCH_TEST_SEGMENT";
const KEY: &str = "PHIWATCH_TEST_KEY";
const RECIPIENT: &str = "PHIWATCH_TEST_RECIPIENT";
/// A file that the recorder removes when it is told that the disk is full.
const BALLAST: &str = "PHIWATCH_TEST_BALLAST";

/// Payload of one event, in bytes.
const PAYLOAD: usize = 4_000;

/// How long the recorder tries until there is room again.
const PATIENCE: Duration = Duration::from_secs(20);

/// The process that the tests below start and kill: it says `synced N` when
/// everything up to event N was made durable. Without a folder it has no work.
#[test]
fn recorder() -> Result<()> {
    let Some(folder) = env::var_os(FOLDER) else {
        return Ok(());
    };
    let number = |name: &str| -> Result<u64> {
        let text = env::var(name).with_context(|| name.to_owned())?;
        text.parse().with_context(|| text.clone())
    };
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let recipients: Vec<_> = env::var(RECIPIENT).into_iter().collect();
    let options = CaptureOptions {
        store: StoreOptions {
            segment_bytes: number(SEGMENT)?,
            room: RoomLimits {
                max_bytes: u64::MAX,
                max_age: None,
                min_free_bytes: 0,
            },
            sync: SyncPolicy::Second,
            recipients: AgeRecipients::parse(&recipients)?,
            key: env::var_os(KEY)
                .map(|path| SigningKey::load(Path::new(&path)))
                .transpose()?,
            ..StoreOptions::default()
        },
        provenance: Provenance::default(),
        started: Timestamp(started),
    };
    let mut writer = CaptureWriter::create(Path::new(&folder), options)?;
    let ballast = env::var_os(BALLAST).map(PathBuf::from);
    let mut accepted = 0;
    let count = number(EVENTS)?;
    for number in 0..count {
        let mut event = event(started, number);
        if writer.write(&mut event).is_ok() {
            accepted += 1;
        } else if let Some(ballast) = ballast.as_ref().filter(|ballast| ballast.exists()) {
            say(&format!("full {number}"))?;
            fs::remove_file(ballast)?;
        }
        if number % 4 == 3 && writer.sync().is_ok() {
            say(&format!("synced {number}"))?;
        }
    }
    // There is room: after a pause everything goes on.
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut retries = 0;
    while ballast.is_some() && writer.write(&mut event(started, count)).is_err() {
        retries += 1;
        ensure!(std::time::Instant::now() < deadline, "no room after all");
        std::thread::yield_now();
    }
    accepted += u64::from(ballast.is_some());
    let lost = writer.losses().clone();
    writer.close()?;
    let refused = lost.get(Loss::CaptureNoRoom) + lost.get(Loss::CaptureWrite);
    say(&format!("closed {accepted} {refused} {retries}"))
}

/// Past the test runner's capture of what tests print.
fn say(line: &str) -> Result<()> {
    writeln!(io::stdout(), "\n{line}").context("print")
}

fn event(started: u64, number: u64) -> Event {
    let kind = if number == 0 {
        EventKind::Opened(Arc::new(Origin {
            source: Source::ALL[0],
            process: None,
            local: None,
            peer: None,
        }))
    } else {
        EventKind::Data(Data {
            direction: Direction::Sent,
            offset: number * PAYLOAD as u64,
            bytes: Secret::new(Bytes::from(vec![b'x'; PAYLOAD])),
        })
    };
    Event {
        time: Timestamp(started + number),
        stream: StreamId {
            owner: 1,
            handle: started,
            born: started,
        },
        place: None,
        kind,
    }
}

/// This program as the recorder.
fn record(command: &mut Command, folder: &Path, events: u64, segment: u64) {
    command
        .args(["--exact", "recorder", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(EVENTS, events.to_string())
        .env(SEGMENT, segment.to_string());
}

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

/// `sha256sum -c SHA256SUMS`, where there is anything in it.
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
    while let Some(event) = source.next(&mut losses)? {
        if let EventKind::Data(data) = event.kind {
            numbers.insert((event.stream.handle, data.offset / PAYLOAD as u64));
        }
    }
    Ok(numbers)
}

/// Keys as stock minisign makes them without a password.
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
        let events = read_bytes(bytes, &mut losses);
        let data = |event: &&Event| matches!(event.kind, EventKind::Data(_));
        (events.iter().filter(data).count(), losses.total())
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

/// A tmpfs of `size` in the sandbox. Nobody outside sees it.
fn small_disk(sandbox: &Sandbox, size: &str) -> Result<PathBuf> {
    let path = sandbox.folder().join("small");
    fs::create_dir(&path)?;
    let mut mount = sandbox.command(Side::Outside, "mount");
    let options = format!("size={size}");
    sandbox.run(
        mount
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&path),
    )?;
    Ok(path)
}

/// Checks the capture in `folder`, which only the sandbox sees.
fn assert_valid_inside(sandbox: &Sandbox, folder: &Path) -> Result<Value> {
    let mut verify = sandbox.command(Side::Outside, phiwatch());
    let output = sandbox.run(verify.args(["verify", "--json"]).arg(folder))?;
    let mut sums = sandbox.command(Side::Outside, "sh");
    let script = "cd \"$1\" && sha256sum --check --strict SHA256SUMS";
    sandbox.run(sums.args(["-c", script, "sh"]).arg(folder))?;
    serde_json::from_slice(&output.stdout).context("what verify says")
}

#[test]
fn a_full_disk_loses_nothing_that_was_accepted() -> Result<()> {
    let sandbox = Sandbox::new()?;
    let small = small_disk(&sandbox, "3m")?;
    let ballast = small.join("ballast");
    let mut fill = sandbox.command(Side::Outside, "fallocate");
    sandbox.run(fill.args(["-l", "1m"]).arg(&ballast))?;
    let folder = small.join("evidence");
    let mut command = sandbox.command(Side::Outside, env::current_exe()?);
    record(&mut command, &folder, 600, 300_000);
    let output = sandbox.run(command.env(BALLAST, &ballast))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = |word: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(word))
            .next_back()
    };
    ensure!(said("full ").is_some(), "the disk was not full: {text}");
    let closed: Vec<u64> = said("closed ")
        .context("it was closed")?
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [accepted, refused, retries] = closed.as_slice() else {
        bail!("{closed:?}");
    };
    assert!(*refused > 0);
    assert_eq!(accepted + refused, 601 + retries);
    let found = assert_valid_inside(&sandbox, &folder)?;
    let files = found["places"][0]["files"].as_array().context("files")?;
    let packets = files.iter().filter_map(|file| file["packets"].as_u64());
    // Every accepted event is a packet; each segment introduces the stream.
    let packets = packets.sum::<u64>();
    assert!(
        packets >= accepted - 1,
        "{packets} of {accepted}: {files:#?}"
    );
    Ok(())
}

#[test]
fn a_full_disk_does_not_stop_alarms() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let small = small_disk(&sandbox, "2m")?;
    let folder = small.join("evidence");
    let arguments = ["--capture".as_ref(), folder.as_os_str()];
    let mut daemon = Daemon::run(&sandbox, &arguments)?;
    let ballast = small.join("ballast");
    let body = sandbox.folder().join("event.json");
    fs::write(&body, patient::meta_event().to_string())?;
    let mut total = 0;
    let mut send = |count: usize| -> Result<()> {
        let job = Job {
            host: "graph.facebook.com",
            path: patient::META_PATH,
            body: &body,
            count,
        };
        client::CURL.send(&sandbox, job)?;
        total += count;
        sink.requests(total)?;
        daemon.findings(total).map(drop)
    };
    send(2)?;
    let mut fill = sandbox.command(Side::Outside, "sh");
    let script = "dd if=/dev/zero of=\"$1\" bs=4k 2>/dev/null || true";
    sandbox.run(fill.args(["-c", script, "sh"]).arg(&ballast))?;
    // What comes while the writer pauses is refused; alarms are not.
    tests::wait("the loss", PATIENCE, || {
        send(1)?;
        let lost = daemon.metric("phiwatch_lost_total", "stage=\"capture\"")?;
        Ok((lost > 0.0).then_some(()))
    })?;
    let mut free = sandbox.command(Side::Outside, "rm");
    sandbox.run(free.arg(&ballast))?;
    send(2)?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    assert_valid_inside(&sandbox, &folder)?;
    Ok(())
}
