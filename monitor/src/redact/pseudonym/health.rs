//! Health information: another term of the same class, or another code of the
//! same system.
//!
//! The replacement terms are few and rare: one of them may stand for many
//! others, and a value that someone searches a capture for must not appear as
//! the pseudonym of another. Where a term is too short, letters are added.

use crate::{
    phi::Health,
    redact::{
        key::{RedactionKey, Stream},
        scramble::{Letters, different, scramble},
    },
};

/// Single words, each of which suffices to show its class.
const TERMS: &[(Health, &str)] = &[
    (
        Health::Condition,
        "htn mpox mumps marfan melasma vitiligo hirsutism osteopenia hemophilia \
         scleroderma sarcoidosis polycythemia gastroparesis bronchiectasis \
         hemochromatosis",
    ),
    (
        Health::Medication,
        "zpak ovide tpoxx xeomin xcopri kerydin tolsura elevidys glasdegib nifurtimox \
         golodirsen stiripentol luliconazole loncastuximab",
    ),
    (
        Health::Procedure,
        "eeg epidural craniotomy colposcopy septoplasty laminectomy hymenoplasty \
         sclerotherapy",
    ),
    (
        Health::Lab,
        "egfr igetest ferritin prolactin microalbumin tumormarker",
    ),
    (
        Health::Assessment,
        "ymrs bprs madrs ados2 whodas core10 epworth oswestry liebowitz fagerstrom",
    ),
    (
        Health::Appointment,
        "appt telehealth clinicvisit intakesession",
    ),
    (
        Health::Treatment,
        "dbt emdr hospice dialysis palliative biofeedback neurofeedback",
    ),
    (
        Health::Insurance,
        "umr geha avmed cdphp regence meritain magnacare connecticare",
    ),
    (
        Health::Provider,
        "lmft pmhnp midwife allergist podiatrist audiologist hepatologist \
         otolaryngologist",
    ),
    (
        Health::Reproductive,
        "iui ectopic surrogacy ovulating stillbirth perimenopause",
    ),
    (Health::SubstanceUse, "oud detox sobriety alcoholism"),
];

/// The terms of a class.
fn terms(health: Health) -> impl Iterator<Item = &'static str> {
    TERMS
        .iter()
        .filter(move |(own, _)| *own == health)
        .flat_map(|(_, terms)| terms.split_ascii_whitespace())
}

/// The pseudonym of a term, a code or a number.
pub(super) fn of(key: &RedactionKey, health: Health, value: &str) -> String {
    let lower = value.to_lowercase();
    let mut stream = key.stream(health.as_str(), lower.as_bytes());
    if is_diagnosis_code(value) {
        return different(value, |_| diagnosis_code(health, value, &mut stream));
    }
    if !value.chars().any(char::is_alphabetic) {
        return different(value, |_| number(value, &mut stream));
    }
    let is_code =
        value.bytes().filter(u8::is_ascii_digit).count() * 2 >= value.len() && !value.contains(' ');
    if is_code {
        return different(value, |_| scramble(value, Letters::Plain, &mut stream));
    }
    term(health, value, &mut stream)
}

/// `F32.1`, `E11`: a letter, a digit, and more behind a point.
fn is_diagnosis_code(value: &str) -> bool {
    let [letter, digit, third, rest @ ..] = value.as_bytes() else {
        return false;
    };
    letter.is_ascii_alphabetic()
        && digit.is_ascii_digit()
        && third.is_ascii_alphanumeric()
        && rest.len() <= 5
        && rest
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.')
}

/// A code of the same length, of a class that reveals the same.
fn diagnosis_code(health: Health, value: &str, stream: &mut Stream) -> String {
    let head = match health {
        Health::SubstanceUse => "F18".to_owned(),
        Health::Reproductive => format!("O{}", stream.between(40, 42)),
        _ => format!("L{}", stream.between(80, 94)),
    };
    let rest: String = value
        .chars()
        .skip(3)
        .map(|c| match c {
            '.' => '.',
            c if c.is_ascii_digit() => char::from(b'0' + u8::from(stream.below(2) == 1)),
            c => c,
        })
        .collect();
    let made = head + &rest;
    if value.starts_with(|c: char| c.is_ascii_lowercase()) {
        made.to_ascii_lowercase()
    } else {
        made
    }
}

/// A score, or a code of digits. Scores stay in their range.
fn number(value: &str, stream: &mut Stream) -> String {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match (value.parse::<u32>(), digits) {
        (Ok(score @ 2..=9), 1) => stream.between(1, score).to_string(),
        (Ok(score @ 10..=99), 2) => stream.between(10, score.max(12)).to_string(),
        _ => scramble(value, Letters::None, stream),
    }
}

/// A term of the class, padded to the length of `value`.
fn term(health: Health, value: &str, stream: &mut Stream) -> String {
    let length = value.chars().count();
    let same: Vec<&str> = terms(health)
        .filter(|term| term.len() == length && !value.eq_ignore_ascii_case(term))
        .collect();
    let fitting: Vec<&str> = terms(health)
        .filter(|term| term.len() + 2 <= length)
        .collect();
    let chosen = stream.one_of(&same).or_else(|| {
        // The longest are the least of a pattern.
        let from = fitting.len().saturating_sub(2);
        stream.one_of(fitting.get(from..).unwrap_or_default())
    });
    let Some(chosen) = chosen else {
        return scramble(value, Letters::Any, stream);
    };
    let is_lower = value.chars().any(char::is_lowercase);
    let is_title = value.chars().next().is_some_and(char::is_uppercase);
    let head: String = chosen
        .chars()
        .enumerate()
        .map(|(at, c)| {
            if is_title && (at == 0 || !is_lower) {
                c.to_ascii_uppercase()
            } else {
                c
            }
        })
        .collect();
    // As many bytes as the value has, whose characters may have several.
    let left = value.len().saturating_sub(head.len());
    if left == 0 {
        return head;
    }
    let filler = "x".repeat(left.saturating_sub(1));
    head + "-" + &scramble(&filler, Letters::Any, stream)
}
