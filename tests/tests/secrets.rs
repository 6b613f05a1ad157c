//! No value of a patient stands in anything that phiwatch writes.

use std::fs;

use anyhow::{Context as _, Result};
use tests::{
    Daemon, Sink,
    client::{self, Job},
    kernel,
    patient::{self, META_PATH, PLANTED},
    sink::Options,
};

/// The planted values in `text`, whatever their case.
fn planted_in(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    PLANTED
        .iter()
        .copied()
        .filter(|value| text.contains(&value.to_lowercase()))
        .collect()
}

#[test]
fn nothing_written_holds_a_planted_value() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = sandbox.folder().join("event.json");
    fs::write(&body, patient::meta_event().to_string()).context("write the event")?;
    assert_eq!(
        planted_in(&fs::read_to_string(&body)?),
        PLANTED,
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
    // Requests that break, since an error is where a value slips out.
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
    for (name, text) in [
        ("standard output", daemon.running.stdout()?),
        ("standard error", daemon.running.stderr()?),
        ("the journal", journal),
        ("/metrics", metrics),
    ] {
        assert_eq!(planted_in(&text), Vec::<&str>::new(), "in {name}");
    }
    Ok(())
}
