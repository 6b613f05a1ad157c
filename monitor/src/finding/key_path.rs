//! The path of a field as it may be shown.
//!
//! A client may use a payload value as a key, so a key is shown only if it
//! consists of known words of interfaces and is none of the message's values.

use std::{collections::HashSet, fmt::Write as _};

use super::vocabulary;
use crate::{
    field::{Field, Fields, Step},
    phi::{Class, Evidence, Form},
};

/// Stands for a key that could be payload.
const PLACEHOLDER: &str = "{key}";

/// Longer keys are not shown.
const MAX_KEY_LENGTH: usize = 40;

/// Keys with more digits in a row hold a number.
const MAX_DIGIT_RUN: usize = 4;

/// From this length on, hexadecimal digits are an id or a hash.
const MIN_HASH_LENGTH: usize = 16;

/// A shorter value is only compared with whole keys: parts of words are not
/// names.
const MIN_PART_LENGTH: usize = 4;

/// Steps beyond this are not shown.
const MAX_STEPS: usize = 32;

/// The values of a message that must not be shown as keys.
pub(crate) struct Values {
    values: HashSet<String>,
    /// Bit n is set if a value is n bytes long, the last one for all longer
    /// values: most parts of a key have another length and need not be looked
    /// up.
    lengths: u64,
}

impl Values {
    /// The plain values in `evidence`: only identifiers, since terms of health
    /// information may be shown in keys.
    pub(super) fn new(fields: &Fields, evidence: &[Evidence]) -> Self {
        let identifiers = evidence.iter().filter(|evidence| {
            evidence.form == Form::Plain && matches!(evidence.class, Class::Identifier(_))
        });
        let values = identifiers
            .flat_map(|evidence| {
                let sent = fields.get(evidence.field).map(|field| fold(field.value()));
                [Some(fold(evidence.normalized.expose())), sent]
            })
            .flatten()
            .filter(|value| !value.is_empty());
        Self::from(values.collect::<HashSet<_>>())
    }

    /// These values.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let values = values.map(fold).filter(|value| !value.is_empty());
        Self::from(values.collect::<HashSet<_>>())
    }

    /// Whether `key` (at most [`MAX_KEY_LENGTH`] ASCII characters) is or
    /// contains a value. The parts of the key are looked up, rather than
    /// searching it for thousands of values.
    pub(crate) fn is_in(&self, key: &str) -> bool {
        let key = fold(key);
        let is_value = |part: &str| self.values.contains(part);
        let mut lengths = (MIN_PART_LENGTH..=key.len()).filter(|length| self.has_length(*length));
        self.has_length(key.len()) && is_value(&key)
            || lengths.any(|length| {
                let mut starts = 0..=key.len() - length;
                starts.any(|start| key.get(start..start + length).is_some_and(is_value))
            })
    }

    fn has_length(&self, length: usize) -> bool {
        self.lengths & bit(length) != 0
    }
}

impl From<HashSet<String>> for Values {
    fn from(values: HashSet<String>) -> Self {
        let lengths = values.iter().map(|value| bit(value.len()));
        Self {
            lengths: lengths.fold(0, |bits, bit| bits | bit),
            values,
        }
    }
}

/// The bit that stands for a length.
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// `body.data[0].user_data.em[0]`.
pub(crate) fn show(field: &Field<'_>, values: &Values) -> String {
    let mut path = field.part().as_str().to_owned();
    for step in field.steps().into_iter().take(MAX_STEPS) {
        match step {
            Step::Index(index) => {
                write!(path, "[{index}]").expect("a String accepts every write");
            }
            Step::Key(key) => {
                let shown = if is_shown(key, values) {
                    key
                } else {
                    PLACEHOLDER
                };
                path.push('.');
                path.push_str(shown);
            }
        }
    }
    path
}

fn is_shown(key: &str, values: &Values) -> bool {
    is_vocabulary(key) && !values.is_in(key)
}

/// Whether a key consists of words of interfaces, and may be shown unless it is
/// a value.
pub(crate) fn is_vocabulary(key: &str) -> bool {
    is_word(key) && vocabulary::is_known(key)
}

/// Whether a key has the shape of a word of an interface: letters, digits and
/// `_-$.[]`, no long number, no hash.
fn is_word(key: &str) -> bool {
    let is_spelled = (1..=MAX_KEY_LENGTH).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-$.[]".contains(&byte));
    let longest_number = key
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or_default();
    let is_hash = key.len() >= MIN_HASH_LENGTH
        && key
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_spelled && longest_number <= MAX_DIGIT_RUN && !is_hash
}

fn fold(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_could_be_values_are_hidden() {
        let values = Values::from(HashSet::from(["jane".to_owned(), "jo".to_owned()]));
        for (key, expected) in [
            ("user_data", true),
            ("$email", true),
            ("ud[em]", true),
            ("q1", true),
            ("phq9_score", true),
            ("jane", false),
            ("Jane_Roe", false),
            ("jo", false),
            ("john", false),
            ("jo_email", false),
            ("email_jane", false),
            ("Averylla", false),
            ("patients", true),
            ("roe@example.com", false),
            ("14155550132", false),
            ("ae9c621e0b7d4c1fae9c621e0b7d4c1f", false),
            ("ae9c621e-0b7d-4c1f-ae9c", false),
            ("two words", false),
            ("zoë", false),
            ("", false),
            (&"k".repeat(41), false),
        ] {
            assert_eq!(is_shown(key, &values), expected, "{key}");
        }
    }
}
