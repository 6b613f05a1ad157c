//! Numbers of bank accounts and cards: with check digits by shape, others by
//! key.

pub(super) use super::sets::account::{CARD_KEYS, KEYS, ROUTING_KEYS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
};
use crate::field::ValueKind;

/// Lengths of an IBAN by country, of the countries with the most.
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// Longer values hold no number by themselves: an IBAN in groups of four.
const MAX_LENGTH: usize = 42;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if digits < 5 || subject.kind == ValueKind::Literal {
        return;
    }
    if value.len() <= MAX_LENGTH {
        if let Some(iban) = iban(value) {
            hits.plain(Identifier::Account, Strength::I3, "account.iban", iban);
            return;
        }
        if numbers(subject, hits) {
            return;
        }
    }
    if let Some(digest) = digest(value)
        && named::is(subject, KEYS)
    {
        hits.hashed(
            Identifier::Account,
            Strength::I2,
            "account.key.hash",
            digest,
        );
    }
}

/// Numbers of digits, between which may be spaces and dashes.
fn numbers(subject: &Subject<'_>, hits: &mut Hits<'_>) -> bool {
    let value = subject.value;
    if !value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b" -".contains(&byte))
    {
        return false;
    }
    let digits = value.replace([' ', '-'], "");
    let (strength, rule) = if is_card(&digits) && named::is(subject, CARD_KEYS) {
        (Strength::I3, "account.key.card")
    } else if is_card(&digits) && is_grouped_card(value) {
        (Strength::I3, "account.shape.card")
    } else if is_routing(&digits) && named::is(subject, ROUTING_KEYS) {
        (Strength::I1, "account.key.routing")
    } else if (5..=17).contains(&digits.len()) && named::is(subject, KEYS) {
        (Strength::I3, "account.key")
    } else {
        return false;
    };
    hits.plain(Identifier::Account, strength, rule, digits);
    true
}

/// An international number whose length and check digits are right, without
/// spaces and in upper case.
fn iban(value: &str) -> Option<String> {
    let bytes = value.as_bytes();
    let starts = bytes.first()?.is_ascii_alphabetic()
        && bytes.get(1)?.is_ascii_alphabetic()
        && bytes.get(2)?.is_ascii_digit()
        && bytes.get(3)?.is_ascii_digit();
    if !starts || !value.is_ascii() {
        return None;
    }
    let number = value.replace([' ', '-'], "").to_ascii_uppercase();
    let country = number.get(..2)?;
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country)?;
    if number.len() != *length {
        return None;
    }
    let (head, tail) = number.split_at_checked(4)?;
    let mut remainder = 0_u32;
    for byte in tail.bytes().chain(head.bytes()) {
        let digit = char::from(byte).to_digit(36)?;
        remainder = (remainder * if digit < 10 { 10 } else { 100 } + digit) % 97;
    }
    (remainder == 1).then_some(number)
}

/// Whether nine digits have the checksum of a bank of the United States.
fn is_routing(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(byte, weight)| u32::from(byte.saturating_sub(b'0')) * weight)
        .sum();
    digits.len() == 9 && sum > 0 && sum.is_multiple_of(10)
}

/// Whether digits are as long as a card's and have its check digit.
fn is_card(digits: &str) -> bool {
    (13..=19).contains(&digits.len())
        && digits.starts_with(['2', '3', '4', '5', '6'])
        && luhn(digits)
}

/// Four groups of four digits between equal separators, of a large network.
fn is_grouped_card(value: &str) -> bool {
    let separators = value.bytes().filter(|byte| !byte.is_ascii_digit());
    let mut groups = value.split([' ', '-']);
    groups.all(|group| group.len() == 4)
        && separators.count() == 3
        && !(value.contains(' ') && value.contains('-'))
        && value.starts_with(['4', '5', '6'])
}

/// Whether the last of `digits` is the check digit of the others.
pub(super) fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|byte| u32::from(byte.saturating_sub(b'0')))
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, _) => digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}
