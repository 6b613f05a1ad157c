//! Keys, compared the way that detectors need it.

use super::sets::key::{PERSON_PARENTS, QUALIFIERS};
use super::{
    named,
    sets::{Sets, WordSet},
    text::{fold, words},
};

/// One key on the way to a value.
pub(super) struct Key {
    /// Lower case, letters and digits only.
    pub(super) folded: String,
    /// Its words.
    pub(super) words: Vec<String>,
    /// The sets that it is in, qualifiers and all.
    folds: Sets,
    /// The sets that it is in, as it is or without its qualifiers.
    is: Sets,
    /// The sets that one of its words is in.
    has: Sets,
    /// The sets that it ends in a phrase of, as [`named`] means it.
    ends: Sets,
}

impl Key {
    /// The key that `text` spells.
    pub(super) fn new(text: &str) -> Self {
        let words: Vec<String> = words(text).iter().map(str::to_owned).collect();
        let core: String = words
            .iter()
            .map(String::as_str)
            .filter(|word| !QUALIFIERS.has(word))
            .collect();
        let folded = fold(text);
        let endings = named::endings(&folded, &words);
        let whole = [folded.as_str(), &core];
        Self {
            folds: Sets::of([folded.as_str()]),
            is: Sets::of(whole),
            has: Sets::of(words.iter().map(String::as_str)),
            ends: Sets::of(endings.iter().map(String::as_str).chain(whole)),
            folded,
            words,
        }
    }

    /// Whether it is one of `set`, as it is or without its qualifiers.
    pub(super) fn is_in(&self, set: WordSet) -> bool {
        self.is.has(set)
    }

    /// Whether it is one of `set`, qualifiers and all.
    pub(super) fn folds_to(&self, set: WordSet) -> bool {
        self.folds.has(set)
    }

    /// Whether one of its words is in `set`.
    pub(super) fn has_word(&self, set: WordSet) -> bool {
        self.has.has(set)
    }

    /// Whether it ends in a phrase of `set`, as [`named`] means it.
    pub(super) fn ends_in(&self, set: WordSet) -> bool {
        self.ends.has(set)
    }

    /// Whether objects under it are about a person.
    pub(super) fn is_person(&self) -> bool {
        self.folds_to(PERSON_PARENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::sets::{email, phone};

    #[test]
    fn keys_match_with_and_without_qualifiers() {
        for (key, set, expected) in [
            ("$email", email::KEYS, true),
            ("sha256_email_address", email::KEYS, true),
            ("hashedPhoneNumber", phone::KEYS, true),
            ("patientEmail", email::KEYS, true),
            ("client_id", email::KEYS, false),
            ("emailTemplate", email::KEYS, false),
            ("user", PERSON_PARENTS, true),
            ("", PERSON_PARENTS, false),
        ] {
            assert_eq!(Key::new(key).is_in(set), expected, "{key}");
        }
    }
}
