//! Host, method and path to tracker: who receives a request.
//!
//! Input: the host that a request names, its method and its decoded path.
//! Output: a [`Match`] with an entry of the [`Catalog`], or nothing. Hosts that
//! also serve other interfaces need a path rule. A tracker's protocol is
//! recognized on unknown hosts too, because proxies and gateways are common.
//! The operator's declarations, [`Policy`] and [`Services`], are also here.

mod catalog;
mod category;
mod entry;
mod list;
mod parse;
mod pattern;
mod policy;
mod service;
mod shape;

use std::{borrow::Cow, sync::Arc};

pub use self::{
    catalog::{Catalog, MAX_OWN},
    category::{Category, Confidence, Weight},
    entry::{Host, PathRule, Role, Tracker},
    list::{HostList, MAX_NAMES, parse_list},
    parse::{CatalogError, parse_catalog},
    policy::{Policy, PolicyError},
    service::{Service, Services},
    shape::{BodyShape, body_fits, fields_fit},
};

pub(crate) use pattern::literal_segments;

use crate::name::named;

/// The id of the entry that imported hosts belong to.
pub const IMPORTED: &str = "imported";

named! {
    /// How a request was matched.
    pub enum MatchedBy {
        /// The host alone.
        Host = "host",
        /// The host and the path.
        HostAndPath = "host+path",
        /// The path, and if needed the body, on an unknown host.
        Protocol = "protocol",
        /// A page's script, or an id of the tracker in it.
        Script = "script",
    }
}

/// The tracker that receives a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The entry.
    pub tracker: Arc<Tracker>,
    /// What matched.
    pub matched_by: MatchedBy,
    /// Whether the request is one that reads settings or reports.
    pub housekeeping: bool,
    /// How much a disclosure to this recipient weighs.
    pub weight: Weight,
    /// Whether the operator declared an agreement with the recipient.
    pub agreement: bool,
    /// The path pattern that matched, if one did.
    pub pattern: Option<Arc<str>>,
    /// The shape that the body must have, because others share the path.
    pub needs_body_shape: Option<BodyShape>,
}

/// The tracker to which a host belongs, if only the host is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostMatch {
    /// The entry.
    pub tracker: Arc<Tracker>,
    /// Whether the host serves only the tracker.
    pub alone: bool,
    /// The interfaces that the catalog knows at the host, of any tracker.
    pub paths: PathCount,
}

/// How many of a host's interfaces are those of trackers, as far as the catalog
/// knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PathCount {
    /// Those that carry events or people.
    pub events: usize,
    /// All of them.
    pub known: usize,
}

/// Longer names are no host names (RFC 1035 allows 253).
const MAX_HOST_LENGTH: usize = 255;

/// Lower case, without port and trailing dot. `None` if it is no host name.
fn normalize_host(host: &str) -> Option<Cow<'_, str>> {
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
    if !is_name {
        return None;
    }
    Some(if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    })
}

#[cfg(test)]
mod tests;
