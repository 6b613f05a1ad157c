//! Lengths and numbers of protocol buffers, `MessagePack` and CBOR, written as
//! wide as they were.

use crate::field::{Encoding, packed::Format, protobuf};

/// Bytes in front of the length of a gRPC message.
const FRAME_FLAG: usize = 1;

/// Writes `new` in place of `old`, which ends `raw`, behind its own length. One
/// that is cut keeps the length that it should have.
pub(super) fn counted_like(
    encoding: Encoding,
    raw: &[u8],
    old: &[u8],
    new: &[u8],
    out: &mut Vec<u8>,
) {
    let (head, _) = raw.split_at(raw.len().saturating_sub(old.len()));
    let is_frame = encoding == Encoding::Frame;
    let told = if is_frame {
        head.get(FRAME_FLAG..)
            .and_then(|length| length.try_into().ok())
            .map(|length| u64::from(u32::from_be_bytes(length)))
    } else {
        protobuf::varint(head).map(|(length, _)| length)
    };
    if new.len() == old.len() || told != Some(old.len() as u64) {
        out.extend_from_slice(head);
    } else if is_frame {
        out.extend_from_slice(head.get(..FRAME_FLAG).unwrap_or_default());
        let length = u32::try_from(new.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        varint(new.len() as u64, out);
    }
    out.extend_from_slice(new);
}

/// Writes the number `new` of a protobuf message in place of `old`.
pub(super) fn varint_like(old: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let parse = |text| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
    varint(
        parse(new).unwrap_or_else(|| parse(old).unwrap_or_default() % 1_000),
        out,
    );
}

/// Writes a number of a protobuf message.
fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes `new` in place of the packed `old`, which ends `raw`.
pub(super) fn packed_like(
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
pub(super) fn packed_number(format: Format, raw: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let new = std::str::from_utf8(new).unwrap_or_default();
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
