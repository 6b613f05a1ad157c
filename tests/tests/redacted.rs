//! Redacted captures: the findings of the original, and no value of a patient.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{
    Daemon, Sandbox, Sink,
    client::{self, Job},
    disclosure::{found_in, percent},
    kernel, patient, phiwatch,
    sink::Options,
};

/// Values of the patient in the traffic of these tests.
const BIRTH_DATE: &str = "1987-03-14";

/// Sends events of three SDKs, in different codings. Returns how many requests
/// there were; each is a finding.
fn send(sandbox: &Sandbox, sink: &mut Sink, daemon: &Daemon<'_>) -> Result<usize> {
    let segment = json!({"type": "track", "event": "Appointment Booked", "userId": "u-1",
        "properties": {"email": patient::EMAIL, "birthday": BIRTH_DATE, "treatment": "depression"}});
    let tiktok = json!({"event_source": "web", "data": [{"event": "CompletePayment",
        "user": {"email": patient::EMAIL_SHA256, "phone": patient::PHONE_SHA256},
        "properties": {"content_name": "Anxiety medication"}}]});
    let form = format!(
        "data={}",
        percent(&patient::meta_event()["data"].to_string())
    );
    let mut sent = 0;
    for (host, path, event) in [
        (
            "graph.facebook.com",
            patient::META_PATH,
            patient::meta_event().to_string(),
        ),
        ("graph.facebook.com", patient::META_PATH, form),
        ("api.segment.io", "/v1/track", segment.to_string()),
        (
            "business-api.tiktok.com",
            "/open_api/v1.3/event/track/",
            tiktok.to_string(),
        ),
    ] {
        let body = sandbox.folder().join("event");
        fs::write(&body, event).context("write the event")?;
        let path = format!("{path}?email={}", percent(patient::EMAIL));
        for client in [client::CURL, client::HTTP_CLIENT] {
            client.send(
                sandbox,
                Job {
                    host,
                    path: &path,
                    body: &body,
                    count: 2,
                },
            )?;
            sent += 2;
            // One at a time, so that the order of findings is defined.
            sink.requests(sent)?;
            daemon.findings(sent)?;
        }
    }
    Ok(sent)
}

/// What a replay with a key of its own finds.
fn replay(sandbox: &Sandbox, captures: &Path, format: &str) -> Result<Vec<u8>> {
    let output = Command::new(phiwatch())
        .args(["replay", "--format", format, "--state"])
        .args([&sandbox.folder().join("elsewhere"), captures])
        .output()
        .context("start phiwatch replay")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

fn values(lines: &[u8]) -> Result<Vec<Value>> {
    std::str::from_utf8(lines)?
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// The planted values in the files of `folder`.
fn planted_in(folder: &Path) -> Result<Vec<String>> {
    let planted = [patient::PLANTED, &[BIRTH_DATE]].concat();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context("list the capture")? {
        let path = entry?.path();
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let own = found_in(&bytes, &planted);
        found.extend(
            own.into_iter()
                .map(|own| format!("{}: {own}", path.display())),
        );
    }
    Ok(found)
}

#[test]
fn a_redacted_capture_replays_to_the_journal_and_holds_no_value() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let arguments = ["--capture".as_ref(), captures.as_os_str()];
    let mut daemon = Daemon::run(&sandbox, &arguments)?;
    let sent = send(&sandbox, &mut sink, &daemon)?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let live = daemon.findings(sent)?;
    // On another host, which has another key, the evidence is also the same.
    let replayed = values(&replay(&sandbox, &captures, "jsonl")?)?;
    assert_eq!(replayed, live);
    assert!(
        live.iter()
            .all(|finding| finding["evidence"]["packet"].is_u64()),
        "{live:#?}"
    );
    assert_eq!(planted_in(&captures)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn on_finding_keeps_what_is_around_findings_and_nothing_else() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let configuration = "[capture]\non_finding = \"high\"\nbefore_seconds = 0\nafter_seconds = 0\n";
    let arguments = ["--capture".as_ref(), captures.as_os_str()];
    let mut daemon = Daemon::run_with(&sandbox, configuration, &arguments)?;
    let body = sandbox.folder().join("event.json");
    let harmless = json!({"type": "track", "event": "Cart Viewed", "properties": {"items": 2}});
    let mut count = 0;
    for event in [&harmless, &patient::meta_event(), &harmless] {
        fs::write(&body, event.to_string()).context("write the event")?;
        for _ in 0..3 {
            let job = Job {
                host: "graph.facebook.com",
                path: patient::META_PATH,
                body: &body,
                count: 1,
            };
            client::CURL.send(&sandbox, job)?;
            count += 1;
            sink.requests(count)?;
        }
    }
    let live = daemon.findings(3)?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    assert_eq!(values(&replay(&sandbox, &captures, "jsonl")?)?, live);
    let text: Vec<u8> = fs::read_dir(&captures)?
        .map(|entry| Ok(fs::read(entry?.path())?))
        .collect::<Result<Vec<_>>>()?
        .concat();
    let requests = text.windows(9).filter(|own| own == b" HTTP/1.1").count();
    assert_eq!(requests, 3);
    assert_eq!(planted_in(&captures)?, Vec::<String>::new());
    Ok(())
}
