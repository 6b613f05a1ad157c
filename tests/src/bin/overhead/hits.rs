//! What one hit costs: calls of `SSL_write` in a loop without a probe, with an
//! empty program where phiwatch has its own, and with phiwatch.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Daemon, Running, Sandbox, Side, client, native, patient::META_PATH};

use crate::{
    HOST, Plan,
    numbers::{median, rounded},
};

/// Bytes that are written with a call.
const LENGTH: usize = 512;
/// Calls in a batch: fewer than fill the data ring.
const CALLS: &str = "10000";
/// Milliseconds between batches, in which the ring is emptied.
const REST: &str = "150";

/// What is written, and how much more than an empty program it may cost.
const KINDS: &[(&str, &str, f64)] = &[
    ("other", "bytes of a stream that is no HTTP", 1.3),
    ("post", "512 bytes of a request to a tracker", 2.0),
];

/// Where `SSL_write` is in the library's file.
struct Place {
    offset: u64,
    length: u64,
}

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    for name in ["flow", "probe"] {
        native::compile(name, sandbox.folder())?;
    }
    let _worker = sandbox.worker()?;
    let function = function(sandbox)?;
    let daemon = Daemon::run_quietly::<&str>(sandbox, "", &[])?;
    let mut offsets = probes(daemon.running.pid(), &function)?;
    drop(daemon);
    let inside = !offsets.is_empty();
    offsets.push(function.offset);
    let offset = offsets.first().copied().unwrap_or(function.offset);
    let mut rows = Vec::new();
    for (kind, name, bar) in KINDS {
        let (mut bare, mut empty, mut ours) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..plan.pairs {
            bare.push(calls(sandbox, plan, kind)?);
            let held = hold(sandbox, &["empty", &library(sandbox), &offset.to_string()])?;
            empty.push(calls(sandbox, plan, kind)?);
            drop(held);
            let daemon = Daemon::run_quietly::<&str>(sandbox, "", &[])?;
            ours.push(calls(sandbox, plan, kind)?);
            drop(daemon);
        }
        let bare = median(&bare);
        let (empty, ours) = (median(&empty) - bare, median(&ours) - bare);
        rows.push(json!({
            "name": name,
            "offset_in_function": offset - function.offset,
            "place_is_a_probe": inside,
            "call_ns": rounded(bare, 0),
            "empty_ns": rounded(empty, 0),
            "phiwatch_ns": rounded(ours, 0),
            "ratio": rounded(ours / empty, 2),
            "program_ns": program_time(sandbox, plan, kind)?,
            "bar": bar,
        }));
    }
    Ok(Value::Array(rows))
}

fn library(sandbox: &Sandbox) -> String {
    let path = sandbox.folder().join("libssl.so.3");
    path.to_string_lossy().into_owned()
}

fn function(sandbox: &Sandbox) -> Result<Place> {
    let mut command = sandbox.command(Side::Outside, sandbox.folder().join("flow"));
    let printed = String::from_utf8(sandbox.run(command.arg("where"))?.stdout)?;
    let (offset, length) = printed.trim().split_once(' ').context("two numbers")?;
    Ok(Place {
        offset: offset.parse()?,
        length: length.parse()?,
    })
}

/// Offsets of the probes that a process has in a function: every number that the
/// kernel tells of its links and that lies there.
fn probes(pid: u32, function: &Place) -> Result<Vec<u64>> {
    let mut offsets = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor may be closed between the listing and the reading.
        let Ok(text) = fs::read_to_string(entry?.path()) else {
            continue;
        };
        if !text.contains("link_type:") {
            continue;
        }
        let numbers = text
            .split_whitespace()
            .filter_map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
        let end = function.offset + function.length;
        offsets.extend(numbers.filter(|number| (function.offset..end).contains(number)));
    }
    offsets.sort_unstable();
    offsets.dedup();
    Ok(offsets)
}

/// `native/probe.c`, until it is dropped.
fn hold(sandbox: &Sandbox, arguments: &[&str]) -> Result<Running> {
    let mut command = sandbox.command(Side::Outside, sandbox.folder().join("probe"));
    command.args(arguments);
    let mut running = sandbox.start("probe", command)?;
    running.wait_for("its program", |line| (line == "ready").then_some(()))?;
    Ok(running)
}

/// Nanoseconds of a call.
fn calls(sandbox: &Sandbox, plan: &Plan, kind: &str) -> Result<f64> {
    let body = client::body(sandbox.folder(), LENGTH)?;
    let mut command = sandbox.command(Side::Watched, sandbox.folder().join("flow"));
    command
        .arg("calls")
        .args([&sandbox.authority.certificate, &sandbox.authority.key])
        .args([HOST, META_PATH])
        .arg(body)
        .args([kind, &plan.batches.to_string(), CALLS, REST]);
    let printed = String::from_utf8(sandbox.run(&mut command)?.stdout)?;
    let batches: Vec<f64> = printed.lines().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(batches.len() == plan.batches, "{printed}");
    Ok(median(&batches))
}

/// Nanoseconds that the kernel counts in phiwatch's programs for a call, of
/// whatever they are attached to: `run_time_ns` by the calls.
fn program_time(sandbox: &Sandbox, plan: &Plan, kind: &str) -> Result<f64> {
    let _counted = hold(sandbox, &["stats"])?;
    let daemon = Daemon::run_quietly::<&str>(sandbox, "", &[])?;
    let before = run_time(daemon.running.pid())?;
    calls(sandbox, plan, kind)?;
    let spent = run_time(daemon.running.pid())?.saturating_sub(before);
    let calls = plan.batches as f64 * CALLS.parse::<f64>()?;
    Ok(rounded(spent as f64 / calls, 0))
}

fn run_time(pid: u32) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        let Ok(text) = fs::read_to_string(entry?.path()) else {
            continue;
        };
        let time = text
            .lines()
            .find_map(|line| line.strip_prefix("run_time_ns:"));
        if let Some(time) = time {
            total += time.trim().parse::<u64>()?;
        }
    }
    Ok(total)
}
