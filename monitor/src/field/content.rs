//! What a body or a value is, by its own looks, and which reader takes it.
//!
//! Content-Type is never asked: it is wrong too often. A container that is too
//! deep, or for which no bytes are left, is yielded as the text that it is.

use super::{
    Reader, ValueKind, base64, compression::Coding, form, json, multipart, percent, text, url, xml,
};

/// Keys whose value is a form even with a single pair, in lower case.
const FORM_KEYS: &[&str] = &[
    "body",
    "payload",
    "post_data",
    "postdata",
    "qs",
    "query",
    "query_string",
    "querystring",
    "search",
    "url_query",
];
/// A body of which more than one character in this many is a control character
/// is no text.
const BODY_TOLERANCE: usize = 10;

/// What a value is.
enum Content<'a> {
    Text,
    Compressed(Coding),
    Json(&'a [u8]),
    Xml(&'a [u8]),
    Url(url::Parts<'a>),
    Form(&'a [u8]),
    /// Base64 with this content.
    Base64(Vec<u8>),
    /// Percent-encoded once more, with this content.
    Percent(Vec<u8>),
}

/// Yields the fields of a body below the current path.
pub(super) fn read_body(reader: &mut Reader, body: &[u8], cut: bool) {
    if let Some(coding) = Coding::sniff(body) {
        read_compressed(reader, coding, body, cut);
        return;
    }
    let start = text::trim_start(body);
    if json::looks_like(start) || json::looks_like_string(start) {
        json::read(reader, start, cut);
    } else if let Some(separator) = multipart::sniff(start) {
        multipart::read(reader, start, separator, cut);
    } else if xml::looks_like(start) {
        xml::read(reader, start, cut);
    } else if let Some(content) = base64::decode_container(start) {
        // Before the form, for which padding would look like a pair.
        read_inner(reader, &content, cut);
    } else if form::looks_like(start.strip_prefix(b"?").unwrap_or(start), 1)
        && text::is_printable(start, Some(BODY_TOLERANCE))
    {
        form::read_lines(reader, start, cut);
    } else if !start.is_empty() && text::is_printable(start, Some(BODY_TOLERANCE)) {
        read_value(reader, start.trim_ascii_end(), cut);
    }
}

/// Yields the fields of a body inside of something else.
pub(super) fn read_inner(reader: &mut Reader, body: &[u8], cut: bool) {
    if let Some(allowed) = reader.enter(body.len()) {
        let kept = body.get(..allowed).unwrap_or(body);
        read_body(reader, kept, cut || kept.len() < body.len());
        reader.leave();
    }
}

/// Yields a value at the current path, or what is in it if it is a container.
/// `cut` says that the value goes on behind what is given.
pub(super) fn read_value(reader: &mut Reader, value: &[u8], cut: bool) {
    let content = sniff(value, reader.key());
    if let Content::Text | Content::Url(_) = content {
        reader.emit(value, ValueKind::Text, cut);
    }
    let length = match &content {
        Content::Text => return,
        Content::Base64(inner) | Content::Percent(inner) => inner.len(),
        _ => value.len(),
    };
    let Some(allowed) = reader.enter(length) else {
        if !matches!(content, Content::Url(_)) {
            reader.emit(value, ValueKind::Text, true);
        }
        return;
    };
    let cut = cut || allowed < length;
    let keep = |inner: &mut Vec<u8>| inner.truncate(allowed);
    match content {
        Content::Text => {}
        Content::Compressed(coding) => read_compressed(reader, coding, value, cut),
        Content::Json(inner) => json::read(reader, text::clip(inner, allowed), cut),
        Content::Xml(inner) => xml::read(reader, text::clip(inner, allowed), cut),
        Content::Form(inner) => form::read(reader, text::clip(inner, allowed), cut),
        Content::Url(parts) => url::read(reader, parts, cut),
        Content::Base64(mut inner) => {
            keep(&mut inner);
            read_body(reader, &inner, cut);
        }
        Content::Percent(mut inner) => {
            keep(&mut inner);
            read_value(reader, &inner, cut);
        }
    }
    reader.leave();
}

/// Yields the fields of what compressed data holds.
fn read_compressed(reader: &mut Reader, coding: Coding, data: &[u8], cut: bool) {
    let limit = reader.limits().inflated_bytes.min(reader.nested_left());
    let (content, incomplete) = coding.decode(data, limit);
    if incomplete && content.len() >= limit {
        reader.lose(crate::loss::Loss::FieldLength);
    }
    read_inner(reader, &content, cut || incomplete);
}

/// What `value` is, which stands under `key`.
fn sniff<'a>(value: &'a [u8], key: Option<&str>) -> Content<'a> {
    if let Some(coding) = Coding::sniff(value) {
        return Content::Compressed(coding);
    }
    let start = text::trim_start(value);
    if start.len() < 2 {
        return Content::Text;
    }
    if json::looks_like(start) || json::looks_like_string(start) {
        return Content::Json(start);
    }
    if start.starts_with(b"<?xml") {
        return Content::Xml(start);
    }
    if let Some(query) = start
        .strip_prefix(b"?")
        .filter(|query| form::looks_like(query, 1))
    {
        return Content::Form(query);
    }
    if let Some(parts) = url::sniff(start) {
        return Content::Url(parts);
    }
    if let Some(content) = base64::decode_container(start) {
        return Content::Base64(content);
    }
    let pairs = if key.is_some_and(carries_form) { 1 } else { 2 };
    if form::looks_like(start, pairs) {
        return Content::Form(start);
    }
    if percent::has_escape(start) && !start.iter().any(u8::is_ascii_whitespace) {
        let decoded = percent::decode(start, false).into_owned();
        if std::str::from_utf8(&decoded).is_ok() {
            return Content::Percent(decoded);
        }
    }
    Content::Text
}

/// Whether a value under `key` is a form even with a single pair.
fn carries_form(key: &str) -> bool {
    FORM_KEYS.iter().any(|name| name.eq_ignore_ascii_case(key))
}
