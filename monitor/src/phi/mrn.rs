//! Medical record numbers: by key, since every organization makes its own.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    key::Key,
    named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::ValueKind;

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "chartid",
    "chartno",
    "chartnum",
    "chartnumber",
    "ehrid",
    "ehrpatientid",
    "emrid",
    "empi",
    "encounterid",
    "encounterno",
    "encounternumber",
    "healthrecordnumber",
    "hospitalnumber",
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
const PATIENTS: &[&str] = &["chart", "mrn", "patient", "patientinfo", "patients"];

/// Longer values are something else.
const MAX_LENGTH: usize = 64;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
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
        return;
    }
    let under_patient = || {
        let is_id = subject
            .leaf()
            .is_some_and(|leaf| ID_KEYS.contains(&leaf.folded.as_str()));
        is_id && subject.parent().is_some_and(is_patient)
    };
    let keyed = named::is(subject, KEYS) || under_patient();
    if keyed && let Some(digest) = digest(value) {
        hits.hashed(Identifier::Mrn, Strength::I2, "mrn.key.hash", digest);
    } else if fits && (keyed || reference.len() != value.len()) && !text::is_placeholder(number) {
        let rule = if keyed { "mrn.key" } else { "mrn.reference" };
        hits.plain(Identifier::Mrn, Strength::I3, rule, number.to_lowercase());
    }
}

/// Whether objects under `key` are about a patient, so that their ids are
/// numbers of records.
pub(super) fn is_patient(key: &Key) -> bool {
    PATIENTS.contains(&key.folded.as_str())
}
