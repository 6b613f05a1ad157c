//! Metrics of the traffic to trackers, by tracker.
//!
//! Input: requests, connections and estimates of people. Output: one series of
//! each for every tracker that was seen; the catalog has too many trackers for
//! all of them to be created at zero.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering},
};

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::{MetricsError, OTHER, set::SetBuilder};
use crate::event::Blindness;

/// The metrics of trackers.
pub(super) struct TrackerMetrics {
    ids: HashSet<String>,
    requests: IntCounterVec,
    connections: IntCounterVec,
    people: IntGaugeVec,
    blind: IntCounterVec,
    coverage: Gauge,
    /// Connections so far: those that were read, and all.
    read: AtomicU64,
    all: AtomicU64,
}

impl TrackerMetrics {
    /// Registers the metrics in `set`; `trackers` include [`OTHER`].
    pub(super) fn new(set: &SetBuilder, trackers: &[&str]) -> Result<Self, MetricsError> {
        let ids = trackers.iter().map(|id| vec![*id]).collect::<Vec<_>>();
        let metrics = Self {
            ids: trackers.iter().map(|id| (*id).to_owned()).collect(),
            requests: set.sparse_counters(
                "phiwatch_tracker_requests_total",
                "Requests to trackers that were read, with or without a finding.",
                &["tracker"],
                &ids,
            )?,
            connections: set.sparse_counters(
                "phiwatch_tracker_connections_total",
                "TLS connections to trackers, and to hosts that they share, by whether they were read.",
                &["tracker", "readable"],
                &trackers
                    .iter()
                    .flat_map(|id| [vec![*id, "true"], vec![*id, "false"]])
                    .collect::<Vec<_>>(),
            )?,
            people: set.sparse_gauges(
                "phiwatch_people",
                "Distinct people in findings since the start, at least: identifiers that were seen together are one person.",
                &["tracker"],
                &ids,
            )?,
            blind: set.sparse_counters(
                "phiwatch_blind_connections_total",
                "TLS connections to trackers, and to hosts that they share, that were not read, by reason.",
                &["tracker", "reason"],
                &trackers
                    .iter()
                    .flat_map(|id| {
                        let reasons = Blindness::ALL.iter();
                        reasons.map(|reason| vec![*id, reason.as_str()])
                    })
                    .collect::<Vec<_>>(),
            )?,
            coverage: set.gauge(
                "phiwatch_plaintext_coverage_ratio",
                "Share of the TLS connections to trackers, and to hosts that they share, that were read; 1 before the first.",
            )?,
            read: AtomicU64::new(0),
            all: AtomicU64::new(0),
        };
        metrics.coverage.set(1.0);
        for reason in Blindness::ALL {
            metrics.blind.with_label_values(&[OTHER, reason.as_str()]);
        }
        // The metrics themselves are there from the start.
        metrics.requests(OTHER);
        metrics.connections(OTHER, true);
        metrics.connections(OTHER, false);
        metrics.people(OTHER);
        Ok(metrics)
    }

    /// Requests to the tracker `id` that were read.
    pub(super) fn requests(&self, id: &str) -> IntCounter {
        self.requests.with_label_values(&[self.known(id)])
    }

    /// Counts a connection to the tracker `id`.
    pub(super) fn connection(&self, id: &str, blindness: Option<Blindness>) {
        self.connections(id, blindness.is_none()).inc();
        let read = u64::from(blindness.is_none());
        let read = self.read.fetch_add(read, Ordering::Relaxed) + read;
        let all = self.all.fetch_add(1, Ordering::Relaxed) + 1;
        self.coverage.set(read as f64 / all as f64);
        if let Some(reason) = blindness {
            self.blind
                .with_label_values(&[self.known(id), reason.as_str()])
                .inc();
        }
    }

    /// Connections to the tracker `id` that were, or were not, read.
    fn connections(&self, id: &str, readable: bool) -> IntCounter {
        let readable = if readable { "true" } else { "false" };
        self.connections
            .with_label_values(&[self.known(id), readable])
    }

    /// Distinct people whose data the tracker `id` got.
    pub(super) fn people(&self, id: &str) -> IntGauge {
        self.people.with_label_values(&[self.known(id)])
    }

    /// The id if it was known at start, else [`OTHER`].
    fn known<'a>(&self, id: &'a str) -> &'a str {
        if self.ids.contains(id) { id } else { OTHER }
    }
}
