//! Dates of admission, discharge, service and appointment: by key.

use super::{
    Hits, Identifier, Strength, date,
    subject::{Subject, Surroundings},
};

/// Keys that hold such a date. `session_start` and `last_visit` are about a
/// browser, so neither word is enough.
pub(super) const KEYS: &[&str] = &[
    "admissiondate",
    "admitdate",
    "consultdate",
    "dateofservice",
    "dateofvisit",
    "dischargedate",
    "dos",
    "intakedate",
    "nextvisit",
    "servicedate",
    "visitdate",
];

/// Words that make a date under or beside them one of care.
pub(super) const CARE_WORDS: &[&str] = &[
    "admission",
    "appointment",
    "appointments",
    "appt",
    "consult",
    "consultation",
    "discharge",
    "encounter",
    "followup",
    "telehealth",
];

/// When a record was written is no date of care.
const RECORD_WORDS: &[&str] = &["created", "modified", "sent", "timestamp", "updated"];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    let is_care = leaf.is_in(KEYS)
        || leaf.has_word(CARE_WORDS)
        || subject
            .parent()
            .is_some_and(|parent| parent.has_word(CARE_WORDS));
    if !is_care || leaf.has_word(RECORD_WORDS) {
        return;
    }
    if let Some(date) = date::parse_moment(subject.value) {
        hits.plain(
            Identifier::ServiceDate,
            Strength::I1,
            "service_date.key",
            date.iso(),
        );
    }
}
