//! The project's own commands: `cargo xtask VERB`, one file a verb.
//!
//! Each verb installs what it needs and is quick when nothing is missing.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these commands are for a person at a terminal"
)]

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod build;
mod codes;
mod demo;
mod eval;
mod fit;
mod fuzz;
mod kernels;
mod package;
mod process;
mod run;
mod setup;
mod tally;
mod test;
mod tidy;
mod workspace;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what a build needs: the nightly's rust-src, and bpf-linker under target/
    Setup,
    /// Leave a release build in target/release/phiwatch
    Build,
    /// Build, then start phiwatch on this host: cargo xtask run -- run --cgroup PATH
    Run {
        /// Arguments of phiwatch
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Show the whole main job in one terminal, against a sink on loopback
    Demo,
    /// Install what the tests need, and run all checks and tests
    Test {
        /// Only this suite, which takes too long for every run
        #[arg(value_enum)]
        suite: Option<test::Suite>,
        /// Of the suite, only what has this in its name
        #[arg(long, value_name = "NAME", requires = "suite")]
        only: Vec<String>,
        /// Only the live tests whose file (tests/tests/NAME.rs) is named
        #[arg(long, value_name = "NAME", conflicts_with = "suite")]
        live: Vec<String>,
    },
    /// Measure detection on the labelled corpus; fails below the bars
    Eval(eval::Arguments),
    /// Fit the weights of detection to the written events; prints a cross-validation
    Fit,
    /// Boot phiwatch under other kernels in QEMU, and show what it sees there
    Kernels(kernels::Arguments),
    /// Measure speed, beside peers
    #[command(subcommand)]
    Bench(bench::Subject),
    /// Check the rules of the source tree that no compiler checks
    Tidy,
    /// Renew monitor/data: the public list of ICD-10-CM codes
    Codes,
    /// Run the fuzz targets
    Fuzz {
        /// One minute for each target
        #[arg(long)]
        smoke: bool,
        /// Only this target
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
    },
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> Result<()> {
    match verb {
        Verb::Setup => setup::setup().map(|_| ()),
        Verb::Build => build::build().map(|_| ()),
        Verb::Run { arguments } => run::run(&arguments),
        Verb::Demo => demo::demo(),
        Verb::Test {
            suite: Some(suite),
            only,
            ..
        } => test::suite(suite, &only),
        Verb::Test { live, .. } => test::test(&live),
        Verb::Eval(arguments) => eval::eval(&arguments),
        Verb::Fit => fit::fit(),
        Verb::Kernels(arguments) => kernels::kernels(&arguments),
        Verb::Bench(subject) => bench::bench(&subject),
        Verb::Tidy => tidy::tidy(),
        Verb::Codes => codes::codes(),
        Verb::Fuzz { smoke, target } => fuzz::fuzz(smoke, target.as_deref()),
    }
}
