//! The wire formats of real clients, and every prefix of them.

use std::{collections::HashSet, io::Write};

use ::base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use crate::{
    event::{StreamId, Timestamp},
    http::{Header, Protocol},
};

pub(crate) mod chains;
mod formats;
mod limits;
mod parts;

/// `body.data[0].email`.
pub(crate) fn path_of(field: &Field<'_>) -> String {
    let mut path = field.part().as_str().to_owned();
    for step in field.steps() {
        match step {
            Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            Step::Key(key) => path.extend([".", key]),
        }
    }
    path
}

fn shown(fields: &Fields) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|field| (path_of(&field), field.value().to_owned()))
        .collect()
}

/// The values that `add` reads, each as the field stage reads it.
pub(crate) fn read_values(values: &[(Part, Vec<Step<'_>>, &str, ValueKind)]) -> Fields {
    let (limits, mut losses) = (FieldLimits::default(), Losses::default());
    let mut reader = Reader::new(&limits, &mut losses);
    for (part, steps, value, kind) in values {
        reader.start_part(*part);
        for step in steps {
            match step {
                Step::Key(key) => reader.go_shared_key(key.as_bytes()),
                Step::Index(index) => reader.go_shared_index(*index as usize),
            }
        }
        if *kind == ValueKind::Text {
            content::read_value(&mut reader, Span::plain(value.as_bytes()), false);
        } else {
            reader.emit(value.as_bytes(), *kind, false);
        }
    }
    reader.into_fields()
}

fn read_all(body: &[u8], cut: bool) -> (Fields, Losses) {
    let mut losses = Losses::default();
    let fields = read_body(body, cut, &FieldLimits::default(), &mut losses);
    (fields, losses)
}

/// `body` has exactly the fields `expected`. For every prefix of it, fields
/// that are not marked truncated are right, and no field disappears as the
/// prefix grows.
fn check(body: impl AsRef<[u8]>, expected: &[(&str, &str)]) {
    let body = body.as_ref();
    let (fields, losses) = read_all(body, false);
    let found = shown(&fields);
    let found: Vec<_> = found
        .iter()
        .map(|(path, value)| (path.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(losses.total(), 0);
    assert!(
        fields.iter().all(|field| !field.is_truncated()),
        "{fields:?}"
    );

    let whole: HashSet<_> = shown(&fields).into_iter().collect();
    let mut most = 0;
    for end in 0..body.len() {
        let (mut fields, _) = read_all(&body[..end], true);
        fields.retain(|field| !field.is_truncated());
        for field in shown(&fields) {
            // That the first of several texts is one of several is known only
            // when the second begins.
            let numbered = (field.0.replacen("body", "body[0]", 1), field.1.clone());
            assert!(
                whole.contains(&field) || whole.contains(&numbered),
                "{end}: {field:?}"
            );
        }
        assert!(fields.len() >= most, "{end}: {} after {most}", fields.len());
        most = fields.len();
    }
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn meta_python_sends_a_form_of_a_json_array_of_json_strings() {
    let event = r#"{"event_name": "Lead", "event_time": 1700000000, "user_data": {"em": ["ae9c"], "ph": ["b1\u00e9"]}, "custom_data": {"content_name": "Sleep quiz"}}"#;
    let array = serde_json::to_string(&[event, r#"{"event_name": "Visit"}"#]).unwrap();
    let body = format!("access_token=T0K&data={}&partner_agent=py", percent(&array));
    check(
        body,
        &[
            ("body.access_token", "T0K"),
            ("body.data[0].event_name", "Lead"),
            ("body.data[0].event_time", "1700000000"),
            ("body.data[0].user_data.em[0]", "ae9c"),
            ("body.data[0].user_data.ph[0]", "b1é"),
            ("body.data[0].custom_data.content_name", "Sleep quiz"),
            ("body.data[1].event_name", "Visit"),
            ("body.partner_agent", "py"),
        ],
    );
}

#[test]
fn meta_node_sends_json() {
    check(
        r#"{"data":[{"event_name":"Lead","opt_out":false,"value":null,"user_data":{"em":["ae9c","77aa"],"client_ip_address":"192.0.2.7"},"event_source_url":"https://clinic.example/quiz/sleep?step=2&email=jane%40example.com#top"}],"access_token":"T0K"}"#,
        &[
            ("body.data[0].event_name", "Lead"),
            ("body.data[0].opt_out", "false"),
            ("body.data[0].value", "null"),
            ("body.data[0].user_data.em[0]", "ae9c"),
            ("body.data[0].user_data.em[1]", "77aa"),
            ("body.data[0].user_data.client_ip_address", "192.0.2.7"),
            (
                "body.data[0].event_source_url",
                "https://clinic.example/quiz/sleep?step=2&email=jane%40example.com#top",
            ),
            ("body.data[0].event_source_url[0]", "quiz"),
            ("body.data[0].event_source_url[1]", "sleep"),
            ("body.data[0].event_source_url.step", "2"),
            ("body.data[0].event_source_url.email", "jane@example.com"),
            ("body.access_token", "T0K"),
        ],
    );
}

#[test]
fn mixpanel_sends_json_or_base64_json_in_a_form() {
    let json = r#"[{"event":"Booked","properties":{"$email":"jane.roe@example.com","distinct_id":"d-1"}}]"#;
    let expected = &[
        ("body.data[0].event", "Booked"),
        ("body.data[0].properties.$email", "jane.roe@example.com"),
        ("body.data[0].properties.distinct_id", "d-1"),
        ("body.verbose", "1"),
    ];
    check(format!("data={}&verbose=1", percent(json)), expected);
    check(
        format!("data={}&verbose=1", percent(&BASE64_STANDARD.encode(json))),
        expected,
    );
    // Not encoded for a form, so that a plus is read as a space.
    check(
        format!("data={}&verbose=1", BASE64_STANDARD.encode(json)),
        expected,
    );
}

#[test]
fn universal_analytics_sends_a_form_on_each_line() {
    check(
        "v=1&cid=555.1&dp=%2Fdepression+test\nv=1&cid=555.2&ea=\n",
        &[
            ("body[0].v", "1"),
            ("body[0].cid", "555.1"),
            ("body[0].dp", "/depression test"),
            ("body[1].v", "1"),
            ("body[1].cid", "555.2"),
            ("body[1].ea", ""),
        ],
    );
    check(
        "v=1&ni&dt=My page\r\n",
        &[("body.v", "1"), ("body", "ni"), ("body.dt", "My page")],
    );
}

#[test]
fn snowplow_sends_base64url_json_in_json() {
    let event = r#"{"schema":"iglu:x","data":{"email":"jane.roe@example.com","q":"??>>"}}"#;
    let body = format!(
        r#"{{"schema":"iglu:payload_data","data":[{{"e":"ue","ue_px":"{}","uid":"7"}}]}}"#,
        BASE64_URL_SAFE_NO_PAD.encode(event)
    );
    check(
        body,
        &[
            ("body.schema", "iglu:payload_data"),
            ("body.data[0].e", "ue"),
            ("body.data[0].ue_px.schema", "iglu:x"),
            ("body.data[0].ue_px.data.email", "jane.roe@example.com"),
            ("body.data[0].ue_px.data.q", "??>>"),
            ("body.data[0].uid", "7"),
        ],
    );
}

#[test]
fn appsflyer_sends_a_json_string_in_json() {
    check(
        r#"{"appsflyer_id":"1-2","eventValue":"{\"af_content\":\"Therapy\",\"n\":[1,2.5e3]}","ip":"192.0.2.7"}"#,
        &[
            ("body.appsflyer_id", "1-2"),
            ("body.eventValue.af_content", "Therapy"),
            ("body.eventValue.n[0]", "1"),
            ("body.eventValue.n[1]", "2.5e3"),
            ("body.ip", "192.0.2.7"),
        ],
    );
}

#[test]
fn segment_sends_a_batch_and_rudderstack_compresses_it() {
    let json = r#"{"batch":[{"type":"identify","traits":{"email":"jane.roe@example.com"}},{"type":"page","context":{"page":{"search":"?q=anxiety"}}}]}"#;
    let expected = &[
        ("body.batch[0].type", "identify"),
        ("body.batch[0].traits.email", "jane.roe@example.com"),
        ("body.batch[1].type", "page"),
        ("body.batch[1].context.page.search.q", "anxiety"),
    ];
    check(json, expected);
    check(gzip(json), expected);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(json.as_bytes()).unwrap();
    check(zlib.finish().unwrap(), expected);
    check(zstd::encode_all(json.as_bytes(), 3).unwrap(), expected);
    check(BASE64_STANDARD.encode(gzip(json)), expected);
}

#[test]
fn adobe_sends_xml() {
    check(
        "<?xml version=\"1.0\"?>\n<request xmlns:a='x'><visitorID>v1</visitorID><!-- <no/> -->\
         <a:pageName lang=\"en\">Care &amp; &#72;ealth</a:pageName><br/>\
         <eVar1><![CDATA[<jane>]]></eVar1></request>",
        &[
            ("body.request.visitorID", "v1"),
            ("body.request.pageName.lang", "en"),
            ("body.request.pageName", "Care & Health"),
            ("body.request.eVar1", "<jane>"),
        ],
    );
}

#[test]
fn soap_attributes_and_broken_markup() {
    check(
        "<s:Envelope><Row Email=\"jane.roe@example.com\" Zip = '00000' plain open=yes><a>1 < 2</b></a>\
         <c>3</c></Row><d>4</d></s:Envelope>",
        &[
            ("body.Envelope.Row.Email", "jane.roe@example.com"),
            ("body.Envelope.Row.Zip", "00000"),
            ("body.Envelope.Row.open", "yes"),
            ("body.Envelope.Row.a", "1"),
            ("body.Envelope.Row.a", "2"),
            ("body.Envelope.Row.c", "3"),
            ("body.Envelope.d", "4"),
        ],
    );
}

#[test]
fn amplitude_identifies_with_json_in_a_form() {
    let json = r#"[{"user_id":"u1","user_properties":{"$set":{"plan":"gold"}}}]"#;
    check(
        format!("api_key=K&identification={}", percent(json)),
        &[
            ("body.api_key", "K"),
            ("body.identification[0].user_id", "u1"),
            ("body.identification[0].user_properties.$set.plan", "gold"),
        ],
    );
}

#[test]
fn pixel_forms_have_brackets_in_their_keys() {
    check(
        "id=9&ud[em]=ae9c&cd%5Bcontent_name%5D=Sleep&data[0][email]=a%40example.com&t[]=1&t[]=2&x[=3",
        &[
            ("body.id", "9"),
            ("body.ud.em", "ae9c"),
            ("body.cd.content_name", "Sleep"),
            ("body.data[0].email", "a@example.com"),
            ("body.t", "1"),
            ("body.t", "2"),
            ("body.x[", "3"),
        ],
    );
}

#[test]
fn multipart_parts_are_read_by_their_looks() {
    check(
        "--XyZ\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\njane.roe@example.com\r\n\
         --XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"jane.json\"\r\n\
         Content-Type: text/plain\r\n\r\n{\"em\":\"ae9c\"}\r\n--XyZ\r\n\r\nno name\r\n--XyZ--\r\n",
        &[
            ("body.email", "jane.roe@example.com"),
            ("body.file.filename", "jane.json"),
            ("body.file.em", "ae9c"),
            ("body[2]", "no name"),
        ],
    );
}

#[test]
fn several_json_texts_are_numbered() {
    let expected = &[("body[0].a", "1"), ("body[0].b", "x"), ("body[1].a", "2")];
    check("\u{feff} {\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n", expected);
    check("{\"a\":1,\"b\":\"x\"}{\"a\":2}", expected);
}

#[test]
fn sloppy_json_is_read() {
    check(
        "{'a': None, 'b': [True, ], }",
        &[("body.a", "None"), ("body.b[0]", "True")],
    );
    check("[]", &[]);
    check(r#""{\"a\":\"b\"}""#, &[("body.a", "b")]);
    check(
        r#"{"a":"{\"b\":\"{\\\"c\\\":\\\"d\\\"}\"}"}"#,
        &[("body.a.b.c", "d")],
    );
    check(
        r#"{"a":1} trailing words"#,
        &[("body.a", "1"), ("body", "trailing words")],
    );
    check(
        r#"{"a":1, b: "x"}"#,
        &[("body.a", "1"), ("body", r#"b: "x"}"#)],
    );
}

#[test]
fn values_encoded_again_are_decoded() {
    let json = r#"{"email":"jane.roe@example.com"}"#;
    check(
        format!("e={}", percent(&percent(json))),
        &[("body.e.email", "jane.roe@example.com")],
    );
    check(
        r#"{"e":"jane%40example.com"}"#,
        &[("body.e", "jane@example.com")],
    );
    check(r#"{"e":"50% off, 10%20"}"#, &[("body.e", "50% off, 10%20")]);
    check(
        r#"{"query_string":"q=flu"}"#,
        &[("body.query_string.q", "flu")],
    );
    check(
        r#"{"requests":["?uid=7&url=x"]}"#,
        &[("body.requests[0].uid", "7"), ("body.requests[0].url", "x")],
    );
    check(
        r#"{"note":"a=b is not a form & no"}"#,
        &[("body.note", "a=b is not a form & no")],
    );
    check(
        r#"{"note":"[note] {x} x^2"}"#,
        &[("body.note", "[note] {x} x^2")],
    );
    check("only text", &[("body", "only text")]);
    check("", &[]);
}

#[test]
fn no_text_no_fields() {
    for body in [
        b"\0\x01\x02\x03\x04\xff".as_slice(),
        b"\x1f\x8b\x08broken",
        b"a=\xff\xfe\0\0\0",
    ] {
        assert_eq!(shown(&read_all(body, false).0), []);
    }
}

fn check_target(target: &str, expected: &[(&str, &str)]) {
    let mut losses = Losses::default();
    let fields = read_target(target.as_bytes(), &FieldLimits::default(), &mut losses);
    let found = shown(&fields);
    let found: Vec<_> = found
        .iter()
        .map(|(path, value)| (path.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, expected, "{target}");
}

#[test]
fn kinds_and_cuts() {
    let (fields, _) = read_all(br#"{"a":"x","b":12,"c":true,"d":"cu"#, false);
    let found: Vec<_> = fields
        .iter()
        .map(|field| (field.kind(), field.is_truncated()))
        .collect();
    assert_eq!(
        found,
        [
            (ValueKind::Text, false),
            (ValueKind::Number, false),
            (ValueKind::Literal, false),
            (ValueKind::Text, true),
        ]
    );
}
