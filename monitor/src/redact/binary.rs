//! Protocol buffers, `MessagePack` and CBOR: every length is rewritten if what
//! it counts has changed.

use super::rewriter::Rewriter;
use crate::field::{
    compression::Coding,
    packed::{self, Format, Head, Stop, Walker},
    protobuf::{self, Item},
    text,
};

/// Bytes in front of a gRPC message.
const FRAME_HEAD: usize = 5;

impl Rewriter<'_> {
    /// The frames of gRPC messages.
    pub(super) fn frames(&mut self, body: &[u8], cut: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len());
        let mut rest = Some(body);
        let mut left = body;
        while let Some((message, behind)) = rest.and_then(protobuf::split_frame) {
            let new = self.inner(message, cut || behind.is_none());
            let head = left.get(..FRAME_HEAD).unwrap_or_default();
            if behind.is_some() && new.len() != message.len() {
                out.extend_from_slice(head.get(..1).unwrap_or_default());
                let length = u32::try_from(new.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_be_bytes());
            } else {
                out.extend_from_slice(head);
            }
            out.extend(new);
            rest = behind;
            left = behind.unwrap_or_default();
        }
        out.extend(self.unread(left));
        out
    }

    /// A message without its schema.
    pub(super) fn protobuf(&mut self, message: &[u8], cut: bool) -> Vec<u8> {
        self.message(message, cut, protobuf::MAX_DEPTH)
    }

    fn message(&mut self, message: &[u8], cut: bool, depth: u32) -> Vec<u8> {
        let Some(depth) = depth.checked_sub(1) else {
            return vec![0; message.len()];
        };
        let mut out = Vec::with_capacity(message.len());
        let mut rest = message;
        while !rest.is_empty() {
            let Some((_, item, behind, ended)) = protobuf::split(rest) else {
                out.extend(vec![0; rest.len()]);
                break;
            };
            let whole = rest.len().saturating_sub(behind.len());
            let raw = rest.get(..whole).unwrap_or_default();
            let tag = protobuf::varint(raw).map_or(0, |(_, after)| raw.len() - after.len());
            let (tag, value) = raw.split_at(tag.min(raw.len()));
            out.extend_from_slice(tag);
            match item {
                Item::Number(number) => {
                    let text = number.to_string();
                    let new = self.known.number(&text, None);
                    match new.parse::<u64>() {
                        Ok(same) if same == number => out.extend_from_slice(value),
                        Ok(new) => varint(new, &mut out),
                        Err(_) => varint(number % 1_000, &mut out),
                    }
                }
                // A float, or an id: the readers look at neither.
                Item::Fixed => out.extend(vec![0; value.len()]),
                Item::Bytes(bytes) => {
                    let cut = ended || (cut && behind.is_empty());
                    let new = self.item(bytes, cut, depth);
                    let head = value.len().saturating_sub(bytes.len());
                    if new.len() == bytes.len() || ended {
                        out.extend_from_slice(value.get(..head).unwrap_or_default());
                    } else {
                        varint(new.len() as u64, &mut out);
                    }
                    out.extend(new);
                }
            }
            rest = behind;
        }
        out
    }

    /// A text, a message or compressed data.
    fn item(&mut self, bytes: &[u8], cut: bool, depth: u32) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        if Coding::sniff(bytes).is_some() {
            return self.inner(bytes, cut);
        }
        let printable = text::is_printable(bytes, None);
        let nested = protobuf::is_tag_of_bytes(bytes) && protobuf::looks_like(bytes, cut);
        if printable && !(nested && bytes.first() == Some(&b'\n')) {
            return self.value(bytes, None, cut);
        }
        if nested || (!printable && protobuf::looks_like(bytes, cut)) {
            return self.message(bytes, cut, depth);
        }
        self.unread(bytes)
    }

    /// Packed values.
    pub(super) fn packed(&mut self, body: &[u8], format: Format) -> Vec<u8> {
        let mut walker = Walker {
            rest: body,
            format,
            cut: false,
        };
        let mut out = Vec::with_capacity(body.len());
        while !walker.rest.is_empty() {
            if self
                .packed_value(&mut walker, None, packed::MAX_DEPTH, &mut out)
                .is_err()
            {
                break;
            }
        }
        out.extend(vec![0; walker.rest.len()]);
        out
    }

    fn packed_value(
        &mut self,
        walker: &mut Walker<'_>,
        key: Option<&str>,
        depth: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let mut before = walker.rest;
        let mut head = walker.head()?;
        while matches!(head, Head::Tag) {
            out.extend_from_slice(taken(before, walker.rest));
            before = walker.rest;
            head = walker.head()?;
        }
        let raw = taken(before, walker.rest);
        match head {
            Head::Array(count) | Head::Map(count) => {
                out.extend_from_slice(raw);
                let keyed = matches!(head, Head::Map(_));
                self.elements(walker, count, keyed, depth, out)
            }
            Head::Break | Head::Tag => Err(Stop::Astray),
            Head::Text(text, closed) => {
                let new = self.value(text, key, !closed);
                packed_bytes(walker.format, raw, text, &new, true, out);
                if closed { Ok(()) } else { Err(Stop::Ended) }
            }
            Head::Bytes(bytes, closed) => {
                let is_read = Coding::sniff(bytes).is_some() || text::is_printable(bytes, None);
                let new = if is_read {
                    self.inner(bytes, !closed)
                } else {
                    vec![0; bytes.len()]
                };
                packed_bytes(walker.format, raw, bytes, &new, false, out);
                if closed { Ok(()) } else { Err(Stop::Ended) }
            }
            Head::Number(number) => {
                let new = self.known.number(&number, key);
                if new == number {
                    out.extend_from_slice(raw);
                } else {
                    packed_number(walker.format, raw, &new, out);
                }
                Ok(())
            }
            Head::Literal(_) => {
                // A float of two bytes is a literal to the reader.
                let [kind, rest @ ..] = raw else {
                    return Ok(());
                };
                out.push(*kind);
                out.extend(vec![0; rest.len()]);
                Ok(())
            }
        }
    }

    fn elements(
        &mut self,
        walker: &mut Walker<'_>,
        count: Option<u64>,
        keyed: bool,
        depth: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let depth = depth.checked_sub(1).ok_or(Stop::TooDeep)?;
        let mut index = 0_u64;
        while count.is_none_or(|count| index < count) {
            if count.is_none() && walker.at_break() {
                out.push(0xff);
                return Ok(());
            }
            let key = if keyed {
                self.packed_key(walker, out)?
            } else {
                None
            };
            self.packed_value(walker, key.as_deref(), depth, out)?;
            index = index.saturating_add(1);
        }
        Ok(())
    }

    fn packed_key(
        &mut self,
        walker: &mut Walker<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<String>, Stop> {
        let before = walker.rest;
        let head = walker.head()?;
        let raw = taken(before, walker.rest);
        match head {
            Head::Text(key, true) => {
                packed_bytes(walker.format, raw, key, &self.key(key), true, out);
                Ok(String::from_utf8(key.to_vec()).ok())
            }
            Head::Bytes(key, true) => {
                packed_bytes(walker.format, raw, key, &self.key(key), false, out);
                Ok(String::from_utf8(key.to_vec()).ok())
            }
            Head::Number(number) => {
                let new = self.known.number(&number, None);
                if new == number {
                    out.extend_from_slice(raw);
                } else {
                    packed_number(walker.format, raw, &new, out);
                }
                Ok(Some(number))
            }
            Head::Text(_, false) | Head::Bytes(_, false) => {
                walker.rest = before;
                Err(Stop::Ended)
            }
            _ => Err(Stop::Astray),
        }
    }
}

/// What of `before` is no longer in `after`.
fn taken<'t>(before: &'t [u8], after: &[u8]) -> &'t [u8] {
    let length = before.len().saturating_sub(after.len());
    before.get(..length).unwrap_or_default()
}

/// Writes a number of a protobuf message.
fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes `new` in place of `old`, which ends `raw`.
fn packed_bytes(
    format: Format,
    raw: &[u8],
    old: &[u8],
    new: &[u8],
    is_text: bool,
    out: &mut Vec<u8>,
) {
    let head = raw.len().saturating_sub(old.len());
    if new.len() == old.len() {
        out.extend_from_slice(raw.get(..head).unwrap_or_default());
        out.extend_from_slice(new);
        return;
    }
    let length = u32::try_from(new.len()).unwrap_or(u32::MAX);
    match (format, is_text) {
        (Format::MessagePack, true) => {
            out.push(0xdb);
            out.extend_from_slice(&length.to_be_bytes());
        }
        (Format::MessagePack, false) => {
            out.push(0xc6);
            out.extend_from_slice(&length.to_be_bytes());
        }
        (Format::Cbor, _) => {
            out.push(if is_text { 0x7a } else { 0x5a });
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(new);
}

/// Writes a number as wide as `raw` is.
fn packed_number(format: Format, raw: &[u8], new: &str, out: &mut Vec<u8>) {
    let Some((kind, rest)) = raw.split_first() else {
        return;
    };
    let is_single = matches!(
        (format, kind),
        (Format::MessagePack, 0xca) | (Format::Cbor, 0xfa)
    );
    let is_double = matches!(
        (format, kind),
        (Format::MessagePack, 0xcb) | (Format::Cbor, 0xfb)
    );
    if is_single || is_double {
        let number = new.parse::<f64>().unwrap_or_default();
        out.push(*kind);
        if is_single {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float of four bytes is what stood there"
            )]
            out.extend_from_slice(&(number as f32).to_be_bytes());
        } else {
            out.extend_from_slice(&number.to_be_bytes());
        }
        return;
    }
    let number = new.parse::<i128>().unwrap_or_default();
    let bits = u32::try_from(rest.len()).unwrap_or(8).saturating_mul(8);
    let is_signed = matches!((format, kind), (Format::MessagePack, 0xd0..=0xd3));
    let is_negative = matches!((format, kind), (Format::Cbor, 0x20..=0x3f));
    let magnitude = if is_negative { -1 - number } else { number };
    let (least, most) = match (bits, is_signed) {
        (0, _) => (0, 0),
        (bits, true) => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
        (bits, false) => (0, (1_i128 << bits.min(64)) - 1),
    };
    // The same number of digits may exceed the same number of bytes.
    let fitting = if (least..=most).contains(&magnitude) {
        magnitude
    } else {
        magnitude / 10
    };
    out.push(*kind);
    let bytes = fitting.clamp(least, most).to_be_bytes();
    let from = bytes.len().saturating_sub(rest.len());
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}
