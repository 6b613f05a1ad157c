//! `support PAGE [NAME]…`: measures the support matrix and writes its page; with names
//! of runtimes only theirs, and the page is printed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is for a person at a terminal"
)]

use std::{env, fs, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tests::{
    kernel,
    support::{self, LENGTHS, Protocol, Row, Runtime},
};

/// Of runtimes that can be read, the share of requests that must be.
const MIN_READ: f64 = 0.98;
/// What is not expected to be read.
const EXPECTED: &[&str] = &["java", "rustls", "quic"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("support: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let target = arguments.next().context("name the page")?;
    let names: Vec<String> = arguments.collect();
    let runtimes: Vec<Runtime> = support::ALL
        .iter()
        .filter(|own| names.is_empty() || names.iter().any(|name| own.name.contains(&**name)))
        .copied()
        .collect();
    let mut rows = Vec::new();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let Some(sandbox) = kernel::sandbox()? else {
            bail!("the kernel gives no sandbox");
        };
        rows.extend(support::measure(
            &sandbox,
            protocol,
            &runtimes,
            LENGTHS,
            |line| {
                eprintln!("{line}");
            },
        )?);
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").context("read the kernel")?;
    let page = support::page(&runtimes, &rows, release.trim());
    if names.is_empty() {
        fs::write(&target, &page).with_context(|| format!("write {target}"))?;
    }
    println!("{page}");
    for row in rows.iter().filter(|row| !row.is_read()) {
        println!("{row:?}");
    }
    verdict(&rows)
}

fn verdict(rows: &[Row]) -> Result<()> {
    let silent: usize = rows.iter().map(Row::silent).sum();
    let is_expected = |row: &&Row| !row.said.keys().any(|own| EXPECTED.contains(&&**own));
    let readable = || rows.iter().filter(is_expected);
    let (found, sent) = readable().fold((0, 0), |(found, sent), row| {
        (found + row.found, sent + row.requests)
    });
    let read = found as f64 / f64::max(sent as f64, 1.0);
    println!("silent: {silent}; of runtimes that can be read: {found} of {sent}, {read:.3}");
    let failed = rows.iter().filter(|row| row.failed.is_some()).count();
    if silent > 0 || read < MIN_READ || failed > 0 {
        bail!("{silent} silent (none), {read:.3} read ({MIN_READ}), {failed} did not run (none)");
    }
    Ok(())
}
