//! Medical record numbers: by key, since every organization makes its own.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    key::Key,
    named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "chartid",
    "chartno",
    "chartnum",
    "chartnumber",
    "ehrid",
    "ehrpatientid",
    "empi",
    "emrid",
    "encounterid",
    "encounterno",
    "encounternumber",
    "healthrecordnumber",
    "hospitalnumber",
    "hospitalpatientid",
    "medicalrecord",
    "medicalrecordid",
    "medicalrecordno",
    "medicalrecordnum",
    "medicalrecordnumber",
    "medrecno",
    "medrecnum",
    "medrecordno",
    "mrn",
    "mrnid",
    "mrnno",
    "mrnnum",
    "mrnnumber",
    "nhsno",
    "nhsnumber",
    "patientaccountnumber",
    "patientcode",
    "patientexternalid",
    "patientguid",
    "patientid",
    "patientidentifier",
    "patientkey",
    "patientno",
    "patientnum",
    "patientnumber",
    "patientref",
    "patientreference",
    "patientuuid",
    "prescriptionid",
    "prescriptionno",
    "prescriptionnumber",
    "ptid",
    "ptno",
    "ptnum",
    "rxno",
    "rxnumber",
];

/// Keys that hold one in an object about a patient.
pub(super) const ID_KEYS: &[&str] = &["id", "identifier", "no", "num", "number", "uuid"];

/// Objects about a patient.
pub(super) const PATIENTS: &[&str] = &[
    "chart",
    "charts",
    "mrn",
    "patient",
    "patientinfo",
    "patients",
];

/// Keys that hold a reference to a patient.
pub(super) const REFERENCE_KEYS: &[&str] = &["patient", "reference", "subject"];

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
    if !subject.has_word(&["mrn"]) {
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
