//! Registers metrics, and refuses label sets that would merge.
//!
//! Input: name, help and the closed set of label values. Output: the registered
//! metric.

use std::collections::HashMap;

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, core::Collector,
};

use super::MetricsError;

/// Collects metrics into one registry.
#[derive(Default)]
pub(super) struct SetBuilder {
    registry: Registry,
}

impl SetBuilder {
    /// The registry with everything that was registered.
    pub(super) fn into_registry(self) -> Registry {
        self.registry
    }

    /// Registers `metric` and hands it back.
    pub(super) fn register<T: Collector + Clone + 'static>(
        &self,
        metric: T,
    ) -> Result<T, MetricsError> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    /// A counter for each label set of `children`, none of which is created
    /// yet.
    pub(super) fn sparse_counters(
        &self,
        name: &'static str,
        help: &str,
        labels: &[&str],
        children: &[Vec<&str>],
    ) -> Result<IntCounterVec, MetricsError> {
        refuse_merging(name, children)?;
        self.register(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// A counter per label set of `children`, at zero.
    pub(super) fn counters(
        &self,
        name: &'static str,
        help: &str,
        labels: &[&str],
        children: &[Vec<&str>],
    ) -> Result<IntCounterVec, MetricsError> {
        let counters = self.sparse_counters(name, help, labels, children)?;
        for child in children {
            counters.get_metric_with_label_values(child)?;
        }
        Ok(counters)
    }

    /// A whole-numbered gauge per label set of `children`, at zero.
    pub(super) fn int_gauges(
        &self,
        name: &'static str,
        help: &str,
        labels: &[&str],
        children: &[Vec<&str>],
    ) -> Result<IntGaugeVec, MetricsError> {
        let gauges = self.sparse_gauges(name, help, labels, children)?;
        for child in children {
            gauges.get_metric_with_label_values(child)?;
        }
        Ok(gauges)
    }

    /// A whole-numbered gauge for each label set of `children`, none of which
    /// is created yet.
    pub(super) fn sparse_gauges(
        &self,
        name: &'static str,
        help: &str,
        labels: &[&str],
        children: &[Vec<&str>],
    ) -> Result<IntGaugeVec, MetricsError> {
        refuse_merging(name, children)?;
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge per value of one label.
    pub(super) fn gauges(
        &self,
        name: &'static str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = &'static str>,
    ) -> Result<GaugeVec, MetricsError> {
        let gauges = self.register(GaugeVec::new(Opts::new(name, help), &[label])?)?;
        for value in values {
            gauges.get_metric_with_label_values(&[value])?;
        }
        Ok(gauges)
    }

    /// A whole-numbered gauge without labels.
    pub(super) fn int_gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
        self.register(IntGauge::new(name, help)?)
    }

    /// A gauge without labels.
    pub(super) fn gauge(&self, name: &str, help: &str) -> Result<Gauge, MetricsError> {
        self.register(Gauge::new(name, help)?)
    }

    /// A histogram without labels.
    pub(super) fn histogram(&self, options: HistogramOpts) -> Result<Histogram, MetricsError> {
        self.register(Histogram::with_opts(options)?)
    }

    /// A gauge that is always 1 and whose labels are the information.
    pub(super) fn constant(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Result<(), MetricsError> {
        let options = labels
            .iter()
            .fold(Opts::new(name, help), |options, (label, value)| {
                options.const_label(*label, *value)
            });
        self.register(IntGauge::with_opts(options)?)?.set(1);
        Ok(())
    }
}

/// The crate hashes the values of a label set one after the other without a
/// separator, so that sets with equal concatenations share a child.
fn refuse_merging(metric: &'static str, children: &[Vec<&str>]) -> Result<(), MetricsError> {
    let mut seen = HashMap::<String, &Vec<&str>>::new();
    let owned = |child: &[&str]| child.iter().map(|value| (*value).to_owned()).collect();
    for child in children {
        if let Some(first) = seen.insert(child.concat(), child) {
            return Err(MetricsError::Merge {
                metric,
                first: owned(first),
                second: owned(child),
            });
        }
    }
    Ok(())
}
