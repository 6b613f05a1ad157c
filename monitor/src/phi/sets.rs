//! Sets of words, which are data (`data/phi/words/`): keys, words of keys and values,
//! phrases.
//!
//! The build script numbers the sets and compiles them into one index, so that one look
//! at a word tells all sets that it is in.

use super::{stem::Fnv, table};

include!(concat!(env!("OUT_DIR"), "/sets.rs"));

/// Little-endian: per slot the hash of a word (8 bytes, 0: empty) and where its sets
/// stand in [`ENTRIES`] (4 bytes).
static SLOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sets.slots"));

/// Per word: how many sets it is in (1 byte), and their numbers (2 bytes each).
static ENTRIES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sets.entries"));

/// Words of 64 bits that hold a bit for each set.
const BLOCKS: usize = LISTS.len().div_ceil(64);

/// One set of words, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WordSet(pub(super) u16);

impl WordSet {
    /// The one without words.
    pub(super) const NONE: Self = Self(u16::MAX);

    /// Whether `word` is in it.
    pub(super) fn has(self, word: &str) -> bool {
        numbers(word).any(|number| number == self.0)
    }

    /// Its words, in the order of the data.
    pub(super) fn iter(self) -> impl DoubleEndedIterator<Item = &'static str> + Clone {
        self.words().iter().copied()
    }

    /// Whether there are none.
    pub(super) fn is_empty(self) -> bool {
        self.words().is_empty()
    }

    fn words(self) -> &'static [&'static str] {
        LISTS.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

/// The sets that some words are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sets([u64; BLOCKS]);

impl Sets {
    /// Those that one of `words` is in.
    pub(super) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sets = Self([0; BLOCKS]);
        for number in words.into_iter().flat_map(numbers) {
            if let Some(block) = sets.0.get_mut(usize::from(number / 64)) {
                *block |= 1 << (number % 64);
            }
        }
        sets
    }

    /// Whether `set` is among them.
    pub(super) fn has(&self, set: WordSet) -> bool {
        let block = self.0.get(usize::from(set.0 / 64)).copied();
        block.unwrap_or_default() >> (set.0 % 64) & 1 == 1
    }
}

/// The numbers of the sets that `word` is in.
fn numbers(word: &str) -> impl Iterator<Item = u16> + use<> {
    let mut hash = Fnv::new(0);
    hash.add(word.as_bytes());
    let entry = table::look(SLOTS, hash.finish())
        .and_then(|offset| ENTRIES.get(u32::from_le_bytes(offset) as usize..))
        .unwrap_or_default();
    let (count, numbers) = entry.split_first().unwrap_or((&0, &[]));
    let numbers = numbers.as_chunks::<2>().0;
    numbers
        .iter()
        .take(usize::from(*count))
        .map(|number| u16::from_le_bytes(*number))
}
