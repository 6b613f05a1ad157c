//! Fields to protected health information.
//!
//! Input: [`Fields`]. Output: [`Evidence`]. One file per
//! class of identifier or health information holds its rules: key names decide, values
//! confirm, since value shapes alone are weak. Then each event is judged as a whole:
//! [`facts`] are what its words, keys and the rules' findings say, `score` adds their
//! fitted weights, and `judge` keeps and adds what the sum bears out. This stage never
//! sees HTTP.

mod account;
mod address;
mod appointment;
mod assessment;
mod biometric;
mod birth_date;
mod coding;
mod columns;
mod compound;
mod condition;
mod date;
mod device_id;
mod digest;
mod email;
mod email_hash;
mod engine;
mod external_id;
pub mod facts;
pub mod hashes;
mod health_plan_id;
mod icd10;
mod insurance;
mod ip;
mod judge;
mod key;
mod lab;
mod label;
mod lexicon;
mod license;
mod medication;
mod mrn;
mod name;
mod named;
mod neighbor;
mod online_id;
mod path;
mod phone;
mod photo;
mod procedure;
mod provider;
mod registry;
mod reproductive;
mod score;
mod sense;
mod service_date;
mod sets;
mod sex;
mod shape;
mod shared;
mod ssn;
mod stem;
mod subject;
mod substance_use;
mod table;
mod terms;
mod text;
mod trade;
mod treatment;
mod us_state;
mod vehicle;

use lexicon::Kind;
use subject::{Subject, Surroundings};

pub use crate::class::{Class, Form, Health, Identifier, Strength};
pub use columns::label_columns;
pub use engine::Detector;
pub(crate) use path::elements;
pub use score::{CLASSES, share_of_a_fact};
pub use us_state::{States, state_name, states_in};

use crate::{
    field::{Fields, StepId},
    secret::Secret,
};

/// One value that identifies someone or says something about health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of what.
    pub class: Class,
    /// How the value is written.
    pub form: Form,
    /// Index of the field in the fields that were examined.
    pub field: usize,
    /// The rule that recognised it; the set is closed.
    pub rule: &'static str,
    /// What of the value may be shown.
    pub masked: String,
    /// The value in the spelling that equal values share.
    pub normalized: Secret<String>,
    /// How much it says by itself.
    pub strength: Strength,
    /// The array element that the field belongs to, `None` where it is shared
    /// by the whole message.
    pub element: Option<StepId>,
}

/// Evidence from one field beyond this is dropped: it adds nothing to the
/// finding.
const MAX_EVIDENCE_PER_FIELD: usize = 32;

/// The evidence in `fields`, in their order. `fields` are those of one message:
/// what one field names (a questionnaire, an insurer) makes others of the same
/// event count. Whoever examines many messages keeps a [`Detector`].
pub fn detect(fields: &Fields) -> Vec<Evidence> {
    Detector::default().detect(fields)
}

/// What the rules find in `fields`, whether or not the whole bears it out: for pages,
/// which say nothing of one person.
pub(crate) fn rules(fields: &Fields) -> Vec<Evidence> {
    Detector::default().rules(fields)
}

/// Classes with so few values that a part of a hash is as good as the value.
const FEW_VALUES: &[Identifier] = &[
    Identifier::Phone,
    Identifier::Fax,
    Identifier::City,
    Identifier::Zip,
    Identifier::BirthDate,
    Identifier::Ssn,
    Identifier::Ip,
    Identifier::Sex,
];

/// Collects the evidence of one field.
struct Hits<'a> {
    field: usize,
    element: Option<StepId>,
    /// Index of the field's first evidence.
    first: usize,
    evidence: &'a mut Vec<Evidence>,
}

impl Hits<'_> {
    /// Whether there is evidence of the field already.
    fn has_some(&self) -> bool {
        self.evidence.len() > self.first
    }

    /// An identifier as it is.
    fn plain(
        &mut self,
        identifier: Identifier,
        strength: Strength,
        rule: &'static str,
        normalized: String,
    ) {
        // Its first letter is the whole of it.
        let masked = if identifier == Identifier::Sex {
            "…".to_owned()
        } else {
            mask(&normalized)
        };
        self.push(
            Class::Identifier(identifier),
            Form::Plain,
            strength,
            rule,
            masked,
            normalized,
        );
    }

    /// An identifier that is hashed.
    fn hashed(
        &mut self,
        identifier: Identifier,
        strength: Strength,
        rule: &'static str,
        digest: digest::Digest,
    ) {
        let (head, tail) = (digest.hex.get(..4), digest.hex.get(digest.hex.len() - 4..));
        // Eight digits of a hash tell which of few values it is.
        let masked = if FEW_VALUES.contains(&identifier) {
            "…".to_owned()
        } else {
            [head.unwrap_or_default(), "…", tail.unwrap_or_default()].concat()
        };
        let class = Class::Identifier(identifier);
        self.push(class, digest.form, strength, rule, masked, digest.hex);
    }

    /// Health information; `normalized` is the term or the value.
    fn health(&mut self, health: Health, strength: Strength, rule: &'static str, normalized: &str) {
        let normalized = normalized.to_lowercase();
        let masked = mask(&normalized);
        self.push(
            Class::Health(health),
            Form::Plain,
            strength,
            rule,
            masked,
            normalized,
        );
    }

    /// Keeps one piece of evidence per class of health information and field,
    /// the strongest, and one per value of an identifier.
    fn push(
        &mut self,
        class: Class,
        form: Form,
        strength: Strength,
        rule: &'static str,
        masked: String,
        normalized: String,
    ) {
        let normalized = Secret::new(normalized);
        let own = self.evidence.get_mut(self.first..).unwrap_or_default();
        let full = own.len() >= MAX_EVIDENCE_PER_FIELD;
        let same = own.iter_mut().find(|other| {
            other.class == class
                && (matches!(class, Class::Health(_)) || other.normalized == normalized)
        });
        let new = Evidence {
            class,
            form,
            field: self.field,
            rule,
            masked,
            normalized,
            strength,
            element: self.element,
        };
        match same {
            Some(known) if known.strength < strength => *known = new,
            Some(_) => {}
            None if full => {}
            None => self.evidence.push(new),
        }
    }
}

/// The first character, unless that is most of the value.
fn mask(value: &str) -> String {
    /// Shorter values are not shown at all.
    const MIN_SHOWN: usize = 4;
    match value.chars().next() {
        Some(first) if value.chars().count() >= MIN_SHOWN => format!("{first}…"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
