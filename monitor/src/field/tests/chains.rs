//! No chain of up to three encodings hides a value, in any body.

use ::base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{gzip, percent, read_all};
use crate::{
    field::{FieldLimits, Fields, read_target},
    loss::Losses,
};

/// One encoding of a text by a text.
pub(crate) type Encoding = (&'static str, fn(&str) -> String);

pub(crate) const ENCODINGS: &[Encoding] = &[
    ("percent", percent),
    ("json string", |text| serde_json::to_string(text).unwrap()),
    ("json object", |text| {
        serde_json::json!({"a": 1, "v": text}).to_string()
    }),
    ("form", |text| format!("v={}", percent(text))),
    ("query", |text| format!("?a=1&v={}", percent(text))),
    ("base64", |text| BASE64_STANDARD.encode(text)),
    ("base64url", |text| BASE64_URL_SAFE_NO_PAD.encode(text)),
    ("gzip", |text| BASE64_STANDARD.encode(gzip(text))),
    ("hex", |text| {
        base16ct::lower::encode_string(text.as_bytes())
    }),
    ("jwt", |text| {
        let payload = serde_json::json!({"sub": "1", "v": text}).to_string();
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
        format!("eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl")
    }),
    ("data uri", |text| {
        format!("data:text/plain;base64,{}", BASE64_STANDARD.encode(text))
    }),
    ("entities", |text| {
        text.chars()
            .map(|character| match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_string(),
                _ => format!("&#{};", u32::from(character)),
            })
            .collect()
    }),
    ("xml", |text| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        format!("<r><a>1</a><v>{text}</v></r>")
    }),
    ("multipart", |text| {
        // No boundary may stand in what it separates.
        let boundary = (0..10)
            .map(|number| format!("--B{number}"))
            .find(|boundary| !text.contains(boundary))
            .unwrap();
        format!(
            "{boundary}\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n{text}\r\n{boundary}--\r\n"
        )
    }),
];

pub(crate) const VALUES: &[&str] = &[
    "jane.roe@example.com",
    "+15555550142",
    "(555) 555-0142",
    "Jane Roe",
    "José Núñez",
    "1980-02-03",
    "F32.1",
    "sertraline",
    "1EG4-TE5-MK73",
    "123-45-6789",
    "555-0142",
    "E11.9",
    "Zoloft",
    "Jane",
    "Prozac 20 mg daily",
    "12 Main Street",
    "PHQ-9 score: 17",
    "major depressive disorder, recurrent",
    "1980-02-03T04:05:06.000Z",
    "0378-1234-01",
    "张伟的预约",
    "Анна Иванова",
    "I feel down & hopeless; nearly every day?",
    "3.1415926535",
    "100% sure = yes",
    "https://clinic.example/quiz?email=jane%40example.com&step=2",
];

/// Chains that necessarily hide a value, as `outermost/…/innermost`.
const IMPOSSIBLE: &[&str] = &[];

/// The fields of every body around `text`.
fn bodies(text: &str) -> [(&'static str, Fields); 3] {
    let form = format!("a=1&v={}", percent(text));
    let json = serde_json::json!({"a": 1, "v": text}).to_string();
    let mut losses = Losses::default();
    let target = format!("/p?{form}");
    [
        ("form", read_all(form.as_bytes(), false).0),
        ("json", read_all(json.as_bytes(), false).0),
        (
            "query",
            read_target(target.as_bytes(), &FieldLimits::default(), &mut losses),
        ),
    ]
}

/// Names of `chain`, innermost last, that hide a value.
fn hidden(chain: &[Encoding], found: &mut Vec<String>) {
    for value in VALUES {
        let encoded = chain
            .iter()
            .rev()
            .fold((*value).to_owned(), |text, (_, encode)| encode(&text));
        for (body, fields) in bodies(&encoded) {
            if fields.iter().any(|field| field.value() == *value) {
                continue;
            }
            let names: Vec<_> = chain.iter().map(|(name, _)| *name).collect();
            let names = names.join("/");
            if !IMPOSSIBLE.contains(&names.as_str()) {
                found.push(format!("{body}: {names}: {value} as {encoded}"));
            }
        }
    }
}

#[test]
fn no_chain_of_encodings_hides_a_value() {
    let mut found = Vec::new();
    hidden(&[], &mut found);
    for first in ENCODINGS {
        hidden(&[*first], &mut found);
        for second in ENCODINGS {
            hidden(&[*first, *second], &mut found);
            for third in ENCODINGS {
                hidden(&[*first, *second, *third], &mut found);
            }
        }
    }
    let shown: Vec<_> = found.iter().take(20).map(String::as_str).collect();
    assert!(found.is_empty(), "{}:\n{}", found.len(), shown.join("\n"));
}

/// Random identifiers are seldom taken for encoded text, and words never in
/// place of themselves: what is in doubt is yielded as it is, too.
#[test]
fn identifiers_stay_what_they_are() {
    const ROUNDS: usize = 20_000;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for alphabet in [
        "0123456789",
        "0123456789abcdef",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "abcdefghijklmnopqrstuvwxyz0123456789-_",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    ] {
        let mut taken = 0;
        for _ in 0..ROUNDS {
            let length = 6 + random(30);
            let word: String = (0..length)
                .map(|_| alphabet.as_bytes()[random(alphabet.len())] as char)
                .collect();
            let body = serde_json::json!({"id": word}).to_string();
            let (fields, _) = read_all(body.as_bytes(), false);
            assert_eq!(fields.get(0).unwrap().value(), word);
            taken += fields.len() - 1;
        }
        assert!(taken * 1000 < ROUNDS, "{alphabet}: {taken}");
    }
}
