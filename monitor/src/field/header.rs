//! Headers to fields: those that can hold something about a person.
//!
//! Credentials, framing and content negotiation are left out: they are no
//! personal data, and phiwatch has no business with credentials.

use super::{Part, Reader, Sink, Span, ValueKind, content, url};
use crate::http::Header;

/// What of the headers is read besides `x-*`.
const NAMES: &[&str] = &[
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "cookie",
    "fastly-client-ip",
    "forwarded",
    "from",
    "referer",
    "true-client-ip",
    "user-agent",
];
/// Words in the name of an `x-*` header that mark it as a credential.
const CREDENTIALS: &[&str] = &[
    "token",
    "secret",
    "key",
    "auth",
    "signature",
    "csrf",
    "xsrf",
];

/// Yields the fields of `headers` below their lower-case names.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, headers: &[Header]) {
    for header in headers {
        if reader.is_full() {
            return;
        }
        let name = header.name.as_str();
        if !is_read(name) {
            continue;
        }
        reader.start_part(Part::Header);
        reader.go_key(name.as_bytes());
        read_value(reader, name, header.value.expose().trim_ascii());
    }
}

/// Yields the fields of the value of the header `name` below the current path.
pub(crate) fn read_value<S: Sink>(reader: &mut Reader<'_, S>, name: &str, value: &[u8]) {
    match name {
        "cookie" => read_pairs(reader, value),
        "forwarded" => read_list(reader, value, read_pairs),
        "x-forwarded-for" => read_list(reader, value, read_text),
        "user-agent" => read_text(reader, value),
        _ => content::read_value(reader, Span::plain(value), false),
    }
}

/// Whether the header of this lower-case name is read.
fn is_read(name: &str) -> bool {
    if NAMES.contains(&name) {
        return true;
    }
    name.strip_prefix("x-")
        .is_some_and(|rest| !CREDENTIALS.iter().any(|word| rest.contains(word)))
}

/// Yields a text that is no container.
fn read_text<S: Sink>(reader: &mut Reader<'_, S>, text: &[u8]) {
    reader.take(Span::plain(text), ValueKind::Text, false);
}

/// Yields `a=b; c="d"` by its names.
fn read_pairs<S: Sink>(reader: &mut Reader<'_, S>, pairs: &[u8]) {
    let base = reader.path_length();
    for pair in pairs.split(|byte| *byte == b';') {
        if reader.is_full() {
            return;
        }
        let (name, value) = url::split_once(pair.trim_ascii(), b'=');
        let value = if let Some(value) = value {
            let name = name.trim_ascii();
            reader.name(Span::plain(name));
            reader.go_key(name);
            value.trim_ascii()
        } else {
            name
        };
        let unquoted = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""));
        if !value.is_empty() {
            content::read_value(reader, Span::plain(unquoted.unwrap_or(value)), false);
        }
        reader.go_back(base);
    }
}

/// Reads the items of a list with commas, by their index if there are several.
fn read_list<S: Sink>(
    reader: &mut Reader<'_, S>,
    list: &[u8],
    read: impl Fn(&mut Reader<'_, S>, &[u8]),
) {
    let base = reader.path_length();
    let many = memchr::memchr(b',', list).is_some();
    for (index, item) in list.split(|byte| *byte == b',').enumerate() {
        if reader.is_full() {
            return;
        }
        if many {
            reader.go_index(index);
        }
        read(reader, item.trim_ascii());
        reader.go_back(base);
    }
}
