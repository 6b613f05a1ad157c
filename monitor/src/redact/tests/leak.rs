//! No key leaves a short value inside an unreadable text.

use super::*;

/// How many keys are tried: a digit that stays with one key in ten would show.
const KEYS: u8 = 200;

const EVENT: &str = "{\"data\":[{\"event_name\":\"CompleteRegistration\",\
    \"event_source_url\":\"https://shop.example.com/therapy/depression-assessment?step=7\",\
    \"user_data\":{\"fn\":[\"Averylla\"]}}]}";

/// `body` and `target` with every key: nothing of `planted` is left.
fn check(target: &str, body: &str, planted: &str) {
    for number in 0..KEYS {
        let redactor = Redactor::new(RedactionKey::from_bytes([number; 32]));
        let own = request(target, &[], body.as_bytes());
        let (fields, evidence) = read(&own);
        let new = redactor.request(&own, "/{id}", &fields, &evidence, &[]);
        for bytes in [&new.target, &new.body] {
            let text = String::from_utf8_lossy(bytes.expose()).into_owned();
            assert!(!text.contains(planted), "{planted} with key {number}");
        }
    }
}

#[test]
fn no_key_leaves_a_short_value() {
    // What a broken client sends as its request line.
    check(&format!("/{EVENT}"), "", "step=7");
    check("/", EVENT, "step=7");
    check("/", EVENT.get(..EVENT.len() - 9).unwrap(), "step=7");
    check("/", &format!("x {EVENT}"), "step=7");
}
