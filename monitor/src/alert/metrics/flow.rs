//! Metrics of what flows through the stages, and what is lost on the way.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use prometheus::{Gauge, IntCounter, IntCounterVec};

use super::{MetricsError, set::SetBuilder};
use crate::{
    event::Source,
    http::{Completeness, Protocol},
    loss::Loss,
};

/// A counter that follows a total kept elsewhere.
pub(super) struct Followed {
    /// The counter itself.
    counter: IntCounter,
    last: AtomicU64,
}

impl Followed {
    fn new(counter: IntCounter) -> Self {
        Self {
            counter,
            last: AtomicU64::new(0),
        }
    }

    /// Adds what `total` has grown by. A smaller total than before adds nothing.
    pub(super) fn follow(&self, total: u64) {
        let before = self.last.fetch_max(total, Ordering::Relaxed);
        self.counter.inc_by(total.saturating_sub(before));
    }
}

/// The metrics of the flow.
pub(super) struct FlowMetrics {
    /// Messages by protocol and completeness.
    pub(super) messages: IntCounterVec,
    /// Bytes by source.
    pub(super) bytes: BTreeMap<Source, Followed>,
    /// Calls of kernel programs by source.
    pub(super) probe_hits: BTreeMap<Source, Followed>,
    /// When the last event was seen.
    pub(super) last_event: Gauge,
    lost: Vec<Followed>,
}

impl FlowMetrics {
    /// Registers the metrics in `set`.
    pub(super) fn new(set: &SetBuilder) -> Result<Self, MetricsError> {
        let messages = set.counters(
            "phiwatch_messages_total",
            "HTTP requests that were examined, by how much of them was seen.",
            &["protocol", "completeness"],
            &Protocol::ALL
                .iter()
                .flat_map(|protocol| {
                    Completeness::ALL
                        .iter()
                        .map(|seen| vec![protocol.as_str(), seen.as_str()])
                })
                .collect::<Vec<_>>(),
        )?;
        let labels = |loss: &Loss| {
            let (stage, reason) = loss.labels();
            [stage, reason]
        };
        let lost = set.counters(
            "phiwatch_lost_total",
            "What was not examined or not reported, by stage and reason.",
            &["stage", "reason"],
            &Loss::ALL
                .iter()
                .map(|loss| labels(loss).to_vec())
                .collect::<Vec<_>>(),
        )?;
        Ok(Self {
            messages,
            bytes: per_source(
                set,
                "phiwatch_bytes_total",
                "Bytes of plaintext that reached the core.",
            )?,
            probe_hits: per_source(
                set,
                "phiwatch_probe_hits_total",
                "Calls of the kernel programs.",
            )?,
            last_event: set.gauge(
                "phiwatch_last_event_timestamp_seconds",
                "When the last event reached the core, Unix time; 0 if none did.",
            )?,
            lost: Loss::ALL
                .iter()
                .map(|loss| Followed::new(lost.with_label_values(&labels(loss))))
                .collect(),
        })
    }

    /// The series of `loss`.
    pub(super) fn lost(&self, loss: Loss) -> Option<&Followed> {
        self.lost.get(loss as usize)
    }
}

fn per_source(
    set: &SetBuilder,
    name: &'static str,
    help: &str,
) -> Result<BTreeMap<Source, Followed>, MetricsError> {
    let children = Source::ALL
        .iter()
        .map(|source| vec![source.as_str()])
        .collect::<Vec<_>>();
    let counters = set.counters(name, help, &["source"], &children)?;
    Ok(Source::ALL
        .iter()
        .map(|source| {
            (
                *source,
                Followed::new(counters.with_label_values(&[source.as_str()])),
            )
        })
        .collect())
}
