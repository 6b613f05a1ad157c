//! Metrics of findings.
//!
//! Input: [`Finding`]s. Output: counters by severity, tracker and kind, and by
//! class and form; the time of the last one; how long it took to find it.

use std::collections::{HashMap, HashSet};

use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts};

use super::{MetricsError, OTHER, seconds, set::SetBuilder};
use crate::{
    event::Timestamp,
    finding::{Finding, Kind, Severity},
};

/// Upper bounds of `phiwatch_detection_seconds`, in seconds.
const DETECTION_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0];

/// Severities whose findings are created at zero.
const ZERO_SEVERITIES: &[Severity] = &[Severity::High, Severity::Critical];

/// The metrics of findings.
pub(super) struct FindingMetrics {
    trackers: HashSet<String>,
    findings: IntCounterVec,
    last: GaugeVec,
    fields: HashMap<(&'static str, &'static str), IntCounter>,
    detection: Histogram,
}

impl FindingMetrics {
    /// Registers the metrics in `set`; `trackers` include [`OTHER`].
    pub(super) fn new(
        set: &SetBuilder,
        trackers: &[&str],
        identifiers: &[&'static str],
        health: &[&'static str],
        forms: &[&'static str],
    ) -> Result<Self, MetricsError> {
        let last = set.gauges(
            "phiwatch_last_finding_timestamp_seconds",
            "When the data of the last finding was sent, Unix time; 0 if there was none.",
            "severity",
            Severity::ALL.iter().map(|severity| severity.as_str()),
        )?;
        let detection = set.histogram(HistogramOpts {
            common_opts: Opts::new(
                "phiwatch_detection_seconds",
                "Time from the first byte of a request to its finding.",
            ),
            buckets: DETECTION_BUCKETS.to_vec(),
        })?;
        Ok(Self {
            trackers: trackers.iter().map(|id| (*id).to_owned()).collect(),
            findings: findings(set, trackers)?,
            last,
            fields: fields(set, identifiers, health, forms)?,
            detection,
        })
    }

    /// Counts a finding and its fields.
    pub(super) fn count(&self, finding: &Finding, now: Timestamp) {
        let tracker = &*finding.recipient.tracker;
        let tracker = if self.trackers.contains(tracker) {
            tracker
        } else {
            OTHER
        };
        let severity = finding.severity.as_str();
        self.findings
            .with_label_values(&[severity, tracker, finding.kind.as_str()])
            .inc();
        for field in &finding.fields {
            let counter = self.fields.get(&(field.class, field.form));
            if let Some(counter) = counter.or_else(|| self.fields.get(&(OTHER, OTHER))) {
                counter.inc();
            }
        }
        let sent = parse_time(&finding.time).unwrap_or(now);
        let gauge = self.last.with_label_values(&[severity]);
        gauge.set(gauge.get().max(seconds(sent)));
        self.detection.observe(seconds(Timestamp(now.since(sent))));
    }
}

fn findings(set: &SetBuilder, trackers: &[&str]) -> Result<IntCounterVec, MetricsError> {
    let children = trackers
        .iter()
        .flat_map(|id| {
            Severity::ALL
                .iter()
                .map(move |severity| (*id, severity.as_str()))
        })
        .flat_map(|(id, severity)| {
            Kind::ALL
                .iter()
                .map(move |kind| vec![severity, id, kind.as_str()])
        })
        .collect::<Vec<_>>();
    let findings = set.sparse_counters(
        "phiwatch_findings_total",
        "Findings of protected health information sent to a tracker.",
        &["severity", "tracker", "kind"],
        &children,
    )?;
    // Planted values are mostly sent where the catalog does not reach.
    let (critical, canary) = (Severity::Critical.as_str(), Kind::Canary.as_str());
    findings.with_label_values(&[critical, OTHER, canary]);
    for id in trackers {
        for severity in ZERO_SEVERITIES {
            findings.with_label_values(&[severity.as_str(), *id, Kind::Request.as_str()]);
        }
    }
    Ok(findings)
}

fn fields(
    set: &SetBuilder,
    identifiers: &[&'static str],
    health: &[&'static str],
    forms: &[&'static str],
) -> Result<HashMap<(&'static str, &'static str), IntCounter>, MetricsError> {
    // Health information is always plain.
    let children = identifiers
        .iter()
        .flat_map(|class| forms.iter().map(move |form| (*class, *form)))
        .chain(health.iter().map(|class| (*class, "plain")))
        .chain([(OTHER, OTHER)]);
    let counters = set.counters(
        "phiwatch_phi_fields_total",
        "Fields with protected health information in findings.",
        &["class", "form"],
        &children
            .clone()
            .map(|(class, form)| vec![class, form])
            .collect::<Vec<_>>(),
    )?;
    Ok(children
        .map(|(class, form)| ((class, form), counters.with_label_values(&[class, form])))
        .collect())
}

/// The inverse of [`Timestamp`]'s `Display`: `2026-11-24T02:41:03.123456789Z`.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
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
