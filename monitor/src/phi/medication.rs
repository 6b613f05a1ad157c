//! Drugs: names in any vehicle, names by their stem, values of medication keys,
//! codes by key.
//!
//! A name that is also a first name, a city or a battery needs a key, a dose, or
//! other evidence beside it.

use super::sets::medication::{
    ALLERGY_WORDS, CART_KEYS, DOSE_UNITS, DOSE_WORDS, OBJECT_WORDS, OPTICAL_KEYS, OPTICAL_WORDS,
    ROUTES, SHARED_KEYS, SHORT_KEYS, SIG_KEYS, SIG_WORDS, STEMS, SUPPLY_WORDS,
};
pub(super) use super::sets::medication::{
    DETAIL_KEYS, DOSE_KEYS, KEYS, NDC_KEYS, NDC_WORDS, RXNORM_KEYS, RXNORM_WORDS, SIG_KEY_WORDS,
};
use super::{
    Health, Hits, Strength,
    coding::{self, System},
    key::Key,
    lexicon::{Kind, Term},
    sense,
    sets::medication_ambiguous,
    shared,
    subject::{Subject, Surroundings, Vehicle},
    text,
    trade::{Trade, Trades},
};

/// Whether the value or its key is about a drug.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.term(Kind::Drug).is_some()
        || subject.key_term(Kind::Drug).is_some()
        || (is_key(subject) && subject.is_text())
        || (is_ndc_key(subject) && is_ndc(subject.value))
        || (subject.leaf_in(DETAIL_KEYS) && !text::is_negative(subject.value))
}

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    // A page or an event about a drug says less than a property that names it,
    // and than one that says how much of it.
    let in_context = (subject.is_context() || sense::is_of_goods(subject))
        && !subject.has_word(DOSE_WORDS)
        && !subject.has_word(SUPPLY_WORDS);
    let mut hit = |rule: &'static str, normalized: &str| {
        let strength = if in_context && matches!(rule, "medication.name" | "medication.stem") {
            Strength::H2
        } else {
            Strength::H3
        };
        hits.health(Health::Medication, strength, rule, normalized);
    };
    let named = subject
        .term(Kind::Drug)
        .or_else(|| subject.key_term(Kind::Drug));
    // What someone does not take.
    let is_allergy = subject
        .leaf()
        .is_some_and(|leaf| leaf.has_word(ALLERGY_WORDS));
    let is_title = is_allergy || is_title(subject, around);
    if let Some(drug) = named.filter(|drug| !is_title && is_meant(subject, around, *drug)) {
        hit("medication.name", drug.phrase);
    } else if let Some(drug) = ambiguous(subject, around) {
        hit("medication.key.name", drug.phrase);
    } else if may_have(subject.value) {
        hit("medication.stem", subject.value);
    }
    let is_animal = around.trades.meets(ANIMALS);
    if !is_animal
        && (is_key(subject) || (subject.leaf_in(SHORT_KEYS) && around.medication))
        && subject.is_text()
    {
        hit("medication.key", subject.value);
    }
    if let Some((rule, code)) = code(subject, around) {
        hit(rule, code);
    }
    if is_detail(subject, around) && !text::is_negative(subject.value) {
        hit("medication.key.detail", subject.value);
    }
}

/// Whether the key says that the text is a drug, whatever it is.
fn is_key(subject: &Subject<'_>) -> bool {
    subject.leaf_in(KEYS)
        && !subject.leaf_in(SHARED_KEYS)
        && !(subject.leaf_in(OPTICAL_KEYS) && subject.has_word(OPTICAL_WORDS))
        && (!subject.leaf_in(SHORT_KEYS)
            || subject.words().len() > 1
            || subject.has_word(DOSE_WORDS))
}

/// Whether a name that everyone knows is that of a drug here.
fn is_meant(subject: &Subject<'_>, around: Surroundings<'_>, drug: Term) -> bool {
    if subject.term(Kind::Drug) == Some(drug) {
        subject.has_word(DOSE_WORDS) || shared::counts(subject, around, drug)
    } else {
        shared::counts_in_key(subject, around, drug)
    }
}

/// Trades that give their songs, heroes and animals the names of drugs.
const NAMING: Trades = Trades::of(&[Trade::Game, Trade::Media]);
const ANIMALS: Trades = Trades::of(&[Trade::Pet]);

/// Whether a drug in the value is the name of a work or an animal.
fn is_title(subject: &Subject<'_>, around: Surroundings<'_>) -> bool {
    let is_of_trade = Trades::of_subject(subject).meets(NAMING) || around.trades.meets(ANIMALS);
    is_of_trade
        && !subject.leaf_in(KEYS)
        && !subject.under(OBJECT_WORDS)
        && !subject.has_word(DOSE_WORDS)
}

/// An ambiguous name that something makes one of a drug.
fn ambiguous(subject: &Subject<'_>, around: Surroundings<'_>) -> Option<Term> {
    let of_kind = |terms: &[Term]| {
        let drugs = terms.iter().copied();
        drugs
            .filter(|term| term.kind == Kind::AmbiguousDrug)
            .collect::<Vec<_>>()
    };
    let terms = of_kind(&subject.terms);
    if let Some(first) = terms.first() {
        let is_keyed = subject.leaf_in(KEYS) || subject.under(OBJECT_WORDS);
        if is_keyed || subject.has_word(DOSE_WORDS) {
            return Some(*first);
        }
    }
    // Of a hormone there are levels too.
    if subject.term(Kind::Lab).is_some() || subject.key_term(Kind::Lab).is_some() {
        return None;
    }
    let substance = of_kind(subject.key_terms)
        .into_iter()
        .chain(terms)
        .find(|term| medication_ambiguous::SUBSTANCES.has(term.phrase))?;
    around.health().then_some(substance)
}

/// Plants and machines have doses too, and carts have quantities.
fn is_detail(subject: &Subject<'_>, around: Surroundings<'_>) -> bool {
    if subject.leaf_in(DETAIL_KEYS) || is_direction(subject) {
        return true;
    }
    if !subject.leaf_in(DOSE_KEYS) {
        return false;
    }
    let in_object = subject.under(OBJECT_WORDS);
    let is_sig = || subject.leaf_in(SIG_KEYS) && subject.has_word(SIG_WORDS);
    in_object || is_sig() || (around.medication && !subject.leaf_in(CART_KEYS))
}

/// Whether the value says how or how much of a drug to take.
fn is_direction(subject: &Subject<'_>) -> bool {
    let is_keyed = (subject.leaf()).is_some_and(|leaf| leaf.has_word(SIG_KEY_WORDS));
    let has_form = subject.has_word(SIG_WORDS) || subject.has_word(DOSE_UNITS);
    is_keyed && subject.is_text() && has_form && subject.has_word(ROUTES)
}

fn is_ndc_key(subject: &Subject<'_>) -> bool {
    let has_word = |key: &Key| key.has_word(NDC_WORDS);
    subject.leaf_in(NDC_KEYS)
        || [subject.leaf(), subject.parent()]
            .into_iter()
            .flatten()
            .any(has_word)
}

/// The code in the value and the rule by which it counts.
fn code<'a>(subject: &Subject<'a>, around: Surroundings<'_>) -> Option<(&'static str, &'a str)> {
    let named = subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Drug);
    if (named || is_ndc_key(subject)) && is_ndc(subject.value) {
        return Some(("medication.ndc", subject.value));
    }
    let has_word = |key: &Key| key.has_word(RXNORM_WORDS);
    let is_keyed = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(has_word);
    let is_keyed = is_keyed || subject.leaf_in(RXNORM_KEYS);
    ((named || is_keyed) && is_rxcui(subject.value)).then_some(("medication.rxcui", subject.value))
}

/// Two to eight digits.
fn is_rxcui(value: &str) -> bool {
    (2..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Eleven digits, or ten or eleven in three groups (package) or two (product).
fn is_ndc(value: &str) -> bool {
    /// Lengths of the groups; a product has no third.
    const SHAPES: &[[usize; 3]] = &[
        [4, 4, 2],
        [5, 3, 2],
        [5, 4, 1],
        [5, 4, 2],
        [4, 4, 0],
        [5, 3, 0],
        [5, 4, 0],
        [11, 0, 0],
    ];
    let mut lengths = [0; 3];
    let mut groups = value.split('-');
    for length in &mut lengths {
        let group = groups.next().unwrap_or_default();
        if !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        *length = group.len();
    }
    groups.next().is_none() && value != "00000000000" && SHAPES.contains(&lengths)
}

/// Letters of a stem, both inclusive.
const ENDINGS: std::ops::RangeInclusive<usize> = 3..=10;

/// Letters of a name by its stem, both inclusive.
const STEM_LENGTHS: std::ops::RangeInclusive<usize> = 8..=MAX_NAME;

/// Letters of the longest such name.
const MAX_NAME: usize = 28;

/// Whether a text is one word that ends like only drugs do, as the World Health
/// Organization gives out names: no other word of an English dictionary of
/// 160,000 words does.
pub(super) fn may_have(value: &str) -> bool {
    let bytes = value.as_bytes();
    if !STEM_LENGTHS.contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut name = [0_u8; MAX_NAME];
    for (place, byte) in name.iter_mut().zip(bytes) {
        *place = byte.to_ascii_lowercase();
    }
    let name = str::from_utf8(&name).unwrap_or_default();
    let name = name.get(..bytes.len()).unwrap_or_default();
    ENDINGS.into_iter().any(|length| {
        let stem = name.len().checked_sub(length).and_then(|at| name.get(at..));
        stem.is_some_and(|stem| STEMS.has(stem))
    })
}
