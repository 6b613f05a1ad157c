//! XML to fields: the text and the attributes of its elements.
//!
//! Tolerant: unknown entities stay as they are, a closing tag that matches no
//! open element is skipped, and prefixes of names are left out, since the
//! sender chooses them.

use super::{
    Encoding, Reader, Sink, Span, StepId, ValueKind, content, entity::unescape, reader::Mark, url,
};
use crate::loss::Loss;

/// Steps and fields of one text that get an index because a second element of
/// the same name follows; beyond that the first element gets none.
const MAX_RENUMBERED: usize = 100_000;
/// Groups of repeated elements of one text whose first element gets an index.
const MAX_GROUPS: usize = 1_000;
/// What begins a text without entities.
const CDATA: &[u8] = b"![CDATA[";
/// The longest declaration that has nothing but a version and an encoding, in
/// bytes.
const MAX_DECLARATION: usize = 64;
/// What the namespaces of standards begin with.
const STANDARDS: &[&[u8]] = &[b"http://www.w3.org/", b"http://schemas.xmlsoap.org/"];

/// Whether `text` begins with a tag or a declaration.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.first() == Some(&b'<')
        && text
            .get(1)
            .is_some_and(|byte| is_name_start(*byte) || b"?!".contains(byte))
}

/// Whether `text` is certainly XML or a piece of markup: it has a declaration,
/// or begins with one tag and ends with another.
pub(crate) fn looks_like_document(text: &[u8]) -> bool {
    text.starts_with(b"<?xml")
        || (looks_like(text)
            && text.trim_ascii_end().last() == Some(&b'>')
            && (memchr::memmem::find(text, b"</").is_some()
                || memchr::memmem::find(text, b"/>").is_some()))
}

/// Whether the name of an element may begin with this byte.
const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// Yields the texts and attributes of `text` by the names of their elements,
/// below the current path.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, text: &[u8], cut: bool) {
    let mut rest = text;
    let mut open = Open {
        base: reader.path_length(),
        elements: Vec::new(),
        last: None,
        renumbered_left: MAX_RENUMBERED,
        groups_left: MAX_GROUPS,
    };
    while !rest.is_empty() && !reader.is_full() {
        let (text, behind) = url::split_once(rest, b'<');
        let ended = behind.is_none() && (cut || !open.elements.is_empty());
        let raw = text.trim_ascii();
        read_text(reader, escaped(raw, &unescape(raw)), ended);
        let Some(tag) = behind else { break };
        rest = if let Some(data) = tag.strip_prefix(CDATA) {
            reader.keep(tag.get(..CDATA.len()).unwrap_or_default());
            let (data, behind) = split_at(data, b"]]>");
            read_text(reader, Span::plain(data), behind.is_none());
            behind.unwrap_or_default()
        } else if let Some(comment) = tag.strip_prefix(b"!--") {
            let (comment, behind) = split_at(comment, b"-->");
            reader.unread(comment);
            behind.unwrap_or_default()
        } else if tag.starts_with(b"?") || tag.starts_with(b"!") {
            let (head, behind) = url::split_once(tag, b'>');
            // A declaration has a version and an encoding; an internal subset may
            // have anything.
            let is_declaration = tag.starts_with(b"?xml") || tag.starts_with(b"!DOCTYPE");
            if is_declaration && head.len() <= MAX_DECLARATION && !head.contains(&b'[') {
                reader.keep(head);
            }
            behind.unwrap_or_default()
        } else if let Some(name) = tag.strip_prefix(b"/") {
            let (name, behind) = url::split_once(name, b'>');
            tell_name(reader, name);
            open.close(reader, local(name.trim_ascii()));
            behind.unwrap_or_default()
        } else if tag.first().is_some_and(|byte| is_name_start(*byte)) {
            read_tag(reader, &mut open, tag)
        } else {
            // A bracket that is none: what follows is text.
            tag
        };
    }
    reader.go_back(open.base);
}

/// The elements that are open.
struct Open<'a> {
    /// Length of the path to the outermost.
    base: usize,
    /// Outermost first.
    elements: Vec<Element<'a>>,
    /// The last closed child of the innermost open element.
    last: Option<Element<'a>>,
    /// Fields that may still get an index.
    renumbered_left: usize,
    /// Groups of elements whose first may still get an index.
    groups_left: usize,
}

/// An element, open or closed.
#[derive(Clone, Copy)]
struct Element<'a> {
    name: &'a [u8],
    /// Length of the path to it.
    base: usize,
    /// The step to the first of its name.
    place: Option<StepId>,
    /// Where the first of its name begins.
    mark: Mark,
    /// How many of its name precede it in a row, including it.
    count: usize,
}

impl<'a> Open<'a> {
    fn open<S: Sink>(&mut self, reader: &mut Reader<'_, S>, name: &'a [u8]) {
        if self.elements.len() >= reader.limits().brackets {
            // Its contents are read under the path of its parent.
            reader.lose(Loss::FieldDepth);
            return;
        }
        let base = reader.path_length();
        let last = self.last.take().filter(|last| last.name == name);
        let element = if let Some(last) = last {
            // Repeated elements are the elements of an array.
            reader.go_to(last.place);
            let cost = reader.count_since(last.mark);
            if last.count == 1 && self.groups_left > 0 && cost <= self.renumbered_left {
                self.groups_left -= 1;
                self.renumbered_left -= cost;
                reader.number_first(last.mark);
            }
            reader.go_index(last.count);
            Element {
                count: last.count.saturating_add(1),
                ..last
            }
        } else {
            reader.go_key(name);
            Element {
                name,
                base,
                place: reader.place(),
                mark: reader.mark(),
                count: 1,
            }
        };
        self.elements.push(element);
    }

    fn close<S: Sink>(&mut self, reader: &mut Reader<'_, S>, name: &[u8]) {
        let is_open = |open: &Element<'_>| open.name == name;
        if let Some(at) = self.elements.iter().rposition(is_open) {
            self.last = self.elements.get(at).copied();
            self.elements.truncate(at);
            reader.go_back(self.last.map_or(self.base, |element| element.base));
        }
    }
}

/// Opens the element whose tag `tag` begins with, and yields its attributes.
/// Returns what follows the tag.
fn read_tag<'a, S: Sink>(
    reader: &mut Reader<'_, S>,
    open: &mut Open<'a>,
    tag: &'a [u8],
) -> &'a [u8] {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"/>".contains(byte);
    let end = tag.iter().position(is_end).unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at(end);
    tell_name(reader, name);
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
        tell_name(reader, attribute);
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
        let (value, behind) = attribute_value(value.trim_ascii_start());
        let content = unescape(value);
        let span = escaped(value, &content);
        if !attribute.starts_with(b"xmlns") && !attribute.is_empty() {
            reader.go_key(local(attribute));
            content::read_value(reader, span, behind.is_none());
            reader.go_back(base);
        } else if STANDARDS.iter().any(|known| value.starts_with(known)) {
            reader.keep(value);
        } else {
            reader.place_value(span, ValueKind::Text);
        }
        rest = behind.unwrap_or_default();
        if rest.is_empty() || reader.is_full() {
            return rest;
        }
    }
}

/// The value that `text` begins with, and what follows it unless it is cut.
fn attribute_value(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some(quote @ (b'"' | b'\'')) = text.first() {
        return url::split_once(text.get(1..).unwrap_or_default(), *quote);
    }
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
    match text.iter().position(is_end) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end..)),
        None => (text, None),
    }
}

fn read_text<S: Sink>(reader: &mut Reader<'_, S>, text: Span<'_>, cut: bool) {
    if text.content.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    content::read_value(reader, text, cut);
}

const fn escaped<'a>(raw: &'a [u8], content: &'a [u8]) -> Span<'a> {
    Span {
        raw,
        content,
        encoding: Encoding::Entities,
    }
}

/// Tells where the parts of the name of an element or an attribute stand.
fn tell_name<S: Sink>(reader: &mut Reader<'_, S>, name: &[u8]) {
    if !S::REWRITES {
        return;
    }
    for part in name.split(|byte| *byte == b':').map(<[u8]>::trim_ascii) {
        if part == b"xmlns" {
            reader.keep(part);
        } else {
            reader.name(Span::plain(part));
        }
    }
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
