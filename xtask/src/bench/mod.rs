//! `bench`: how fast phiwatch is, beside others.

mod child;
mod detection;
mod overhead;
mod replay;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;

use crate::{
    build,
    setup::{self, Toolchain},
    workspace,
};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Subject {
    /// Reading and detecting on bodies, beside dd-sensitive-data-scanner
    Detection,
    /// What watching costs a server, clients and a call, beside others; a quarter of an hour
    Overhead(overhead::Arguments),
    /// Replay of a large capture, beside tshark; fails below the bars
    Replay(replay::Arguments),
}

/// Measures, and prints what was measured.
pub(crate) fn bench(subject: &Subject) -> Result<()> {
    match subject {
        Subject::Detection => detection::bench(),
        Subject::Overhead(arguments) => overhead::bench(arguments),
        Subject::Replay(arguments) => replay::bench(arguments),
    }
}

/// The phiwatch that is measured, and the tools: `given`, or a release build of
/// the tree.
fn subject(given: Option<&Path>) -> Result<(Toolchain, PathBuf)> {
    match given {
        Some(phiwatch) => Ok((setup::setup()?, phiwatch.to_owned())),
        None => Ok((build::build()?, workspace::phiwatch())),
    }
}
