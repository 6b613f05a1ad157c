//! Appointments: names of events, keys with dates, types and reasons.

use super::{
    Health, Hits, Strength, date,
    lexicon::{Kind, Table},
    service_date,
    subject::{Subject, Surroundings},
    text,
};

/// What an appointment with a care provider is called.
pub(super) const TERMS: &[Table] = &[(
    Kind::Appointment,
    &[
        "appointment",
        "appt",
        "consultation",
        "doctor visit",
        "follow up visit",
        "intake session",
        "office visit",
        "telehealth",
        "telemedicine",
        "teletherapy",
        "therapy session",
        "video visit",
        "virtual visit",
    ],
)];

/// Words beside which it is an appointment with someone else.
const UNLESS: &[&str] = &[
    "barber", "demo", "drive", "haircut", "realtor", "sales", "salon", "showroom", "webinar",
];

/// Keys that hold the type, the reason or the place of one.
pub(super) const KEYS: &[&str] = &[
    "appointment",
    "appointmenttype",
    "appointmentwith",
    "appttype",
    "consulttype",
    "encountertype",
    "reasonforvisit",
    "sessiontype",
    "visitreason",
    "visittype",
];

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else {
        return;
    };
    let is_date = date::parse_moment(subject.value).is_some();
    let parent_is_care = subject
        .parent()
        .is_some_and(|parent| parent.has_word(service_date::CARE_WORDS));
    let is_care = leaf.has_word(service_date::CARE_WORDS) || parent_is_care;
    // Barbers have appointments too.
    if is_date && surroundings.health() && (leaf.is_in(service_date::KEYS) || is_care) {
        hits.health(
            Health::Appointment,
            Strength::H3,
            "appointment.date",
            subject.value,
        );
    }
    // `conversion: urn…` and flags say only that there is one.
    let is_detail = leaf.is_in(KEYS) || (is_care && !is_date && !text::is_negative(subject.value));
    if is_detail && subject.is_text() && !subject.is_context() {
        hits.health(
            Health::Appointment,
            Strength::H3,
            "appointment.key",
            subject.value,
        );
    } else if is_care && !is_date && !text::is_negative(subject.value) {
        hits.health(
            Health::Appointment,
            Strength::H2,
            "appointment.key_name",
            &leaf.folded,
        );
    }
    if let Some(term) = subject.term(Kind::Appointment)
        && !subject.has_word(UNLESS)
    {
        hits.health(
            Health::Appointment,
            Strength::H2,
            "appointment.term",
            term.phrase,
        );
    }
}
