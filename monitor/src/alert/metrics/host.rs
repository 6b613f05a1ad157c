//! Metrics of what phiwatch can see on this host, and of its configuration.

use prometheus::{Gauge, IntGauge, IntGaugeVec};

use super::{HookCounts, MetricsError, clamp, set::SetBuilder};

/// States that an attachment of a hook can be in.
const HOOK_STATES: &[&str] = &["active", "disabled", "failed"];

/// The metrics of the host and the configuration.
pub(super) struct HostMetrics {
    /// Processes that are watched.
    pub(super) watched_processes: IntGauge,
    /// The share of the host's processors that hooks and phiwatch take.
    pub(super) overhead: Gauge,
    /// Processes from which the budget took probes.
    pub(super) backed_off: IntGauge,
    /// TLS libraries in which a hook is active.
    pub(super) tls_hooked: IntGauge,
    /// TLS libraries in which none is.
    pub(super) tls_unhooked: IntGauge,
    /// Whether the last load of the configuration succeeded.
    pub(super) reload_successful: IntGauge,
    /// When it last did.
    pub(super) reload_success_time: Gauge,
    hooks: IntGaugeVec,
    hook_names: Vec<&'static str>,
}

impl HostMetrics {
    /// Registers the metrics in `set`.
    pub(super) fn new(set: &SetBuilder, hooks: &[&'static str]) -> Result<Self, MetricsError> {
        let libraries = set.int_gauges(
            "phiwatch_tls_libraries",
            "TLS libraries that were found, by whether a hook is active in them.",
            &["hooked"],
            &[vec!["true"], vec!["false"]],
        )?;
        Ok(Self {
            tls_hooked: libraries.with_label_values(&["true"]),
            tls_unhooked: libraries.with_label_values(&["false"]),
            watched_processes: set.int_gauge(
                "phiwatch_watched_processes",
                "Processes in scope that a hook can see.",
            )?,
            overhead: set.gauge(
                "phiwatch_overhead_cpu_ratio",
                "Share of all processors that probes, estimated from hits and the measured \
                 cost of one, and phiwatch itself take.",
            )?,
            backed_off: set.int_gauge(
                "phiwatch_backed_off_processes",
                "Processes that are probed less because the budget was exceeded.",
            )?,
            reload_successful: set.int_gauge(
                "phiwatch_config_last_reload_successful",
                "Whether the last load of the configuration succeeded.",
            )?,
            reload_success_time: set.gauge(
                "phiwatch_config_last_reload_success_timestamp_seconds",
                "When the configuration was last loaded with success, Unix time.",
            )?,
            hooks: set.int_gauges(
                "phiwatch_hook_status",
                "Attachments of each hook, by state.",
                &["hook", "state"],
                &hooks
                    .iter()
                    .flat_map(|hook| HOOK_STATES.iter().map(move |state| vec![*hook, *state]))
                    .collect::<Vec<_>>(),
            )?,
            hook_names: hooks.to_vec(),
        })
    }

    /// Sets the counts of `hook`, if it was named at start.
    pub(super) fn set_hook(&self, hook: &str, counts: HookCounts) {
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
}
