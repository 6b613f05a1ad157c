//! The URL of a request, reconstructed from what is known of it.

use std::net::{IpAddr, SocketAddr};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};

use crate::{http::Header, message::Message};

/// What cannot stand in a URL as it is.
const UNFIT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#');

/// Pairs of a query that are listed.
const MAX_PAIRS: usize = 1_000;
/// The port of HTTPS.
const HTTPS: u16 = 443;

/// The URL of the request of `message`.
pub(super) fn url(message: &Message, headers: &[Header], target: &[u8]) -> String {
    let target = percent_encode(target, UNFIT).to_string();
    if target.contains("://") && !target.starts_with('/') {
        return target;
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    let scheme = if is_https(message) { "https" } else { "http" };
    format!("{scheme}://{}{slash}{target}", authority(message, headers))
}

/// Whether the request was sent over TLS, or to a host that speaks only TLS.
fn is_https(message: &Message) -> bool {
    let origin = message.origin.as_deref();
    let server = origin.and_then(|origin| {
        if message.facts.page {
            origin.local
        } else {
            origin.peer
        }
    });
    message.server_name.is_some()
        || origin.is_some_and(|origin| origin.source.is_tls())
        || server.is_some_and(|server| server.port() == HTTPS)
}

/// Host and port: those that the request names, or else those of its
/// connection.
fn authority(message: &Message, headers: &[Header]) -> String {
    let named = headers
        .iter()
        .find(|header| header.name == "host")
        .and_then(|header| std::str::from_utf8(header.value.expose()).ok())
        .filter(|name| is_authority(name));
    let host = named.map(str::to_owned).or_else(|| {
        let known = message.facts.host.as_deref();
        known
            .or(message.server_name.as_deref())
            .filter(|name| is_authority(name))
            .map(bracketed)
    });
    let peer = || {
        let origin = message.origin.as_deref()?;
        let server = if message.facts.page {
            origin.local
        } else {
            origin.peer
        };
        server.as_ref().map(SocketAddr::to_string)
    };
    host.or_else(peer)
        .unwrap_or_else(|| "unknown.invalid".to_owned())
}

/// Whether `name` can be host and port of a URL.
fn is_authority(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

/// An IPv6 address stands in brackets.
fn bracketed(host: &str) -> String {
    match host.parse() {
        Ok(IpAddr::V6(_)) => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

/// The pairs of the query of `target`, decoded.
pub(super) fn query(target: &[u8]) -> Vec<(String, String)> {
    let Some(start) = target.iter().position(|byte| *byte == b'?') else {
        return Vec::new();
    };
    let query = target.get(start + 1..).unwrap_or_default();
    query
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .take(MAX_PAIRS)
        .map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = equals.map_or((pair, &[][..]), |equals| {
                let (name, value) = pair.split_at(equals);
                (name, value.get(1..).unwrap_or_default())
            });
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &[u8]) -> String {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}
