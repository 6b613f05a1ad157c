//! `bench overhead`: what watching costs those who are watched, beside others.
//!
//! The binary `overhead` of the package `tests` measures and writes JSON. The
//! tables on the terminal are made from it, and those of `docs/performance.md`
//! with their plot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::subject;
use crate::{package, process, workspace};

mod plot;
mod tables;

/// The figures of the last whole run.
const FIGURES: &str = "docs/overhead.json";
/// Their plot.
const PLOT: &str = "docs/overhead.svg";
/// Where they are shown.
const DOCUMENT: &str = "docs/performance.md";
/// Lines of the document between which the tables stand.
const BEGIN: &str = "<!-- The tables of `cargo xtask bench overhead` begin. -->";
const END: &str = "<!-- They end. -->";

/// Arguments of the verb.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Only show that everything runs; docs/ stays as it is
    #[arg(long)]
    quick: bool,
    /// Only these parts: server, clients, hits, flow, memory, churn, end; docs/ stays as it is
    #[arg(long = "part", value_name = "NAME")]
    parts: Vec<String>,
    /// How long processes come and go in the part churn
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<u64>,
    /// Measure this phiwatch instead of a release build of the tree
    #[arg(long, value_name = "FILE")]
    phiwatch: Option<PathBuf>,
    /// Measure nothing: renew the document and the plot from docs/overhead.json
    #[arg(long, conflicts_with_all = ["quick", "parts", "minutes", "phiwatch"])]
    show: bool,
}

/// Measures, and prints the results. Fails if a bar is missed.
pub(super) fn bench(arguments: &Arguments) -> Result<()> {
    let published = workspace::root().join(FIGURES);
    if arguments.show {
        return publish(&read(&published)?);
    }
    let output = workspace::target().join("overhead.json");
    if output.exists() {
        fs::remove_file(&output).with_context(|| format!("remove {}", output.display()))?;
    }
    let measured = measure(arguments, &output);
    // What could be measured is shown, even if something else could not.
    let figures = read(&output)?;
    println!("{}", tables::markdown(&figures));
    measured?;
    if !arguments.quick && arguments.parts.is_empty() {
        fs::copy(&output, &published).with_context(|| format!("write {FIGURES}"))?;
        publish(&figures)?;
    }
    let missed = tables::missed(&figures);
    if !missed.is_empty() {
        bail!("missed bars: {}", missed.join("; "));
    }
    Ok(())
}

fn measure(arguments: &Arguments, output: &Path) -> Result<()> {
    package::debian(package::DEMO)?;
    package::debian(package::OVERHEAD)?;
    let (toolchain, phiwatch) = subject(arguments.phiwatch.as_deref())?;
    let phiwatch =
        fs::canonicalize(&phiwatch).with_context(|| format!("find {}", phiwatch.display()))?;
    let mut overhead = toolchain.cargo();
    overhead.env("PHIWATCH", phiwatch);
    overhead.args(["run", "--quiet", "--package", "tests", "--bin", "overhead"]);
    overhead.arg("--").arg(output);
    if arguments.quick {
        overhead.arg("--quick");
    }
    if let Some(minutes) = arguments.minutes {
        overhead.arg(format!("--minutes={minutes}"));
    }
    process::run(overhead.args(&arguments.parts))
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
}

/// Writes the plot, and the tables into the document.
fn publish(figures: &Value) -> Result<()> {
    let root = workspace::root();
    fs::write(root.join(PLOT), plot::svg(figures)).with_context(|| format!("write {PLOT}"))?;
    let path = root.join(DOCUMENT);
    let text = fs::read_to_string(&path).with_context(|| format!("read {DOCUMENT}"))?;
    fs::write(&path, with_tables(&text, figures)?).with_context(|| format!("write {DOCUMENT}"))
}

/// The document with the tables of these figures.
fn with_tables(document: &str, figures: &Value) -> Result<String> {
    let (before, rest) = document
        .split_once(BEGIN)
        .with_context(|| format!("{DOCUMENT} has no line {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{DOCUMENT} has no line {END}"))?;
    let tables = tables::markdown(figures);
    Ok(format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_and_the_plot_show_the_figures() {
        let root = workspace::root();
        let figures = read(&root.join(FIGURES)).unwrap();
        let document = fs::read_to_string(root.join(DOCUMENT)).unwrap();
        let hint = "cargo xtask bench overhead --show";
        assert!(
            with_tables(&document, &figures).unwrap() == document,
            "{DOCUMENT} is not of {FIGURES}: {hint}"
        );
        let plot = fs::read_to_string(root.join(PLOT)).unwrap();
        assert!(plot::svg(&figures) == plot, "{PLOT} is old: {hint}");
    }
}
