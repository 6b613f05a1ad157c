//! An ignored connection costs the next one nothing.
//!
//! `run` without a capture tells the kernel which connections are of no
//! interest. No verdict on an earlier connection or request may cut a later
//! request to a tracker.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{
    Daemon, OTHERS, Sandbox, Side, Sink, daemon, kernel,
    patient::{self, META_PATH},
    sink::Options,
};

const HOST: &str = "graph.facebook.com";

/// Writes an event of about 20 KB, with data of the patient before and after the
/// pieces that fill it.
fn event(sandbox: &Sandbox) -> Result<PathBuf> {
    let mut event = patient::meta_event();
    event["data"][0]["custom_data"]["pieces"] =
        (0..100).map(|n| json!(format!("{n:0200}"))).collect();
    let path = sandbox.folder().join("event.json");
    fs::write(&path, event.to_string()).context("write the event")?;
    Ok(path)
}

/// Makes the client do `rounds` in `mode`, each of which consists of two
/// requests and gives one finding, which must be complete.
fn check(mode: &str, rounds: usize) -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let mut client = sandbox.command(Side::Watched, "/usr/bin/python3");
    client
        .arg(tests::file("clients/verdicts_client.py"))
        .args([mode, HOST, META_PATH])
        .arg(event(&sandbox)?)
        .args([&rounds.to_string(), OTHERS[0]]);
    sandbox.run(&mut client)?;
    sink.requests(rounds * 2)?;
    daemon.findings(rounds)?;
    // Ended, so that excess findings are seen as well.
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let seen: Vec<Value> = daemon::findings(&daemon.journal_path())?
        .iter()
        .map(|finding| json!([finding["recipient"]["host"], finding["completeness"]]))
        .collect();
    assert_eq!(seen, vec![json!([HOST, "complete"]); rounds]);
    Ok(())
}

#[test]
fn a_connection_after_one_to_nobody_in_particular() -> Result<()> {
    check("fresh", 20)
}

#[test]
fn requests_after_ones_without_a_body() -> Result<()> {
    check("alternate", 10)
}
