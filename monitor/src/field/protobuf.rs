//! Protocol buffers without their schema, and the frames of gRPC around them.
//!
//! The steps of a path are field numbers; a repeated field has an index behind
//! its number. A length-delimited value is a text if it is printable, or else a
//! message if it parses as one; numbers are yielded in decimal.

use super::{Encoding, Reader, Sink, Span, ValueKind, compression::Coding, content, text};
use crate::loss::Loss;

/// Messages within messages that are followed.
const MAX_DEPTH: u32 = 24;
/// The highest field number that is believed.
const MAX_NUMBER: u64 = 1 << 20;
/// The bytes in front of a gRPC message: a flag and its length.
const FRAME_HEAD: usize = 5;
/// Fields of one message whose repetition is noticed.
const MAX_NUMBERS: usize = 256;

/// One field of a message.
enum Item<'a> {
    Number(u64),
    /// Eight or four bytes: a float, mostly.
    Fixed,
    Bytes(&'a [u8]),
}

/// Splits the first field off: its number, its value, what follows and whether
/// the value is cut.
fn split(message: &[u8]) -> Option<(u64, Item<'_>, &[u8], bool)> {
    let (tag, rest) = varint(message)?;
    let number = tag >> 3;
    if !(1..=MAX_NUMBER).contains(&number) {
        return None;
    }
    Some(match tag & 7 {
        0 => {
            let (value, rest) = varint(rest)?;
            (number, Item::Number(value), rest, false)
        }
        1 => (number, Item::Fixed, rest.get(8..)?, false),
        5 => (number, Item::Fixed, rest.get(4..)?, false),
        2 => {
            let (length, rest) = varint(rest)?;
            let length = usize::try_from(length).ok()?;
            match rest.split_at_checked(length) {
                Some((value, rest)) => (number, Item::Bytes(value), rest, false),
                None => (number, Item::Bytes(rest), &[], true),
            }
        }
        _ => return None,
    })
}

/// The number that `bytes` begin with, and what follows.
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (index as u32 * 7).min(63);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index.saturating_add(1)..)?));
        }
    }
    None
}

/// Whether `bytes` are one message to their end, or with `cut`, as far as they
/// go.
pub(crate) fn looks_like(bytes: &[u8], cut: bool) -> bool {
    let mut rest = bytes;
    let (mut fields, mut lengths) = (0_usize, 0_usize);
    while !rest.is_empty() {
        match split(rest) {
            Some((_, item, behind, false)) => {
                fields += 1;
                lengths += usize::from(matches!(item, Item::Bytes(value) if !value.is_empty()));
                rest = behind;
            }
            Some((_, _, _, true)) => return cut && fields > 0,
            None => return cut && lengths > 0 && rest.len() < 12,
        }
    }
    fields > 0 && lengths > 0
}

/// Yields the fields of a message below the current path.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, message: &[u8], cut: bool) {
    read_message(reader, message, cut, MAX_DEPTH);
}

fn read_message<S: Sink>(reader: &mut Reader<'_, S>, message: &[u8], cut: bool, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else {
        reader.lose(Loss::FieldDepth);
        return reader.unread(message);
    };
    let base = reader.path_length();
    let mut counts = Counts::of(message);
    let mut rest = message;
    while !rest.is_empty() && !reader.is_full() {
        let Some((number, item, behind, ended)) = split(rest) else {
            return reader.unread(rest);
        };
        let cut = ended || (cut && behind.is_empty());
        let raw = after_tag(reader, rest, behind);
        rest = behind;
        reader.go_key(number.to_string().as_bytes());
        if let Some(index) = counts.index(number) {
            reader.go_index(index);
        }
        match item {
            Item::Number(value) => {
                let value = value.to_string();
                let span = Span {
                    raw,
                    content: value.as_bytes(),
                    encoding: Encoding::Varint,
                };
                reader.take(span, ValueKind::Number, cut);
            }
            // A float, or an id.
            Item::Fixed => reader.unread(raw),
            Item::Bytes(content) => {
                let span = Span {
                    raw,
                    content,
                    encoding: Encoding::Counted,
                };
                read_bytes(reader, span, cut, depth);
            }
        }
        reader.go_back(base);
    }
}

/// Yields a text, or the contents of a message or of compressed data.
fn read_bytes<S: Sink>(reader: &mut Reader<'_, S>, span: Span<'_>, cut: bool, depth: u32) {
    let bytes = span.content;
    if bytes.is_empty() {
        return reader.keep(span.raw);
    }
    if Coding::sniff(bytes).is_some() {
        return content::read_inner(reader, span, cut);
    }
    let printable = text::is_printable(bytes, None);
    // The first byte of a text may be the tag of a field, but the length that
    // follows is seldom right to the end.
    let nested = is_tag_of_bytes(bytes) && looks_like(bytes, cut);
    if printable && !(nested && bytes.first() == Some(&b'\n')) {
        content::read_value(reader, span, cut);
    }
    reader.open(span);
    if nested || (!printable && looks_like(bytes, cut)) {
        read_message(reader, bytes, cut, depth);
    } else {
        reader.unread(bytes);
    }
    reader.close(&[]);
}

/// The bytes of the first field of `message` behind its tag, which stays.
fn after_tag<'m, S: Sink>(
    reader: &mut Reader<'_, S>,
    message: &'m [u8],
    behind: &[u8],
) -> &'m [u8] {
    let whole = message.len().saturating_sub(behind.len());
    let field = message.get(..whole).unwrap_or(message);
    let value = varint(field).map_or(field, |(_, value)| value);
    reader.keep(field.get(..field.len() - value.len()).unwrap_or_default());
    value
}

fn is_tag_of_bytes(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|tag| tag & 7 == 2)
}

/// How often the field numbers of one message occur.
struct Counts(Vec<(u64, usize, usize)>);

impl Counts {
    fn of(message: &[u8]) -> Self {
        let mut counts: Vec<(u64, usize, usize)> = Vec::new();
        let mut rest = message;
        while let Some((number, _, behind, _)) = split(rest) {
            rest = behind;
            // Fields come in order, so the last entry nearly always matches.
            if let Some((_, count, _)) =
                counts.iter_mut().rev().find(|(known, ..)| *known == number)
            {
                *count += 1;
            } else if counts.len() < MAX_NUMBERS {
                counts.push((number, 1, 0));
            }
        }
        Self(counts)
    }

    /// The index of the next field of this number, if there are several.
    fn index(&mut self, number: u64) -> Option<usize> {
        let (_, count, next) = self
            .0
            .iter_mut()
            .rev()
            .find(|(known, ..)| *known == number)?;
        let index = *next;
        *next += 1;
        (*count > 1).then_some(index)
    }
}

/// The message of the first frame, and what follows it.
fn split_frame(body: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let (head, rest) = body.split_first_chunk::<FRAME_HEAD>()?;
    let [flag @ (0 | 1), length @ ..] = head else {
        return None;
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    match rest.split_at_checked(length) {
        Some((message, rest)) => {
            let compressed = Coding::sniff(message).is_some();
            (*flag == 0 || compressed || message.is_empty()).then_some((message, Some(rest)))
        }
        None => Some((rest, None)),
    }
}

/// Whether `body` begins with the frame of a gRPC message, and consists of
/// frames as far as the first two show.
pub(crate) fn looks_like_frames(body: &[u8], cut: bool) -> bool {
    match split_frame(body) {
        Some((message, Some(rest))) => {
            !message.is_empty() && (rest.is_empty() || cut || split_frame(rest).is_some())
        }
        Some((_, None)) => cut,
        None => false,
    }
}

/// Yields the contents of the frames of `body`, by their index if there are
/// several.
pub(super) fn read_frames<S: Sink>(reader: &mut Reader<'_, S>, body: &[u8], cut: bool) {
    let base = reader.path_length();
    let mut rest = Some(body);
    let mut left = body;
    let mut index = 0;
    let many = split_frame(body).is_some_and(|(_, rest)| rest.is_some_and(|r| !r.is_empty()));
    while let Some((message, behind)) = rest.and_then(split_frame) {
        let raw = left.get(..left.len() - behind.map_or(0, <[u8]>::len));
        let span = Span {
            raw: raw.unwrap_or_default(),
            content: message,
            encoding: Encoding::Frame,
        };
        rest = behind;
        left = behind.unwrap_or_default();
        if reader.is_full() {
            return;
        }
        if many {
            reader.go_index(index);
            index += 1;
        }
        content::read_inner(reader, span, cut || behind.is_none());
        reader.go_back(base);
    }
    reader.unread(left);
}
