//! What an event says, as facts that a fitted score adds up.
//!
//! Input: the fields of a message and where they stand. Output: for every field the
//! facts of its key, of its words and of its position. A fact is a kind and a text,
//! known by its hash; whether it means anything is a matter of data.

use std::borrow::Cow;

use super::{
    key::Key,
    path::{Layout, PathId, Paths},
    stem::{Fnv, stem},
    subject::{Vehicle, words_of},
    terms,
    text::{self, Words},
};
use crate::field::{Fields, Part, StepId, ValueKind};

/// Words of one value that give facts.
const MAX_WORDS: usize = 96;
/// Words whose beginning and end are facts have at least so many letters.
const MIN_AFFIXED: usize = 6;
/// Shorter values are no random tokens.
const MIN_TOKEN: usize = 8;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum FactKind {
    /// A word of the last key.
    KeyWord = b'k',
    /// A word of a value.
    Word = b'v',
    /// Two words of a value that follow one another.
    Pair = b'b',
    /// How a word begins.
    Beginning = b'a',
    /// How a word ends.
    Ending = b's',
    /// A key whose value is yes.
    Yes = b'y',
    /// A key whose value is a number.
    Number = b'n',
    /// A class of evidence, and how strong it is.
    Evidence = b'o',
    /// A concept of the lexicon, and where it stands.
    Concept = b'c',
    /// A phrase of the lexicon that is sure enough.
    Phrase = b'm',
    /// At least so many different phrases of the lexicon.
    Count = b'h',
    /// What every event has.
    Always = b'_',
}

/// One fact.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// What it is about.
    pub kind: FactKind,
    /// The first text.
    pub first: &'a str,
    /// The second text, or none.
    pub second: &'a str,
}

impl Fact<'_> {
    /// The number by which the score knows it.
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv::new(self.kind as u8);
        hash.add(self.first.as_bytes());
        if !self.second.is_empty() {
            hash.add(b"=");
            hash.add(self.second.as_bytes());
        }
        hash.finish()
    }
}

/// The counts of different phrases that are facts of their own.
const COUNTS: [(usize, &str); 7] = [
    (1, "1"),
    (2, "2"),
    (3, "3"),
    (4, "4"),
    (5, "5"),
    (7, "7"),
    (10, "10"),
];

/// The facts of how many different phrases an event has.
pub(super) fn counts(phrases: usize) -> impl Iterator<Item = Fact<'static>> {
    let reached = COUNTS.iter().filter(move |(count, _)| *count <= phrases);
    reached.map(|(_, name)| fact(FactKind::Count, name, ""))
}

/// Takes facts of the field at an index.
pub(super) type Take<'t> = dyn FnMut(usize, Fact<'_>) + 't;

/// Gives every fact of the fields.
///
/// `identifies` says of each field whether it is an identifier: the words of such a
/// value are names. `contexts` are those of [`contexts`].
pub(super) fn facts(
    fields: &Fields,
    ids: &[Option<PathId>],
    paths: &Paths,
    identifies: &[bool],
    contexts: &[bool],
    take: &mut Take<'_>,
) {
    for (index, id) in ids.iter().enumerate() {
        let (Some(field), Some(id)) = (fields.get(index), *id) else {
            continue;
        };
        if field.part() == Part::Header {
            continue;
        }
        let path = paths.get(id);
        if path.vehicle == Some(Vehicle::Opaque) {
            continue;
        }
        let value = super::subject::examined(&field);
        let mut take = |fact: Fact<'_>| take(index, fact);
        let leaf = path.keys.last().map(AsRef::as_ref);
        if let Some(leaf) = leaf {
            of_key(leaf, &mut take);
        }
        let leaf = leaf.map_or("", |leaf| leaf.folded.as_str());
        if identifies.get(index) == Some(&true) {
            continue;
        }
        match field.kind() {
            ValueKind::Number => take(fact(FactKind::Number, leaf, "")),
            ValueKind::Literal => {
                if value == "true" {
                    take(fact(FactKind::Yes, leaf, ""));
                }
            }
            ValueKind::Text => {
                let is_context = contexts.get(index) == Some(&true);
                of_text(value, leaf, is_context, &mut take);
            }
        }
    }
}

const fn fact<'a>(kind: FactKind, first: &'a str, second: &'a str) -> Fact<'a> {
    Fact {
        kind,
        first,
        second,
    }
}

fn of_key(key: &Key, take: &mut dyn FnMut(Fact<'_>)) {
    let words: Vec<Cow<'_, str>> = key
        .words
        .iter()
        .take(MAX_WORDS)
        .map(|word| stem(word))
        .collect();
    for word in &words {
        take(fact(FactKind::KeyWord, word, ""));
    }
    concepts(&words, "key", take);
}

fn of_text(value: &str, leaf: &str, is_context: bool, take: &mut dyn FnMut(Fact<'_>)) {
    if value.is_empty() || text::is_code(value) && value.len() > 24 || is_token(value) {
        return;
    }
    if value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".-+, /:%".contains(&byte))
    {
        take(fact(FactKind::Number, leaf, ""));
        return;
    }
    if matches!(
        value.to_ascii_lowercase().as_str(),
        "yes" | "true" | "y" | "ja" | "oui" | "si"
    ) {
        take(fact(FactKind::Yes, leaf, ""));
    }
    let words = words_of(local(value));
    let words: Vec<Cow<'_, str>> = stems(&words);
    concepts(&words, if is_context { "context" } else { "value" }, take);
    let mut before: Option<&str> = None;
    for word in &words {
        take(fact(FactKind::Word, word, ""));
        if let Some(before) = before {
            take(fact(FactKind::Pair, before, word));
        }
        before = Some(word);
        affixes(word, take);
    }
}

/// Whether a value is one random token, in which chance spells words: letters and digits
/// take turns at least three times.
fn is_token(value: &str) -> bool {
    let bytes = value.as_bytes();
    let turns = bytes
        .windows(2)
        .filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit());
    bytes.len() >= MIN_TOKEN && bytes.iter().all(u8::is_ascii_alphanumeric) && turns.count() >= 3
}

/// What the lexicon knows of the words.
fn concepts(words: &[Cow<'_, str>], place: &str, take: &mut dyn FnMut(Fact<'_>)) {
    terms::find(words, |phrase, tags| {
        for tag in tags.names() {
            take(fact(FactKind::Concept, tag, place));
            if place != "key" {
                take(fact(FactKind::Concept, tag, ""));
            }
        }
        if tags.are_sure() {
            take(fact(FactKind::Phrase, &phrase.join(" "), ""));
        }
    });
}

fn affixes(word: &str, take: &mut dyn FnMut(Fact<'_>)) {
    if word.chars().count() < MIN_AFFIXED || !word.chars().all(char::is_alphabetic) {
        return;
    }
    let at = |count: usize| {
        word.char_indices()
            .nth(count)
            .map_or(word.len(), |(at, _)| at)
    };
    let back = |count: usize| {
        let chars = word.chars().count();
        at(chars.saturating_sub(count))
    };
    for count in [4, 5] {
        take(fact(FactKind::Beginning, &word[..at(count)], ""));
        take(fact(FactKind::Ending, &word[back(count)..], ""));
    }
}

/// Of each field, whether its value names what happened or where, instead of stating
/// something: names of events, titles, addresses and their parts.
pub(super) fn contexts(
    fields: &Fields,
    ids: &[Option<PathId>],
    layout: &Layout,
    paths: &Paths,
) -> Vec<bool> {
    // The last address; its parts follow it.
    let mut address: Option<StepId> = None;
    let fields = fields.iter().zip(ids);
    fields
        .map(|(field, id)| {
            let is_part = field
                .step()
                .zip(address)
                .is_some_and(|(step, outer)| step != outer && layout.is_below(step, outer));
            let value = field.value().trim_start();
            let mut begins = ["http://", "https://", "/"].iter();
            let is_address = begins.any(|beginning| value.starts_with(beginning));
            if is_address && !is_part {
                address = field.step();
            }
            let is_named = id.is_some_and(|id| paths.get(id).vehicle.is_some());
            is_named || is_part || is_address || field.part() == Part::Path
        })
        .collect()
}

/// An address without its scheme and host.
fn local(value: &str) -> &str {
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    match rest {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => value,
    }
}

fn stems(words: &Words) -> Vec<Cow<'_, str>> {
    words.iter().take(MAX_WORDS).map(stem).collect()
}
