//! Which findings have a line of their own, and which share one.
//!
//! Input: findings and the current time. Output: for each finding whether it
//! has its own line; at the end of a second, one [`Repeated`] for all findings
//! beyond the limit that differ only in the person. What is gathered is
//! bounded.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, Hasher},
    sync::Arc,
};

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::Serialize;

use crate::{
    event::Timestamp,
    finding::{FieldRecord, Finding, RequestRecord},
};

/// Recipients whose rate is remembered. They are ids of the catalog, so never
/// many.
const MAX_RECIPIENTS: usize = 1_024;

/// Kinds of findings that are gathered at a time, over all recipients. Each
/// holds one finding, a few kilobytes.
pub(super) const MAX_REPEATED: usize = 512;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// What happens to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It has a line of its own.
    Own,
    /// It is reported later, together with others of its kind.
    Gathered,
    /// Too many kinds of findings are gathered already.
    LeftOut,
}

/// Findings that differ only in the person.
pub(super) struct Repeated {
    /// The one that came first.
    finding: Finding,
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

/// The `repeated` member of a line.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Times {
    /// How many findings the line stands for, including the one it shows.
    pub(super) count: u64,
    /// The earliest of their times.
    pub(super) first: Timestamp,
    /// The latest.
    pub(super) last: Timestamp,
}

impl Repeated {
    fn new(finding: &Finding) -> Self {
        Self {
            finding: finding.clone(),
            count: 1,
            first: finding.time,
            last: finding.time,
        }
    }

    fn add(&mut self, time: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    /// How many findings they are.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The one that stands for all of them.
    pub(super) const fn finding(&self) -> &Finding {
        &self.finding
    }

    /// What the line says of the others. A finding that was not repeated is an
    /// ordinary one.
    pub(super) fn times(&self) -> Option<Times> {
        (self.count > 1).then_some(Times {
            count: self.count,
            first: self.first,
            last: self.last,
        })
    }
}

/// How many findings one recipient got in a second.
#[derive(Default)]
struct Rate {
    second: u64,
    count: u64,
    repeated: HashTable<Repeated>,
}

/// How many findings the recipients got in their latest second.
pub(super) struct Rates {
    limit: u64,
    recipients: HashMap<Arc<str>, Rate>,
    gathered: usize,
    /// Of seconds that are over.
    over: Vec<Repeated>,
    hasher: DefaultHashBuilder,
}

impl Rates {
    /// At most `limit` findings of a recipient and second have their own line.
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            recipients: HashMap::new(),
            gathered: 0,
            over: Vec::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Changes the limit for later findings.
    pub(super) const fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Counts a finding. Its own time decides, so that the same findings give
    /// the same lines however fast they arrive. A late one counts for the
    /// second that its recipient has reached; otherwise findings that alternate
    /// between two seconds would begin both again and again.
    pub(super) fn admit(&mut self, finding: &Finding) -> Admission {
        let second = second_of(finding.time);
        let tracker = &finding.recipient.tracker;
        if self.recipients.len() >= MAX_RECIPIENTS && !self.recipients.contains_key(tracker) {
            self.end_all(|_| true);
            self.recipients.clear();
        }
        let rate = self.recipients.entry(Arc::clone(tracker)).or_default();
        if second > rate.second {
            rate.second = second;
            rate.count = 0;
            self.over.extend(rate.repeated.drain());
        }
        if rate.count < self.limit {
            rate.count += 1;
            return Admission::Own;
        }
        let hash = self.hasher.hash_one(FindingKind(finding));
        let alike = |other: &Repeated| FindingKind(&other.finding) == FindingKind(finding);
        if let Some(repeated) = rate.repeated.find_mut(hash, alike) {
            repeated.add(finding.time);
            return Admission::Gathered;
        }
        if self.gathered >= MAX_REPEATED {
            return Admission::LeftOut;
        }
        self.gathered += 1;
        let hasher = &self.hasher;
        rate.repeated
            .insert_unique(hash, Repeated::new(finding), |other| {
                hasher.hash_one(FindingKind(&other.finding))
            });
        Admission::Gathered
    }

    /// Whether anything gathered is due at `now`.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        if self.gathered == 0 {
            return false;
        }
        let second = second_of(now);
        let is_over = |rate: &Rate| !rate.repeated.is_empty() && rate.second < second;
        !self.over.is_empty() || self.recipients.values().any(is_over)
    }

    /// What was gathered in seconds that are over at `now`, in the order in
    /// which it began.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Repeated> {
        if self.gathered == 0 {
            return Vec::new();
        }
        let second = second_of(now);
        self.end_all(|rate| rate.second < second);
        let mut over = std::mem::take(&mut self.over);
        self.gathered = self.gathered.saturating_sub(over.len());
        over.sort_by(|one, other| {
            (one.first, &one.finding.id).cmp(&(other.first, &other.finding.id))
        });
        over
    }

    fn end_all(&mut self, is_over: impl Fn(&Rate) -> bool) {
        for rate in self.recipients.values_mut().filter(|rate| is_over(rate)) {
            self.over.extend(rate.repeated.drain());
        }
    }
}

/// The number of the second that a time is in.
const fn second_of(time: Timestamp) -> u64 {
    time.0 / SECOND
}

/// What repeated findings have in common: everything but the time, the person,
/// the lengths, the number of connections and the evidence.
struct FindingKind<'a>(&'a Finding);

impl FindingKind<'_> {
    fn disclosure(&self) -> impl Hash + Eq {
        let Finding {
            kind,
            severity,
            labels,
            recipient,
            identifiers,
            health,
            people,
            states,
            source,
            completeness,
            contact,
            ..
        } = self.0;
        (
            (kind, severity, labels, &recipient.host),
            (identifiers, health, people, states),
            (recipient.matched_by, source, completeness),
            contact.as_ref().map(|contact| contact.reason),
        )
    }

    fn request(&self) -> impl Hash + Eq {
        let request = self.0.request.as_ref();
        request.map(
            |RequestRecord {
                 method,
                 host,
                 path,
                 protocol,
                 status,
                 ..
             }| (method, host, path, protocol, status),
        )
    }

    fn sender(&self) -> impl Hash + Eq {
        let process = &self.0.process;
        (&process.exe, &process.container, &process.unit)
    }

    fn fields(&self) -> impl Iterator<Item = impl Hash + Eq> {
        self.0.fields.iter().map(
            |FieldRecord {
                 class,
                 form,
                 path,
                 rule,
                 labels,
                 ..
             }| (class, form, path, rule, labels),
        )
    }
}

impl Hash for FindingKind<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.disclosure().hash(state);
        self.request().hash(state);
        self.sender().hash(state);
        for field in self.fields() {
            field.hash(state);
        }
    }
}

impl PartialEq for FindingKind<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.disclosure() == other.disclosure()
            && self.request() == other.request()
            && self.sender() == other.sender()
            && self.fields().eq(other.fields())
    }
}
