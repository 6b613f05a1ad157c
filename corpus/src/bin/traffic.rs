//! `traffic`: writes a large capture of ordinary traffic, to measure replay on.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for a person at a terminal"
)]

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use corpus::traffic::{Plan, write};

/// Writes a capture of many keep-alive connections, and prints what it wrote as
/// JSON.
#[derive(Parser)]
struct Arguments {
    /// The file: pcap by its extension, else pcapng
    file: PathBuf,
    /// Its length in millions of bytes
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    megabytes: u64,
    /// Connections; without it, 20 for each million bytes
    #[arg(long)]
    connections: Option<u64>,
    /// Connections of 100 that go to trackers
    #[arg(long, default_value_t = Plan::default().trackers, value_parser = clap::value_parser!(u64).range(0..=100))]
    trackers: u64,
    /// Requests of 100 to trackers that hold health information
    #[arg(long, default_value_t = Plan::default().health, value_parser = clap::value_parser!(u64).range(0..=100))]
    health: u64,
    /// The seed of the capture
    #[arg(long, default_value_t = Plan::default().seed)]
    seed: u64,
}

fn main() -> ExitCode {
    match generate(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traffic: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn generate(arguments: &Arguments) -> Result<()> {
    let plan = Plan {
        bytes: arguments.megabytes * 1_000_000,
        connections: arguments.connections.unwrap_or(arguments.megabytes * 20),
        trackers: arguments.trackers,
        health: arguments.health,
        seed: arguments.seed,
        ..Plan::default()
    };
    let written = write(&arguments.file, &plan)?;
    println!("{}", serde_json::to_string(&written)?);
    Ok(())
}
