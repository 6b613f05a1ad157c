//! Procedures: CPT and HCPCS codes by key, names of procedures and imaging in any
//! vehicle, values of procedure keys.
//!
//! Five digits are postal codes and prices too, so a code needs a key. Of CPT
//! only the format is used: its list and its texts have an owner.

pub(super) use super::sets::procedure::{
    BILL_KEYS, CODE_KEYS, CODE_WORDS, DENTAL_KEYS, KEYS, PCS_WORDS, SHARED_CODE_KEYS, SHARED_KEYS,
};
use super::sets::procedure::{PROCEDURE_WORDS, RESULT_WORDS, STEMS};
use super::{
    Health, Hits, Strength,
    coding::{self, System},
    lexicon::Kind,
    sense,
    subject::{Subject, Surroundings, Vehicle},
};

/// Words of such names begin with more than this.
const MIN_STEM_PREFIX: usize = 3;

/// Codes of one list beyond this are not read.
const MAX_CODES: usize = 32;

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    if let Some((rule, code)) = code(subject, around) {
        hits.health(Health::Procedure, Strength::H3, rule, code);
    }
    let term = subject
        .terms
        .iter()
        .find(|term| term.kind == Kind::Procedure && !means_other(subject, term.phrase));
    let is_shared = subject.leaf_in(SHARED_KEYS);
    let keyed = subject.leaf_in(KEYS) || is_shared;
    if keyed && subject.is_text() {
        let is_medical =
            !is_shared || term.is_some() || subject.words().iter().any(has_stem) || around.health();
        // A class or a table of a program is one word in the case of programs.
        let is_name = subject.words().len() > 1 || term.is_some() || !is_shared;
        if is_medical && is_name {
            hits.health(
                Health::Procedure,
                Strength::H3,
                "procedure.key",
                subject.value,
            );
        }
    }
    let is_keyed_term = (subject.leaf()).is_some_and(|leaf| leaf.has_word(PROCEDURE_WORDS));
    if term.is_some() && is_keyed_term && super::sense::states(subject) {
        hits.health(
            Health::Procedure,
            Strength::H3,
            "procedure.key",
            subject.value,
        );
    }
    if let Some(term) = term {
        hits.health(
            Health::Procedure,
            Strength::H2,
            "procedure.term",
            term.phrase,
        );
    }
    // The result of one is a finding of a laboratory.
    let is_result = (subject.leaf()).is_some_and(|leaf| leaf.has_word(RESULT_WORDS));
    if let Some(term) = subject.key_term(Kind::Procedure)
        && !is_result
    {
        let affirmed = !super::text::is_negative(subject.value) && !subject.is_context();
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::Procedure,
            strength,
            "procedure.key_name",
            term.phrase,
        );
    }
}

/// Whether a word is the name of a procedure by its ending.
fn has_stem(word: &str) -> bool {
    STEMS
        .iter()
        .filter_map(|stem| word.strip_suffix(stem))
        .any(|prefix| prefix.len() >= MIN_STEM_PREFIX)
}

fn means_other(subject: &Subject<'_>, phrase: &str) -> bool {
    sense::PROCEDURE
        .iter()
        .any(|sense| sense.phrases.has(phrase) && subject.has_word(sense.words))
}

/// The code in the value and the rule by which it counts.
fn code<'a>(subject: &Subject<'a>, around: Surroundings<'_>) -> Option<(&'static str, &'a str)> {
    let find = |fits: fn(&str) -> bool| codes(subject.value).find(|code| fits(code));
    let named = subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Procedure);
    if named || subject.near_word(CODE_WORDS) || subject.leaf_in(CODE_KEYS) {
        return Some(("procedure.code", find(is_procedure_code)?));
    }
    if subject.near_word(PCS_WORDS) {
        return Some(("procedure.pcs", find(is_pcs)?));
    }
    if subject.leaf_in(DENTAL_KEYS) {
        return Some(("procedure.code", find(is_dental_code)?));
    }
    if subject.leaf_in(SHARED_CODE_KEYS) {
        if let Some(code) = find(is_visit_code) {
            return Some(("procedure.code", code));
        }
        let code = find(is_procedure_code)?;
        return around.health().then_some(("procedure.code", code));
    }
    if subject.leaf_in(BILL_KEYS) {
        let code = find(is_bill_code)?;
        return around.health().then_some(("procedure.bill", code));
    }
    None
}

/// The words of a list of codes, or of a code and its meaning.
fn codes(value: &str) -> impl Iterator<Item = &str> {
    value
        .split([',', ';', '|', ' ', '"', '[', ']', '/'])
        .filter(|code| !code.is_empty())
        .take(MAX_CODES)
}

/// The shapes of CPT (five digits, or four and a letter of `FTUM`), HCPCS and
/// dental codes (a letter up to `V` and four digits); a modifier of two
/// characters may follow.
fn is_procedure_code(text: &str) -> bool {
    let code = text.get(..5).unwrap_or_default();
    let modifier = text.get(5..).unwrap_or_default();
    let [first, middle @ .., last] = code.as_bytes() else {
        return false;
    };
    let fits = middle.iter().all(u8::is_ascii_digit)
        && matches!(
            (first, last),
            (b'0'..=b'9', b'0'..=b'9' | b'F' | b'T' | b'U' | b'M') | (b'A'..=b'V', b'0'..=b'9')
        );
    fits && code != "00000" && is_modifier(modifier)
}

/// `D` and four digits.
fn is_dental_code(code: &str) -> bool {
    code.starts_with('D') && is_procedure_code(code)
}

/// The codes of visits and of psychotherapy, the most common ones: few other
/// numbers of services are among them.
fn is_visit_code(text: &str) -> bool {
    let Some(number) = text.get(..5).and_then(|code| code.parse::<u32>().ok()) else {
        return false;
    };
    is_procedure_code(text) && matches!(number, 99_202..=99_499 | 90_785..=90_899)
}

/// Nothing, or two characters behind a separator, at most four times.
fn is_modifier(text: &str) -> bool {
    let (groups, rest) = text.as_bytes().as_chunks::<3>();
    rest.is_empty()
        && groups.len() <= 4
        && groups.iter().all(|[separator, first, second]| {
            matches!(separator, b'-' | b':' | b'.')
                && first.is_ascii_alphanumeric()
                && second.is_ascii_alphanumeric()
        })
}

/// Seven digits and letters without `I` and `O`, with a digit among them.
fn is_pcs(code: &str) -> bool {
    code.len() == 7
        && code.bytes().any(|byte| byte.is_ascii_digit())
        && code.bytes().all(|byte| {
            byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"IO".contains(&byte))
        })
}

/// Three or four digits.
fn is_bill_code(code: &str) -> bool {
    (3..=4).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}
