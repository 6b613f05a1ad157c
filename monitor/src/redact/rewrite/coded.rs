//! Values that are encodings of others: base64, hexadecimal digits, percent
//! escapes, JSON Web Tokens, `data:` URIs.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::Rewriter;
use crate::token::hex;

/// Shorter texts are words.
const MIN_LENGTH: usize = 12;

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);

/// Rewrites `text`. `None` if it is no encoding of a text.
pub(super) fn rewrite(rewriter: &Rewriter<'_>, text: &str) -> Option<String> {
    if let Some((head, data)) = text
        .split_once(";base64,")
        .filter(|(head, _)| is_data(head))
    {
        return Some(format!("{head};base64,{}", in_base64(rewriter, data)?));
    }
    if text.starts_with("eyJ") && text.contains('.') {
        // The signature says nothing and fits nothing any more.
        let parts: Vec<String> = text
            .split('.')
            .map(|part| {
                in_base64(rewriter, part)
                    .unwrap_or_else(|| super::pseudonym::any(rewriter.key, part))
            })
            .collect();
        return Some(parts.join("."));
    }
    if text.len() >= MIN_LENGTH
        && text.len().is_multiple_of(2)
        && is_all(text, |byte| byte.is_ascii_hexdigit())
    {
        return in_hex(rewriter, text);
    }
    if text.len() >= MIN_LENGTH
        && is_all(text, |byte| {
            byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)
        })
    {
        return in_base64(rewriter, text);
    }
    if text.contains('%') && !text.contains(' ') {
        let decoded = percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .ok()?;
        if decoded != text {
            let new = rewriter.value(&decoded);
            return Some(if new == decoded {
                text.to_owned()
            } else {
                super::form::encode(&new, text).replace('+', "%20")
            });
        }
    }
    None
}

fn is_data(head: &str) -> bool {
    head.get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:"))
}

fn is_all(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(fits)
}

fn in_base64(rewriter: &Rewriter<'_>, text: &str) -> Option<String> {
    let is_url = text.contains(['-', '_']);
    let standard = text.replace('-', "+").replace('_', "/");
    let inner = readable(STANDARD.decode(&standard).ok()?)?;
    let mut new = STANDARD.encode(rewriter.body(&inner));
    if is_url {
        new = new.replace('+', "-").replace('/', "_");
    }
    if !text.ends_with('=') {
        new.truncate(new.trim_end_matches('=').len());
    }
    Some(new)
}

fn in_hex(rewriter: &Rewriter<'_>, text: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = (0..text.len() / 2)
        .map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok())
        .collect();
    let new = rewriter.body(&readable(bytes?)?);
    let digits = hex(new.as_bytes(), new.len());
    let is_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if is_upper {
        digits.to_ascii_uppercase()
    } else {
        digits
    })
}

/// Text, if the bytes are one that a person could read.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let is_text = !text.is_empty()
        && text
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    is_text.then_some(text)
}
