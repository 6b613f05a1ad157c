//! Proofs to notes in a capture and back.
//!
//! A note is text; a proof holds names of closed sets only. A note with a name
//! that this build does not know gives no proof.

use super::{hashes::Plain, proof::Proof};
use crate::{
    event::ProofNote,
    field::Part,
    phi::{Class, Form, Health, Identifier, States, Strength},
    rules,
    token::digits,
};

/// Every strength with its name in notes.
const STRENGTHS: &[(Strength, &str)] = &[
    (Strength::I1, "I1"),
    (Strength::I2, "I2"),
    (Strength::I3, "I3"),
    (Strength::H2, "H2"),
    (Strength::H3, "H3"),
];

/// Every part of a message.
const PARTS: &[Part] = &[
    Part::Path,
    Part::Query,
    Part::Header,
    Part::Body,
    Part::Page,
    Part::Form,
];

/// The class of this name.
pub fn class(name: &str) -> Option<Class> {
    let identifier = Identifier::ALL.iter().find(|own| own.as_str() == name);
    let health = Health::ALL.iter().find(|own| own.as_str() == name);
    identifier
        .map(|own| Class::Identifier(*own))
        .or_else(|| health.map(|own| Class::Health(*own)))
}

/// The form of this name.
pub fn form(name: &str) -> Option<Form> {
    Form::ALL.iter().copied().find(|own| own.as_str() == name)
}

impl Proof {
    /// The proof as a capture holds it.
    pub fn note(&self) -> ProofNote {
        let strength = STRENGTHS
            .iter()
            .find(|(own, _)| *own == self.strength)
            .map_or("", |(_, name)| *name);
        ProofNote {
            class: self.class.as_str().to_owned(),
            form: self.form.as_str().to_owned(),
            rule: self.rule.to_owned(),
            strength: strength.to_owned(),
            field: self.field.try_into().unwrap_or(u32::MAX),
            element: self
                .element
                .map(|element| element.try_into().unwrap_or(u32::MAX)),
            path: self.path.clone(),
            public: self.is_public_page,
            masked: self.masked.clone(),
            token: digits(self.token),
            states: self
                .states
                .letters()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            plain: self
                .plain
                .map(|plain| (plain.identifier.as_str().to_owned(), digits(plain.number))),
        }
    }

    /// The proof that a note stands for.
    pub fn from_note(note: &ProofNote) -> Option<Self> {
        let word = note.path.split(['.', '[']).next()?;
        let plain = note.plain.as_ref().and_then(|(name, token)| {
            let Class::Identifier(identifier) = class(name)? else {
                return None;
            };
            Some(Plain {
                number: number(token)?,
                identifier,
            })
        });
        Some(Self {
            class: class(&note.class)?,
            form: form(&note.form)?,
            rule: rules::id(&note.rule)?,
            strength: STRENGTHS
                .iter()
                .find(|(_, name)| *name == note.strength)
                .map(|(own, _)| *own)?,
            field: note.field as usize,
            element: note.element.map(|element| element as usize),
            part: PARTS.iter().copied().find(|part| part.as_str() == word)?,
            path: note.path.clone(),
            is_public_page: note.public,
            masked: note.masked.clone(),
            token: number(&note.token)?,
            states: States::from_all(note.states.iter().map(String::as_str)),
            digest: None,
            plain,
            learned: None,
        })
    }
}

/// The number that the digits of a token spell.
pub(crate) fn number(token: &str) -> Option<u128> {
    u128::from_str_radix(token, 16).ok()
}
