//! One entry of the catalog: hosts, interfaces and further facts.

use std::sync::Arc;

use super::{
    BodyShape, Category, Confidence,
    pattern::{Pattern, Segments},
};

/// A host of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Lower case, without leading dot.
    pub name: Box<str>,
    /// Whether hosts below `name` are included; the apex always is.
    pub below: bool,
    /// Whether the host alone identifies the tracker. If not, it serves other
    /// interfaces too, and a [`PathRule`] decides.
    pub alone: bool,
}

impl Host {
    /// Whether `host` (normalized) is meant.
    pub fn matches(&self, host: &str) -> bool {
        host == &*self.name || (self.below && is_below(host, &self.name))
    }
}

/// As catalog files write it: `.example.com` with everything below.
impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.below { "." } else { "" }, self.name)
    }
}

/// Whether `host` lies below `apex`, on a label boundary.
pub(super) fn is_below(host: &str, apex: &str) -> bool {
    host.strip_suffix(apex)
        .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It reads settings or reports, or manages the account.
    Housekeeping,
    /// It carries events or people.
    Event,
}

impl Role {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Housekeeping => "housekeeping",
            Self::Event => "event",
        }
    }
}

/// One interface of a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// Methods, separated by `|`, or `*`.
    pub methods: Box<str>,
    /// `graph.facebook.com`, or `.tiktok.com` with hosts below it, or nothing
    /// for every host of the entry.
    pub host: Box<str>,
    /// Segments separated by `/`. `*` stands for any characters within one
    /// segment, a leading `**` for any number of segments before, a trailing
    /// one for any number after.
    pub path: Arc<str>,
    /// What it does.
    pub role: Role,
    /// The shape of the body, because other interfaces share this path; only
    /// for unknown hosts.
    pub shape: Option<BodyShape>,
    pattern: Pattern,
}

impl PathRule {
    /// A rule; `host` is empty for every host.
    pub(super) fn new(
        methods: &str,
        host: &str,
        path: &str,
        role: Role,
        shape: Option<BodyShape>,
    ) -> Self {
        Self {
            methods: methods.into(),
            host: host.into(),
            path: path.into(),
            role,
            shape,
            pattern: Pattern::new(path),
        }
    }

    /// Whether such a request is meant.
    pub(super) fn matches(&self, host: &str, method: &str, path: &Segments<'_>) -> bool {
        self.pattern.matches(path) && self.host_fits(host) && self.method_fits(method)
    }

    /// Whether the rule holds for `host` (normalized), one of its entry's.
    pub(super) fn host_fits(&self, host: &str) -> bool {
        match self.host.strip_prefix('.') {
            Some(apex) => host == apex || is_below(host, apex),
            None => self.host.is_empty() || &*self.host == host,
        }
    }

    fn method_fits(&self, method: &str) -> bool {
        &*self.methods == "*"
            || self
                .methods
                .split('|')
                .any(|own| own.eq_ignore_ascii_case(method))
    }

    /// Of two rules that match, the greater decides.
    pub(super) fn specificity(&self) -> (usize, usize, bool) {
        let (words, letters) = self.pattern.specificity();
        (words, letters, !self.host.is_empty())
    }
}

/// One entry of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// Id in records and labels; the set is closed.
    pub id: Arc<str>,
    /// The company behind it.
    pub owner: Arc<str>,
    /// What it is in business for.
    pub category: Category,
    /// How sure the catalog is.
    pub confidence: Confidence,
    /// Its hosts.
    pub hosts: Vec<Host>,
    /// Its interfaces, the more specific first.
    pub paths: Vec<PathRule>,
    /// Its interfaces on hosts that the catalog does not know; `host` is empty.
    pub protocol: Vec<PathRule>,
    /// Names of the identifier classes that the platform's documentation wants
    /// hashed.
    pub hashed: Vec<&'static str>,
}

impl Tracker {
    /// Whether the platform's documentation wants identifiers of this class
    /// hashed, so that a plain one is more than the platform asks for.
    pub fn documents_hashing(&self, class: &str) -> bool {
        self.hashed.contains(&class)
    }
}
