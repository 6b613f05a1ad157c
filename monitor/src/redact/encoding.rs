//! A replacement, encoded as what it replaces was.
//!
//! In: bytes, what they stood for, and what replaces that. Out: bytes of the
//! same style, with every length adapted.

use std::io::Write as _;

use ::base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use super::number;
use crate::field::{Encoding, compression::Coding, percent, url};

/// How hard zstd tries: redacting is done on the fly.
const ZSTD_LEVEL: i32 = 1;

/// Writes `new` in place of `raw`, which stood for `old`.
pub(super) fn write_like(
    encoding: Encoding,
    raw: &[u8],
    old: &[u8],
    new: &[u8],
    out: &mut Vec<u8>,
) {
    match encoding {
        Encoding::Plain => out.extend_from_slice(new),
        Encoding::Json(_) | Encoding::Percent(_) | Encoding::Entities => {
            encoding.escape_like(raw, new, out);
        }
        Encoding::Cell(separator) => cell_like(raw, new, separator, out),
        Encoding::Base64 => out.extend(base64_like(raw, new)),
        Encoding::Hex => hex_like(raw, new, out),
        Encoding::DataUri => data_uri(raw, new, out),
        Encoding::Utf16 => out.extend(utf16_like(raw, new)),
        Encoding::Compressed(coding) => {
            out.extend(compress(coding, new).unwrap_or_else(|| vec![0; raw.len()]));
        }
        Encoding::Frame | Encoding::Counted => number::counted_like(encoding, raw, old, new, out),
        Encoding::PackedText(format) => number::packed_like(format, raw, old, new, true, out),
        Encoding::PackedBytes(format) => number::packed_like(format, raw, old, new, false, out),
        Encoding::Varint | Encoding::PackedNumber(_) if new == old => out.extend_from_slice(raw),
        Encoding::Varint => number::varint_like(old, new, out),
        Encoding::PackedNumber(format) => number::packed_number(format, raw, new, out),
    }
}

/// `bytes` compressed.
fn compress(coding: Coding, bytes: &[u8]) -> Option<Vec<u8>> {
    match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).ok()?;
            encoder.finish().ok()
        }
        Coding::Zlib => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).ok()?;
            encoder.finish().ok()
        }
        Coding::Zstd => zstd::encode_all(bytes, ZSTD_LEVEL).ok(),
    }
}

/// `new` in base64, in the style of `old`: its alphabet, padding and line
/// breaks.
fn base64_like(old: &[u8], new: &[u8]) -> Vec<u8> {
    let is_url_safe = old.iter().any(|byte| b"-_".contains(byte));
    let is_padded = old.trim_ascii_end().last() == Some(&b'=');
    let mut text = if is_url_safe {
        BASE64_URL_SAFE_NO_PAD.encode(new)
    } else {
        BASE64_STANDARD_NO_PAD.encode(new)
    };
    if memchr::memchr(b' ', old).is_some() {
        text = text.replace('+', " ");
    }
    if is_padded {
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
    }
    if !old.iter().any(|byte| b"\r\n".contains(byte)) {
        return text.into_bytes();
    }
    let mut digits = text.bytes();
    let mut out = Vec::with_capacity(old.len());
    for byte in old {
        if b"\r\n".contains(byte) {
            out.push(*byte);
        } else if let Some(digit) = digits.next() {
            out.push(digit);
        }
    }
    out.extend(digits);
    out
}

/// `new` in the place of the data of `uri`.
fn data_uri(uri: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let (head, data) = url::split_once(uri, b',');
    let data = data.unwrap_or_default();
    out.extend_from_slice(head);
    out.push(b',');
    if head.to_ascii_lowercase().ends_with(b";base64") {
        let decoded = percent::decode(data, false);
        let text = base64_like(decoded.trim_ascii(), new);
        Encoding::Percent(false).escape_like(data, &text, out);
    } else {
        Encoding::Percent(false).escape_like(data, new, out);
    }
}

/// `new` in the style of the hexadecimal digits `old`.
fn hex_like(old: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let (mark, digits) = old.split_at(if old.starts_with(b"0x") { 2 } else { 0 });
    out.extend_from_slice(mark);
    if digits.iter().any(u8::is_ascii_uppercase) {
        out.extend(base16ct::upper::encode_string(new).into_bytes());
    } else {
        out.extend(base16ct::lower::encode_string(new).into_bytes());
    }
}

/// `new` in place of a cell, with its quotes.
fn cell_like(cell: &[u8], new: &[u8], separator: u8, out: &mut Vec<u8>) {
    let is_quoted = cell.len() > 1 && cell.starts_with(b"\"") && cell.ends_with(b"\"");
    let needs_quotes = new
        .iter()
        .any(|byte| *byte == separator || b"\"\n".contains(byte));
    if !is_quoted && (!needs_quotes || cell == new) {
        return out.extend_from_slice(new);
    }
    out.push(b'"');
    for byte in new {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
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
