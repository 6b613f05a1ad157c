//! Tests of the assembly of findings.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Context, Finding, MAX_FIELDS, MAX_FINDINGS, Memory, Sender, assemble};
use crate::{
    event::{Origin, Place, Process, Source, StreamId, Timestamp},
    finding::{HostSource, Label, form_name, prove},
    http::{Completeness, Protocol, Request},
    loss::{Loss, Losses},
    name::joined,
    phi::{Health, label_columns, rules, tests::fields},
    secret::Secret,
    token::TokenKey,
    tracker::Catalog,
};

const SHA256: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";
const META: &str = "POST graph.facebook.com /v26.0/1234/events?access_token=EAAsecret";
const SEGMENT: &str = "POST api.segment.io /v1/batch";

mod people;

/// The findings of the first request of a host: `line` is method, host and
/// target.
fn findings(line: &str, status: Option<u16>, pairs: &[(&str, &str)]) -> Vec<Finding> {
    let mut host = Host::default();
    host.send(line, status, pairs)
}

/// One host and its memory between requests.
#[derive(Default)]
struct Host {
    memory: Memory,
    losses: Losses,
    sender: Sender<'static>,
}

impl Host {
    fn send(&mut self, line: &str, status: Option<u16>, pairs: &[(&str, &str)]) -> Vec<Finding> {
        let mut fields = fields(pairs);
        label_columns(&mut fields);
        with_context(line, status, self.sender, |context| {
            let proofs = prove(context.key, &fields, rules(&fields), None);
            assemble(context, &proofs, &mut self.memory, &mut self.losses)
        })
    }
}

fn with_context<T>(
    line: &str,
    status: Option<u16>,
    sender: Sender<'_>,
    then: impl FnOnce(&Context<'_>) -> T,
) -> T {
    let mut parts = line.split(' ').map(str::to_owned);
    let mut part = || parts.next().unwrap();
    let (method, host, target) = (part(), part(), part());
    let path = target.split('?').next().unwrap();
    let matched = Catalog::builtin()
        .match_request(Some(&host), &method, path)
        .unwrap();
    let request = Request {
        stream: StreamId {
            owner: 1,
            handle: 2,
            born: 3,
        },
        ordinal: 0,
        time: Timestamp(1_764_038_463_123_456_789),
        end: Timestamp(1_764_038_463_123_456_999),
        place: Some(Place {
            file: Arc::from("a.pcapng"),
            packet: 12,
        }),
        protocol: Protocol::Http1,
        method,
        target: Secret::new(Bytes::from(target)),
        host: Some(host.clone()),
        headers: Vec::new(),
        body: Secret::default(),
        body_wire_length: 0,
        wire_length: 1_881,
        status,
        completeness: Completeness::Complete,
    };
    let process = Process {
        pid: 7,
        comm: Some("python3".to_owned()),
        ..Process::default()
    };
    let origin = Origin {
        source: Source::OpenSsl,
        process: Some(Arc::new(process)),
        local: None,
        peer: Some("203.0.113.5:443".parse().unwrap()),
        one_way: false,
        blindness: None,
    };
    let key = TokenKey::from_bytes([1; 32]);
    let context = Context {
        request: &request,
        origin: Some(&origin),
        sender,
        server_name: Some(&host),
        matched: Some(&matched),
        host: &host,
        host_source: HostSource::HostHeader,
        path: None,
        key: &key,
    };
    then(&context)
}

/// `severity: identifiers / health` of every finding.
fn check(line: &str, status: Option<u16>, pairs: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = findings(line, status, pairs)
        .iter()
        .map(|finding| {
            format!(
                "{}: {} / {}",
                finding.severity.as_str(),
                joined(&finding.identifiers, " "),
                joined(&finding.health, " "),
            )
        })
        .collect();
    assert_eq!(found, expected, "{line} {pairs:?}");
}

#[test]
fn severity_follows_the_matrix() {
    let score = ("properties.phq9_score", "14");
    let page = ("url", "https://clinic.example/anxiety");
    for (line, pairs, expected) in [
        (
            META,
            &[("email", "jane@example.com"), score][..],
            "critical: email / assessment",
        ),
        (
            META,
            &[("email", "jane@example.com"), page],
            "critical: email / condition",
        ),
        (
            SEGMENT,
            &[("email", "jane@example.com"), page],
            "high: email / condition",
        ),
        (
            META,
            &[("em", SHA256), score],
            "critical: email / assessment",
        ),
        (
            SEGMENT,
            &[("em", SHA256), score],
            "high: email / assessment",
        ),
        (
            META,
            &[("user_id", "8812"), score],
            "high: external_id / assessment",
        ),
        (
            META,
            &[("user_id", "8812"), page],
            "medium: external_id / condition",
        ),
        (META, &[("user_id", "8812")], "info: external_id / "),
        (META, &[score], "low:  / assessment"),
        (META, &[page], "info:  / condition"),
        (META, &[("email", "jane@example.com")], "medium: email / "),
        (SEGMENT, &[("email", "jane@example.com")], "low: email / "),
        (META, &[("em", SHA256)], "low: email / "),
        // A name is direct only together with another identifier, and a sex
        // never is.
        (
            META,
            &[("traits.firstName", "Jane"), score],
            "high: name / assessment",
        ),
        (
            META,
            &[("traits.firstName", "Jane"), ("user_id", "8"), score],
            "critical: external_id name / assessment",
        ),
        (META, &[("gender", "f"), score], "low: sex / assessment"),
    ] {
        check(line, Some(200), pairs, &[expected]);
    }
    check(
        META,
        Some(200),
        &[("event_name", "Purchase"), ("custom_data.value", "9")],
        &[],
    );
    check(META, Some(200), &[("gender", "f")], &[]);
}

#[test]
fn refused_requests_are_one_level_milder() {
    let pairs = &[("em", SHA256), ("properties.phq9_score", "14")];
    for (status, expected) in [
        (None, "critical: email / assessment"),
        (Some(200), "critical: email / assessment"),
        (Some(302), "critical: email / assessment"),
        (Some(400), "high: email / assessment"),
        (Some(503), "high: email / assessment"),
    ] {
        check(META, status, pairs, &[expected]);
    }
    check(
        META,
        Some(400),
        &[("user_id", "8812")],
        &["info: external_id / "],
    );
}

#[test]
fn housekeeping_counts_only_with_people_in_it() {
    let line = "GET graph.facebook.com /v26.0/act_1/insights";
    check(line, Some(200), &[("query:user_id", "8812")], &[]);
    check(line, Some(200), &[("query:title", "anxiety")], &[]);
    check(
        line,
        Some(200),
        &[("query:email", "jane@example.com")],
        &["medium: email / "],
    );
    check(
        line,
        Some(200),
        &[("query:diagnosis", "anxiety")],
        &["low:  / condition"],
    );
}

/// Three people in one batch, as Meta's Python SDK sends it.
const BATCH: &[(&str, &str)] = &[
    ("data.0.event_name", "Assessment"),
    ("data.0.user_data.em.0", SHA256),
    ("data.0.user_data.client_ip_address", "198.51.100.7"),
    ("data.0.custom_data.phq9_score", "14"),
    ("data.1.event_name", "Appointment Booked"),
    ("data.1.user_data.ph.0", "+14155550132"),
    ("data.1.custom_data.Quentin", "depression"),
    ("data.1.custom_data.appointment_date", "2026-12-01"),
    ("data.1.user_data.fn.0", "Quentin"),
    ("data.2.event_name", "Purchase"),
    ("data.2.user_data.external_id", "patient-77120"),
    (
        "data.2.event_source_url",
        "https://clinic.example/zoloft?email=zed%40example.com",
    ),
    ("partner_agent", "sdk"),
];

#[test]
fn a_batch_of_three_people_is_three_findings() {
    check(
        META,
        Some(200),
        BATCH,
        &[
            "critical: email ip / assessment",
            "critical: name phone service_date / appointment condition",
            "critical: email external_id / medication",
        ],
    );
    let found = findings(META, Some(200), BATCH);
    let first = &found[0];
    assert_eq!(first.fields[0].path, "body.data[0].user_data.em[0]");
    assert_eq!(first.fields[0].masked, "ff8d…d976");
    assert_eq!(first.person, first.fields[0].token);
    assert_eq!(&*first.recipient.tracker, "meta");
    assert_eq!(first.request.as_ref().unwrap().path, "/v26.0/{id}/events");
    assert_eq!(first.time, Timestamp(1_764_038_463_123_456_789));
    assert_eq!(first.process.comm.as_deref(), Some("python3"));
    assert_eq!(first.source, Some(Source::OpenSsl));
    assert_eq!(first.completeness, Completeness::Complete);
    assert_eq!(first.peer.addr, "203.0.113.5:443".parse().ok());
    assert_eq!(first.evidence.as_ref().map(|place| place.packet), Some(12));
    // A key that is somebody's name is hidden.
    assert!(
        found[1]
            .fields
            .iter()
            .any(|field| field.path == "body.data[1].custom_data.{key}")
    );
    let people: Vec<_> = found
        .iter()
        .map(|finding| finding.person.unwrap())
        .collect();
    assert!(people[0] != people[1] && people[1] != people[2] && people[0] != people[2]);
}

#[test]
fn shared_evidence_belongs_to_every_event() {
    check(
        SEGMENT,
        Some(200),
        &[
            ("context.ip", "198.51.100.7"),
            ("batch.0.userId", "1001"),
            ("batch.0.properties.diagnosis", "anxiety"),
            ("batch.1.userId", "1002"),
            ("batch.2.event", "Purchase"),
        ],
        &[
            "high: external_id ip / condition",
            "info: external_id ip / ",
        ],
    );
}

#[test]
fn no_value_stands_in_a_finding() {
    let planted = [
        SHA256,
        "198.51.100.7",
        "+14155550132",
        "14155550132",
        "4155550132",
        "Quentin",
        "2026-12-01",
        "patient-77120",
        "zed@example.com",
        "zoloft",
        "EAAsecret",
        "depression",
    ];
    let found = findings(META, Some(200), BATCH);
    assert_eq!(found.len(), 3);
    let text = serde_json::to_string(&found).unwrap();
    let lower = text.to_lowercase();
    for value in planted {
        let spellings = [
            value.to_owned(),
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
            STANDARD.encode(value).trim_end_matches('=').to_owned(),
        ];
        for spelling in spellings {
            assert!(!text.contains(&spelling), "{value} is in the record");
            assert!(
                !lower.contains(&spelling.to_lowercase()),
                "{value} is in the record"
            );
        }
    }
}

#[test]
fn ids_are_stable_and_distinct() {
    let one = findings(META, Some(200), BATCH);
    let again = findings(META, Some(200), BATCH);
    assert_eq!(one, again);
    assert!(one[0].id != one[1].id && one[1].id != one[2].id);
    assert_eq!(one[0].id.len(), 32);
    let refused = findings(META, Some(500), BATCH);
    assert_ne!(one[0].id, refused[0].id);
}

#[test]
fn fields_are_bounded_and_classes_are_not() {
    let paths: Vec<String> = (0..200).map(|index| format!("p{index}.email")).collect();
    let mails: Vec<String> = (0..200)
        .map(|index| format!("p{index}@example.com"))
        .collect();
    let mut pairs: Vec<(&str, &str)> = paths
        .iter()
        .map(String::as_str)
        .zip(mails.iter().map(String::as_str))
        .collect();
    pairs.push(("diagnosis", "anxiety"));
    let found = findings(META, Some(200), &pairs);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fields.len(), MAX_FIELDS);
    assert_eq!(found[0].health, [Health::Condition]);
}

#[test]
fn ordinary_shop_events_stay_low() {
    let shop: &[(&str, &str)] = &[
        ("data.0.event_name", "Purchase"),
        ("data.0.event_time", "1764038463"),
        ("data.0.user_data.em.0", SHA256),
        ("data.0.user_data.ct.0", SHA256),
        ("data.0.user_data.client_ip_address", "198.51.100.7"),
        ("data.0.user_data.fbp", "fb.1.1764038463123.1098115397"),
        ("data.0.custom_data.value", "19.99"),
        ("data.0.custom_data.contents.0.id", "H264"),
    ];
    check(META, Some(200), shop, &["low: city email ip online_id / "]);
}

/// Innocuous requests to trackers, made of shapes that look like PHI.
#[test]
fn two_hundred_innocuous_events_are_no_findings() {
    let names = [
        "Purchase",
        "PageView",
        "Schedule",
        "AddToCart",
        "Search",
        "Demo booked",
    ];
    let skus = ["A320", "H264", "B12", "E164", "P256", "F150"];
    let plans = ["pro", "free", "enterprise", "team"];
    for index in 0..200_usize {
        let order = format!("{}", 1_690_000_000 + index * 550_001);
        let number = format!("{}", 100_000_000 + index * 4_477_777);
        let version = format!("1.{}.{}.4", index % 9, index % 7);
        let pairs = [
            ("data.0.event_name", names[index % names.len()]),
            ("data.0.event_time", order.as_str()),
            ("data.0.event_id", &SHA256[index % 24..]),
            ("data.0.custom_data.order_id", number.as_str()),
            ("data.0.custom_data.content_ids.0", skus[index % skus.len()]),
            ("data.0.custom_data.content_name", "Blue Shirt"),
            ("data.0.custom_data.plan", plans[index % plans.len()]),
            ("data.0.custom_data.app_version", version.as_str()),
            ("data.0.custom_data.help", "support@example.com"),
        ];
        check(META, Some(200), &pairs, &[]);
    }
}

#[test]
fn only_methods_of_the_protocol_are_shown() {
    for (sent, shown) in [
        ("POST", "POST"),
        ("TRACE", "TRACE"),
        ("post", "OTHER"),
        ("AVERYLLA", "OTHER"),
        ("", "OTHER"),
    ] {
        assert_eq!(super::method(sent), shown, "{sent}");
    }
}

#[test]
fn a_name_as_key_is_hidden() {
    let found = findings(
        META,
        Some(200),
        &[
            ("patients.Averylla.diagnosis", "anxiety"),
            ("patients.Averylla.contact_email", "zed@example.com"),
        ],
    );
    let paths: Vec<&str> = found[0]
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "body.patients.{key}.diagnosis",
            "body.patients.{key}.contact_email",
        ]
    );
}
