//! Recognizes the format of a body or a value, and passes it to the reader of
//! that format.
//!
//! Content-Type is ignored: it is wrong too often. A container that is too
//! deep, or for which no bytes are left, is yielded as text. What may be a text
//! as well as an encoding is yielded as both.

use super::{
    Encoding, Reader, Sink, Span, ValueKind,
    compression::Coding,
    csv, envelope, form, json, multipart, packed, protobuf,
    sniff::{self, Content},
    text, url, xml,
};
use crate::loss::Loss;

/// A body in which more than one character in this many is a control character
/// is not text.
const MAX_UNPRINTABLE: usize = 10;
/// The last step to a key that is yielded as a value.
const PAYLOAD_KEY: &[u8] = b"{key}";

/// Yields the fields of a body below the current path.
pub(crate) fn read_body<S: Sink>(reader: &mut Reader<'_, S>, body: &[u8], cut: bool) {
    if let Some(coding) = Coding::sniff(body) {
        return read_compressed(reader, coding, body, cut);
    }
    if let Some(text) = text::from_utf16(body, reader.limits().inflated_bytes) {
        let span = Span {
            raw: body,
            content: &text,
            encoding: Encoding::Utf16,
        };
        return read_inner(reader, span, cut);
    }
    let start = text::trim_start(body);
    let Some(first) = start.first() else { return };
    match first {
        b'{' | b'[' if json::looks_like(start) => return json::read(reader, start, cut),
        b'"' if json::looks_like_string(start) => return json::read(reader, start, cut),
        b'-' => {
            if let Some(separator) = multipart::sniff(start) {
                return multipart::read(reader, start, separator, cut);
            }
        }
        b'<' if xml::looks_like(start) => return xml::read(reader, start, cut),
        _ => {}
    }
    if read_binary(reader, body, cut) {
    } else if text::is_printable(start, Some(MAX_UNPRINTABLE)) {
        read_text_body(reader, start, cut);
    } else {
        reader.unread(body);
    }
}

/// Yields the fields of a body that is a text.
fn read_text_body<S: Sink>(reader: &mut Reader<'_, S>, start: &[u8], cut: bool) {
    if let Some(table) = csv::sniff(start) {
        return csv::read(reader, start, table, cut);
    }
    let end = start.trim_ascii_end();
    // Before the form, for which padding would look like a pair.
    let is_value = matches!(
        sniff::sniff(end, None),
        Content::Url(_) | Content::Coded(_) | Content::Token(_) | Content::Tagged(_)
    );
    if is_value {
        read_value(reader, Span::plain(end), cut);
    } else if form::looks_like(start.strip_prefix(b"?").unwrap_or(start), 1)
        || is_list_of_words(end)
    {
        form::read_lines(reader, start, cut);
    } else {
        read_value(reader, Span::plain(end), cut);
    }
}

/// Whether a body has several lines of one word each, such as hashes.
fn is_list_of_words(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').take(8).peekable();
    let is_word = |line: &[u8]| {
        let line = line.trim_ascii();
        line.len() > 4 && !line.iter().any(u8::is_ascii_whitespace)
    };
    memchr::memchr(b'\n', text).is_some()
        && lines.peek().is_some_and(|line| is_word(line))
        && lines.all(|line| line.trim_ascii().is_empty() || is_word(line))
}

/// Yields the fields of a body in a binary format; false if it is none.
fn read_binary<S: Sink>(reader: &mut Reader<'_, S>, body: &[u8], cut: bool) -> bool {
    // The tag of a protobuf message's first field is often a line break.
    let tagged = body.first() == Some(&b'\n');
    if text::is_printable(body, None) && !tagged {
        return false;
    }
    if protobuf::looks_like_frames(body, cut) {
        protobuf::read_frames(reader, body, cut);
    } else if let Some(format) = packed::sniff(body, cut) {
        packed::read(reader, body, format, cut);
    } else if protobuf::looks_like(body, cut && !text::is_printable(body, None)) {
        protobuf::read(reader, body, cut);
    } else {
        return false;
    }
    true
}

/// Yields the fields of a body within something else.
pub(super) fn read_inner<S: Sink>(reader: &mut Reader<'_, S>, span: Span<'_>, cut: bool) {
    let body = span.content;
    let Some(allowed) = reader.enter(body.len()) else {
        return reader.unread(span.raw);
    };
    let (kept, rest) = body.split_at_checked(allowed).unwrap_or((body, &[]));
    reader.open(span);
    read_body(reader, kept, cut || !rest.is_empty());
    reader.close(rest);
    reader.leave();
}

/// Descends to a key. One that looks like a value is first yielded as a value,
/// under a key that says so: clients do use addresses and names as keys.
pub(super) fn go_key<S: Sink>(reader: &mut Reader<'_, S>, key: Span<'_>) {
    read_key(reader, key);
    reader.go_key(key.content);
}

/// [`go_key`] for a key that other values of the message may share.
pub(super) fn go_shared_key<S: Sink>(reader: &mut Reader<'_, S>, key: Span<'_>) {
    read_key(reader, key);
    reader.go_shared_key(key.content);
}

fn read_key<S: Sink>(reader: &mut Reader<'_, S>, key: Span<'_>) {
    reader.name(key);
    if sniff::is_payload_key(key.content) {
        let base = reader.path_length();
        reader.go_key(PAYLOAD_KEY);
        reader.emit(key.content, ValueKind::Text, false);
        reader.go_back(base);
    }
}

/// Yields a value at the current path, or its contents if it is a container.
/// `cut` means that the value continues behind what is given.
pub(crate) fn read_value<S: Sink>(reader: &mut Reader<'_, S>, span: Span<'_>, cut: bool) {
    let value = span.content;
    let content = sniff::sniff(value, reader.key());
    let length = match &content {
        Content::Text => return reader.take(span, ValueKind::Text, cut),
        Content::Coded(coded) => coded.content.len(),
        Content::Again(inner, _) | Content::Token(inner) => inner.len(),
        Content::Quoted(inner) => inner.len(),
        _ => value.len(),
    };
    let is_text_too = content.is_text_too();
    if is_text_too {
        reader.emit(value, ValueKind::Text, cut);
    }
    let Some(allowed) = reader.enter(length) else {
        reader.place_value(span, ValueKind::Text);
        if !is_text_too {
            reader.emit(value, ValueKind::Text, true);
        }
        return;
    };
    if let Content::Coded(coded) = &content
        && !coded.sure
    {
        reader.either(span, &coded.content);
    }
    reader.open(span);
    read_content(reader, value, content, allowed, cut || allowed < length);
    reader.close(&[]);
    reader.leave();
}

/// Yields the fields of `content`, which is that of `value`; at most `allowed`
/// bytes of it are read.
fn read_content<S: Sink>(
    reader: &mut Reader<'_, S>,
    value: &[u8],
    content: Content<'_>,
    allowed: usize,
    cut: bool,
) {
    let start = text::trim_start(value);
    match content {
        Content::Text => {}
        Content::Compressed(coding) => read_compressed(reader, coding, value, cut),
        Content::Json(inner) => json::read(reader, text::clip(inner, allowed), cut),
        Content::Xml(inner, _) => xml::read(reader, text::clip(inner, allowed), cut),
        Content::Form(inner, separator) => {
            form::read(reader, text::clip(inner, allowed), separator, cut);
        }
        Content::Pair(inner) => form::read_pair(reader, text::clip(inner, allowed), cut),
        Content::Url(parts) => {
            reader.origin(parts.origin_in(value));
            url::read(reader, parts, cut);
        }
        Content::Multipart(inner, separator) => {
            multipart::read(reader, text::clip(inner, allowed), separator, cut);
        }
        Content::Tagged(entries) => envelope::read_tagged(reader, start, entries, cut),
        Content::Coded(coded) => {
            let span = Span {
                raw: start,
                content: &coded.content,
                encoding: coded.encoding,
            };
            let kept = text::clip(&coded.content, allowed);
            reader.open(span);
            read_body(reader, kept, cut);
            reader.close(coded.content.get(kept.len()..).unwrap_or_default());
        }
        Content::Token(inner) => envelope::read_token(reader, start, &inner, allowed, cut),
        Content::Again(inner, encoding) => {
            let span = Span {
                raw: start,
                content: text::clip(&inner, allowed),
                encoding,
            };
            read_value(reader, span, cut);
        }
        Content::Quoted(inner) => {
            let quoted = start.trim_ascii_end();
            let span = Span {
                raw: quoted
                    .get(1..quoted.len().saturating_sub(1))
                    .unwrap_or_default(),
                content: text::clip(&inner, allowed),
                encoding: Encoding::Json(b'"'),
            };
            read_value(reader, span, cut);
        }
    }
}

/// Yields the fields of what compressed data holds.
fn read_compressed<S: Sink>(reader: &mut Reader<'_, S>, coding: Coding, data: &[u8], cut: bool) {
    // Checked first, or data that is too deep would be decoded without counting
    // towards the limit of nested bytes.
    if reader.is_deepest() {
        reader.lose(Loss::FieldDepth);
        return reader.unread(data);
    }
    let limit = reader.limits().inflated_bytes.min(reader.nested_left());
    let (content, incomplete) = coding.decode(data, limit);
    if incomplete && content.len() >= limit {
        reader.lose(Loss::FieldLength);
    }
    let span = Span {
        raw: data,
        content: &content,
        encoding: Encoding::Compressed(coding),
    };
    read_inner(reader, span, cut || incomplete);
}
