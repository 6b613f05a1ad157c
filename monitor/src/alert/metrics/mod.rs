//! Everything that phiwatch says in Prometheus metrics.
//!
//! Input: typed calls, one per thing that happens. Output: the text exposition
//! format 0.0.4. The prometheus crate keys the children of a metric by a hash
//! of the label values put together without a separator, so two different label
//! sets can become one series. Therefore every label value here comes from a
//! set that was handed over at start, values outside it are [`OTHER`], and
//! [`Metrics::new`] refuses sets that would merge.

mod process;
mod set;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicU64, Ordering},
};

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Registry, TextEncoder,
};

use self::{process::ProcessMetrics, set::SetBuilder};
use crate::{
    event::{Source, Timestamp},
    finding::{Finding, Kind, Severity},
    http::{Completeness, Protocol},
    loss::{Loss, Losses},
};

/// The label value for whatever is not in the set handed over at start.
pub const OTHER: &str = "other";

/// Upper bounds of `phiwatch_detection_seconds`, in seconds.
const DETECTION_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0];

/// States that an attachment of a hook can be in.
const HOOK_STATES: &[&str] = &["active", "disabled", "failed"];

/// Why a connection to a tracker could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blindness {
    /// No hook read the plaintext: the process uses a TLS library that phiwatch
    /// does not know, or has it compiled in without symbols.
    NotRead,
    /// Any other reason.
    Other,
}

impl Blindness {
    /// Every reason.
    pub const ALL: &'static [Self] = &[Self::NotRead, Self::Other];

    /// The name in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRead => "not_read",
            Self::Other => OTHER,
        }
    }
}

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
        first: Vec<&'static str>,
        /// Those that would merge with them.
        second: Vec<&'static str>,
    },
    /// The prometheus crate refused a name or the encoding.
    #[error("the metrics library refused")]
    Prometheus(#[from] prometheus::Error),
}

/// A counter that follows a number which someone else counts up.
struct Followed {
    counter: IntCounter,
    last: AtomicU64,
}

impl Followed {
    const fn new(counter: IntCounter) -> Self {
        Self {
            counter,
            last: AtomicU64::new(0),
        }
    }

    /// Adds what `total` has grown by. A smaller total than before adds nothing.
    fn follow(&self, total: u64) {
        let before = self.last.fetch_max(total, Ordering::Relaxed);
        self.counter.inc_by(total.saturating_sub(before));
    }
}

/// What is counted per tracker.
struct PerTracker {
    label: &'static str,
    requests: IntCounter,
    readable: IntCounter,
    unreadable: IntCounter,
    people: IntGauge,
}

/// All metrics of one daemon. Every method may be called from any thread.
pub struct Metrics {
    registry: Registry,
    findings: IntCounterVec,
    last_finding: GaugeVec,
    phi_fields: HashMap<(&'static str, &'static str), IntCounter>,
    trackers: HashMap<&'static str, PerTracker>,
    other_tracker: PerTracker,
    blind: IntCounterVec,
    messages: IntCounterVec,
    bytes: BTreeMap<Source, Followed>,
    probe_hits: BTreeMap<Source, Followed>,
    lost: Vec<Followed>,
    hooks: IntGaugeVec,
    hook_names: Vec<&'static str>,
    watched_processes: IntGauge,
    detection: Histogram,
    last_event: Gauge,
    reload_successful: IntGauge,
    reload_success_time: Gauge,
    process: ProcessMetrics,
}

impl Metrics {
    /// Creates every metric, with each series that an alert depends on at zero:
    /// a counter that first appears at 1 has no increase.
    ///
    /// `trackers` are the ids of the catalog, `hooks` the names in the hook
    /// table, `identifiers` and `health` the class names, `forms` the names of
    /// the forms an identifier can have. Findings are created at zero for
    /// requests of high and critical severity only, since all combinations would
    /// break the budget of 1,000 series; the shipped alert rules do not need
    /// the zero.
    pub fn new(
        trackers: &[&'static str],
        hooks: &[&'static str],
        identifiers: &[&'static str],
        health: &[&'static str],
        forms: &[&'static str],
    ) -> Result<Self, MetricsError> {
        let set = SetBuilder::default();
        let with_other = || {
            trackers
                .iter()
                .copied()
                .filter(|id| *id != OTHER)
                .chain([OTHER])
        };
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

        let findings = set.sparse_counters(
            "phiwatch_findings_total",
            "Findings of protected health information sent to a tracker.",
            &["severity", "tracker", "kind"],
            &with_other()
                .flat_map(|id| Severity::ALL.iter().map(move |severity| (id, severity)))
                .flat_map(|(id, severity)| {
                    Kind::ALL
                        .iter()
                        .map(move |kind| vec![severity.as_str(), id, kind.as_str()])
                })
                .collect::<Vec<_>>(),
        )?;
        for id in with_other() {
            for severity in [Severity::High, Severity::Critical] {
                findings.with_label_values(&[severity.as_str(), id, Kind::Request.as_str()]);
            }
        }
        let last_finding = set.gauges(
            "phiwatch_last_finding_timestamp_seconds",
            "When the data of the last finding was sent, Unix time; 0 if there was none.",
            "severity",
            Severity::ALL.iter().map(|severity| severity.as_str()),
        )?;

        let classes = identifiers
            .iter()
            .flat_map(|class| forms.iter().map(move |form| vec![*class, *form]))
            .chain(health.iter().map(|class| vec![*class, "plain"]))
            .chain([vec![OTHER, OTHER]])
            .collect::<Vec<_>>();
        let phi_fields_vec = set.counters(
            "phiwatch_phi_fields_total",
            "Fields with protected health information in findings.",
            &["class", "form"],
            &classes,
        )?;
        let phi_fields = classes
            .iter()
            .filter_map(|labels| match labels[..] {
                [class, form] => Some(((class, form), phi_fields_vec.with_label_values(labels))),
                _ => None,
            })
            .collect();

        let requests = set.counters(
            "phiwatch_tracker_requests_total",
            "Requests to trackers that were read, with or without a finding.",
            &["tracker"],
            &with_other().map(|id| vec![id]).collect::<Vec<_>>(),
        )?;
        let connections = set.counters(
            "phiwatch_tracker_connections_total",
            "Connections to trackers, by whether their content could be read.",
            &["tracker", "readable"],
            &with_other()
                .flat_map(|id| [vec![id, "true"], vec![id, "false"]])
                .collect::<Vec<_>>(),
        )?;
        let people = set.int_gauges(
            "phiwatch_people",
            "Distinct people in findings since the start, estimated.",
            &["tracker"],
            &with_other().map(|id| vec![id]).collect::<Vec<_>>(),
        )?;
        let per_tracker = |id: &'static str| PerTracker {
            label: id,
            requests: requests.with_label_values(&[id]),
            readable: connections.with_label_values(&[id, "true"]),
            unreadable: connections.with_label_values(&[id, "false"]),
            people: people.with_label_values(&[id]),
        };

        let blind = set.counters(
            "phiwatch_blind_connections_total",
            "Connections to trackers that could not be read, by reason.",
            &["reason"],
            &Blindness::ALL
                .iter()
                .map(|reason| vec![reason.as_str()])
                .collect::<Vec<_>>(),
        )?;
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
        let sources = || {
            Source::ALL
                .iter()
                .map(|source| vec![source.as_str()])
                .collect::<Vec<_>>()
        };
        let bytes = set.counters(
            "phiwatch_bytes_total",
            "Bytes of plaintext that reached the core.",
            &["source"],
            &sources(),
        )?;
        let probe_hits = set.counters(
            "phiwatch_probe_hits_total",
            "Calls of the kernel programs.",
            &["source"],
            &sources(),
        )?;
        let lost = set.counters(
            "phiwatch_lost_total",
            "What was not examined or not reported, by stage and reason.",
            &["stage", "reason"],
            &Loss::ALL
                .iter()
                .map(|loss| {
                    let (stage, reason) = loss.labels();
                    vec![stage, reason]
                })
                .collect::<Vec<_>>(),
        )?;
        let hooks_vec = set.int_gauges(
            "phiwatch_hook_status",
            "Attachments of each hook, by state.",
            &["hook", "state"],
            &hooks
                .iter()
                .flat_map(|hook| HOOK_STATES.iter().map(move |state| vec![*hook, *state]))
                .collect::<Vec<_>>(),
        )?;

        Ok(Self {
            trackers: trackers.iter().map(|id| (*id, per_tracker(id))).collect(),
            other_tracker: per_tracker(OTHER),
            findings,
            last_finding,
            phi_fields,
            blind,
            messages,
            bytes: per_source(&bytes),
            probe_hits: per_source(&probe_hits),
            lost: Loss::ALL
                .iter()
                .map(|loss| {
                    let (stage, reason) = loss.labels();
                    Followed::new(lost.with_label_values(&[stage, reason]))
                })
                .collect(),
            hooks: hooks_vec,
            hook_names: hooks.to_vec(),
            watched_processes: set.int_gauge(
                "phiwatch_watched_processes",
                "Processes in scope that a hook can see.",
            )?,
            detection: set.histogram(HistogramOpts {
                common_opts: prometheus::Opts::new(
                    "phiwatch_detection_seconds",
                    "Time from the first byte of a request to its finding.",
                ),
                buckets: DETECTION_BUCKETS.to_vec(),
            })?,
            last_event: set.gauge(
                "phiwatch_last_event_timestamp_seconds",
                "When the last event reached the core, Unix time; 0 if none did.",
            )?,
            reload_successful: set.int_gauge(
                "phiwatch_config_last_reload_successful",
                "Whether the last load of the configuration succeeded.",
            )?,
            reload_success_time: set.gauge(
                "phiwatch_config_last_reload_success_timestamp_seconds",
                "When the configuration was last loaded with success, Unix time.",
            )?,
            process: ProcessMetrics::new(&set)?,
            registry: set.into_registry(),
        })
    }

    /// Counts a finding and its fields. `now` is the time at which it was found;
    /// the time at which the data was sent stands in the finding.
    pub fn finding(&self, finding: &Finding, now: Timestamp) {
        let tracker = self.tracker(finding.recipient.tracker).label;
        let severity = finding.severity.as_str();
        self.findings
            .with_label_values(&[severity, tracker, finding.kind.as_str()])
            .inc();
        for field in &finding.fields {
            let counter = self
                .phi_fields
                .get(&(field.class, field.form))
                .or_else(|| self.phi_fields.get(&(OTHER, OTHER)));
            if let Some(counter) = counter {
                counter.inc();
            }
        }
        let sent = parse_time(&finding.time).unwrap_or(now);
        let gauge = self.last_finding.with_label_values(&[severity]);
        gauge.set(gauge.get().max(seconds(sent)));
        self.detection.observe(seconds(Timestamp(now.since(sent))));
    }

    /// Counts one request to `tracker` that was read.
    pub fn tracker_request(&self, tracker: &str) {
        self.tracker(tracker).requests.inc();
    }

    /// Counts one connection to `tracker` whose content can be read.
    pub fn readable_connection(&self, tracker: &str) {
        self.tracker(tracker).readable.inc();
    }

    /// Counts one connection to `tracker` whose content cannot be read.
    pub fn blind_connection(&self, tracker: &str, reason: Blindness) {
        self.tracker(tracker).unreadable.inc();
        self.blind.with_label_values(&[reason.as_str()]).inc();
    }

    /// Sets the estimated number of distinct people whose data `tracker` got.
    pub fn set_people(&self, tracker: &str, people: u64) {
        self.tracker(tracker).people.set(clamp(people));
    }

    /// Counts one examined message.
    pub fn message(&self, protocol: Protocol, completeness: Completeness) {
        self.messages
            .with_label_values(&[protocol.as_str(), completeness.as_str()])
            .inc();
    }

    /// Counts `bytes` bytes of plaintext from `source`.
    pub fn add_bytes(&self, source: Source, bytes: u64) {
        if let Some(followed) = self.bytes.get(&source) {
            followed.counter.inc_by(bytes);
        }
    }

    /// Brings the bytes of `source` to `total`, which someone else counts up.
    pub fn follow_bytes(&self, source: Source, total: u64) {
        if let Some(followed) = self.bytes.get(&source) {
            followed.follow(total);
        }
    }

    /// Brings the hits of `source` to `total`, which the kernel counts up.
    pub fn follow_probe_hits(&self, source: Source, total: u64) {
        if let Some(followed) = self.probe_hits.get(&source) {
            followed.follow(total);
        }
    }

    /// Counts `loss` `times` times.
    pub fn add_loss(&self, loss: Loss, times: u64) {
        if let Some(followed) = self.lost.get(loss as usize) {
            followed.counter.inc_by(times);
        }
    }

    /// Brings each loss to its total in `losses`, which someone else counts up
    /// and never resets. Each kind of loss must come from one such source.
    pub fn follow_losses(&self, losses: &Losses) {
        for (loss, total) in losses.iter() {
            self.follow_loss(loss, total);
        }
    }

    /// Brings `loss` to `total`, which someone else counts up and never resets.
    pub fn follow_loss(&self, loss: Loss, total: u64) {
        if let Some(followed) = self.lost.get(loss as usize) {
            followed.follow(total);
        }
    }

    /// Sets how many attachments of `hook` are in which state. A hook that was
    /// not named at start is ignored.
    pub fn set_hook(&self, hook: &str, counts: HookCounts) {
        let Some(hook) = self.hook_names.iter().find(|name| **name == hook) else {
            return;
        };
        let HookCounts {
            active,
            disabled,
            failed,
        } = counts;
        for (state, count) in HOOK_STATES.iter().zip([active, disabled, failed]) {
            self.hooks
                .with_label_values(&[*hook, *state])
                .set(clamp(count));
        }
    }

    /// Sets the number of processes that are watched.
    pub fn set_watched_processes(&self, processes: u64) {
        self.watched_processes.set(clamp(processes));
    }

    /// Notes that an event of this time reached the core.
    pub fn event_seen(&self, time: Timestamp) {
        self.last_event.set(seconds(time));
    }

    /// Notes that the configuration was loaded, or that loading it failed.
    pub fn config_loaded(&self, succeeded: bool, now: Timestamp) {
        self.reload_successful.set(i64::from(succeeded));
        if succeeded {
            self.reload_success_time.set(seconds(now));
        }
    }

    /// All metrics in the text exposition format 0.0.4.
    pub fn encode(&self) -> Result<String, MetricsError> {
        self.process.refresh();
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }

    fn tracker(&self, id: &str) -> &PerTracker {
        self.trackers.get(id).unwrap_or(&self.other_tracker)
    }
}

fn per_source(counters: &IntCounterVec) -> BTreeMap<Source, Followed> {
    Source::ALL
        .iter()
        .map(|source| {
            (
                *source,
                Followed::new(counters.with_label_values(&[source.as_str()])),
            )
        })
        .collect()
}

fn clamp(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn seconds(time: Timestamp) -> f64 {
    time.0 as f64 / 1e9
}

/// The inverse of [`Timestamp`]'s `Display`: `2026-11-24T02:41:03.123456789Z`.
fn parse_time(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let nanosecond = number(20..29)?;
    if text.len() != 30 || !(1..=12).contains(&month) || year < 1970 {
        return None;
    }
    // Days from a civil date, counted in years that begin on 1 March.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let days = 365 * shifted_year + shifted_year / 4 - shifted_year / 100
        + shifted_year / 400
        + day_of_year;
    let since_epoch = days.checked_sub(719_468)?;
    let total = ((since_epoch * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp(
        total.checked_mul(1_000_000_000)?.checked_add(nanosecond)?,
    ))
}
