//! Findings of one message under two configurations.

use super::*;
use crate::{
    event::{Source, Timestamp},
    finding::{
        FieldRecord, HostSource, Label, PeerRecord, ProcessRecord, RecipientRecord, SCHEMA,
        Severity,
    },
    http::Completeness,
    phi::{Form, Health, Identifier},
    token::Token,
    tracker::{Category, MatchedBy},
};

/// A finding of `kind` about the fields at these paths.
fn finding(kind: Kind, id: &str, tracker: &str, paths: &[&str]) -> Finding {
    let fields = paths.iter().map(|path| FieldRecord {
        class: Class::Identifier(Identifier::Email),
        form: Some(Form::Plain),
        path: (*path).to_owned(),
        rule: "email.key",
        masked: String::new(),
        token: None,
        labels: Vec::new(),
    });
    Finding {
        schema: SCHEMA,
        id: id.to_owned(),
        time: Timestamp(1_795_488_063_000_000_000),
        kind,
        severity: Severity::High,
        why: String::new(),
        labels: Vec::new(),
        recipient: RecipientRecord {
            tracker: tracker.into(),
            owner: tracker.into(),
            category: Some(Category::Ads),
            host: format!("{tracker}.example.com"),
            matched_by: MatchedBy::Host,
        },
        identifiers: vec![Identifier::Email],
        health: Vec::new(),
        fields: fields.collect(),
        request: None,
        contact: None,
        process: ProcessRecord::default(),
        peer: PeerRecord {
            addr: None,
            sni: None,
            host_source: HostSource::None,
        },
        source: Some(Source::OpenSsl),
        completeness: Completeness::Complete,
        person: None,
        people: None,
        states: Vec::new(),
        evidence: None,
    }
}

fn request(id: &str, paths: &[&str]) -> Finding {
    finding(Kind::Request, id, "meta", paths)
}

fn check(before: Vec<Finding>, after: Vec<Finding>, expected: &[&str], unchanged: u64) {
    let (changes, same) = pair(before, after);
    let id = |finding: &Option<Finding>| finding.as_ref().map_or("-", |own| &own.id).to_owned();
    let shown: Vec<String> = changes
        .iter()
        .map(|change| {
            let (before, after) = (id(&change.before), id(&change.after));
            format!(
                "{} {before} {after} {}",
                change.outcome.as_str(),
                change.words()
            )
        })
        .collect();
    let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).collect();
    assert_eq!(shown, expected);
    assert_eq!(same, unchanged, "{expected:?}");
}

#[test]
fn findings_are_gained_lost_and_the_same() {
    let one = || request("1", &["body.email"]);
    check(vec![], vec![], &[], 0);
    check(vec![one()], vec![one()], &[], 1);
    check(vec![], vec![one()], &["gained - 1"], 0);
    check(vec![one()], vec![], &["lost 1 -"], 0);
    // The configuration does not change who a finding is about.
    let mut other = one();
    other.person = Some(Token(7));
    check(vec![one()], vec![other], &[], 1);
}

#[test]
fn what_changed_is_said() {
    let one = || request("1", &["body.email"]);
    let mut other = request("2", &["body.email"]);
    other.severity = Severity::Low;
    other.labels = vec![Label::Agreement];
    let expected = ["changed 1 2 severity high → low; labels +agreement"];
    check(vec![one()], vec![other], &expected, 0);
    let mut other = request("2", &["body.email", "query.q"]);
    other.health = vec![Health::Condition];
    other.identifiers = vec![Identifier::Ip];
    other.process.service = Some("shop".to_owned());
    let expected = [
        "changed 1 2 identifiers +ip -email; health +condition; fields; \
                     process.service none → shop",
    ];
    check(vec![one()], vec![other], &expected, 0);
    let other = finding(Kind::Request, "2", "imported", &["body.email"]);
    let expected = [
        "changed 1 2 recipient.tracker meta → imported; recipient.owner meta → \
                     imported; recipient.host meta.example.com → imported.example.com",
    ];
    check(vec![one()], vec![other], &expected, 0);
}

#[test]
fn elements_are_paired_with_themselves() {
    let element = |id: &str, number: usize, more: &[&str]| {
        let path = format!("body.data[{number}].email");
        let mut paths = vec![path.as_str()];
        paths.extend(more);
        request(id, &paths)
    };
    check(
        vec![
            element("a0", 0, &[]),
            element("a1", 1, &[]),
            element("a2", 2, &[]),
        ],
        vec![
            element("b1", 1, &["query.q"]),
            element("b2", 2, &["query.q"]),
        ],
        &["lost a0 -", "changed a1 b1 fields", "changed a2 b2 fields"],
        0,
    );
}

#[test]
fn kinds_and_pages_of_other_hosts_are_not_paired() {
    let page = |id: &str, tracker: &str| finding(Kind::Page, id, tracker, &[]);
    check(
        vec![page("1", "meta"), page("2", "tiktok")],
        vec![page("2", "tiktok"), page("3", "snap")],
        &["lost 1 -", "gained - 3"],
        1,
    );
    let canary = finding(Kind::Canary, "2", "meta", &["body.email"]);
    check(
        vec![request("1", &["body.email"])],
        vec![canary],
        &["lost 1 -", "gained - 2"],
        0,
    );
}
