//! What one process costs and brings, and what it is granted for that.

use std::{mem, time::Duration};

use phiwatch_ebpf::abi::Usage;

use super::{super::plan::Coverage, HitCost};

/// How long a process is left as it is after traffic to a tracker.
pub(super) const KEPT: Duration = Duration::from_mins(10);
/// Calls of a server for each one that may go to a tracker, from which on the
/// process is a server that also has a tracker rather than its client.
const MOSTLY_SERVES: f64 = 100.0;

/// What one process costs at present.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    /// Nanoseconds in each second.
    pub cost: f64,
    /// Calls in each second that may have gone to a tracker.
    pub wanted: f64,
    /// Calls in each second as a server.
    pub served: f64,
}

/// One process.
#[derive(Debug)]
pub(super) struct Account {
    pub before: Usage,
    pub rate: Rate,
    pub granted: Coverage,
    /// When a sample of the next higher coverage began, if one is being taken.
    pub sampling: Option<Duration>,
    /// When it last gave way, or was sampled.
    pub changed: Duration,
    /// Until when it is left alone.
    pub kept: Duration,
}

impl Account {
    /// Of a process that was first seen now.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            before: Usage::default(),
            rate: Rate::default(),
            granted: Coverage::Everything,
            sampling: None,
            changed: now,
            kept: Duration::ZERO,
        }
    }

    /// Its coverage at present.
    pub(super) fn coverage(&self) -> Coverage {
        match (self.granted, self.sampling) {
            (coverage, None) => coverage,
            (Coverage::Nothing, Some(_)) => Coverage::Calls,
            (_, Some(_)) => Coverage::Everything,
        }
    }

    /// Notes its totals, `seconds` after those before; `hit` is what a hit costs.
    /// Gives its hits in between.
    pub(super) fn note(&mut self, total: Usage, hit: HitCost, now: Duration, seconds: f64) -> u64 {
        let before = mem::replace(&mut self.before, total);
        let hits = total.emulated.saturating_sub(before.emulated)
            + total.single_stepped.saturating_sub(before.single_stepped);
        if seconds <= 0.0 {
            return hits;
        }
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        let emulated = rate(total.emulated, before.emulated) * hit.emulated;
        let stepped = rate(total.single_stepped, before.single_stepped) * hit.single_stepped;
        self.rate = Rate {
            cost: emulated + stepped,
            wanted: rate(total.wanted, before.wanted),
            served: rate(total.served, before.served),
        };
        let serves = self.rate.served > self.rate.wanted * MOSTLY_SERVES;
        if self.rate.wanted > 0.0 && !serves {
            self.kept = now + KEPT;
        }
        hits
    }
}
