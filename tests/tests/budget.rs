//! What costs more than the budget allows is probed less, and again when
//! necessary.

use std::{fs, io::Write as _, time::Duration};

use anyhow::{Context as _, Result};
use tests::{
    Daemon, Running, Sandbox, Side, Sink, daemon, file, kernel, nginx,
    patient::{self, META_PATH},
    sink::Options,
    wait,
};

const HOST: &str = "graph.facebook.com";
/// Where nginx listens, which passes all other requests on to the tracker.
const PORT: u16 = 8443;
/// So little that a Python client makes nginx cost more.
const BUDGET: &str = "[overhead]\nbudget = 0.001\n";
/// How long the load lasts at most, seconds.
const LOAD: &str = "20";
/// How long the metrics may lag behind.
const LAG: Duration = Duration::from_secs(5);

/// Requests that nginx answers itself, one after another.
fn load(sandbox: &Sandbox) -> Result<Running> {
    let body = sandbox.folder().join("nothing");
    fs::write(&body, "{}").context("write the body")?;
    let mut command = sandbox.command(Side::Outside, "/usr/bin/python3");
    command
        .arg(file("clients/timed_client.py"))
        .args([&format!("{HOST}:{PORT}"), "/small"])
        .arg(body)
        .arg(LOAD);
    let mut load = sandbox.start("load", command)?;
    writeln!(load.stdin()?)?;
    Ok(load)
}

/// A patient's data to the tracker, through nginx.
fn post(sandbox: &Sandbox) -> Result<()> {
    let body = patient::event_file(sandbox)?;
    let mut curl = sandbox.command(Side::Outside, "curl");
    curl.args(["--silent", "--show-error", "--fail", "--data-binary"])
        .arg(format!("@{}", body.display()))
        .arg(format!("https://{HOST}:{PORT}{META_PATH}"));
    sandbox.run(&mut curl)?;
    Ok(())
}

/// Waits until the metrics say that some process gave way, or that none does.
fn backed_off(daemon: &Daemon<'_>, expected: bool) -> Result<()> {
    wait("the number of those who gave way", LAG, || {
        let now = daemon.metric("phiwatch_backed_off_processes", "")?;
        Ok(((now >= 1.0) == expected).then_some(()))
    })
}

#[test]
fn a_server_gives_way_and_is_probed_again_when_it_speaks_to_a_tracker() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _nginx = nginx::start_before(&sandbox, PORT, &format!("https://{HOST}"))?;
    let mut daemon = Daemon::run_with::<&str>(&sandbox, BUDGET, &[])?;
    let busy = load(&sandbox)?;
    daemon.running.wait_for("the budget", |line| {
        let is_blind = line.contains("the budget changes") && line.contains("Nothing");
        is_blind.then_some(())
    })?;
    backed_off(&daemon, true)?;
    wait("its loss", LAG, || {
        let lost = daemon.metric("phiwatch_lost_total", "reason=\"budget\"")?;
        Ok((lost >= 1.0).then_some(()))
    })?;
    drop(busy);

    // Only its connection is seen, which is why the next one is read.
    post(&sandbox)?;
    daemon
        .running
        .wait_for("a connection to the tracker", |line| {
            line.contains("it connects to a tracker").then_some(())
        })?;
    backed_off(&daemon, false)?;
    let before = daemon::findings(&daemon.journal_path())?.len();
    post(&sandbox)?;
    sink.requests(2)?;
    let findings = daemon.findings(before + 1)?;
    let last = findings.last().context("a finding")?;
    assert_eq!(last["recipient"]["host"], HOST, "{last}");
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}
