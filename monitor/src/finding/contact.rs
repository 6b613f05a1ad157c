//! TLS connections to trackers that could not be read, to findings.
//!
//! In: connections, each with the reason. Out: findings of kind `contact`: the
//! first of a process, host and reason at once, and those of the hour after it
//! together, once the hour is over.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{
    EvidenceRecord, Finding, HostSource, Kind, Label, PeerRecord, RecipientRecord, SCHEMA, Sender,
    Severity, assemble, severity::AGREEMENT_LEVELS, why::trade,
};
use crate::{
    event::{Blindness, Origin, Place, Timestamp},
    http::Completeness,
    tracker::{HostMatch, Match, MatchedBy, PathCount},
};

/// How long connections of one kind share a finding, in nanoseconds.
const HOUR: u64 = 3_600_000_000_000;
/// How long after the hour its last connections are known to be unread, in
/// nanoseconds.
const SETTLED: u64 = 10_000_000_000;
/// How many kinds of connections are remembered.
const MAX_KINDS: usize = 4_096;

/// What is known of connections that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactRecord {
    /// Why.
    pub reason: Blindness,
    /// How many connections there were.
    pub connections: u64,
    /// For a host that serves others than the tracker: how many of the interfaces
    /// that the catalog knows there are a tracker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<PathCount>,
}

/// A connection that could not be read.
pub struct Contact<'a> {
    /// When it began.
    pub time: Timestamp,
    /// The host.
    pub host: &'a str,
    /// What `host` was taken from.
    pub host_source: HostSource,
    /// What the catalog knows of the host.
    pub found: &'a HostMatch,
    /// The same as a match, under the operator's policy.
    pub matched: Match,
    /// Where the connection comes from, where that is known.
    pub origin: Option<&'a Origin>,
    /// What the operator declared about the sender.
    pub sender: Sender<'a>,
    /// Why it could not be read.
    pub reason: Blindness,
    /// Where its beginning is recorded, if it is.
    pub place: Option<&'a Place>,
}

impl Contact<'_> {
    /// Nobody knows what was sent, so it is mild: worth a look if the host is a
    /// tracker's, worth a ticket if the sender is a health service, too.
    fn severity(&self) -> Severity {
        let severity = match (self.found.alone, self.sender.is_health) {
            (true, true) => Severity::Medium,
            (true, false) | (false, true) => Severity::Low,
            (false, false) => Severity::Info,
        };
        let milder = if self.matched.agreement {
            AGREEMENT_LEVELS
        } else {
            0
        };
        severity.milder(milder)
    }

    fn finding(&self) -> Finding {
        let tracker = &self.matched.tracker;
        let shared = (!self.found.alone).then_some(Label::SharedHost);
        let agreement = self.matched.agreement.then_some(Label::Agreement);
        Finding {
            schema: SCHEMA,
            id: String::new(),
            time: self.time,
            kind: Kind::Contact,
            severity: self.severity(),
            why: String::new(),
            labels: agreement.into_iter().chain(shared).collect(),
            recipient: RecipientRecord {
                tracker: Arc::clone(&tracker.id),
                owner: Arc::clone(&tracker.owner),
                category: Some(tracker.category),
                host: self.host.to_owned(),
                matched_by: MatchedBy::Host,
            },
            identifiers: Vec::new(),
            health: Vec::new(),
            fields: Vec::new(),
            request: None,
            contact: Some(ContactRecord {
                reason: self.reason,
                connections: 1,
                paths: (!self.found.alone).then_some(self.found.paths),
            }),
            process: assemble::process(self.origin, self.sender),
            peer: PeerRecord {
                addr: self.origin.and_then(|origin| origin.peer),
                sni: Some(self.host.to_owned()).filter(|_| self.host_source == HostSource::Sni),
                host_source: self.host_source,
            },
            source: self.origin.map(|origin| origin.source),
            // Only its beginning was seen.
            completeness: Completeness::Truncated,
            person: None,
            people: None,
            evidence: self.place.map(|place| EvidenceRecord {
                file: place.file.to_string(),
                packet: place.packet,
            }),
            states: Vec::new(),
        }
    }
}

/// Connections of one process to one host, unread for one reason.
type Group = (u32, Box<str>, Blindness);

/// The latest finding of a group.
struct Told {
    /// When its hour began.
    since: Timestamp,
    /// What has come in its hour since.
    more: Option<Box<Finding>>,
}

/// What was told in the last hour.
#[derive(Default)]
pub struct Contacts {
    told: BTreeMap<Group, Told>,
    /// No hour is over before.
    next: Timestamp,
}

impl Contacts {
    /// Takes a connection of the process `owner`. Gives its finding if it is the
    /// first for an hour, or that of the hour that is over.
    pub fn take(&mut self, owner: u32, contact: &Contact<'_>) -> Option<Finding> {
        let group = (owner, Box::from(contact.host), contact.reason);
        let Some(told) = self.told.get_mut(&group) else {
            // Of more kinds each connection has a finding of its own.
            if self.told.len() < MAX_KINDS {
                let (since, more) = (contact.time, None);
                self.told.insert(group, Told { since, more });
                self.next = self.next.min(since.plus(HOUR + SETTLED));
            }
            return Some(complete(contact.finding()));
        };
        let is_over = contact.time >= told.since.plus(HOUR);
        let over = is_over.then(|| told.more.take()).flatten();
        if is_over && over.is_none() {
            told.since = contact.time;
            return Some(complete(contact.finding()));
        }
        if is_over {
            let next = told.since.plus(HOUR);
            told.since = if contact.time < next.plus(HOUR) {
                next
            } else {
                contact.time
            };
        }
        match told.more.as_deref_mut() {
            None => told.more = Some(Box::new(contact.finding())),
            Some(more) => {
                more.time = more.time.min(contact.time);
                if let Some(own) = &mut more.contact {
                    own.connections = own.connections.saturating_add(1);
                }
            }
        }
        over.map(|over| complete(*over))
    }

    /// What is to be told when it is this time: the hours that are over.
    pub fn time(&mut self, now: Timestamp) -> Vec<Finding> {
        if now < self.next {
            return Vec::new();
        }
        let mut due = Vec::new();
        self.told.retain(|_, told| {
            if now < told.since.plus(HOUR + SETTLED) {
                return true;
            }
            let more = told.more.take();
            let goes_on = more.is_some();
            due.extend(more.map(|more| complete(*more)));
            told.since = told.since.plus(HOUR);
            goes_on
        });
        let ends = self.told.values().map(|told| told.since);
        self.next = ends
            .min()
            .map_or(Timestamp(u64::MAX), |since| since.plus(HOUR + SETTLED));
        due
    }
}

/// The finding with its words and its id.
fn complete(mut finding: Finding) -> Finding {
    let evidence = finding.evidence.take();
    finding.id = assemble::id(&finding);
    finding.why = why(&finding);
    finding.evidence = evidence;
    finding
}

/// What happened, and what its severity follows from.
fn why(finding: &Finding) -> String {
    let Some(contact) = &finding.contact else {
        return String::new();
    };
    let recipient = &finding.recipient;
    let business = recipient.category.map_or("other", trade);
    let many = match contact.connections {
        1 => "a TLS connection of this process".to_owned(),
        many => format!("{many} TLS connections of this process within an hour"),
    };
    let host = match contact.paths {
        None => "to a host of its own".to_owned(),
        Some(PathCount { known: 0, .. }) => {
            "to a host that serves others, too, so it may have been a tracker".to_owned()
        }
        Some(paths) => format!(
            "to a host that also serves others, so it may have been a tracker ({} of the {} \
             interfaces that the catalog knows there are)",
            paths.events, paths.known
        ),
    };
    format!(
        "{} ({business}): {many} {host} could not be read, and what was sent is not known: {}. \
         Severity {}: nothing is known of the content.",
        recipient.owner,
        reason(contact.reason),
        finding.severity.as_str()
    )
}

/// Why plaintext was not read, in words.
const fn reason(reason: Blindness) -> &'static str {
    match reason {
        Blindness::NoSymbols => {
            "the process maps no TLS library that phiwatch can hook; its TLS is compiled in, or \
             that of another library"
        }
        Blindness::Java => "the process is a Java virtual machine",
        Blindness::Rustls => "the process uses rustls, which is compiled in",
        Blindness::Quic => "it is QUIC",
        Blindness::Http2Unread => "it is HTTP/2, which was not read",
        Blindness::AttachFailed => "the process maps a TLS library that could not be hooked",
        Blindness::AttachedLate => "it began before the TLS library of the process was hooked",
        Blindness::Ktls => "the kernel encrypts what the process writes",
        Blindness::Proxy => "it goes through a proxy",
        Blindness::Excluded => "the process is not probed, as configured or for the budget",
        Blindness::Unknown => "no reason is known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracker::Catalog;

    const MINUTE: u64 = 60_000_000_000;

    /// Takes connections to a host, each at a minute, and ends at one. Expects a
    /// text for each finding: when it was told, and what of.
    fn check(host: &str, is_health: bool, minutes: &[u64], end: u64, expected: &[&str]) {
        let catalog = Catalog::builtin();
        let found = catalog.match_host(host).unwrap();
        let matched = catalog.found(&found.tracker, host, MatchedBy::Host, None);
        let mut contacts = Contacts::default();
        let mut told = Vec::new();
        let shown = |minute: u64, finding: &Finding| {
            let contact = finding.contact.as_ref().unwrap();
            let (severity, count) = (finding.severity.as_str(), contact.connections);
            let since = finding.time.0 / MINUTE;
            let tracker = &finding.recipient.tracker;
            format!("{minute}: {severity} {tracker} {count} since {since}")
        };
        for minute in 0..=end {
            let now = Timestamp(minute * MINUTE);
            for finding in contacts.time(now) {
                told.push(shown(minute, &finding));
            }
            for _ in minutes.iter().filter(|own| **own == minute) {
                let contact = Contact {
                    time: now,
                    host,
                    host_source: HostSource::Sni,
                    found: &found,
                    matched: matched.clone(),
                    origin: None,
                    sender: Sender {
                        service: None,
                        is_health,
                    },
                    reason: Blindness::Unknown,
                    place: None,
                };
                if let Some(finding) = contacts.take(7, &contact) {
                    told.push(shown(minute, &finding));
                }
            }
        }
        for finding in contacts.time(Timestamp(u64::MAX)) {
            told.push(shown(u64::MAX, &finding));
        }
        assert_eq!(told, expected, "{host} {minutes:?}");
        assert_eq!(contacts.time(Timestamp(u64::MAX)).len(), 0);
    }

    #[test]
    fn an_hour_has_one_finding() {
        let host = "api.segment.io";
        check(host, false, &[3], 300, &["3: low segment 1 since 3"]);
        check(
            host,
            false,
            &[3, 4, 5, 62, 63, 64, 140],
            300,
            &[
                "3: low segment 1 since 3",
                "63: low segment 3 since 4",
                "124: low segment 2 since 63",
                "184: low segment 1 since 140",
            ],
        );
        check(
            host,
            false,
            &[0, 9, 61, 200],
            200,
            &[
                "0: low segment 1 since 0",
                "61: low segment 1 since 9",
                "121: low segment 1 since 61",
                "200: low segment 1 since 200",
            ],
        );
        let last = format!("{}: low segment 2 since 9", u64::MAX);
        check(
            host,
            false,
            &[8, 9, 10],
            11,
            &["8: low segment 1 since 8", &last],
        );
    }

    #[test]
    fn a_shared_host_is_milder_and_a_health_service_is_not() {
        for (host, is_health, expected) in [
            ("api.segment.io", true, "0: medium segment 1 since 0"),
            ("graph.facebook.com", true, "0: low meta 1 since 0"),
            ("graph.facebook.com", false, "0: info meta 1 since 0"),
        ] {
            check(host, is_health, &[0], 0, &[expected]);
        }
    }
}
