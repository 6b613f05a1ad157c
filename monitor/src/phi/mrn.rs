//! Medical record numbers: by key, since every organization makes its own.

use super::sets::mrn::LABELS;
pub(super) use super::sets::mrn::{ID_KEYS, KEYS, PATIENTS, REFERENCE_KEYS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    key::Key,
    named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Longer values are something else.
const MAX_LENGTH: usize = 64;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    // A reference of an interface for health records: `Patient/4711`.
    let reference = value.strip_prefix("Patient/").unwrap_or(value);
    let number = reference.trim_start_matches('#');
    let fits = number.len() <= MAX_LENGTH
        && subject.kind != ValueKind::Literal
        && number.bytes().any(|byte| byte.is_ascii_digit())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if !fits && digest(value).is_none() {
        labelled(subject, hits);
        return;
    }
    let under_patient = || {
        let is_id = |key: &Key| key.folds_to(ID_KEYS);
        subject.leaf().is_some_and(is_id) && subject.parent().is_some_and(is_patient)
            || named::key(subject).is_some_and(is_id)
                && named::parent(subject).is_some_and(is_patient)
    };
    let in_path = || {
        subject.part == Part::Path && subject.leaf().is_some_and(is_patient) && is_number(number)
    };
    let keyed = named::is(subject, KEYS) || under_patient() || in_path();
    if keyed && let Some(digest) = digest(value) {
        hits.hashed(Identifier::Mrn, Strength::I2, "mrn.key.hash", digest);
    } else if fits
        && (keyed || reference.len() != value.len() && subject.leaf_in(REFERENCE_KEYS))
        && !text::is_placeholder(number)
    {
        let rule = if keyed { "mrn.key" } else { "mrn.reference" };
        hits.plain(Identifier::Mrn, Strength::I3, rule, number.to_lowercase());
    }
}

/// `MRN: A0012345` in a text.
fn labelled(subject: &Subject<'_>, hits: &mut Hits<'_>) {
    if !subject.has_word(LABELS) {
        return;
    }
    let mut words = subject
        .value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let number = words
        .by_ref()
        .find(|word| word.eq_ignore_ascii_case("mrn"))
        .and_then(|_| words.next())
        .filter(|word| {
            (MIN_LABELLED..=MAX_LENGTH).contains(&word.len())
                && word.bytes().any(|byte| byte.is_ascii_digit())
        });
    if let Some(number) = number {
        hits.plain(
            Identifier::Mrn,
            Strength::I3,
            "mrn.label",
            number.to_lowercase(),
        );
    }
}

/// Whether a segment of a path is a number and no title of a page, which has
/// words.
fn is_number(segment: &str) -> bool {
    /// Letters in a row that a number may begin with.
    const MAX_LETTERS: usize = 4;
    segment.split(['-', '_', '.', ':']).all(|part| {
        part.len() <= MAX_LETTERS
            || part.bytes().any(|byte| byte.is_ascii_digit())
            || part.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Shorter numbers in a text are counts.
const MIN_LABELLED: usize = 4;

/// Whether objects under `key` are about a patient, so that their ids are
/// numbers of records.
pub(super) fn is_patient(key: &Key) -> bool {
    key.folds_to(PATIENTS)
}
