//! What a comparison comes to.

use serde_json::{Value, json};

use crate::{
    command::{replay::summary::plural, say},
    finding::PeopleCount,
    loss::Losses,
};

/// The numbers of a comparison.
pub(super) struct Totals {
    /// Findings of the first configuration, and of the other.
    pub(super) before: u64,
    pub(super) after: u64,
    /// Differences that were selected.
    pub(super) gained: u64,
    pub(super) lost: u64,
    pub(super) changed: u64,
    /// Findings that are equal.
    pub(super) unchanged: u64,
    /// Recipients that heard of more or fewer people.
    pub(super) people: Vec<People>,
    /// The captures were not read to their end.
    pub(super) is_partial: bool,
}

/// How many people's data one recipient received.
pub(super) struct People {
    pub(super) tracker: String,
    pub(super) before: PeopleCount,
    pub(super) after: PeopleCount,
}

impl Totals {
    /// All of it as a value.
    pub(super) fn value(&self) -> Value {
        let Self {
            before,
            after,
            gained,
            lost,
            changed,
            unchanged,
            people,
            is_partial,
        } = self;
        let count = |count: PeopleCount| json!([count.at_least, count.at_most]);
        let people: Vec<Value> = people
            .iter()
            .map(|own| {
                let (before, after) = (count(own.before), count(own.after));
                json!({"tracker": own.tracker, "before": before, "after": after})
            })
            .collect();
        json!({
            "before": before,
            "after": after,
            "gained": gained,
            "lost": lost,
            "changed": changed,
            "unchanged": unchanged,
            "people": people,
            "partial": is_partial,
        })
    }

    /// Says it on standard error, with what was lost.
    pub(super) fn say(&self, losses: &Losses) {
        if self.is_partial {
            let shown = self.gained + self.lost + self.changed;
            say(format_args!(
                "phiwatch: stopped after {shown} difference{}; there may be more",
                plural(shown)
            ));
            return;
        }
        say(format_args!(
            "phiwatch: {} finding{} before, {} after: {} gained, {} lost, {} changed, {} the same",
            self.before,
            plural(self.before),
            self.after,
            self.gained,
            self.lost,
            self.changed,
            self.unchanged
        ));
        for People {
            tracker,
            before,
            after,
        } in &self.people
        {
            say(format_args!(
                "phiwatch: {tracker}: people {} before, {} after",
                range(*before),
                range(*after)
            ));
        }
        for (loss, count) in losses.iter() {
            let (stage, reason) = loss.labels();
            say(format_args!(
                "phiwatch: lost in stage {stage}, {reason}: {count}"
            ));
        }
    }
}

fn range(count: PeopleCount) -> String {
    let PeopleCount { at_least, at_most } = count;
    if at_least == at_most {
        at_least.to_string()
    } else {
        format!("{at_least} to {at_most}")
    }
}
