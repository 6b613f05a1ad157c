//! XML, rewritten in one pass: element names stay if they are words of
//! interfaces, texts and attributes are replaced.

use super::{escape::Escapes, rewriter::Rewriter, scramble};
use crate::field::{entity, url};

impl Rewriter<'_> {
    /// A text of tags.
    pub(super) fn xml(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        let mut open: Vec<Vec<u8>> = Vec::new();
        while !rest.is_empty() {
            let (text, behind) = url::split_once(rest, b'<');
            self.xml_text(text, open.last().map(Vec::as_slice), out);
            let Some(tag) = behind else { return };
            out.push(b'<');
            rest = self.xml_tag(tag, &mut open, out);
        }
    }

    /// What is between tags.
    fn xml_text(&mut self, text: &[u8], name: Option<&[u8]>, out: &mut Vec<u8>) {
        let inner = text.trim_ascii();
        if inner.is_empty() {
            out.extend_from_slice(text);
            return;
        }
        let from = text.len().saturating_sub(text.trim_ascii_start().len());
        out.extend_from_slice(text.get(..from).unwrap_or_default());
        let key = name.and_then(|name| std::str::from_utf8(name).ok());
        let new = self.value(&entity::unescape(inner), key, false);
        Escapes::Entities.write_like(inner, &new, out);
        out.extend_from_slice(
            text.get(from.saturating_add(inner.len())..)
                .unwrap_or_default(),
        );
    }

    /// What is behind a `<`. Returns what follows it.
    fn xml_tag<'t>(
        &mut self,
        tag: &'t [u8],
        open: &mut Vec<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> &'t [u8] {
        if let Some(data) = tag.strip_prefix(b"![CDATA[") {
            out.extend_from_slice(b"![CDATA[");
            let end = memchr::memmem::find(data, b"]]>").unwrap_or(data.len());
            let (data, behind) = data.split_at(end);
            out.extend(self.value(data, None, false));
            return behind_mark(behind, b"]]>", out);
        }
        if let Some(comment) = tag.strip_prefix(b"!--") {
            out.extend_from_slice(b"!--");
            let end = memchr::memmem::find(comment, b"-->").unwrap_or(comment.len());
            let (comment, behind) = comment.split_at(end);
            out.extend(scramble::bytes(self.known.key, comment));
            return behind_mark(behind, b"-->", out);
        }
        if tag.starts_with(b"?xml") || tag.starts_with(b"!DOCTYPE") {
            let end = memchr::memchr(b'>', tag).unwrap_or(tag.len());
            let (head, behind) = tag.split_at(end);
            // A declaration has a version and an encoding; an internal subset
            // may have anything.
            if head.len() <= 64 && !head.contains(&b'[') {
                out.extend_from_slice(head);
            } else {
                out.extend(scramble::bytes(self.known.key, head));
            }
            return behind_mark(behind, b">", out);
        }
        if tag.starts_with(b"?") || tag.starts_with(b"!") {
            let end = memchr::memchr(b'>', tag).unwrap_or(tag.len());
            let (head, behind) = tag.split_at(end);
            out.extend(scramble::bytes(self.known.key, head));
            return behind_mark(behind, b">", out);
        }
        if let Some(name) = tag.strip_prefix(b"/") {
            out.push(b'/');
            let (name, behind) = url::split_once(name, b'>');
            out.extend(self.xml_name(name));
            let local = local(name.trim_ascii());
            if let Some(at) = open.iter().rposition(|open| open == local) {
                open.truncate(at);
            }
            if behind.is_some() {
                out.push(b'>');
            }
            return behind.unwrap_or_default();
        }
        if tag
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80)
        {
            return self.xml_start(tag, open, out);
        }
        tag
    }

    /// A start tag with its attributes.
    fn xml_start<'t>(
        &mut self,
        tag: &'t [u8],
        open: &mut Vec<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> &'t [u8] {
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"/>".contains(byte);
        let end = tag.iter().position(is_end).unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at(end);
        out.extend(self.xml_name(name));
        if open.len() < self.limits.brackets {
            open.push(local(name).to_vec());
        }
        loop {
            let blank = rest.len().saturating_sub(rest.trim_ascii_start().len());
            let (blanks, inner) = rest.split_at(blank);
            out.extend_from_slice(blanks);
            rest = inner;
            if rest.is_empty() {
                return rest;
            }
            if let Some(behind) = rest.strip_prefix(b">") {
                out.push(b'>');
                return behind;
            }
            if let Some(behind) = rest.strip_prefix(b"/>") {
                out.extend_from_slice(b"/>");
                open.pop();
                return behind;
            }
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"=/>".contains(byte);
            let end = rest.iter().position(is_end).unwrap_or(rest.len());
            let (attribute, behind) = rest.split_at(end);
            out.extend(self.xml_name(attribute));
            let after = behind.trim_ascii_start();
            let Some(value) = after.strip_prefix(b"=") else {
                if attribute.is_empty() {
                    let (byte, behind) = rest.split_at(1.min(rest.len()));
                    out.extend_from_slice(byte);
                    rest = behind;
                } else {
                    rest = behind;
                }
                continue;
            };
            out.push(b'=');
            rest = self.xml_attribute(attribute, value.trim_ascii_start(), out);
        }
    }

    /// The value of an attribute. Returns what follows it.
    fn xml_attribute<'t>(&mut self, name: &[u8], text: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
        let (quote, raw, behind) = if let Some((quote @ (b'"' | b'\''), inner)) = text.split_first()
        {
            let (raw, behind) = url::split_once(inner, *quote);
            (Some(*quote), raw, behind)
        } else {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
            let end = text.iter().position(is_end).unwrap_or(text.len());
            let (raw, behind) = text.split_at(end);
            (None, raw, Some(behind))
        };
        out.extend(quote);
        if name.starts_with(b"xmlns") && is_namespace(raw) {
            out.extend_from_slice(raw);
        } else {
            let key = std::str::from_utf8(local(name)).ok();
            let new = self.value(&entity::unescape(raw), key, behind.is_none());
            Escapes::Entities.write_like(raw, &new, out);
        }
        if let Some(behind) = behind {
            out.extend(quote);
            return behind;
        }
        &[]
    }

    /// The name of an element or an attribute, with its prefix.
    fn xml_name(&self, name: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(name.len());
        for (index, part) in name.split(|byte| *byte == b':').enumerate() {
            if index > 0 {
                out.push(b':');
            }
            let inner = part.trim_ascii();
            if inner.is_empty() || inner == b"xmlns" {
                out.extend_from_slice(part);
                continue;
            }
            let from = part.len().saturating_sub(part.trim_ascii_start().len());
            out.extend_from_slice(part.get(..from).unwrap_or_default());
            out.extend(self.key(inner));
            out.extend_from_slice(
                part.get(from.saturating_add(inner.len())..)
                    .unwrap_or_default(),
            );
        }
        out
    }
}

/// Whether the value of a namespace only names a standard.
fn is_namespace(value: &[u8]) -> bool {
    value.starts_with(b"http://www.w3.org/") || value.starts_with(b"http://schemas.xmlsoap.org/")
}

/// A name without its prefix.
fn local(name: &[u8]) -> &[u8] {
    url::split_once(name, b':').1.unwrap_or(name)
}

/// Copies `mark` if the rest begins with it.
fn behind_mark<'t>(rest: &'t [u8], mark: &[u8], out: &mut Vec<u8>) -> &'t [u8] {
    if let Some(behind) = rest.strip_prefix(mark) {
        out.extend_from_slice(mark);
        behind
    } else {
        rest
    }
}
