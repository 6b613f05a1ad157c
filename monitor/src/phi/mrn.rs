//! Medical record numbers: by key, since every organization makes its own.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    subject::{Subject, Surroundings},
    text,
};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "chartid",
    "chartno",
    "chartnumber",
    "encounterid",
    "medicalrecord",
    "medicalrecordno",
    "medicalrecordnumber",
    "mrn",
    "patientid",
    "patientno",
    "patientnumber",
    "patientuuid",
];

/// Longer values are something else.
const MAX_LENGTH: usize = 64;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let under_patient = subject.leaf().is_some_and(|leaf| leaf.folded == "id")
        && subject
            .parent()
            .is_some_and(|parent| parent.folded == "patient");
    if !subject.leaf_in(KEYS) && !under_patient {
        return;
    }
    let value = subject.value;
    if value.len() == 64
        && let Some(digest) = digest(value)
    {
        hits.hashed(Identifier::Mrn, Strength::I2, "mrn.key.hash", digest);
        return;
    }
    let fits = value.len() <= MAX_LENGTH
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        && !text::is_placeholder(value);
    if fits {
        hits.plain(
            Identifier::Mrn,
            Strength::I3,
            "mrn.key",
            value.to_lowercase(),
        );
    }
}
