//! Tests of what findings say about people: who, how many, hashed or not, why.

use sha2::{Digest as _, Sha256};

use super::*;

fn sha256(text: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text))
}

/// The people of requests to Meta, numbered in the order of their names, `-`
/// for none.
fn check_people(requests: &[&[(&str, &str)]], expected: &str) {
    let mut host = Host::default();
    let mut names = Vec::new();
    let mut found = Vec::new();
    for pairs in requests {
        for finding in host.send(META, Some(200), pairs) {
            found.push(finding.person.map_or("-".to_owned(), |person| {
                let known = names.iter().position(|name| *name == person);
                let number = known.unwrap_or(names.len());
                if known.is_none() {
                    names.push(person);
                }
                number.to_string()
            }));
        }
    }
    assert_eq!(found.join(" "), expected, "{requests:?}");
}

#[test]
fn a_person_is_recognized_by_any_of_their_identifiers() {
    check_people(
        &[
            &[("email", "jane@example.com"), ("phone", "+14155550132")],
            &[("phone", "+14155550132"), ("user_id", "8812")],
            &[("user_id", "8812"), ("diagnosis", "anxiety")],
            &[("email", "john@example.com")],
        ],
        "0 0 0 1",
    );
    // A shared identifier does not make two people one.
    check_people(
        &[
            &[
                ("email", "jane@example.com"),
                ("ip", "198.51.100.7"),
                ("city", "Reno"),
                ("gender", "f"),
            ],
            &[
                ("email", "joan@example.com"),
                ("ip", "198.51.100.7"),
                ("city", "Reno"),
                ("gender", "f"),
            ],
            &[("ip", "198.51.100.7"), ("diagnosis", "anxiety")],
        ],
        "0 1 -",
    );
    // A hash of a known plain identifier is the same person; a hash that comes
    // first is another until both are seen together.
    let (phone, email) = (sha256("14155550132"), sha256("jane@example.com"));
    check_people(
        &[
            &[("email", "Jane@Example.com")],
            &[("user_data.em.0", &email)],
            &[("user_data.ph.0", &phone)],
            &[("phone", "+1 (415) 555-0132"), ("user_data.em.0", &email)],
            &[("user_data.ph.0", &phone)],
        ],
        "0 0 1 0 0",
    );
}

#[test]
fn a_list_is_as_many_people_as_rows() {
    let mails: Vec<String> = (0..1_000)
        .map(|index| sha256(&format!("p{index}@example.com")))
        .collect();
    let paths: Vec<String> = (0..1_000)
        .map(|index| format!("payload.data.{index}.0"))
        .collect();
    let mut pairs = vec![("payload.schema.0", "EMAIL")];
    pairs.extend(
        paths
            .iter()
            .map(String::as_str)
            .zip(mails.iter().map(String::as_str)),
    );
    let mut host = Host::default();
    let line = "POST graph.facebook.com /v26.0/1234/users";
    let found = host.send(line, Some(200), &pairs);
    assert_eq!(found.len(), MAX_FINDINGS + 1);
    let summary = found.last().unwrap();
    assert_eq!(summary.labels, [Label::Summary]);
    assert_eq!(summary.people, Some(744));
    assert!(summary.why.starts_with("744 more of the same request: "));
    assert_eq!(host.losses.get(Loss::FindingLimit), 744);
    let people = host.memory.people("meta");
    assert_eq!((people.at_least, people.at_most), (1_000, 1_000));
    host.send(line, Some(200), &pairs);
    assert_eq!(host.memory.people("meta"), people);
}

/// `class form labels` of every field.
fn check_labels(host: &mut Host, line: &str, pairs: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = host
        .send(line, Some(200), pairs)
        .iter()
        .flat_map(|finding| &finding.fields)
        .map(|field| {
            let (class, form) = (field.class.as_str(), form_name(field.form));
            format!("{class} {form} {}", joined(&field.labels, " "))
        })
        .collect();
    assert_eq!(found, expected, "{pairs:?}");
}

#[test]
fn fields_say_whether_they_are_unhashed_or_confirmed() {
    let mut host = Host::default();
    let email = sha256("jane@example.com");
    check_labels(
        &mut host,
        META,
        &[("user_data.em.0", &email)],
        &["email sha256 "],
    );
    check_labels(
        &mut host,
        META,
        &[("user_data.em.0", "jane@example.com")],
        &["email plain unhashed"],
    );
    check_labels(
        &mut host,
        META,
        &[("user_data.em.0", &email)],
        &["email sha256 confirmed"],
    );
    check_labels(
        &mut host,
        SEGMENT,
        &[("email", "jane@example.com"), ("user_id", "8")],
        &["email plain ", "external_id plain "],
    );
}

#[test]
fn a_health_service_is_health_information_by_itself() {
    let mut host = Host {
        sender: Sender {
            service: Some("intake"),
            is_health: true,
        },
        ..Host::default()
    };
    for (pairs, expected) in [
        (&[("email", "jane@example.com")][..], Some("high inherent")),
        (&[("em", SHA256)], Some("medium inherent")),
        (&[("user_id", "8812")], Some("low inherent")),
        (
            &[("user_id", "8812"), ("diagnosis", "anxiety")],
            Some("high condition inherent"),
        ),
        (&[("event_name", "Purchase")], None),
    ] {
        let found = host.send(META, Some(200), pairs);
        let found = found.first().map(|finding| {
            assert_eq!(finding.process.service.as_deref(), Some("intake"));
            format!(
                "{} {}",
                finding.severity.as_str(),
                joined(&finding.health, " ")
            )
        });
        assert_eq!(found.as_deref(), expected, "{pairs:?}");
    }
}

#[test]
fn an_address_and_a_public_page_alone_are_low() {
    let page = (
        "event_source_url",
        "https://clinic.example/conditions/anxiety",
    );
    let ip = ("client_ip_address", "198.51.100.7");
    for (pairs, expected) in [
        (&[ip, page][..], "low ip_only_unauth"),
        (
            &[ip, page, ("fbp", "fb.1.1764038463123.1098115397")],
            "medium ",
        ),
        (
            &[
                ip,
                ("event_source_url", "https://clinic.example/portal/anxiety"),
            ],
            "medium ",
        ),
        (&[ip, ("event_name", "Anxiety quiz started")], "medium "),
        (&[ip, page, ("diagnosis", "anxiety")], "high "),
    ] {
        let found = findings(META, Some(200), pairs);
        let finding = found.first().unwrap();
        let found = format!(
            "{} {}",
            finding.severity.as_str(),
            joined(&finding.labels, " ")
        );
        assert_eq!(found, expected, "{pairs:?}");
    }
}

#[test]
fn a_finding_says_why() {
    let pairs = &[
        ("email", "jane@example.com"),
        ("properties.phq9_score", "14"),
    ];
    for (line, status, expected) in [
        (
            META,
            Some(200),
            "Meta Platforms (advertising) received an email address in clear, together with answers or the \
             result of a self-assessment, of the same person; the request was answered with 200. \
             Severity critical: direct identifiers in clear, an explicit statement about health, \
             an advertising company.",
        ),
        (
            SEGMENT,
            Some(403),
            "Twilio (customer-data platform) was sent an email address in clear, together with answers or \
             the result of a self-assessment, of the same person; the request was refused with \
             403, so this is an attempt. Severity high: direct identifiers in clear, an explicit \
             statement about health, a third party; one level lower because it was refused.",
        ),
    ] {
        let found = findings(line, status, pairs);
        assert_eq!(found.first().unwrap().why, expected);
    }
    let refused = findings(META, Some(500), pairs);
    assert_eq!(refused.first().unwrap().labels, [Label::Attempted]);
    let alone = findings(META, None, &[("url", "https://clinic.example/anxiety")]);
    assert_eq!(
        alone.first().unwrap().why,
        "Meta Platforms (advertising) received the context of a condition or diagnosis, and \
         nothing that identifies a person; no answer was seen. Severity info: no identifier, a \
         context that tells about health, an advertising company.",
    );
}

#[test]
fn the_same_events_give_the_same_findings() {
    let (phone, email) = (sha256("14155550132"), sha256("jane@example.com"));
    let requests: &[&[(&str, &str)]] = &[
        BATCH,
        &[("user_data.em.0", &email), ("phq9_score", "3")],
        &[("email", "jane@example.com"), ("phone", "4155550132")],
        &[("user_data.ph.0", &phone), ("diagnosis", "anxiety")],
    ];
    let run = || {
        let mut host = Host::default();
        let found: Vec<_> = requests
            .iter()
            .flat_map(|pairs| host.send(META, Some(200), pairs))
            .collect();
        serde_json::to_string(&found).unwrap()
    };
    let once = run();
    assert_eq!(once, run());
    for value in [&phone, &email, "jane@example.com", "4155550132", "anxiety"] {
        assert!(!once.contains(value), "a value is in the record");
    }
    // A capture that begins later gives the same ids.
    let id = |found: &[Finding]| found.first().map(|finding| finding.id.clone());
    let mut host = Host::default();
    host.send(META, Some(200), requests[2]);
    let later = host.send(META, Some(200), requests[3]);
    assert_eq!(id(&later), id(&findings(META, Some(200), requests[3])));
}
