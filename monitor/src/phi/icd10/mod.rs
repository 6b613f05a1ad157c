//! Codes of conditions: ICD-10-CM by the public list, older and newer systems
//! by key.
//!
//! Three characters of a code are also aircraft, vitamins and video codecs, so a
//! code without its point needs a key or a neighbor that names the system.

mod member;
use super::{
    Health, Hits, Strength,
    coding::{self, System},
    subject::{Subject, Surroundings, Vehicle},
};
use crate::field::Part;
use crate::phi::sets::icd10::OTHER_WORDS;
pub(super) use crate::phi::sets::icd10::{
    CODE_KEYS, DIAGNOSIS_WORDS, ICD_WORDS, ICD9_WORDS, ICD11_WORDS, SHARED_WORDS, SNOMED_WORDS,
};

pub(crate) use member::is_icd10cm;

/// Codes of one list beyond this are not read.
const MAX_CODES: usize = 32;

/// Points of one text beyond this are not looked at.
const MAX_POINTS: usize = 64;

/// Letters of a code that say how an injury came about: `V16.5` is a version
/// more often.
const CAUSES: &[u8] = b"VWXYvwxy";

/// How much the keys of a value say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyed {
    /// It is a code of the system.
    Code,
    /// It is a diagnosis.
    Diagnosis,
    /// It may be a condition, or something else.
    Shared,
    No,
}

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    let keyed = keyed(subject, around);
    let found = if keyed == Keyed::No {
        None
    } else {
        codes(subject.value).find_map(|code| Some((rule_of(code, keyed)?, code)))
    };
    let found = found
        .or_else(|| other_system(subject, around, keyed))
        .or_else(|| Some(("condition.icd10", unkeyed(subject)?)));
    if let Some((rule, code)) = found {
        let stated = keyed != Keyed::No || !subject.is_context();
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        hits.health(Health::Condition, strength, rule, code);
    }
}

/// Whether one of the codes in `value` is on the list, where its key says that
/// it is a diagnosis.
pub(super) fn names_code(value: &str) -> bool {
    codes(value).any(is_icd10cm)
}

/// Whether a text without a key may be a code or hold one.
pub(super) fn may_have(value: &str) -> bool {
    pointed(value, is_icd10cm).is_some()
}

/// The words of a list of codes, or of a code and its meaning.
fn codes(value: &str) -> impl Iterator<Item = &str> {
    value
        .split([',', ';', '|', ' ', '/', ':', '"', '[', ']', '(', ')'])
        .filter(|code| !code.is_empty())
        .take(MAX_CODES)
}

fn keyed(subject: &Subject<'_>, around: Surroundings<'_>) -> Keyed {
    let is_code = subject.leaf_in(CODE_KEYS)
        || subject.near_word(ICD_WORDS)
        || (subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Icd));
    if is_code {
        Keyed::Code
    } else if subject.near_word(DIAGNOSIS_WORDS) {
        Keyed::Diagnosis
    } else if subject.near_word(SHARED_WORDS) {
        Keyed::Shared
    } else {
        Keyed::No
    }
}

/// The rule by which `code` counts under keys that say as much as `keyed`.
fn rule_of(code: &str, keyed: Keyed) -> Option<&'static str> {
    let is_long = code.len() > 3;
    if is_icd10cm(code) && (is_long || keyed != Keyed::Shared) {
        Some("condition.icd10")
    } else if keyed == Keyed::Code && has_shape(code) {
        Some("condition.icd10.shape")
    } else if matches!(keyed, Keyed::Code | Keyed::Diagnosis) && is_icd9(code, true) {
        Some("condition.icd9")
    } else {
        None
    }
}

/// Codes of other systems, where the key names the system.
fn other_system<'a>(
    subject: &Subject<'a>,
    around: Surroundings<'_>,
    keyed: Keyed,
) -> Option<(&'static str, &'a str)> {
    let find = |fits: fn(&str) -> bool| codes(subject.value).find(|code| fits(code));
    if subject.near_word(ICD9_WORDS) {
        return Some(("condition.icd9", find(|code| is_icd9(code, false))?));
    }
    if subject.near_word(ICD11_WORDS) {
        return Some(("condition.icd11", find(is_icd11)?));
    }
    let is_snomed = subject.near_word(SNOMED_WORDS)
        || (subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Snomed));
    if is_snomed && keyed != Keyed::Code {
        return Some(("condition.snomed", find(is_snomed_id)?));
    }
    None
}

/// A code with its point in a value whose keys say nothing.
fn unkeyed<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    if subject.part == Part::Header {
        return None;
    }
    let code = pointed(subject.value, is_icd10cm)?;
    let is_lower = code.starts_with(|c: char| c.is_ascii_lowercase());
    let is_other = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(|key| key.has_word(OTHER_WORDS));
    let is_plain = !is_lower || subject.vehicle == Vehicle::Url;
    (is_plain && !is_other).then_some(code)
}

/// The first word of `text` that is a letter, a digit, a digit or letter, a
/// point and one to four more, and that `fits`.
fn pointed(text: &str, fits: fn(&str) -> bool) -> Option<&str> {
    let bytes = text.as_bytes();
    let joins = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | 0x80..);
    memchr::memchr_iter(b'.', bytes)
        .take(MAX_POINTS)
        .find_map(|point| {
            let start = point.checked_sub(3)?;
            let letter = bytes.get(start)?;
            if !letter.is_ascii_alphabetic()
                || CAUSES.contains(letter)
                || !bytes.get(start + 1)?.is_ascii_digit()
            {
                return None;
            }
            let before = start.checked_sub(1).and_then(|index| bytes.get(index));
            if before.is_some_and(|byte| joins(*byte) || matches!(byte, b'.' | b'#' | b'@')) {
                return None;
            }
            let rest = bytes.get(point + 1..)?;
            let length = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count();
            let end = point + 1 + length;
            let goes_on = match (bytes.get(end), bytes.get(end + 1)) {
                (Some(b'.'), next) => next.is_some_and(u8::is_ascii_alphanumeric),
                (Some(b'%' | b'@'), _) => true,
                (Some(byte), _) => joins(*byte),
                (None, _) => false,
            };
            let code = text.get(start..end)?;
            ((1..=4).contains(&length) && !goes_on && fits(code)).then_some(code)
        })
}

/// The shape of a code: a letter, a digit, a digit or `A` or `B`, and up to four
/// more after an optional point. Lists of other years have other members.
fn has_shape(code: &str) -> bool {
    let bytes = code.as_bytes();
    let [letter, second, third, rest @ ..] = bytes else {
        return false;
    };
    let rest = match rest {
        [b'.', rest @ ..] if !rest.is_empty() => rest,
        [b'.', ..] => return false,
        rest => rest,
    };
    letter.is_ascii_uppercase()
        && second.is_ascii_digit()
        && matches!(third, b'0'..=b'9' | b'A' | b'B')
        && rest.len() <= 4
        && rest
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The shape of an ICD-9-CM code: three digits, `V` and two digits or `E` and
/// three, and one or two digits after a point.
fn is_icd9(code: &str, needs_point: bool) -> bool {
    let (category, detail) = match code.split_once('.') {
        Some((category, detail)) => (category, detail),
        None if needs_point => return false,
        None => (code, "0"),
    };
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let fits = match category.as_bytes().first() {
        Some(b'V' | b'v') => category.get(1..).is_some_and(|rest| digits(rest, 2..=2)),
        Some(b'E' | b'e') => category.get(1..).is_some_and(|rest| digits(rest, 3..=3)),
        // Without its point a code has up to five digits.
        _ => digits(category, if needs_point { 3..=3 } else { 3..=5 }),
    };
    fits && digits(detail, 1..=2)
}

/// The shape of an ICD-11 code: four characters, the second a letter, and one or
/// two after a point.
fn is_icd11(code: &str) -> bool {
    let (stem, detail) = code.split_once('.').unwrap_or((code, "0"));
    let bytes = stem.as_bytes();
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    matches!(bytes, [_, second, third, _] if second.is_ascii_alphabetic() && third.is_ascii_digit())
        && all(stem)
        && (1..=2).contains(&detail.len())
        && all(detail)
}

/// 6 to 18 digits of which the last checks the others (Verhoeff).
fn is_snomed_id(code: &str) -> bool {
    if !(6..=18).contains(&code.len()) || code.starts_with('0') {
        return false;
    }
    let mut check = 0;
    for (position, byte) in code.bytes().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let moved = PERMUTATION
            .get(position % PERMUTATION.len())
            .and_then(|row| row.get(usize::from(byte - b'0')));
        let Some(moved) = moved else { return false };
        check = in_dihedral_group(check, *moved);
    }
    check == 0
}

/// The product in the group of the symmetries of a pentagon.
const fn in_dihedral_group(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Verhoeff's permutation, and its powers.
const PERMUTATION: [[u8; 10]; 8] = {
    let first: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut rows = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]; 8];
    let mut power = 1;
    while power < rows.len() {
        let mut digit = 0;
        while digit < first.len() {
            rows[power][digit] = rows[power - 1][first[digit] as usize];
            digit += 1;
        }
        power += 1;
    }
    rows
};
