//! Appointments: names of events, keys with dates, types and reasons.

use super::sets::appointment::{
    CALENDAR_WORDS, CLEAR, CLEAR_WORDS, GENERIC, OTHER_FACTS, REASON_WORDS, RECORD_WORDS, SERVICES,
};
pub(super) use super::sets::appointment::{KEYS, SERVICE_KEYS, UNLESS, VISIT_WORDS, WEAK_KEYS};
use super::{
    Health, Hits, Strength, date,
    lexicon::{Kind, Term},
    sense, service_date, shared,
    subject::{Subject, Surroundings, Vehicle},
    text,
    trade::{Trade, Trades},
};

/// Trades that make appointments too.
const OTHER_TRADES: Trades = Trades::of(&[
    Trade::Beauty,
    Trade::Car,
    Trade::OtherInsurance,
    Trade::Pet,
    Trade::Property,
    Trade::Sales,
    Trade::Service,
    Trade::Travel,
]);

/// The trade of which the value says that its event is, where it says what is
/// done at an appointment.
pub(super) fn trades(subject: &Subject<'_>) -> Trades {
    let says_service = subject.leaf_in(SERVICE_KEYS)
        && subject.is_text()
        && !subject.is_context()
        && is_service_name(subject)
        && !is_of_visit(subject);
    if says_service {
        Trades::of(&[Trade::Service])
    } else {
        Trades::NONE
    }
}

/// Whether the key counts or switches appointments.
fn is_setting(subject: &Subject<'_>) -> bool {
    shared::is_of_others(subject)
        || subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(CALENDAR_WORDS))
}

/// Programs are services too, but are named in one word of lower case.
fn is_service_name(subject: &Subject<'_>) -> bool {
    !subject.leaf_in(SERVICES)
        || subject.value.contains(' ')
        || subject.value.starts_with(char::is_uppercase)
}

/// Whether all that the value says about a visit is of care, or nothing.
fn is_of_visit(subject: &Subject<'_>) -> bool {
    let is_medical = |term: &Term| !matches!(term.kind, Kind::Trade(_) | Kind::Appointment);
    sense::is_filler(subject.value)
        || subject.terms.iter().any(is_medical)
        || subject.words().iter().any(shared::is_of_health)
        || (subject.words().iter()).all(|word| shared::is_empty(word) || VISIT_WORDS.has(word))
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else {
        return detect_term(subject, surroundings, hits);
    };
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    if trades.meets(OTHER_TRADES) || subject.has_word(UNLESS) {
        return;
    }
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Appointment, strength, rule, shown);
    let last = || subject.keys.iter().rev().take(2);
    let is_clear = last().any(|key| key.has_word(CLEAR_WORDS));
    let is_care = is_clear
        || (last().any(|key| key.has_word(service_date::CARE_WORDS)) && surroundings.health());
    let is_date = is_time(subject.value) || date::parse_moment(subject.value).is_some();
    let is_record = leaf.has_word(RECORD_WORDS);
    // Barbers have appointments too.
    if is_date && (is_care || leaf.is_in(service_date::KEYS)) && surroundings.health() {
        push(Strength::H3, "appointment.date", subject.value);
    }
    let has_value = !text::is_negative(subject.value) && !is_date;
    // `conversion: urn…` and flags say only that there is one.
    // `encounter_diagnosis` holds one.
    let is_other = leaf.has_word(OTHER_FACTS);
    let is_reason = leaf.has_word(REASON_WORDS) && is_clear;
    let is_told = !is_other && (is_reason || is_of_visit(subject) || surroundings.health());
    let is_detail = is_told
        && (leaf.is_in(KEYS)
            || (leaf.is_in(WEAK_KEYS) && surroundings.health())
            || (is_care && !is_record && has_value));
    if is_detail && subject.is_text() && !subject.is_context() && !sense::is_filler(subject.value) {
        push(Strength::H3, "appointment.key", subject.value);
    } else if is_care && has_value && is_told && !is_setting(subject) {
        push(Strength::H2, "appointment.key_name", &leaf.folded);
    }
    detect_term(subject, surroundings, hits);
}

fn detect_term(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    if trades.meets(OTHER_TRADES) || subject.has_word(UNLESS) || sense::is_name(subject) {
        return;
    }
    let counts = |term: &Term| {
        // The name of a conversion type that platforms give to everyone.
        let is_generic = GENERIC.has(term.phrase) || subject.value == "BOOK_APPOINTMENT";
        if is_generic {
            return subject.is_context()
                && (subject.vehicle == Vehicle::Event || term.phrase == "consultation")
                && surroundings.health();
        }
        CLEAR.has(term.phrase)
            || subject.term(Kind::Provider).is_some()
            || shared::has_medicine(subject, term.phrase)
            || (shared::is_named(subject) && shared::is_bare(subject, term.phrase, VISIT_WORDS))
            || (!shared::is_of_others(subject) && surroundings.health())
    };
    let term = (subject.terms.iter().copied())
        .filter(|term| term.kind == Kind::Appointment)
        .find(counts);
    if let Some(term) = term {
        hits.health(
            Health::Appointment,
            Strength::H2,
            "appointment.term",
            term.phrase,
        );
    }
}

/// `14:30`, `2:30 PM`.
fn is_time(value: &str) -> bool {
    /// The longest spelling: hours, minutes, seconds, half of the day.
    const MAX_LENGTH: usize = 11;
    if value.len() > MAX_LENGTH {
        return false;
    }
    let Some((hour, rest)) = value.split_once(':') else {
        return false;
    };
    let minutes = rest.get(..2).unwrap_or_default();
    hour.parse::<u8>().is_ok_and(|hour| hour < 24)
        && minutes.bytes().all(|byte| byte.is_ascii_digit())
        && minutes.parse::<u8>().is_ok_and(|minute| minute < 60)
}
