//! Tests of the search for planted values.

use base16ct::lower::encode_string as hex;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::*;
use crate::{field::Fields, phi::tests::fields};

const PLANTED: &[(Planted, &str)] = &[
    (Planted::Name, "Quillon Vexmoor"),
    (Planted::Email, "Quillon.Vexmoor@Example.com"),
    (Planted::Phone, "+1 (415) 555-0132"),
    (Planted::BirthDate, "1987-03-14"),
    (Planted::Address, "77 Fernleaf Row"),
    (Planted::Zip, "94110"),
    (Planted::MemberId, "WXQ-771-20-A"),
    (Planted::Ssn, "900-12-3456"),
    (Planted::Mrn, "00482913"),
    (Planted::Value, "AB1"),
];

fn canaries() -> Canaries {
    let canary = |values: &[(Planted, &str)]| Canary {
        values: values
            .iter()
            .map(|(planted, value)| (*planted, Secret::new((*value).to_owned())))
            .collect(),
    };
    let other = canary(&[(Planted::Email, "zorvane@example.org")]);
    Canaries::new(&[canary(PLANTED), other]).unwrap()
}

/// `number: rules` of every canary that is disclosed.
fn found(pairs: &[(&str, &str)]) -> String {
    canaries()
        .find(&fields(pairs), b"")
        .iter()
        .map(|disclosure| {
            let mut rules: Vec<_> = disclosure
                .hits
                .iter()
                .map(|hit| format!("{} {}", hit.planted.rule(), hit.form.as_str()))
                .collect();
            rules.sort();
            rules.dedup();
            format!("{}: {}", disclosure.canary, rules.join(", "))
        })
        .collect::<Vec<_>>()
        .join("; ")
}

fn check(value: &str, expected: &str) {
    assert_eq!(found(&[("x", value)]), expected, "{value}");
}

#[test]
fn every_spelling_is_found() {
    for (value, expected) in [
        ("quillon.vexmoor@example.com", "canary.email plain"),
        (
            "mailto:QUILLON.VEXMOOR@EXAMPLE.COM?subject=x",
            "canary.email plain",
        ),
        (
            "https://x.example/?e=quillon.vexmoor%40example.com&y=1",
            "canary.email plain",
        ),
        (
            "https://x.example/?e=quillon.vexmoor%2540example.com",
            "canary.email plain",
        ),
        ("quillonvexmoor@example.com", "canary.email plain"),
        ("14155550132", "canary.phone plain"),
        ("415-555-0132", "canary.phone plain"),
        ("call (415) 555-0132 now", "canary.phone plain"),
        ("%2B14155550132", "canary.phone plain"),
        ("900123456", "canary.ssn plain"),
        ("SSN 900 12 3456", "canary.ssn plain"),
        ("wxq77120a", "canary.member_id plain"),
        ("mrn:00482913", "canary.mrn plain"),
        ("77 fernleaf row", "canary.address plain"),
        ("77+Fernleaf+Row", "canary.address plain"),
        (&hex(b"WXQ-771-20-A"), "canary.member_id plain"),
        (
            &STANDARD.encode("quillon.vexmoor@example.com"),
            "canary.email plain",
        ),
        (
            &STANDARD.encode("a=quillon.vexmoor@example.com"),
            "canary.email plain",
        ),
        (
            &STANDARD.encode("ab=quillon.vexmoor@example.com&x"),
            "canary.email plain",
        ),
        (
            &URL_SAFE_NO_PAD.encode("{\"p\":\"14155550132\"}"),
            "canary.phone plain",
        ),
        (
            &hex(&Sha256::digest("quillon.vexmoor@example.com")),
            "canary.email sha256",
        ),
        (
            &hex(&Sha256::digest("Quillon.Vexmoor@Example.com")),
            "canary.email sha256",
        ),
        (
            &hex(&Sha256::digest("+14155550132")).to_uppercase(),
            "canary.phone sha256",
        ),
        (&hex(&Md5::digest("4155550132")), "canary.phone md5"),
        (&hex(&Sha1::digest("900123456")), "canary.ssn sha1"),
        (
            &hex(&Sha512::digest("wxq-771-20-a")),
            "canary.member_id sha512",
        ),
        (
            &STANDARD.encode(Sha256::digest("quillonvexmoor@example.com")),
            "canary.email sha256",
        ),
        (
            &format!(
                "tv.1~em.{}~x",
                URL_SAFE_NO_PAD.encode(Sha256::digest("14155550132"))
            ),
            "canary.phone sha256",
        ),
    ] {
        check(value, &format!("1: {expected}"));
    }
    check("zorvane@example.org", "2: canary.email plain");
    // A name brings its parts along.
    check("Vexmoor, Quillon", "1: canary.name plain");
    check("hello Quillon Vexmoor!", "1: canary.name plain");
}

#[test]
fn values_that_many_people_share_count_only_together() {
    for pairs in [
        &[("first_name", "Quillon")][..],
        &[("last_name", "Vexmoor")],
        &[("dob", "1987-03-14")],
        &[("zip", "94110")],
        &[("code", "AB1")],
        &[("first_name", "Quillon"), ("zip", "94110")],
        // Two people of one batch.
        &[
            ("data.0.first_name", "Quillon"),
            ("data.1.last_name", "Vexmoor"),
        ],
    ] {
        assert_eq!(found(pairs), "", "{pairs:?}");
    }
    let first_name = hex(&Sha256::digest("quillon"));
    for (pairs, expected) in [
        (
            &[("data.0.fn", first_name.as_str()), ("data.0.ln", "Vexmoor")][..],
            "1: canary.name plain, canary.name sha256",
        ),
        (
            &[("last_name", "Vexmoor"), ("dob", "03/14/1987")],
            "1: canary.birth_date plain, canary.name plain",
        ),
        (
            &[("code", "AB1"), ("zip", "94110")],
            "1: canary.value plain, canary.zip plain",
        ),
        (
            &[("data.0.code", "AB1"), ("first_name", "Quillon")],
            "1: canary.name plain, canary.value plain",
        ),
    ] {
        assert_eq!(found(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn keys_and_unread_bodies_are_searched() {
    assert_eq!(
        found(&[("people.WXQ-771-20-A.x", "1")]),
        "1: canary.member_id plain"
    );
    let body = b"\x00\x01wxq-771-20-a\xff";
    let found = canaries().find(&Fields::default(), body);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].hits[0].field, None);
}

#[test]
fn what_is_similar_is_no_alarm() {
    for value in [
        "xquillon.vexmoor@example.com",
        "quillon.vexmoor@example.com.evil",
        "vexmoor@example.com",
        "514155550132",
        "41555501329",
        "9001234567",
        "177 Fernleaf Rows",
        "WXQ-771-20-AB",
        "wxq",
        "1764038463123",
        "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976",
        "d41d8cd98f00b204e9800998ecf8427e",
        "",
    ] {
        check(
            value,
            if value.contains(".evil") {
                "1: canary.email plain"
            } else {
                ""
            },
        );
    }
    // Numbers and ids of all kinds.
    for index in 0..20_000_u64 {
        let number = (index * 7_919_317 + 100_000_007).to_string();
        assert_eq!(found_fast(&number), 0, "{number}");
    }
}

fn found_fast(value: &str) -> usize {
    use std::sync::LazyLock;
    static CANARIES: LazyLock<Canaries> = LazyLock::new(canaries);
    CANARIES.find(&fields(&[("x", value)]), b"").len()
}

#[test]
fn nothing_planted_is_shown() {
    let canaries = canaries();
    let found = canaries.find(&fields(&[("x", "quillon.vexmoor@example.com")]), b"");
    let shown = format!("{canaries:?} {found:?}").to_lowercase();
    for (_, value) in PLANTED {
        assert!(!shown.contains(&value.to_lowercase()), "{shown}");
    }
    assert!(!shown.contains("vexmoor"), "{shown}");
}

#[test]
fn without_canaries_nothing_is_sought() {
    let none = Canaries::new(&[]).unwrap();
    assert!(none.is_empty());
    assert!(none.find(&fields(&[("x", "y")]), b"y").is_empty());
}
