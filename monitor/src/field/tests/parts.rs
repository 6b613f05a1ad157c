//! Tests of targets and headers.

use super::*;
use crate::secret::Secret;

#[test]
fn targets() {
    check_target(
        "/api/v1/customers/jane%2Bx%40example.com/",
        &[
            ("path[0]", "api"),
            ("path[1]", "v1"),
            ("path[2]", "customers"),
            ("path[3]", "jane+x@example.com"),
        ],
    );
    check_target(
        "https://tracker.example/tr?id=1&ud[em]=ae9c&ud%5Bph%5D=77&dl=https%3A%2F%2Fclinic.example%2Fa%3Fb%3Dc",
        &[
            ("path[0]", "tr"),
            ("query.id", "1"),
            ("query.ud.em", "ae9c"),
            ("query.ud.ph", "77"),
            ("query.dl", "https://clinic.example/a?b=c"),
            ("query.dl[0]", "a"),
            ("query.dl.b", "c"),
        ],
    );
    check_target(
        "/activityi;src=12;type=abc;u1=sleep%20apnea;ord=1?x=y",
        &[
            ("path[0]", "activityi"),
            ("query.src", "12"),
            ("query.type", "abc"),
            ("query.u1", "sleep apnea"),
            ("query.ord", "1"),
            ("query.x", "y"),
        ],
    );
    let json = r#"{"event":"Booked","properties":{"$phone":"555-0142"}}"#;
    check_target(
        &format!(
            "/track?data={}&ip=0",
            BASE64_STANDARD.encode(json).replace('=', "%3D")
        ),
        &[
            ("path[0]", "track"),
            ("query.data.event", "Booked"),
            ("query.data.properties.$phone", "555-0142"),
            ("query.ip", "0"),
        ],
    );
    check_target("/?jane@example.com", &[("query", "jane@example.com")]);
    for target in ["*", "tracker.example:443", "", "/", "//", "/?", "/?&&"] {
        check_target(target, &[]);
    }
}

fn request(headers: &[(&str, &str)], body: &str, completeness: Completeness) -> Request {
    Request {
        stream: StreamId {
            owner: 0,
            handle: 0,
            born: 0,
        },
        ordinal: 0,
        time: Timestamp(0),
        end: Timestamp(0),
        place: None,
        protocol: Protocol::Http1,
        method: "POST".to_owned(),
        target: Secret::new(Bytes::from_static(b"/e?k=v")),
        host: None,
        headers: headers
            .iter()
            .map(|(name, value)| Header {
                name: (*name).to_owned(),
                value: Secret::new(Bytes::copy_from_slice(value.as_bytes())),
            })
            .collect(),
        body: Secret::new(Bytes::copy_from_slice(body.as_bytes())),
        body_wire_length: body.len() as u64,
        wire_length: 0,
        status: None,
        completeness,
    }
}

#[test]
fn headers_that_can_be_personal() {
    let headers = [
        ("host", "tracker.example"),
        ("authorization", "Basic c2VjcmV0OnNlY3JldA=="),
        ("x-api-key", "secret"),
        ("content-type", "text/plain"),
        (
            "cookie",
            "_fbp=fb.1.2; u=%7B%22email%22%3A%22jane%40example.com%22%7D; q=\"x\"",
        ),
        ("x-forwarded-for", "192.0.2.7, 192.0.2.8"),
        ("x-real-ip", "192.0.2.7"),
        ("forwarded", "for=192.0.2.7;proto=https"),
        ("referer", "https://clinic.example/?q=flu"),
        ("user-agent", "Mozilla/5.0"),
    ];
    let mut losses = Losses::default();
    let request = request(&headers, "last=na", Completeness::Truncated);
    let fields = read(&request, &FieldLimits::default(), &mut losses);
    let found = shown(&fields);
    let found: Vec<_> = found
        .iter()
        .map(|(path, value)| (path.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("path[0]", "e"),
            ("query.k", "v"),
            ("header.cookie._fbp", "fb.1.2"),
            ("header.cookie.u.email", "jane@example.com"),
            ("header.cookie.q", "x"),
            ("header.x-forwarded-for[0]", "192.0.2.7"),
            ("header.x-forwarded-for[1]", "192.0.2.8"),
            ("header.x-real-ip", "192.0.2.7"),
            ("header.forwarded.for", "192.0.2.7"),
            ("header.forwarded.proto", "https"),
            ("header.referer", "https://clinic.example/?q=flu"),
            ("header.referer.q", "flu"),
            ("header.user-agent", "Mozilla/5.0"),
            ("body.last", "na"),
        ]
    );
    let truncated: Vec<_> = fields
        .iter()
        .filter(crate::field::Field::is_truncated)
        .collect();
    assert_eq!(truncated.len(), 1);
    assert_eq!(truncated[0].part(), Part::Body);
}
