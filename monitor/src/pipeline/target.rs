//! Where a request goes, as far as its text shows.

use std::net::IpAddr;

use crate::event::Origin;

/// Suffixes of names that no public host has.
const INTERNAL_SUFFIXES: &[&str] = &[
    ".cluster.local",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".lan",
    ".local",
    ".localhost",
    ".svc",
];

/// Whether a request leaves the operator's own network, as far as the host's
/// name shows, or the address if there is no name.
pub(super) fn is_third_party(host: &str, origin: Option<&Origin>) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let name = name.trim_matches(['[', ']']).to_ascii_lowercase();
    let address = if name.is_empty() {
        origin.and_then(|origin| origin.peer).map(|peer| peer.ip())
    } else {
        name.parse().ok()
    };
    match address {
        Some(IpAddr::V4(v4)) => !(v4.is_loopback() || v4.is_private() || v4.is_link_local()),
        Some(IpAddr::V6(v6)) => {
            !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local())
        }
        None => {
            name.contains('.')
                && !INTERNAL_SUFFIXES
                    .iter()
                    .any(|suffix| name.ends_with(suffix))
        }
    }
}

/// The path of a request target: without query, and without the scheme and
/// authority of the absolute form.
pub(super) fn path_of(target: &[u8]) -> String {
    let text = String::from_utf8_lossy(target);
    let text = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => &text,
    };
    text.split(['?', '#']).next().unwrap_or("/").to_owned()
}
