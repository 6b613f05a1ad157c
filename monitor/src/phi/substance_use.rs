//! Use of substances and its treatment: terms in any vehicle, and keys.

use super::sets::substance_use::{AMBIGUOUS, INSTRUMENTS, SUBSTANCES};
pub(super) use super::sets::substance_use::{KEYS, SUBSTANCE_WORDS};
use super::{
    Health, Hits, Strength, assessment, condition,
    lexicon::{Kind, Term},
    sense, shared,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::ValueKind;

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::SubstanceUse, strength, rule, shown);
    if subject.leaf_in(KEYS) && has_value {
        push(Strength::H3, "substance_use.key", subject.value);
    }
    if let Some(name) = assessment::instrument_in_key(subject)
        && INSTRUMENTS.has(name)
        && !subject.is_context()
        && (subject.kind == ValueKind::Number || has_value)
    {
        push(Strength::H3, "substance_use.key", subject.value);
    }
    let of_substances = (subject.leaf()).is_some_and(|leaf| leaf.has_word(SUBSTANCE_WORDS));
    if of_substances && sense::states(subject) && subject.has_word(SUBSTANCES) {
        push(Strength::H3, "substance_use.key", subject.value);
    }
    if sense::is_name(subject) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::SubstanceUse
            && !sense::means_other(subject, surroundings, *term, sense::SUBSTANCE_USE)
            && (!AMBIGUOUS.has(term.phrase) || surroundings.health())
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
        push(strength, "substance_use.term", term.phrase);
    }
    if let Some(term) = (subject.key_terms.iter().copied())
        .filter(|term| shared::counts_in_key(subject, surroundings, *term))
        .find(means_it)
        && !sense::is_off(subject)
    {
        let affirmed = has_value && !subject.is_context() && !sense::is_of_interface(subject);
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        push(strength, "substance_use.key_name", term.phrase);
    }
}
