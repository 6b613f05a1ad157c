//! Measures what phiwatch costs the watched processes, beside other tools, and
//! writes the results as JSON: `overhead OUTPUT [--quick] [--minutes=NUMBER] [PART…]`.
//!
//! Every figure is a median, and compared figures are measured in turns in one
//! run. Everything happens in a [`Sandbox`] with a TLS library of its own, so
//! that no probe reaches any other process of the host.
#![expect(clippy::print_stderr, reason = "it tells how far it is")]

use std::{env, fs, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use tests::{Sandbox, kernel};

mod churn;
mod clients;
mod end;
mod flow;
mod hits;
mod memory;
mod numbers;
mod observer;
mod server;

/// Where all requests to a tracker go.
const HOST: &str = "graph.facebook.com";

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Pairs of measurements, without and with.
    pairs: usize,
    /// Of a server or a client.
    duration: Duration,
    /// Until the budget must have been noticed.
    patience: Duration,
    /// Batches of calls.
    batches: usize,
    /// Of a rate of requests.
    step: Duration,
    /// The highest rate that is tried, in requests a second.
    highest_rate: u64,
    /// Open at a time.
    connections: usize,
    /// Of no traffic.
    idle: Duration,
    /// Hooked when phiwatch is to end.
    libraries: usize,
    /// Of processes that come and go.
    churn: Duration,
}

const WHOLE: Plan = Plan {
    pairs: 5,
    duration: Duration::from_secs(3),
    patience: Duration::from_secs(10),
    batches: 11,
    step: Duration::from_secs(2),
    highest_rate: 64_000,
    connections: 10_000,
    idle: Duration::from_secs(20),
    libraries: 100,
    churn: Duration::from_mins(2),
};

/// Shows that everything works; its figures mean little.
const QUICK: Plan = Plan {
    pairs: 1,
    duration: Duration::from_secs(1),
    patience: Duration::from_secs(3),
    batches: 3,
    step: Duration::from_secs(1),
    highest_rate: 8_000,
    connections: 500,
    idle: Duration::from_secs(3),
    libraries: 10,
    churn: Duration::from_secs(6),
};

/// A part of the whole, by its key in the output.
type Part = (&'static str, fn(&Sandbox, &Plan) -> Result<Value>);

const PARTS: &[Part] = &[
    ("server", server::measure),
    ("clients", clients::measure),
    ("hits", hits::measure),
    ("flow", flow::measure),
    ("memory", memory::measure),
    ("churn", churn::measure),
    ("end", end::measure),
];

fn main() -> ExitCode {
    match overhead() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("overhead: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every part could be measured. A part that fails does not affect the
/// others.
fn overhead() -> Result<bool> {
    let words: Vec<String> = env::args().skip(1).collect();
    let is_known = |word: &&String| *word == "--quick" || word.starts_with("--minutes=");
    if let Some(word) = words
        .iter()
        .find(|word| word.starts_with("--") && !is_known(word))
    {
        bail!("no option is called {word}");
    }
    let quick = words.iter().any(|word| word == "--quick");
    let minutes = words
        .iter()
        .find_map(|word| word.strip_prefix("--minutes="));
    let mut names = words.iter().filter(|word| !word.starts_with("--"));
    let output = names
        .next()
        .context("overhead OUTPUT [--quick] [--minutes=NUMBER] [PART…]")?;
    let names: Vec<_> = names.collect();
    if let Some(name) = names
        .iter()
        .find(|name| !PARTS.iter().any(|(part, _)| part == *name))
    {
        bail!("no part is called {name}");
    }
    let mut plan = if quick { QUICK } else { WHOLE };
    if let Some(minutes) = minutes {
        plan.churn = Duration::from_mins(minutes.parse().context("a number of minutes")?);
    }
    let mut whole = true;
    let mut found = Map::new();
    found.insert("quick".to_owned(), json!(quick));
    found.insert("machine".to_owned(), machine()?);
    for (name, measure) in PARTS {
        if !names.is_empty() && !names.iter().any(|wanted| *wanted == name) {
            continue;
        }
        eprintln!("overhead: {name}");
        // One for each part, so that nothing is left over for the next.
        let Some(sandbox) = kernel::sandbox()? else {
            bail!("this kernel does not let phiwatch work");
        };
        sandbox.own_tls_library()?;
        match measure(&sandbox, &plan) {
            Ok(value) => {
                found.insert((*name).to_owned(), value);
            }
            Err(error) => {
                eprintln!("overhead: {name}: {error:#}");
                whole = false;
            }
        }
    }
    let text = serde_json::to_string_pretty(&Value::Object(found))?;
    fs::write(output, text + "\n").with_context(|| format!("write {output}"))?;
    Ok(whole)
}

/// What ran it, as far as figures depend on it.
fn machine() -> Result<Value> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("read {path}"));
    let cpus = read("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then(|| value.trim().to_owned())
    });
    let release = read("/proc/sys/kernel/osrelease")?;
    let version = release.split('-').next().unwrap_or_default();
    Ok(json!({
        "kernel": version.trim(),
        "cpu": model,
        "cores": std::thread::available_parallelism()?.get(),
    }))
}
