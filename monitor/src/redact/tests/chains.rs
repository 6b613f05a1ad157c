//! No chain of encodings hides a value from redaction.

use super::{leaks, redacted, request, share};
use crate::field::tests::chains::{ENCODINGS, Encoding, VALUES};

fn wrapped(chain: &[Encoding], value: &str) -> String {
    chain
        .iter()
        .rev()
        .fold(value.to_owned(), |text, (_, encode)| encode(&text))
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn check(chain: &[Encoding], found: &mut Vec<String>) {
    // Two encodings are enough for every other value.
    for value in VALUES.iter().step_by(1 + chain.len() * 2) {
        let text = wrapped(chain, value);
        let form = format!("a=1&v={}", percent(&text));
        let json = serde_json::json!({"a": 1, "v": text}).to_string();
        let (again, _) = redacted(&request(&format!("/p?{form}"), &[], json.as_bytes()), &[]);
        for leak in leaks(&again, value) {
            let names: Vec<_> = chain.iter().map(|(name, _)| *name).collect();
            found.push(format!("{}: {value}: {leak}", names.join("/")));
        }
        let (again, _) = redacted(&request("/p", &[], form.as_bytes()), &[]);
        for leak in leaks(&again, value) {
            let names: Vec<_> = chain.iter().map(|(name, _)| *name).collect();
            found.push(format!("form {}: {value}: {leak}", names.join("/")));
        }
    }
}

#[test]
fn no_chain_of_encodings_leaks_a_value() {
    let mut found = Vec::new();
    check(&[], &mut found);
    for first in ENCODINGS {
        check(&[*first], &mut found);
        for second in ENCODINGS {
            check(&[*first, *second], &mut found);
        }
    }
    let shown: Vec<_> = found.iter().take(10).collect();
    assert!(found.is_empty(), "{}: {shown:#?}", found.len());
}

#[test]
fn evidence_is_found_through_every_encoding() {
    let mut requests = Vec::new();
    for (key, value) in [
        ("email", "jane.roe@example.com"),
        ("phone", "+14152368042"),
        ("first_name", "Quillon"),
        ("dob", "1980-02-03"),
        ("diagnosis", "F32.1"),
        ("medication", "sertraline"),
        ("ssn", "212-45-6789"),
    ] {
        for encoding in ENCODINGS {
            let text = wrapped(&[*encoding], value);
            requests.push(request(
                &format!("/{}", encoding.0),
                &[],
                serde_json::json!({key: text}).to_string().as_bytes(),
            ));
        }
    }
    let (share, differing) = share(&requests);
    assert!(share > 0.95, "{share} {differing:#?}");
}
