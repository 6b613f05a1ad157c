//! States by key, value, hash and postal code.

use base16ct::lower::encode_string as hex;

use super::*;
use crate::{field::StepId, phi::rules, phi::tests::fields};

/// The states that a message of these paths and values names.
fn check(message: &[(&str, &str)], expected: &[&str]) {
    let fields = fields(message);
    let evidence = rules(&fields);
    let mut all = States::default();
    for (_, states) in states_in(&fields, &evidence) {
        all.add(states);
    }
    assert_eq!(all.letters(), expected, "{message:?}");
}

const EMAIL: (&str, &str) = ("user.email", "jane.roe@example.com");
const CITY: (&str, &str) = ("user.city", "Springfield");

#[test]
fn states_are_read_by_key_and_value() {
    check(&[EMAIL, ("user.state", "CA")], &["CA"]);
    check(&[EMAIL, ("user.state", "tx")], &["TX"]);
    check(&[EMAIL, ("user.billing_state", "New York")], &["NY"]);
    check(&[EMAIL, ("user.region", "US-OH")], &["OH"]);
    check(
        &[EMAIL, ("user.administrative_area", "west virginia")],
        &["WV"],
    );
    check(&[EMAIL, CITY, ("user.st", "in")], &["IN"]);
    check(&[EMAIL, ("user.st", "in")], &[]);
    check(&[EMAIL, ("state", "ok")], &[]);
    check(&[EMAIL, ("state", "active")], &[]);
    check(&[EMAIL, ("appstate", "CA")], &[]);
    // Nobody is meant.
    check(&[("state", "CA")], &[]);
}

#[test]
fn hashed_states_are_looked_up() {
    for (text, letters) in [("il", "IL"), ("northdakota", "ND"), ("north dakota", "ND")] {
        let hash = hex(&Sha256::digest(text.as_bytes()));
        check(&[EMAIL, ("user_data.st.0", &hash)], &[letters]);
        check(
            &[EMAIL, ("user_data.st.0", &hash.to_uppercase())],
            &[letters],
        );
        check(&[EMAIL, ("user_data.xx.0", &hash)], &[]);
    }
    let other = hex(&Sha256::digest(b"nowhere"));
    check(&[EMAIL, ("user_data.st", &other)], &[]);
}

#[test]
fn postal_codes_and_addresses_tell_the_state() {
    check(&[EMAIL, ("user.zip", "62704")], &["IL"]);
    check(&[EMAIL, ("user.zip", "10001-1234")], &["NY"]);
    check(&[EMAIL, ("user.zip", "06390")], &["NY"]);
    check(&[EMAIL, ("user.zip", "09012")], &[]);
    check(
        &[EMAIL, ("user.zip", "62704"), ("user.state", "NY")],
        &["NY"],
    );
    check(
        &[("user.note", "12 Elm Street, Springfield, IL 62704")],
        &["IL"],
    );
    check(&[EMAIL, ("user.zip", "62704"), ("user.country", "de")], &[]);
    check(
        &[EMAIL, ("user.zip", "62704"), ("user.country", "US")],
        &["IL"],
    );
    let us = hex(&Sha256::digest(b"us"));
    check(
        &[EMAIL, ("user.zip", "62704"), ("user.country", &us)],
        &["IL"],
    );
}

#[test]
fn states_stay_in_their_element() {
    let fields = fields(&[
        ("data.0.user.email", "a.roe@example.com"),
        ("data.0.user.state", "CA"),
        ("data.1.user.email", "b.roe@example.com"),
        ("data.1.user.state", "NY"),
    ]);
    let found: Vec<_> = states_in(&fields, &rules(&fields))
        .into_iter()
        .map(|(element, states)| (element.map(StepId::index), states.letters()))
        .collect();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(element, _)| element.is_some()));
    assert_ne!(found.first(), found.last());
}

#[test]
fn the_tables_are_sound() {
    assert!(STATES.is_sorted());
    assert!(STATES.len() <= 64);
    assert!(POSTAL.windows(2).all(|pair| pair[0].1 < pair[1].0));
    for (first, last, letters) in POSTAL {
        assert!(first <= last && States::from_letters(letters).is_some());
    }
    for letters in AMBIGUOUS.iter() {
        assert!(state_name(letters).is_some());
    }
}
