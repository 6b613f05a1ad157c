//! Evidence to proofs: everything that findings need to know of a value,
//! without the value.
//!
//! In: the fields of one message and the evidence in them. Out: [`Proof`]s in
//! the same order. Proving needs no memory of other messages, so it can be done
//! for many messages in parallel. A capture without values holds proofs.

use super::{
    FieldRecord,
    hashes::{DigestCache, FORMS, Plain, digest_number, is_learned},
    judge,
    key_path::{self, Values},
    residence,
};
use crate::{
    field::{Fields, Part},
    phi::{Class, Evidence, Form, States, Strength},
    secret::Secret,
    token::{Token, TokenKey},
};

/// What findings need to know of one piece of evidence.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Of what it is evidence.
    pub class: Class,
    /// How the value is written.
    pub form: Form,
    /// The rule that recognized it; the set is closed.
    pub rule: &'static str,
    /// How strong it is alone.
    pub strength: Strength,
    /// Index of the field in its message.
    pub field: usize,
    /// The array element of the field, `None` if the whole message shares it.
    pub element: Option<usize>,
    /// The part of the message that the field stands in.
    pub part: Part,
    /// The path to the field as it may be shown.
    pub path: String,
    /// Whether the field is the address of a page that anyone can open.
    pub is_public_page: bool,
    /// What of the value may be shown.
    pub masked: String,
    /// Keyed hash of the normalized value.
    pub token: Token,
    /// States of the United States that the event names, noted at one of its
    /// proofs.
    pub states: States,
    /// Keyed hash of the value, which is a hash, to look up its plain
    /// identifier.
    pub(super) digest: Option<u128>,
    /// The plain identifier whose hash the value is, as recorded earlier.
    pub(super) plain: Option<Plain>,
    /// What the memory of plain identifiers learns of it.
    pub(super) learned: Option<LearnedIdentifier>,
}

impl Proof {
    /// The record of the field in a finding, without labels.
    pub(super) fn record(&self) -> FieldRecord {
        FieldRecord {
            class: self.class,
            form: Some(self.form),
            path: self.path.clone(),
            rule: self.rule,
            masked: self.masked.clone(),
            token: Some(self.token),
            labels: Vec::new(),
        }
    }
}

/// A plain identifier, which will confirm hashes of it.
#[derive(Clone, Debug)]
pub(super) struct LearnedIdentifier {
    /// In the spelling that equal values share.
    pub(super) normalized: Secret<String>,
    /// As sent.
    pub(super) raw: Secret<String>,
    /// Its digests, if they were computed in advance.
    pub(super) digests: Option<Vec<u128>>,
}

/// The proofs of one message, in the order of its evidence. With a `cache`, the
/// digests that learning needs are computed in advance.
pub fn prove(
    key: &TokenKey,
    fields: &Fields,
    evidence: Vec<Evidence>,
    mut cache: Option<&mut DigestCache>,
) -> Vec<Proof> {
    let values = Values::new(fields, &evidence);
    let states = residence::states(fields, &evidence);
    let mut proofs: Vec<_> = evidence
        .into_iter()
        .filter_map(|item| one(key, fields, item, &values, cache.as_deref_mut()))
        .collect();
    residence::note(&states, &mut proofs);
    proofs
}

fn one(
    key: &TokenKey,
    fields: &Fields,
    item: Evidence,
    values: &Values,
    cache: Option<&mut DigestCache>,
) -> Option<Proof> {
    let field = fields.get(item.field)?;
    let token = key.token(item.class.as_str(), item.normalized.expose());
    let digest = FORMS
        .contains(&item.form)
        .then(|| digest_number(key, item.normalized.expose()))
        .flatten();
    let learned = (item.form == Form::Plain && is_learned(item.class)).then(|| {
        let learned = LearnedIdentifier {
            normalized: item.normalized,
            raw: Secret::new(field.value().to_owned()),
            digests: None,
        };
        match cache {
            Some(cache) => learned.prepared(key, (item.class, token), cache),
            None => learned,
        }
    });
    Some(Proof {
        class: item.class,
        form: item.form,
        rule: item.rule,
        strength: item.strength,
        field: item.field,
        element: item.element.map(crate::field::StepId::index),
        part: field.part(),
        path: key_path::show(&field, values),
        is_public_page: judge::is_public_page(&field),
        masked: item.masked,
        token,
        states: States::default(),
        digest,
        plain: None,
        learned,
    })
}
