//! Evidence to findings: one per person-event.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use sha2::{Digest as _, Sha256};

use super::{
    EvidenceRecord, FieldLabel, Finding, HostSource, Kind, Label, Memory, PeerRecord,
    ProcessRecord, RecipientRecord, RequestRecord, SCHEMA, Severity,
    judge::{Judgment, judge},
    memory::Who,
    proof::Proof,
    residence, target, why,
};
use crate::{
    event::Origin,
    http::Request,
    loss::{Loss, Losses},
    name,
    phi::{Class, Form, Health},
    token::{Token, TokenKey},
    tracker::{Match, MatchedBy},
};

/// How many fields a finding lists; the classes of further ones still count.
pub(super) const MAX_FIELDS: usize = 64;

/// How many person-events of one request have a finding each; the others share
/// one.
pub(super) const MAX_FINDINGS: usize = 256;

/// Length of an id in bytes; it is written as twice as many digits.
const ID_BYTES: usize = 16;

/// What the operator declared about the service that sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sender<'a> {
    /// Its name.
    pub service: Option<&'a str>,
    /// Whether using it says something about health.
    pub is_health: bool,
}

/// Everything about a request that a finding includes, besides its fields.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where its stream comes from, where that is known.
    pub origin: Option<&'a Origin>,
    /// What the operator declared about the sender.
    pub sender: Sender<'a>,
    /// The server name that the TLS client asked for.
    pub server_name: Option<&'a str>,
    /// The recipient; `None` for a third party that is no tracker, for which
    /// only planted values give findings.
    pub matched: Option<&'a Match>,
    /// The recipient's host name.
    pub host: &'a str,
    /// What `host` was taken from.
    pub host_source: HostSource,
    /// The template of the path as recorded earlier.
    pub path: Option<&'a str>,
    /// The key of the tokens.
    pub key: &'a TokenKey,
}

/// The findings of one request, in the order of its events: one for each array
/// element that has evidence, with the evidence outside of the arrays added to
/// each; a single one if no element has any. What `memory` learns here, later
/// findings use.
pub fn assemble(
    context: &Context<'_>,
    proofs: &[Proof],
    memory: &mut Memory,
    losses: &mut Losses,
) -> Vec<Finding> {
    let Some(matched) = context.matched else {
        return Vec::new();
    };
    memory.learn(context.key, proofs, losses);
    let mut findings = Vec::new();
    let mut rest: Option<Rest<'_>> = None;
    for event in events(proofs) {
        let Some(judgment) = judge(
            &event,
            matched,
            context.request.status,
            context.sender.is_health,
        ) else {
            continue;
        };
        let who = memory.meet(&event, losses);
        if let Some(who) = who {
            memory.count(&matched.tracker.id, who, losses);
        }
        if findings.len() < MAX_FINDINGS {
            let event = Event {
                evidence: &event,
                judgment,
                who,
            };
            findings.push(finding(context, matched, &event, memory));
        } else {
            losses.count(Loss::FindingLimit);
            rest.get_or_insert_with(|| Rest::new(judgment))
                .add(&event, judgment, who);
        }
    }
    if let Some(rest) = rest {
        findings.push(rest.finding(context, matched, memory));
    }
    findings
}

/// The evidence of every person-event, each in the order of the message.
fn events(evidence: &[Proof]) -> Vec<Vec<&Proof>> {
    let mut shared = Vec::new();
    let mut events: Vec<Vec<&Proof>> = Vec::new();
    let mut positions = HashMap::new();
    for item in evidence {
        match item.element {
            Some(element) => {
                let position = *positions.entry(element).or_insert_with(|| {
                    events.push(Vec::new());
                    events.len().saturating_sub(1)
                });
                if let Some(event) = events.get_mut(position) {
                    event.push(item);
                }
            }
            // Every event gets a copy, so evidence that adds neither a listed
            // field nor a class is left out.
            None if shared.len() < MAX_FIELDS || !adds_nothing(&shared, item) => {
                shared.push(item);
            }
            None => {}
        }
    }
    if events.is_empty() {
        events.push(Vec::new());
    }
    for event in &mut events {
        event.extend(&shared);
        event.sort_by_key(|item| item.field);
    }
    events
}

/// Whether evidence of the same class and at least this strength exists.
fn adds_nothing(known: &[&Proof], item: &Proof) -> bool {
    known
        .iter()
        .any(|other| other.class == item.class && other.strength >= item.strength)
}

/// One person-event, judged.
#[derive(Clone, Copy)]
struct Event<'a> {
    evidence: &'a [&'a Proof],
    judgment: Judgment,
    who: Option<Who>,
}

/// The person-events of a request beyond the limit.
struct Rest<'a> {
    worst: Judgment,
    evidence: Vec<&'a Proof>,
    people: HashSet<Token>,
    events: u64,
}

impl<'a> Rest<'a> {
    fn new(worst: Judgment) -> Self {
        Self {
            worst,
            evidence: Vec::new(),
            people: HashSet::new(),
            events: 0,
        }
    }

    fn add(&mut self, event: &[&'a Proof], judgment: Judgment, who: Option<Who>) {
        self.events += 1;
        if judgment.severity > self.worst.severity {
            self.worst = judgment;
        }
        for item in event {
            if self.evidence.len() < MAX_FIELDS || !adds_nothing(&self.evidence, item) {
                self.evidence.push(item);
            }
        }
        self.people.extend(who.map(|who| who.person));
    }

    fn finding(mut self, context: &Context<'_>, matched: &Match, memory: &mut Memory) -> Finding {
        self.evidence.sort_by_key(|item| item.field);
        let event = Event {
            evidence: &self.evidence,
            judgment: self.worst,
            who: None,
        };
        let mut finding = finding(context, matched, &event, memory);
        finding.labels.push(Label::Summary);
        finding.why = format!("{} more of the same request: {}", self.events, finding.why);
        finding.people = Some(self.people.len().try_into().unwrap_or(u64::MAX));
        finding
    }
}

fn finding(
    context: &Context<'_>,
    matched: &Match,
    event: &Event<'_>,
    memory: &mut Memory,
) -> Finding {
    let Event {
        evidence,
        judgment,
        who,
    } = *event;
    let (mut identifiers, mut health) = (Vec::new(), Vec::new());
    for item in evidence {
        match item.class {
            Class::Identifier(class) => identifiers.push(class),
            Class::Health(class) => health.push(class),
        }
    }
    if context.sender.is_health {
        health.push(Health::Inherent);
    }
    let records = evidence.iter().take(MAX_FIELDS).map(|item| item.record());
    let mut finding = blank(context, Kind::Request, judgment.severity);
    finding.identifiers = name::sorted(identifiers);
    finding.health = name::sorted(health);
    finding.fields = records.collect();
    finding.id = id(&finding);
    // The id covers only the content, not what earlier events decide: a capture
    // that begins later gives the same ids.
    finding.why = why::why(
        evidence,
        &matched.tracker.owner,
        matched.tracker.category,
        context.request.status,
        judgment,
    );
    finding.labels = judgment.labels();
    for (record, item) in finding.fields.iter_mut().zip(evidence) {
        record.labels = labels(matched, item, memory);
    }
    finding.person = who.map(|who| who.person);
    finding.evidence = place(context);
    finding.states = residence::of(evidence.iter().copied());
    finding
}

/// The labels of one field.
fn labels(matched: &Match, item: &Proof, memory: &mut Memory) -> Vec<FieldLabel> {
    let Class::Identifier(identifier) = item.class else {
        return Vec::new();
    };
    if item.form == Form::Plain {
        return if matched.tracker.documents_hashing(identifier.as_str()) {
            vec![FieldLabel::Unhashed]
        } else {
            Vec::new()
        };
    }
    if memory.confirm(item).is_some() {
        vec![FieldLabel::Confirmed]
    } else {
        Vec::new()
    }
}

/// The recipient. The ids are a closed set, with one for everything that the
/// catalog does not know.
fn recipient(context: &Context<'_>) -> RecipientRecord {
    let host = context.host.to_owned();
    match context.matched {
        Some(matched) => RecipientRecord {
            tracker: Arc::clone(&matched.tracker.id),
            owner: Arc::clone(&matched.tracker.owner),
            category: Some(matched.tracker.category),
            host,
            matched_by: matched.matched_by,
        },
        None => RecipientRecord {
            tracker: "unknown".into(),
            owner: "unknown".into(),
            category: None,
            host,
            matched_by: MatchedBy::Host,
        },
    }
}

/// A finding of this request without fields.
pub(crate) fn blank(context: &Context<'_>, kind: Kind, severity: Severity) -> Finding {
    let Context {
        request,
        origin,
        server_name,
        ..
    } = *context;
    Finding {
        schema: SCHEMA,
        id: String::new(),
        time: request.time,
        kind,
        severity,
        why: String::new(),
        labels: Vec::new(),
        recipient: recipient(context),
        identifiers: Vec::new(),
        health: Vec::new(),
        fields: Vec::new(),
        request: Some(RequestRecord {
            method: method(&request.method).to_owned(),
            host: None,
            path: path(context),
            protocol: request.protocol,
            status: request.status,
            bytes: request.wire_length,
            body_bytes: request.body_wire_length,
        }),
        contact: None,
        process: process(origin, context.sender),
        peer: PeerRecord {
            addr: origin.and_then(|origin| origin.peer),
            sni: server_name.map(str::to_owned),
            host_source: context.host_source,
        },
        source: origin.map(|origin| origin.source),
        completeness: request.completeness,
        person: None,
        people: None,
        evidence: None,
        states: Vec::new(),
    }
}

/// The template of the request's path.
pub(crate) fn path(context: &Context<'_>) -> String {
    context.path.map_or_else(
        || {
            let pattern = context
                .matched
                .and_then(|matched| matched.pattern.as_deref());
            target::template(context.request.target.expose(), pattern)
        },
        str::to_owned,
    )
}

/// Where the request is recorded.
pub(crate) fn place(context: &Context<'_>) -> Option<EvidenceRecord> {
    context.request.place.as_ref().map(|place| EvidenceRecord {
        file: place.file.to_string(),
        packet: place.packet,
    })
}

/// The method, if it is a standard one: a client may send any word.
pub(crate) fn method(sent: &str) -> &'static str {
    const METHODS: &[&str] = &[
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    METHODS
        .iter()
        .copied()
        .find(|method| *method == sent)
        .unwrap_or("OTHER")
}

pub(super) fn process(origin: Option<&Origin>, sender: Sender<'_>) -> ProcessRecord {
    let Some(process) = origin.and_then(|origin| origin.process.as_deref()) else {
        return ProcessRecord {
            service: sender.service.map(str::to_owned),
            ..ProcessRecord::default()
        };
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
        service: sender
            .service
            .map(str::to_owned)
            .or_else(|| service.clone()),
    }
}

/// A hash of the record before it has an id and a place in a capture: these
/// differ between live and replay, the disclosure does not.
pub(crate) fn id(finding: &Finding) -> String {
    let record = serde_json::to_vec(finding).expect("a finding has only text keys");
    base16ct::lower::encode_string(&Sha256::digest(&record)[..ID_BYTES])
}

#[cfg(test)]
mod tests;
