//! No value of a patient occurs in anything that phiwatch writes.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use phiwatch::report::Format;
use serde_json::json;
use tests::{
    Daemon, Sink,
    client::{self, Job},
    disclosure::found_in,
    kernel,
    patient::{self, META_PATH, PLANTED},
    phiwatch,
    sink::Options,
};

/// Whole requests with planted values in place of names: as keys of JSON, as a
/// key of a form, and as the method.
fn as_names(host: &str) -> [String; 3] {
    let event = patient::meta_event();
    let mut record = json!({});
    record[patient::LAST_NAME] = event["data"][0].clone();
    record[patient::EMAIL] = json!({"diagnosis": "depression"});
    let mut named = event.clone();
    named["patients"] = json!({});
    named["patients"][patient::FIRST_NAME] = record;
    let request = |method: &str, kind: &str, body: &str| {
        format!(
            "{method} {META_PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let form = format!(
        "{}=depression&{}%5Bdiagnosis%5D=depression&email={}",
        patient::FIRST_NAME,
        patient::LAST_NAME,
        patient::EMAIL
    );
    [
        request("POST", "application/json", &named.to_string()),
        request("POST", "application/x-www-form-urlencoded", &form),
        request(
            &patient::FIRST_NAME.to_uppercase(),
            "application/json",
            &event.to_string(),
        ),
    ]
}

/// What replays of `captures` print, in every format.
fn replays(state: &Path, captures: &Path) -> Result<Vec<(String, String)>> {
    let mut written = Vec::new();
    for format in Format::names() {
        let output = Command::new(phiwatch())
            .env("PHIWATCH_LOG", "trace")
            .args(["replay", "--format", &format, "--state"])
            .args([state, captures])
            .output()
            .context("start phiwatch replay")?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
        let printed = String::from_utf8(output.stdout)?;
        assert!(
            printed.lines().count() > 2,
            "replay as {format} finds something"
        );
        written.push((format!("the replay's standard output as {format}"), printed));
        written.push((format!("the replay's standard error as {format}"), error));
    }
    Ok(written)
}

#[test]
fn nothing_written_holds_a_planted_value() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let arguments = ["--capture".as_ref(), captures.as_os_str()];
    let mut daemon = Daemon::run(&sandbox, &arguments)?;
    let body = patient::event_file(&sandbox)?;
    let sought: Vec<_> = PLANTED
        .iter()
        .map(|own| format!("{own} as plain"))
        .collect();
    let sent = found_in(&fs::read(&body)?, PLANTED);
    assert!(
        sought.iter().all(|own| sent.contains(own)),
        "the search itself"
    );

    let host = "graph.facebook.com";
    let path = format!(
        "{META_PATH}?access_token=x&email={}&fn=Averylla",
        patient::EMAIL
    );
    client::CURL.send(
        &sandbox,
        Job {
            host,
            path: &path,
            body: &body,
            count: 1,
        },
    )?;
    // Broken requests, since errors are where values could slip out.
    let value = patient::meta_event().to_string();
    for broken in [
        format!("POST /{value} HTTP/1.1\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nbad header {value}\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n{value}\r\n"),
        format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Encoding: gzip\r\n\
                 Content-Length: {}\r\n\r\n{value}",
            value.len()
        ),
        format!(
            "POST {META_PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 90000\r\n\r\n{value}"
        ),
    ] {
        client::raw(&sandbox, host, broken.as_bytes())?;
    }
    for request in as_names(host) {
        client::raw(&sandbox, host, request.as_bytes())?;
    }
    client::CURL.send(
        &sandbox,
        Job {
            host,
            path: META_PATH,
            body: &body,
            count: 1,
        },
    )?;
    daemon.findings(2)?;
    let metrics = daemon.metrics()?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let journal = fs::read_to_string(daemon.journal_path())?;
    assert!(
        journal.contains("sha256"),
        "the journal shows that hashed values were seen"
    );
    let mut written = vec![
        ("standard output".to_owned(), daemon.running.stdout()?),
        ("standard error".to_owned(), daemon.running.stderr()?),
        ("the journal".to_owned(), journal),
        ("/metrics".to_owned(), metrics),
    ];
    written.extend(replays(&sandbox.state(), &captures)?);
    let mut written: Vec<_> = written
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect();
    for entry in fs::read_dir(&captures).context("list the capture")? {
        let path = entry?.path();
        written.push((path.display().to_string(), fs::read(&path)?));
    }
    for (name, bytes) in written {
        assert_eq!(found_in(&bytes, PLANTED), Vec::<String>::new(), "in {name}");
    }
    Ok(())
}
