//! Hostile and broken messages: nothing panics, nothing leaks.

use super::{leaks, redacted, request};
use crate::{
    field::{FieldLimits, tests::chains::ENCODINGS},
    redact::tests::{BodyState, Completeness},
};

const PLANTED: &str = "Quillon.Vexmoor@example.com";

fn bodies() -> Vec<Vec<u8>> {
    let json = format!(
        r#"{{"data":[{{"user_data":{{"em":"{PLANTED}","ph":["+14155550132"]}},"x":"a\u00e9\/{PLANTED}"}}],"n":1.5e3}}"#
    );
    let form = format!("a=1&email={PLANTED}&data={}", json.replace('"', "%22"));
    let xml = format!(
        "<?xml version=\"1.0\"?><r a=\"{PLANTED}\"><v>{PLANTED}</v><![CDATA[{PLANTED}]]><!--{PLANTED}--></r>"
    );
    let csv = format!("Email,Name\n{PLANTED},\"a, \"\"{PLANTED}\"\"\"\n");
    let multipart = format!(
        "--B\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n{PLANTED}\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{PLANTED}.csv\"\r\nX-A: {PLANTED}\r\n\r\n{csv}\r\n--B--\r\n"
    );
    let mut protobuf = vec![0x0a, PLANTED.len() as u8];
    protobuf.extend_from_slice(PLANTED.as_bytes());
    protobuf.extend_from_slice(&[0x10, 0x96, 0x01, 0x1a, PLANTED.len() as u8 + 2]);
    protobuf.extend(protobuf[..PLANTED.len() + 2].to_vec());
    let mut packed = vec![0x82, 0xa1, b'e', 0xd9, PLANTED.len() as u8];
    packed.extend_from_slice(PLANTED.as_bytes());
    packed.extend_from_slice(&[0xa1, b'n', 0xce, 1, 2, 3, 4]);
    let mut cbor = vec![0xa1, 0x61, b'e', 0x78, PLANTED.len() as u8];
    cbor.extend_from_slice(PLANTED.as_bytes());
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(json.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut all = vec![
        json.into_bytes(),
        form.into_bytes(),
        xml.into_bytes(),
        csv.into_bytes(),
        multipart.into_bytes(),
        protobuf,
        packed,
        cbor,
        utf16,
    ];
    for (_, encode) in ENCODINGS {
        all.push(encode(PLANTED).into_bytes());
    }
    all
}

#[test]
fn every_prefix_is_redacted() {
    for body in bodies() {
        for end in 0..=body.len() {
            let mut cut = request("/x", &[], &body[..end]);
            cut.completeness = Completeness::Truncated;
            let (again, _) = redacted(&cut, &[PLANTED]);
            let found = leaks(&again, PLANTED);
            assert!(found.is_empty(), "{found:?}");
            let found = leaks(&again, "Vexmoor");
            assert!(
                found.is_empty(),
                "{found:?} {}",
                String::from_utf8_lossy(&body[..end])
            );
        }
    }
}

#[test]
fn forms_and_json_keep_their_length() {
    for body in bodies().iter().take(5) {
        let (again, state) = redacted(&request("/x", &[], body), &[]);
        assert_eq!(
            state,
            BodyState::SameLength,
            "{}",
            String::from_utf8_lossy(again.body.expose())
        );
    }
}

#[test]
fn deep_and_long_messages_end() {
    let deep = "[".repeat(5_000) + PLANTED;
    let form = format!("a={PLANTED}&").repeat(2_000);
    let tags = "<a>".repeat(3_000) + PLANTED;
    let mut nested = PLANTED.to_owned();
    for _ in 0..8 {
        nested = serde_json::json!({"v": nested}).to_string();
    }
    for body in [deep, form, tags, nested] {
        let (again, _) = redacted(&request("/x", &[], body.as_bytes()), &[]);
        assert!(leaks(&again, "Vexmoor").is_empty());
    }
}

#[test]
fn behind_a_limit_nothing_stays() {
    let fields = FieldLimits::default().fields;
    let brackets = FieldLimits::default().brackets;
    for body in [
        format!("[{}\"{PLANTED}\"]", "1,".repeat(fields)),
        format!("{}z={PLANTED}", "a=1&".repeat(fields)),
        format!("[{}\"{PLANTED}\"", "[".repeat(brackets)),
    ] {
        let (again, _) = redacted(&request("/x", &[], body.as_bytes()), &[]);
        assert!(leaks(&again, "Vexmoor").is_empty());
        assert_eq!(again.body.expose().len(), body.len());
    }
}
