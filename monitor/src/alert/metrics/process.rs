//! The standard `process_*` metrics, from `/proc/self`.
//!
//! The prometheus crate's own collector would bring a second copy of two
//! crates, only to read the same five numbers.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus::{Counter, Gauge, IntGauge};
use rustix::process::{Resource, getrlimit};

use super::{MetricsError, set::SetBuilder};

/// Clock ticks a second in `/proc/PID/stat`: the kernel's `USER_HZ`, which is
/// 100 on every architecture that phiwatch runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process metrics, read on demand.
pub(super) struct ProcessMetrics {
    cpu: Counter,
    resident: IntGauge,
    virtual_memory: IntGauge,
    threads: IntGauge,
    open_fds: IntGauge,
    max_fds: IntGauge,
}

impl ProcessMetrics {
    /// Registers the metrics in `set`.
    pub(super) fn new(set: &SetBuilder) -> Result<Self, MetricsError> {
        let start: Gauge = set.gauge(
            "process_start_time_seconds",
            "When the process started, Unix time.",
        )?;
        start.set(start_time());
        Ok(Self {
            cpu: set.register(Counter::new(
                "process_cpu_seconds_total",
                "User and system CPU time that the process spent.",
            )?)?,
            resident: set.int_gauge("process_resident_memory_bytes", "Resident memory.")?,
            virtual_memory: set.int_gauge("process_virtual_memory_bytes", "Virtual memory.")?,
            threads: set.int_gauge("process_threads", "Threads of the process.")?,
            open_fds: set.int_gauge("process_open_fds", "Open file descriptors.")?,
            max_fds: set.int_gauge("process_max_fds", "Limit of open file descriptors.")?,
        })
    }

    /// Reads everything again. What cannot be read keeps its old value.
    pub(super) fn refresh(&self) {
        if let Some(stat) = Stat::read() {
            let spent = stat.ticks as f64 / TICKS_PER_SECOND - self.cpu.get();
            self.cpu.inc_by(spent.max(0.0));
        }
        if let Ok(status) = fs::read_to_string("/proc/self/status") {
            let number = |name| status_number(&status, name);
            for (gauge, value) in [
                (
                    &self.resident,
                    number("VmRSS:").map(|kib| kib.saturating_mul(1024)),
                ),
                (
                    &self.virtual_memory,
                    number("VmSize:").map(|kib| kib.saturating_mul(1024)),
                ),
                (&self.threads, number("Threads:")),
            ] {
                if let Some(value) = value {
                    gauge.set(value);
                }
            }
        }
        if let Ok(fds) = fs::read_dir("/proc/self/fd") {
            // One of them is the descriptor that reads the folder.
            self.open_fds.set(
                i64::try_from(fds.count())
                    .unwrap_or(i64::MAX)
                    .saturating_sub(1),
            );
        }
        if let Some(limit) = getrlimit(Resource::Nofile).current {
            self.max_fds.set(i64::try_from(limit).unwrap_or(i64::MAX));
        }
    }
}

/// The number after `name` in the text of `/proc/PID/status`.
fn status_number(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What is used of `/proc/self/stat`.
struct Stat {
    /// User and system time, in ticks.
    ticks: u64,
    /// Start after boot, in ticks.
    start: u64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The name of the program stands in brackets and may hold anything, so
    /// fields are counted from the last bracket: the next one is field 3.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let number = |field: usize| rest.split_whitespace().nth(field - 3)?.parse::<u64>().ok();
        Some(Self {
            ticks: number(14)?.checked_add(number(15)?)?,
            start: number(22)?,
        })
    }
}

/// When this process started, Unix time in seconds; now if that is unreadable.
fn start_time() -> f64 {
    let read = || -> Option<f64> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let boot: u64 = stat
            .lines()
            .find_map(|line| line.strip_prefix("btime "))
            .and_then(|text| text.trim().parse().ok())?;
        Some(boot as f64 + Stat::read()?.start as f64 / TICKS_PER_SECOND)
    };
    read().unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |time| time.as_secs_f64())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let fields = (3..=30)
            .map(|field| field.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        let stat = Stat::parse(&format!("7 (a) b (c) {fields}\n")).unwrap();
        assert_eq!((stat.ticks, stat.start), (14 + 15, 22));
        assert!(Stat::parse("7 (cut").is_none());
        assert!(Stat::parse("7 (cut) S 1 2").is_none());
    }

    #[test]
    fn status_numbers_are_found_by_name() {
        let status = "Name:\tx\nVmSize:\t    2048 kB\nVmRSS:\t 12 kB\nThreads:\t3\n";
        assert_eq!(status_number(status, "VmRSS:"), Some(12));
        assert_eq!(status_number(status, "Threads:"), Some(3));
        assert_eq!(status_number(status, "VmPeak:"), None);
    }
}
