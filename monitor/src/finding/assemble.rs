//! Evidence to findings: one per person-event.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};

use super::{
    EvidenceRecord, FieldRecord, Finding, HealthLevel, IdentifierLevel, Kind, PeerRecord,
    ProcessRecord, RecipientRecord, RequestRecord, SCHEMA, Severity,
    key_path::{self, Values},
    severity, target,
};
use crate::{
    event::Origin,
    field::Field,
    http::Request,
    phi::{Class, Evidence, Identifier, Strength, group},
    token::{TokenKey, hex},
    tracker::Match,
};

/// Fields of one finding beyond this are not listed; their classes are.
pub(super) const MAX_FIELDS: usize = 64;

/// Length of an id in bytes; it is written as twice as many digits.
const ID_BYTES: usize = 16;

/// Everything about a request that a finding tells, besides its fields.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where its stream comes from, where that is known.
    pub origin: Option<&'a Origin>,
    /// The server name that the TLS client asked for.
    pub server_name: Option<&'a str>,
    /// Who receives it.
    pub matched: &'a Match,
    /// The recipient's host name.
    pub host: &'a str,
    /// What `host` was taken from: `host-header`, `target` or `sni`.
    pub host_source: &'static str,
    /// The key of the tokens.
    pub key: &'a TokenKey,
}

/// The findings of one request, in the order of its events: one per array
/// element that has evidence, with what stands outside the arrays added to
/// each; one in all where no element has any. `evidence` refers to `fields`.
pub fn assemble(context: &Context<'_>, fields: &[Field], evidence: &[Evidence]) -> Vec<Finding> {
    let values = Values::new(fields, evidence);
    let mut shared = Vec::new();
    let mut events: Vec<Vec<&Evidence>> = Vec::new();
    let mut positions = HashMap::new();
    for item in evidence {
        match fields.get(item.field).map(group) {
            Some(Some(element)) => {
                let position = *positions.entry(element).or_insert_with(|| {
                    events.push(Vec::new());
                    events.len().saturating_sub(1)
                });
                if let Some(event) = events.get_mut(position) {
                    event.push(item);
                }
            }
            // Every event gets a copy, so what adds neither a listed field nor
            // a class is left out.
            Some(None) if shared.len() < MAX_FIELDS || !adds_nothing(&shared, item) => {
                shared.push(item);
            }
            Some(None) | None => {}
        }
    }
    if events.is_empty() {
        events.push(Vec::new());
    }
    events
        .into_iter()
        .filter_map(|mut event| {
            event.extend(&shared);
            event.sort_by_key(|item| item.field);
            finding(context, fields, &event, &values)
        })
        .collect()
}

/// Whether evidence of the same class and at least this strength is there.
fn adds_nothing(known: &[&Evidence], item: &Evidence) -> bool {
    known
        .iter()
        .any(|other| other.class == item.class && other.strength >= item.strength)
}

fn finding(
    context: &Context<'_>,
    fields: &[Field],
    event: &[&Evidence],
    values: &Values,
) -> Option<Finding> {
    let Context {
        request,
        origin,
        server_name,
        matched,
        host,
        host_source,
        key,
    } = *context;
    let severity = judge(event, matched, request.status)?;
    let mut identifiers = BTreeSet::new();
    let mut health = BTreeSet::new();
    for item in event {
        match item.class {
            Class::Identifier(class) => identifiers.insert(class.as_str()),
            Class::Health(class) => health.insert(class.as_str()),
        };
    }
    let records = event.iter().take(MAX_FIELDS).filter_map(|item| {
        let field = fields.get(item.field)?;
        Some(FieldRecord {
            class: item.class.as_str(),
            form: item.form.as_str(),
            path: key_path::show(field, values),
            rule: item.rule,
            masked: item.masked.clone(),
            token: token(item, key),
        })
    });
    let mut finding = Finding {
        schema: SCHEMA,
        id: String::new(),
        time: request.time.to_string(),
        kind: Kind::Request,
        severity,
        recipient: RecipientRecord {
            tracker: matched.tracker.id,
            owner: matched.tracker.owner,
            category: matched.tracker.category.as_str(),
            host: host.to_owned(),
            matched_by: matched.matched_by.as_str(),
        },
        identifiers: identifiers.into_iter().collect(),
        health: health.into_iter().collect(),
        fields: records.collect(),
        request: Some(RequestRecord {
            method: method(&request.method).to_owned(),
            host: None,
            path: target::template(request.target.expose(), matched.pattern),
            protocol: request.protocol.as_str(),
            status: request.status,
            bytes: request.wire_length,
        }),
        process: process(origin),
        peer: PeerRecord {
            addr: origin
                .and_then(|origin| origin.peer)
                .map(|peer| peer.to_string()),
            sni: server_name.map(str::to_owned),
            host_source,
        },
        source: origin.map_or("unknown", |origin| origin.source.as_str()),
        completeness: request.completeness.as_str(),
        person: person(event, key),
        evidence: None,
    };
    finding.id = id(&finding);
    finding.evidence = request.place.as_ref().map(|place| EvidenceRecord {
        file: place.file.to_string(),
        packet: place.packet,
    });
    Some(finding)
}

/// The method, if it is one of the protocol's own: a client may send any word.
pub(super) fn method(sent: &str) -> &'static str {
    const METHODS: &[&str] = &[
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    METHODS
        .iter()
        .copied()
        .find(|method| *method == sent)
        .unwrap_or("OTHER")
}

/// The severity of one event, `None` where it is nothing to report.
fn judge(event: &[&Evidence], matched: &Match, status: Option<u16>) -> Option<Severity> {
    let identifier = identifier_level(event);
    let health = health_level(event);
    // Reading settings with a user's id is what housekeeping is.
    if matched.housekeeping && identifier < IdentifierLevel::I2 && health < HealthLevel::H3 {
        return None;
    }
    let severity = severity(identifier, health, matched.weight)?;
    // A recipient that refused may still have received.
    let refused = status.is_some_and(|status| status >= 400);
    Some(severity.milder(usize::from(refused)))
}

pub(super) fn identifier_level(event: &[&Evidence]) -> IdentifierLevel {
    let mut level = IdentifierLevel::I0;
    let mut name_level = IdentifierLevel::I0;
    for item in event {
        let own = match item.strength {
            Strength::I1 => IdentifierLevel::I1,
            Strength::I2 => IdentifierLevel::I2,
            Strength::I3 => IdentifierLevel::I3,
            Strength::H2 | Strength::H3 => continue,
        };
        match item.class {
            Class::Identifier(Identifier::Name) => name_level = name_level.max(own),
            // Shared by too many people to point at one.
            Class::Identifier(Identifier::City | Identifier::ServiceDate | Identifier::Sex) => {}
            _ => level = level.max(own),
        }
    }
    // Many people have the same name: it is direct beside another identifier.
    let alone = level == IdentifierLevel::I0;
    level.max(if alone {
        name_level.min(IdentifierLevel::I1)
    } else {
        name_level
    })
}

pub(super) fn health_level(event: &[&Evidence]) -> HealthLevel {
    let levels = event.iter().filter_map(|item| match item.strength {
        Strength::H2 => Some(HealthLevel::H2),
        Strength::H3 => Some(HealthLevel::H3),
        Strength::I1 | Strength::I2 | Strength::I3 => None,
    });
    levels.max().unwrap_or(HealthLevel::H0)
}

pub(super) fn token(item: &Evidence, key: &TokenKey) -> String {
    key.token(item.class.as_str(), item.normalized.expose())
}

/// The token of the identifier that is most stably one person's.
pub(super) fn person(event: &[&Evidence], key: &TokenKey) -> Option<String> {
    const ORDER: &[Identifier] = &[
        Identifier::Email,
        Identifier::Phone,
        Identifier::Ssn,
        Identifier::Mrn,
        Identifier::HealthPlanId,
        Identifier::ExternalId,
        Identifier::OnlineId,
        Identifier::DeviceId,
    ];
    ORDER.iter().find_map(|identifier| {
        let item = event
            .iter()
            .find(|item| item.class == Class::Identifier(*identifier))?;
        Some(token(item, key))
    })
}

pub(super) fn process(origin: Option<&Origin>) -> ProcessRecord {
    let Some(process) = origin.and_then(|origin| origin.process.as_deref()) else {
        return ProcessRecord::default();
    };
    let crate::event::Process {
        pid,
        exe,
        comm,
        cgroup,
        container,
        unit,
        service,
    } = process;
    ProcessRecord {
        pid: Some(*pid),
        exe: exe.clone(),
        comm: comm.clone(),
        cgroup: cgroup.clone(),
        container: container.clone(),
        unit: unit.clone(),
        service: service.clone(),
    }
}

/// A hash over the record, before it has an id and a place in a capture: live
/// and on replay those differ, the disclosure does not.
pub(super) fn id(finding: &Finding) -> String {
    let record = serde_json::to_vec(finding).expect("a finding has only text keys");
    hex(&Sha256::digest(&record), ID_BYTES)
}

#[cfg(test)]
mod tests;
