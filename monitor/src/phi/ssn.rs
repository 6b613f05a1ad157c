//! Social security numbers and taxpayers' numbers: with dashes by shape, without
//! by key.

pub(super) use super::sets::ssn::{KEYS, LAST_FOUR_KEYS};
use super::sets::ssn::{LAST_WORDS, PUBLISHED, SSN_WORDS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
};

/// Length with separators.
const LENGTH: usize = 11;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if !value.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    if value.len() <= LENGTH && last_four(subject, hits) {
        return;
    }
    if let Some(number) = number(value)
        && named::is(subject, KEYS)
    {
        hits.plain(Identifier::Ssn, Strength::I3, "ssn.key", number);
    } else if let Some(number) = in_text(value) {
        hits.plain(Identifier::Ssn, Strength::I3, "ssn.shape", number);
    } else if let Some(digest) = digest(value)
        && named::is(subject, KEYS)
    {
        hits.hashed(Identifier::Ssn, Strength::I2, "ssn.key.hash", digest);
    }
}

/// Four digits, or nine of which five are masked.
fn last_four(subject: &Subject<'_>, hits: &mut Hits<'_>) -> bool {
    let value = subject.value;
    let Some((head, tail)) = value
        .len()
        .checked_sub(4)
        .and_then(|start| value.split_at_checked(start))
    else {
        return false;
    };
    let masked = head.chars().all(|c| "xX*#•- ".contains(c));
    if !masked || !tail.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let keyed = subject.leaf_in(LAST_FOUR_KEYS)
        || named::is(subject, LAST_FOUR_KEYS)
        || !head.is_empty() && named::is(subject, KEYS)
        || subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(SSN_WORDS) && leaf.has_word(LAST_WORDS));
    if keyed {
        hits.plain(
            Identifier::Ssn,
            Strength::I1,
            "ssn.key.last_four",
            tail.to_owned(),
        );
    }
    keyed
}

/// The nine digits, if the whole value is them with or without separators.
fn number(value: &str) -> Option<String> {
    let digits = match value.len() {
        9 => value.to_owned(),
        LENGTH => {
            let separator = value.chars().nth(3).filter(|c| "-. ".contains(*c))?;
            let (area, rest) = value.split_once(separator)?;
            let (group, serial) = rest.split_once(separator)?;
            if (area.len(), group.len(), serial.len()) != (3, 2, 4) {
                return None;
            }
            [area, group, serial].concat()
        }
        _ => return None,
    };
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && is_issued(&digits)).then_some(digits)
}

/// The first number with dashes that stands by itself in a text.
fn in_text(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'-', bytes).find_map(|dash| {
        let start = dash.checked_sub(3)?;
        let end = start.checked_add(LENGTH)?;
        if bytes.get(dash.checked_add(3)?) != Some(&b'-') {
            return None;
        }
        let joins = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_./+=".contains(byte))
        };
        let before = start.checked_sub(1).and_then(|index| bytes.get(index));
        let after = bytes.get(end);
        // A sentence may end behind it.
        let ends =
            !joins(after) || after == Some(&b'.') && !joins(bytes.get(end.saturating_add(1)));
        (!joins(before) && ends)
            .then(|| number(text.get(start..end)?))
            .flatten()
    })
}

/// Whether the number was, or could have been, given to a person.
fn is_issued(digits: &str) -> bool {
    let (Some(area), Some(group), Some(serial)) =
        (digits.get(..3), digits.get(3..5), digits.get(5..))
    else {
        return false;
    };
    let group_fits = if area.starts_with('9') {
        // A taxpayer's number of someone without a social security number.
        group
            .parse()
            .is_ok_and(|group: u8| matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99))
    } else {
        group != "00"
    };
    group_fits && area != "000" && area != "666" && serial != "0000" && !PUBLISHED.has(digits)
}
