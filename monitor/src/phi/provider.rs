//! Care providers: numbers by key, names by key or title, professions.

use super::sets::provider::{
    BRANDS, DOCTOR_KEYS, OPEN_KEYS, OTHER_PROVIDERS, STATES, TITLES, WORK_KEYS, WORK_WORDS,
};
pub(super) use super::sets::provider::{
    KEYS, NPI_KEYS, NPI_WORDS, SHARED_KEYS, SPECIALTY_KEYS, SPECIALTY_WORDS, WEAK_KEYS,
};
use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Term},
    sense,
    subject::{Subject, Surroundings},
    trade::{Trade, Trades},
};

/// Trades whose doctors, therapists and clinics heal no people.
const OTHER_TRADES: Trades = Trades::of(&[Trade::Car, Trade::Pet, Trade::Game, Trade::Media]);

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Provider, strength, rule, shown);
    let is_number = subject.leaf_in(NPI_KEYS)
        || [subject.leaf(), subject.parent()]
            .into_iter()
            .flatten()
            .any(|key| key.has_word(NPI_WORDS));
    if is_number && is_npi(subject.value) {
        push(Strength::H3, "provider.npi", subject.value);
    }
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    let is_other = trades.meets(OTHER_TRADES)
        || subject.has_word(BRANDS)
        || subject.has_word(OTHER_PROVIDERS)
        || sense::is_filler(subject.value);
    let is_shared = subject.leaf_in(SHARED_KEYS);
    let keyed = (subject.leaf_in(KEYS) && !is_shared) || (is_shared && surroundings.health());
    // `flutter doctor`.
    let is_command = subject.leaf_in(DOCTOR_KEYS)
        && !subject.value.contains(' ')
        && !subject.value.starts_with(char::is_uppercase);
    if keyed && subject.is_text() && !is_other && !is_command {
        push(Strength::H3, "provider.key", subject.value);
    }
    // Companies end in a state too.
    let may_be_state = subject.leaf_in(OPEN_KEYS) && !subject.value.contains(',');
    let has_title = [subject.words().get(0), subject.words().last()]
        .into_iter()
        .flatten()
        .any(|word| TITLES.has(word) && !(may_be_state && STATES.has(word)));
    if subject.leaf_in(WEAK_KEYS) && subject.words().len() > 1 && has_title && !is_other {
        push(Strength::H3, "provider.key.title", subject.value);
    }
    let is_school = trades.meets(Trades::of(&[Trade::School]));
    let is_work = is_school || subject.leaf().is_some_and(|leaf| leaf.has_word(WORK_KEYS));
    if sense::is_name(subject) || is_work || subject.has_word(WORK_WORDS) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::Provider
            && !sense::means_other(subject, surroundings, *term, sense::PROVIDER)
            && (term.phrase != "dr" || (is_title(subject) && surroundings.health()))
    };
    if let Some(term) = subject.terms.iter().copied().find(means_it) {
        let is_specialty = subject.leaf_in(SPECIALTY_KEYS)
            || (subject.leaf()).is_some_and(|leaf| leaf.has_word(SPECIALTY_WORDS));
        let stated = sense::states(subject) && is_specialty;
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "provider.term", term.phrase);
    } else if subject.leaf_in(SPECIALTY_KEYS)
        && sense::states(subject)
        && let Some(term) = subject.term(Kind::Treatment)
    {
        push(Strength::H3, "provider.key.term", term.phrase);
    }
}

/// Whether `dr` stands before a name: a drive stands behind one.
fn is_title(subject: &Subject<'_>) -> bool {
    let mut words = subject
        .words()
        .iter()
        .skip_while(|word| *word != "dr")
        .skip(1);
    words.next().is_some_and(|name| {
        name.chars().count() > 1 && name.chars().all(char::is_alphabetic) && !BRANDS.has(name)
    })
}

/// Ten digits that begin with 1 or 2 and pass the Luhn check with the prefix
/// 80840. One Unix time in ten passes too, so the key is required.
fn is_npi(value: &str) -> bool {
    /// What the prefix adds to the sum.
    const PREFIX_SUM: u32 = 24;
    if value.len() != 10 || !value.starts_with(['1', '2']) {
        return false;
    }
    // Ten times the same digit is what people type to go on.
    let mut digits = value.bytes();
    let first = digits.next();
    if digits.all(|digit| Some(digit) == first) {
        return false;
    }
    let mut sum = PREFIX_SUM;
    for (index, c) in value.chars().enumerate() {
        let Some(digit) = c.to_digit(10) else {
            return false;
        };
        let doubled = digit * 2;
        sum += if index % 2 == 0 {
            doubled / 10 + doubled % 10
        } else {
            digit
        };
    }
    sum.is_multiple_of(10)
}
