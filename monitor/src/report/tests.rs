//! Every format of one report: its content, and that no foreign name in it is
//! active.

use std::collections::BTreeMap;

use clap::ValueEnum as _;
use serde_json::Value;

use super::{Facts, Format, InputFacts, Readability, Report, SectionFacts, Span, TableOptions};
use crate::{
    event::{Source, Timestamp},
    finding::{
        EvidenceRecord, FieldRecord, Finding, HostSource, Kind, PeerRecord, PeopleCount,
        ProcessRecord, RecipientRecord, RequestRecord, SCHEMA, Severity,
    },
    http::{Completeness, Protocol},
    loss::{Loss, Losses},
    phi::{Class, Form, Health, Identifier},
    token::Token,
    tracker::{Category, MatchedBy},
};

/// Names that someone could choose to do harm with.
pub(super) const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "\u{1b}[31mred\u{1b}[0m\u{9b}2J",
    "abc\u{202e}fdp.exe",
    "nul\0byte\r\nx: y",
    "=HYPERLINK(\"http://example.com\")",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!--",
    "&lt;script&gt;",
    "</style><script>alert(1)</script>",
    "[a](javascript:alert(1)){0}",
];

/// 2026-11-24T02:41:03Z.
const START: u64 = 1_795_488_063_000_000_000;

fn field(class: Class, rule: &'static str, token: u8) -> FieldRecord {
    FieldRecord {
        class,
        form: Some(Form::Plain),
        path: format!("body.{}", class.as_str()),
        rule,
        masked: "j…".to_owned(),
        token: Some(token_of(token)),
        labels: Vec::new(),
    }
}

/// A token whose digits repeat those of a number.
fn token_of(number: u8) -> Token {
    Token(u128::from_be_bytes([number; 16]))
}

/// Finding number `number`, about a person of its own, with these names.
pub(super) fn finding(number: u8, severity: Severity, name: &str) -> Finding {
    Finding {
        schema: SCHEMA,
        id: format!("{number:02x}").repeat(16),
        time: Timestamp(START + u64::from(number) * 60_000_000_000),
        kind: Kind::Request,
        severity,
        why: format!("{name} received an email address in clear."),
        labels: Vec::new(),
        recipient: RecipientRecord {
            tracker: "meta".into(),
            owner: "Meta Platforms".into(),
            category: Some(Category::Ads),
            host: name.to_owned(),
            matched_by: MatchedBy::Host,
        },
        identifiers: vec![Identifier::Email],
        health: vec![Health::Condition],
        fields: vec![
            field(Class::Identifier(Identifier::Email), "email.key", number),
            field(Class::Health(Health::Condition), "condition.term", number),
        ],
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            host: None,
            path: format!("/{name}"),
            protocol: Protocol::Http1,
            status: Some(200),
            bytes: 1_881,
            body_bytes: 1_500,
        }),
        contact: None,
        process: ProcessRecord {
            pid: Some(7),
            exe: Some(format!("/usr/bin/{name}")),
            comm: Some(name.to_owned()),
            unit: Some(name.to_owned()),
            service: None,
            ..ProcessRecord::default()
        },
        peer: PeerRecord {
            addr: None,
            sni: Some(name.to_owned()),
            host_source: HostSource::HostHeader,
        },
        source: Some(Source::OpenSsl),
        completeness: Completeness::Complete,
        person: Some(token_of(number)),
        people: None,
        evidence: Some(EvidenceRecord {
            file: name.to_owned(),
            packet: 12,
        }),
        states: vec!["CA"],
    }
}

fn facts(name: &str) -> Facts {
    let mut losses = Losses::default();
    losses.add(Loss::StreamGap, 3);
    let span = |first: u64, last: u64| Span {
        first: Timestamp(START + first),
        last: Timestamp(START + last),
    };
    let hour = 3_600_000_000_000;
    Facts {
        version: "0.1.0".to_owned(),
        rules: "0123456789abcdef".to_owned(),
        catalog: "ab".repeat(32),
        trackers: 400,
        config: Some("cd".repeat(32)),
        filter: None,
        inputs: vec![
            InputFacts {
                name: name.to_owned(),
                bytes: 1_234_567,
                sha256: "ef".repeat(32),
                kind: "pcapng".to_owned(),
                packets: 99,
                span: Some(span(0, hour)),
                active: vec![span(0, hour)],
                dropped: 0,
                sections: vec![SectionFacts {
                    host: name.to_owned(),
                    kernel: "6.1".to_owned(),
                    writer: "phiwatch 0.1.0".to_owned(),
                    ..SectionFacts::default()
                }],
            },
            InputFacts {
                name: "later.pcap".to_owned(),
                span: Some(span(3 * hour, 4 * hour)),
                ..InputFacts::default()
            },
        ],
        ended: None,
        events: 1_000,
        people: BTreeMap::from([(
            "meta".to_owned(),
            PeopleCount {
                at_least: 2,
                at_most: 3,
            },
        )]),
        people_in_total: PeopleCount {
            at_least: 2,
            at_most: 3,
        },
        merged: [(token_of(2), token_of(1))].into_iter().collect(),
        losses,
        messages: BTreeMap::from([(("http/1.1", "complete"), 5), (("http/1.1", "gap"), 1)]),
        connections: BTreeMap::from([(
            "meta".to_owned(),
            Readability {
                readable: 4,
                blind: 2,
            },
        )]),
    }
}

/// The formats by their names, and tables for a narrow terminal.
fn formats() -> Vec<(String, Format, TableOptions)> {
    let narrow = TableOptions {
        width: Some(80),
        is_colored: false,
    };
    let formats = Format::names().zip(Format::value_variants());
    let mut all: Vec<_> = formats
        .map(|(name, format)| (name, *format, TableOptions::default()))
        .collect();
    all.push(("narrow".to_owned(), Format::Table, narrow));
    all
}

fn write(mut report: Box<dyn Report>, findings: &[Finding], facts: &Facts) -> String {
    let mut bytes = Vec::new();
    for finding in findings {
        report.finding(finding, &mut bytes).expect("memory");
    }
    report.finish(facts, &mut bytes).expect("memory");
    String::from_utf8(bytes).expect("text")
}

fn report(format: &str, findings: &[Finding], facts: &Facts) -> String {
    let (_, format, look) = formats()
        .into_iter()
        .find(|(name, ..)| *name == format)
        .expect("a format");
    write(format.report(look), findings, facts)
}

/// Three findings, two of which turn out to be about one person.
fn three() -> Vec<Finding> {
    vec![
        finding(1, Severity::Medium, "graph.facebook.com"),
        finding(2, Severity::Critical, "graph.facebook.com"),
        finding(3, Severity::Low, "www.facebook.com"),
    ]
}

/// The report in `format` of three findings says all of `expected`.
fn check(format: &str, expected: &[&str]) {
    let text = report(format, &three(), &facts("evidence.pcapng"));
    for part in expected {
        assert!(text.contains(part), "{format}: {part} is not in\n{text}");
    }
}

#[test]
fn reports_say_what_happened() {
    check(
        "html",
        &[
            "Health information about 2 to 3 people went to 1 company",
            "first alarm, 2026-11-24 02:43:03 UTC",
            "1 minute after the first disclosure",
            "3 findings show data going to Meta Platforms (advertising)",
            "California",
            "500 people in total",
            "Not reached by what was seen (2 to 3)",
            "email.key",
            "id=\"r-email.key\"",
            "between inputs: nobody was recording",
            "2 hours",
            "a request in them is missing or cut",
            "<th scope=\"row\">Meta Platforms</th><td class=\"number\">4</td><td class=\"number\">2</td>",
            "1,234,567",
            &"ef".repeat(32),
            &"cd".repeat(32),
            "0123456789abcdef",
            "phiwatch 0.1.0",
        ],
    );
    check(
        "table",
        &[
            "critical",
            "meta graph.facebook.com",
            "2026-11-24 02:43:03Z",
        ],
    );
    check(
        "csv",
        &["\r\n", "email (plain) at body.email: j… [email.key]"],
    );
    check("json", &["phiwatch.report/1"]);
}

#[test]
fn nothing_found_is_a_report_too() {
    for (name, format, look) in formats() {
        let text = write(format.report(look), &[], &Facts::default());
        match &*name {
            "table" | "narrow" | "jsonl" => assert_eq!(text, ""),
            "json" | "sarif" => drop(serde_json::from_str::<Value>(&text).expect("JSON")),
            "csv" => assert_eq!(text.lines().count(), 1),
            "html" => assert!(text.contains("No disclosure was found"), "{text}"),
            other => panic!("what {other} makes of nothing is not known here"),
        }
    }
}

#[test]
fn the_document_has_findings_sums_and_facts() {
    let text = report("json", &three(), &facts("evidence.pcapng"));
    let document: Value = serde_json::from_str(&text).expect("JSON");
    for (pointer, expected) in [
        ("/schema", Value::from("phiwatch.report/1")),
        ("/findings/1/severity", Value::from("critical")),
        ("/summary/findings", Value::from(3)),
        ("/summary/worst", Value::from("critical")),
        ("/summary/people/at_least", Value::from(2)),
        ("/summary/people/at_most", Value::from(3)),
        ("/summary/patients/at_least", Value::from(2)),
        ("/summary/patients/at_most", Value::from(3)),
        ("/summary/first_alarm/severity", Value::from("critical")),
        ("/summary/recipients/0/classes/email", Value::from(3)),
        ("/summary/states/0/state", Value::from("CA")),
        ("/summary/states/0/people/at_least", Value::from(2)),
        ("/facts/inputs/0/name", Value::from("evidence.pcapng")),
        ("/facts/losses/0/count", Value::from(3)),
        ("/facts/silences/0/recording", Value::from(false)),
        ("/facts/connections/meta/blind", Value::from(2)),
    ] {
        assert_eq!(document.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[test]
fn conditions_in_force_restrict_the_people() {
    let mut facts = facts("evidence.pcapng");
    facts.filter = Some("severity at least critical".to_owned());
    let findings = [finding(2, Severity::Critical, "graph.facebook.com")];
    let html = report("html", &findings, &facts);
    assert!(html.contains("Health information about 1 person went to 1 company"));
    assert!(html.contains("<code>severity at least critical</code>"));
}

#[test]
fn hostile_names_are_only_shown() {
    for name in HOSTILE {
        let findings = [finding(1, Severity::High, name)];
        for (format, own, look) in formats() {
            let mut facts = facts(name);
            facts.filter = Some((*name).to_owned());
            facts.ended = Some((*name).to_owned());
            let text = write(own.report(look), &findings, &facts);
            let active = text
                .chars()
                .find(|char| super::text::is_active(*char) && !matches!(char, '\n' | '\r'));
            // Lines for programs are those of the journal, byte for byte.
            if own != Format::Jsonl {
                assert_eq!(active, None, "{format}: {name:?}");
            }
            match &*format {
                "json" | "sarif" => drop(serde_json::from_str::<Value>(&text).expect("JSON")),
                "html" => html_is_harmless(&text),
                "csv" => csv_is_harmless(&text),
                _ => {}
            }
        }
    }
}

fn html_is_harmless(text: &str) {
    let lower = text.to_lowercase();
    for forbidden in [
        "<script",
        "<img",
        "onerror=\"",
        "<iframe",
        "<object",
        "<link",
        " style=\"",
        "@import",
        "url(",
        "href=\"javascript",
        "src=",
    ] {
        // An escaped quotation mark does not begin an attribute.
        let shown = lower.replace("src=x", "");
        assert!(!shown.contains(forbidden), "{forbidden}");
    }
    assert_eq!(lower.matches("<style>").count(), 1);
    let links = lower.split("href=\"").skip(1);
    assert!(links.clone().count() > 5);
    for link in links {
        assert!(link.starts_with('#'), "{}", link.get(..20).unwrap_or(link));
    }
    // Every opened element is closed: no name broke out of its element.
    for element in ["table", "section", "svg", "details", "p", "code", "td"] {
        let opened = lower.matches(&format!("<{element}>")).count()
            + lower.matches(&format!("<{element} ")).count();
        let closed = lower.matches(&format!("</{element}>")).count();
        assert_eq!(opened, closed, "{element}");
    }
}

fn csv_is_harmless(text: &str) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    for record in reader.records() {
        for cell in &record.expect("a row") {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
        }
    }
}

#[test]
fn equal_input_gives_equal_bytes() {
    let (findings, facts) = (three(), facts("evidence.pcapng"));
    for format in Format::names() {
        let (one, other) = (
            report(&format, &findings, &facts),
            report(&format, &findings, &facts),
        );
        assert_eq!(one, other, "{format}");
    }
}

#[test]
fn sarif_has_the_required_structure() {
    let text = report("sarif", &three(), &facts("a b/ü.pcapng"));
    let log: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .is_some_and(|url| url.contains("sarif-schema-2.1.0"))
    );
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "phiwatch");
    let rules: Vec<_> = driver["rules"].as_array().expect("rules").iter().collect();
    for rule in &rules {
        for text in [
            "/shortDescription/text",
            "/fullDescription/text",
            "/help/text",
        ] {
            let text = rule.pointer(text).and_then(Value::as_str);
            assert!(text.is_some_and(|text| text.len() > 10), "{rule}");
        }
    }
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 3);
    for (result, level) in results.iter().zip(["warning", "error", "note"]) {
        assert_eq!(result["level"], level);
        assert!(
            rules.iter().any(|rule| rule["id"] == result["ruleId"]),
            "{result}"
        );
        assert_eq!(result["ruleId"], "condition.term");
        assert!(result["message"]["text"].is_string());
        assert!(result["partialFingerprints"]["phiwatchFinding/v1"].is_string());
        let location = &result["locations"][0];
        let kinds: Vec<_> = location["logicalLocations"]
            .as_array()
            .expect("places")
            .iter()
            .map(|place| place["kind"].as_str())
            .collect();
        assert_eq!(kinds, [Some("recipient"), Some("process")]);
        assert!(location["physicalLocation"]["artifactLocation"]["uri"].is_string());
    }
    let artifact = &run["artifacts"][0];
    assert_eq!(artifact["location"]["uri"], "a%20b%2F%C3%BC.pcapng");
    assert_eq!(artifact["hashes"]["sha-256"], "ef".repeat(32));
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn many_findings_are_counted_and_the_worst_listed() {
    let mut report = Format::Html.report(TableOptions::default());
    let mut bytes = Vec::new();
    let mut one = finding(1, Severity::Info, "graph.facebook.com");
    for number in 0..2_100_u32 {
        one.id = format!("{number:032x}");
        one.severity = if number == 2_050 {
            Severity::Critical
        } else {
            Severity::Info
        };
        report.finding(&one, &mut bytes).expect("memory");
    }
    report.finish(&facts("x"), &mut bytes).expect("memory");
    let html = String::from_utf8(bytes).expect("text");
    assert!(html.contains("The 2,000 worst findings are listed; 100 are left out."));
    assert_eq!(html.matches("<tbody class=\"finding").count(), 2_000);
    assert!(html.contains(&format!("id=\"f-{:032x}\"", 2_050)));
    assert!(!html.contains(&format!("id=\"f-{:032x}\"", 2_099)));
}
