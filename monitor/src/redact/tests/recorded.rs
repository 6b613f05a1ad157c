//! Requests of unmodified client libraries: redacted, they disclose nothing,
//! and detection finds the same in them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;

use super::{BodyState, Request, leaks, read, redacted, share};
use crate::{
    field::ValueKind,
    http::{Header, body},
    loss::Losses,
    secret::Secret,
};

const FILES: &[&str] = &[
    include_str!("../../../../corpus/recorded/node.jsonl"),
    include_str!("../../../../corpus/recorded/python.jsonl"),
];

/// Every recorded request, with its content codings removed.
pub(super) fn requests() -> Vec<Request> {
    FILES
        .iter()
        .flat_map(|file| file.lines())
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            let sent = BASE64_STANDARD.decode(text("body")).unwrap();
            let headers: Vec<Header> = line["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| Header {
                    name: pair[0].as_str().unwrap().to_lowercase(),
                    value: Secret::new(Bytes::from(pair[1].as_str().unwrap().to_owned())),
                })
                .collect();
            let codings: Vec<&str> = headers
                .iter()
                .filter(|header| header.name == "content-encoding")
                .filter_map(|header| std::str::from_utf8(header.value.expose()).ok())
                .collect();
            let decoded = body::decode(&codings, sent.clone().into(), &mut Losses::default());
            Request {
                headers: headers.clone(),
                body: Secret::new(decoded.bytes),
                body_wire_length: sent.len() as u64,
                method: text("method").to_owned(),
                ..super::request(text("target"), &[], b"")
            }
        })
        .collect()
}

#[test]
fn no_value_is_left() {
    let mut found = Vec::new();
    for request in requests() {
        let (fields, evidence) = read(&request);
        let (again, state) = redacted(&request, &[]);
        assert_ne!(state, BodyState::Dropped);
        for item in &evidence {
            let field = fields.get(item.field).unwrap();
            if field.kind() != ValueKind::Literal && field.value().chars().count() >= 5 {
                found.extend(leaks(&again, field.value()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{}: {:#?}",
        found.len(),
        found.get(..found.len().min(10))
    );
}

#[test]
fn the_same_is_found_again() {
    let (share, differing) = share(&requests());
    assert!(share > 0.95, "{share} {differing:#?}");
}
