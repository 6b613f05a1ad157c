//! Terms that medicine shares with everyone else: names of songs, perks, teas
//! and appointments with a hairdresser.
//!
//! Input: a term and the value that it stands in. Output: whether it is meant as
//! medicine means it. The vocabulary of other trades is open, so no list of
//! their words can decide that; what speaks for medicine does. A shared term
//! counts under a key about health, beside a word of medicine, where a person
//! speaks of themself, where nothing but words that say nothing stands beside
//! it, and beside other evidence of health in its event.

use super::sets::shared::{
    ASKING_KEYS, ASKING_WORDS, EVENT_WORDS, OTHER_KEYS, PROGRAM_WORDS, SPEAKERS, TIMES,
};
pub(super) use super::sets::shared::{HEALTH_KEYS, WORK_WORDS};
use super::sets::shared_words::{EMPTY_WORDS, HEALTH_WORDS, TERMS};
use super::{
    key::Key,
    lexicon::{Kind, Term},
    sense,
    sets::WordSet,
    subject::{Subject, Surroundings, Vehicle},
    text::{self, Words},
    trade::{self, Trades},
};

/// A text of fewer words is a title, whoever speaks in it.
const MIN_SPEECH: usize = 6;

/// Whether a term of medicine in the value means what medicine means.
pub(super) fn counts(subject: &Subject<'_>, surroundings: Surroundings<'_>, term: Term) -> bool {
    if TERMS.has(term.phrase) {
        return is_medical(subject, surroundings, term);
    }
    !is_of_others(subject)
        || subject.is_context()
        || is_keyed(subject, term)
        || has_medicine(subject, term.phrase)
}

/// Whether something makes a shared term one of medicine.
pub(super) fn is_medical(
    subject: &Subject<'_>,
    surroundings: Surroundings<'_>,
    term: Term,
) -> bool {
    if is_keyed(subject, term) {
        return true;
    }
    let is_name = is_of_others(subject) && !subject.is_context();
    if is_of_trade(subject, surroundings) || is_name || subject.has_word(WORK_WORDS) {
        return false;
    }
    has_medicine(subject, term.phrase)
        || is_speech(subject)
        || (!TIMES.has(term.phrase)
            && is_named(subject)
            && is_bare(subject, term.phrase, WordSet::NONE))
        || surroundings.health()
}

/// Whether a term that is all of the value states something about someone.
pub(super) fn is_stated(subject: &Subject<'_>, term: Term) -> bool {
    !is_of_others(subject) && (!TERMS.has(term.phrase) || is_keyed(subject, term))
}

/// Whether a shared term in the keys of a value means what medicine means:
/// beside other words that are not of medicine it does not.
pub(super) fn counts_in_key(
    subject: &Subject<'_>,
    surroundings: Surroundings<'_>,
    term: Term,
) -> bool {
    if !TERMS.has(term.phrase) {
        return true;
    }
    if is_of_trade(subject, surroundings) {
        return false;
    }
    let is_plain = |key: &Key| {
        let mut words = key.words.iter().map(String::as_str);
        let own = |word: &str| is_of(term.phrase, word);
        key.words.iter().any(|word| own(word))
            && words.all(|word| own(word) || is_empty(word) || is_of_health(word) || is_grade(word))
    };
    subject.keys.iter().rev().take(2).any(|key| is_plain(key)) || surroundings.health()
}

/// Whether the event or the value is of a trade that uses words of medicine.
fn is_of_trade(subject: &Subject<'_>, surroundings: Surroundings<'_>) -> bool {
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    trades.meets(trade::SHARING)
}

/// Whether the last keys are about someone's health.
fn is_keyed(subject: &Subject<'_>, term: Term) -> bool {
    let last = || subject.keys.iter().rev().take(2);
    !subject.is_context()
        && (last().any(|key| key.has_word(HEALTH_KEYS))
            || ((subject.leaf_in(ASKING_KEYS) || last().any(|key| key.has_word(ASKING_WORDS)))
                && (sense::is_element(subject, term.phrase)
                    || is_bare(subject, term.phrase, WordSet::NONE)
                    || has_medicine(subject, term.phrase))))
}

/// Whether the keys are of another trade.
pub(super) fn is_of_others(subject: &Subject<'_>) -> bool {
    (subject.keys.iter().rev().take(2)).any(|key| key.has_word(OTHER_KEYS))
}

/// Whether the value names an event, a page or a topic: by its key, or as only
/// events are named.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.is_context()
        || subject.leaf_in(sense::CONTENT_KEYS)
        || (subject.leaf()).is_some_and(|leaf| leaf.has_word(PROGRAM_WORDS))
        || (!is_of_others(subject) && subject.has_word(EVENT_WORDS))
}

/// Whether a word of medicine that is not the term's own stands in the value.
pub(super) fn has_medicine(subject: &Subject<'_>, phrase: &str) -> bool {
    let is_clear = |term: &Term| {
        term.phrase != phrase
            && !TERMS.has(term.phrase)
            && matches!(
                term.kind,
                Kind::Condition | Kind::Drug | Kind::Instrument | Kind::Item | Kind::Procedure
            )
    };
    subject
        .words()
        .iter()
        .any(|word| is_of_health(word) && !is_of(phrase, word))
        || subject.terms.iter().any(is_clear)
}

/// Whether someone speaks.
fn is_speech(subject: &Subject<'_>) -> bool {
    subject.words().len() >= MIN_SPEECH && subject.has_word(SPEAKERS)
}

/// Whether nothing but empty words, words of `others`, words of medicine and
/// terms of health stand beside the phrase: in the whole value, or in one
/// segment of an address.
pub(super) fn is_bare(subject: &Subject<'_>, phrase: &str, others: WordSet) -> bool {
    if subject.vehicle != Vehicle::Url || !subject.value.contains('/') {
        return is_bare_in(subject.words(), subject, phrase, others);
    }
    subject.value.split(['/', '?', '#', '&', '=']).any(|part| {
        let words = text::words(part);
        let has = |own: &str| words.iter().any(|word| is_of(own, word));
        (phrase.split(' ').all(has) || words.iter().any(|word| is_joined(phrase, word)))
            && is_bare_in(&words, subject, phrase, others)
    })
}

fn is_bare_in(words: &Words, subject: &Subject<'_>, phrase: &str, others: WordSet) -> bool {
    let is_own = |word: &str| {
        let terms = subject.terms.iter().filter(|term| !is_trade(term));
        is_of(phrase, word) || terms.map(|term| term.phrase).any(|own| is_of(own, word))
    };
    words
        .iter()
        .all(|word| is_own(word) || is_empty(word) || is_of_health(word) || others.has(word))
}

fn is_trade(term: &Term) -> bool {
    matches!(term.kind, Kind::Trade(_))
}

/// Whether `word` is one of `phrase`, in the singular or plural.
fn is_of(phrase: &str, word: &str) -> bool {
    phrase
        .split(' ')
        .any(|own| own == word || word.strip_suffix('s') == Some(own))
        || is_joined(phrase, word)
}

/// Whether `word` is `phrase` in one word.
fn is_joined(phrase: &str, word: &str) -> bool {
    phrase.contains(' ')
        && word.trim_end_matches('s').bytes().eq(phrase
            .trim_end_matches('s')
            .bytes()
            .filter(|byte| *byte != b' '))
}

/// Whether `word` is one of medicine.
pub(super) fn is_of_health(word: &str) -> bool {
    sense::HEALTH_WORDS.has(word) || HEALTH_WORDS.has(word)
}

/// Whether `word` says nothing.
pub(super) fn is_empty(word: &str) -> bool {
    EMPTY_WORDS.has(word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `word` of a key says how much.
fn is_grade(word: &str) -> bool {
    matches!(
        word,
        "history"
            | "scale"
            | "score"
            | "band"
            | "risk"
            | "days"
            | "duration"
            | "frequency"
            | "grade"
            | "id"
            | "level"
            | "name"
            | "onset"
            | "severity"
            | "stage"
            | "status"
            | "type"
            | "value"
    )
}
