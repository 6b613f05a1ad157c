//! What a report says besides findings, collected while the inputs are read.
//!
//! In: what the core notices, and what is known at the end. Out: the [`Facts`]
//! of the report.

use std::collections::BTreeSet;

use crate::{
    command::crew::Replayed,
    pipeline::Note,
    report::{Facts, Readability},
    rules,
};

/// Collects facts.
pub(super) struct Ledger {
    facts: Facts,
    recipients: BTreeSet<String>,
}

impl Ledger {
    /// A ledger in which `filter` is noted as the conditions in force.
    pub(super) fn new(filter: Option<String>) -> Self {
        Self {
            facts: Facts {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                rules: rules::fingerprint().to_owned(),
                filter,
                ..Facts::default()
            },
            recipients: BTreeSet::new(),
        }
    }

    /// Takes what the core noticed.
    pub(super) fn notes(&mut self, notes: &[Note]) {
        for note in notes {
            match note {
                Note::Message(protocol, completeness) => {
                    let key = (protocol.as_str(), completeness.as_str());
                    *self.facts.messages.entry(key).or_default() += 1;
                }
                Note::Connection { tracker, readable } => {
                    let known = self.facts.connections.get_mut(&**tracker);
                    let count = match known {
                        Some(count) => count,
                        None => self
                            .facts
                            .connections
                            .entry(tracker.to_string())
                            .or_default(),
                    };
                    let Readability { readable: r, blind } = count;
                    *(if *readable { r } else { blind }) += 1;
                }
                Note::TrackerRequest(tracker) => {
                    if !self.recipients.contains(&**tracker) {
                        self.recipients.insert(tracker.to_string());
                    }
                }
                Note::Unwanted(..) | Note::Wanted(..) => {}
            }
        }
    }

    /// All facts, now that the replay has ended: with what it knows, or with why
    /// it ended before its time.
    pub(super) fn close(mut self, replayed: Result<&Replayed, String>) -> Facts {
        match replayed {
            Ok(replayed) => {
                self.facts.events = replayed.events;
                self.facts.losses = replayed.losses.clone();
                self.facts.people_in_total = replayed.back.people_in_total();
                self.facts.merged = replayed.back.merged();
                self.facts.people = self
                    .recipients
                    .into_iter()
                    .map(|tracker| {
                        let people = replayed.people(&tracker);
                        (tracker, people)
                    })
                    .collect();
            }
            Err(reason) => self.facts.ended = Some(reason),
        }
        self.facts
    }
}
