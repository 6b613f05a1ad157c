//! `bench detection`: runs the benchmarks of the package `bench` and prints
//! their results as a table.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{process, workspace};

/// The sets of bodies, and the throughput that each should reach, in body bytes
/// per second on one core.
const SETS: &[(&str, f64)] = &[("sdk", 150e6), ("clean", 400e6)];

/// What is measured on each set: reading alone, everything, the peer, and a
/// well-known parser.
const MEASURED: &[&str] = &["read", "read_and_detect", "peer", "serde_json"];

/// Runs the benchmarks; prints the median throughput of each, and ratios.
pub(super) fn bench() -> Result<()> {
    let target = workspace::root().join("target/bench");
    let mut bench = process::command("cargo");
    // The kernel programs are not measured here.
    bench
        .env("AYA_BUILD_SKIP", "1")
        .env("CARGO_TARGET_DIR", &target)
        .args(["bench", "--locked", "--manifest-path", "bench/Cargo.toml"]);
    process::run(&mut bench)?;
    println!("\nmedian throughput, MB/s of bodies as they were sent, one core:");
    for (set, wanted) in SETS {
        let folder = target.join("criterion").join(set);
        let mut found = Vec::new();
        for name in MEASURED {
            found.push(throughput(&folder.join(name).join("new"))?);
        }
        let shown: Vec<String> = MEASURED
            .iter()
            .zip(&found)
            .map(|(name, bytes)| format!("{name} {:.0}", bytes / 1e6))
            .collect();
        println!("  {set:<6} {}", shown.join("  "));
        if let [_, whole, peer, parser] = found.as_slice() {
            println!(
                "         read_and_detect is {:.1} times the peer, {:.2} of serde_json, {:.2} of the bar of {:.0}",
                whole / peer,
                whole / parser,
                whole / wanted,
                wanted / 1e6
            );
        }
    }
    Ok(())
}

/// Bytes per second of the last run in `folder`, by its median time.
fn throughput(folder: &Path) -> Result<f64> {
    let read = |name: &str| -> Result<serde_json::Value> {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
    };
    let nanoseconds = read("estimates.json")?["median"]["point_estimate"]
        .as_f64()
        .context("no median")?;
    let bytes = read("benchmark.json")?["throughput"]["Bytes"]
        .as_f64()
        .context("no throughput")?;
    Ok(bytes / nanoseconds * 1e9)
}
