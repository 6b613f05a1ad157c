//! What no input may do: exceed a limit, or be cut without a count.

use ::base64::{Engine, prelude::BASE64_STANDARD};

use super::{gzip, path_of, percent, read_all, shown};
use crate::{
    field::{FieldLimits, Step, read_target},
    loss::{Loss, Losses},
};

/// What `body` loses, while the fields stay below the limits.
fn check_bounded(body: &[u8], loss: Loss) {
    let limits = FieldLimits::default();
    let (fields, losses) = read_all(body, false);
    assert!(losses.get(loss) > 0, "{losses:?}");
    assert!(fields.len() <= limits.fields);
    assert!(
        fields
            .iter()
            .all(|field| field.value().len() <= limits.value_bytes)
    );
    let bytes: usize = fields
        .iter()
        .map(|field| field.value().len())
        .chain(fields.steps().map(|(_, _, step)| match step {
            Step::Key(key) => key.len(),
            Step::Index(_) => 0,
        }))
        .sum();
    assert!(bytes <= limits.output_bytes);
}

#[test]
fn everything_is_bounded() {
    check_bounded(&b"[".repeat(100_000), Loss::FieldDepth);
    check_bounded(&b"{\"a\":".repeat(100_000), Loss::FieldDepth);
    check_bounded(&b"<a>x".repeat(100_000), Loss::FieldDepth);
    check_bounded(&b"\x81\xa1a".repeat(100_000), Loss::FieldDepth);
    check_bounded(&b"\x0a\x01a".repeat(100_000), Loss::FieldLimit);
    check_bounded(
        format!("a,b\n{}", "1,2\n".repeat(1_000_000)).as_bytes(),
        Loss::FieldLimit,
    );
    check_bounded(
        format!("[{}]", "1,".repeat(1_000_000)).as_bytes(),
        Loss::FieldLimit,
    );
    check_bounded("a=1&".repeat(1_000_000).as_bytes(), Loss::FieldLimit);
    check_bounded("a=1\n".repeat(1_000_000).as_bytes(), Loss::FieldLimit);
    check_bounded("{\"a\":1}".repeat(100_000).as_bytes(), Loss::FieldLimit);
    check_bounded(
        format!("{{\"{}\":1}}", "k".repeat(1 << 20)).as_bytes(),
        Loss::FieldLength,
    );
    check_bounded(
        format!("{{\"a\":\"{}\"}}", "v".repeat(1 << 20)).as_bytes(),
        Loss::FieldLength,
    );
    let deep_keys = format!("{{\"{}\":", "k".repeat(250)).repeat(250);
    let values = "\"x\":1,".repeat(30_000);
    check_bounded(
        format!("{deep_keys}{{{values}").as_bytes(),
        Loss::FieldLimit,
    );
    check_bounded(&gzip(&"a".repeat(9 << 20)), Loss::FieldLength);
}

#[test]
fn behind_a_bracket_too_deep_reading_goes_on() {
    let body = format!(
        "{{\"a\":{}\"]\"{},\"b\":\"x\"}}",
        "[".repeat(300),
        "]".repeat(300)
    );
    let (fields, losses) = read_all(body.as_bytes(), false);
    assert_eq!(shown(&fields), [("body.b".to_owned(), "x".to_owned())]);
    assert_eq!(losses.get(Loss::FieldDepth), 1);
}

#[test]
fn encodings_too_deep_are_text() {
    let mut value = r#"{"a":"x"}"#.to_owned();
    for _ in 0..7 {
        value = serde_json::to_string(&std::collections::BTreeMap::from([("a", value)])).unwrap();
    }
    let (fields, losses) = read_all(value.as_bytes(), false);
    let path = format!("body{}", ".a".repeat(7));
    assert_eq!(shown(&fields), [(path, r#"{"a":"x"}"#.to_owned())]);
    assert!(fields.iter().all(|field| field.is_truncated()));
    assert_eq!(losses.get(Loss::FieldDepth), 1);
}

#[test]
fn compressed_data_too_deep_is_not_decoded() {
    let bomb = BASE64_STANDARD.encode(gzip(&"a".repeat(1 << 20)));
    let mut value = format!("{{\"a\":\"{bomb}\"}}");
    for _ in 0..5 {
        value = serde_json::to_string(&std::collections::BTreeMap::from([("a", value)])).unwrap();
    }
    let (fields, losses) = read_all(value.as_bytes(), false);
    assert_eq!(shown(&fields), []);
    assert_eq!((losses.get(Loss::FieldDepth), losses.total()), (1, 1));
}

#[test]
fn mutated_bodies_do_no_harm() {
    let json = r#"{"data":[{"em":"\ud83d\ude00","u":"https://a.example/b?c=d","n":-1.5}]}"#;
    let seeds: Vec<Vec<u8>> = vec![
        json.into(),
        format!("data={}&x[0][y]=1", percent(json)).into(),
        BASE64_STANDARD.encode(json).into(),
        gzip(json),
        b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx=1&y=2\r\n--B--".to_vec(),
        b"<?xml version='1.0'?><a b='c&lt;'><![CDATA[x]]>&#65;</a>".to_vec(),
        b"a=1&b=%7B%22c%22%3A1%7D\nd=e".to_vec(),
        b"Email,Name\r\njane@example.com,\"a \"\"b\"\"\"\r\nx,y".to_vec(),
        b"\x0a\x03abc\x10\xac\x02\x22\x05\x0a\x03def\x22\x05\x0a\x03ghi".to_vec(),
        b"\0\0\0\0\x05\x0a\x03abc\x01\0\0\0\x02{}".to_vec(),
        b"\x82\xa5email\xa3a@b\xa1l\x94\xfd\xc3\xca\x3f\xc0\0\0\xcd\x01\x2c".to_vec(),
        b"\xbf\x61a\x9f\x61x\xff\x61b\xd9\x01\x01\x19\x01\x2c\xff".to_vec(),
        b"em=tv.1~em.abc~pn0.def&t=eyJhIjoxfQ.eyJhIjoxfQ.x&d=data:;base64,SmFuZQ".to_vec(),
        b"{\"a b\":\"amFuZUBleGFtcGxlLmNvbQ\",\"c\":\"&#64;&lt;\",\"d\":\"4a616e65\"}".to_vec(),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let special = b"{}[]\"'\\:,&=%+<>/?#;-\r\n\0\xff\xc3u1e";
    for round in 0..20_000 {
        let mut body = seeds[round % seeds.len()].clone();
        for _ in 0..=random(6) {
            let at = random(body.len());
            match random(4) {
                0 => body.truncate(at),
                1 => body.insert(at, special[random(special.len())]),
                2 if !body.is_empty() => body[at] = special[random(special.len())],
                _ if !body.is_empty() => {
                    let end = at + random(body.len() - at);
                    body.extend_from_within(at..end);
                }
                _ => {}
            }
        }
        let (fields, _) = read_all(&body, random(2) == 0);
        assert!(fields.len() <= body.len() * 64 + 64);
        let mut losses = Losses::default();
        read_target(&body, &FieldLimits::default(), &mut losses);
        for field in fields.iter() {
            assert!(path_of(&field).starts_with("body"));
        }
    }
}
