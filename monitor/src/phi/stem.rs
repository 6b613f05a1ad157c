//! How words and facts are spelled before they are compared, shared with the build
//! script that compiles the tables.

use std::borrow::Cow;

/// Words of the longest phrase of a lexicon.
pub(crate) const MAX_WORDS: usize = 4;

/// The mark, in the table of a lexicon, of a phrase that a longer one begins with.
pub(crate) const GOES_ON: u64 = 1 << 63;

/// A hash that is the same in every build, on every machine.
#[derive(Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Fnv {
    /// The hash of nothing, of one kind of text.
    pub(crate) const fn new(kind: u8) -> Self {
        Self((0xcbf2_9ce4_8422_2325_u64 ^ kind as u64).wrapping_mul(0x0100_0000_01b3))
    }

    /// Adds bytes.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The hash, never 0.
    pub(crate) const fn finish(self) -> u64 {
        (self.0 ^ (self.0 >> 29)) | 1
    }
}

/// A word without accents and without the ending of its plural.
pub(crate) fn stem(word: &str) -> Cow<'_, str> {
    let mut word = if word.is_ascii() {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.chars().map(plain).collect())
    };
    let is_plural = word.len() > 4
        && word.ends_with('s')
        && !["ss", "is", "us"]
            .iter()
            .any(|ending| word.ends_with(ending));
    if is_plural {
        let shorter = word.len() - 1;
        match &mut word {
            Cow::Borrowed(word) => *word = word.get(..shorter).unwrap_or(word),
            Cow::Owned(word) => word.truncate(shorter),
        }
    }
    word
}

const fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}
