//! The cost of a child process: time and peak memory.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::process;

/// How often the memory of a child is read. Its peak only grows, so only its
/// last moments can be missed.
const PERIOD: Duration = Duration::from_millis(5);

/// The cost of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Time from start to end.
    pub(super) time: Duration,
    /// The most memory that it had in use, in bytes.
    pub(super) memory: u64,
}

impl Cost {
    /// Measures `command`, which must succeed. Its standard output goes where
    /// the command says; standard error is dropped.
    pub(super) fn of(command: &mut Command) -> Result<Self> {
        let start = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", process::shown(command)))?;
        let status = format!("/proc/{}/status", child.id());
        let mut memory = 0;
        loop {
            memory = peak(&status).unwrap_or(0).max(memory);
            if let Some(status) = child.try_wait().context("wait for a child")? {
                if !status.success() {
                    bail!("{} ended with {status}", process::shown(command));
                }
                let time = start.elapsed();
                return Ok(Self { time, memory });
            }
            thread::sleep(PERIOD);
        }
    }
}

/// The peak memory of a process, according to the kernel.
fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
