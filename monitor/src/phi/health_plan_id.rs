//! Numbers that a health plan gave: Medicare by shape, others by key.

use super::{
    Health, Hits, Identifier, Strength,
    digest::digest,
    insurance,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// Keys that hold one, whatever else the message says.
pub(super) const KEYS: &[&str] = &[
    "healthplanid",
    "insuranceid",
    "insurancegroup",
    "insurancegroupnumber",
    "insurancememberid",
    "insurancenumber",
    "insurancepolicynumber",
    "mbi",
    "medicaidid",
    "medicareid",
    "rxbin",
    "rxgroup",
    "rxpcn",
];

/// Keys that hold one where the message is about insurance: shops and clubs
/// have members, groups and policies too.
pub(super) const WEAK_KEYS: &[&str] = &[
    "groupid",
    "groupno",
    "groupnumber",
    "memberid",
    "memberno",
    "membernumber",
    "planid",
    "policyid",
    "policyno",
    "policynumber",
    "subscriberid",
];

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let keyed = subject.leaf_in(KEYS)
        || (subject.leaf_in(WEAK_KEYS)
            && (surroundings.insurance || subject.under(insurance::WORDS)));
    if let Some(number) = medicare_number(subject.value)
        && (keyed || subject.kind == ValueKind::Text)
    {
        hits.plain(
            Identifier::HealthPlanId,
            Strength::I3,
            "health_plan_id.mbi",
            number.clone(),
        );
        hits.health(
            Health::Insurance,
            Strength::H3,
            "health_plan_id.mbi",
            &number,
        );
        return;
    }
    if !keyed {
        return;
    }
    if let Some(digest) = digest(subject.value) {
        hits.hashed(
            Identifier::HealthPlanId,
            Strength::I2,
            "health_plan_id.key.hash",
            digest,
        );
    } else if is_number(subject.value) {
        let number = subject.value.to_lowercase();
        hits.health(
            Health::Insurance,
            Strength::H3,
            "health_plan_id.key",
            &number,
        );
        hits.plain(
            Identifier::HealthPlanId,
            Strength::I3,
            "health_plan_id.key",
            number,
        );
    }
}

fn is_number(value: &str) -> bool {
    (4..=30).contains(&value.len())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"- ".contains(&byte))
}

/// A Medicare beneficiary identifier without dashes, in upper case. Letters
/// that look like digits (S, L, O, I, B, Z) are never used.
fn medicare_number(value: &str) -> Option<String> {
    let number = match value.len() {
        11 => value.to_owned(),
        13 if value.get(4..5) == Some("-") && value.get(8..9) == Some("-") => {
            value.replace('-', "")
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
