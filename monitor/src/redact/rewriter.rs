//! A body or a value rewritten in its own encoding.
//!
//! In: bytes, and what is known about the values of the message. Out: bytes of
//! the same structure in which every value is replaced. Formats are checked in
//! the order in which [`field`](crate::field) checks them, so that what it
//! reads is what is rewritten; what no reader understands is scrambled or
//! blanked.

use super::{escape::Escapes, known::Known, scramble};
use crate::field::{
    FieldLimits, Fields, Part, Step,
    compression::Coding,
    csv, form, json, multipart, packed, protobuf,
    sniff::{self, Content},
    text, xml,
};

/// A body in which more than one character in this many is a control character
/// is not text.
const MAX_UNPRINTABLE: usize = 10;
/// How many fields a rebuilt body has at most.
const MAX_TOLD: usize = 4_096;

/// What is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Headers and body.
    Message,
    /// The target of the request.
    Target,
    /// A page, whose addresses name programs.
    Page,
}

/// Rewrites the parts of one message.
pub(super) struct Rewriter<'a> {
    pub(super) known: &'a Known<'a>,
    pub(super) limits: FieldLimits,
    /// Words of the path that findings may show.
    pub(super) shown: Vec<String>,
    /// What is rewritten.
    pub(super) scope: Scope,
    /// Whether what is rewritten is a URL in a value.
    pub(super) in_url: bool,
    /// Whether it leads to a program of a recipient.
    pub(super) in_program: bool,
    depth: u32,
    nested_left: usize,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(known: &'a Known<'a>) -> Self {
        let limits = FieldLimits::default();
        Self {
            known,
            shown: Vec::new(),
            scope: Scope::Message,
            in_url: false,
            in_program: false,
            depth: 0,
            nested_left: limits.nested_bytes,
            limits,
        }
    }

    /// A text that is no container.
    pub(super) fn leaf(&self, value: &[u8], key: Option<&str>) -> Vec<u8> {
        match std::str::from_utf8(value) {
            // Even small numbers in an address tell where someone is on a site.
            Ok(text) if self.in_url && is_digits(text) => {
                scramble::unknown(self.known.key, text).into_bytes()
            }
            Ok(text) => self.known.text(text, key).into_bytes(),
            Err(_) => scramble::bytes(self.known.key, value),
        }
    }

    /// Bytes that no reader understands: a text is scrambled, anything else
    /// blanked.
    pub(super) fn unread(&self, bytes: &[u8]) -> Vec<u8> {
        if text::is_printable(bytes, Some(MAX_UNPRINTABLE)) {
            scramble::bytes(self.known.key, bytes)
        } else {
            vec![0; bytes.len()]
        }
    }

    /// The fields of a body with other values, as JSON: for a body that cannot
    /// be cleared in its own encoding.
    pub(super) fn told(&self, fields: &Fields) -> Vec<u8> {
        let fields: Vec<_> = fields
            .iter()
            .filter(|field| field.part() == Part::Body)
            .take(MAX_TOLD)
            .map(|field| {
                let steps: Vec<String> = field
                    .steps()
                    .into_iter()
                    .map(|step| match step {
                        Step::Key(key) => self.known.key_name(key),
                        Step::Index(index) => index.to_string(),
                    })
                    .collect();
                let value = self.known.text(field.value(), None);
                serde_json::json!({"path": steps, "value": value})
            })
            .collect();
        if fields.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&serde_json::json!({ "fields": fields })).unwrap_or_default()
    }

    /// A key. One that looks like a value is replaced like one.
    pub(super) fn key(&self, key: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(key) else {
            return scramble::bytes(self.known.key, key);
        };
        if sniff::is_payload_key(key) {
            return self.known.text(text, None).into_bytes();
        }
        self.known.key_name(text).into_bytes()
    }

    /// Enters a nested encoding, which must be left again.
    fn enter(&mut self, length: usize) -> bool {
        if self.depth >= self.limits.depth {
            return false;
        }
        let Some(left) = self.nested_left.checked_sub(length) else {
            return false;
        };
        self.nested_left = left;
        self.depth += 1;
        true
    }

    const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A body.
    pub(super) fn body(&mut self, body: &[u8], cut: bool) -> Vec<u8> {
        if let Some(coding) = Coding::sniff(body) {
            return self.compressed(coding, body, cut);
        }
        if let Some(text) = text::from_utf16(body, self.limits.inflated_bytes) {
            let new = self.inner(&text, cut);
            return utf16_like(body, &new);
        }
        let start = text::trim_start(body);
        let blank = body.len().saturating_sub(start.len());
        let mut out = body.get(..blank).unwrap_or_default().to_vec();
        let Some(first) = start.first() else {
            return out;
        };
        let separator = || multipart::sniff(start);
        match first {
            b'{' | b'[' if json::looks_like(start) => self.json(start, &mut out),
            b'"' if json::looks_like_string(start) => self.json(start, &mut out),
            b'-' if separator().is_some() => {
                self.multipart(start, separator().unwrap_or_default(), cut, &mut out);
            }
            b'<' if xml::looks_like(start) => self.xml(start, &mut out),
            _ => {
                if let Some(binary) = self.binary(body, cut) {
                    return binary;
                }
                if !text::is_printable(start, Some(MAX_UNPRINTABLE)) {
                    return self.unread(body);
                }
                self.text_body(start, cut, &mut out);
            }
        }
        out
    }

    /// A body that is a text.
    fn text_body(&mut self, start: &[u8], cut: bool, out: &mut Vec<u8>) {
        if let Some(table) = csv::sniff(start) {
            return self.csv(start, table, out);
        }
        let end = start.trim_ascii_end();
        let blank = start.get(end.len()..).unwrap_or_default();
        let is_value = matches!(
            sniff::sniff(end, None),
            Content::Url(_) | Content::Coded(_) | Content::Token(_) | Content::Tagged(_)
        );
        if is_value {
            out.extend(self.value(end, None, cut));
        } else if form::looks_like(start.strip_prefix(b"?").unwrap_or(start), 1)
            || memchr::memchr(b'\n', end).is_some()
        {
            self.lines(end, cut, out);
        } else {
            out.extend(self.value(end, None, cut));
        }
        out.extend_from_slice(blank);
    }

    /// A form, or a value, on each line.
    fn lines(&mut self, text: &[u8], cut: bool, out: &mut Vec<u8>) {
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                out.push(b'\n');
            }
            let inner = line.trim_ascii();
            let from = line.len().saturating_sub(line.trim_ascii_start().len());
            out.extend_from_slice(line.get(..from).unwrap_or_default());
            let form = inner.strip_prefix(b"?").unwrap_or(inner);
            if form.len() < inner.len() {
                out.push(b'?');
            }
            self.form(form, b'&', cut, out);
            let to = from.saturating_add(inner.len());
            out.extend_from_slice(line.get(to..).unwrap_or_default());
        }
    }

    /// A body in a binary format, if it is one.
    fn binary(&mut self, body: &[u8], cut: bool) -> Option<Vec<u8>> {
        let tagged = body.first() == Some(&b'\n');
        if text::is_printable(body, None) && !tagged {
            return None;
        }
        if protobuf::looks_like_frames(body, cut) {
            Some(self.frames(body, cut))
        } else if let Some(format) = packed::sniff(body, cut) {
            Some(self.packed(body, format))
        } else if protobuf::looks_like(body, cut && !text::is_printable(body, None)) {
            Some(self.protobuf(body, cut))
        } else {
            None
        }
    }

    /// A body inside of something else.
    pub(super) fn inner(&mut self, body: &[u8], cut: bool) -> Vec<u8> {
        if !self.enter(body.len()) {
            return self.unread(body);
        }
        let new = self.body(body, cut);
        self.leave();
        new
    }

    /// Compressed data, compressed again.
    fn compressed(&mut self, coding: Coding, data: &[u8], cut: bool) -> Vec<u8> {
        let limit = self.limits.inflated_bytes.min(self.nested_left);
        if self.depth >= self.limits.depth || limit == 0 {
            return vec![0; data.len()];
        }
        let (content, incomplete) = coding.decode(data, limit);
        let new = self.inner(&content, cut || incomplete);
        super::coding::encode(coding, &new).unwrap_or_else(|| vec![0; data.len()])
    }

    /// A value with the key `key`; the result is decoded as it is.
    pub(super) fn value(&mut self, value: &[u8], key: Option<&str>, cut: bool) -> Vec<u8> {
        let content = sniff::sniff(value, key);
        if matches!(content, Content::Text) {
            return self.leaf(value, key);
        }
        let length = match &content {
            Content::Coded(coded) => coded.content.len(),
            Content::Again(inner) | Content::Token(inner) => inner.len(),
            _ => value.len(),
        };
        if !self.enter(length) {
            return match std::str::from_utf8(value) {
                Ok(text) if self.known.has(text) => self.leaf(value, key),
                _ => scramble::bytes(self.known.key, value),
            };
        }
        let new = self.container(content, value, key, cut);
        self.leave();
        new
    }

    fn container(
        &mut self,
        content: Content<'_>,
        value: &[u8],
        key: Option<&str>,
        cut: bool,
    ) -> Vec<u8> {
        // What precedes the value that is read, unchanged: blanks, a question
        // mark.
        let head = |inner: &[u8]| {
            let length = value.len().saturating_sub(inner.len());
            value.get(..length).unwrap_or_default().to_vec()
        };
        let blank = value.len().saturating_sub(text::trim_start(value).len());
        let mut out = Vec::new();
        match content {
            Content::Text => return self.leaf(value, key),
            Content::Compressed(coding) => return self.compressed(coding, value, cut),
            Content::Json(inner) => {
                out = head(inner);
                self.json(inner, &mut out);
            }
            Content::Quoted(inner) => {
                let start = value.get(blank..).unwrap_or_default();
                let end = start.trim_ascii_end();
                let new = self.value(&inner, key, cut);
                out.extend_from_slice(value.get(..blank).unwrap_or_default());
                let raw = end.get(1..end.len().saturating_sub(1)).unwrap_or_default();
                out.push(b'"');
                Escapes::Json(b'"').write_like(raw, &new, &mut out);
                out.push(b'"');
                out.extend_from_slice(start.get(end.len()..).unwrap_or_default());
            }
            Content::Xml(inner, _) => {
                out = head(inner);
                self.xml(inner, &mut out);
            }
            Content::Form(inner, separator) => {
                out = head(inner);
                self.form(inner, separator, cut, &mut out);
            }
            Content::Pair(inner) => {
                out = head(inner);
                self.pair(inner, cut, &mut out);
            }
            Content::Url(parts) => self.url(value, parts, cut, &mut out),
            Content::Multipart(inner, separator) => {
                out = head(inner);
                self.multipart(inner, separator, cut, &mut out);
            }
            Content::Tagged(entries) => {
                out = head(entries);
                self.tagged(entries, &mut out);
            }
            Content::Coded(coded) => return self.coded(value, &coded, key, cut),
            Content::Token(payload) => self.token(value, &payload, &mut out),
            Content::Again(inner) => {
                let escapes = if super::coding::is_entities(value) {
                    Escapes::Entities
                } else {
                    Escapes::Percent(false)
                };
                let new = self.value(&inner, key, cut);
                out.extend_from_slice(value.get(..blank).unwrap_or_default());
                escapes.write_like(value.get(blank..).unwrap_or_default(), &new, &mut out);
            }
        }
        out
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The UTF-8 text `new` as UTF-16 in the byte order of `old`, with its byte
/// order mark.
fn utf16_like(old: &[u8], new: &[u8]) -> Vec<u8> {
    let (mark, big) = match old {
        [0xff, 0xfe, ..] => (true, false),
        [0xfe, 0xff, ..] => (true, true),
        [0, ..] => (false, true),
        _ => (false, false),
    };
    let text = String::from_utf8_lossy(new);
    let start = mark.then_some(0xfeff).into_iter();
    start
        .chain(text.encode_utf16())
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}
