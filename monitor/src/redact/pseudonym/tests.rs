//! Tests of the pseudonyms of each class.

use std::collections::HashSet;

use super::*;
use crate::phi::Health;

fn key() -> RedactionKey {
    RedactionKey::from_bytes([5; 32])
}

fn plain(identifier: Identifier, value: &str) -> String {
    of(&key(), Class::Identifier(identifier), Form::Plain, value)
}

const VALUES: &[(Class, &[&str])] = &[
    (
        Class::Identifier(Identifier::Email),
        &[
            "jane.roe@example.com",
            "a@b.example",
            "no address",
            "José@exämple.com",
        ],
    ),
    (
        Class::Identifier(Identifier::Phone),
        &[
            "+1 (415) 555-0132",
            "14155550132",
            "4155550132",
            "+44 20 7946 0958",
            "555-0142",
        ],
    ),
    (
        Class::Identifier(Identifier::Ssn),
        &["900-70-3456", "212-12-3456", "212123456", "3456"],
    ),
    (
        Class::Identifier(Identifier::BirthDate),
        &[
            "1987-03-14",
            "03/14/1987",
            "3/4/1987",
            "14.03.1987",
            "19870314",
            "1987",
            "March 14, 1987",
            "14 Mar 1987",
            "1987-03-14T00:00:00Z",
            "03",
            "23",
            "543196800",
        ],
    ),
    (
        Class::Identifier(Identifier::ServiceDate),
        &[
            "2026-11-24T10:30:00.123Z",
            "11/24/2026 10:30",
            "20261124",
            "24 November 2026",
        ],
    ),
    (
        Class::Identifier(Identifier::Ip),
        &[
            "203.0.113.77",
            "8.8.8.8:443",
            "2001:db8::1",
            "not an address",
        ],
    ),
    (
        Class::Identifier(Identifier::Zip),
        &["94110", "94110-1234", "K1A 0B1", "SW1A 1AA"],
    ),
    (
        Class::Identifier(Identifier::Geo),
        &["37.7749", "-122.419416", "37.77,-122.41"],
    ),
    (
        Class::Identifier(Identifier::Name),
        &["Jane Roe", "O'Neil-Smith", "José", "张伟"],
    ),
    (
        Class::Identifier(Identifier::Address),
        &["77 Fernleaf Row, Apt 4B"],
    ),
    (
        Class::Identifier(Identifier::OnlineId),
        &[
            "fb.1.1596403881668.1116446470",
            "GA1.2.123456789.1700000000",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        ],
    ),
    (
        Class::Identifier(Identifier::Account),
        &[
            "4111 1111 1111 1111",
            "DE89 3704 0044 0532 0130 00",
            "021000021",
        ],
    ),
    (
        Class::Identifier(Identifier::HealthPlanId),
        &["1EG4-TE5-MK73"],
    ),
    (
        Class::Health(Health::Condition),
        &["depression", "F32.1", "E11", "gout", "17"],
    ),
    (
        Class::Health(Health::Medication),
        &["sertraline", "Zoloft", "ZOLOFT 50 mg"],
    ),
    (
        Class::Health(Health::Assessment),
        &["PHQ-9", "17", "GAD-7 score"],
    ),
];

#[test]
fn every_class_keeps_the_length_and_nothing_else() {
    for (class, values) in VALUES.iter().copied() {
        for value in values {
            let made = of(&key(), class, Form::Plain, value);
            assert_eq!(made, of(&key(), class, Form::Plain, value));
            assert_ne!(made, *value);
            // Addresses of machines have the length that their range allows.
            if class != Class::Identifier(Identifier::Ip) {
                assert_eq!(made.len(), value.len(), "{value} {made}");
            }
        }
    }
}

#[test]
fn spellings_of_one_value_stay_spellings_of_one() {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let phone = |value| digits(&plain(Identifier::Phone, value));
    assert_eq!(phone("+1 (415) 555-0132"), phone("1-415-555-0132"));
    assert_eq!(
        phone("+14155550132").get(1..),
        Some(&*phone("(415) 555-0132"))
    );
    for (identifier, one, other) in [
        (
            Identifier::Email,
            "Jane.Roe@Example.com",
            "jane.roe@example.com",
        ),
        (Identifier::Name, "JANE", "jane"),
        (Identifier::Mrn, "ABC-123-45", "abc-123-45"),
    ] {
        let folded = |value| plain(identifier, value).to_lowercase();
        assert_eq!(folded(one), folded(other));
    }
    let full = plain(Identifier::Name, "Jane Roe");
    let parts = [
        plain(Identifier::Name, "jane"),
        plain(Identifier::Name, "ROE"),
    ];
    assert_eq!(full.to_lowercase(), parts.join(" ").to_lowercase());
    assert_eq!(
        digits(&plain(Identifier::Ssn, "212-12-3456")),
        plain(Identifier::Ssn, "212123456")
    );
    let iso = plain(Identifier::BirthDate, "1987-03-14");
    assert_eq!(
        iso.replace('-', ""),
        plain(Identifier::BirthDate, "19870314")
    );
}

#[test]
fn hashes_stay_hashes_in_either_spelling() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let bytes: Vec<u8> = (0..32).map(|n| n * 7).collect();
    let digits = base16ct::lower::encode_string(&bytes);
    let made = |value: &str| {
        of(
            &key(),
            Class::Identifier(Identifier::Email),
            Form::Sha256,
            value,
        )
    };
    let hashed = made(&digits);
    assert_eq!(hashed.len(), 64);
    assert_ne!(hashed, digits);
    assert_eq!(made(&digits.to_uppercase()), hashed.to_uppercase());
    let coded = made(&BASE64_STANDARD.encode(&bytes));
    assert_eq!(
        base16ct::lower::encode_string(&BASE64_STANDARD.decode(coded).unwrap()),
        hashed
    );
    assert_eq!(
        made(&format!("sha256:{digits}")),
        format!("sha256:{hashed}")
    );
}

#[test]
fn different_values_get_different_pseudonyms() {
    for (identifier, make) in [
        (
            Identifier::Email,
            (|n| format!("user{n}@example.com")) as fn(u32) -> String,
        ),
        (Identifier::Phone, |n| format!("415555{n:04}")),
        (Identifier::Mrn, |n| format!("MRN{n:07}")),
        (Identifier::ExternalId, |n| format!("user-{:08}", n * 7919)),
    ] {
        let made: HashSet<String> = (0..2_000).map(|n| plain(identifier, &make(n))).collect();
        assert!(made.len() >= 1_998, "{identifier:?} {}", made.len());
    }
}
