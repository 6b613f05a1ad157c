//! Laboratory tests and results: LOINC codes by key, names of tests and analytes
//! in any vehicle, values of result keys.
//!
//! One random `dddd-d` in ten passes LOINC's check, so a code needs a key or a
//! neighbor that names the system.

pub(super) use super::sets::lab::{CODE_KEYS, KEYS, LOINC_WORDS, SHARED_KEYS};
use super::sets::lab::{RESULT_WORDS, TEST_WORDS};
use super::{
    Health, Hits, Strength,
    coding::{self, System},
    lexicon::Kind,
    subject::{Subject, Surroundings, Vehicle},
    text,
};
use crate::field::ValueKind;

/// Codes of one list beyond this are not read.
const MAX_CODES: usize = 32;

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    if let Some(code) = code(subject, around) {
        hits.health(Health::Lab, Strength::H3, "lab.loinc", code);
    }
    let has_value = !text::is_placeholder_text(subject.value) && subject.kind != ValueKind::Literal;
    let shared = || subject.leaf_in(SHARED_KEYS) && around.health();
    let keyed = subject.leaf_in(KEYS) && has_value;
    if keyed || (has_value && shared()) {
        hits.health(Health::Lab, Strength::H3, "lab.key", subject.value);
    }
    // `test_result: A1C 7.2%`.
    let is_result = (subject.leaf()).is_some_and(|leaf| leaf.has_word(RESULT_WORDS))
        && super::sense::states(subject);
    let ambiguous = || {
        let term = subject.term(Kind::AmbiguousLab)?;
        // A word of a test must not be the term itself.
        let is_test = subject.has_word(TEST_WORDS) || is_result;
        (is_test && subject.words().len() > 1).then_some(term)
    };
    if let Some(term) = subject.term(Kind::Lab).or_else(ambiguous) {
        let strength = if is_result {
            Strength::H3
        } else {
            Strength::H2
        };
        hits.health(Health::Lab, strength, "lab.term", term.phrase);
    }
    if let Some(term) = key_term(subject, around) {
        let affirmed = !text::is_negative(subject.value) && !subject.is_context();
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(Health::Lab, strength, "lab.key_name", term);
    }
}

/// The test that the key names. An ambiguous name counts with a word of a test
/// beside it, or beside other evidence.
fn key_term(subject: &Subject<'_>, around: Surroundings<'_>) -> Option<&'static str> {
    if let Some(term) = subject.key_term(Kind::Lab) {
        return Some(term.phrase);
    }
    let term = subject.key_term(Kind::AmbiguousLab)?;
    let beside = |key: &super::key::Key| key.has_word(TEST_WORDS);
    let is_test = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(beside);
    // Only A1C is spelled like nothing else.
    let is_own = term.phrase == "a1 c"
        && subject
            .leaf()
            .is_some_and(|leaf| leaf.folded.contains("a1c"))
        && subject.value.parse::<f64>().is_ok();
    (is_own || is_test || around.health()).then_some(term.phrase)
}

fn code<'a>(subject: &Subject<'a>, around: Surroundings<'_>) -> Option<&'a str> {
    let has_word = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(|key| key.has_word(LOINC_WORDS));
    let named = subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Loinc);
    if has_word || named || subject.leaf_in(CODE_KEYS) {
        return subject
            .value
            .split([',', ';', '|', ' ', '"', '[', ']'])
            .filter(|code| !code.is_empty())
            .take(MAX_CODES)
            .find(|code| is_loinc(code));
    }
    token(subject.value)
}

/// Whether a text without a key may be a code.
pub(super) fn may_have(value: &str) -> bool {
    token(value).is_some()
}

/// The code of a search: `http://loinc.org|4548-4`.
fn token(value: &str) -> Option<&str> {
    let (system, code) = value.split_once(['|', ':'])?;
    let (system, code) = if code.starts_with("//") {
        value.split_once('|')?
    } else {
        (system, code.trim_start())
    };
    let is_named = system.eq_ignore_ascii_case("loinc")
        || matches!(system, "http://loinc.org" | "https://loinc.org");
    (is_named && is_loinc(code)).then_some(code)
}

/// One to seven digits, a dash and the digit that checks them: the sum of the
/// digits, every other one from the last on doubled, is a multiple of ten.
fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=7).contains(&number.len()) || check.len() != 1 || !digits(number) || !digits(check) {
        return false;
    }
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = digit * 2;
            if index % 2 == 0 {
                doubled / 10 + doubled % 10
            } else {
                digit
            }
        })
        .sum();
    let last = check
        .bytes()
        .next()
        .map_or(0, |byte| u32::from(byte - b'0'));
    (sum + last).is_multiple_of(10)
}
