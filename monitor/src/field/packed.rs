//! `MessagePack` and CBOR to fields: maps by their keys, arrays by their index.
//!
//! Neither format has a signature, so a body is first walked to its end. It is
//! read only if all of it is valid.

use super::{Encoding, Reader, Sink, Span, ValueKind, compression::Coding, content, text};
use crate::loss::Loss;

/// How deep maps and arrays are followed.
const MAX_DEPTH: u32 = 48;

/// A format of packed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    MessagePack,
    Cbor,
}

/// The beginning of a value.
enum Head<'a> {
    Number(String),
    Literal(&'static str),
    Text(&'a [u8], bool),
    Bytes(&'a [u8], bool),
    /// With the number of elements, if it is known.
    Array(Option<u64>),
    Map(Option<u64>),
    /// The value follows.
    Tag,
    /// The end of a map or an array of indefinite length.
    Break,
}

/// Why a walk ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The bytes ended inside a value.
    Ended,
    /// These bytes are of no such format.
    Astray,
    /// The value is deeper than is followed.
    TooDeep,
}

/// The format of `body`, if it is one map or array from beginning to end.
pub(crate) fn sniff(body: &[u8], cut: bool) -> Option<Format> {
    let formats: &[Format] = match body.first()? {
        0x80..=0x9f => &[Format::MessagePack, Format::Cbor],
        0xdc..=0xdf => &[Format::MessagePack],
        0xa0..=0xbf | 0xd9 => &[Format::Cbor],
        _ => return None,
    };
    formats.iter().copied().find(|format| {
        let mut walker = Walker {
            rest: body,
            format: *format,
            cut,
        };
        let mut values = 0;
        loop {
            if walker.rest.is_empty() {
                return values > 0 && body.len() > 1;
            }
            match walker.value(&mut None::<&mut Reader<'_>>, MAX_DEPTH) {
                Ok(()) => values += 1,
                Err(Stop::Ended) => return cut && body.len() > 8,
                Err(Stop::TooDeep) => return true,
                Err(Stop::Astray) => return false,
            }
        }
    })
}

/// Yields the values of `body`, by their index if there are several.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, body: &[u8], format: Format, cut: bool) {
    let base = reader.path_length();
    let mut walker = Walker {
        rest: body,
        format,
        cut,
    };
    let mark = reader.mark();
    let mut index = 0;
    while !walker.rest.is_empty() && !reader.is_full() {
        if index == 1 {
            reader.number_first(mark);
        }
        if index > 0 {
            reader.go_index(index);
        }
        index += 1;
        let stop = walker.value(&mut Some(&mut *reader), MAX_DEPTH).is_err();
        reader.go_back(base);
        if stop {
            return reader.unread(walker.rest);
        }
    }
}

/// The position of the reader.
struct Walker<'a> {
    rest: &'a [u8],
    format: Format,
    cut: bool,
}

impl<'a> Walker<'a> {
    fn head(&mut self) -> Result<Head<'a>, Stop> {
        match self.format {
            Format::MessagePack => self.message_pack(),
            Format::Cbor => self.cbor(),
        }
    }

    /// Walks over one value, and yields its contents if there is a reader.
    fn value<S: Sink>(
        &mut self,
        reader: &mut Option<&mut Reader<'_, S>>,
        depth: u32,
    ) -> Result<(), Stop> {
        let before = self.rest;
        let mut start = before;
        let mut head = self.head()?;
        while matches!(head, Head::Tag) {
            start = self.rest;
            head = self.head()?;
        }
        if let Some(reader) = reader {
            reader.keep(taken(before, start));
        }
        let raw = taken(start, self.rest);
        let span = |content, encoding| Span {
            raw,
            content,
            encoding,
        };
        match head {
            Head::Array(count) | Head::Map(count) => {
                if let Some(reader) = reader {
                    reader.keep(raw);
                }
                self.elements(count, matches!(head, Head::Map(_)), reader, depth)
            }
            Head::Break | Head::Tag => Err(Stop::Astray),
            Head::Text(text, closed) => {
                let valid = std::str::from_utf8(text).is_ok() || !closed;
                match reader {
                    None if !valid => return Err(Stop::Astray),
                    None => {}
                    Some(reader) => {
                        let cut = !closed || (self.cut && self.rest.is_empty());
                        let span = span(text, Encoding::PackedText(self.format));
                        content::read_value(reader, span, cut);
                    }
                }
                if closed { Ok(()) } else { Err(Stop::Ended) }
            }
            Head::Bytes(bytes, closed) => {
                if let Some(reader) = reader {
                    if Coding::sniff(bytes).is_some() || text::is_printable(bytes, None) {
                        let span = span(bytes, Encoding::PackedBytes(self.format));
                        content::read_inner(reader, span, !closed);
                    } else {
                        reader.keep(taken(raw, bytes));
                        reader.unread(bytes);
                    }
                }
                if closed { Ok(()) } else { Err(Stop::Ended) }
            }
            Head::Number(number) => {
                if let Some(reader) = reader {
                    let span = span(number.as_bytes(), Encoding::PackedNumber(self.format));
                    reader.take(span, ValueKind::Number, false);
                }
                Ok(())
            }
            Head::Literal(literal) => {
                if let Some(reader) = reader {
                    reader.keep(raw.get(..1).unwrap_or_default());
                    // A float of two bytes is a literal here.
                    reader.unread(raw.get(1..).unwrap_or_default());
                    reader.emit(literal.as_bytes(), ValueKind::Literal, false);
                }
                Ok(())
            }
        }
    }

    fn elements<S: Sink>(
        &mut self,
        count: Option<u64>,
        keyed: bool,
        reader: &mut Option<&mut Reader<'_, S>>,
        depth: u32,
    ) -> Result<(), Stop> {
        let Some(depth) = depth.checked_sub(1) else {
            if let Some(reader) = reader {
                reader.lose(Loss::FieldDepth);
            }
            return Err(Stop::TooDeep);
        };
        let base = reader.as_ref().map_or(0, |reader| reader.path_length());
        let mut index = 0_u64;
        while count.is_none_or(|count| index < count) {
            let before = self.rest;
            if count.is_none() && self.at_break() {
                if let Some(reader) = reader {
                    reader.keep(taken(before, self.rest));
                }
                return Ok(());
            }
            if let Some(reader) = reader.as_deref_mut() {
                if reader.is_full() {
                    return Err(Stop::Ended);
                }
                if !keyed {
                    reader.go_index(usize::try_from(index).unwrap_or(usize::MAX));
                }
            }
            if keyed {
                self.key(reader)?;
            }
            let done = self.value(reader, depth);
            if let Some(reader) = reader.as_deref_mut() {
                reader.go_back(base);
            }
            done?;
            index += 1;
        }
        Ok(())
    }

    fn at_break(&mut self) -> bool {
        let is_break = self.format == Format::Cbor && self.rest.first() == Some(&0xff);
        if is_break {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        is_break
    }

    /// Walks over a key, and goes down to it.
    fn key<S: Sink>(&mut self, reader: &mut Option<&mut Reader<'_, S>>) -> Result<(), Stop> {
        let before = self.rest;
        let number;
        let (content, encoding) = match self.head()? {
            Head::Text(key, true) => (key, Encoding::PackedText(self.format)),
            Head::Bytes(key, true) => (key, Encoding::PackedBytes(self.format)),
            Head::Text(_, false) | Head::Bytes(_, false) => {
                // What was read of it is no key yet.
                self.rest = before;
                return Err(Stop::Ended);
            }
            Head::Number(key) => {
                number = key;
                (number.as_bytes(), Encoding::PackedNumber(self.format))
            }
            _ => return Err(Stop::Astray),
        };
        if !text::is_printable(content, None) {
            return Err(Stop::Astray);
        }
        if let Some(reader) = reader {
            let span = Span {
                raw: taken(before, self.rest),
                content,
                encoding,
            };
            content::go_key(reader, span);
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Stop::Ended)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of `length` bytes, most significant first.
    fn uint(&mut self, length: usize) -> Result<u64, Stop> {
        let bytes = self.take(length)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The next `length` bytes, and whether all of them are there.
    fn bytes(&mut self, length: u64) -> (&'a [u8], bool) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if let Ok(bytes) = self.take(length) {
            return (bytes, true);
        }
        (std::mem::take(&mut self.rest), false)
    }

    fn text(&mut self, length: u64) -> Head<'a> {
        let (text, closed) = self.bytes(length);
        Head::Text(text, closed)
    }

    fn binary(&mut self, length: u64) -> Head<'a> {
        let (bytes, closed) = self.bytes(length);
        Head::Bytes(bytes, closed)
    }

    fn message_pack(&mut self) -> Result<Head<'a>, Stop> {
        let byte = *self.take(1)?.first().ok_or(Stop::Ended)?;
        let low = u64::from(byte & 0x0f);
        Ok(match byte {
            0..=0x7f => Head::Number(byte.to_string()),
            0x80..=0x8f => Head::Map(Some(low)),
            0x90..=0x9f => Head::Array(Some(low)),
            0xa0..=0xbf => self.text(u64::from(byte & 0x1f)),
            0xc0 => Head::Literal("null"),
            0xc1 => return Err(Stop::Astray),
            0xc2 => Head::Literal("false"),
            0xc3 => Head::Literal("true"),
            0xc4..=0xc6 => {
                let length = self.uint(1 << (byte - 0xc4))?;
                self.binary(length)
            }
            0xc7..=0xc9 => {
                let length = self.uint(1 << (byte - 0xc7))?;
                self.take(1)?;
                self.binary(length)
            }
            0xca => Head::Number(f32::from_bits(self.uint(4)? as u32).to_string()),
            0xcb => Head::Number(f64::from_bits(self.uint(8)?).to_string()),
            0xcc..=0xcf => Head::Number(self.uint(1 << (byte - 0xcc))?.to_string()),
            0xd0..=0xd3 => {
                let length = 1_usize << (byte - 0xd0);
                let unused = 64 - 8 * length as u32;
                let number = (self.uint(length)? << unused).cast_signed() >> unused;
                Head::Number(number.to_string())
            }
            0xd4..=0xd8 => {
                self.take(1)?;
                self.binary(1 << (byte - 0xd4))
            }
            0xd9..=0xdb => {
                let length = self.uint(1 << (byte - 0xd9))?;
                self.text(length)
            }
            0xdc | 0xdd => Head::Array(Some(self.uint(2 << (byte - 0xdc))?)),
            0xde | 0xdf => Head::Map(Some(self.uint(2 << (byte - 0xde))?)),
            0xe0.. => Head::Number(byte.cast_signed().to_string()),
        })
    }

    fn cbor(&mut self) -> Result<Head<'a>, Stop> {
        let byte = *self.take(1)?.first().ok_or(Stop::Ended)?;
        let (kind, low) = (byte >> 5, byte & 0x1f);
        let length = match low {
            0..=23 => Some(u64::from(low)),
            24..=27 => Some(self.uint(1 << (low - 24))?),
            31 => None,
            _ => return Err(Stop::Astray),
        };
        Ok(match (kind, length) {
            (0, Some(number)) => Head::Number(number.to_string()),
            (1, Some(number)) => Head::Number((-1 - i128::from(number)).to_string()),
            (2, Some(length)) => self.binary(length),
            (3, Some(length)) => self.text(length),
            (4, count) => Head::Array(count),
            (5, count) => Head::Map(count),
            (6, Some(_)) => Head::Tag,
            (7, None) => Head::Break,
            (7, Some(number)) => match low {
                20 => Head::Literal("false"),
                21 => Head::Literal("true"),
                22 | 23 => Head::Literal("null"),
                25 => Head::Literal("half"),
                26 => Head::Number(f32::from_bits(number as u32).to_string()),
                27 => Head::Number(f64::from_bits(number).to_string()),
                _ => return Err(Stop::Astray),
            },
            _ => return Err(Stop::Astray),
        })
    }
}

/// What of `before` no longer is in `after`, its end.
fn taken<'t>(before: &'t [u8], after: &[u8]) -> &'t [u8] {
    let length = before.len().saturating_sub(after.len());
    before.get(..length).unwrap_or_default()
}
