//! Expressions against one finding, mistakes against their messages, and every
//! prefix of everything.

mod mistakes;
mod selections;

use super::*;
use crate::{
    event::{Blindness, Source, Timestamp},
    finding::{
        ContactRecord, EvidenceRecord, FieldLabel, FieldRecord, HostSource, Kind, Label,
        PeerRecord, ProcessRecord, RecipientRecord, RequestRecord, SCHEMA, Severity,
    },
    http::{Completeness, Protocol},
    phi::{Class, Form, Health, Identifier},
    token::Token,
    tracker::{Catalog, Category, MatchedBy},
};

fn finding() -> Finding {
    let field = |class, form, path: &str, rule| FieldRecord {
        class,
        form,
        path: path.to_owned(),
        rule,
        masked: "a…".to_owned(),
        token: Some(Token(path.len() as u128)),
        labels: vec![FieldLabel::Unhashed],
    };
    Finding {
        schema: SCHEMA,
        id: "5d41402abc4b2a76b9719d911017c592".to_owned(),
        time: Timestamp(1_795_488_063_123_456_789),
        kind: Kind::Request,
        severity: Severity::High,
        why: "Because.".to_owned(),
        labels: vec![Label::Attempted],
        recipient: RecipientRecord {
            tracker: "meta".into(),
            owner: "Meta Platforms".into(),
            category: Some(Category::Ads),
            host: "graph.facebook.com".to_owned(),
            matched_by: MatchedBy::HostAndPath,
        },
        identifiers: vec![Identifier::Email, Identifier::Ip],
        health: vec![Health::Condition],
        fields: vec![
            field(
                Class::Identifier(Identifier::Email),
                Some(Form::Sha256),
                "body.em",
                "email.key.hash",
            ),
            field(
                Class::Health(Health::Condition),
                Some(Form::Plain),
                "query.q",
                "condition.key",
            ),
        ],
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            host: None,
            path: "/v26.0/{id}/events".to_owned(),
            protocol: Protocol::Http1,
            status: Some(200),
            bytes: 20_480,
            body_bytes: 20_000,
        }),
        // No finding has both, but expressions ask for either.
        contact: Some(ContactRecord {
            reason: Blindness::NoSymbols,
            connections: 3,
            paths: None,
        }),
        process: ProcessRecord {
            pid: Some(4711),
            exe: Some("/usr/sbin/php-fpm8.4".to_owned()),
            comm: Some("php-fpm".to_owned()),
            cgroup: Some("/system.slice/shop.service".to_owned()),
            container: None,
            unit: Some("shop.service".to_owned()),
            service: Some("web shop".to_owned()),
        },
        peer: PeerRecord {
            addr: Some(([192, 0, 2, 1], 443).into()),
            sni: Some("graph.facebook.com".to_owned()),
            host_source: HostSource::HostHeader,
        },
        source: Some(Source::OpenSsl),
        completeness: Completeness::Complete,
        person: Some(Token(0x0123_4567_89ab_cdef)),
        people: None,
        states: vec!["OH"],
        evidence: Some(EvidenceRecord {
            file: "a.pcapng".to_owned(),
            packet: 12,
        }),
    }
}

fn vocabulary() -> Vocabulary {
    Vocabulary::of([&Catalog::builtin()])
}

fn check(text: &str, expected: bool) {
    let filter = Filter::parse(text, &vocabulary()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(filter.matches(&finding()), expected, "{text}");
    let negated = Filter::parse(&format!("not ({text})"), &vocabulary()).unwrap();
    assert_eq!(negated.matches(&finding()), !expected, "not ({text})");
}

/// Expressions that this finding fits.
const FITTING: &[&str] = &[
    "severity >= high",
    "severity == High",
    "severity < critical and severity > medium",
    "severity in [low, high]",
    "severity != low",
    "kind == request",
    "tracker == meta",
    "tracker in [tiktok, meta]",
    "tracker not in [tiktok]",
    "tracker != tiktok",
    "owner == \"Meta Platforms\"",
    "owner == 'meta platforms'",
    "owner contains platform",
    "category == ads",
    "host == graph.facebook.com",
    "host =~ *.facebook.com",
    "host !~ *.example.com",
    "host contains 'facebook'",
    "host not contains 'twitter'",
    "page_host == none",
    "method == POST",
    "path =~ /v*/events",
    "path == \"/v26.0/{id}/events\"",
    "protocol == http/1.1",
    "status == 200",
    "status >= 200 and status < 300",
    "status in [200, 204]",
    "status != none",
    "bytes > 20kB",
    "bytes >= 20KiB",
    "bytes == 20480",
    "bytes < 1MB",
    "time == 2026-11-24",
    "time == 2026-11-24T02:41Z",
    "time == 2026-11-24T02:41:03Z",
    "time == 2026-11-24T03:41:03.123456789+01:00",
    "time >= 2026-11-24 and time <= 2026-11-24",
    "time > 2026-11-23",
    "time < 2026-11-25",
    "time < \"2026-11-24 02:42\"",
    "time >= 2026-11-24T00:00Z + 2h and time < 2026-11-24T00:00Z + 3h",
    "time < 2026-11-25T02:41Z - 1h + 90s",
    "time in [2026-11-23, 2026-11-24]",
    "body_bytes > 0",
    "state has OH",
    "state in [oh, pa]",
    "reason == no_symbols",
    "connections >= 3",
    "pid == 4711",
    "exe =~ */php-fpm*",
    "exe == /usr/sbin/php-fpm8.4",
    "comm == php-fpm",
    "cgroup =~ /system.slice/*",
    "container == none",
    "container is none",
    "container != abc",
    "unit == shop.service",
    "service == \"web shop\"",
    "peer == 192.0.2.1:443",
    "sni =~ graph.*",
    "class has email",
    "class contains condition",
    "class not has ssn",
    "class has any [ssn, email]",
    "class has all [ip, email, condition]",
    "class in [ssn, condition]",
    "class =~ cond*",
    "class != none",
    "identifiers has ip",
    "health has condition",
    "health not has lab or identifiers has email",
    "form has sha256",
    "rule has email.key.hash",
    "rule =~ email.*",
    "field has body.em",
    "field =~ body.*",
    "token has 00000000000000000000000000000007",
    "label has attempted",
    "label has unhashed",
    "source == openssl",
    "completeness == complete",
    "person == 00000000000000000123456789abcdef",
    "people == none",
    "id =~ 5d41*",
    "file == a.pcapng",
    "packet == 12",
    "not severity == low",
    "!severity == low",
    "! (severity == low) && tracker == meta || tracker == tiktok",
    "severity == low or tracker == meta and status == 200",
    "(severity == low or tracker == meta) AND NOT status == 404",
    "((((severity==high))))",
    "tracker==meta&&severity>=low",
];

const OTHERS: &[&str] = &[
    "severity > high",
    "severity <= medium",
    "severity in [low, info]",
    "tracker == tiktok",
    "tracker not in [meta]",
    "host =~ facebook.com",
    "host == facebook.com",
    "status == 404",
    "status == none",
    "status != 200",
    "bytes > 1MiB",
    "time < 2026-11-24",
    "time > 2026-11-24",
    "time > 2026-11-24T02:41Z",
    "time in [2026-11-25]",
    "container =~ *",
    "people > 0",
    "people < 1",
    "page_host contains a",
    "class has ssn",
    "class has all [email, ssn]",
    "class has any [ssn, mrn]",
    "identifiers has email and health has procedure",
    "health == none",
    "(severity == low or tracker == meta) and status == 404",
];

#[test]
fn expressions() {
    for text in FITTING {
        check(text, true);
    }
    for text in OTHERS {
        check(text, false);
    }
}

#[test]
fn every_field_has_an_expression() {
    for subject in SUBJECTS {
        let is_asked = FITTING.iter().any(|text| {
            text.trim_start_matches(['!', '(', ' '])
                .strip_prefix(subject.name)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
        assert!(is_asked, "{}", subject.name);
        assert!(help().contains(&format!("\n  {:<13} ", subject.name)));
    }
}

#[test]
fn length_and_depth_have_limits() {
    let deep = |levels: usize| {
        let (open, close) = ("(".repeat(levels), ")".repeat(levels));
        Filter::parse(&format!("{open}severity >= high{close}"), &vocabulary())
    };
    assert!(deep(MAX_DEPTH - 1).is_ok());
    assert!(deep(MAX_DEPTH).unwrap_err().message.contains("levels"));
    assert!(deep(4_000).unwrap_err().message.contains("levels"));
    let negated = format!("{}severity >= high", "not ".repeat(1_000));
    assert!(Filter::parse(&negated, &vocabulary()).is_err());
    let wide = "severity >= high or ".repeat(300) + "severity == low";
    assert!(Filter::parse(&wide, &vocabulary()).is_ok());
    let long = "severity >= high or ".repeat(1_000);
    let error = Filter::parse(&long, &vocabulary()).unwrap_err();
    assert!(error.message.contains("longer"), "{error}");
    assert!(error.to_string().len() < 1_000);
}

#[test]
fn every_prefix_ends_well() {
    let vocabulary = vocabulary();
    let strange = [
        "tracker == \"\\",
        "[(!",
        "time > 2026-11-24T02:41:03.€",
        "a\0b",
        "+ - +",
    ];
    for text in FITTING.iter().chain(OTHERS).chain(&strange) {
        for (end, _) in text.char_indices() {
            match Filter::parse(&text[..end], &vocabulary) {
                Ok(filter) => drop(filter.matches(&finding())),
                Err(error) => {
                    assert!(error.position <= end, "{}", &text[..end]);
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
