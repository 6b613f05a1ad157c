//! Host names: those of recipients stay, others get other letters.

use std::{collections::HashSet, sync::LazyLock};

use super::{known::Known, scramble};
use crate::{field::url, tracker::Catalog};

/// Hosts of the catalog.
static RECIPIENTS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    Catalog::builtin()
        .entries()
        .iter()
        .flat_map(|tracker| tracker.hosts.iter())
        .map(|host| host.name.to_string())
        .collect()
});

/// Hosts that name standards, not sites.
const STANDARDS: &[&str] = &[
    "hl7.org",
    "loinc.org",
    "snomed.info",
    "schema.org",
    "w3.org",
];

/// Scheme and authority of a URL.
pub(super) fn origin(known: &Known<'_>, origin: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(origin) else {
        return scramble::bytes(known.key, origin);
    };
    let Some((scheme, authority)) = text.split_once("://") else {
        return origin.to_vec();
    };
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let (name, port) = match address.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (address, None),
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(scheme);
    out.push_str("://");
    if let Some(user) = user {
        out.push_str(&scramble::unknown(known.key, user));
        out.push('@');
    }
    out.push_str(&host(known, name));
    if let Some(port) = port {
        out.push(':');
        out.push_str(port);
    }
    out.into_bytes()
}

/// Whether scheme and authority belong to a recipient.
pub(super) fn is_of_recipient(origin: &[u8]) -> bool {
    let text = String::from_utf8_lossy(origin).to_ascii_lowercase();
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    is_recipient(authority.split(':').next().unwrap_or_default())
}

/// A host name: `www` and the suffix stay, and the whole name of a recipient.
pub(super) fn host(known: &Known<'_>, name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if is_recipient(&lower) {
        return name.to_owned();
    }
    if known.has(name) {
        return known.text(name, None);
    }
    let last = name.split('.').count().saturating_sub(1);
    let labels: Vec<String> = name
        .split('.')
        .enumerate()
        .map(|(index, label)| {
            let is_plain = label.eq_ignore_ascii_case("www") || (index > 0 && index == last);
            if is_plain {
                label.to_owned()
            } else {
                scramble::unknown(known.key, label)
            }
        })
        .collect();
    labels.join(".")
}

/// Whether a host, or one above it, is a recipient's.
fn is_recipient(lower: &str) -> bool {
    let mut rest = Some(lower);
    while let Some(name) = rest {
        if RECIPIENTS.contains(name) || STANDARDS.contains(&name) {
            return true;
        }
        rest = url::split_once(name.as_bytes(), b'.')
            .1
            .and_then(|rest| std::str::from_utf8(rest).ok());
    }
    false
}
