//! Requests of HTTP/2 are found, each exactly once: over TLS and in cleartext,
//! interleaved, on connections that are older than phiwatch.

use std::{
    collections::BTreeMap, ffi::OsStr, fs, io::Write as _, path::PathBuf, process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{
    Daemon, Sandbox,
    client::{GO, Job},
    daemon,
    disclosure::found_in,
    identity, kernel,
    multiplexed::{self, Begin, client, curl},
    patient::{self, META_PATH},
    phiwatch, wait,
};

const HOST: &str = "graph.facebook.com";
/// A ring with room for a hundred megabytes: a debug build may be slower than its client.
const RING: &str = "[ring]\ndata_bytes = 134217728\n";
/// How long a client may take to end.
const END: Duration = Duration::from_secs(30);

/// Writes an event of the patient of at least `length` bytes, some of her data behind
/// the rest.
fn event(sandbox: &Sandbox, length: usize) -> Result<PathBuf> {
    let mut event = patient::meta_event();
    event["data"][0]["custom_data"]["pieces"] = (0..length / 200)
        .map(|n| json!(format!("{n:0200}")))
        .collect();
    let path = sandbox.folder().join("event.json");
    fs::write(&path, event.to_string()).context("write the event")?;
    Ok(path)
}

fn job(body: &PathBuf, count: usize) -> Job<'_> {
    Job {
        host: HOST,
        path: META_PATH,
        body,
        count,
    }
}

/// What is said of a request: its protocol, how much of it was seen, its status, and the
/// bytes of its body.
fn said(finding: &Value) -> String {
    let request = &finding["request"];
    format!(
        "{} {} {} {}",
        request["protocol"], finding["completeness"], request["status"], request["body_bytes"]
    )
}

/// Counts what is said without the statuses of HTTP/2: of each read only the first bytes
/// are looked at, and behind an upgrade it depends on how the packets fall what is in
/// them.
fn without_statuses(counts: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    let mut merged = BTreeMap::new();
    for (mut said, count) in counts {
        if said.starts_with("\"http/2\"") {
            said = said.replace(" null ", " 200 ");
        }
        *merged.entry(said).or_default() += count;
    }
    merged
}

/// Ends phiwatch, and counts the findings that say the same.
fn end(daemon: &mut Daemon<'_>, count: usize) -> Result<BTreeMap<String, usize>> {
    daemon.findings(count)?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let mut counts = BTreeMap::new();
    for finding in daemon::findings(&daemon.journal_path())? {
        assert_eq!(finding["recipient"]["host"], HOST, "{finding}");
        *counts.entry(said(&finding)).or_default() += 1;
    }
    Ok(counts)
}

/// `count` requests of HTTP/2 with events of `length` that begin so: each must be a
/// complete finding, and no other. `make` is [`client`] with options, or [`curl`].
fn check(
    begin: Begin,
    (count, length): (usize, usize),
    make: impl FnOnce(&Sandbox, Job<'_>) -> Command,
) -> Result<()> {
    check_body(begin, count, |sandbox| event(sandbox, length), make)
}

fn check_body(
    begin: Begin,
    count: usize,
    write: impl FnOnce(&Sandbox) -> Result<PathBuf>,
    make: impl FnOnce(&Sandbox, Job<'_>) -> Command,
) -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = multiplexed::sink(&sandbox, begin)?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run_with::<&str>(&sandbox, RING, &[])?;
    let body = write(&sandbox)?;
    sandbox.run(&mut make(&sandbox, job(&body, count)))?;
    let bytes = fs::read(&body)?;
    for request in sink.requests(count)? {
        assert_eq!(request.body_sha256, tests::sha256(&bytes), "what arrived");
    }
    let mut expected = BTreeMap::new();
    let mut expect = |protocol, count| {
        let said = format!("\"{protocol}\" \"complete\" 200 {}", bytes.len());
        expected.insert(said, count);
    };
    if begin == Begin::Upgrade {
        expect("http/2", count - 1);
        // It was answered with 101 in its own protocol.
        expected.insert(format!("\"http/1.1\" \"complete\" 101 {}", bytes.len()), 1);
    } else {
        expect("http/2", count);
    }
    let mut found = end(&mut daemon, count)?;
    if begin == Begin::Upgrade {
        found = without_statuses(found);
    }
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn curl_over_tls() -> Result<()> {
    check(Begin::Tls, (20, 20_000), |sandbox, job| {
        curl(sandbox, Begin::Tls, job)
    })
}

/// Go's client speaks HTTP/2 to whoever does. What a Go program receives is not read, so
/// there is no status.
#[test]
fn programs_written_in_go() -> Result<()> {
    const COUNT: usize = 20;
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = multiplexed::sink(&sandbox, Begin::Tls)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = event(&sandbox, 20_000)?;
    for go in GO {
        go.send(&sandbox, job(&body, COUNT)).context(go.name)?;
    }
    let bytes = fs::read(&body)?;
    for request in sink.requests(GO.len() * COUNT)? {
        assert_eq!(request.body_sha256, tests::sha256(&bytes), "what arrived");
    }
    let said = format!("\"http/2\" \"complete\" null {}", bytes.len());
    let expected = BTreeMap::from([(said, GO.len() * COUNT)]);
    assert_eq!(end(&mut daemon, GO.len() * COUNT)?, expected);
    Ok(())
}

#[test]
fn curl_with_prior_knowledge() -> Result<()> {
    // curl 7.88 fails at the second request of such a connection.
    check(Begin::Plain, (1, 20_000), |sandbox, job| {
        curl(sandbox, Begin::Plain, job)
    })
}

#[test]
fn a_hundred_interleaved_megabytes_over_tls() -> Result<()> {
    check(Begin::Tls, (100, 1 << 20), |sandbox, job| {
        client(sandbox, Begin::Tls, "", job)
    })
}

#[test]
fn a_hundred_interleaved_in_cleartext() -> Result<()> {
    check(Begin::Plain, (100, 20_000), |sandbox, job| {
        client(sandbox, Begin::Plain, "", job)
    })
}

#[test]
fn trailers_end_requests() -> Result<()> {
    check(Begin::Tls, (10, 300), |sandbox, job| {
        client(sandbox, Begin::Tls, ",trailers", job)
    })
}

#[test]
fn http1_asks_for_http2() -> Result<()> {
    check(Begin::Upgrade, (10, 300), |sandbox, job| {
        client(sandbox, Begin::Upgrade, "", job)
    })
}

/// A field of protobuf with bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

#[test]
fn messages_of_grpc_are_read() -> Result<()> {
    let write = |sandbox: &Sandbox| {
        let user = field(2, patient::EMAIL.as_bytes());
        let message = [field(1, b"Depression self-assessment"), field(3, &user)].concat();
        let prefix = [0, 0, 0, 0, message.len() as u8];
        let path = sandbox.folder().join("message");
        fs::write(&path, [&prefix, &message[..]].concat()).context("write the message")?;
        Ok(path)
    };
    check_body(Begin::Tls, 3, write, |sandbox, job| {
        client(sandbox, Begin::Tls, ",trailers", job)
    })
}

/// Records that are lost take away what they held, and nothing is made up for it.
#[test]
fn a_small_ring_loses_with_a_count_and_nothing_is_guessed() -> Result<()> {
    const COUNT: usize = 20;
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = multiplexed::sink(&sandbox, Begin::Tls)?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run_with::<&str>(&sandbox, "[ring]\ndata_bytes = 65536\n", &[])?;
    let body = event(&sandbox, 1 << 20)?;
    sandbox.run(&mut client(&sandbox, Begin::Tls, "", job(&body, COUNT)))?;
    sink.requests(COUNT)?;
    let lost = wait("a counted loss", END, || {
        let lost = daemon.metric("phiwatch_lost_total", "stage=\"kernel\"")?;
        Ok((lost > 0.0).then_some(()))
    });
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    lost?;
    let findings = daemon::findings(&daemon.journal_path())?;
    assert!(findings.len() <= COUNT, "{}", findings.len());
    let length = fs::metadata(&body)?.len();
    for finding in findings {
        let request = &finding["request"];
        assert_eq!(finding["recipient"]["host"], HOST, "{finding}");
        let path = request["path"].as_str();
        assert!(
            matches!(path, Some("/v26.0/{id}/events" | "?")),
            "{finding}"
        );
        if finding["completeness"] == "complete" {
            assert_eq!(request["body_bytes"], length, "{finding}");
        }
    }
    Ok(())
}

/// The client has made a request to another host before phiwatch starts. What later
/// ones say by reference to its fields is unknown, but not to whom they are.
fn check_late(begin: Begin) -> Result<()> {
    const COUNT: usize = 10;
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = multiplexed::sink(&sandbox, begin)?;
    let _worker = sandbox.worker()?;
    let body = event(&sandbox, 300)?;
    let client = client(&sandbox, begin, ",paused", job(&body, COUNT));
    let mut client = sandbox.start("client", client)?;
    client.wait_for("its first request", |line| {
        (line == "waiting").then_some(())
    })?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    writeln!(client.stdin()?)?;
    assert!(client.ended(END)?.success(), "{}", client.stderr()?);
    sink.requests(COUNT)?;
    let length = fs::metadata(&body)?.len();
    let counts = end(&mut daemon, COUNT - 1)?;
    let expected = format!("\"http/2\" \"late\" 200 {length}");
    assert_eq!(counts, BTreeMap::from([(expected, COUNT - 1)]));
    Ok(())
}

#[test]
fn connections_over_tls_that_are_older_than_phiwatch() -> Result<()> {
    check_late(Begin::Tls)
}

#[test]
fn connections_in_cleartext_that_are_older_than_phiwatch() -> Result<()> {
    check_late(Begin::Plain)
}

/// A record without the name of its capture file.
fn line(finding: &Value) -> String {
    let mut finding = finding.clone();
    if let Some(evidence) = finding.get_mut("evidence").and_then(Value::as_object_mut) {
        evidence.remove("file");
    }
    finding.to_string()
}

/// What phiwatch prints in `verb` on a capture.
fn printed(sandbox: &Sandbox, verb: &str, arguments: &[&OsStr]) -> Result<Vec<u8>> {
    let mut command = Command::new(phiwatch());
    command
        .arg(verb)
        .arg("--state")
        .arg(sandbox.state())
        .args(arguments);
    let output = command.output().context("start phiwatch")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{verb}: {error}");
    Ok(output.stdout)
}

/// A recording gives the findings that were found live, and exports of it hold no value
/// of the patient.
fn check_recording(is_raw: bool) -> Result<()> {
    const COUNT: usize = 10;
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sinks = [
        multiplexed::sink(&sandbox, Begin::Tls)?,
        multiplexed::sink(&sandbox, Begin::Plain)?,
    ];
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let mut arguments = vec![OsStr::new("--capture"), captures.as_os_str()];
    if is_raw {
        arguments.extend(identity::RAW.iter().map(OsStr::new));
    }
    let mut daemon = Daemon::run(&sandbox, &arguments)?;
    let body = event(&sandbox, 2_000)?;
    let begins = [Begin::Tls, Begin::Plain, Begin::Upgrade];
    for (number, begin) in begins.into_iter().enumerate() {
        sandbox.run(&mut client(&sandbox, begin, ",trailers", job(&body, COUNT)))?;
        daemon.findings((number + 1) * COUNT)?;
    }
    sinks[0].requests(COUNT)?;
    sinks[1].requests(2 * COUNT)?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let mut live: Vec<String> = daemon::findings(&daemon.journal_path())?
        .iter()
        .map(line)
        .collect();
    live.sort();
    assert_eq!(live.len(), begins.len() * COUNT);

    let key = identity::file(sandbox.folder())?;
    let mut common = vec![captures.as_os_str()];
    if is_raw {
        common.extend([OsStr::new("--identity"), key.as_os_str()]);
    }
    let replay = [&["--format", "jsonl"].map(OsStr::new)[..], &common].concat();
    let text = String::from_utf8(printed(&sandbox, "replay", &replay)?)?;
    let mut replayed = Vec::new();
    for finding in text.lines() {
        replayed.push(line(&serde_json::from_str(finding)?));
    }
    replayed.sort();
    assert_eq!(replayed, live);

    for format in ["har", "pcapng", "pdu"] {
        let target = sandbox.folder().join(format);
        let export = [
            &common[..],
            &["--to", format, "-o"].map(OsStr::new),
            &[target.as_os_str()],
        ];
        printed(&sandbox, "export", &export.concat())?;
        let bytes = fs::read(&target)?;
        assert_eq!(found_in(&bytes, patient::PLANTED), Vec::<String>::new());
        if format == "har" {
            let archive: Value = serde_json::from_slice(&bytes)?;
            let entries = archive["log"]["entries"].as_array().context("entries")?;
            let is_http2 = |entry: &&Value| entry["request"]["httpVersion"] == "HTTP/2";
            assert_eq!(
                entries.iter().filter(is_http2).count(),
                begins.len() * COUNT - 1
            );
            assert_eq!(entries.len(), begins.len() * COUNT);
        }
    }
    if !is_raw {
        for entry in fs::read_dir(&captures)? {
            let bytes = fs::read(entry?.path())?;
            assert_eq!(found_in(&bytes, patient::PLANTED), Vec::<String>::new());
        }
    }
    Ok(())
}

#[test]
fn raw_recordings_replay_to_what_was_found() -> Result<()> {
    check_recording(true)
}

#[test]
fn redacted_recordings_replay_to_what_was_found() -> Result<()> {
    check_recording(false)
}
