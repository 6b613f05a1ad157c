//! Tests of the values behind a finding.

use std::io::Write as _;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder},
};

use super::*;

const BODY: &str = "{\"userId\":\"u-1\",\"event\":\"Appointment Booked\",\
    \"properties\":{\"email\":\"jane.roe@example.com\",\"treatment\":\"depression\"}}";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Without the signature that would identify it.
fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A request with `body`, in the content coding that `header` names.
fn check(header: &str, body: &[u8]) {
    let head = format!(
        "POST /v1/track HTTP/1.1\r\nHost: api.segment.io\r\n{header}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let data = Data {
        direction: Direction::Sent,
        offset: 0,
        bytes: Secret::new(Bytes::from([head.as_bytes(), body].concat())),
    };
    let event = Event {
        time: Timestamp(1_764_038_463_000_000_000),
        stream: StreamId {
            owner: 7,
            handle: 1,
            born: 1,
        },
        place: None,
        kind: EventKind::Data(data),
    };
    let (mut pipeline, mut out) = (pipeline(), Output::default());
    pipeline.push(&event, &mut out);
    pipeline.finish(&mut out);
    let [finding] = out.findings.as_slice() else {
        panic!("{} findings", out.findings.len())
    };
    let (mut assembler, mut losses, mut steps) =
        (MessageAssembler::default(), Losses::default(), Vec::new());
    assembler.push(&event, &mut losses, &mut steps);
    assembler.finish(&mut losses, &mut steps);
    let shown: Vec<String> = steps
        .iter()
        .filter_map(|step| match pipeline.examiner.reveal(step, finding) {
            Revealed::Values(values) => Some(values),
            Revealed::Other | Revealed::Redacted => None,
        })
        .flatten()
        .flatten()
        .map(Secret::into_exposed)
        .collect();
    assert!(
        shown.contains(&"jane.roe@example.com".to_owned()),
        "{header}"
    );
}

#[test]
fn values_are_revealed_through_codings() {
    check("", BODY.as_bytes());
    check("Content-Encoding: gzip\r\n", &gzip(BODY));
    check("Content-Encoding: deflate\r\n", &deflate(BODY));
    // Coded, and nobody says so.
    check("", &gzip(BODY));
}
