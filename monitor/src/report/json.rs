//! The report for programs: one JSON document, `phiwatch.report/1`.
//!
//! In: findings, written as they come, and facts. Out: `schema`, `findings`,
//! then `summary` and `facts`, which are known only at the end. Only counts are
//! kept in memory.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{
    Report,
    facts::{Facts, InputFacts, SectionFacts},
    people::{self, Bounds},
    plain, silence,
    tally::Tally,
};
use crate::{
    finding::{Finding, Severity, category_name},
    name::Named,
};

/// The document up to its findings.
const OPENING: &str = "{\n\"schema\": \"phiwatch.report/1\",\n\"findings\": [";

/// Writes the document.
pub(super) struct Json {
    findings: plain::List,
    tally: Tally,
}

impl Default for Json {
    fn default() -> Self {
        Self {
            findings: plain::List::new(OPENING),
            tally: Tally::default(),
        }
    }
}

impl Report for Json {
    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        self.tally.add(finding);
        self.findings.item(out, finding)
    }

    fn finish(&mut self, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        self.findings.end(out)?;
        out.write_all(b",\n\"summary\": ")?;
        plain::pretty(out, &summary(&self.tally, facts))?;
        out.write_all(b",\n\"facts\": ")?;
        plain::pretty(out, &described(facts))?;
        out.write_all(b"\n}\n")
    }
}

/// What the findings come to.
pub(super) fn summary(tally: &Tally, facts: &Facts) -> Value {
    let severities: serde_json::Map<_, _> = Severity::ALL
        .iter()
        .map(|severity| {
            (
                severity.as_str().to_owned(),
                tally.severity(*severity).into(),
            )
        })
        .collect();
    let recipients: Vec<_> = tally
        .ranked()
        .iter()
        .map(|(tracker, received)| {
            json!({
                "tracker": tracker,
                "owner": received.owner,
                "category": category_name(received.category),
                "findings": received.findings,
                "attempted": received.attempted,
                "worst": received.worst.map(Severity::as_str),
                "people": bounds(people::of(tracker, received, facts)),
                "patients": bounds(people::counted(&received.patients, facts)),
                "classes": by_name(&received.classes),
                "hosts": received.hosts,
                "first": received.span.map(|span| span.first.to_string()),
                "last": received.span.map(|span| span.last.to_string()),
            })
        })
        .collect();
    let states: Vec<_> = tally
        .states
        .iter()
        .map(|(state, (findings, disclosed))| {
            json!({
                "state": state,
                "findings": findings,
                "people": bounds(people::counted(disclosed, facts)),
            })
        })
        .collect();
    json!({
        "findings": tally.findings,
        "severities": severities,
        "worst": tally.worst().map(Severity::as_str),
        "attempted": tally.attempted,
        "completeness": by_name(&tally.completeness),
        "people": bounds(people::in_total(tally, facts)),
        "patients": bounds(people::counted(&tally.patients, facts)),
        "first": tally.span.map(|span| span.first.to_string()),
        "last": tally.span.map(|span| span.last.to_string()),
        "first_alarm": tally.alarm.as_ref().map(|alarm| json!({
            "time": alarm.time.to_string(),
            "finding": alarm.id,
            "severity": alarm.severity.as_str(),
        })),
        "recipients": recipients,
        "states": states,
    })
}

/// Counts in the order of their names.
fn by_name<T: Named>(counts: &BTreeMap<T, u64>) -> BTreeMap<&'static str, u64> {
    let counts = counts.iter();
    counts.map(|(own, count)| (own.name(), *count)).collect()
}

fn bounds(people: Bounds) -> Value {
    json!({
        "at_least": people.at_least,
        "at_most": people.at_most,
        "is_lower_bound": people.is_lower_bound,
    })
}

/// The facts as the document has them.
pub(super) fn described(facts: &Facts) -> Value {
    let losses: Vec<_> = facts
        .losses
        .iter()
        .map(|(loss, count)| {
            let (stage, reason) = loss.labels();
            json!({"stage": stage, "reason": reason, "count": count})
        })
        .collect();
    let messages: Vec<_> = facts
        .messages
        .iter()
        .map(|((protocol, completeness), count)| {
            json!({"protocol": protocol, "completeness": completeness, "count": count})
        })
        .collect();
    let silences: Vec<_> = silence::silences(&facts.inputs)
        .list
        .iter()
        .map(|silence| {
            json!({
                "from": silence.span.first.to_string(),
                "to": silence.span.last.to_string(),
                "recording": silence.is_recorded,
            })
        })
        .collect();
    json!({
        "version": facts.version,
        "rules": facts.rules,
        "catalog_sha256": facts.catalog,
        "trackers": facts.trackers,
        "config_sha256": facts.config,
        "filter": facts.filter,
        "inputs": facts.inputs.iter().map(input).collect::<Vec<_>>(),
        "ended": facts.ended,
        "events": facts.events,
        "losses": losses,
        "messages": messages,
        "connections": facts.connections,
        "silences": silences,
    })
}

fn input(input: &InputFacts) -> Value {
    json!({
        "name": input.name,
        "bytes": input.bytes,
        "sha256": input.sha256,
        "kind": input.kind,
        "packets": input.packets,
        "first": input.span.map(|span| span.first.to_string()),
        "last": input.span.map(|span| span.last.to_string()),
        "dropped": input.dropped,
        "sections": input.sections.iter().map(section).collect::<Vec<_>>(),
    })
}

fn section(section: &SectionFacts) -> Value {
    let SectionFacts {
        host,
        kernel,
        writer,
        config,
        rules,
        redacted,
        clocks,
        lost,
    } = section;
    let clocks: Vec<_> = clocks
        .iter()
        .map(|(monotonic, realtime)| json!({"monotonic": monotonic, "realtime": realtime}))
        .collect();
    json!({
        "host": host,
        "kernel": kernel,
        "writer": writer,
        "config_sha256": config,
        "rules": rules,
        "redacted": redacted,
        "clocks": clocks,
        "lost": lost,
    })
}
