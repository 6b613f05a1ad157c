//! Tests of redaction: nothing is left, and what was found is found again.

use std::collections::BTreeSet;

use super::*;
use crate::{
    canary::spelling,
    event::{StreamId, Timestamp},
    field::{self, FieldLimits},
    finding::{Values, show},
    http::Protocol,
    loss::Losses,
    phi,
};

mod chains;
mod events;
mod leak;
mod limits;
mod recorded;

/// 2026-11-24 02:40 UTC.
const NOW: u64 = 1_795_488_000;

pub(super) fn request(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    Request {
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 1,
        },
        ordinal: 0,
        time: Timestamp(NOW * 1_000_000_000),
        end: Timestamp(NOW * 1_000_000_000),
        place: None,
        protocol: Protocol::Http1,
        method: "POST".to_owned(),
        target: Secret::new(Bytes::copy_from_slice(target.as_bytes())),
        host: Some("tracker.example".to_owned()),
        headers: headers
            .iter()
            .map(|(name, value)| Header {
                name: (*name).to_owned(),
                value: Secret::new(Bytes::copy_from_slice(value.as_bytes())),
            })
            .collect(),
        body: Secret::new(Bytes::copy_from_slice(body)),
        body_wire_length: body.len() as u64,
        wire_length: body.len() as u64,
        status: None,
        completeness: Completeness::Complete,
    }
}

fn redactor() -> Redactor {
    Redactor::new(RedactionKey::from_bytes([7; 32]))
}

fn read(request: &Request) -> (Fields, Vec<Evidence>) {
    let fields = field::read(request, &FieldLimits::default(), &mut Losses::default());
    let evidence = phi::rules(&fields);
    (fields, evidence)
}

/// `request` redacted, as a request again.
fn redacted(request: &Request, planted: &[&str]) -> (Request, BodyState) {
    let (fields, evidence) = read(request);
    let made = redactor().request(request, "/{id}", &fields, &evidence, planted);
    let again = Request {
        target: made.target,
        headers: made.headers,
        body_wire_length: made.body.expose().len() as u64,
        body: made.body,
        ..request.clone()
    };
    (again, made.body_state)
}

/// Everything that is written of a request, one part after the other.
fn written(request: &Request) -> Vec<Vec<u8>> {
    let mut parts = vec![
        request.target.expose().to_vec(),
        request.body.expose().to_vec(),
    ];
    for header in &request.headers {
        parts.push(header.name.clone().into_bytes());
        parts.push(header.value.expose().to_vec());
    }
    parts
}

/// Where `value` occurs in `request` in any spelling, literally or as the
/// readers decode it.
fn leaks(request: &Request, value: &str) -> Vec<String> {
    let lower = value.to_lowercase();
    let mut found = Vec::new();
    let mut spellings = vec![(lower.clone(), false)];
    spellings.extend(
        spelling::encoded(value)
            .into_iter()
            .chain(spelling::encoded(&lower)),
    );
    for part in written(request) {
        let text = String::from_utf8_lossy(&part);
        let folded = text.to_lowercase();
        for (spelling, exact) in &spellings {
            let is_in = if *exact {
                text.contains(spelling.as_str())
            } else {
                folded.contains(&spelling.to_lowercase())
            };
            if is_in {
                found.push(format!("as {spelling} in {text}"));
            }
        }
    }
    let fields = field::read(request, &FieldLimits::default(), &mut Losses::default());
    for field in fields.iter() {
        if field.value().to_lowercase().contains(&lower) {
            found.push(format!("read as {}", field.value()));
        }
    }
    found
}

/// Class, form and shown path of all evidence.
fn seen(request: &Request) -> BTreeSet<String> {
    let (fields, evidence) = read(request);
    let none = Values::of(std::iter::empty());
    evidence
        .iter()
        .filter_map(|item| {
            let field = fields.get(item.field)?;
            let path = show(&field, &none);
            Some(format!(
                "{} {} {path}",
                item.class.as_str(),
                item.form.as_str()
            ))
        })
        .collect()
}

/// The share of the evidence of `requests` that is found again, with the
/// differences.
fn share(requests: &[Request]) -> (f64, Vec<String>) {
    let (mut same, mut all) = (0_u32, 0_u32);
    let mut differing = Vec::new();
    for request in requests {
        let before = seen(request);
        let (again, _) = redacted(request, &[]);
        let after = seen(&again);
        all += before.union(&after).count() as u32;
        same += before.intersection(&after).count() as u32;
        for (mark, item) in before
            .difference(&after)
            .map(|item| ('-', item))
            .chain(after.difference(&before).map(|item| ('+', item)))
        {
            let target = String::from_utf8_lossy(request.target.expose());
            differing.push(format!("{mark} {item} of {target}"));
        }
    }
    (f64::from(same) / f64::from(all.max(1)), differing)
}

#[test]
fn the_default_is_to_replace() {
    let body =
        br#"{"event":"Purchase","zork":"Averylla Quandt","note":"she came","n":12,"big":123456,
        "ok":true,"none":null,"event_time":1795480000,"when":"2026-11-20","price":"USD"}"#;
    let (again, state) = redacted(&request("/v1/track?q=Averylla", &[], body), &[]);
    assert_eq!(state, BodyState::SameLength);
    let text = String::from_utf8_lossy(again.body.expose()).into_owned();
    for kept in [
        "\"Purchase\"",
        "\"n\":12,",
        "\"ok\":true",
        "\"none\":null",
        "1795480000",
        "USD",
    ] {
        assert!(text.contains(kept), "{kept} {text}");
    }
    for value in ["Averylla", "Quandt", "she", "came", "123456", "2026-11-20"] {
        assert!(leaks(&again, value).is_empty(), "{value} {text}");
    }
    assert!(
        serde_json::from_str::<serde_json::Value>(&text).is_ok(),
        "{text}"
    );
    let target = String::from_utf8_lossy(again.target.expose()).into_owned();
    assert!(target.starts_with("/v1/track?q="), "{target}");
}

#[test]
fn headers_keep_what_describes_the_message() {
    let headers = [
        ("host", "graph.facebook.com"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-encoding", "gzip"),
        ("content-length", "999"),
        ("authorization", "Bearer abcdefgh12345"),
        (
            "cookie",
            "_fbp=fb.1.1596403881668.1116446470; name=Averylla",
        ),
        ("user-agent", "python-requests/2.31 (Averylla's laptop)"),
        ("x-forwarded-for", "203.0.113.77, 10.0.0.1"),
        ("x-averylla", "1"),
        ("referer", "https://clinic.example/averylla?x=quandt"),
        ("accept", "*/*"),
    ];
    let (again, state) = redacted(&request("/x", &headers, b"{\"a\":\"Averylla\"}"), &[]);
    assert_eq!(state, BodyState::Decoded);
    let value = |name: &str| {
        again
            .header(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    };
    assert_eq!(value("host").as_deref(), Some("graph.facebook.com"));
    assert_eq!(value("content-encoding"), None);
    assert_eq!(value("content-length").as_deref(), Some("16"));
    assert_eq!(value("accept").as_deref(), Some("*/*"));
    assert_eq!(
        value("content-type").as_deref(),
        Some("application/json; charset=utf-8")
    );
    assert!(
        value("user-agent")
            .unwrap()
            .starts_with("python-requests/2.31 (")
    );
    assert!(value("cookie").unwrap().starts_with("_fbp=fb.1."));
    for secret in [
        "averylla",
        "abcdefgh12345",
        "1116446470",
        "203.0.113.77",
        "quandt",
        "clinic",
    ] {
        assert!(
            leaks(&again, secret).is_empty(),
            "{secret} {:?}",
            leaks(&again, secret)
        );
    }
}

#[test]
fn the_same_person_stays_the_same() {
    let body = |email: &str, name: &str| {
        serde_json::json!({"user": {"email": email, "first_name": name}, "id": 1}).to_string()
    };
    let email = |body: &str| {
        let (again, _) = redacted(&request("/x", &[], body.as_bytes()), &[]);
        let value: serde_json::Value = serde_json::from_slice(again.body.expose()).unwrap();
        value["user"]["email"].as_str().unwrap().to_owned()
    };
    let one = email(&body("Jane.Roe@Example.com", "Jane"));
    assert_eq!(
        one.to_lowercase(),
        email(&body("jane.roe@example.com", "x"))
    );
    assert_ne!(one, email(&body("john.roe@example.com", "Jane")));
    assert_eq!(one.rsplit('.').next(), Some("com"), "{one}");
}

#[test]
fn planted_values_are_replaced_wherever_they_are() {
    let body = br#"{"Zorblax":"1","purchase":"Zorblax Purchase","x":["purchase"]}"#;
    let (again, _) = redacted(
        &request("/zorblax/purchase?zorblax", &[], body),
        &["Zorblax", "purchase"],
    );
    for value in ["zorblax", "purchase"] {
        assert!(
            leaks(&again, value).is_empty(),
            "{:?}",
            leaks(&again, value)
        );
    }
}
