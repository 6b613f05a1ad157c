//! Everything that phiwatch says in Prometheus metrics.
//!
//! Input: typed calls, one for each kind of event. Output: the text exposition
//! format 0.0.4. The prometheus crate keys the children of a metric by a hash
//! of the concatenated label values, without a separator, so that two different
//! label sets can become one series. Therefore every label value comes from a
//! set that is known at start, other values become [`OTHER`], and
//! [`Metrics::new`] refuses sets that would merge.

mod findings;
mod flow;
mod host;
mod process;
mod set;
#[cfg(test)]
mod tests;
mod trackers;

use prometheus::{Registry, TextEncoder};

use self::{
    findings::FindingMetrics, flow::FlowMetrics, host::HostMetrics, process::ProcessMetrics,
    set::SetBuilder, trackers::TrackerMetrics,
};
use crate::{
    event::{Blindness, Source, Timestamp},
    finding::Finding,
    http::{Completeness, Protocol},
    loss::{Loss, Losses},
};

/// The label value for anything outside of the set known at start.
pub const OTHER: &str = "other";

/// How many attachments of one hook are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HookCounts {
    /// Attached and working.
    pub active: u64,
    /// Deliberately not attached.
    pub disabled: u64,
    /// Tried and failed.
    pub failed: u64,
}

/// Why the metrics could not be created.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Two label sets of a metric would become one series.
    #[error("two label sets of {metric} would merge: {first:?} and {second:?}")]
    Merge {
        /// The metric.
        metric: &'static str,
        /// The label values that came first.
        first: Vec<String>,
        /// Those that would merge with them.
        second: Vec<String>,
    },
    /// The prometheus crate refused a name or the encoding.
    #[error("the metrics library refused")]
    Prometheus(#[from] prometheus::Error),
}

/// All metrics of one daemon. Every method may be called from any thread.
pub struct Metrics {
    registry: Registry,
    findings: FindingMetrics,
    trackers: TrackerMetrics,
    flow: FlowMetrics,
    host: HostMetrics,
    process: ProcessMetrics,
}

impl Metrics {
    /// Creates every metric, and at zero each series that an alert depends on:
    /// a counter that first appears at 1 has no increase.
    ///
    /// `trackers` are the ids of the catalog, `hooks` the names in the hook
    /// table. Findings are created at zero only for
    /// requests of high and critical severity, and the traffic of a tracker
    /// appears with its first request or connection: all combinations would
    /// exceed the budget of 1,000 series, and the shipped alert rules do not
    /// need those zeros.
    pub fn new(trackers: &[&str], hooks: &[&'static str]) -> Result<Self, MetricsError> {
        let set = SetBuilder::default();
        set.constant(
            "phiwatch_build_info",
            "The running build; always 1.",
            &[
                ("version", env!("CARGO_PKG_VERSION")),
                (
                    "revision",
                    option_env!("PHIWATCH_REVISION").unwrap_or("unknown"),
                ),
                ("rustversion", env!("CARGO_PKG_RUST_VERSION")),
            ],
        )?;
        let trackers: Vec<_> = trackers
            .iter()
            .copied()
            .filter(|id| *id != OTHER)
            .chain([OTHER])
            .collect();
        Ok(Self {
            findings: FindingMetrics::new(&set, &trackers)?,
            trackers: TrackerMetrics::new(&set, &trackers)?,
            flow: FlowMetrics::new(&set)?,
            host: HostMetrics::new(&set, hooks)?,
            process: ProcessMetrics::new(&set)?,
            registry: set.into_registry(),
        })
    }

    /// Counts a finding and its fields. `now` is when it was found; the finding
    /// itself has the time at which the data was sent.
    pub fn finding(&self, finding: &Finding, now: Timestamp) {
        self.findings.count(finding, now);
    }

    /// Counts one request to `tracker` that was read.
    pub fn tracker_request(&self, tracker: &str) {
        self.trackers.requests(tracker).inc();
    }

    /// Counts one TLS connection to `tracker`, and why it was not read, if it was
    /// not.
    pub fn connection(&self, tracker: &str, blindness: Option<Blindness>) {
        self.trackers.connection(tracker, blindness);
    }

    /// Sets the number of distinct people, at least, whose data `tracker` got.
    pub fn set_people(&self, tracker: &str, people: u64) {
        self.trackers.people(tracker).set(clamp(people));
    }

    /// Counts one examined message.
    pub fn message(&self, protocol: Protocol, completeness: Completeness) {
        self.flow
            .messages
            .with_label_values(&[protocol.as_str(), completeness.as_str()])
            .inc();
    }

    /// Brings the bytes of `source` to `total`, which is counted elsewhere.
    pub fn follow_bytes(&self, source: Source, total: u64) {
        if let Some(followed) = self.flow.bytes.get(&source) {
            followed.follow(total);
        }
    }

    /// Brings the hits of `source` to `total`, which the kernel counts.
    pub fn follow_probe_hits(&self, source: Source, total: u64) {
        if let Some(followed) = self.flow.probe_hits.get(&source) {
            followed.follow(total);
        }
    }

    /// Brings each loss to its total in `losses`, which is counted elsewhere
    /// and never reset. Each kind of loss must have one such source.
    pub fn follow_losses(&self, losses: &Losses) {
        for (loss, total) in losses.iter() {
            self.follow_loss(loss, total);
        }
    }

    /// Brings `loss` to `total`, which is counted elsewhere and never reset.
    pub fn follow_loss(&self, loss: Loss, total: u64) {
        if let Some(followed) = self.flow.lost(loss) {
            followed.follow(total);
        }
    }

    /// Sets how many attachments of `hook` are in each state. An unknown hook
    /// is ignored.
    pub fn set_hook(&self, hook: &str, counts: HookCounts) {
        self.host.set_hook(hook, counts);
    }

    /// Sets how many TLS libraries have an active hook, and how many have none.
    pub fn set_tls_libraries(&self, hooked: u64, unhooked: u64) {
        self.host.tls_hooked.set(clamp(hooked));
        self.host.tls_unhooked.set(clamp(unhooked));
    }

    /// Sets the number of processes that are watched.
    pub fn set_watched_processes(&self, processes: u64) {
        self.host.watched_processes.set(clamp(processes));
    }

    /// Sets the share of all processors that hooks and phiwatch take, and from
    /// how many processes probes were taken to keep it low.
    pub fn set_overhead(&self, share: f64, backed_off: u64) {
        self.host.overhead.set(share);
        self.host.backed_off.set(clamp(backed_off));
    }

    /// Notes that an event of this time reached the core.
    pub fn event_seen(&self, time: Timestamp) {
        self.flow.last_event.set(seconds(time));
    }

    /// Notes that the configuration was loaded, or that loading it failed.
    pub fn config_loaded(&self, succeeded: bool, now: Timestamp) {
        self.host.reload_successful.set(i64::from(succeeded));
        if succeeded {
            self.host.reload_success_time.set(seconds(now));
        }
    }

    /// All metrics in the text exposition format 0.0.4.
    pub fn encode(&self) -> Result<String, MetricsError> {
        self.process.refresh();
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

fn clamp(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(time: Timestamp) -> f64 {
    time.0 as f64 / 1e9
}
