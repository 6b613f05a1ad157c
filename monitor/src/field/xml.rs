//! XML to fields: the text and the attributes of its elements.
//!
//! Tolerant: unknown entities stay as they are, a closing tag that matches no
//! open element is skipped, prefixes of names are left out, since they are the
//! sender's choice.

use std::borrow::Cow;

use super::{Reader, content, url};
use crate::loss::Loss;

/// The longest entity that is looked for, in bytes.
const LONGEST_ENTITY: usize = 12;

/// Whether `text` begins with a tag or a declaration.
pub(super) fn looks_like(text: &[u8]) -> bool {
    let mut bytes = text.iter();
    bytes.next() == Some(&b'<')
        && bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || b"?!_".contains(byte))
}

/// Yields the texts and attributes of `text` by the names of their elements,
/// below the current path.
pub(super) fn read(reader: &mut Reader, text: &[u8], cut: bool) {
    let mut rest = text;
    let mut open = Open {
        base: reader.path_length(),
        names: Vec::new(),
    };
    while !rest.is_empty() && !reader.is_full() {
        let (text, behind) = url::split_once(rest, b'<');
        let ended = behind.is_none() && (cut || !open.names.is_empty());
        read_text(reader, &unescape(text.trim_ascii()), ended);
        let Some(tag) = behind else { break };
        rest = if let Some(data) = tag.strip_prefix(b"![CDATA[") {
            let (data, behind) = split_at(data, b"]]>");
            read_text(reader, data, behind.is_none());
            behind.unwrap_or_default()
        } else if let Some(comment) = tag.strip_prefix(b"!--") {
            split_at(comment, b"-->").1.unwrap_or_default()
        } else if tag.starts_with(b"?") || tag.starts_with(b"!") {
            url::split_once(tag, b'>').1.unwrap_or_default()
        } else if let Some(name) = tag.strip_prefix(b"/") {
            let (name, behind) = url::split_once(name, b'>');
            open.close(reader, local(name.trim_ascii()));
            behind.unwrap_or_default()
        } else {
            read_tag(reader, &mut open, tag)
        };
    }
    reader.go_back(open.base);
}

/// The elements that are open.
struct Open<'a> {
    /// Length of the path to the outermost.
    base: usize,
    /// Their names, outermost first.
    names: Vec<&'a [u8]>,
}

impl<'a> Open<'a> {
    fn open(&mut self, reader: &mut Reader, name: &'a [u8]) {
        if self.names.len() >= reader.limits().brackets {
            // What is in it is read, with the path of an element around it.
            reader.lose(Loss::FieldDepth);
            return;
        }
        self.names.push(name);
        reader.go_key(name);
    }

    fn close(&mut self, reader: &mut Reader, name: &[u8]) {
        if let Some(at) = self.names.iter().rposition(|open| *open == name) {
            self.names.truncate(at);
            reader.go_back(self.base.saturating_add(at));
        }
    }
}

/// Opens the element whose tag `tag` begins with, and yields its attributes.
/// Returns what follows the tag.
fn read_tag<'a>(reader: &mut Reader, open: &mut Open<'a>, tag: &'a [u8]) -> &'a [u8] {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"/>".contains(byte);
    let end = tag.iter().position(is_end).unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at(end);
    if rest.is_empty() {
        return rest;
    }
    let name = local(name);
    open.open(reader, name);
    let base = reader.path_length();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(behind) = rest.strip_prefix(b">") {
            return behind;
        }
        if let Some(behind) = rest.strip_prefix(b"/>") {
            open.close(reader, name);
            return behind;
        }
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"=/>".contains(byte);
        let end = rest.iter().position(is_end).unwrap_or(rest.len());
        let (attribute, behind) = rest.split_at(end);
        let Some(value) = behind.trim_ascii_start().strip_prefix(b"=") else {
            if attribute.is_empty() {
                rest = rest.get(1..).unwrap_or_default();
            } else {
                rest = behind;
            }
            if rest.is_empty() {
                return rest;
            }
            continue;
        };
        let value = value.trim_ascii_start();
        let (value, behind) = match value.first() {
            Some(quote @ (b'"' | b'\'')) => {
                url::split_once(value.get(1..).unwrap_or_default(), *quote)
            }
            _ => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
                match value.iter().position(is_end) {
                    Some(end) => (value.get(..end).unwrap_or_default(), value.get(end..)),
                    None => (value, None),
                }
            }
        };
        if !attribute.starts_with(b"xmlns") && !attribute.is_empty() {
            reader.go_key(local(attribute));
            content::read_value(reader, &unescape(value), behind.is_none());
            reader.go_back(base);
        }
        rest = behind.unwrap_or_default();
        if rest.is_empty() || reader.is_full() {
            return rest;
        }
    }
}

fn read_text(reader: &mut Reader, text: &[u8], cut: bool) {
    if text.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    content::read_value(reader, text, cut);
}

/// A name without its prefix.
fn local(name: &[u8]) -> &[u8] {
    url::split_once(name, b':').1.unwrap_or(name)
}

fn split_at<'a>(text: &'a [u8], end: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    match memchr::memmem::find(text, end) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at.saturating_add(end.len())..),
        ),
        None => (text, None),
    }
}

/// Without the five entities of XML and numeric ones.
fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut content = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (clean, entity) = rest.split_at(at);
        content.extend_from_slice(clean);
        let window = entity
            .get(1..LONGEST_ENTITY.min(entity.len()))
            .unwrap_or_default();
        let (name, behind) = url::split_once(window, b';');
        if let Some(character) = behind.and_then(|_| entity_value(name)) {
            let mut buffer = [0; 4];
            content.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            rest = entity
                .get(name.len().saturating_add(2)..)
                .unwrap_or_default();
        } else {
            content.push(b'&');
            rest = entity.get(1..).unwrap_or_default();
        }
    }
    content.extend_from_slice(rest);
    Cow::Owned(content)
}

/// The character of an entity, without its `&` and `;`.
fn entity_value(name: &[u8]) -> Option<char> {
    let number = match name {
        b"amp" => return Some('&'),
        b"lt" => return Some('<'),
        b"gt" => return Some('>'),
        b"quot" => return Some('"'),
        b"apos" => return Some('\''),
        _ => std::str::from_utf8(name.strip_prefix(b"#")?).ok()?,
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities() {
        for (escaped, expected) in [
            ("a &amp;&lt;b&gt; &quot;c&apos;", "a &<b> \"c'"),
            ("&#65;&#x42;&#x1f600;", "AB\u{1f600}"),
            ("&nbsp;&#xd800;&#;&", "&nbsp;&#xd800;&#;&"),
            ("AT&T", "AT&T"),
        ] {
            assert_eq!(
                unescape(escaped.as_bytes()),
                expected.as_bytes(),
                "{escaped}"
            );
        }
    }
}
