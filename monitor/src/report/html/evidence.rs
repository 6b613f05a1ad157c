//! The findings one by one.
//!
//! In: the findings that were kept. Out: the rows of the table. Values are
//! masked as in the findings; tokens are shortened.

use super::{
    super::facts::Facts,
    super::tally::{Tally, process},
    super::text::{clean, counted, cut, grouped},
    kept::MAX_KEPT,
    label,
};
use crate::{
    finding::{FieldRecord, Finding, token_digits},
    name::Named as _,
};

/// Fields of one finding that are listed.
const MAX_FIELDS: usize = 16;
/// Digits of a token that are shown: enough to compare two by eye.
const TOKEN_DIGITS: usize = 8;

/// The section.
pub(super) struct Evidence<'a> {
    pub(super) rows: Vec<Row<'a>>,
    /// Says which findings are not listed.
    pub(super) left_out: Option<String>,
}

/// One finding.
pub(super) struct Row<'a> {
    pub(super) id: &'a str,
    pub(super) day: String,
    pub(super) time: String,
    pub(super) severity: &'static str,
    pub(super) severity_label: &'static str,
    pub(super) kind: &'static str,
    pub(super) owner: String,
    pub(super) host: String,
    pub(super) identifiers: Vec<&'static str>,
    pub(super) health: Vec<&'static str>,
    pub(super) states: String,
    pub(super) why: String,
    pub(super) request: Option<String>,
    pub(super) answer: String,
    pub(super) process: String,
    pub(super) details: Vec<(&'static str, String)>,
    pub(super) labels: Vec<&'static str>,
    pub(super) completeness: &'static str,
    pub(super) person: Option<String>,
    pub(super) place: String,
    pub(super) fields: Vec<Field<'a>>,
    pub(super) more_fields: usize,
}

/// One field.
pub(super) struct Field<'a> {
    pub(super) class: &'static str,
    pub(super) is_health: bool,
    pub(super) form: String,
    pub(super) path: String,
    pub(super) masked: &'a str,
    pub(super) token: String,
    pub(super) rule: &'static str,
    pub(super) labels: Vec<&'static str>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(kept: Vec<&'a Finding>, tally: &Tally, facts: &Facts) -> Self {
        let left_out = tally.findings.saturating_sub(kept.len() as u64);
        let left_out = (left_out > 0).then(|| {
            format!(
                "The {} worst findings are listed; {} left out. Every count on this page includes \
                 them, and the formats json, jsonl and csv list them all.",
                grouped(MAX_KEPT as u64),
                counted(left_out, "is", "are")
            )
        });
        let has_many_inputs = facts.inputs.len() > 1;
        Self {
            rows: kept
                .into_iter()
                .map(|finding| row(finding, has_many_inputs))
                .collect(),
            left_out,
        }
    }
}

fn row(finding: &Finding, has_many_inputs: bool) -> Row<'_> {
    let request = finding.request.as_ref();
    let identifiers = finding.identifiers.iter().copied();
    let health = finding.health.iter().copied();
    let time = finding.time.to_string();
    Row {
        id: &finding.id,
        day: part(&time, 0, 10),
        time: part(&time, 11, 23),
        severity: finding.severity.as_str(),
        severity_label: label::severity(finding.severity),
        kind: finding.kind.as_str(),
        owner: clean(&finding.recipient.owner).into_owned(),
        host: clean(&finding.recipient.host).into_owned(),
        identifiers: identifiers.map(label::identifier).collect(),
        health: health.map(label::health).collect(),
        states: finding.states.join(", "),
        why: cut(&finding.why, 1_000).into_owned(),
        request: request.map(|request| {
            let host = request.host.as_deref().unwrap_or(&finding.recipient.host);
            format!("{} {}{}", request.method, clean(host), clean(&request.path))
        }),
        answer: request.map_or_else(String::new, |request| {
            request.status.map_or_else(
                || "no answer seen".to_owned(),
                |status| format!("answered with {status}"),
            )
        }),
        process: clean(&process(finding)).into_owned(),
        details: details(finding),
        labels: finding.labels.iter().map(|own| own.name()).collect(),
        completeness: finding.completeness.as_str(),
        person: finding
            .person
            .map(|person| part(&person.to_string(), 0, TOKEN_DIGITS)),
        place: finding.evidence.as_ref().map_or_else(String::new, |place| {
            if has_many_inputs {
                format!("{}, packet {}", clean(&place.file), grouped(place.packet))
            } else {
                format!("packet {}", grouped(place.packet))
            }
        }),
        fields: finding.fields.iter().take(MAX_FIELDS).map(field).collect(),
        more_fields: finding.fields.len().saturating_sub(MAX_FIELDS),
    }
}

/// The characters of `text` from one place to another.
fn part(text: &str, from: usize, to: usize) -> String {
    text.get(from..to).unwrap_or_default().to_owned()
}

fn details(finding: &Finding) -> Vec<(&'static str, String)> {
    let process = &finding.process;
    let pid = process.pid.map(|pid| pid.to_string());
    [
        ("process", pid),
        ("program", process.exe.clone()),
        ("name", process.comm.clone()),
        ("unit", process.unit.clone()),
        ("container", process.container.clone()),
        (
            "connections",
            finding.contact.as_ref().map(|own| grouped(own.connections)),
        ),
        (
            "not read because",
            (finding.contact.as_ref()).map(|own| own.reason.as_str().replace('_', " ")),
        ),
        ("address", finding.peer.addr.map(|own| own.to_string())),
        ("server name", finding.peer.sni.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, clean(&value?).into_owned())))
    .collect()
}

fn field(field: &FieldRecord) -> Field<'_> {
    Field {
        class: label::class(field.class),
        is_health: field.class.is_health(),
        form: label::form(field.form),
        path: cut(&field.path, 200).into_owned(),
        masked: &field.masked,
        token: part(&token_digits(field.token), 0, TOKEN_DIGITS),
        rule: field.rule,
        labels: field.labels.iter().map(|own| own.name()).collect(),
    }
}
