//! What a replay says at its end, on standard error.
//!
//! In: the findings that were shown, and what was lost. Out: some lines for
//! people.

use std::collections::BTreeSet;

use crate::{
    command::{crew::Replayed, say},
    finding::{Finding, PeopleCount, Severity},
};

/// Counts what was shown.
#[derive(Default)]
pub(super) struct Summary {
    /// How many findings were shown.
    pub(super) findings: u64,
    /// The severity of the worst of them.
    pub(super) worst: Option<Severity>,
    trackers: BTreeSet<String>,
}

impl Summary {
    /// Takes a finding that is shown.
    pub(super) fn add(&mut self, finding: &Finding) {
        self.findings += 1;
        self.worst = self.worst.max(Some(finding.severity));
        let tracker = &*finding.recipient.tracker;
        if !self.trackers.contains(tracker) {
            self.trackers.insert(tracker.to_owned());
        }
    }

    /// Says it all on standard error.
    pub(super) fn print(&self, replayed: &Replayed) {
        say(format_args!(
            "phiwatch: {} event{}, {} finding{}",
            replayed.events,
            plural(replayed.events),
            self.findings,
            plural(self.findings)
        ));
        for tracker in &self.trackers {
            let PeopleCount { at_least, at_most } = replayed.people(tracker);
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
        for (loss, count) in replayed.losses.iter() {
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
