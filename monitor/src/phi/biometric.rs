//! Biometric identifiers: by key. The `fingerprint` of a browser is none.

use super::sets::biometric::PARENTS;
pub(super) use super::sets::biometric::{KEYS, WEAK_KEYS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// Shorter values are settings.
const MIN_LENGTH: usize = 8;

/// What of a value is kept: templates are long.
const KEPT: usize = 64;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if subject.kind == ValueKind::Literal
        || value.len() < MIN_LENGTH
        || value.contains(' ')
        || !value.bytes().any(|byte| byte.is_ascii_digit())
    {
        return;
    }
    let under = || {
        subject.leaf_in(WEAK_KEYS)
            && (subject.under(PARENTS) || subject.leaf().is_some_and(|leaf| leaf.has_word(PARENTS)))
    };
    if !named::is(subject, KEYS) && !under() {
        return;
    }
    if let Some(digest) = digest(value) {
        hits.hashed(
            Identifier::Biometric,
            Strength::I2,
            "biometric.key.hash",
            digest,
        );
    } else {
        let kept = value.chars().take(KEPT).collect();
        hits.plain(Identifier::Biometric, Strength::I3, "biometric.key", kept);
    }
}
