//! The cost of one hit: calls of `SSL_write` in a loop without a probe, with an
//! empty program at phiwatch's probe, and with phiwatch. A call whose result is
//! read hits twice.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Daemon, Running, Sandbox, Side, client, native, patient::META_PATH};

use crate::{
    HOST, Plan,
    numbers::{descriptors, median, number, rounded},
};

/// Bytes that are written with a call.
const LENGTH: usize = 512;
/// Calls in a batch. It ends before phiwatch reads its records, which is a
/// different cost than that of a hit.
const CALLS: &str = "2000";
/// Milliseconds between batches, in which phiwatch reads them.
const REST: &str = "100";

/// What is written, and by whom.
struct Kind {
    /// As `native/flow.c` calls it.
    written: &'static str,
    name: &'static str,
    /// How much more than an empty program a hit may cost.
    bar: f64,
}

/// Whoever makes so many calls would lose the probes at exits.
const UNLIMITED: &str = "[overhead]\nbudget = 0.0\n";

const KINDS: &[Kind] = &[
    Kind {
        written: "other",
        name: "bytes of a stream that is no HTTP",
        bar: 1.3,
    },
    Kind {
        written: "post",
        name: "512 bytes of a request to a tracker",
        bar: 2.0,
    },
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
    for kind in KINDS {
        let spent = spent(sandbox, plan, kind)?;
        let (mut bare, mut empty) = (Vec::new(), Vec::new());
        let (mut ours, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..plan.pairs * 2 {
            let call = calls(sandbox, plan, kind)?;
            let held = hold(sandbox, &["empty", &library(sandbox), &offset.to_string()])?;
            let with_empty = calls(sandbox, plan, kind)? - call;
            drop(held);
            let daemon = Daemon::run_quietly::<&str>(sandbox, UNLIMITED, &[])?;
            let with_ours = calls(sandbox, plan, kind)? - call;
            drop(daemon);
            bare.push(call);
            empty.push(with_empty);
            ours.push(with_ours);
            ratios.push(with_ours / spent.hits / with_empty);
        }
        rows.push(json!({
            "name": kind.name,
            "offset_in_function": offset - function.offset,
            "place_is_a_probe": inside,
            "call_ns": rounded(median(&bare), 0),
            "empty_ns": rounded(median(&empty), 0),
            "phiwatch_ns": rounded(median(&ours), 0),
            "hits": rounded(spent.hits, 2),
            "ratio": rounded(median(&ratios), 2),
            "program_ns": rounded(spent.nanoseconds, 0),
            "bar": kind.bar,
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

/// Offsets of the probes of a process in a function: every number in the
/// kernel's description of its links that lies there.
fn probes(pid: u32, function: &Place) -> Result<Vec<u64>> {
    let mut offsets = Vec::new();
    for text in descriptors(pid)? {
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
fn calls(sandbox: &Sandbox, plan: &Plan, kind: &Kind) -> Result<f64> {
    let body = client::body(sandbox.folder(), LENGTH)?;
    let mut command = sandbox.command(Side::Watched, sandbox.folder().join("flow"));
    command
        .arg("calls")
        .args([&sandbox.authority.certificate, &sandbox.authority.key])
        .args([HOST, META_PATH])
        .arg(body)
        .args([kind.written, &plan.batches.to_string(), CALLS, REST]);
    let printed = String::from_utf8(sandbox.run(&mut command)?.stdout)?;
    let batches: Vec<f64> = printed.lines().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(batches.len() == plan.batches, "{printed}");
    Ok(median(&batches))
}

/// What phiwatch's programs take for a call, as counted by the kernel, whatever
/// they are attached to.
struct Spent {
    /// How often they ran.
    hits: f64,
    /// Their time.
    nanoseconds: f64,
}

fn spent(sandbox: &Sandbox, plan: &Plan, kind: &Kind) -> Result<Spent> {
    let _counted = hold(sandbox, &["stats"])?;
    let daemon = Daemon::run_quietly::<&str>(sandbox, UNLIMITED, &[])?;
    let pid = daemon.running.pid();
    let before = counted(pid)?;
    calls(sandbox, plan, kind)?;
    let (hits, nanoseconds) = counted(pid)?;
    let calls = plan.batches as f64 * CALLS.parse::<f64>()?;
    Ok(Spent {
        hits: hits.saturating_sub(before.0) as f64 / calls,
        nanoseconds: nanoseconds.saturating_sub(before.1) as f64 / calls,
    })
}

/// How often the programs of a process have run, and for how many nanoseconds.
fn counted(pid: u32) -> Result<(u64, u64)> {
    let mut total = (0, 0);
    for text in descriptors(pid)? {
        total.0 += number(&text, "run_cnt:").unwrap_or(0);
        total.1 += number(&text, "run_time_ns:").unwrap_or(0);
    }
    Ok(total)
}
