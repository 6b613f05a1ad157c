//! Headers: those that describe the message stay, others are rewritten.

use bytes::Bytes;

use super::{known::Known, rewriter::Rewriter, scramble};
use crate::{field::header, http::Header, secret::Secret};

/// Headers whose value stays, unless it contains a hidden value.
const KEPT: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-max-age",
    "access-control-request-headers",
    "access-control-request-method",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "date",
    "dnt",
    "expect",
    "expires",
    "host",
    "keep-alive",
    "last-modified",
    "pragma",
    "priority",
    "proxy-connection",
    "retry-after",
    "sec-ch-ua-mobile",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-gpc",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "vary",
];
/// Names of other headers that reveal nothing about anyone.
const NAMES: &[&str] = &[
    "authorization",
    "cookie",
    "content-disposition",
    "content-security-policy",
    "content-type",
    "etag",
    "forwarded",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "link",
    "location",
    "origin",
    "proxy-authorization",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-platform",
    "set-cookie",
    "strict-transport-security",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "user-agent",
    "via",
    "www-authenticate",
];
/// Names of programs that a user agent may keep.
const PROGRAMS: &[&str] = &[
    "applewebkit",
    "axios",
    "chrome",
    "curl",
    "edg",
    "firefox",
    "gecko",
    "go-http-client",
    "java",
    "khtml",
    "like",
    "mobile",
    "mozilla",
    "node",
    "node-fetch",
    "okhttp",
    "php",
    "python",
    "python-requests",
    "python-urllib",
    "requests",
    "ruby",
    "safari",
    "undici",
    "urllib3",
    "version",
    "wget",
];
/// The longest value that stays, in bytes.
const MAX_KEPT: usize = 256;
/// The longest media type without parameters, in bytes.
const MAX_TYPE: usize = 80;

impl Rewriter<'_> {
    /// The headers, rewritten.
    pub(super) fn headers(&mut self, headers: &[Header]) -> Vec<Header> {
        headers
            .iter()
            .map(|header| {
                let value = self.header(&header.name, header.value.expose());
                Header {
                    name: self.header_name(&header.name),
                    value: Secret::new(Bytes::from(value)),
                }
            })
            .collect()
    }

    fn header_name(&self, name: &str) -> String {
        let is_kept = KEPT.contains(&name)
            || NAMES.contains(&name)
            || super::vocabulary::is_kept_key(name, &self.known.hidden)
            || name
                .strip_prefix("x-")
                .is_some_and(|rest| super::vocabulary::is_kept_key(rest, &self.known.hidden));
        if is_kept {
            return name.to_owned();
        }
        match name.strip_prefix("x-") {
            Some(rest) => format!("x-{}", self.known.key_name(rest)),
            None => self.known.key_name(name),
        }
    }

    fn header(&mut self, name: &str, value: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let is_plain = !text.is_empty() && text.len() <= MAX_KEPT && !self.known.hides(text);
        match name {
            _ if value.is_empty() => Vec::new(),
            "content-type" if is_plain => content_type(self.known, text),
            _ if KEPT.contains(&name) && is_plain => value.to_vec(),
            "user-agent" => user_agent(self.known, text),
            "origin" if text.contains("://") => super::host::origin(self.known, value),
            _ => {
                let own = value.trim_ascii();
                let new = self.rewrite(value, |reader| header::read_value(reader, name, own));
                // A header is one line.
                new.into_iter()
                    .map(|byte| {
                        if matches!(byte, 0 | b'\r' | b'\n') {
                            b' '
                        } else {
                            byte
                        }
                    })
                    .collect()
            }
        }
    }
}

/// A media type and the boundary of its parts, which must match the body.
fn content_type(known: &Known<'_>, text: &str) -> Vec<u8> {
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    let is_kind = kind.len() <= MAX_TYPE
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/+-.* ".contains(&byte));
    if !is_kind {
        return scramble::bytes(known.key, text.as_bytes());
    }
    let is_known = parameters.is_empty()
        || ["charset=", "boundary="].iter().any(|name| {
            parameters
                .trim_ascii_start()
                .to_ascii_lowercase()
                .starts_with(name)
        });
    if is_known {
        text.as_bytes().to_vec()
    } else {
        let mut out = kind.as_bytes().to_vec();
        out.push(b';');
        out.extend(scramble::bytes(known.key, parameters.as_bytes()));
        out
    }
}

/// Widely used programs and their versions stay; everything about the machine
/// that they run on gets other letters.
fn user_agent(known: &Known<'_>, text: &str) -> Vec<u8> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| " ();,".contains(c))
            .unwrap_or(rest.len());
        let (token, behind) = rest.split_at(end);
        let (name, version) = token.split_once('/').unwrap_or((token, ""));
        let is_version = version.len() <= 16
            && version
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_known = PROGRAMS.contains(&name.to_ascii_lowercase().as_str())
            || super::vocabulary::is_harmless(name, None, &known.hidden);
        if token.is_empty() || (is_known && is_version) {
            out.push_str(token);
        } else {
            out.push_str(&known.text(token, None));
        }
        let mark = behind.chars().next().map_or(0, char::len_utf8);
        let (mark, behind) = behind.split_at(mark);
        out.push_str(mark);
        rest = behind;
    }
    out.into_bytes()
}
