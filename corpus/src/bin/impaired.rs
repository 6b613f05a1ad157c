//! `impaired`: plays conversations through bad networks and incomplete
//! captures, replays them, and compares what is found.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for a person at a terminal"
)]

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use corpus::impaired::{self, Replayed, Verdict};

/// Compares what phiwatch finds in clean and in impaired captures.
#[derive(Parser)]
struct Arguments {
    /// The phiwatch to try
    #[arg(long)]
    phiwatch: PathBuf,
    /// Where the captures are left
    #[arg(long)]
    directory: PathBuf,
    /// Conversations to play
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    conversations: u32,
    /// The seed of the conversations
    #[arg(long, default_value_t = 20_261_125)]
    seed: u64,
}

/// Faults that are printed.
const MAX_PRINTED: usize = 40;

fn main() -> ExitCode {
    match compare(&Arguments::parse()) {
        Ok(verdict) if verdict.faults.is_empty() => ExitCode::SUCCESS,
        Ok(verdict) => {
            for fault in verdict.faults.iter().take(MAX_PRINTED) {
                eprintln!("impaired: {fault}");
            }
            eprintln!("impaired: {} faults", verdict.faults.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("impaired: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn compare(arguments: &Arguments) -> Result<Verdict> {
    let directory = &arguments.directory;
    let written = impaired::write(directory, arguments.conversations, arguments.seed)?;
    let state = directory.join("state");
    let replay = |name: &str| Replayed::new(&arguments.phiwatch, &state, &directory.join(name));
    let (clean, impaired) = (replay("clean")?, replay("impaired")?);
    let verdict = impaired::judge(&written, &clean, &impaired);
    for (index, (name, replayed)) in [("clean", &clean), ("impaired", &impaired)]
        .iter()
        .enumerate()
    {
        println!(
            "{name}: {} packets, {} bytes, replayed in {:.1} s; lost: {:?}",
            written.packets[index],
            written.bytes[index],
            replayed.took.as_secs_f64(),
            replayed.losses
        );
    }
    println!(
        "{} conversations, {} findings; bytes of {} requests are missing for good, {} of them are found in part",
        written.conversations.len(),
        verdict.clean,
        verdict.touched,
        verdict.marked
    );
    Ok(verdict)
}
