//! The truth about a generated or recorded request, and the severity that
//! follows from it by the published matrix. Written without looking at the
//! detector: this is the other side of the comparison.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How bad a finding is, mildest first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No finding at all.
    #[default]
    None,
    /// Recorded.
    Info,
    /// Worth a look.
    Low,
    /// Worth a ticket.
    Medium,
    /// Worth waking someone.
    High,
    /// The incident that all this is for.
    Critical,
}

/// What a request was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Health information, of someone.
    Phi,
    /// Business that has nothing to do with health, to a tracker.
    Shop,
    /// A public article about health, read by nobody in particular.
    Blog,
    /// Settings, reports, tokens.
    Housekeeping,
    /// Health information sent where it belongs: the recipient is no tracker.
    Elsewhere,
}

impl Kind {
    /// Whether nothing of it is health information of a person.
    pub const fn is_negative(self) -> bool {
        !matches!(self, Self::Phi)
    }
}

/// How strongly a value points at a person or an illness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Level {
    /// Shared by many: a city, a sex.
    Weak,
    /// A pseudonym.
    Pseudonym,
    /// A direct identifier, hashed.
    Hashed,
    /// A direct identifier, in clear.
    Direct,
    /// A health term in a URL, a title, the name of an event.
    Context,
    /// A health value under a key of its own.
    Explicit,
}

/// One thing that a request says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Note {
    /// The class that should be reported.
    pub class: String,
    /// Classes that mean the same here: one of them is enough.
    #[serde(default)]
    pub or: Vec<String>,
    /// Classes that may be reported as well, without being wrong.
    #[serde(default)]
    pub also: Vec<String>,
    /// How strong it is.
    pub level: Level,
    /// Whether it is health information and no identifier.
    pub health: bool,
    /// The template that it was made from. Never a value.
    #[serde(default)]
    pub template: String,
}

/// The truth about one person-event of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct EventLabel {
    /// What it says.
    pub notes: Vec<Note>,
    /// Templates of what it says that has nothing to do with health.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
}

impl EventLabel {
    /// The severity that a finding must at least have, to a recipient of `weight`.
    pub fn least(&self, weight: u8) -> Severity {
        let levels = |health| {
            // Who treats someone tells too little by itself.
            let notes = self
                .notes
                .iter()
                .filter(move |note| note.health == health && note.class != "provider");
            notes.map(|note| note.level).max()
        };
        let named = self
            .notes
            .iter()
            .any(|note| note.class == "name" && note.level == Level::Direct);
        let others = self
            .notes
            .iter()
            .filter(|note| !note.health && note.class != "name")
            .map(|note| note.level)
            .max();
        // Many people have the same name.
        let identifier = match others {
            None | Some(Level::Weak) if named => Some(Level::Pseudonym),
            _ if !named => levels(false),
            other => other,
        };
        matrix(identifier, levels(true), weight)
    }

    /// The severity that a finding may at most have.
    pub fn most(&self, weight: u8, kind: Kind) -> Severity {
        match kind {
            Kind::Phi => Severity::Critical,
            Kind::Elsewhere => Severity::None,
            Kind::Housekeeping => Severity::Info,
            Kind::Shop | Kind::Blog => {
                let strongest = self.notes.iter().filter(|note| !note.health).map(|note| {
                    if note.level == Level::Weak {
                        Level::Direct
                    } else {
                        note.level
                    }
                });
                let health = (kind == Kind::Blog).then_some(Level::Context);
                matrix(strongest.max(), health, weight).max(Severity::Info)
            }
        }
    }
}

/// The severity matrix. `weight` is 3 for advertising and identity, 2 for other
/// third parties.
pub fn matrix(identifier: Option<Level>, health: Option<Level>, weight: u8) -> Severity {
    use Level::{Context, Direct, Explicit, Hashed, Pseudonym};
    let advertising = weight >= 3;
    match (identifier, health) {
        (Some(Direct), Some(Explicit)) => Severity::Critical,
        (Some(Direct), Some(Context)) | (Some(Hashed), Some(Explicit)) if advertising => {
            Severity::Critical
        }
        (Some(Direct | Hashed), Some(_)) | (Some(Pseudonym), Some(Explicit)) => Severity::High,
        (Some(Pseudonym), Some(_)) => Severity::Medium,
        (Some(Direct), None) if advertising => Severity::Medium,
        (Some(Direct | Hashed), None) | (_, Some(Explicit)) => Severity::Low,
        (Some(Pseudonym), None) | (_, Some(_)) => Severity::Info,
        (_, None) => Severity::None,
    }
}

/// The truth about one request.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Label {
    /// Number of its first packet in the capture, from 1: what findings name.
    pub packet: u64,
    /// The carrier or recording that it was made from.
    pub template: String,
    /// The recipient, as the corpus calls it.
    pub platform: String,
    /// Weight of the recipient.
    pub weight: u8,
    /// What it was written as.
    pub kind: Kind,
    /// Its person-events.
    pub events: Vec<EventLabel>,
}

impl Label {
    /// Every class that some event of it may give.
    pub fn allowed(&self) -> BTreeSet<&str> {
        self.events.iter().flat_map(EventLabel::allowed).collect()
    }
}

impl EventLabel {
    /// Every class that may be reported for it.
    pub fn allowed(&self) -> BTreeSet<&str> {
        self.notes
            .iter()
            .flat_map(|note| {
                std::iter::once(&note.class)
                    .chain(&note.or)
                    .chain(&note.also)
            })
            .map(String::as_str)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(class: &str, level: Level) -> Note {
        Note {
            class: class.to_owned(),
            or: vec![],
            also: vec![],
            level,
            health: level >= Level::Context,
            template: String::new(),
        }
    }

    #[test]
    fn severities_follow_the_matrix() {
        use Level::{Context, Direct, Explicit, Hashed, Pseudonym, Weak};
        for (notes, weight, expected) in [
            (
                vec![("email", Direct), ("lab", Explicit)],
                2,
                Severity::Critical,
            ),
            (vec![("email", Hashed), ("lab", Context)], 3, Severity::High),
            (
                vec![("email", Hashed), ("lab", Explicit)],
                3,
                Severity::Critical,
            ),
            (
                vec![("name", Direct), ("lab", Context)],
                3,
                Severity::Medium,
            ),
            (
                vec![("name", Direct), ("city", Weak), ("lab", Explicit)],
                3,
                Severity::High,
            ),
            (
                vec![("external_id", Pseudonym), ("lab", Context)],
                3,
                Severity::Medium,
            ),
            (vec![("city", Weak)], 3, Severity::None),
            (vec![("email", Direct)], 2, Severity::Low),
        ] {
            let notes = notes
                .into_iter()
                .map(|(class, level)| note(class, level))
                .collect();
            assert_eq!(
                EventLabel {
                    notes,
                    said: vec![]
                }
                .least(weight),
                expected
            );
        }
    }
}
