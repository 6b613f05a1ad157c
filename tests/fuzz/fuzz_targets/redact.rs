//! Requests of any content: redaction terminates, and no planted value is left.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use phiwatch::{
    event::{StreamId, Timestamp},
    field::{self, FieldLimits},
    http::{Completeness, Header, Protocol, Request},
    loss::Losses,
    phi,
    redact::{RedactionKey, Redactor},
    secret::Secret,
};

/// What must be left nowhere.
const PLANTED: &str = "Quillon.Vexmoor@example.com";

fuzz_target!(|input: (bool, &[u8], &[u8], &[u8], &[u8])| {
    let (cut, target, header, before, after) = input;
    let wrap = |head: &[u8], tail: &[u8]| Bytes::from([head, PLANTED.as_bytes(), tail].concat());
    let request = Request {
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 1,
        },
        ordinal: 0,
        time: Timestamp(1_795_488_000_000_000_000),
        end: Timestamp(1_795_488_000_000_000_000),
        place: None,
        protocol: Protocol::Http1,
        method: "POST".to_owned(),
        target: Secret::new(wrap(target, b"")),
        host: None,
        headers: vec![Header {
            name: "x-any".to_owned(),
            value: Secret::new(wrap(header, b"")),
        }],
        body: Secret::new(wrap(before, after)),
        body_wire_length: 0,
        wire_length: 0,
        status: None,
        completeness: if cut {
            Completeness::Truncated
        } else {
            Completeness::Complete
        },
    };
    let fields = field::read(&request, &FieldLimits::default(), &mut Losses::default());
    let evidence = phi::detect(&fields);
    let redactor = Redactor::new(RedactionKey::from_bytes([1; 32]));
    let made = redactor.request(&request, "/{id}", &fields, &evidence, &[PLANTED]);
    let mut parts = vec![made.target.expose().to_vec(), made.body.expose().to_vec()];
    for header in &made.headers {
        parts.push(header.name.clone().into_bytes());
        parts.push(header.value.expose().to_vec());
    }
    for mut part in parts {
        part.make_ascii_lowercase();
        let is_left = part
            .windows(PLANTED.len())
            .any(|window| window.eq_ignore_ascii_case(PLANTED.as_bytes()));
        assert!(!is_left, "a planted value is left");
    }
});
