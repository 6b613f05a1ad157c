//! Dates of admission, discharge, service and appointment: by key.

use super::sets::service_date::RECORD_WORDS;
pub(super) use super::sets::service_date::{CARE_WORDS, KEYS};
use super::{
    Hits, Identifier, Strength, date, named,
    subject::{Subject, Surroundings},
};

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
