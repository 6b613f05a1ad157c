//! Metrics of the traffic to trackers, by tracker.
//!
//! Input: requests, connections and estimates of people. Output: one series of
//! each for every tracker that was seen; the catalog has too many trackers for
//! all of them to be created at zero.

use std::collections::HashSet;

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::{Blindness, MetricsError, OTHER, set::SetBuilder};

/// The metrics of trackers.
pub(super) struct TrackerMetrics {
    ids: HashSet<String>,
    requests: IntCounterVec,
    connections: IntCounterVec,
    people: IntGaugeVec,
    /// Connections that cannot be read, by reason.
    pub(super) blind: IntCounterVec,
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
                "Connections to trackers, by whether their content could be read.",
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
            blind: set.counters(
                "phiwatch_blind_connections_total",
                "Connections to trackers that could not be read, by reason.",
                &["reason"],
                &Blindness::ALL
                    .iter()
                    .map(|reason| vec![reason.as_str()])
                    .collect::<Vec<_>>(),
            )?,
        };
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

    /// Connections to the tracker `id` that can, or cannot, be read.
    pub(super) fn connections(&self, id: &str, readable: bool) -> IntCounter {
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
