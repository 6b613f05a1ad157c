//! Whole messages: no value is left, and the rest is still useful.

use std::sync::LazyLock;

use super::super::*;
use crate::{
    event::{StreamId, Timestamp},
    field::{self, FieldLimits, Step},
    http::Protocol,
    loss::Losses,
    phi::{Class, Detector, detect},
};

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(RedactionKey::from_bytes([4; 32])));

fn request(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let headers = headers.iter().map(|(name, value)| Header {
        name: (*name).to_owned(),
        value: Secret::new(Bytes::copy_from_slice(value.as_bytes())),
    });
    Request {
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 1,
        },
        ordinal: 0,
        time: Timestamp(1_764_038_500_000_000_000),
        end: Timestamp(0),
        place: None,
        protocol: Protocol::Http1,
        method: "POST".to_owned(),
        target: Secret::new(Bytes::copy_from_slice(target.as_bytes())),
        host: Some("graph.facebook.com".to_owned()),
        headers: headers.collect(),
        body: Secret::new(Bytes::copy_from_slice(body)),
        body_wire_length: body.len() as u64,
        wire_length: body.len() as u64,
        status: None,
        completeness: Completeness::Complete,
    }
}

fn read(request: &Request) -> Fields {
    field::read(request, &FieldLimits::default(), &mut Losses::default())
}

fn redacted(request: &Request) -> (RedactedRequest, Request) {
    let fields = read(request);
    let new = REDACTOR.request(request, "/2/{id}", &fields, &detect(&fields), &[]);
    let again = Request {
        target: new.target.clone(),
        headers: new.headers.clone(),
        body: new.body.clone(),
        ..request.clone()
    };
    (new, again)
}

/// Where `value` still occurs in a redacted request: literally, or as a reader
/// decodes it.
fn left(request: &Request, value: &str) -> Vec<String> {
    let fold = |text: &str| text.to_lowercase();
    let value = fold(value);
    let mut found = Vec::new();
    for (name, bytes) in [("target", &request.target), ("body", &request.body)] {
        if fold(&String::from_utf8_lossy(bytes.expose())).contains(&value) {
            found.push(name.to_owned());
        }
    }
    for field in read(request).iter() {
        let keys = field.steps().into_iter().any(|step| match step {
            Step::Key(key) => fold(key).contains(&value),
            Step::Index(_) => false,
        });
        if keys || fold(field.value()).contains(&value) {
            found.push(format!("field in {}", field.part().as_str()));
        }
    }
    found
}

const EVENT: &str = r#"{"data":[{"event_name":"CompleteRegistration","event_time":1764038463,
"action_source":"website","event_source_url":"https://shop.example.com/therapy/depression-assessment?step=7",
"user_data":{"em":["c4d124a64fbaa9a16315564b5cf2d69a6df0c787069a8d1b1cdba5c8bf840848"],"fn":["Averylla"],
"client_ip_address":"203.0.113.77"},"custom_data":{"content_name":"Depression self-assessment (PHQ-9)",
"phq9_score":18,"contact_email":"avery.testcase@example.com","contact_phone":"+12025550143","dob":"1987-03-14"}}]}"#;

const PLANTED: &[&str] = &[
    "c4d124a64fbaa9a16315564b5cf2d69a6df0c787069a8d1b1cdba5c8bf840848",
    "Averylla",
    "203.0.113.77",
    "Depression self-assessment",
    "PHQ-9",
    "step=7",
    "depression-assessment",
    "avery.testcase@example.com",
    "avery.testcase",
    "12025550143",
    "1987-03-14",
];

#[test]
fn an_event_keeps_its_shape_and_no_value() {
    let own = request(
        "/v26.0/100000000000001/events?access_token=EAAsecret&email=avery.testcase%40example.com",
        &[
            ("user-agent", "curl/8"),
            ("cookie", "session=Averylla"),
            ("host", "graph.facebook.com"),
        ],
        EVENT.as_bytes(),
    );
    let (new, again) = redacted(&own);
    for planted in PLANTED {
        assert_eq!(left(&again, planted), Vec::<String>::new(), "{planted}");
    }
    let text = String::from_utf8_lossy(new.body.expose()).into_owned();
    for kept in [
        "\"em\"",
        "CompleteRegistration",
        "website",
        "1764038463",
        "198.1",
        ".com\"",
        "\"+1",
    ] {
        assert!(text.contains(kept), "{kept}");
    }
    let target = String::from_utf8_lossy(new.target.expose()).into_owned();
    assert!(
        target.starts_with("/v26.0/") && target.contains("/events?access_token="),
        "{target}"
    );
    assert!(!target.contains("EAAsecret") && !target.contains("100000000000001"));
    assert_eq!(new.target.expose().len(), own.target.expose().len());
    assert_eq!(new.body.expose().len(), EVENT.len());
    assert_eq!(new.body_state, BodyState::SameLength);
    // The format is unchanged: JSON with the same classes at the same paths.
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let classes = |request: &Request| {
        let fields = read(request);
        let mut found: Vec<_> = detect(&fields)
            .iter()
            .filter(|item| matches!(item.class, Class::Identifier(_)))
            .map(|item| (item.field, item.class, item.form))
            .collect();
        found.sort();
        found
    };
    assert_eq!(classes(&again), classes(&own));
}

#[test]
fn the_same_value_is_the_same_pseudonym_everywhere() {
    let body = r#"{"email":"jane.roe@example.com","note":"jane.roe@example.com"}"#;
    let own = request(
        "/t?email=jane.roe%40example.com&e=Jane.Roe@example.com",
        &[],
        body.as_bytes(),
    );
    let (_, again) = redacted(&own);
    let fields = read(&again);
    let mut values: Vec<_> = fields
        .iter()
        .map(|field| field.value().to_lowercase())
        .filter(|value| value.contains('@'))
        .collect();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 1, "{values:?}");
}

#[test]
fn planted_values_go_wherever_they_stand() {
    let own = request(
        "/a/quillonx",
        &[],
        b"quillonx {\"quillonx\": [\"write to quillonx\"]}",
    );
    let fields = read(&own);
    let mut detector = Detector::default();
    let new = REDACTOR.request(&own, "/", &fields, &detector.detect(&fields), &["quillonx"]);
    let all = [new.target.expose().as_ref(), new.body.expose().as_ref()].concat();
    assert_eq!(memchr::memmem::find(&all, b"quillonx"), None);
}

#[test]
fn pages_keep_what_they_load_and_what_their_forms_ask() {
    let markup = r#"<!DOCTYPE html><html lang="en"><head><title>Hello Averylla</title>
<script src="https://connect.facebook.net/en_US/fbevents.js"></script>
<script>/* Averylla */ fbq('init', '123456789', {em: 'avery.testcase@example.com'}); n.src='https://www.googletagmanager.com/gtag/js?id=G-ABC';</script>
</head><body><!-- Averylla --><form action="/intake"><input name="dob" type="date" value="1987-03-14"></form>
<p>Dear Averylla Testcasewell</p></body></html>"#;
    let page = Page {
        stream: StreamId {
            owner: 1,
            handle: 1,
            born: 1,
        },
        facts: std::sync::Arc::default(),
        time: Timestamp(0),
        place: None,
        method: Some("GET".to_owned()),
        target: Some(Secret::new(Bytes::from_static(b"/welcome/averylla"))),
        host: None,
        status: 200,
        headers: Vec::new(),
        declared: true,
        body: Secret::new(Bytes::from_static(markup.as_bytes())),
        wire_length: markup.len() as u64,
        completeness: Completeness::Complete,
    };
    let new = REDACTOR.page(
        &page,
        "/{id}",
        markup.as_bytes(),
        &Fields::default(),
        &[],
        &[],
    );
    let text = String::from_utf8_lossy(new.body.expose()).to_lowercase();
    for planted in ["avery", "testcase", "1987-03-14", "123456789", "g-abc"] {
        assert!(!text.contains(planted), "{planted}: {text}");
    }
    for kept in [
        "src=\"https://connect.facebook.net/en_us/fbevents.js\"",
        "https://www.googletagmanager.com/gtag/js?id=",
        "name=\"dob\"",
        "type=\"date\"",
        "fbq('",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!String::from_utf8_lossy(new.target.unwrap().expose()).contains("averylla"));
}
