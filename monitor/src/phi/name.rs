//! Names of people: by key only, since everything has a name.

use super::sets::name::{
    COMPANIES, HASH_WORDS, NAME_WORDS, NO_NAMES, NOT_PEOPLE, OTHER_OBJECTS, OTHER_WORDS,
    PART_WORDS, PARTICLES, PERSON_PARENTS, PERSON_WORDS, SOUND_WORDS,
};
pub(super) use super::sets::name::{
    INITIAL_KEYS, KEYS, PART_KEYS, SHORT_KEYS, TYPE_KEYS, WHO_KEYS,
};
use super::{
    Form, Hits, Identifier, Strength,
    digest::{Digest, digest},
    key::Key,
    named,
    subject::{Subject, Surroundings},
    text,
};

/// Longer values are sentences.
const MAX_LENGTH: usize = 80;

/// Names have no more words.
const MAX_WORDS: usize = 6;

/// How a key says that it holds a name.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    /// In words.
    Full,
    /// In two letters.
    Short,
    /// It holds an initial.
    Initial,
}

/// Whether the message describes a group of users: a company, a clinic.
pub(super) fn is_group(subject: &Subject<'_>) -> bool {
    subject.value.eq_ignore_ascii_case("group") && subject.leaf_in(TYPE_KEYS)
}

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    let Some(leaf) = named::key(subject) else {
        return;
    };
    let value = subject.value;
    // `hashed_first_name_sdx` is the soundex code of a name.
    if is_soundex_code(value) && leaf.has_word(SOUND_WORDS) && leaf.has_word(PART_WORDS) {
        let code = Digest {
            form: Form::Soundex,
            hex: value.to_ascii_lowercase(),
        };
        hits.hashed(Identifier::Name, Strength::I1, "name.key.soundex", code);
        return;
    }
    // A neighbor's guess: words of health are the name of something else.
    if leaf.folded == "personname" && !subject.terms.is_empty() {
        return;
    }
    let digest = digest(value);
    if digest.is_none() && !is_name(subject) {
        return;
    }
    if around.group && leaf.folded == "name" {
        return;
    }
    let Some(naming) = naming(subject, leaf) else {
        return;
    };
    if let Some(digest) = digest {
        hits.hashed(Identifier::Name, Strength::I2, "name.key.hash", digest);
    } else if naming == Naming::Full || in_person(subject) {
        let strength = if naming == Naming::Initial {
            Strength::I1
        } else {
            Strength::I3
        };
        let normalized = text::words(value).join(" ");
        hits.plain(Identifier::Name, strength, "name.key", normalized);
    }
}

fn naming(subject: &Subject<'_>, leaf: &Key) -> Option<Naming> {
    if leaf.is_in(INITIAL_KEYS) {
        return Some(Naming::Initial);
    }
    if leaf.is_in(SHORT_KEYS) {
        return Some(Naming::Short);
    }
    let under_name = || {
        named::parent(subject)
            .is_some_and(|parent| matches!(parent.folded.as_str(), "name" | "names" | "fullname"))
    };
    let last_word = leaf.words.last().map(String::as_str);
    // Features and pages have a name on display too.
    let is_display =
        leaf.folded == "displayname" && (in_person(subject) || subject.keys.len() == 1);
    let is_full = is_display || named::is(subject, KEYS) && !leaf.has_word(NOT_PEOPLE)
        || last_word == Some("name") && is_person_name(subject, leaf)
        || last_word.is_some_and(|word| PART_KEYS.has(word)) && (
            leaf.words.len() == 1 && (under_name() || in_person(subject))
            || leaf.words.len() > 1 && leaf.has_word(PERSON_WORDS)
        )
        || is_who(subject, leaf)
        // `sha256_first_name`, `hashed_name`.
        || leaf.has_word(HASH_WORDS) && leaf.has_word(NAME_WORDS);
    is_full.then_some(Naming::Full)
}

/// Whether a key that says who someone is holds a first and a last name.
fn is_who(subject: &Subject<'_>, leaf: &Key) -> bool {
    let keyed = leaf.folds_to(WHO_KEYS);
    let starts_upper = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    keyed
        && (2..=MAX_WORDS).contains(&subject.value.split_whitespace().count())
        && subject
            .value
            .split_whitespace()
            .all(|word| starts_upper(word) || PARTICLES.has(word))
        && !subject.has_word(NO_NAMES)
}

/// Whether a key that ends in `name` names a person.
fn is_person_name(subject: &Subject<'_>, leaf: &Key) -> bool {
    if leaf.folded == "name" {
        return in_person(subject) && !subject.under(OTHER_OBJECTS);
    }
    leaf.has_word(PERSON_WORDS) && !leaf.has_word(OTHER_WORDS)
}

fn in_person(subject: &Subject<'_>) -> bool {
    let Some(parent) = named::parent(subject) else {
        return false;
    };
    if parent.folded == "attributes" {
        // Goods and events have attributes too.
        let mut above = subject.keys.iter().rev().skip(2);
        return subject.keys.len() == 2 && subject.value.contains(' ')
            || above.any(|key| key.folded != "attributes" && key.is_person());
    }
    parent.is_person() || parent.is_in(PERSON_PARENTS)
}

fn is_soundex_code(value: &str) -> bool {
    value.len() == 4
        && value.bytes().enumerate().all(|(index, byte)| {
            if index == 0 {
                byte.is_ascii_alphabetic()
            } else {
                byte.is_ascii_digit()
            }
        })
}

fn is_name(subject: &Subject<'_>) -> bool {
    let value = subject.value;
    (1..=MAX_LENGTH).contains(&value.len())
        && value
            .chars()
            .all(|c| c.is_alphabetic() || " .,'’ʼ`\"()-‐\u{300}\u{301}\u{308}".contains(c))
        && value.split_whitespace().count() <= MAX_WORDS
        && subject.is_text()
        && !subject.has_word(COMPANIES)
}
