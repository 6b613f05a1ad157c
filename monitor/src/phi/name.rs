//! Names of people: by key only, since everything has a name.

use super::{
    Form, Hits, Identifier, Strength,
    digest::{Digest, digest},
    subject::{Subject, Surroundings},
    text,
};

/// Keys that hold a name or a part of one.
pub(super) const KEYS: &[&str] = &[
    "displayname",
    "f5first",
    "f5last",
    "familyname",
    "firstname",
    "fname",
    "fullname",
    "givenname",
    "lastname",
    "legalname",
    "lname",
    "maidenname",
    "middlename",
    "preferredname",
    "surname",
];

/// Keys that hold one where the object is about a person or the value is hashed.
pub(super) const SHORT_KEYS: &[&str] = &["fi", "fn", "ln"];

/// Words that make `…name` the name of a person.
const PERSON_WORDS: &[&str] = &[
    "beneficiary",
    "contact",
    "customer",
    "guardian",
    "holder",
    "lead",
    "member",
    "patient",
    "person",
    "recipient",
    "subscriber",
];

/// Words that make it the name of something else.
const OTHER_WORDS: &[&str] = &[
    "company",
    "doctor",
    "event",
    "file",
    "group",
    "list",
    "physician",
    "plan",
    "product",
    "program",
    "provider",
    "screen",
    "template",
    "user",
];

/// Longer values are sentences.
const MAX_LENGTH: usize = 80;

/// Names have no more words.
const MAX_WORDS: usize = 6;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    let is_short = leaf.is_in(SHORT_KEYS);
    let is_person_name = leaf.words.last().is_some_and(|word| word == "name")
        && (leaf.folded == "name" && subject.in_person() && !is_metric(subject)
            || leaf.has_word(PERSON_WORDS) && !leaf.has_word(OTHER_WORDS));
    // `hashed_first_name_sdx` is the soundex code of a name.
    let is_soundex = leaf.has_word(&["sdx", "soundex"]) && leaf.has_word(&["name"]);
    if is_soundex && is_soundex_code(subject.value) {
        let code = Digest {
            form: Form::Soundex,
            hex: subject.value.to_ascii_lowercase(),
        };
        hits.hashed(Identifier::Name, Strength::I1, "name.key.soundex", code);
        return;
    }
    let is_hash_key = leaf.has_word(&["sha", "sha256"]) && leaf.has_word(&["name"]);
    if !(leaf.is_in(KEYS) || is_short || is_person_name || is_hash_key) {
        return;
    }
    if let Some(digest) = digest(subject.value) {
        hits.hashed(Identifier::Name, Strength::I2, "name.key.hash", digest);
    } else if (!is_short || subject.in_person()) && is_name(subject) {
        let normalized = text::words(subject.value).join(" ");
        hits.plain(Identifier::Name, Strength::I3, "name.key", normalized);
    }
}

/// Klaviyo writes the name of an event as `metric.data.attributes.name`.
fn is_metric(subject: &Subject<'_>) -> bool {
    subject.under(&["metric", "event"])
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
    subject.is_text()
        && value.len() <= MAX_LENGTH
        && value.split_whitespace().count() <= MAX_WORDS
        && value
            .chars()
            .all(|c| c.is_alphabetic() || " .,'’-".contains(c))
}
