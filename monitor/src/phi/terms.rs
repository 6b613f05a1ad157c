//! Words to concepts: which phrases of a text name something of medicine, or of
//! another trade.
//!
//! The phrases are data (`data/phi/terms/`); the build script compiles them into one table of
//! hashes, which is searched with one look for each word and one more for each word that
//! a phrase may go on with.

use std::sync::LazyLock;

use super::{
    stem::{Fnv, GOES_ON, MAX_WORDS},
    table,
};

/// Little-endian: per slot (their number is a power of two) the hash of a phrase
/// (8 bytes, 0: empty), and its tags (8 bytes, one bit each, the highest one if a longer
/// phrase begins so).
static TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/terms.bin"));

/// The names of tags, in the order of their bits, a line each.
static TAGS: &str = include_str!(concat!(env!("OUT_DIR"), "/terms.tags"));

/// The same of words of keys (`data/phi/keys.tsv`).
static KEYS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keys.bin"));

/// The names of their tags.
static KEY_TAGS: &str = include_str!(concat!(env!("OUT_DIR"), "/keys.tags"));

/// [`TAGS`], by bit.
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| TAGS.lines().collect());

/// [`KEY_TAGS`], by bit.
static KEY_NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| KEY_TAGS.lines().collect());

/// The tags that are certain or likely, and of a class of health information.
static SURE: LazyLock<u64> = LazyLock::new(|| {
    let is_sure = |name: &str| {
        let (class, certainty) = name.split_once('.').unwrap_or((name, ""));
        certainty != "w" && !matches!(class, "role" | "body" | "other")
    };
    let names = NAMES.iter().enumerate();
    names
        .filter(|(_, name)| is_sure(name))
        .fold(0, |all, (bit, _)| all | 1 << bit)
});

/// What phrases say, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags(u64);

impl Tags {
    /// Whether one of them is certain or likely, and of a class of health information.
    pub(super) fn are_sure(self) -> bool {
        self.0 & *SURE != 0
    }

    /// The name of every tag in it.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        named(&NAMES, self.0)
    }
}

/// The names of the bits that are set.
fn named(names: &'static [&'static str], bits: u64) -> impl Iterator<Item = &'static str> {
    let mut left = bits;
    std::iter::from_fn(move || {
        let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
        left &= left - 1;
        names.get(bit).copied()
    })
}

fn look(table: &[u8], hash: u64) -> u64 {
    table::look(table, hash).map_or(0, u64::from_le_bytes)
}

/// The phrases of `table` that `words` begin with: how many words, and what they say.
fn phrases<W: AsRef<str>>(table: &[u8], words: &[W]) -> impl Iterator<Item = (usize, u64)> {
    let mut hash = Fnv::new(0);
    let mut goes_on = true;
    let words = words.iter().take(MAX_WORDS).enumerate();
    words
        .map_while(move |(before, word)| {
            if !goes_on {
                return None;
            }
            if before > 0 {
                hash.add(b" ");
            }
            hash.add(word.as_ref().as_bytes());
            let tags = look(table, hash.finish());
            goes_on = tags & GOES_ON != 0;
            Some((before + 1, tags & !GOES_ON))
        })
        .filter(|(_, tags)| *tags != 0)
}

/// What the words of a key, and those that follow one another, say of its value.
pub(super) fn of_key<W: AsRef<str>>(words: &[W]) -> impl Iterator<Item = &'static str> {
    let mut all = 0;
    for first in 0..words.len() {
        for (_, tags) in phrases(KEYS, words.get(first..).unwrap_or_default()) {
            all |= tags;
        }
    }
    named(&KEY_NAMES, all).map(|name| name.split_once('.').map_or(name, |(class, _)| class))
}

/// The longest phrases of `words`, and what they say.
pub(super) fn find<W: AsRef<str>>(words: &[W], mut found: impl FnMut(&[W], Tags)) {
    let mut rest = words;
    while !rest.is_empty() {
        let longest = phrases(TABLE, rest).last();
        let (count, tags) = longest.unwrap_or((1, 0));
        let (phrase, behind) = rest.split_at(count);
        if tags != 0 {
            found(phrase, Tags(tags));
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::stem::stem;

    #[test]
    fn the_longest_phrase_counts() {
        for (words, expected) in [
            ("start metformin today", vec![("metformin", "medication.c")]),
            ("diabetes", vec![("diabete", "condition.c")]),
            ("sleep apnea test", vec![("sleep apnea", "condition.c")]),
            ("", vec![]),
            ("zzzz qqqq", vec![]),
        ] {
            let words: Vec<_> = words.split_whitespace().map(stem).collect();
            let mut found = Vec::new();
            find(&words, |phrase, tags| {
                found.push((phrase.join(" "), tags.names().collect::<Vec<_>>()));
            });
            for (phrase, tag) in &expected {
                let has = |(own, tags): &(String, Vec<&str>)| own == phrase && tags.contains(tag);
                assert!(found.iter().any(has), "{words:?}: {found:?}");
            }
            assert_eq!(
                found.is_empty(),
                expected.is_empty(),
                "{words:?}: {found:?}"
            );
        }
    }
}
