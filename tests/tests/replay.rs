//! A capture of live traffic replays to the findings that were found live.

use std::{ffi::OsStr, fs, process::Command};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{
    Daemon, Sink,
    client::{self, Job},
    identity, kernel, patient, phiwatch,
    sink::Options,
};

/// The record as one line, without the name of its capture file.
fn line(finding: &Value) -> String {
    let mut finding = finding.clone();
    if let Some(evidence) = finding.get_mut("evidence").and_then(Value::as_object_mut) {
        evidence.remove("file");
    }
    finding.to_string()
}

#[test]
fn live_and_replay_find_the_same() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let mut arguments = vec!["--capture".as_ref(), captures.as_os_str()];
    arguments.extend(identity::RAW.iter().map(OsStr::new));
    let mut daemon = Daemon::run(&sandbox, &arguments)?;

    let segment = json!({"type": "track", "event": "Appointment Booked", "userId": "u-1",
        "properties": {"email": patient::EMAIL, "treatment": "depression"}});
    let tiktok = json!({"event_source": "web", "data": [{"event": "CompletePayment",
        "user": {"email": patient::EMAIL_SHA256, "phone": patient::PHONE_SHA256},
        "properties": {"content_name": "Anxiety medication"}}]});
    let cases = [
        (
            "graph.facebook.com",
            patient::META_PATH,
            patient::meta_event(),
        ),
        ("api.segment.io", "/v1/track", segment),
        (
            "business-api.tiktok.com",
            "/open_api/v1.3/event/track/",
            tiktok,
        ),
    ];
    let mut sent = 0;
    for (host, path, event) in cases {
        let body = sandbox.folder().join("event.json");
        fs::write(&body, event.to_string()).context("write the event")?;
        for client in [client::CURL, client::HTTP_CLIENT, client::PHP] {
            client.send(
                &sandbox,
                Job {
                    host,
                    path,
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
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let live = daemon.findings(sent)?;

    let output = Command::new(phiwatch())
        .args(["replay", "--format", "jsonl"])
        .arg("--identity")
        .arg(identity::file(sandbox.folder())?)
        .arg("--state")
        .args([&sandbox.state(), &captures])
        .output()
        .context("start phiwatch replay")?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let replayed: Vec<Value> = String::from_utf8(output.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let lines = |findings: &[Value]| findings.iter().map(line).collect::<Vec<_>>();
    assert_eq!(lines(&replayed), lines(&live));
    Ok(())
}
