//! What a replay says at its end, on standard error.
//!
//! In: the findings that were shown, and what was lost. Out: a few lines for
//! people.

use std::collections::BTreeSet;

use crate::{
    command::say,
    finding::{Finding, PeopleCount, Severity},
    pipeline::Pipeline,
};

/// Counts what was shown.
#[derive(Default)]
pub(super) struct Summary {
    /// How many findings there are.
    findings: u64,
    /// How many of them were shown.
    shown: u64,
    /// The severity of the worst of them.
    pub(super) worst: Option<Severity>,
    trackers: BTreeSet<String>,
}

impl Summary {
    /// There is a finding, shown or not.
    pub(super) fn found(&mut self) {
        self.findings += 1;
    }

    /// Takes a finding that is shown.
    pub(super) fn add(&mut self, finding: &Finding) {
        self.shown += 1;
        self.worst = self.worst.max(Some(finding.severity));
        let tracker = &*finding.recipient.tracker;
        if !self.trackers.contains(tracker) {
            self.trackers.insert(tracker.to_owned());
        }
    }

    /// Says on standard error that the replay ended early.
    pub(super) fn print_limit(&self) {
        say(format_args!(
            "phiwatch: stopped after {} finding{}; there may be more",
            self.shown,
            plural(self.shown)
        ));
    }

    /// Prints the summary to standard error, with how many findings were shown
    /// if not all were.
    pub(super) fn print(&self, core: &Pipeline, is_filtered: bool) {
        let shown = if is_filtered {
            format!(", {} shown", self.shown)
        } else {
            String::new()
        };
        say(format_args!(
            "phiwatch: {} event{}, {} finding{}{shown}",
            core.events(),
            plural(core.events()),
            self.findings,
            plural(self.findings)
        ));
        for tracker in &self.trackers {
            let PeopleCount { at_least, at_most } = core.people(tracker);
            if at_most > 0 {
                let plural = if at_most == 1 { "person" } else { "people" };
                let number = if at_least == at_most {
                    at_least.to_string()
                } else {
                    format!("{at_least} to {at_most}")
                };
                say(format_args!("phiwatch: {tracker}: {number} {plural}"));
            }
        }
        for (loss, count) in core.losses().iter() {
            let (stage, reason) = loss.labels();
            say(format_args!(
                "phiwatch: lost in stage {stage}, {reason}: {count}"
            ));
        }
    }
}

/// The ending of a noun of which there are `count`.
pub(super) const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
