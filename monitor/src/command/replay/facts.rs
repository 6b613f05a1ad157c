//! What a report says besides findings, collected while the inputs are read.
//!
//! In: the notes of the core, and what is known at the end. Out: the [`Facts`]
//! of the report.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use sha2::{Digest as _, Sha256};

use crate::{
    capture::{FileSurvey, SectionSurvey},
    config::Config,
    pipeline::{Note, Pipeline},
    report::{Facts, InputFacts, Readability, SectionFacts, Span},
    rules,
    tracker::Catalog,
};

/// Collects facts.
pub(super) struct FactCollector {
    facts: Facts,
    recipients: BTreeSet<String>,
}

impl FactCollector {
    /// A collector for a replay under the conditions of `filter`, with the
    /// canaries of the configuration at `config`.
    pub(super) fn new(filter: Option<String>, config: Option<&Path>, catalog: &Catalog) -> Self {
        Self {
            facts: Facts {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                rules: rules::fingerprint().to_owned(),
                filter,
                catalog: digest(catalog),
                trackers: catalog.entries().len().try_into().unwrap_or(u64::MAX),
                config: Config::digest(config),
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
                Note::Connection { tracker, blindness } => {
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
                    *(if blindness.is_none() { r } else { blind }) += 1;
                }
                Note::TrackerRequest(tracker) => {
                    if !self.recipients.contains(&**tracker) {
                        self.recipients.insert(tracker.to_string());
                    }
                }
                Note::Contact(_) | Note::Unwanted(..) | Note::Wanted(..) => {}
            }
        }
    }

    /// Takes what is known of the inputs.
    pub(super) fn inputs(&mut self, inputs: Vec<FileSurvey>) {
        self.facts.inputs = inputs.into_iter().map(input).collect();
    }

    /// All facts at the end of the replay: with its totals, or with the reason
    /// why it ended early.
    pub(super) fn close(mut self, replayed: Result<&Pipeline, String>) -> Facts {
        match replayed {
            Ok(core) => {
                self.facts.events = core.events();
                self.facts.losses = core.losses().clone();
                self.facts.people_in_total = core.people_in_total();
                self.facts.merged = core.merged();
                self.facts.people = self
                    .recipients
                    .into_iter()
                    .map(|tracker| {
                        let people = core.people(&tracker);
                        (tracker, people)
                    })
                    .collect();
            }
            Err(reason) => self.facts.ended = Some(without_folders(&reason)),
        }
        self.facts
    }
}

/// `reason` with only the last part of each path: reports do not show where
/// files are on a machine.
fn without_folders(reason: &str) -> String {
    let words: Vec<_> = reason
        .split(' ')
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .collect();
    words.join(" ")
}

/// SHA-256 of everything by which trackers are recognized.
fn digest(catalog: &Catalog) -> String {
    let mut hash = Sha256::new();
    let mut text = String::new();
    for tracker in catalog.entries() {
        text.clear();
        // A string takes whatever is written.
        _ = writeln!(text, "{tracker:?}");
        hash.update(text.as_bytes());
    }
    base16ct::lower::encode_string(&hash.finalize())
}

fn input(survey: FileSurvey) -> InputFacts {
    let active: Vec<_> = survey
        .runs
        .iter()
        .map(|(first, last)| Span {
            first: *first,
            last: *last,
        })
        .collect();
    InputFacts {
        name: survey.name,
        bytes: survey.bytes,
        sha256: survey.sha256.unwrap_or_default(),
        kind: survey.kind,
        packets: survey.packets,
        span: active.first().map(|first| Span {
            first: first.first,
            last: active
                .iter()
                .map(|span| span.last)
                .max()
                .unwrap_or(first.last),
        }),
        active,
        dropped: survey.sections.iter().map(|section| section.dropped).sum(),
        sections: survey.sections.into_iter().map(section).collect(),
    }
}

fn section(survey: SectionSurvey) -> SectionFacts {
    let own = survey.provenance.unwrap_or_default();
    SectionFacts {
        host: own.host,
        kernel: if own.kernel.is_empty() {
            survey.system
        } else {
            own.kernel
        },
        writer: survey.writer,
        config: own.config_sha256,
        rules: own.rules,
        redacted: own.redacted,
        clocks: own
            .clocks
            .iter()
            .map(|anchor| (anchor.monotonic, anchor.realtime))
            .collect(),
        lost: survey.lost,
    }
}
