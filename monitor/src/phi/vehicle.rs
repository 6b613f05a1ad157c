//! Vehicles: identification numbers by key or with their check digit, plates by
//! key.

pub(super) use super::sets::vehicle::{KEYS, PLATE_KEYS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::ValueKind;

/// Length of an identification number.
const LENGTH: usize = 17;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if subject.kind == ValueKind::Literal || value.len() < 2 {
        return;
    }
    if value.len() == LENGTH && is_vin(value) {
        let keyed = named::is(subject, KEYS);
        if keyed || subject.kind == ValueKind::Text && is_checked(value) && ends_in_serial(value) {
            let rule = if keyed {
                "vehicle.key"
            } else {
                "vehicle.shape"
            };
            let number = value.to_ascii_uppercase();
            hits.plain(Identifier::Vehicle, Strength::I3, rule, number);
        }
        return;
    }
    if is_plate(value) && named::is(subject, PLATE_KEYS) {
        let number = text::fold(value);
        hits.plain(
            Identifier::Vehicle,
            Strength::I3,
            "vehicle.key.plate",
            number,
        );
    } else if let Some(digest) = digest(value)
        && (named::is(subject, KEYS) || named::is(subject, PLATE_KEYS))
    {
        hits.hashed(
            Identifier::Vehicle,
            Strength::I2,
            "vehicle.key.hash",
            digest,
        );
    }
}

/// Letters except I, O and Q, and digits.
fn is_vin(value: &str) -> bool {
    value.len() == LENGTH
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() && !b"IOQioq".contains(&byte))
}

/// Whether the ninth character checks the others.
fn is_checked(value: &str) -> bool {
    const WEIGHTS: [u32; LENGTH] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let number = |byte: u8| match byte.to_ascii_uppercase() {
        digit @ b'0'..=b'9' => u32::from(digit - b'0'),
        letter @ b'A'..=b'I' => u32::from(letter - b'A') + 1,
        letter @ b'J'..=b'R' => u32::from(letter - b'J') + 1,
        letter @ b'S'..=b'Z' => u32::from(letter - b'S') + 2,
        _ => 0,
    };
    let sum: u32 = value
        .bytes()
        .zip(WEIGHTS)
        .map(|(byte, weight)| number(byte) * weight)
        .sum();
    let check = match sum % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).unwrap_or('X'),
    };
    value
        .chars()
        .nth(8)
        .is_some_and(|c| c.eq_ignore_ascii_case(&check))
}

/// Upper case with a serial number of five digits at its end, as large makers
/// write it; one random id of 17 characters in thousands has all of this.
fn ends_in_serial(value: &str) -> bool {
    value.bytes().all(|byte| !byte.is_ascii_lowercase())
        && value.bytes().filter(u8::is_ascii_alphabetic).count() >= 3
        && value
            .bytes()
            .skip(LENGTH - 5)
            .all(|byte| byte.is_ascii_digit())
        && value
            .as_bytes()
            .get(9)
            .is_some_and(|year| !b"UZ0".contains(year))
}

fn is_plate(value: &str) -> bool {
    (4..=10).contains(&value.len())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"- ".contains(&byte))
}
