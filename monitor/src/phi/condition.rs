//! Conditions and diagnoses: terms in any vehicle, values of diagnosis keys.

pub(super) use super::sets::condition::{
    ALLERGY_WORDS, COMPLAINT_WORDS, CONDITION_KEYS, DIAGNOSIS_KEYS, DIAGNOSIS_WORDS, HISTORY_WORDS,
};
use super::sets::condition::{
    CARE_WORDS, CONCERN_WORDS, HEALTH_WORDS, MEDICAL_WORDS, REASON_WORDS,
};
use super::{
    Health, Hits, Strength, icd10,
    lexicon::{Kind, Term},
    sense,
    sets::{condition_mental, condition_other},
    shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};

/// Trades that ask what someone must not eat.
const HOSTS: Trades = Trades::of(&[Trade::Food, Trade::Pet, Trade::Travel]);

/// Abbreviations that are longer are words in capitals.
const MAX_ABBREVIATION: usize = 3;

/// Whether a phrase is the name of a condition of the mind.
pub(super) fn is_of_mind(phrase: &str) -> bool {
    condition_mental::TERMS.has(phrase)
}

/// The first condition that the value names and means.
pub(super) fn in_value(subject: &Subject<'_>, surroundings: Surroundings<'_>) -> Option<Term> {
    let terms = subject.terms.iter().copied();
    terms
        .filter(|term| term.kind == Kind::Condition)
        .filter(|term| shared::counts(subject, surroundings, *term))
        .find(|term| !sense::means_other(subject, surroundings, *term, sense::CONDITION))
}

/// The first condition that the keys name and mean.
fn in_keys(subject: &Subject<'_>, surroundings: Surroundings<'_>) -> Option<Term> {
    let terms = subject.key_terms.iter().copied();
    terms
        .filter(|term| term.kind == Kind::Condition)
        .filter(|term| shared::counts_in_key(subject, surroundings, *term))
        .find(|term| !sense::means_other(subject, surroundings, *term, sense::CONDITION))
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    if sense::is_name(subject) {
        return;
    }
    detect_diagnosis(subject, surroundings, hits);
    if let Some(term) = in_value(subject, surroundings) {
        let keyed = subject.leaf_in(CONDITION_KEYS)
            || (subject.leaf())
                .is_some_and(|leaf| leaf.has_word(COMPLAINT_WORDS) || leaf.has_word(REASON_WORDS));
        let is_all = sense::is_element(subject, term.phrase);
        let stated =
            sense::states(subject) && (keyed || (is_all && shared::is_stated(subject, term)));
        let (strength, rule) = if stated {
            (Strength::H3, "condition.key.term")
        } else {
            (Strength::H2, "condition.term")
        };
        hits.health(Health::Condition, strength, rule, term.phrase);
    }
    detect_ambiguous(subject, surroundings, hits);
    if let Some(term) = in_keys(subject, surroundings)
        && !sense::is_off(subject)
    {
        // An answer of no is still an answer, but says less.
        let affirmed = !text::is_negative(subject.value)
            && !subject.is_context()
            && !sense::is_of_interface(subject);
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::Condition,
            strength,
            "condition.key_name",
            term.phrase,
        );
    }
}

/// `diagnosis: …`, whatever it says.
fn detect_diagnosis(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let by_words = subject.leaf().is_some_and(|leaf| {
        leaf.has_word(DIAGNOSIS_WORDS)
            || (leaf.has_word(ALLERGY_WORDS) && !sense::is_of_goods(subject))
            || (leaf.has_word(HISTORY_WORDS) && leaf.has_word(HEALTH_WORDS))
    });
    let keyed = by_words || subject.leaf_in(DIAGNOSIS_KEYS);
    // Guests and pets have allergies too.
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    if trades.meets(HOSTS) {
        return;
    }
    if !keyed || subject.is_context() || !subject.is_text() || sense::is_filler(subject.value) {
        return;
    }
    let leaf_is_medical = subject
        .leaf()
        .is_some_and(|leaf| leaf.has_word(MEDICAL_WORDS) || leaf.folded == "chiefcomplaint");
    let is_medical = leaf_is_medical
        || in_value(subject, surroundings).is_some()
        || icd10::names_code(subject.value)
        || surroundings.health();
    if is_medical {
        hits.health(
            Health::Condition,
            Strength::H3,
            "condition.key",
            subject.value,
        );
    }
}

/// Everyday words count under keys of complaints, and beside words of medicine.
fn detect_ambiguous(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let is_specific = |term: &Term| condition_other::SPECIFIC.has(term.phrase);
    let is_bare = |term: &Term| sense::is_element(subject, term.phrase);
    let term = (subject.terms.iter())
        .filter(|term| term.kind == Kind::AmbiguousCondition)
        .filter(|term| is_specific(term) || is_bare(term))
        .find(|term| !sense::means_other(subject, surroundings, **term, sense::CONDITION));
    let Some(term) = term else { return };
    let (is_specific, is_bare) = (is_specific(term), is_bare(term));
    // `ED`, as clinics write it, and not the name.
    let is_abbreviation = is_bare
        && subject.value.len() <= MAX_ABBREVIATION
        && subject.value.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_complaint = (subject.leaf())
        .is_some_and(|leaf| leaf.has_word(COMPLAINT_WORDS) || leaf.has_word(MEDICAL_WORDS))
        || (subject.leaf_in(CONDITION_KEYS)
            && (((is_specific || is_abbreviation)
                && (subject.leaf()).is_some_and(|leaf| leaf.has_word(CONCERN_WORDS)))
                || surroundings.health()));
    let has_medicine =
        is_specific && (subject.has_word(sense::HEALTH_WORDS) || subject.has_word(CARE_WORDS));
    if is_complaint && sense::states(subject) {
        hits.health(
            Health::Condition,
            Strength::H3,
            "condition.key.term",
            term.phrase,
        );
    } else if has_medicine {
        hits.health(
            Health::Condition,
            Strength::H2,
            "condition.term",
            term.phrase,
        );
    }
}
