//! `bench replay`: a large capture of ordinary traffic through `phiwatch replay`
//! with full detection, beside a bare read and `tshark`.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::{child::Cost, subject};
use crate::{package, process, setup::Toolchain, workspace};

/// How many times as fast as tshark replay is to be.
const FASTER: f64 = 20.0;
/// Bytes of memory that it may use, whatever the size of the file.
const MEMORY: u64 = 200_000_000;

/// Arguments of the verb.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Length of the capture in millions of bytes
    #[arg(long, default_value_t = 1_000)]
    megabytes: u64,
    /// Connections of 100 that go to trackers
    #[arg(long, default_value_t = 10)]
    trackers: u64,
    /// Runs of phiwatch, and bare reads
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Runs of tshark, which takes minutes; 0 leaves it out
    #[arg(long, default_value_t = 1)]
    tshark: u64,
    /// Measure this phiwatch instead of a release build of the tree
    #[arg(long, value_name = "FILE")]
    phiwatch: Option<PathBuf>,
}

/// Generates the capture if it is missing, and measures in turns.
pub(super) fn bench(arguments: &Arguments) -> Result<()> {
    package::debian(package::BENCH)?;
    let (toolchain, phiwatch) = subject(arguments.phiwatch.as_deref())?;
    let (capture, written) = capture(arguments, &toolchain)?;
    let findings = capture.with_extension("findings.jsonl");
    let length = fs::metadata(&capture)?.len();
    println!(
        "replay of {} MB in {} packets: {} requests, {} of them to trackers, {} of those with health information",
        length / 1_000_000,
        written["packets"],
        written["requests"],
        written["to_trackers"],
        written["with_health"],
    );
    let (mut reads, mut peers, mut replays) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..arguments.runs.max(arguments.tshark) {
        if turn < arguments.runs {
            reads.push(Cost::of(
                process::command("cat").arg(&capture).stdout(Stdio::null()),
            )?);
        }
        if turn < arguments.tshark {
            peers.push(Cost::of(&mut tshark(&capture))?);
        }
        if turn < arguments.runs {
            replays.push(Cost::of(&mut replay(&phiwatch, &capture, &findings)?)?);
        }
    }
    let found = BufReader::new(File::open(&findings)?).lines().count();
    show("cat", &reads, length);
    show("tshark", &peers, length);
    show("phiwatch", &replays, length);
    println!("{found} findings are in {}", findings.display());
    judge(&peers, &replays)
}

/// The capture for these arguments, and its writer's description.
fn capture(arguments: &Arguments, toolchain: &Toolchain) -> Result<(PathBuf, serde_json::Value)> {
    let folder = workspace::target().join("traffic");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let name = format!("{}mb-{}pc.pcapng", arguments.megabytes, arguments.trackers);
    let path = folder.join(name);
    let about = path.with_extension("json");
    if !about.is_file() {
        let mut command = toolchain.cargo();
        command
            .args(["run", "--quiet", "--release", "--package", "corpus"])
            .args(["--bin", "traffic", "--"])
            .args(["--megabytes", &arguments.megabytes.to_string()])
            .args(["--trackers", &arguments.trackers.to_string()])
            .arg(&path);
        let written = process::output(&mut command)?;
        fs::write(&about, written).with_context(|| format!("write {}", about.display()))?;
    }
    let text = fs::read_to_string(&about).with_context(|| format!("read {}", about.display()))?;
    let written = serde_json::from_str(&text).context("read what the writer says")?;
    Ok((path, written))
}

fn tshark(capture: &Path) -> Command {
    let mut command = process::command("tshark");
    command
        .arg("-r")
        .arg(capture)
        .args(["-Y", "http", "-T", "fields"]);
    for field in [
        "frame.number",
        "http.request.method",
        "http.host",
        "http.request.uri",
    ] {
        command.args(["-e", field]);
    }
    command.stdout(Stdio::null());
    command
}

fn replay(phiwatch: &Path, capture: &Path, findings: &Path) -> Result<Command> {
    let mut command = process::command(phiwatch);
    command
        .arg("replay")
        .args(["--format", "jsonl", "--state"])
        .arg(workspace::target().join("traffic/state"))
        .arg(capture)
        .stdout(File::create(findings).context("create the findings")?);
    Ok(command)
}

/// The run in the middle, by time.
fn median(costs: &[Cost]) -> Option<Duration> {
    let mut times: Vec<_> = costs.iter().map(|cost| cost.time).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

fn peak(costs: &[Cost]) -> u64 {
    costs.iter().map(|cost| cost.memory).max().unwrap_or(0)
}

fn show(name: &str, costs: &[Cost], length: u64) {
    let Some(time) = median(costs) else {
        println!("  {name:<9} left out");
        return;
    };
    println!(
        "  {name:<9} {:>8.2} s  {:>6.0} MB/s  {:>6} MB of memory  (median of {})",
        time.as_secs_f64(),
        length as f64 / 1e6 / time.as_secs_f64(),
        peak(costs) / 1_000_000,
        costs.len(),
    );
}

/// Fails where a bar is missed.
fn judge(peers: &[Cost], replays: &[Cost]) -> Result<()> {
    let memory = peak(replays);
    let ratio = median(peers)
        .zip(median(replays))
        .map(|(peer, own)| peer.as_secs_f64() / own.as_secs_f64());
    if let Some(ratio) = ratio {
        println!("phiwatch is {ratio:.1} times as fast as tshark; the bar is {FASTER}");
    }
    println!(
        "phiwatch used {} MB of memory at most; the bar is {} MB",
        memory / 1_000_000,
        MEMORY / 1_000_000
    );
    if memory > MEMORY || ratio.is_some_and(|ratio| ratio < FASTER) {
        bail!("a bar is missed");
    }
    Ok(())
}
