//! Values that are encoded as a whole: compressed data, base64, hexadecimal,
//! tokens, `data:` URIs, tagged lists.

use std::io::Write as _;

use ::base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use super::{escape::Escapes, rewriter::Rewriter, scramble};
use crate::{
    field::{
        base64 as base64_text, coded::Coded, compression::Coding, entity, envelope,
        hex as hex_text, percent, text, url,
    },
    token::hex,
};

/// How hard zstd tries: redacting is done on the fly.
const ZSTD_LEVEL: i32 = 1;

/// `bytes` compressed.
pub(super) fn encode(coding: Coding, bytes: &[u8]) -> Option<Vec<u8>> {
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

/// Whether a value contains entities rather than percent escapes.
pub(super) fn is_entities(value: &[u8]) -> bool {
    memchr::memchr(b';', value).is_some() && entity::has_entity(value)
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

impl Rewriter<'_> {
    /// Base64, hexadecimal or a `data:` URI.
    pub(super) fn coded(
        &mut self,
        value: &[u8],
        coded: &Coded,
        key: Option<&str>,
        cut: bool,
    ) -> Vec<u8> {
        // A value that may also be text counts as text if only the text is
        // evidence.
        let has = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| self.known.has(text));
        if !coded.sure && has(value) && !has(&coded.content) {
            return self.leaf(value, key);
        }
        let start = text::trim_start(value);
        let blank = value.len().saturating_sub(start.len());
        let mut out = value.get(..blank).unwrap_or_default().to_vec();
        let new = self.body(&coded.content, cut);
        if start
            .get(..5)
            .is_some_and(|mark| mark.eq_ignore_ascii_case(b"data:"))
            && envelope::data_uri(start).is_some()
        {
            data_uri(start, &new, &mut out);
        } else if base64_text::decode(start).is_some() {
            out.extend(base64_like(start, &new));
        } else {
            let digits = hex(&new, new.len());
            let body = start.strip_prefix(b"0x").unwrap_or(start);
            if body.len() < start.len() {
                out.extend_from_slice(b"0x");
            }
            if hex_text::decode(start).is_some() && body.iter().any(u8::is_ascii_uppercase) {
                out.extend_from_slice(digits.to_ascii_uppercase().as_bytes());
            } else {
                out.extend_from_slice(digits.as_bytes());
            }
        }
        out
    }

    /// A JSON Web Token: its payload rewritten, its signature scrambled.
    pub(super) fn token(&mut self, value: &[u8], payload: &[u8], out: &mut Vec<u8>) {
        let (head, rest) = url::split_once(value, b'.');
        let (coded, signature) = url::split_once(rest.unwrap_or_default(), b'.');
        let start = text::trim_start(payload);
        let blank = payload.len().saturating_sub(start.len());
        let mut new = payload.get(..blank).unwrap_or_default().to_vec();
        self.json(start, &mut new);
        out.extend(self.token_head(head));
        out.push(b'.');
        out.extend(base64_like(coded, &new));
        out.push(b'.');
        out.extend(scramble::bytes(
            self.known.key,
            signature.unwrap_or_default(),
        ));
    }

    /// The head of a token, which is JSON too.
    fn token_head(&mut self, head: &[u8]) -> Vec<u8> {
        let scheme = head
            .strip_prefix(b"Bearer ")
            .map_or(0, |rest| head.len() - rest.len());
        let (scheme, head) = head.split_at(scheme);
        let mut out = scheme.to_vec();
        match base64_text::bytes(head) {
            Some(bytes) if std::str::from_utf8(&bytes).is_ok() => {
                let mut new = Vec::new();
                self.json(&bytes, &mut new);
                out.extend(base64_like(head, &new));
            }
            _ => out.extend(scramble::bytes(self.known.key, head)),
        }
        out
    }

    /// The entries of a tagged list.
    pub(super) fn tagged(&mut self, entries: &[u8], out: &mut Vec<u8>) {
        for (index, entry) in entries.split(|byte| *byte == b'~').enumerate() {
            if index > 0 {
                out.push(b'~');
            }
            let (tag, value) = url::split_once(entry, b'.');
            match value {
                Some(value) => {
                    out.extend(self.key(tag));
                    out.push(b'.');
                    out.extend(self.leaf(value, None));
                }
                None => out.extend(self.leaf(tag, None)),
            }
        }
    }
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
        Escapes::Percent(false).write_like(data, &text, out);
    } else {
        Escapes::Percent(false).write_like(data, new, out);
    }
}
