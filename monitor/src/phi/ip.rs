//! Addresses of clients on the network: by key or header, of public scope.

pub(super) use super::sets::ip::KEYS;
use super::sets::ip::MACHINES;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
};

/// Addresses in one header beyond this are proxies.
const MAX_HOPS: usize = 8;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    // An address has points or colons, a hash neither.
    let has_mark = value.bytes().take(64).any(|byte| b".:".contains(&byte));
    if !has_mark {
        if let Some(digest) = digest(value)
            && named::is(subject, KEYS)
        {
            hits.hashed(Identifier::Ip, Strength::I1, "ip.key.hash", digest);
        }
        return;
    }
    if !named::is(subject, KEYS) || subject.leaf().is_some_and(|leaf| leaf.has_word(MACHINES)) {
        return;
    }
    // The client is the first of a chain.
    let client = value
        .split([',', ';'])
        .take(MAX_HOPS)
        .filter_map(address)
        .find(|address| is_public(*address));
    if let Some(client) = client {
        hits.plain(Identifier::Ip, Strength::I1, "ip.key", client.to_string());
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, `for="[2001:db8::1]"`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix("for=").unwrap_or(text).trim_matches('"');
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let text = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => text.rsplit_once(':')?.0,
    };
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// Whether an address can be a person's. Documentation ranges count: synthetic
/// traffic uses them.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_carrier_nat = first == 100 && (64..128).contains(&second);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || is_carrier_nat
        || first == 0
        || first >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local())
}
