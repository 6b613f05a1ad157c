//! Medians, and what the kernel counts for a process.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// The middle value; for an even number the lower of the two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Rounded to `digits` decimals: more would mean nothing.
pub(crate) fn rounded(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}

/// Time that a process has spent on a CPU.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // After the name, which may contain anything, utime and stime are fields 14
    // and 15.
    let (_, fields) = text.rsplit_once(')').context("a stat has a name")?;
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<u64, _>>()?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

/// A field of `/proc/PID/status` in MiB.
pub(crate) fn mebibytes(pid: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let kibibytes: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|value| value.trim().strip_suffix("kB"))
        .with_context(|| format!("{field} of a process"))?
        .trim()
        .parse()?;
    Ok(rounded(kibibytes / 1024.0, 1))
}

/// The kernel's description of each descriptor of a process.
pub(crate) fn descriptors(pid: u32) -> Result<Vec<String>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo"))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let paths: Vec<_> = paths.collect::<Result<_>>()?;
    // A descriptor may be closed between the listing and the reading.
    let texts = paths
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    Ok(texts.collect())
}

/// The number behind `key` at the beginning of a line.
pub(crate) fn number(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().parse().ok()
}
