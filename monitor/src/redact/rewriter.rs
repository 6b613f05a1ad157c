//! A body or a value rewritten in its own encoding.
//!
//! In: the places of the values of a text, as the readers of
//! [`field`](crate::field) find them. Out: the same text in which every value is
//! replaced. Between values only punctuation stays, and the words that a reader
//! names as those of the format; everything else there is scrambled, so that
//! nothing gets through because no reader understood it.

use std::ops::Range;

use super::{encoding, host, known::Known, scramble, vocabulary};
use crate::{
    field::{
        Encoding, FieldLimits, Fields, Part, Reader, Segment, Sink, Span, Step, ValueKind, content,
        sniff, text,
    },
    loss::Losses,
};

/// A text in which more than one character in this many is a control character
/// is none.
const MAX_UNPRINTABLE: usize = 10;
/// How many fields a rebuilt body has at most.
const MAX_TOLD: usize = 4_096;
/// What some programs write in front of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

/// A text that is being rewritten.
struct Layer {
    text: Vec<u8>,
    /// Where the text is that the readers see.
    address: usize,
    /// How much of it has been written.
    done: usize,
    out: Vec<u8>,
    /// What it is the content of in the layer below; nothing if that has been
    /// written already.
    place: Option<Range<usize>>,
    encoding: Encoding,
    /// Whether it is a URL, or within one.
    in_url: bool,
    /// Whether that leads to a program of a recipient.
    in_program: bool,
}

impl Layer {
    fn new(content: &[u8], place: Option<Range<usize>>, encoding: Encoding) -> Self {
        Self {
            text: content.to_vec(),
            address: content.as_ptr().addr(),
            done: 0,
            out: Vec::with_capacity(content.len()),
            place,
            encoding,
            in_url: false,
            in_program: false,
        }
    }

    /// Where `raw`, a slice of the text, stands in it; nothing if that has been
    /// written already.
    fn place_of(&self, raw: &[u8]) -> Option<Range<usize>> {
        let start = raw.as_ptr().addr().checked_sub(self.address)?;
        let end = start.checked_add(raw.len())?;
        (self.done <= start && start < end && end <= self.text.len()).then_some(start..end)
    }
}

/// Rewrites the parts of one message.
pub(super) struct Rewriter<'a> {
    pub(super) known: &'a Known<'a>,
    /// Words of the path that findings may show.
    pub(super) shown: Vec<String>,
    /// What is rewritten.
    pub(super) scope: Scope,
    /// Innermost last.
    layers: Vec<Layer>,
    nested_left: usize,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(known: &'a Known<'a>) -> Self {
        Self {
            known,
            shown: Vec::new(),
            scope: Scope::Message,
            layers: Vec::new(),
            nested_left: FieldLimits::default().nested_bytes,
        }
    }

    /// A body.
    pub(super) fn body(&mut self, body: &[u8], cut: bool) -> Vec<u8> {
        self.rewrite(body, |reader| content::read_body(reader, body, cut))
    }

    /// A value; the result is decoded as it is.
    pub(super) fn value(&mut self, value: &[u8]) -> Vec<u8> {
        self.rewrite(value, |reader| {
            content::read_value(reader, Span::plain(value), false);
        })
    }

    /// `text` with other values where `read` finds some.
    pub(super) fn rewrite(
        &mut self,
        text: &[u8],
        read: impl FnOnce(&mut Reader<'_, &mut Self>),
    ) -> Vec<u8> {
        let limits = FieldLimits {
            nested_bytes: self.nested_left,
            ..FieldLimits::default()
        };
        let mut losses = Losses::default();
        self.layers.push(Layer::new(text, None, Encoding::Plain));
        let mut reader = Reader::with_sink(&limits, &mut losses, &mut *self);
        read(&mut reader);
        self.nested_left = reader.nested_left();
        self.finish().map(|layer| layer.out).unwrap_or_default()
    }

    /// The innermost layer, written to its end.
    fn finish(&mut self) -> Option<Layer> {
        let mut layer = self.layers.pop()?;
        self.write_up_to(&mut layer, usize::MAX);
        Some(layer)
    }

    /// Writes what stands between values.
    fn write_up_to(&self, layer: &mut Layer, end: usize) {
        let end = end.min(layer.text.len());
        let mut between = layer.text.get(layer.done..end).unwrap_or_default();
        if layer.done == 0 && between.starts_with(BYTE_ORDER_MARK) {
            layer.out.extend_from_slice(BYTE_ORDER_MARK);
            between = between.get(BYTE_ORDER_MARK.len()..).unwrap_or_default();
        }
        let is_written = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        if between.iter().any(is_written) {
            layer.out.extend(scramble::bytes(self.known.key, between));
        } else {
            layer.out.extend_from_slice(between);
        }
        layer.done = end;
    }

    /// Writes what `new` makes in place of `raw`, unless something stands there
    /// already.
    fn replace(&mut self, raw: &[u8], new: impl FnOnce(&Self, &mut Vec<u8>)) {
        let Some(mut layer) = self.layers.pop() else {
            return;
        };
        if let Some(place) = layer.place_of(raw) {
            self.write_up_to(&mut layer, place.start);
            new(self, &mut layer.out);
            layer.done = place.end;
        }
        self.layers.push(layer);
    }

    /// Writes what `new` makes of its content in place of `span`.
    fn replace_in(&mut self, span: Span<'_>, new: impl FnOnce(&Self) -> Vec<u8>) {
        self.replace(span.raw, |own, out| {
            let new = new(own);
            encoding::write_like(span.encoding, span.raw, span.content, &new, out);
        });
    }

    /// Whether what is rewritten leads to a program of a recipient.
    pub(super) fn in_program(&self) -> bool {
        self.layers.last().is_some_and(|layer| layer.in_program)
    }

    /// A text that is no container.
    pub(super) fn leaf(&self, value: &[u8], key: Option<&str>) -> Vec<u8> {
        match std::str::from_utf8(value) {
            Ok(text) => self.known.text(text, key).into_bytes(),
            Err(_) => scramble::bytes(self.known.key, value),
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
}

impl Sink for &mut Rewriter<'_> {
    const REWRITES: bool = true;

    fn open(&mut self, span: Span<'_>) {
        let below = self.layers.last();
        let place = below.and_then(|layer| layer.place_of(span.raw));
        let (in_url, in_program) =
            below.map_or((false, false), |layer| (layer.in_url, layer.in_program));
        self.layers.push(Layer {
            in_url,
            in_program,
            ..Layer::new(span.content, place, span.encoding)
        });
    }

    fn close(&mut self) {
        let Some(layer) = self.finish() else { return };
        let Some(place) = layer.place else { return };
        let Some(mut below) = self.layers.pop() else {
            return;
        };
        self.write_up_to(&mut below, place.start);
        let raw = below.text.get(place.clone()).unwrap_or_default();
        encoding::write_like(layer.encoding, raw, &layer.text, &layer.out, &mut below.out);
        below.done = place.end;
        self.layers.push(below);
    }

    fn value(&mut self, span: Span<'_>, kind: ValueKind, key: Option<&str>) {
        let in_url = self.layers.last().is_some_and(|layer| layer.in_url);
        self.replace_in(span, |own| match std::str::from_utf8(span.content) {
            _ if kind == ValueKind::Literal => span.content.to_vec(),
            Ok(text) if kind == ValueKind::Number => own.known.number(text, key).into_bytes(),
            // Even small numbers in an address tell where someone is on a site.
            Ok(text) if in_url && is_digits(text) => {
                scramble::unknown(own.known.key, text).into_bytes()
            }
            _ => own.leaf(span.content, key),
        });
    }

    /// If only the text is evidence.
    fn is_text(&self, span: Span<'_>, content: &[u8]) -> bool {
        let has = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| self.known.has(text));
        has(span.content) && !has(content)
    }

    fn name(&mut self, span: Span<'_>) {
        self.replace_in(span, |own| own.key(span.content));
    }

    /// Words with blanks are no values here.
    fn column(&mut self, span: Span<'_>) {
        self.replace_in(span, |own| match std::str::from_utf8(span.content) {
            Ok(text) if vocabulary::is_interface_text(text) && !own.known.hidden.is_in(text) => {
                span.content.to_vec()
            }
            _ => own.key(span.content),
        });
    }

    fn keep(&mut self, raw: &[u8]) {
        self.replace(raw, |_, out| out.extend_from_slice(raw));
    }

    fn unread(&mut self, raw: &[u8]) {
        self.replace(raw, |own, out| {
            if text::is_printable(raw, Some(MAX_UNPRINTABLE)) {
                out.extend(scramble::bytes(own.known.key, raw));
            } else {
                out.resize(out.len().saturating_add(raw.len()), 0);
            }
        });
    }

    fn origin(&mut self, raw: &[u8]) {
        self.replace(raw, |own, out| out.extend(host::origin(own.known, raw)));
        let in_url = self.scope != Scope::Target;
        let in_program = self.scope == Scope::Page && host::is_of_recipient(raw);
        if let Some(layer) = self.layers.last_mut() {
            (layer.in_url, layer.in_program) = (in_url, in_program);
        }
    }

    fn segment<'w>(&self, word: &'w [u8]) -> Segment<'w> {
        self.parts_of(word)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
