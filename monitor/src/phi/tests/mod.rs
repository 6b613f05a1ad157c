//! Tests of the detectors, on whole messages.

use std::collections::HashSet;

use super::{Class, Form, Health, Identifier, rules};
use crate::field::{Fields, Part, Step, ValueKind, tests::read_values};

mod codes;
mod drugs;
mod health;
mod identifiers;
mod labels;
mod noise;
mod ordinary;

/// Fields from `(path, value)`: the body at keys and indices separated by
/// points, or another part before a colon. A value that is no number and no
/// literal is read as the field stage reads it.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let values: Vec<_> = pairs
        .iter()
        .map(|(path, value)| {
            let (part, path) = match path.split_once(':') {
                Some(("path", rest)) => (Part::Path, rest),
                Some(("query", rest)) => (Part::Query, rest),
                Some(("header", rest)) => (Part::Header, rest),
                _ => (Part::Body, *path),
            };
            let steps: Vec<Step<'_>> = path
                .split('.')
                .map(|step| step.parse().map_or(Step::Key(step), Step::Index))
                .collect();
            let kind = if value.parse::<f64>().is_ok() && !value.starts_with('+') {
                ValueKind::Number
            } else if matches!(*value, "true" | "false" | "null") {
                ValueKind::Literal
            } else {
                ValueKind::Text
            };
            (part, steps, *value, kind)
        })
        .collect();
    read_values(&values)
}

/// What one value under one key is evidence of: `class form strength`, joined
/// by commas in the order of the detectors.
fn check(cases: &[(&str, &str, &str)]) {
    for (path, value, expected) in cases {
        assert_eq!(found(&[(path, value)]), *expected, "{path} = {value}");
    }
}

fn found(pairs: &[(&str, &str)]) -> String {
    let evidence = rules(&fields(pairs));
    let shown: Vec<String> = evidence
        .iter()
        .map(|item| {
            let form = if item.form == Form::Plain {
                ""
            } else {
                item.form.as_str()
            };
            format!("{} {form} {:?}", item.class.as_str(), item.strength).replace("  ", " ")
        })
        .collect();
    shown.join(", ")
}

const SHA256: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";

#[test]
fn email() {
    check(&[
        ("user_data.em", "Jane.Roe@Example.com", "email I3"),
        ("email", "jane@clinic.test", "email I3"),
        ("user_data.em.0", SHA256, "email sha256 I2"),
        ("context.user.email", &SHA256[..32], "email md5 I2"),
        (
            "user_data.sha256_email_address.0",
            SHA256,
            "email sha256 I2",
        ),
        (
            "em.em",
            "_42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
            "email sha256 I2",
        ),
        (
            "em.pn.0",
            "_42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
            "phone sha256 I2",
        ),
        (
            "em.fn.0",
            "_42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
            "name sha256 I2",
        ),
        (
            "em.ln.1",
            "_42YGfwOEr8NJIkuRZh-JJoo3Og2qFytYOKOqqjG2XY",
            "name sha256 I2",
        ),
        ("note", "write to jane.roe@example.com today", "email I3"),
        ("distinct_id", "jane@example.com", "email I3"),
        ("path:3", "jane%40example.com", "email I3"),
        (
            "url",
            "https://clinic.example/thanks?email=jane%40example.com",
            "email I3",
        ),
        (
            "url",
            "https://clinic.example/reset?id=jane@example.com",
            "email I3",
        ),
        // Roles, machines and things with an `@`.
        ("note", "support@example.com", ""),
        ("email", "noreply@example.com", ""),
        ("note", "no-reply@example.com", ""),
        ("dsn", "https://0a1b2c3d@o1.ingest.example.com/4", ""),
        ("remote", "git@example.com:team/app.git", ""),
        ("package", "left-pad@1.2.3", ""),
        ("image", "logo@2x.png", ""),
        ("note", "jane@clinic.test", ""),
        ("email", "jane@", ""),
        ("email", "jane..roe@example.com", ""),
        ("sha", SHA256, ""),
        ("api_key", &SHA256[..32], ""),
    ]);
}

#[test]
fn phone() {
    check(&[
        ("user_data.ph", "+1 (415) 555-0132", "phone I3"),
        ("phone", "14155550132", "phone I3"),
        ("phone_number", "4155550132", "phone I3"),
        ("phone", "+44 20 7946 0018", "phone I3"),
        ("user.hashed_phone_number", SHA256, "phone sha256 I2"),
        ("note", "call 415-562-0132 now", "phone I3"),
        ("note", "+14155620132", "phone I3"),
        ("note", "(415) 562-0132", "phone I3"),
        ("fax", "415-562-0132", "fax I3"),
        // Without a key: toll-free, fictional, times, ids, other shapes.
        ("note", "1-800-562-0132", ""),
        ("note", "415-555-0132", ""),
        ("order", "4155620132", ""),
        ("event_time", "1764038463", ""),
        ("ga", "1033501218.1764038463", "online_id I1"),
        ("note", "415-562.0132", ""),
        ("note", "115-562-0132", ""),
        ("note", "x415-562-0132", ""),
        ("note", "415-562-01322", ""),
        ("note", "192.168.100.200", ""),
        ("note", "2026-11-24", ""),
        ("phone", "123", ""),
        ("phone", "0000000000", ""),
        ("phone", "true", ""),
    ]);
}

#[test]
fn name() {
    check(&[
        ("traits.firstName", "Jane", "name I3"),
        ("user_data.fn", "jane", "name I3"),
        ("user_data.fn.0", SHA256, "name sha256 I2"),
        ("patient.name", "Jane Roe", "name I3"),
        ("properties.$set.$name", "Jane Roe", "name I3"),
        ("patient_name", "Jane Roe", "name I3"),
        ("data.0.hashed_first_name_sdx", "J500", "name soundex I1"),
        ("address.0.sha256_first_name", SHA256, "name sha256 I2"),
        ("name", "Jane Roe", ""),
        ("event", "Purchase", ""),
        ("events.0.name", "purchase", ""),
        ("contents.0.name", "Blue Shirt", ""),
        ("product_name", "Blue Shirt", ""),
        ("user_name", "jroe", "external_id I1"),
        ("fn", "callback", ""),
        ("company.name", "Acme", ""),
        ("metric.data.attributes.name", "Viewed Page", ""),
        ("traits.lastName", "unknown", ""),
    ]);
}

#[test]
fn dates_of_birth_and_service() {
    check(&[
        ("user_data.db", "19840229", "birth_date I3"),
        ("date_of_birth", "02/29/1984", "birth_date I3"),
        ("dob", SHA256, "birth_date sha256 I2"),
        ("doby", "1984", "birth_date I1"),
        ("date_of_birth", "1985-02-29", ""),
        ("db", "orders", ""),
        ("created_at", "1984-02-28", ""),
        (
            "appointment_date",
            "2026-12-01",
            "service_date I1, appointment H3",
        ),
        (
            "appointment.starts_at",
            "1764038463",
            "service_date I1, appointment H3",
        ),
        ("appointment.created_at", "2026-12-01T00:00:00Z", ""),
        ("last_visit", "2026-12-01", ""),
        ("session_start", "1764038463", ""),
        ("event_time", "1764038463", ""),
    ]);
}

#[test]
fn places_and_networks() {
    check(&[
        ("traits.address.street", "12 Elm Street", "address I3"),
        ("address", "12 Elm Street", "address I3"),
        ("address", "jane@example.com", "email I3"),
        ("user_data.ct", SHA256, "city sha256 I1"),
        ("traits.address.city", "Springfield", "city I1"),
        ("clinic.city", "Springfield", ""),
        ("zip_code", "94110-1234", "zip I1"),
        ("zp", "94110", ""),
        ("location_lat", "37.7749", "geo I1"),
        ("lat", "37", ""),
        ("client_ip_address", "203.0.113.9", "ip I1"),
        ("context.ip", "2001:db8::7", "ip I1"),
        ("header:x-forwarded-for", "10.0.0.1, 198.51.100.7", "ip I1"),
        ("header:true-client-ip", "203.0.113.9", "ip I1"),
        (
            "header:cookie._fbp",
            "fb.1.1764038463123.1098115397",
            "online_id I1",
        ),
        ("header:cookie.theme", "depression", ""),
        ("header:via", "203.0.113.9", ""),
        // The reader takes URLs apart: segments by index, parameters by key.
        (
            "event_source_url.1",
            "anxiety-test",
            "condition H2, assessment H2",
        ),
        ("event_source_url.email", "jane@clinic.test", "email I3"),
        ("ip", "10.1.2.3", ""),
        ("ip", "100.64.0.1", ""),
        ("ip", "fd00::1", ""),
        ("ip", "1", ""),
        ("version", "1.2.3.4", ""),
        ("server", "203.0.113.9", ""),
    ]);
}

#[test]
fn numbers_of_people() {
    check(&[
        ("ssn", "219-45-6789", "ssn I3"),
        ("ssn", "219456789", "ssn I3"),
        ("note", "219-45-6789", "ssn I3"),
        ("ssn_last4", "6789", "ssn I1"),
        ("ssn", "000-45-6789", ""),
        ("ssn", "666-45-6789", ""),
        ("ssn", "912-45-6789", ""),
        ("ssn", "219-00-6789", ""),
        ("ssn", "219-45-0000", ""),
        ("ssn", "078-05-1120", ""),
        ("ssn", "21-945-6789", ""),
        ("order", "219456789", ""),
        ("mrn", "A0012345", "mrn I3"),
        ("patient_id", "88231", "mrn I3"),
        ("patient_id", "none", ""),
        ("order_id", "A0012345", ""),
        ("note", "1EG4-TE5-MK73", "health_plan_id I3, insurance H3"),
        ("note", "1EG4TE5MK73", "health_plan_id I3, insurance H3"),
        ("note", "0EG4TE5MK73", ""),
        ("note", "1SG4TE5MK73", ""),
        ("note", "1EG4TE5MK7", ""),
        ("member_id", "W123456789", "external_id I1"),
        (
            "insurance.member_id",
            "W123456789",
            "health_plan_id I3, insurance H3",
        ),
        (
            "insurance_member_id",
            "W123456789",
            "health_plan_id I3, insurance H3",
        ),
    ]);
    assert_eq!(
        found(&[
            ("copay", "25"),
            ("member_id", "W123456789"),
            ("group_number", "G-77102")
        ]),
        "insurance H3, health_plan_id I3, insurance H3, health_plan_id I3, insurance H3",
    );
}

#[test]
fn pseudonyms() {
    check(&[
        ("user_id", "8812", "external_id I1"),
        ("user_data.external_id", SHA256, "external_id sha256 I1"),
        ("user.id", "8812", "external_id I1"),
        ("product.id", "8812", ""),
        ("user_id", "null", ""),
        ("user_id", "anonymous", ""),
        ("fbp", "fb.1.1764038463123.1098115397", "online_id I1"),
        ("x", "fb.1.1764038463123.1098115397", "online_id I1"),
        ("client_id", "1033501218.1764038463", "online_id I1"),
        ("query:cid", "1033501218.1764038463", "online_id I1"),
        ("query:cid", "summer_sale", ""),
        ("query:gclid", "Cj0KCQiA_example", "online_id I1"),
        (
            "url",
            "https://shop.example/?fbclid=IwAR0example",
            "online_id I1",
        ),
        (
            "idfa",
            "6D92078A-8246-4BA4-AE5B-76104861E7DC",
            "device_id I1",
        ),
        ("idfa", "00000000-0000-0000-0000-000000000000", ""),
        ("message_id", "6D92078A-8246-4BA4-AE5B-76104861E7DC", ""),
        ("user_data.ge", "f", "sex I1"),
        ("ge", "f", ""),
        ("gender", "female", "sex I1"),
        ("sex", "often", ""),
    ]);
    assert_eq!(
        found(&[
            ("path:0", "3.0"),
            ("path:1", "members"),
            ("path:2", &SHA256[..32])
        ]),
        "email md5 I2",
    );
    assert_eq!(
        found(&[
            ("userIds.0.idType", "SHA256_EMAIL"),
            ("userIds.0.idValue", SHA256)
        ]),
        "email sha256 I2",
    );
    assert_eq!(
        found(&[
            ("fields.0.name", "email"),
            ("fields.0.value", "jane@clinic.test")
        ]),
        "email I3",
    );
}

#[test]
fn ordinary_events_are_no_evidence() {
    for pairs in [
        &[
            ("event", "Purchase"),
            ("properties.value", "19.99"),
            ("properties.currency", "USD"),
            ("properties.order_id", "A-10023"),
            ("properties.products.0.name", "Blue Shirt"),
            ("properties.products.0.sku", "H264"),
            ("properties.plan", "pro"),
            ("timestamp", "1764038463"),
            ("context.library.name", "analytics-python"),
            ("messageId", "8f0c7a4e-1f2a-4b7e-9c67-2f1d3a5b7c90"),
            ("writeKey", "9hivX2bQ7std4KdAnxiety"),
        ][..],
        &[
            ("header:user-agent", "depression/1.0"),
            ("header:host", "api.segment.io"),
        ],
        &[
            ("query:access_token", SHA256),
            ("query:v", "2"),
            ("path:0", "v26.0"),
        ],
    ] {
        assert_eq!(found(pairs), "");
    }
}

#[test]
fn names_are_closed_and_distinct() {
    let names: Vec<&str> = Identifier::ALL
        .iter()
        .map(|class| class.as_str())
        .chain(Health::ALL.iter().map(|class| class.as_str()))
        .collect();
    let distinct: HashSet<_> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (35, 35));
    assert_eq!(
        Class::Identifier(Identifier::HealthPlanId).as_str(),
        "health_plan_id"
    );
    assert_eq!(
        Form::ALL
            .iter()
            .map(|form| form.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        "plain sha256 sha1 sha224 sha384 sha512 md5 soundex"
    );
}

#[test]
fn no_value_makes_it_panic() {
    let values = [
        "",
        " ",
        "@",
        "%",
        "%4",
        "+",
        "(",
        "((((((",
        "1-",
        "…",
        "é@é.é",
        "fb.",
        "GA1.",
        "\u{0}",
        "{\"a\":",
        "https://",
        "https://?",
        "https://x/?=&&=%ff",
        "for=",
        "[::",
        "tv.1~em.",
        "１２３-４５-６７８９",
        "415)562-0132",
        "1EG4-TEé-MK73",
        "(é15) 562-0132",
        "+é",
        "1(415)",
    ];
    let keys = [
        "email",
        "phone",
        "ssn",
        "ssn4",
        "mrn",
        "ip",
        "dob",
        "fn",
        "zip",
        "icd10",
        "npi",
        "ndc",
        "url",
        "answers.0",
        "idvalue",
        "",
        "é",
        "path:0",
        "path:1",
        "header:x-forwarded-for",
        "hashed_first_name_sdx",
        "appointment_date",
        "lat",
        "cid",
        "gender",
        "copay",
    ];
    for key in keys {
        for value in values {
            let long = value.repeat(3_000);
            rules(&fields(&[(key, value), (key, &long)]));
        }
    }
}
