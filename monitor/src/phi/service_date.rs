//! Dates of admission, discharge, service and appointment: by key.

use super::{
    Hits, Identifier, Strength, date, named,
    subject::{Subject, Surroundings},
};

/// Keys that hold such a date. `session_start` and `last_visit` are about a
/// browser, so neither word is enough.
pub(super) const KEYS: &[&str] = &[
    "admissiondate",
    "admissiondt",
    "admitdate",
    "admitdt",
    "admittedat",
    "admittedon",
    "appointmentdt",
    "apptdt",
    "consultdate",
    "dateadmitted",
    "datedischarged",
    "dateofadmission",
    "dateofappointment",
    "dateofdeath",
    "dateofdischarge",
    "dateofservice",
    "dateofsurgery",
    "dateofvisit",
    "deathdate",
    "deceaseddate",
    "dischargedat",
    "dischargedate",
    "dischargedon",
    "dischargedt",
    "dos",
    "dosfrom",
    "dosto",
    "filldate",
    "hospitalizedon",
    "immunizationdate",
    "intakedate",
    "nextvisit",
    "nextvisitdate",
    "onsetdate",
    "operationdate",
    "proceduredate",
    "proceduredt",
    "servicedate",
    "servicedt",
    "surgerydate",
    "surgerydt",
    "svcdate",
    "svcdt",
    "vaccinationdate",
    "visitdate",
    "visitdt",
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

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    if !subject.value.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    let is_care = named::is(subject, KEYS)
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
