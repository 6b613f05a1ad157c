//! Treatments and therapies: terms in any vehicle, values of therapy keys.

use super::sets::treatment::{AMBIGUOUS, OPEN_KEYS, PRODUCT_KEYS, SHARED_KEYS, TERM_WORDS};
pub(super) use super::sets::treatment::{KEYS, TERM_KEYS};
use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Term},
    sense,
    sets::WordSet,
    shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};

/// Trades that treat things.
const OTHER_TRADES: Trades = Trades::of(&[Trade::Beauty, Trade::Car, Trade::Pet, Trade::Property]);

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Treatment, strength, rule, shown);
    let is_shared = subject.leaf_in(SHARED_KEYS);
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    let keyed = subject.leaf_in(KEYS)
        && !is_shared
        && !trades.meets(OTHER_TRADES)
        && !sense::is_of_goods(subject)
        && !sense::is_filler(subject.value);
    let is_of_care = || {
        let is_medical = |term: &Term| !matches!(term.kind, Kind::Trade(_));
        !subject.leaf_in(OPEN_KEYS)
            || subject.terms.iter().any(is_medical)
            || subject.words().iter().any(shared::is_of_health)
            || surroundings.health()
    };
    if keyed && subject.is_text() && !is_wares(subject) && is_of_care() {
        push(Strength::H3, "treatment.key", subject.value);
    }
    if sense::is_name(subject) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::Treatment
            && !subject.has_word(shared::WORK_WORDS)
            && !sense::means_other(subject, surroundings, *term, sense::TREATMENT)
    };
    let keyed = subject.leaf_in(TERM_KEYS)
        || subject.leaf_in(KEYS)
        || (subject.leaf()).is_some_and(|leaf| leaf.has_word(TERM_WORDS));
    let counts = |term: &Term| {
        means_it(term)
            && (keyed || shared::counts(subject, surroundings, *term))
            && (!AMBIGUOUS.has(term.phrase)
                || keyed
                    && sense::states(subject)
                    && !subject.leaf_in(PRODUCT_KEYS)
                    && shared::is_bare(subject, term.phrase, WordSet::NONE)
                || has_medicine(subject, term.phrase))
    };
    let in_keys = |term: &Term| {
        means_it(term)
            && shared::counts_in_key(subject, surroundings, *term)
            && (!AMBIGUOUS.has(term.phrase) || surroundings.health())
    };
    if let Some(term) = subject.terms.iter().copied().find(counts) {
        let stated = sense::states(subject) && keyed;
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "treatment.term", term.phrase);
    } else if let Some(term) = subject.key_terms.iter().copied().find(in_keys)
        && !sense::is_off(subject)
        && !text::is_negative(subject.value)
    {
        push(Strength::H2, "treatment.key_name", term.phrase);
    }
}

/// Whether a word of medicine other than those of the term stands beside it.
fn has_medicine(subject: &Subject<'_>, phrase: &str) -> bool {
    (subject.words().iter())
        .filter(|word| !phrase.split(' ').any(|own| own == *word))
        .any(|word| sense::HEALTH_WORDS.has(word))
}

/// Whether the value names a plan to care for a thing.
fn is_wares(subject: &Subject<'_>) -> bool {
    (sense::TREATMENT.iter())
        .filter(|sense| sense.phrases.has("care plan"))
        .any(|sense| subject.has_word(sense.words))
}
