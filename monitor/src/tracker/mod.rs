//! Host, method and path to tracker: who receives a request.
//!
//! Input: the host that a request names, its method and its decoded path.
//! Output: a [`Match`] with an entry of the [`Catalog`], or nothing. Hosts that
//! also serve other interfaces need a path rule; a tracker's protocol is
//! recognised on unknown hosts, because proxies and gateways are common.

mod catalog;
mod pattern;

use std::collections::HashMap;

use pattern::path_matches;

pub(crate) use pattern::literal_segments;

/// What a recipient is in business for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Advertising platform.
    Ads,
    /// Demand-side platform of programmatic advertising.
    Dsp,
    /// Product or web analytics.
    Analytics,
    /// Session replay.
    Replay,
    /// Customer-data platform, which fans out to others.
    Cdp,
    /// Attribution of app installs.
    Attribution,
    /// Email, text and push messaging, and customer records.
    Messaging,
    /// A loader of other tags.
    TagManager,
}

impl Category {
    /// Every category.
    pub const ALL: &'static [Self] = &[
        Self::Ads,
        Self::Dsp,
        Self::Analytics,
        Self::Replay,
        Self::Cdp,
        Self::Attribution,
        Self::Messaging,
        Self::TagManager,
    ];

    /// The name in records and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ads => "ads",
            Self::Dsp => "dsp",
            Self::Analytics => "analytics",
            Self::Replay => "replay",
            Self::Cdp => "cdp",
            Self::Attribution => "attribution",
            Self::Messaging => "messaging",
            Self::TagManager => "tag_manager",
        }
    }

    /// How much a disclosure to this kind of recipient weighs.
    pub const fn weight(self) -> Weight {
        match self {
            Self::Ads | Self::Dsp => Weight::R3,
            Self::Analytics
            | Self::Replay
            | Self::Cdp
            | Self::Attribution
            | Self::Messaging
            | Self::TagManager => Weight::R2,
        }
    }
}

/// The recipient axis of the severity matrix, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    /// A third party with a declared business associate agreement.
    R1,
    /// Another third party.
    R2,
    /// Advertising and identity.
    R3,
}

/// Which hosts an entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Lower case, without leading dot.
    pub name: &'static str,
    /// Whether hosts below `name` are meant too; the apex always is.
    pub below: bool,
    /// Whether the host alone tells the tracker. Where it does not, the host
    /// serves other interfaces too, and a [`PathRule`] decides.
    pub alone: bool,
}

impl Host {
    /// Whether `host` (normalised) is meant.
    pub fn matches(&self, host: &str) -> bool {
        host == self.name || (self.below && is_below(host, self.name))
    }
}

/// Whether `host` lies below `apex`, on a label boundary.
fn is_below(host: &str, apex: &str) -> bool {
    host.strip_suffix(apex)
        .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It carries events or people.
    Event,
    /// It reads settings or reports, or manages the account.
    Housekeeping,
}

/// One interface of a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// Methods, separated by `|`, or `*`.
    pub methods: &'static str,
    /// `graph.facebook.com`, or `.tiktok.com` for hosts below as well, or nothing
    /// for every host of the entry.
    pub host: &'static str,
    /// Segments separated by `/`. `*` stands for any characters inside one
    /// segment, a leading `**` for any number of segments before, a trailing
    /// one for any number after.
    pub path: &'static str,
    /// What it does.
    pub role: Role,
}

impl PathRule {
    fn matches(&self, host: &str, method: &str, path: &str) -> bool {
        let host_fits = match self.host.strip_prefix('.') {
            Some(apex) => host == apex || is_below(host, apex),
            None => self.host.is_empty() || self.host == host,
        };
        host_fits && self.method_fits(method) && path_matches(self.path, path)
    }

    fn method_fits(&self, method: &str) -> bool {
        self.methods == "*"
            || self
                .methods
                .split('|')
                .any(|own| own.eq_ignore_ascii_case(method))
    }
}

/// One entry of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// Id in records and labels; the set is closed.
    pub id: &'static str,
    /// The company behind it.
    pub owner: &'static str,
    /// What it is in business for.
    pub category: Category,
    /// Its hosts.
    pub hosts: &'static [Host],
    /// Its interfaces, the more specific first.
    pub paths: &'static [PathRule],
    /// Its interfaces where they stand on a host that the catalog does not
    /// know; `host` is empty.
    pub protocol: &'static [PathRule],
}

/// How a request was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchedBy {
    /// The host alone.
    Host,
    /// The host and the path.
    HostAndPath,
    /// The path, on an unknown host.
    Protocol,
}

impl MatchedBy {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::HostAndPath => "host+path",
            Self::Protocol => "protocol",
        }
    }
}

/// The tracker that receives a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The entry.
    pub tracker: &'static Tracker,
    /// What matched.
    pub matched_by: MatchedBy,
    /// Whether the request is one that reads settings or reports.
    pub housekeeping: bool,
    /// How much a disclosure to this recipient weighs.
    pub weight: Weight,
    /// The path pattern that matched, if one did.
    pub pattern: Option<&'static str>,
}

/// The tracker that a host belongs to, where only the host is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostMatch {
    /// The entry.
    pub tracker: &'static Tracker,
    /// Whether the host serves nothing but the tracker.
    pub alone: bool,
}

/// All trackers, indexed by host.
#[derive(Clone, Debug)]
pub struct Catalog {
    trackers: Vec<&'static Tracker>,
    by_host: HashMap<&'static str, Vec<(&'static Tracker, Host)>>,
}

/// Names longer than this are no host names (RFC 1035 allows 253).
const MAX_HOST_LENGTH: usize = 255;

impl Catalog {
    /// The catalog that is compiled in.
    pub fn builtin() -> Self {
        let mut by_host: HashMap<_, Vec<_>> = HashMap::new();
        let trackers: Vec<&'static Tracker> = catalog::TRACKERS.iter().copied().flatten().collect();
        for tracker in &trackers {
            for host in tracker.hosts {
                by_host
                    .entry(host.name)
                    .or_default()
                    .push((*tracker, *host));
            }
        }
        Self { trackers, by_host }
    }

    /// Every entry, in the order of the catalog.
    pub fn entries(&self) -> &[&'static Tracker] {
        &self.trackers
    }

    /// The tracker that receives a request with this method and decoded path
    /// (without query). `host` may have a port and any case.
    pub fn match_request(&self, host: Option<&str>, method: &str, path: &str) -> Option<Match> {
        let host = host.and_then(normalize_host);
        let known = host
            .as_deref()
            .map(|host| self.candidates(host))
            .unwrap_or_default();
        let host = host.as_deref().unwrap_or_default();
        for (tracker, _) in &known {
            if let Some(rule) = tracker
                .paths
                .iter()
                .find(|rule| rule.matches(host, method, path))
            {
                return Some(Match {
                    tracker,
                    matched_by: MatchedBy::HostAndPath,
                    housekeeping: rule.role == Role::Housekeeping,
                    weight: tracker.category.weight(),
                    pattern: Some(rule.path),
                });
            }
        }
        if let Some((tracker, _)) = known.iter().find(|(_, host)| host.alone) {
            return Some(Match {
                tracker,
                matched_by: MatchedBy::Host,
                housekeeping: false,
                weight: tracker.category.weight(),
                pattern: None,
            });
        }
        if !known.is_empty() {
            return None;
        }
        self.match_protocol(host, method, path)
    }

    /// The tracker whose host this is, as far as a name alone can tell.
    pub fn match_host(&self, host: &str) -> Option<HostMatch> {
        let known = self.candidates(&normalize_host(host)?);
        let (tracker, host) = known
            .iter()
            .find(|(_, host)| host.alone)
            .or_else(|| known.first())?;
        Some(HostMatch {
            tracker,
            alone: host.alone,
        })
    }

    /// The entries that mean `host`, the longest name first.
    fn candidates(&self, host: &str) -> Vec<(&'static Tracker, Host)> {
        let mut found = Vec::new();
        let mut rest = Some(host);
        while let Some(name) = rest {
            if let Some(entries) = self.by_host.get(name) {
                found.extend(entries.iter().filter(|(_, entry)| entry.matches(host)));
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        found
    }

    fn match_protocol(&self, host: &str, method: &str, path: &str) -> Option<Match> {
        self.trackers.iter().find_map(|tracker| {
            let rule = tracker.protocol.iter().find(|rule| {
                rule.matches("", method, path)
                    && (!COMMON_PATHS.contains(&rule.path) || names_analytics(host))
            })?;
            Some(Match {
                tracker,
                matched_by: MatchedBy::Protocol,
                housekeeping: rule.role == Role::Housekeeping,
                // Who runs an unknown host is unknown too, so never advertising.
                weight: Weight::R2,
                pattern: Some(rule.path),
            })
        })
    }
}

/// Paths of trackers that other interfaces have too, such as the clinic's own.
const COMMON_PATHS: &[&str] = &["/v1/batch", "/v1/identify", "/v1/page", "/v1/track"];

/// Words of host names that say what the host is for.
const ANALYTICS_WORDS: &[&str] = &[
    "analytics",
    "cdp",
    "collect",
    "events",
    "rudder",
    "segment",
    "track",
];

/// Whether a part of a label of `host` is a word for analytics. Endings count
/// as well (`rudderstack`, `collector`, `tracking`).
fn names_analytics(host: &str) -> bool {
    host.split(['.', '-', '_'])
        .any(|part| ANALYTICS_WORDS.iter().any(|word| part.starts_with(word)))
}

/// Lower case, without port and trailing dot. `None` for what is no host name.
fn normalize_host(host: &str) -> Option<String> {
    let host = host.trim();
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_name = !host.is_empty()
        && host.len() <= MAX_HOST_LENGTH
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    is_name.then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
