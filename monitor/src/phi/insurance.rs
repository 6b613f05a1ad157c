//! Insurance and benefits: keys, and names of plans and insurers.

use super::sets::insurance::{
    AMBIGUOUS, BRANCHES, GENERIC, HEALTH_WORDS, INSURANCE_KEYS, INSURANCE_WORDS, NETWORKS,
    OTHER_INSURERS, OTHER_KINDS, OTHER_WORDS,
};
pub(super) use super::sets::insurance::{KEYS, WEAK_KEYS, WORDS};
use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Term},
    sense, shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};
use crate::field::ValueKind;

/// Trades in whose events insurance, deductibles and payers are theirs.
const OTHER_TRADES: Trades = Trades::of(&[Trade::OtherInsurance, Trade::Pet]);

/// Whether the event is about health insurance: `named` says that a value or a
/// key of it names insurance, `certain` that one names an insurer.
pub(super) fn is_of_health(named: bool, certain: bool, trades: Trades) -> bool {
    certain || (named && !trades.meets(OTHER_TRADES))
}

/// Whether the value or its key names insurance.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    is_key(subject, Surroundings::default()) && has_value(subject)
}

/// Whether the value names health insurance or an insurer.
pub(super) fn is_certain(subject: &Subject<'_>) -> bool {
    payer(subject, Surroundings::default()).is_some()
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Insurance, strength, rule, shown);
    let has_value = has_value(subject);
    let keyed = is_key(subject, surroundings);
    if keyed && has_value {
        push(Strength::H3, "insurance.key", subject.value);
    }
    // Payment interfaces call a customer `payer` too, but not by a text.
    let is_payer = subject
        .leaf()
        .is_some_and(|leaf| matches!(leaf.folded.as_str(), "payer" | "payor"))
        && subject.is_text()
        && subject.value.contains(' ')
        && (subject.has_word(INSURANCE_WORDS) || subject.words().iter().any(shared::is_of_health));
    let under_insurance = subject.under(WORDS) && !subject.under(OTHER_WORDS);
    let is_other = is_of_other(subject) || is_of_other_trade(subject, surroundings);
    let weak = subject.leaf_in(WEAK_KEYS) && !is_other;
    let is_network = subject.has_word(NETWORKS);
    if has_value
        && (weak && (surroundings.insurance || under_insurance || is_network)
            || is_payer && !is_other)
    {
        push(Strength::H3, "insurance.key.context", subject.value);
    }
    if let Some(term) = payer(subject, surroundings) {
        let stated = (weak || keyed) && has_value;
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "insurance.term", term.phrase);
    }
}

/// Whether the value says more than that there is none.
fn has_value(subject: &Subject<'_>) -> bool {
    !text::is_negative(subject.value) && !sense::is_off(subject)
}

fn is_key(subject: &Subject<'_>, surroundings: Surroundings) -> bool {
    // Parcels are insured or not.
    let is_flag = subject.leaf_in(INSURANCE_KEYS)
        && (subject.kind == ValueKind::Literal || subject.value.eq_ignore_ascii_case("yes"));
    subject.leaf_in(KEYS)
        && !is_flag
        && !is_of_other(subject)
        && !is_of_other_trade(subject, surroundings)
        && !sense::is_of_interface(subject)
        && !subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(OTHER_WORDS))
        && !subject.under(OTHER_WORDS)
}

/// Whether the value names insurance of something else.
pub(super) fn is_of_other(subject: &Subject<'_>) -> bool {
    subject.has_word(OTHER_WORDS)
        && !subject.has_word(BRANCHES)
        && payer(subject, Surroundings::default()).is_none()
        || subject.has_word(OTHER_KINDS)
        || subject.has_word(OTHER_INSURERS)
}

/// Whether the event is about insurance of something else, and the value does
/// not say otherwise.
fn is_of_other_trade(subject: &Subject<'_>, surroundings: Surroundings) -> bool {
    surroundings.trades.meets(OTHER_TRADES)
        && !subject.has_word(BRANCHES)
        && !subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(HEALTH_WORDS))
        && subject
            .term(Kind::Payer)
            .is_none_or(|term| AMBIGUOUS.has(term.phrase))
}

/// The insurer or plan that the value names.
fn payer(subject: &Subject<'_>, surroundings: Surroundings) -> Option<Term> {
    if sense::is_name(subject) && !subject.leaf_in(KEYS) {
        return None;
    }
    let is_generic = |term: &Term| GENERIC.has(term.phrase);
    let is_ambiguous = |term: &Term| AMBIGUOUS.has(term.phrase);
    (subject.terms.iter().copied())
        .filter(|term| term.kind == Kind::Payer)
        .find(|term| {
            let other = is_generic(term)
                && (subject.has_word(OTHER_KINDS) || is_of_other_trade(subject, surroundings));
            let clear = !is_ambiguous(term)
                || sense::beside(subject, INSURANCE_WORDS)
                || surroundings.insurance && sense::is_element(subject, term.phrase);
            !other && clear
        })
}
