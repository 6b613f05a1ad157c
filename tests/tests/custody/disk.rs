//! A small disk that is full.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tests::{
    Daemon, Sandbox, Side, Sink,
    client::{self, Job},
    kernel, patient, phiwatch,
    sink::Options,
};

use crate::recorder::{BALLAST, PATIENCE, record};

/// A tmpfs of `size` in the sandbox, invisible outside of it.
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

/// Checks the capture in `folder`, which only the sandbox can see.
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
    let body = patient::event_file(&sandbox)?;
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
    // Events during the writer's pause are refused; alerts are not.
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
