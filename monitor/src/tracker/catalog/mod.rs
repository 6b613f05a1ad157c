//! All trackers, indexed by host, and the operator's policy.

use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;

use super::{
    BodyShape, Category, Confidence, Host, HostMatch, IMPORTED, Match, MatchedBy, PathCount,
    PathRule, Policy, Role, Tracker, Weight, normalize_host, parse_catalog, pattern::Segments,
};

/// The embedded files. The order matters in two ways: entries that share a host
/// are tried in order, and the first that the host alone identifies is the
/// fallback.
const FILES: &[&str] = &[
    include_str!("ads.toml"),
    include_str!("audiences.toml"),
    include_str!("analytics.toml"),
    include_str!("customers.toml"),
    include_str!("operations.toml"),
];

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    let parsed = FILES.iter().flat_map(|text| {
        parse_catalog(text).expect("the catalog that is compiled in is tested to parse")
    });
    Catalog::new(parsed.map(Arc::new).collect())
});

/// The most entries of the operator's own, since their ids are labels of
/// metrics.
pub const MAX_OWN: usize = 32;

/// All trackers, indexed by host, and the policy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    index: Arc<Index>,
    policy: Arc<Policy>,
}

#[derive(Debug, Default)]
struct Index {
    trackers: Vec<Arc<Tracker>>,
    /// By host name: positions of the entry and of the host in it.
    by_host: HashMap<Box<str>, Vec<(usize, usize)>>,
    /// Positions of the entries that have a protocol and of its rules, the most
    /// specific rule first.
    protocols: Vec<(usize, usize)>,
}

impl Catalog {
    /// The catalog that is compiled in.
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    fn new(trackers: Vec<Arc<Tracker>>) -> Self {
        let mut index = Index::default();
        for (position, tracker) in trackers.iter().enumerate() {
            for (place, host) in tracker.hosts.iter().enumerate() {
                let entries = index.by_host.entry(host.name.clone()).or_default();
                entries.push((position, place));
            }
            let rules = 0..tracker.protocol.len();
            index.protocols.extend(rules.map(|rule| (position, rule)));
        }
        index.protocols.sort_by_key(|(position, rule)| {
            let tracker = trackers.get(*position);
            let rule = tracker.and_then(|tracker| tracker.protocol.get(*rule));
            std::cmp::Reverse(rule.map(PathRule::specificity))
        });
        index.trackers = trackers;
        Self {
            index: Arc::new(index),
            policy: Arc::default(),
        }
    }

    /// This catalog with the operator's own entries first, replacing those with
    /// the same id, and imported hosts last: those that no entry has, in an
    /// entry of their own.
    #[must_use]
    pub fn with_lists(&self, own: Vec<Tracker>, imported: Vec<Host>) -> Self {
        let mut trackers: Vec<Arc<Tracker>> = Vec::new();
        // Of own entries with one id, the last one counts.
        for entry in own {
            trackers.retain(|known| known.id != entry.id);
            trackers.push(Arc::new(entry));
        }
        let overridden = trackers.len();
        for entry in &self.index.trackers {
            let mut own = trackers.iter().take(overridden);
            if !own.any(|own| own.id == entry.id) {
                trackers.push(Arc::clone(entry));
            }
        }
        let known = Self::new(trackers.clone());
        let mut hosts: Vec<Host> = imported
            .into_iter()
            .filter(|host| known.candidates(&host.name).next().is_none())
            .collect();
        hosts.sort_by(|one, other| (&one.name, !one.below).cmp(&(&other.name, !other.below)));
        hosts.dedup_by(|one, other| one.name == other.name);
        if !hosts.is_empty() {
            trackers.push(Arc::new(Tracker {
                id: IMPORTED.into(),
                owner: "unknown".into(),
                category: Category::Ads,
                confidence: Confidence::Low,
                hosts,
                paths: Vec::new(),
                protocol: Vec::new(),
                hashed: Vec::new(),
            }));
        }
        Self {
            policy: Arc::clone(&self.policy),
            ..Self::new(trackers)
        }
    }

    /// This catalog under another policy.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        Self {
            index: Arc::clone(&self.index),
            policy: Arc::new(policy),
        }
    }

    /// Every entry, in the order of the catalog.
    pub fn entries(&self) -> &[Arc<Tracker>] {
        &self.index.trackers
    }

    /// Whether the policy declares `host` the operator's own.
    pub fn is_first_party(&self, host: &str) -> bool {
        normalize_host(host).is_some_and(|host| self.policy.is_first_party(&host))
    }

    /// The tracker that receives a request with this method and decoded path
    /// (without query). `host` may have a port and any case. A match that
    /// `needs_body_shape` is a guess until [`Catalog::confirm`] has checked the
    /// body.
    pub fn match_request(&self, host: Option<&str>, method: &str, path: &str) -> Option<Match> {
        self.search(host, method, path, |_| true)
    }

    /// Like [`Catalog::match_request`], but paths that other interfaces share
    /// count only if `fits` confirms that the body has the protocol's shape.
    pub fn confirm(
        &self,
        host: Option<&str>,
        method: &str,
        path: &str,
        fits: impl FnMut(BodyShape) -> bool,
    ) -> Option<Match> {
        self.search(host, method, path, fits)
    }

    fn search(
        &self,
        host: Option<&str>,
        method: &str,
        path: &str,
        mut fits: impl FnMut(BodyShape) -> bool,
    ) -> Option<Match> {
        let host = host.and_then(normalize_host);
        let host = host.as_deref().unwrap_or_default();
        if self.policy.is_first_party(host) {
            return None;
        }
        let segments = Segments::new(path);
        for (tracker, _) in self.candidates(host) {
            let mut rules = tracker.paths.iter();
            if let Some(segments) = &segments
                && let Some(rule) = rules.find(|rule| rule.matches(host, method, segments))
            {
                return Some(self.found(tracker, host, MatchedBy::HostAndPath, Some(rule)));
            }
        }
        if let Some((tracker, entry)) = self.by_name(host) {
            let is_tracker = entry.alone;
            return is_tracker.then(|| self.found(tracker, host, MatchedBy::Host, None));
        }
        let segments = segments?;
        self.index.protocols.iter().find_map(|(position, rule)| {
            let tracker = self.index.trackers.get(*position)?;
            let rule = tracker.protocol.get(*rule)?;
            let right = rule.matches("", method, &segments) && rule.shape.is_none_or(&mut fits);
            right.then(|| self.found(tracker, host, MatchedBy::Protocol, Some(rule)))
        })
    }

    /// The match of `tracker` at `host`, under the policy.
    pub(crate) fn found(
        &self,
        tracker: &Arc<Tracker>,
        host: &str,
        matched_by: MatchedBy,
        rule: Option<&PathRule>,
    ) -> Match {
        let agreement = self
            .policy
            .has_agreement(tracker, host, matched_by != MatchedBy::Protocol);
        let weight = if agreement {
            Weight::R1
        } else if matched_by == MatchedBy::Protocol {
            // The operator of an unknown host is unknown too, so never
            // advertising.
            Weight::R2
        } else {
            tracker.category.weight()
        };
        Match {
            tracker: Arc::clone(tracker),
            matched_by,
            housekeeping: rule.is_some_and(|rule| rule.role == Role::Housekeeping),
            weight,
            agreement,
            pattern: rule.map(|rule| Arc::clone(&rule.path)),
            needs_body_shape: rule.and_then(|rule| rule.shape),
        }
    }

    /// The tracker to which this host belongs, as far as a name alone shows.
    pub fn match_host(&self, host: &str) -> Option<HostMatch> {
        let host = normalize_host(host)?;
        if self.policy.is_first_party(&host) {
            return None;
        }
        let (tracker, entry) = self.by_name(&host)?;
        let mut paths = PathCount::default();
        for (tracker, _) in self.candidates(&host) {
            let rules = tracker.paths.iter().filter(|rule| rule.host_fits(&host));
            for rule in rules {
                paths.known += 1;
                paths.events += usize::from(rule.role == Role::Event);
            }
        }
        Some(HostMatch {
            tracker: Arc::clone(tracker),
            alone: entry.alone,
            paths,
        })
    }

    /// The entry to which a host (normalized) belongs as long as no path decides:
    /// the one answer for requests that no rule matches, for connections and for
    /// contacts. Entries that the host alone identifies come first.
    fn by_name<'a>(&'a self, host: &'a str) -> Option<(&'a Arc<Tracker>, &'a Host)> {
        self.candidates(host)
            .find(|(_, entry)| entry.alone)
            .or_else(|| self.candidates(host).next())
    }

    /// The entries for `host` (normalized), the longest name first.
    fn candidates<'a>(
        &'a self,
        host: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<Tracker>, &'a Host)> {
        let parents = std::iter::successors(Some(host), |name| {
            name.split_once('.').map(|(_, parent)| parent)
        });
        parents
            .filter_map(|name| self.index.by_host.get(name))
            .flatten()
            .filter_map(|(position, place)| {
                let tracker = self.index.trackers.get(*position)?;
                Some((tracker, tracker.hosts.get(*place)?))
            })
            .filter(move |(_, entry)| entry.matches(host))
    }
}
