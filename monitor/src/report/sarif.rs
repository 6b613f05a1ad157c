//! The report for code scanning and dashboards: SARIF 2.1.0.
//!
//! In: findings, written as results as they come, and facts. Out: one run. The
//! rule of a result is the one that recognized the most important evidence:
//! health information, or else an identifier.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    Report, clock,
    facts::{Facts, InputFacts},
    json, plain,
    tally::{Tally, process},
    text::clean,
};
use crate::{
    finding::{Finding, Kind, Severity},
    phi::Class,
    rules,
};

/// The document up to its results.
const OPENING: &str = concat!(
    "{\n\"$schema\": \"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/",
    "sarif-schema-2.1.0.json\",\n\"version\": \"2.1.0\",\n\"runs\": [\n{\n\"results\": ["
);

/// The rule of a finding without evidence: the recipient was contacted.
const CONTACT: &str = "contact";

/// What a file name may hold in a URI as it is.
const IN_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Writes a run.
pub(super) struct Sarif {
    results: plain::List,
    tally: Tally,
    leading: BTreeSet<&'static str>,
}

impl Default for Sarif {
    fn default() -> Self {
        Self {
            results: plain::List::new(OPENING),
            tally: Tally::default(),
            leading: BTreeSet::new(),
        }
    }
}

impl Report for Sarif {
    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        self.tally.add(finding);
        let rule = leading(finding);
        self.leading.insert(rule);
        self.results.item(out, &result(finding, rule))
    }

    fn finish(&mut self, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        self.results.end(out)?;
        let driver = json!({
            "name": "phiwatch",
            "version": facts.version,
            "semanticVersion": facts.version,
            "shortDescription": {
                "text": "Finds protected health information on its way to trackers."
            },
            "rules": self.leading.iter().map(|id| rule(id)).collect::<Vec<_>>(),
            "properties": {"fingerprint": facts.rules, "catalogSha256": facts.catalog},
        });
        let invocation = json!({
            "executionSuccessful": facts.ended.is_none(),
            "toolExecutionNotifications": notifications(facts),
        });
        out.write_all(b",\n\"columnKind\": \"unicodeCodePoints\",\n\"tool\": ")?;
        plain::pretty(out, &json!({"driver": driver}))?;
        out.write_all(b",\n\"artifacts\": ")?;
        plain::pretty(out, &facts.inputs.iter().map(artifact).collect::<Vec<_>>())?;
        out.write_all(b",\n\"invocations\": ")?;
        plain::pretty(out, &[invocation])?;
        out.write_all(b",\n\"properties\": ")?;
        let properties = json!({
            "summary": json::summary(&self.tally, facts),
            "facts": json::described(facts),
        });
        plain::pretty(out, &properties)?;
        out.write_all(b"\n}\n]\n}\n")
    }
}

/// The rule that recognized what weighs most.
fn leading(finding: &Finding) -> &'static str {
    let health = finding
        .fields
        .iter()
        .find(|field| matches!(field.class, Class::Health(own) if finding.health.contains(&own)));
    health
        .or(finding.fields.first())
        .map_or(CONTACT, |field| field.rule)
}

fn result(finding: &Finding, rule: &'static str) -> Value {
    let recipient = &finding.recipient;
    let mut logical = vec![json!({
        "name": clean(&recipient.owner),
        "fullyQualifiedName": format!("recipient/{}", recipient.tracker),
        "kind": "recipient",
    })];
    let sender = process(finding);
    logical.push(json!({
        "name": clean(&sender),
        "fullyQualifiedName": format!("process/{}", clean(&sender)),
        "kind": "process",
    }));
    let mut location = json!({"logicalLocations": logical});
    if let Some(evidence) = &finding.evidence
        && let Some(members) = location.as_object_mut()
    {
        let place = json!({
            "artifactLocation": {"uri": uri(&evidence.file)},
            "region": {"startLine": 1, "properties": {"packet": evidence.packet}},
        });
        members.insert("physicalLocation".to_owned(), place);
    }
    let mut properties = serde_json::to_value(finding).unwrap_or_default();
    if let Some(members) = properties.as_object_mut() {
        let tags = finding.classes().map(Class::as_str).collect();
        members.insert("tags".to_owned(), tags);
        members.insert(
            "security-severity".to_owned(),
            score(finding.severity).into(),
        );
    }
    json!({
        "ruleId": rule,
        "level": level(finding.severity),
        "kind": "fail",
        "message": {"text": message(finding)},
        "locations": [location],
        "partialFingerprints": {"phiwatchFinding/v1": finding.id},
        "rank": rank(finding.severity),
        "properties": properties,
    })
}

/// The explanation of the finding, with what a viewer could take for a link or
/// a placeholder made harmless.
fn message(finding: &Finding) -> String {
    let text = if finding.why.is_empty() {
        format!(
            "{} received {}.",
            finding.recipient.owner,
            match finding.kind {
                Kind::Request => "a request",
                Kind::Page => "the loading of a page",
                Kind::Contact => "a connection that could not be read",
                Kind::Canary => "a planted value",
            }
        )
    } else {
        finding.why.clone()
    };
    let mut escaped = String::with_capacity(text.len());
    for char in clean_long(&text).chars() {
        match char {
            '[' | ']' | '\\' => escaped.extend(['\\', char]),
            '{' => escaped.push_str("{{"),
            '}' => escaped.push_str("}}"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn clean_long(text: &str) -> std::borrow::Cow<'_, str> {
    /// Longer sentences are cut, in characters.
    const MAX_MESSAGE: usize = 4_000;
    super::text::cut(text, MAX_MESSAGE)
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// From 0 to 100.
const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 100,
        Severity::High => 80,
        Severity::Medium => 50,
        Severity::Low => 20,
        Severity::Info => 5,
    }
}

/// The scale of code scanning, from 0.0 to 10.0.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.5",
    }
}

fn rule(id: &str) -> Value {
    let Some((topic, matches)) = rules::find(id) else {
        let text = "A tracker was contacted.";
        return json!({
            "id": id,
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": text},
        });
    };
    let text = |text: &str| json!({"text": text});
    json!({
        "id": id,
        "name": topic.class,
        "shortDescription": text(matches),
        "fullDescription": text(topic.why),
        "help": {
            "text": format!(
                "{matches}\n\nWhy it counts: {}\n\nBeware: {}\n\nWhat to do: {}",
                topic.why, topic.hazards, topic.advice
            ),
            "markdown": format!(
                "{matches}\n\n**Why it counts:** {}\n\n**Beware:** {}\n\n**What to do:** {}",
                topic.why, topic.hazards, topic.advice
            ),
        },
        "properties": {"tags": ["privacy", topic.class]},
    })
}

fn artifact(input: &InputFacts) -> Value {
    let mut artifact = json!({
        "location": {"uri": uri(&input.name)},
        "length": input.bytes,
        "roles": ["analysisTarget"],
    });
    if !input.sha256.is_empty()
        && let Some(members) = artifact.as_object_mut()
    {
        members.insert("hashes".to_owned(), json!({"sha-256": input.sha256}));
    }
    artifact
}

fn notifications(facts: &Facts) -> Vec<Value> {
    let losses = facts.losses.iter().map(|(loss, count)| {
        let (stage, reason) = loss.labels();
        format!("Lost in stage {stage}, {reason}: {count}.")
    });
    let ended = facts
        .ended
        .iter()
        .map(|reason| format!("Reading ended before its time: {}.", clean(reason)));
    let silences = super::silence::silences(&facts.inputs);
    let silences = (silences.unrecorded > 0).then(|| {
        format!(
            "No input covers {} between the inputs.",
            clock::lasting(silences.unrecorded)
        )
    });
    losses
        .chain(ended)
        .chain(silences)
        .map(|text| json!({"level": "warning", "message": {"text": text}}))
        .collect()
}

/// The name of a file as a relative URI.
fn uri(name: &str) -> String {
    let encoded = utf8_percent_encode(name, IN_URI).to_string();
    if encoded.is_empty() {
        "unknown".to_owned()
    } else {
        encoded
    }
}
