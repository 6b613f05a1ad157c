//! `test`: every check and every test, with one closing line.

use std::process::Command;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{build, eval, package, process, setup::Toolchain, tally::Tally, tidy, workspace};

/// What is too long for every run.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Suite {
    /// Real clients of every runtime; writes docs/support.md
    Runtimes,
}

/// Runs a suite, or what it has of these names.
pub(crate) fn suite(suite: Suite, only: &[String]) -> Result<()> {
    package::for_tests()?;
    let toolchain = build::build()?;
    match suite {
        Suite::Runtimes => {
            package::for_runtimes(&toolchain)?;
            let mut support = toolchain.cargo();
            support
                .env("PHIWATCH", workspace::phiwatch())
                .env("PHIWATCH_TOOLS", workspace::tools())
                .args([
                    "run",
                    "--quiet",
                    "--package",
                    "tests",
                    "--bin",
                    "support",
                    "--",
                ])
                .arg(workspace::root().join("docs/support.md"))
                .args(only);
            process::run(&mut support)
        }
    }
}

/// Runs everything, or only the named files of live tests. A failure does not
/// keep the rest from running, so that one run shows all.
pub(crate) fn test(live: &[String]) -> Result<()> {
    package::for_tests()?;
    let toolchain = build::build()?;
    let mut tally = Tally::default();
    if live.is_empty() {
        checks(&toolchain, &mut tally);
        let mut unit = toolchain.cargo();
        unit.args([
            "test",
            "--workspace",
            "--exclude",
            "tests",
            "--no-fail-fast",
        ]);
        tally.suite("unit tests", &mut unit);
        tally.check("detection on a small corpus", || eval::small(&toolchain));
        tally.check("10,000 impaired conversations", || {
            eval::impaired(&toolchain)
        });
    }
    tally.suite("live tests", &mut live_tests(&toolchain, live));
    println!("\n{tally}");
    if !tally.is_well() {
        bail!("not all checks and tests passed");
    }
    Ok(())
}

fn checks(toolchain: &Toolchain, tally: &mut Tally) {
    tally.check("tidy", tidy::tidy);
    tally.check("lock files of the benchmarks and fuzz targets", || {
        lock_files(toolchain)
    });
    tally.check("rustfmt", || {
        process::run(toolchain.cargo().args(["fmt", "--all", "--", "--check"]))
    });
    tally.check("clippy", || {
        let mut clippy = toolchain.cargo();
        clippy.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]);
        process::run(&mut clippy)
    });
    tally.check("clippy for the bpf target", || {
        process::run(&mut bpf_clippy(toolchain))
    });
    tally.check("rustdoc", || {
        let mut doc = toolchain.cargo();
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        process::run(doc.args(["doc", "--workspace", "--no-deps", "--quiet"]))
    });
}

/// Workspaces of their own that no build of this one touches: their lock files
/// go stale with a dependency of phiwatch, and then neither can be run.
fn lock_files(toolchain: &Toolchain) -> Result<()> {
    for manifest in ["bench/Cargo.toml", "tests/fuzz/Cargo.toml"] {
        let mut update = toolchain.cargo();
        update.args(["update", "--workspace", "--locked", "--quiet"]);
        process::run(update.args(["--manifest-path", manifest]))?;
    }
    Ok(())
}

/// Clippy on the kernel programs, with the flags of monitor's build script, in
/// a separate folder so that neither build invalidates the other.
fn bpf_clippy(toolchain: &Toolchain) -> Command {
    let mut clippy = toolchain.nightly_cargo();
    let flags = format!(
        "--cfg=bpf_target_arch=\"{}\"\x1f-Cdebuginfo=2",
        std::env::consts::ARCH
    );
    clippy.env("CARGO_ENCODED_RUSTFLAGS", flags);
    clippy.args(["clippy", "--package", "phiwatch-ebpf", "--release"]);
    clippy.args(["--target", "bpfel-unknown-none", "-Z", "build-std=core"]);
    clippy
        .arg("--target-dir")
        .arg(workspace::target().join("bpf"));
    clippy.args(["--", "--deny", "warnings"]);
    clippy
}

/// One live test at a time: each measures time and inspects the whole kernel.
fn live_tests(toolchain: &Toolchain, names: &[String]) -> Command {
    let mut live = toolchain.cargo();
    live.env("PHIWATCH", workspace::phiwatch())
        .env("PHIWATCH_TOOLS", workspace::tools());
    live.args(["test", "--package", "tests", "--no-fail-fast"]);
    for name in names {
        live.args(["--test", name]);
    }
    live.args(["--", "--test-threads=1"]);
    live
}
