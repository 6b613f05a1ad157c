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
    phi::{Class, Form, Health, Identifier},
};

/// Upper bounds of `phiwatch_detection_seconds`, in seconds.
const DETECTION_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0];

/// Severities whose findings are created at zero.
const ZERO_SEVERITIES: &[Severity] = &[Severity::High, Severity::Critical];

/// The counters of fields.
type Fields = HashMap<(Class, Form), IntCounter>;

/// The metrics of findings.
pub(super) struct FindingMetrics {
    trackers: HashSet<String>,
    findings: IntCounterVec,
    last: GaugeVec,
    fields: Fields,
    other_fields: IntCounter,
    detection: Histogram,
}

impl FindingMetrics {
    /// Registers the metrics in `set`; `trackers` include [`OTHER`].
    pub(super) fn new(set: &SetBuilder, trackers: &[&str]) -> Result<Self, MetricsError> {
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
        let (fields, other_fields) = fields(set)?;
        Ok(Self {
            trackers: trackers.iter().map(|id| (*id).to_owned()).collect(),
            findings: findings(set, trackers)?,
            last,
            fields,
            other_fields,
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
            let form = field
                .form
                .and_then(|form| self.fields.get(&(field.class, form)));
            form.unwrap_or(&self.other_fields).inc();
        }
        let sent = finding.time;
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

/// The counters of fields by class and form, and that of all others.
fn fields(set: &SetBuilder) -> Result<(Fields, IntCounter), MetricsError> {
    let identifiers = Identifier::ALL.iter().flat_map(|class| {
        let forms = Form::ALL.iter();
        forms.map(|form| (Class::Identifier(*class), *form))
    });
    // Health information is always plain.
    let health = Health::ALL.iter();
    let health = health.map(|class| (Class::Health(*class), Form::Plain));
    let known: Vec<_> = identifiers.chain(health).collect();
    let names = known
        .iter()
        .map(|(class, form)| vec![class.as_str(), form.as_str()]);
    let counters = set.counters(
        "phiwatch_phi_fields_total",
        "Fields with protected health information in findings.",
        &["class", "form"],
        &names.chain([vec![OTHER, OTHER]]).collect::<Vec<_>>(),
    )?;
    let of = |(class, form): (Class, Form)| {
        let counter = counters.with_label_values(&[class.as_str(), form.as_str()]);
        ((class, form), counter)
    };
    Ok((
        known.into_iter().map(of).collect(),
        counters.with_label_values(&[OTHER, OTHER]),
    ))
}
