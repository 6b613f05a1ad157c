//! Reproductive health: terms in any vehicle, and keys.

use super::sets::reproductive::TIME_TERMS;
pub(super) use super::sets::reproductive::{KEYS, LAST_PERIOD_KEYS, WEAK_KEYS};
use super::{
    Health, Hits, Strength, condition, date,
    lexicon::{Kind, Term},
    sense, shared,
    subject::{Subject, Surroundings},
    text,
};

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Reproductive, strength, rule, shown);
    let is_lmp = subject.leaf_in(LAST_PERIOD_KEYS) && date::parse(subject.value).is_some();
    let keyed = subject.leaf_in(KEYS)
        || is_lmp
        || (subject.leaf_in(WEAK_KEYS) && surroundings.reproductive && surroundings.health());
    if keyed && has_value && !sense::is_of_goods(subject) {
        push(Strength::H3, "reproductive.key", subject.value);
    }
    if sense::is_name(subject) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::Reproductive
            && !sense::means_other(subject, surroundings, *term, sense::REPRODUCTIVE)
    };
    if let Some(term) = (subject.terms.iter().copied())
        .filter(|term| shared::counts(subject, surroundings, *term))
        .find(means_it)
    {
        let keyed = subject.leaf_in(condition::CONDITION_KEYS)
            || subject.leaf_in(condition::DIAGNOSIS_KEYS);
        let is_all = sense::is_element(subject, term.phrase);
        let stated =
            sense::states(subject) && (keyed || (is_all && shared::is_stated(subject, term)));
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "reproductive.term", term.phrase);
    }
    let key_term = (subject.key_terms.iter().copied())
        .filter(means_it)
        .filter(|term| shared::counts_in_key(subject, surroundings, *term))
        .find(|term| !TIME_TERMS.has(term.phrase));
    if let Some(term) = key_term
        && !sense::is_off(subject)
    {
        let affirmed = has_value && !subject.is_context() && !sense::is_of_interface(subject);
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        push(strength, "reproductive.key_name", term.phrase);
    }
}

/// Whether the value or its key is about reproduction.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.term(Kind::Reproductive).is_some() || subject.key_term(Kind::Reproductive).is_some()
}
