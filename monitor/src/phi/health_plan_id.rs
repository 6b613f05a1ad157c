//! Numbers that a health plan gave: Medicare by shape, others by key.

pub(super) use super::sets::health_plan_id::{KEYS, WEAK_KEYS};
use super::{
    Health, Hits, Identifier, Strength,
    digest::digest,
    insurance, named,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    let medicare = (subject.kind == ValueKind::Text)
        .then(|| medicare_number(value))
        .flatten();
    if let Some(number) = medicare {
        both(hits, "health_plan_id.mbi", &number);
        return;
    }
    let digest = digest(value);
    if digest.is_none() && !is_number(value) {
        return;
    }
    let keyed = named::is(subject, KEYS)
        || (subject
            .leaf()
            .is_some_and(|leaf| leaf.is_in(WEAK_KEYS) || named::ends_in(leaf, WEAK_KEYS))
            && (surroundings.insurance
                || subject.under(insurance::WORDS)
                || is_prefixed(value) && surroundings.health()));
    if !keyed {
        return;
    }
    if let Some(digest) = digest {
        hits.hashed(
            Identifier::HealthPlanId,
            Strength::I2,
            "health_plan_id.key.hash",
            digest,
        );
    } else if let Some(number) = medicare_number(&value.to_ascii_uppercase()) {
        both(hits, "health_plan_id.mbi", &number);
    } else {
        both(hits, "health_plan_id.key", &value.to_lowercase());
    }
}

/// A Medicare number with dashes among other words.
pub(super) fn detect_in_text(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.kind == ValueKind::Text
        && let Some(number) = medicare_in_text(subject.value)
    {
        both(hits, "health_plan_id.mbi", &number);
    }
}

/// The number identifies, and says that there is a plan.
fn both(hits: &mut Hits<'_>, rule: &'static str, number: &str) {
    hits.plain(
        Identifier::HealthPlanId,
        Strength::I3,
        rule,
        number.to_owned(),
    );
    hits.health(Health::Insurance, Strength::H3, rule, number);
}

/// Three letters of the plan and 8 to 14 digits, as the Blue Cross plans have it:
/// a member of something that speaks of health.
pub(super) fn is_prefixed(value: &str) -> bool {
    value.split_at_checked(3).is_some_and(|(plan, rest)| {
        plan.bytes().all(|byte| byte.is_ascii_uppercase())
            && (8..=14).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_number(value: &str) -> bool {
    (4..=30).contains(&value.len())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"- ".contains(&byte))
}

/// Texts longer than this are not searched for a number.
const MAX_TEXT_LENGTH: usize = 4_096;

/// The first word with dashes that is a number.
fn medicare_in_text(value: &str) -> Option<String> {
    let may_hold = (14..=MAX_TEXT_LENGTH).contains(&value.len())
        && memchr::memchr(b'-', value.as_bytes()).is_some();
    may_hold
        .then(|| {
            value
                .split(|c: char| !(c.is_ascii_alphanumeric() || "-_/+=".contains(c)))
                .filter(|word| word.len() == 13)
                .find_map(medicare_number)
        })
        .flatten()
}

/// A Medicare beneficiary identifier without dashes, in upper case. Letters
/// that look like digits (S, L, O, I, B, Z) are never used.
fn medicare_number(value: &str) -> Option<String> {
    let number = match value.len() {
        11 => value.to_owned(),
        13 if value.get(4..5) == value.get(8..9) && matches!(value.get(4..5), Some("-" | " ")) => {
            value.replace(['-', ' '], "")
        }
        _ => return None,
    };
    let is_letter = |byte: u8| byte.is_ascii_uppercase() && !b"SLOIBZ".contains(&byte);
    let fits = number.len() == 11
        && number
            .bytes()
            .zip(*b"CAXNAXNAANN")
            .all(|(byte, class)| match class {
                b'C' => (b'1'..=b'9').contains(&byte),
                b'A' => is_letter(byte),
                b'N' => byte.is_ascii_digit(),
                _ => byte.is_ascii_digit() || is_letter(byte),
            });
    fits.then_some(number)
}
