//! How many requests a second phiwatch examines without loss, while their sender
//! runs on the same machine.

use std::{
    ffi::OsStr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{
    Daemon, Sandbox, Side, daemon, identity, native,
    patient::{self, META_PATH},
    wait,
};

use crate::{HOST, Plan, numbers::rounded};

/// The rate that is to be reached without loss.
const BAR: u64 = 50_000;
/// The first rate; each next one is twice as high.
const FIRST: u64 = 1_000;
/// Bisections between the highest rate without loss and the lowest with loss.
const BISECTIONS: usize = 3;
/// Connections that take turns.
const STREAMS: &str = "200";
/// How long the last requests may be on their way.
const PATIENCE: Duration = Duration::from_secs(15);
/// After how long without progress, if something was lost, the run has ended.
const REST: Duration = Duration::from_secs(2);

/// What happened to the requests of one rate.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// Requests a second that the sender reached.
    rate: f64,
    /// Requests that it wrote.
    sent: f64,
    /// Requests that phiwatch examined.
    seen: f64,
    /// All counted losses, except findings that only the journal left out.
    lost: f64,
}

impl Step {
    fn is_whole(&self) -> bool {
        self.sent <= self.seen && self.lost <= 0.0
    }
}

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    native::compile("flow", sandbox.folder())?;
    let _worker = sandbox.worker()?;
    patient::event_file(sandbox)?;
    let captures = sandbox.folder().join("evidence");
    let mut everything = vec!["--capture".as_ref(), captures.as_os_str()];
    everything.extend(identity::RAW.iter().map(OsStr::new));
    [
        ("examined, a finding each", &[][..]),
        ("the same, and recorded", &everything),
    ]
    .into_iter()
    .map(|(name, arguments)| {
        let (best, beyond) = search(sandbox, plan, arguments)?;
        let slow = beyond.is_none() && best.rate < BAR as f64;
        Ok(json!({
            "name": name,
            "rate": rounded(best.rate, 0),
            "bar": BAR,
            "remark": slow.then_some("no loss, but watched like this the sender came no further"),
            "beyond": beyond.map(|step| json!({
                "rate": rounded(step.rate, 0),
                "sent": step.sent,
                "seen": step.seen,
                "lost": step.lost,
            })),
        }))
    })
    .collect()
}

/// The highest rate without loss, and the lowest with loss.
fn search(sandbox: &Sandbox, plan: &Plan, arguments: &[&OsStr]) -> Result<(Step, Option<Step>)> {
    let (mut best, mut beyond) = (Step::default(), None);
    let (mut low, mut high) = (0, FIRST);
    while high <= plan.highest_rate {
        let step = try_rate(sandbox, plan, arguments, high)?;
        if !step.is_whole() {
            beyond = Some(step);
            break;
        }
        (best, low) = (step, high);
        // A sender that cannot go faster would only repeat the same rate.
        if step.rate < high as f64 * 0.9 {
            return Ok((best, None));
        }
        high *= 2;
    }
    if beyond.is_some() {
        for _ in 0..BISECTIONS {
            let rate = u64::midpoint(low, high);
            let step = try_rate(sandbox, plan, arguments, rate)?;
            if step.is_whole() {
                (best, low) = (step, rate);
            } else {
                (beyond, high) = (Some(step), rate);
            }
        }
    }
    Ok((best, beyond))
}

fn try_rate(sandbox: &Sandbox, plan: &Plan, arguments: &[&OsStr], rate: u64) -> Result<Step> {
    // A separate daemon: leftovers of an earlier step would be counted.
    let daemon = Daemon::run_quietly(sandbox, "", arguments)?;
    let mut command = sandbox.command(Side::Outside, sandbox.folder().join("flow"));
    command
        .arg("rate")
        .args([&sandbox.authority.certificate, &sandbox.authority.key])
        .args([HOST, META_PATH])
        .arg(sandbox.folder().join("event.json"))
        .args([&rate.to_string(), &plan.step.as_secs().to_string(), STREAMS])
        .arg(sandbox.cgroup());
    let mut sender = sandbox.start("flow", command)?;
    let (sent, seconds) = sender.wait_for("its requests", |line| {
        let (sent, seconds) = line.split_once(' ')?;
        Some((sent.parse::<f64>().ok()?, seconds.parse::<f64>().ok()?))
    })?;
    let mut step = Step {
        rate: sent / seconds,
        sent,
        ..Step::default()
    };
    // Until everything has arrived, or nothing more does.
    let mut moved = Instant::now();
    let settled = wait("all requests", PATIENCE, || {
        let metrics = daemon.metrics()?;
        let before = step.seen;
        step.seen = daemon::sum(&metrics, "phiwatch_messages_total", "")?;
        step.lost = lost(&metrics)?;
        if step.seen > before {
            moved = Instant::now();
        }
        let rests = step.lost > 0.0 && moved.elapsed() > REST;
        Ok((step.seen >= sent || rests).then_some(()))
    });
    drop(daemon);
    // The caller compares the numbers and sees what never arrived.
    drop(settled);
    Ok(step)
}

fn lost(metrics: &str) -> Result<f64> {
    let name = "phiwatch_lost_total";
    let all = daemon::sum(metrics, name, "")?;
    Ok(all - daemon::sum(metrics, name, "stage=\"alert\"").context("the journal's limit")?)
}
