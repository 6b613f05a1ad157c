//! Findings, counted.
//!
//! In: findings one by one. Out: who received what about how many people, from
//! when to when. Memory is bounded: beyond the limits names are counted
//! together and people are no longer distinguished, and the report says so.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use super::{facts::Span, timeline::Timeline};
use crate::{
    event::Timestamp,
    finding::{Finding, Kind, Label, Severity, strongest},
    http::Completeness,
    phi::Class,
    token::Token,
    tracker::Category,
};

/// Recipients that are distinguished.
const MAX_RECIPIENTS: usize = 1_024;
/// Hosts of one recipient that are distinguished.
const MAX_HOSTS: usize = 32;
/// Pairs of process and recipient that are distinguished.
const MAX_FLOWS: usize = 2_048;
/// Kinds of request that are distinguished.
const MAX_ROUTES: usize = 2_048;
/// People that are distinguished, over all recipients and states.
const MAX_PEOPLE: usize = 1_000_000;

/// What names beyond a limit are counted as.
pub(super) const OTHERS: &str = "others";

/// The people in findings.
#[derive(Default)]
pub(super) struct PeopleCounter {
    /// By the names of persons.
    people: HashSet<Token>,
    /// By the strongest identifier of each finding.
    unmerged: HashSet<Token>,
    /// People that a summary counts without naming them.
    pub(super) unnamed: u64,
    /// There was no room for someone.
    pub(super) is_full: bool,
}

impl PeopleCounter {
    /// How many there are, counted by their names; people whom `merged` maps to
    /// one name count once.
    pub(super) fn least(&self, merged: &HashMap<Token, Token>) -> u64 {
        let people: HashSet<Token> = self
            .people
            .iter()
            .map(|name| *merged.get(name).unwrap_or(name))
            .collect();
        length(&people)
    }

    /// How many there may be.
    pub(super) fn most(&self) -> u64 {
        length(&self.unmerged)
            .max(length(&self.people))
            .saturating_add(self.unnamed)
    }
}

/// What one recipient received.
#[derive(Default)]
pub(super) struct Received {
    /// The company.
    pub(super) owner: String,
    /// What it is in business for.
    pub(super) category: Option<Category>,
    /// Findings.
    pub(super) findings: u64,
    /// Those that the recipient refused.
    pub(super) attempted: u64,
    /// Findings by class.
    pub(super) classes: BTreeMap<Class, u64>,
    /// Findings by host, the first [`MAX_HOSTS`] of them.
    pub(super) hosts: BTreeMap<String, u64>,
    /// There were more hosts.
    pub(super) has_more_hosts: bool,
    /// Time of the first and the last finding.
    pub(super) span: Option<Span>,
    /// The worst of it.
    pub(super) worst: Option<Severity>,
    /// About whom.
    pub(super) disclosed: PeopleCounter,
    /// About whose health.
    pub(super) patients: PeopleCounter,
}

/// Findings of one process to one recipient.
#[derive(Clone, Copy, Default)]
pub(super) struct Flow {
    /// How many.
    pub(super) findings: u64,
    /// The worst of them.
    pub(super) worst: Option<Severity>,
}

/// The finding that should have alerted someone first.
pub(super) struct FirstAlert {
    pub(super) time: Timestamp,
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) severity: Severity,
}

/// Everything that is counted.
#[derive(Default)]
pub(super) struct Tally {
    /// All findings.
    pub(super) findings: u64,
    /// By severity, mildest first.
    pub(super) severities: [u64; Severity::ALL.len()],
    /// By kind.
    pub(super) kinds: BTreeMap<Kind, u64>,
    /// By how much of the message was seen.
    pub(super) completeness: BTreeMap<Completeness, u64>,
    /// Findings that the recipient refused.
    pub(super) attempted: u64,
    /// Findings under a declared agreement.
    pub(super) under_agreement: u64,
    /// Findings with health information.
    pub(super) with_health: u64,
    /// Findings with a direct identifier or a pseudonym.
    pub(super) with_identifier: u64,
    /// Requests that were answered with success.
    pub(super) accepted: u64,
    /// Requests whose answer was not seen.
    pub(super) unanswered: u64,
    /// Time of the first and the last finding.
    pub(super) span: Option<Span>,
    /// The first finding of high severity or worse.
    pub(super) alarm: Option<FirstAlert>,
    /// By recipient.
    pub(super) recipients: BTreeMap<String, Received>,
    /// By process and recipient.
    pub(super) flows: BTreeMap<(String, String), Flow>,
    /// By recipient, method, host and path.
    pub(super) routes: BTreeMap<(String, String), u64>,
    /// By state of the United States: findings with health information, and
    /// about whom.
    pub(super) states: BTreeMap<&'static str, (u64, PeopleCounter)>,
    /// About whom, over all recipients.
    pub(super) disclosed: PeopleCounter,
    /// About whose health, over all recipients.
    pub(super) patients: PeopleCounter,
    /// Rules that evidence was found by.
    pub(super) rules: BTreeSet<&'static str>,
    /// Over time.
    pub(super) timeline: Timeline,
    people: usize,
}

impl Tally {
    /// Takes one finding.
    pub(super) fn add(&mut self, finding: &Finding) {
        self.findings += 1;
        if let Some(count) = self.severities.get_mut(finding.severity as usize) {
            *count += 1;
        }
        *self.kinds.entry(finding.kind).or_default() += 1;
        // Of a contact no message was seen.
        if finding.kind != Kind::Contact {
            *self.completeness.entry(finding.completeness).or_default() += 1;
        }
        let attempted = u64::from(finding.labels.contains(&Label::Attempted));
        self.attempted += attempted;
        self.under_agreement += u64::from(finding.labels.contains(&Label::Agreement));
        self.with_health += u64::from(!finding.health.is_empty());
        self.with_identifier += u64::from(!finding.identifiers.is_empty());
        if let Some(request) = &finding.request {
            let accepted = request
                .status
                .is_some_and(|status| (200..300).contains(&status));
            self.accepted += u64::from(accepted);
            self.unanswered += u64::from(request.status.is_none());
        }
        self.rules
            .extend(finding.fields.iter().map(|field| field.rule));
        widen(&mut self.span, finding.time);
        self.timeline.add(finding.time, finding.severity);
        self.alarm(finding);
        let recipient = self.recipient(finding, attempted);
        self.flow(finding, &recipient);
        self.route(finding);
        self.people(finding, &recipient);
    }

    fn alarm(&mut self, finding: &Finding) {
        let time = finding.time;
        let is_first = self.alarm.as_ref().is_none_or(|alarm| time < alarm.time);
        if finding.severity >= Severity::High && is_first {
            self.alarm = Some(FirstAlert {
                time,
                id: finding.id.clone(),
                owner: finding.recipient.owner.to_string(),
                severity: finding.severity,
            });
        }
    }

    /// Counts the finding for its recipient; returns the name that it counts
    /// under.
    fn recipient(&mut self, finding: &Finding, attempted: u64) -> String {
        let record = &finding.recipient;
        let is_full = self.recipients.len() >= MAX_RECIPIENTS;
        let name = if is_full && !self.recipients.contains_key(&*record.tracker) {
            OTHERS
        } else {
            &record.tracker
        };
        let received = self.recipients.entry(name.to_owned()).or_default();
        if received.findings == 0 {
            let owner = if name == OTHERS {
                OTHERS
            } else {
                &record.owner
            };
            owner.clone_into(&mut received.owner);
            received.category = record.category;
        }
        received.findings += 1;
        received.attempted += attempted;
        for class in finding.classes() {
            *received.classes.entry(class).or_default() += 1;
        }
        if let Some(count) = received.hosts.get_mut(&record.host) {
            *count += 1;
        } else if received.hosts.len() < MAX_HOSTS {
            received.hosts.insert(record.host.clone(), 1);
        } else {
            received.has_more_hosts = true;
        }
        widen(&mut received.span, finding.time);
        received.worst = received.worst.max(Some(finding.severity));
        name.to_owned()
    }

    fn flow(&mut self, finding: &Finding, recipient: &str) {
        let key = (process(finding), recipient.to_owned());
        let is_full = self.flows.len() >= MAX_FLOWS;
        let key = if is_full && !self.flows.contains_key(&key) {
            (OTHERS.to_owned(), OTHERS.to_owned())
        } else {
            key
        };
        let flow = self.flows.entry(key).or_default();
        flow.findings += 1;
        flow.worst = flow.worst.max(Some(finding.severity));
    }

    fn route(&mut self, finding: &Finding) {
        let Some(request) = &finding.request else {
            return;
        };
        let host = request.host.as_deref().unwrap_or(&finding.recipient.host);
        let key = (
            finding.recipient.owner.to_string(),
            format!("{} {host}{}", request.method, request.path),
        );
        if let Some(count) = self.routes.get_mut(&key) {
            *count += 1;
        } else if self.routes.len() < MAX_ROUTES {
            self.routes.insert(key, 1);
        }
    }

    fn people(&mut self, finding: &Finding, recipient: &str) {
        let person = finding.person;
        let strongest = strongest(&finding.fields);
        let unnamed = finding.people.unwrap_or(0);
        let Self {
            people,
            disclosed,
            patients,
            recipients,
            states,
            ..
        } = self;
        let has_health = !finding.health.is_empty();
        let mut add = |disclosed: &mut PeopleCounter| {
            disclosed.unnamed = disclosed.unnamed.saturating_add(unnamed);
            let Some(person) = person else { return };
            let strongest = strongest.unwrap_or(person);
            for (set, number) in [
                (&mut disclosed.people, person),
                (&mut disclosed.unmerged, strongest),
            ] {
                if *people < MAX_PEOPLE {
                    *people += usize::from(set.insert(number));
                } else if !set.contains(&number) {
                    disclosed.is_full = true;
                }
            }
        };
        add(disclosed);
        if has_health {
            add(patients);
        }
        if let Some(received) = recipients.get_mut(recipient) {
            add(&mut received.disclosed);
            if has_health {
                add(&mut received.patients);
            }
        }
        if !has_health {
            return;
        }
        for state in &finding.states {
            let (findings, disclosed) = states.entry(state).or_default();
            *findings += 1;
            add(disclosed);
        }
    }

    /// Findings in messages: all but contacts.
    pub(super) fn messages(&self) -> u64 {
        self.completeness.values().sum()
    }

    /// Findings whose message was seen whole.
    pub(super) fn complete(&self) -> u64 {
        let complete = self.completeness.get(&Completeness::Complete);
        complete.copied().unwrap_or_default()
    }

    /// The worst severity.
    pub(super) fn worst(&self) -> Option<Severity> {
        Severity::ALL
            .iter()
            .rev()
            .copied()
            .find(|severity| self.severity(*severity) > 0)
    }

    /// How many findings have this severity.
    pub(super) fn severity(&self, severity: Severity) -> u64 {
        self.severities
            .get(severity as usize)
            .copied()
            .unwrap_or_default()
    }

    /// The recipients, those with the worst and most findings first.
    pub(super) fn ranked(&self) -> Vec<(&str, &Received)> {
        let mut ranked: Vec<_> = self
            .recipients
            .iter()
            .map(|(name, received)| (&**name, received))
            .collect();
        ranked.sort_by(|(_, one), (_, other)| {
            (other.worst, other.findings).cmp(&(one.worst, one.findings))
        });
        ranked
    }
}

/// The name of the process behind a finding, with its id.
pub(super) fn sender(finding: &Finding) -> String {
    match finding.process.pid {
        Some(pid) => format!("{} ({pid})", process(finding)),
        None => process(finding),
    }
}

/// The name of the process behind a finding.
pub(super) fn process(finding: &Finding) -> String {
    let process = &finding.process;
    let program = process
        .exe
        .as_deref()
        .and_then(|path| path.rsplit('/').next())
        .filter(|name| !name.is_empty());
    let name = process
        .service
        .as_deref()
        .or(process.unit.as_deref())
        .or(process.comm.as_deref())
        .or(program);
    match (name, &process.container) {
        (Some(name), Some(container)) if process.service.is_none() => {
            let short: String = container.chars().take(12).collect();
            format!("{name} in {short}")
        }
        (Some(name), _) => name.to_owned(),
        (None, _) => match process.pid {
            Some(pid) => format!("process {pid}"),
            None => "process not known".to_owned(),
        },
    }
}

fn length(people: &HashSet<Token>) -> u64 {
    people.len().try_into().unwrap_or(u64::MAX)
}

fn widen(span: &mut Option<Span>, time: Timestamp) {
    let known = span.get_or_insert(Span {
        first: time,
        last: time,
    });
    known.first = known.first.min(time);
    known.last = known.last.max(time);
}
