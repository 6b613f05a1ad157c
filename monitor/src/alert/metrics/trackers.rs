//! Metrics of the traffic to trackers, by tracker.
//!
//! Input: requests, connections and estimates of people. Output: one series of
//! each per tracker of the catalog.

use std::collections::HashMap;

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::{Blindness, MetricsError, OTHER, set::SetBuilder};

/// What is counted for one tracker.
pub(super) struct TrackerSeries {
    /// Requests that were read.
    pub(super) requests: IntCounter,
    /// Connections that can be read.
    pub(super) readable: IntCounter,
    /// Connections that cannot.
    pub(super) unreadable: IntCounter,
    /// Distinct people.
    pub(super) people: IntGauge,
}

/// The metrics of trackers.
pub(super) struct TrackerMetrics {
    series: HashMap<&'static str, TrackerSeries>,
    other: TrackerSeries,
    /// Connections that cannot be read, by reason.
    pub(super) blind: IntCounterVec,
}

impl TrackerMetrics {
    /// Registers the metrics in `set`; `trackers` include [`OTHER`].
    pub(super) fn new(set: &SetBuilder, trackers: &[&'static str]) -> Result<Self, MetricsError> {
        let ids = trackers.iter().map(|id| vec![*id]).collect::<Vec<_>>();
        let requests = set.counters(
            "phiwatch_tracker_requests_total",
            "Requests to trackers that were read, with or without a finding.",
            &["tracker"],
            &ids,
        )?;
        let connections = set.counters(
            "phiwatch_tracker_connections_total",
            "Connections to trackers, by whether their content could be read.",
            &["tracker", "readable"],
            &trackers
                .iter()
                .flat_map(|id| [vec![*id, "true"], vec![*id, "false"]])
                .collect::<Vec<_>>(),
        )?;
        let people = set.int_gauges(
            "phiwatch_people",
            "Distinct people in findings since the start, at least: identifiers that were seen together are one person.",
            &["tracker"],
            &ids,
        )?;
        let series = |id: &'static str| TrackerSeries {
            requests: requests.with_label_values(&[id]),
            readable: connections.with_label_values(&[id, "true"]),
            unreadable: connections.with_label_values(&[id, "false"]),
            people: people.with_label_values(&[id]),
        };
        Ok(Self {
            series: trackers.iter().map(|id| (*id, series(id))).collect(),
            other: series(OTHER),
            blind: set.counters(
                "phiwatch_blind_connections_total",
                "Connections to trackers that could not be read, by reason.",
                &["reason"],
                &Blindness::ALL
                    .iter()
                    .map(|reason| vec![reason.as_str()])
                    .collect::<Vec<_>>(),
            )?,
        })
    }

    /// The series of the tracker `id`, or of [`OTHER`].
    pub(super) fn get(&self, id: &str) -> &TrackerSeries {
        self.series.get(id).unwrap_or(&self.other)
    }
}
