//! `eval`: how good detection is, on the labelled corpus of the package `corpus`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use clap::Args;

use crate::{build, process, setup::Toolchain, workspace};

/// Requests without health information in the run that is part of `test`.
const SMALL_NEGATIVES: u64 = 20_000;
/// Rounds over all formats in that run.
const SMALL_ROUNDS: u64 = 20;

/// Arguments of the verb.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Requests without health information to generate
    #[arg(long, default_value_t = 200_000)]
    negatives: u64,
    /// Rounds over all formats with health information
    #[arg(long, default_value_t = 60)]
    rounds: u64,
    /// Connections of 100 that speak HTTP/2
    #[arg(long, default_value_t = 0)]
    http2: u64,
    /// Another corpus of the same kind
    #[arg(long)]
    seed: Option<u64>,
    /// The measure as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Write every miss and false alarm, by template, to this file
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Measure on the written events of this split instead: `dev`, `unseen-1`, or a folder
    #[arg(long, value_name = "SPLIT")]
    events: Option<PathBuf>,
    /// Measure this phiwatch instead of a release build of the tree
    #[arg(long, value_name = "FILE")]
    phiwatch: Option<PathBuf>,
}

/// Builds, generates, replays, compares. Fails below the bars.
pub(crate) fn eval(arguments: &Arguments) -> Result<()> {
    let toolchain = if arguments.phiwatch.is_some() {
        crate::setup::setup()?
    } else {
        build::build()?
    };
    let phiwatch = arguments
        .phiwatch
        .clone()
        .unwrap_or_else(workspace::phiwatch);
    if let Some(split) = &arguments.events {
        return written(&toolchain, split, &phiwatch, arguments.faults.as_deref());
    }
    let mut command = corpus(&toolchain, arguments.negatives, arguments.rounds);
    command.arg("--phiwatch").arg(phiwatch);
    command.args(["--http2", &arguments.http2.to_string()]);
    if let Some(seed) = arguments.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if arguments.json {
        command.arg("--json");
    }
    if let Some(path) = &arguments.faults {
        command.arg("--faults").arg(path);
    }
    process::run(&mut command)
}

/// What writes the events of `split`, one of ours or a folder, as requests; it works in
/// `folder`.
pub(crate) fn events(toolchain: &Toolchain, split: &Path, folder: &Path) -> Command {
    let own = workspace::root().join("corpus/events").join(split);
    let mut command = toolchain.cargo();
    command.args(["run", "--quiet", "--release", "--package", "corpus"]);
    command.args(["--bin", "written", "--"]);
    command.arg(if own.is_dir() { &own } else { split });
    command.arg("--directory").arg(folder);
    command
}

/// How well `phiwatch` does on the written events of a split.
fn written(
    toolchain: &Toolchain,
    split: &Path,
    phiwatch: &Path,
    faults: Option<&Path>,
) -> Result<()> {
    let mut command = events(toolchain, split, &workspace::target().join("events"));
    command.arg("--phiwatch").arg(phiwatch);
    if let Some(path) = faults {
        command.arg("--faults").arg(path);
    }
    process::run(&mut command)
}

/// The same bars on a smaller corpus, with the existing release build.
pub(crate) fn small(toolchain: &Toolchain) -> Result<()> {
    let mut command = corpus(toolchain, SMALL_NEGATIVES, SMALL_ROUNDS);
    command.arg("--phiwatch").arg(workspace::phiwatch());
    process::run(&mut command)
}

/// Replays conversations through bad networks and captures with the existing
/// release build: the findings must be those of clean ones.
pub(crate) fn impaired(toolchain: &Toolchain) -> Result<()> {
    let mut command = toolchain.cargo();
    command.args(["run", "--quiet", "--release", "--package", "corpus"]);
    command.args(["--bin", "impaired", "--", "--phiwatch"]);
    command.arg(workspace::phiwatch());
    command.arg("--directory");
    command.arg(workspace::target().join("impaired"));
    process::run(&mut command)
}

fn corpus(toolchain: &Toolchain, negatives: u64, rounds: u64) -> Command {
    let mut command = toolchain.cargo();
    command.args(["run", "--quiet", "--release", "--package", "corpus", "--"]);
    command
        .arg("--directory")
        .arg(workspace::target().join("corpus"));
    command.args(["--negatives", &negatives.to_string()]);
    command.args(["--rounds", &rounds.to_string()]);
    command
}
