//! `fuzz`: the fuzz targets of `tests/fuzz`, on the nightly toolchain.

use anyhow::{Context as _, Result, bail};

use crate::{process, setup, workspace};

/// The targets, each named by what it feeds.
const TARGETS: &[&str] = &[
    "http1", "http2", "body", "fields", "capture", "html", "quic", "redact", "values",
];

/// The target that has one run for each of [`CLASSES`].
const VALUES: &str = "values";

/// Classes of data, each with validators of its own.
const CLASSES: &[&str] = &[
    "name",
    "email",
    "phone",
    "address",
    "birth_date",
    "service_date",
    "ssn",
    "mrn",
    "health_plan_id",
    "account",
    "license",
    "vehicle",
    "device_id",
    "online_id",
    "external_id",
    "ip",
    "biometric",
    "photo",
    "sex",
    "condition",
    "medication",
    "procedure",
    "lab",
    "assessment",
    "appointment",
    "treatment",
    "insurance",
    "provider",
    "reproductive",
    "substance_use",
];

const CARGO_FUZZ: &str = "0.13.2";

/// The longest input in bytes: several chunks of a stream, small enough to be
/// fast.
const MAX_LENGTH: u32 = 65_536;

/// A target that exceeds this many MiB has found unbounded memory use.
const MEMORY_LIMIT: u32 = 2_048;

/// Runs `target`, or all of them: with `smoke` for a minute each, otherwise
/// until something is found.
pub(crate) fn fuzz(smoke: bool, target: Option<&str>) -> Result<()> {
    let toolchain = setup::setup()?;
    let binary = workspace::tools().join("bin/cargo-fuzz");
    if !binary.is_file() {
        let mut install = toolchain.cargo();
        install.args([
            "install",
            "cargo-fuzz",
            "--version",
            CARGO_FUZZ,
            "--locked",
            "--root",
        ]);
        process::run(install.arg(workspace::tools()))?;
    }
    let chosen: Vec<_> = match target {
        None if !smoke => bail!("without --smoke, name one target of {TARGETS:?} with --target"),
        None => TARGETS.to_vec(),
        Some(name) => vec![
            *TARGETS
                .iter()
                .find(|known| **known == name)
                .with_context(|| {
                    format!("there is no fuzz target {name}; the targets are {TARGETS:?}")
                })?,
        ],
    };
    let mut runs = 0;
    for name in &chosen {
        let classes: &[&str] = if *name == VALUES { CLASSES } else { &[""] };
        for class in classes {
            run(&toolchain, name, class, smoke)?;
            runs += 1;
        }
    }
    println!("{runs} passed, 0 failed");
    Ok(())
}

/// Runs the target `name`, on one class of data if one is given.
fn run(toolchain: &setup::Toolchain, name: &str, class: &str, smoke: bool) -> Result<()> {
    let mut run = toolchain.nightly_cargo();
    // The kernel programs are not fuzzed.
    run.env("AYA_BUILD_SKIP", "1");
    run.args(["fuzz", "run", "--fuzz-dir", "tests/fuzz", name]);
    if !class.is_empty() {
        run.env("PHIWATCH_FUZZ_CLASS", class);
    }
    let seeds = workspace::root().join("tests/fuzz/seeds").join(name);
    if seeds.is_dir() {
        // What is found goes into the first directory.
        let corpus = workspace::root().join("tests/fuzz/corpus").join(name);
        std::fs::create_dir_all(&corpus)
            .with_context(|| format!("cannot make {}", corpus.display()))?;
        run.args([corpus, seeds]);
    }
    run.arg("--");
    run.arg(format!("-max_len={MAX_LENGTH}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT}"));
    if smoke {
        run.arg("-max_total_time=60");
    }
    process::run(&mut run).with_context(|| format!("fuzz target {name} {class}"))
}
