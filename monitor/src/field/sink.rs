//! Where values stand: what a reader tells about the bytes of a message besides
//! its fields, so that whoever rewrites them needs no reader of its own.

use super::{ValueKind, compression::Coding, packed::Format};

/// How bytes stand for a value, or for text with further values in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they are.
    Plain,
    /// A string of JSON or JavaScript between these quotes.
    Json(u8),
    /// Percent codes; with `true` a plus is a space.
    Percent(bool),
    /// Entities of HTML and XML.
    Entities,
    /// A cell of a table with this separator.
    Cell(u8),
    /// Base64 of either alphabet.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// A `data:` URI.
    DataUri,
    /// UTF-16 of either byte order.
    Utf16,
    /// Compressed.
    Compressed(Coding),
    /// A gRPC message behind its flag and length.
    Frame,
    /// Bytes of a protobuf message behind their length.
    Counted,
    /// A number of a protobuf message.
    Varint,
    /// A packed text behind its length.
    PackedText(Format),
    /// Packed bytes behind their length.
    PackedBytes(Format),
    /// A packed number.
    PackedNumber(Format),
}

/// Bytes of the text that is read, and what they stand for.
#[derive(Clone, Copy)]
pub(crate) struct Span<'a> {
    /// As they stand: a slice of the text itself.
    pub(crate) raw: &'a [u8],
    /// Decoded.
    pub(crate) content: &'a [u8],
    pub(crate) encoding: Encoding,
}

impl<'a> Span<'a> {
    /// Bytes that stand for themselves.
    pub(crate) const fn plain(raw: &'a [u8]) -> Self {
        Self {
            raw,
            content: raw,
            encoding: Encoding::Plain,
        }
    }
}

/// What of a path segment stays: a word in front, the value, a word behind it.
pub(crate) type Segment<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Takes the place of every value, in the order of the text. Encodings nest:
/// between [`Sink::open`] and [`Sink::close`], spans are slices of the content
/// that was opened. A span may be announced again; the first time counts.
pub(crate) trait Sink {
    /// Whether bytes are wanted that yield no field, such as the head of a
    /// token.
    const REWRITES: bool;

    /// Values follow inside of `span`.
    fn open(&mut self, span: Span<'_>);
    /// The end of what was opened last.
    fn close(&mut self);
    /// A value, below the key `key`.
    fn value(&mut self, span: Span<'_>, kind: ValueKind, key: Option<&str>);
    /// Whether a text that may also be an encoding of `content` is taken as
    /// text. What is in it follows in any case.
    fn is_text(&self, span: Span<'_>, content: &[u8]) -> bool;
    /// A key, or the name of an element.
    fn name(&mut self, span: Span<'_>);
    /// The name of a column of a table.
    fn column(&mut self, span: Span<'_>);
    /// Words of the format itself.
    fn keep(&mut self, raw: &[u8]);
    /// Bytes that no reader understands.
    fn unread(&mut self, raw: &[u8]);
    /// Scheme and authority of a URL, whose parts follow.
    fn origin(&mut self, raw: &[u8]);
    /// What of a segment of a path is a value.
    fn segment<'w>(&self, word: &'w [u8]) -> Segment<'w>;
}

/// Fields alone are wanted.
impl Sink for () {
    const REWRITES: bool = false;

    fn open(&mut self, _: Span<'_>) {}
    fn close(&mut self) {}
    fn value(&mut self, _: Span<'_>, _: ValueKind, _: Option<&str>) {}
    fn is_text(&self, _: Span<'_>, _: &[u8]) -> bool {
        false
    }
    fn name(&mut self, _: Span<'_>) {}
    fn column(&mut self, _: Span<'_>) {}
    fn keep(&mut self, _: &[u8]) {}
    fn unread(&mut self, _: &[u8]) {}
    fn origin(&mut self, _: &[u8]) {}
    fn segment<'w>(&self, word: &'w [u8]) -> Segment<'w> {
        (&[], word, &[])
    }
}
