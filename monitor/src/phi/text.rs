//! Text to words: what the lexicons are matched against.

use super::sets::WordSet;
use super::sets::text::{EMPTY, NEGATIVES, PLACEHOLDERS};

/// Words of one value beyond this are not examined.
const MAX_WORDS: usize = 2_048;

/// Runs of letters and digits of at least this length can be random.
const RANDOM_LENGTH: usize = 12;

/// Lower-case words, one after another in one text.
#[derive(Default)]
pub(super) struct Words {
    text: String,
    /// Where each word ends.
    ends: Vec<u32>,
}

impl Words {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The word at `index`.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// All of them, in their order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The last one.
    pub(super) fn last(&self) -> Option<&str> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All of them with `separator` between.
    pub(super) fn join(&self, separator: &str) -> String {
        let mut joined = String::with_capacity(self.text.len().saturating_add(self.len()));
        for (index, word) in self.iter().enumerate() {
            if index > 0 {
                joined.push_str(separator);
            }
            joined.push_str(word);
        }
        joined
    }

    /// Adds `words`.
    pub(super) fn extend<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for word in words {
            self.text.push_str(word);
            self.end_word();
        }
    }

    fn end_word(&mut self) {
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.ends.push(end);
    }

    /// The same for a run of ASCII letters and digits, which most are.
    fn split_ascii(&mut self, run: &[u8]) {
        let mut before = 0_u8;
        for (index, &byte) in run.iter().enumerate() {
            let next_is_lower = || {
                let next = run.get(index.saturating_add(1));
                next.is_some_and(u8::is_ascii_lowercase)
            };
            let starts_word = if byte.is_ascii_uppercase() {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && next_is_lower())
            } else {
                before.is_ascii_digit() && byte.is_ascii_lowercase()
            };
            if starts_word {
                self.end_word();
            }
            self.text.push(char::from(byte.to_ascii_lowercase()));
            before = byte;
        }
        self.end_word();
    }

    /// Adds the words of a run of letters and digits.
    fn split_run(&mut self, run: &str) {
        let mut before: Option<char> = None;
        let mut chars = run.chars().peekable();
        while let Some(c) = chars.next() {
            let starts_word = before.is_some_and(|before| {
                let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
                (before.is_lowercase() && c.is_uppercase())
                    || (before.is_uppercase() && c.is_uppercase() && next_is_lower)
                    || (before.is_numeric() && c.is_alphabetic())
            });
            if starts_word {
                self.end_word();
            }
            if c.is_ascii() {
                self.text.push(c.to_ascii_lowercase());
            } else {
                self.text.extend(c.to_lowercase());
            }
            before = Some(c);
        }
        self.end_word();
    }
}

/// Lower-case words of `text`: split at everything that is no letter or digit,
/// at `fooBar`, `HTTPServer` and `gad7total`. Runs that look like ids, hashes
/// or base64 yield nothing, since chance spells short words in them.
pub(super) fn words(text: &str) -> Words {
    let mut words = Words {
        text: String::with_capacity(text.len()),
        ends: Vec::with_capacity(text.len() / 4 + 1),
    };
    for run in text.split(|c: char| !c.is_alphanumeric()) {
        if run.is_empty() || looks_random(run) {
            continue;
        }
        if run.is_ascii() {
            words.split_ascii(run.as_bytes());
        } else {
            words.split_run(run);
        }
        if words.len() >= MAX_WORDS {
            break;
        }
    }
    words.ends.truncate(MAX_WORDS);
    words
}

/// Lower case, letters and digits only: how keys are compared.
pub(super) fn fold(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a run is cut into pieces of letters, capitalized words and digits
/// that are as short as those of random text.
fn looks_random(run: &str) -> bool {
    /// Pieces of names that people chose are longer on average.
    const MEAN_PIECE: usize = 4;
    if run.len() < RANDOM_LENGTH || (run.is_ascii() && !run.bytes().any(|b| b.is_ascii_digit())) {
        return false;
    }
    let length = run.chars().count();
    if length < RANDOM_LENGTH || !run.chars().any(char::is_numeric) {
        return false;
    }
    let cuts = run
        .chars()
        .zip(run.chars().skip(1))
        .filter(|(a, b)| a.is_numeric() != b.is_numeric() || (a.is_lowercase() && b.is_uppercase()))
        .count();
    length < cuts.saturating_add(1).saturating_mul(MEAN_PIECE)
}

/// Whether a text is a number of an article or an order, `HIV-1033`, or a random
/// token: chance spells abbreviations of medicine in them.
pub(super) fn is_code(text: &str) -> bool {
    /// Letters before the digits of a number.
    const MAX_LETTERS: usize = 6;
    /// Questionnaires have one or two digits behind their name.
    const MIN_DIGITS: usize = 3;
    /// Shorter texts are no tokens.
    const MIN_TOKEN: usize = 20;
    /// Pieces of tokens are shorter on average.
    const MEAN_PIECE: usize = 3;
    let bytes = text.as_bytes();
    let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let rest = bytes.get(letters..).unwrap_or_default();
    let digits = match rest {
        [b'-' | b'_' | b' ' | b'#', digits @ ..] | digits => digits,
    };
    if letters <= MAX_LETTERS && digits.len() >= MIN_DIGITS && digits.iter().all(u8::is_ascii_digit)
    {
        return true;
    }
    if text.len() < MIN_TOKEN
        || !bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_+/=".contains(b))
    {
        return false;
    }
    let mut length: usize = 0;
    let mut cuts: usize = 0;
    let mut before: Option<u8> = None;
    for &byte in bytes.iter().filter(|b| b.is_ascii_alphanumeric()) {
        length = length.saturating_add(1);
        let is_cut = before.is_some_and(|before| {
            before.is_ascii_digit() != byte.is_ascii_digit()
                || (before.is_ascii_lowercase() && byte.is_ascii_uppercase())
        });
        cuts = cuts.saturating_add(usize::from(is_cut));
        before = Some(byte);
    }
    length < cuts.saturating_add(1).saturating_mul(MEAN_PIECE)
}

/// Letters and digits of a value beyond this make it no placeholder.
const MAX_PLACEHOLDER: usize = 9;

/// Whether the letters and digits of `value`, in lower case, are one of `table`.
fn folds_to(value: &str, table: WordSet) -> bool {
    let mut folded = [0_u8; MAX_PLACEHOLDER];
    let mut length = 0;
    for c in value.chars() {
        if c.is_ascii_alphanumeric() {
            let Some(place) = folded.get_mut(length) else {
                return false;
            };
            *place = c.to_ascii_lowercase() as u8;
            length += 1;
        } else if c.is_alphanumeric() {
            return false;
        }
    }
    let folded = folded.get(..length).unwrap_or_default();
    str::from_utf8(folded).is_ok_and(|folded| table.has(folded))
}

/// Whether a value says that there is no value.
pub(super) fn is_placeholder(value: &str) -> bool {
    folds_to(value, PLACEHOLDERS)
}

/// Whether a value is empty or stands for nothing; a zero is an answer.
pub(super) fn is_placeholder_text(value: &str) -> bool {
    folds_to(value, EMPTY)
}

/// Whether an answer is a no.
pub(super) fn is_negative(value: &str) -> bool {
    folds_to(value, NEGATIVES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tokens_are_no_text() {
        for (text, expected) in [
            ("HIV-1033", true),
            ("OCD2825", true),
            ("ed 123", true),
            ("8a39e9f2-dd91-4b6f-a5a0-bb419fa756e1", true),
            ("qrc653GENrU0RYtYk19tjo-CplPdTCwP6", true),
            ("PHQ-9", false),
            ("COVID-19", false),
            ("GAD7", false),
            ("Phq9ScoreSubmittedForUser2", false),
            ("anxiety-and-depression-help", false),
            ("", false),
            ("é-123", false),
        ] {
            assert_eq!(is_code(text), expected, "{text}");
        }
    }

    #[test]
    fn words_split_where_a_reader_would() {
        for (text, expected) in [
            (
                "PHQ9Score HTTPServer2Go a1B2 AbC",
                "phq9 score http server2 go a1 b2 ab c",
            ),
            (
                "PHQ9Score HTTPServer2Go a1B2 AbC é",
                "phq9 score http server2 go a1 b2 ab c é",
            ),
            ("PHQ-9 score", "phq 9 score"),
            ("phq9_q1", "phq9 q1"),
            ("gad7total", "gad7 total"),
            ("DepressionQuizStarted", "depression quiz started"),
            ("ADHDTest", "adhd test"),
            ("/care/anxiety-disorder?x=1", "care anxiety disorder x 1"),
            ("Alzheimer's", "alzheimer s"),
            ("9hivX2bQ7std4Kd", ""),
            ("ae9c621e0b7d4c1f", ""),
            ("IQLOOYWHBPN227M6LG844EEG", ""),
            (
                "AnxietyAssessmentStep2Completed",
                "anxiety assessment step2 completed",
            ),
            ("", ""),
            ("…", ""),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
        assert_eq!(words(&"a ".repeat(5_000)).len(), MAX_WORDS);
    }

    #[test]
    fn folding_drops_what_is_no_letter_or_digit() {
        assert_eq!(fold("$First_Name-2. "), "firstname2");
    }
}
