//! Numbers of licences, certificates and passports: by key, those of the DEA
//! with their checksum.

use super::sets::license::OTHERS;
pub(super) use super::sets::license::{DEA_KEYS, KEYS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
    text,
};

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    let digest = digest(value);
    if digest.is_none() && !is_number(value) {
        return;
    }
    if is_dea(value) && named::is(subject, DEA_KEYS) {
        let number = value.to_ascii_uppercase();
        // It is the prescriber's, who is seldom the person.
        hits.plain(Identifier::License, Strength::I1, "license.key.dea", number);
        return;
    }
    if !named::is(subject, KEYS) || subject.leaf().is_some_and(|leaf| leaf.has_word(OTHERS)) {
        return;
    }
    if let Some(digest) = digest {
        hits.hashed(
            Identifier::License,
            Strength::I2,
            "license.key.hash",
            digest,
        );
    } else if !text::is_placeholder(value) {
        let number = value.to_ascii_uppercase();
        hits.plain(Identifier::License, Strength::I3, "license.key", number);
    }
}

/// Four to 25 letters, digits and dashes, with at least three digits.
fn is_number(value: &str) -> bool {
    (4..=25).contains(&value.len())
        && value.bytes().filter(u8::is_ascii_digit).count() >= 3
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"- *".contains(&byte))
}

/// Two letters, or a letter and a nine, and seven digits, of which the last
/// checks the others.
fn is_dea(value: &str) -> bool {
    let [kind, name, digits @ ..] = value.as_bytes() else {
        return false;
    };
    if digits.len() != 7 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut numbers = digits.iter().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = numbers
        .clone()
        .take(6)
        .zip([1, 2].into_iter().cycle())
        .map(|(number, weight)| number * weight)
        .sum();
    b"ABCDEFGHJKLMPRSTUX".contains(&kind.to_ascii_uppercase())
        && (name.is_ascii_alphabetic() || *name == b'9')
        && numbers.next_back() == Some(sum % 10)
}
