//! Telephone and fax numbers: by key, or with separators or `+` by shape.

pub(super) use super::sets::phone::{CALL_KEYS, FAX_KEYS, KEYS};
use super::sets::phone::{CALLER_KEYS, NUMBER_KEYS, THREE_DIGIT_CODES, TOLL_FREE};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// Country codes of two digits by their first; all others begin with `1` or `7`
/// or have three digits.
const TWO_DIGIT_CODES: &[(u8, &[u8])] = &[
    (b'2', b"07"),
    (b'3', b"0123469"),
    (b'4', b"01345679"),
    (b'4', b"8"),
    (b'5', b"12345678"),
    (b'6', b"0123456"),
    (b'8', b"1246"),
    (b'9', b"01234589"),
];

/// Fewer digits are no number.
const MIN_DIGITS: usize = 7;

/// Longer values hold no number by itself.
const MAX_LENGTH: usize = 32;

/// Longer text behind a number is no extension.
const MAX_EXTENSION_LENGTH: usize = 24;

/// Longer texts are not searched for numbers.
const MAX_TEXT_LENGTH: usize = 4_096;

/// A caller's number in digits alone has an area code.
const MIN_CALLER_LENGTH: usize = 10;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    let digits = value
        .bytes()
        .take(MAX_TEXT_LENGTH)
        .filter(u8::is_ascii_digit);
    if digits.take(MIN_DIGITS).count() < MIN_DIGITS {
        // Hashes in base64 have few digits.
        hashed(subject, hits);
        return;
    }
    // Platforms of calls also call their own id of a caller so.
    if subject.leaf_in(CALLER_KEYS)
        && value.len() < MIN_CALLER_LENGTH
        && value.bytes().all(|byte| byte.is_ascii_digit())
    {
        return;
    }
    let number = keyed_number(value);
    let call = || subject.leaf().is_some_and(|leaf| leaf.folds_to(CALL_KEYS));
    if let Some(number) = number
        && let Some(identifier) =
            identifier(subject).or_else(|| call().then_some(Identifier::Phone))
    {
        if !named::is_organization(subject) {
            hits.plain(identifier, Strength::I3, "phone.key", number);
        }
        return;
    }
    if hashed(subject, hits) {
        return;
    }
    if subject.kind == ValueKind::Text
        && value.len() <= MAX_TEXT_LENGTH
        && !named::is_organization(subject)
        && let Some(number) = shaped_number(value)
    {
        hits.plain(Identifier::Phone, Strength::I3, "phone.shape", number);
    }
}

/// What kind of number the keys announce.
fn identifier(subject: &Subject<'_>) -> Option<Identifier> {
    if named::is(subject, FAX_KEYS) {
        Some(Identifier::Fax)
    } else if named::is(subject, KEYS)
        || (subject.leaf_in(NUMBER_KEYS)
            && subject
                .parent()
                .is_some_and(|parent| named::ends_in(parent, KEYS)))
    {
        Some(Identifier::Phone)
    } else {
        None
    }
}

fn hashed(subject: &Subject<'_>, hits: &mut Hits<'_>) -> bool {
    if let Some(digest) = digest(subject.value)
        && let Some(identifier) = identifier(subject)
    {
        hits.hashed(identifier, Strength::I2, "phone.key.hash", digest);
        return true;
    }
    false
}

/// A number where the key says that it is one, with its country code if it has
/// one. Numbers reserved for fiction count: people in tests have them.
fn keyed_number(value: &str) -> Option<String> {
    let value = ["tel:", "sms:", "whatsapp:", "callto:"]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme))
        .unwrap_or(value);
    // An extension is not part of the number; a hash may begin with digits too.
    let end = value.find(['x', 'X', '#', ';', ',']);
    let (value, extension) = value.split_at_checked(end.unwrap_or(value.len()))?;
    if extension.len() > MAX_EXTENSION_LENGTH {
        return None;
    }
    let is_word = extension.starts_with(['x', 'X']);
    let value = value
        .strip_suffix(['e', 'E'])
        .filter(|_| is_word)
        .unwrap_or(value)
        .trim();
    let spelled = value
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.() /\u{a0}\u{2011}\u{2013}".contains(c));
    if !spelled || value.len() > MAX_LENGTH {
        return None;
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let international = digits.strip_prefix("00").unwrap_or(&digits);
    if is_uniform(international) || is_decimal(value) {
        return None;
    }
    if let Some(national) = nanp(international) {
        return Some(format!("+1{national}"));
    }
    let length = international.len();
    if international.starts_with('0') {
        // With a trunk prefix, within an unknown country.
        return (9..=11).contains(&length).then(|| international.to_owned());
    }
    // Ten digits that begin with 1 are Unix seconds.
    let is_time = length == 10 && international.starts_with('1');
    let is_local = length == MIN_DIGITS && value.get(3..4) == Some("-");
    // Fewer digits are short codes, flags and counts.
    ((8..=15).contains(&length) && !is_time || is_local).then(|| format!("+{international}"))
}

/// `1764038463.25`: one point and too many digits before it for a group.
fn is_decimal(value: &str) -> bool {
    value
        .split_once('.')
        .is_some_and(|(whole, rest)| whole.len() > 4 && !rest.contains('.') && rest.len() != 4)
}

/// Whether international digits begin with a country code in use.
fn has_country_code(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let (Some(first), Some(second)) = (bytes.first(), bytes.get(1)) else {
        return false;
    };
    matches!(first, b'1' | b'7')
        || TWO_DIGIT_CODES
            .iter()
            .any(|(start, next)| start == first && next.contains(second))
        || digits
            .get(..2)
            .is_some_and(|start| THREE_DIGIT_CODES.has(start))
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
            if after.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"-_/=".contains(byte))
                && let Some(number) = shaped(candidate)
            {
                return Some(number);
            }
            start = start.saturating_add(length);
        }
        start = start.saturating_add(1);
    }
    None
}

/// One number in a shape that is rarely anything else.
fn shaped(candidate: &str) -> Option<String> {
    if let Some(rest) = candidate.strip_prefix('+') {
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let grouped = digits.len() != rest.len();
        let fits = (if grouped { 9 } else { 10 }..=15).contains(&digits.len())
            && has_country_code(&digits)
            && !rest.contains('+')
            && !is_uniform(&digits);
        return match digits.strip_prefix('1') {
            Some(_) => unkeyed(nanp(&digits)?),
            None => fits.then(|| format!("+{digits}")),
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
