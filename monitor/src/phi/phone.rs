//! Telephone and fax numbers: by key, or with separators or `+` by shape.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// Keys that hold a telephone number.
pub(super) const KEYS: &[&str] = &[
    "callerid",
    "cell",
    "cellnumber",
    "cellphone",
    "contactnumber",
    "mobile",
    "mobilenumber",
    "mobilephone",
    "msisdn",
    "ph",
    "phone",
    "phonehash",
    "phonenumber",
    "phonenumbers",
    "phones",
    "sms",
    "smsnumber",
    "tel",
    "telephone",
    "telephonenumber",
    "userphone",
];

/// Keys that hold a fax number.
pub(super) const FAX_KEYS: &[&str] = &["fax", "faxnumber"];

/// Area codes that callers do not pay for: not a person's.
const TOLL_FREE: &[&str] = &["800", "833", "844", "855", "866", "877", "888"];

/// Longer values hold no number by itself.
const MAX_LENGTH: usize = 32;

/// Longer texts are not searched for numbers.
const MAX_TEXT_LENGTH: usize = 4_096;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let is_fax = subject.leaf_in(FAX_KEYS);
    if is_fax || subject.leaf_in(KEYS) {
        let identifier = if is_fax {
            Identifier::Fax
        } else {
            Identifier::Phone
        };
        if let Some(number) = keyed_number(subject.value) {
            hits.plain(identifier, Strength::I3, "phone.key", number);
        } else if let Some(digest) = digest(subject.value) {
            hits.hashed(identifier, Strength::I2, "phone.key.hash", digest);
        }
        return;
    }
    if subject.kind == ValueKind::Text && subject.value.len() <= MAX_TEXT_LENGTH {
        if let Some(number) = shaped_number(subject.value) {
            hits.plain(Identifier::Phone, Strength::I3, "phone.shape", number);
        }
    }
}

/// A number where the key says that it is one, with its country code. Numbers
/// reserved for fiction count: people in tests have them.
fn keyed_number(value: &str) -> Option<String> {
    let value = value.trim_start_matches("tel:").trim();
    let spelled = value
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.() /".contains(c));
    if !spelled || value.len() > MAX_LENGTH {
        return None;
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if let Some(national) = nanp(&digits) {
        return Some(format!("+1{national}"));
    }
    let international = digits.strip_prefix("00").unwrap_or(&digits);
    // Fewer digits are short codes, flags and counts.
    let fits = (8..=15).contains(&international.len()) && !international.starts_with('0');
    (fits && !is_uniform(international)).then(|| format!("+{international}"))
}

/// The ten digits of a number of the North American plan.
fn nanp(digits: &str) -> Option<&str> {
    let national = if digits.len() == 11 {
        digits.strip_prefix('1')?
    } else {
        digits
    };
    let (area, exchange) = (national.get(..3)?, national.get(3..6)?);
    let fits = national.len() == 10
        && [area, exchange]
            .iter()
            .all(|part| !part.starts_with(['0', '1']))
        && !area.ends_with("11")
        && !is_uniform(national);
    fits.then_some(national)
}

fn is_uniform(digits: &str) -> bool {
    let mut bytes = digits.bytes();
    let first = bytes.next();
    bytes.all(|byte| Some(byte) == first)
}

/// The first number in a text that is written as one: `+` and digits, or
/// groups of three, three and four digits.
fn shaped_number(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_edge = |byte: Option<&u8>| {
        byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"-_.+/=".contains(byte))
    };
    let mut start = 0;
    while let Some(byte) = bytes.get(start) {
        let can_start = byte.is_ascii_digit() || matches!(byte, b'+' | b'(');
        let before = start.checked_sub(1).and_then(|index| bytes.get(index));
        if can_start && is_edge(before) {
            let length = bytes
                .iter()
                .skip(start)
                .take(MAX_LENGTH)
                .take_while(|byte| byte.is_ascii_digit() || b"+-.() ".contains(byte))
                .count();
            let candidate = text
                .get(start..start.saturating_add(length))
                .unwrap_or_default();
            let candidate = candidate.trim_end_matches(['.', '-', ' ', '(', '+']);
            let after = bytes.get(start.saturating_add(candidate.len()));
            if after.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"-_/=".contains(byte)) {
                if let Some(number) = shaped(candidate) {
                    return Some(number);
                }
            }
            start = start.saturating_add(length);
        }
        start = start.saturating_add(1);
    }
    None
}

/// One number in a shape that is rarely anything else.
fn shaped(candidate: &str) -> Option<String> {
    if let Some(digits) = candidate.strip_prefix('+')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (10..=15).contains(&digits.len())
        && !digits.starts_with('0')
    {
        return match digits.strip_prefix('1') {
            Some(_) => unkeyed(nanp(digits)?),
            None => Some(format!("+{digits}")),
        };
    }
    let national = candidate.strip_prefix('+').unwrap_or(candidate);
    let national = match national.strip_prefix('1') {
        Some(rest) if rest.starts_with(['-', ' ', '.', '(']) => {
            rest.trim_start_matches(['-', ' ', '.'])
        }
        _ => national,
    };
    let (area, rest, parenthesized) = match national.strip_prefix('(') {
        Some(rest) => {
            let (area, rest) = rest.split_once(')')?;
            (area, rest.trim_start_matches(' '), true)
        }
        None => (national.get(..3)?, national.get(3..)?, false),
    };
    let separator = |text: &str| text.chars().next().filter(|c| "-. ".contains(*c));
    let first = separator(rest);
    let exchange_on = if parenthesized && first.is_none() {
        rest
    } else {
        rest.get(1..)?
    };
    let (exchange, tail) = (exchange_on.get(..3)?, exchange_on.get(3..)?);
    let second = separator(tail)?;
    let same_separator = parenthesized || first == Some(second);
    let digits = format!("{area}{exchange}{}", tail.get(1..)?);
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if same_separator && all_digits && area.len() == 3 {
        unkeyed(nanp(&digits)?)
    } else {
        None
    }
}

/// Without a key, free and fictional numbers are no person's.
fn unkeyed(national: &str) -> Option<String> {
    let is_toll_free = TOLL_FREE.iter().any(|area| national.starts_with(area));
    let is_fictional = national.get(3..8) == Some("55501");
    let is_service = national.get(4..6) == Some("11");
    (!is_toll_free && !is_fictional && !is_service).then(|| format!("+1{national}"))
}
