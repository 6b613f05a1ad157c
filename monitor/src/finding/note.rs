//! Proofs to notes in a capture and back.
//!
//! A note of another build may name what this one does not know; such a note
//! gives no proof.

use super::{hashes::Plain, proof::Proof};
use crate::{field::Part, message::ProofNote, phi::States, rules};

impl Proof {
    /// The proof as a capture holds it.
    pub fn note(&self) -> ProofNote {
        ProofNote {
            class: self.class.into(),
            form: self.form.into(),
            rule: self.rule.to_owned(),
            strength: self.strength.into(),
            field: self.field.try_into().unwrap_or(u32::MAX),
            element: self
                .element
                .map(|element| element.try_into().unwrap_or(u32::MAX)),
            path: self.path.clone(),
            public: self.is_public_page,
            masked: self.masked.clone(),
            token: self.token.into(),
            states: self
                .states
                .letters()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            plain: self
                .plain
                .map(|plain| (plain.identifier.into(), plain.token.into())),
        }
    }

    /// The proof that a note stands for.
    pub fn from_note(note: &ProofNote) -> Option<Self> {
        let word = note.path.split(['.', '[']).next()?;
        let plain = note.plain.as_ref().and_then(|(identifier, token)| {
            Some(Plain {
                token: token.value()?,
                identifier: identifier.value()?,
            })
        });
        Some(Self {
            class: note.class.value()?,
            form: note.form.value()?,
            rule: rules::id(&note.rule)?,
            strength: note.strength.value()?,
            field: note.field as usize,
            element: note.element.map(|element| element as usize),
            part: Part::from_name(word)?,
            path: note.path.clone(),
            is_public_page: note.public,
            masked: note.masked.clone(),
            token: note.token.value()?,
            states: States::from_all(note.states.iter().map(String::as_str)),
            digest: None,
            plain,
            learned: None,
        })
    }
}
