//! What a key names, whoever spelled it.
//!
//! Input: a key, or a subject with its keys. Output: whether the key ends in a
//! phrase of a table. Developers put anything before what a value is
//! (`spouse_cell_phone`) and little after it, so the end of a key decides.
//! Detectors ask this after a cheap test of the value.

use super::sets::named::{FORM_KEYS, NUMBERS, ORGANIZATIONS, OWNERS, TAILS};
use super::{key::Key, sets::WordSet, subject::Subject};

/// Words that end one key are at most this many.
const MAX_WORDS: usize = 6;

/// Owners before one word are at most this many.
const MAX_OWNERS: usize = 3;

/// The key that says what the value is: the last, or the one before it where
/// the last says only how it is written (`email.sha256`, `identityMap.Email.id`).
pub(super) fn key<'s>(subject: &'s Subject<'_>) -> Option<&'s Key> {
    let leaf = subject.leaf()?;
    if leaf.folds_to(FORM_KEYS) {
        subject.parent().or(Some(leaf))
    } else {
        Some(leaf)
    }
}

/// The key before [`key`].
pub(super) fn parent<'s>(subject: &'s Subject<'_>) -> Option<&'s Key> {
    let is_form = subject.leaf().is_some_and(|leaf| leaf.folds_to(FORM_KEYS));
    if is_form {
        subject.keys.iter().rev().nth(2).map(AsRef::as_ref)
    } else {
        subject.parent()
    }
}

/// Whether the key that says what the value is ends in a phrase of `table`,
/// which holds phrases in one folded word.
pub(super) fn is(subject: &Subject<'_>, table: WordSet) -> bool {
    subject.leaf_in(table) || key(subject).is_some_and(|key| ends_in(key, table))
}

/// Whether `key` ends in a phrase of `table` at the start of a word.
pub(super) fn ends_in(key: &Key, table: WordSet) -> bool {
    key.ends_in(table)
}

/// What a key says at its end, in every way in which a table may spell it.
///
/// `email_sha256_2` says the same as `email`, `chart_nbr` as `chart_number`,
/// `usercontactemail` as `email`.
pub(super) fn endings(key_folded: &str, key_words: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    let (mut folded, mut words) = (key_folded, key_words);
    loop {
        let unnumbered = folded.trim_end_matches(|c: char| c.is_ascii_digit());
        add_words(folded, folded.len(), words, &mut all);
        add_owned(folded, &mut all);
        if unnumbered.len() != folded.len() {
            add_words(unnumbered, folded.len(), words, &mut all);
            add_owned(unnumbered, &mut all);
        }
        let Some((last, rest)) = words.split_last().filter(|(_, rest)| !rest.is_empty()) else {
            break;
        };
        let Some(stem) = folded.strip_suffix(last.as_str()) else {
            break;
        };
        if NUMBERS.has(last.as_str()) {
            if last != "number" {
                add_words(&format!("{stem}number"), stem.len(), rest, &mut all);
            }
        } else if !is_tail(last) {
            break;
        }
        (folded, words) = (stem, rest);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn is_tail(word: &str) -> bool {
    TAILS.has(word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Adds the ends of `text` that start with one of `words`, which end at `end`.
fn add_words(text: &str, end: usize, words: &[String], all: &mut Vec<String>) {
    let mut start = end;
    for word in words.iter().rev().take(MAX_WORDS) {
        start = start.saturating_sub(word.len());
        all.extend(text.get(start..).map(str::to_owned));
    }
}

/// Adds what `folded` says behind whose it is.
fn add_owned(folded: &str, all: &mut Vec<String>) {
    let mut rest = folded;
    for _ in 0..MAX_OWNERS {
        let Some(after) = OWNERS.iter().find_map(|owner| rest.strip_prefix(owner)) else {
            return;
        };
        all.push(after.to_owned());
        rest = after;
    }
}

/// Whether the last two keys say that the value is an organization's.
pub(super) fn is_organization(subject: &Subject<'_>) -> bool {
    subject.near_word(ORGANIZATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::sets::{email, mrn, phone};

    #[test]
    fn keys_end_in_phrases() {
        for (key, set, expected) in [
            ("spouse_cell_phone", phone::KEYS, true),
            ("spouseCellPhone", phone::KEYS, true),
            ("Email_LC_SHA256", email::KEYS, true),
            ("email_2", email::KEYS, true),
            ("email2", email::KEYS, true),
            ("PATIENTEMAIL", email::KEYS, true),
            ("usercontactemail", email::KEYS, true),
            ("e-mail", email::KEYS, true),
            ("sha256_email_address[]", email::KEYS, true),
            ("email_template", email::KEYS, false),
            ("microphone", phone::KEYS, false),
            ("sha256", email::KEYS, false),
            ("1", email::KEYS, false),
            ("new_chart_nbr", mrn::KEYS, true),
            ("phoneNbr", phone::KEYS, true),
            ("email_no_reply", email::KEYS, false),
            ("email_home_2_sha256", email::KEYS, true),
            ("", email::KEYS, false),
            ("ÉMAIL_é2", email::KEYS, false),
        ] {
            assert_eq!(ends_in(&Key::new(key), set), expected, "{key}");
        }
    }
}
