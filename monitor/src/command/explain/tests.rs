//! What cannot be explained, and findings from journals.

use std::path::Path;

use super::*;
use crate::secret::Secret;

const ID: &str = "5d41402abc4b2a76b9719d911017c592";

fn args(what: &str, journal: Option<&Path>) -> ExplainArgs {
    ExplainArgs {
        what: Some(what.to_owned()),
        captures: Vec::new(),
        journal: journal.map(Path::to_owned),
        config: None,
        state: None,
        identity: Vec::new(),
        reveal: false,
        reason: None,
    }
}

fn check(what: &str, journal: Option<&Path>, code: ExitStatus) {
    let failure = execute(&args(what, journal)).unwrap_err();
    assert_eq!(failure.code, code, "{what}: {failure}");
}

#[test]
fn what_cannot_be_explained() {
    check("no.such.rule", None, ExitStatus::Usage);
    check(ID, None, ExitStatus::Usage);
    check("5d414", None, ExitStatus::Usage);
    check(ID, Some(Path::new("/no/such/journal")), ExitStatus::Io);
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("findings.jsonl");
    let mut lines = "{\"id\":\"x\"}\nno json\n".to_owned();
    std::fs::write(&journal, &lines).unwrap();
    check(ID, Some(&journal), ExitStatus::BadInput);
    let more = format!("{{\"id\":\"{ID}\"}}\n{{\"id\":\"5d4140ffbc4b2a76b9719d911017c592\"}}\n");
    lines.push_str(&more);
    std::fs::write(&journal, &lines).unwrap();
    check("5d4140", Some(&journal), ExitStatus::Usage);
    execute(&args(ID, Some(&journal))).unwrap();
    execute(&args("5D41402A", Some(&journal))).unwrap();
    let mut no_capture = args(ID, Some(&journal));
    no_capture.captures = vec!["/no/such/capture".into()];
    assert_eq!(execute(&no_capture).unwrap_err().code, ExitStatus::Io);
}

#[test]
fn a_finding_is_explained() {
    let mut out = Vec::new();
    let record = serde_json::json!({
        "id": ID,
        "time": "2026-11-24T02:41:03.000000000Z",
        "severity": "high",
        "why": "Because. Severity high: direct identifiers in clear.",
        "labels": ["attempted"],
        "process": {"pid": 7, "comm": "e\u{1b}vil", "exe": "/usr/bin/evil", "unit": "shop.service"},
        "request": {"method": "POST", "path": "/{id}/events", "status": 400, "bytes": 12},
        "completeness": "gap",
        "evidence": {"file": "a.pcapng", "packet": 12},
        "fields": [
            {"path": "body.email", "class": "email", "form": "plain", "rule": "email.key",
             "masked": "a…", "token": "0011"},
            {"path": "page.form.x", "class": "name", "form": "plain", "rule": "none.such"},
        ],
    });
    let values = [Some(Secret::new("ada@example.com\u{7}".to_owned())), None];
    show::show(&mut out, &record, Some(&values)).unwrap();
    let text = String::from_utf8(out).unwrap();
    for part in [
        "Why:        Because.\n",
        "in clear (I3).",
        "Labels:     attempted\n",
        "e\\u{1b}vil (7), /usr/bin/evil, unit shop.service",
        "POST /{id}/events, 12 bytes, answered with 400",
        "gap: bytes within the message were not seen",
        "a.pcapng, packet 12",
        "\nbody.email\n  Class:    email, plain: a…\n  Rule:     email.key: An address",
        "  Value:    \"ada@example.com\\u{7}\"\n",
        "  Value:    (no value of the message)\n",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let mut out = Vec::new();
    show::show(&mut out, &record, None).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("Value:"));
}
