//! Forms and queries: the values of their pairs are replaced, and encoded as
//! they were.

use std::fmt::Write as _;

use super::Rewriter;

/// The longest key of a pair, in bytes.
const MAX_KEY: usize = 256;
/// Pairs that are looked at.
const LOOKED_AT: usize = 4;

/// Whether `text` begins like a form.
pub(super) fn is_form(text: &str) -> bool {
    let text = text.strip_prefix('?').unwrap_or(text);
    let mut pairs = 0;
    for (index, piece) in text.split('&').take(LOOKED_AT).enumerate() {
        let is_pair = piece.split_once('=').is_some_and(|(key, _)| {
            (1..=MAX_KEY).contains(&key.len())
                && !key.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '{' | '/'))
        });
        if !is_pair && index == 0 {
            return false;
        }
        pairs += usize::from(is_pair);
    }
    pairs > 1 || pairs == 1 && !text.contains([' ', '\n']) && !text.ends_with('=')
}

/// Rewrites a form; its lines are forms each.
pub(super) fn rewrite(rewriter: &Rewriter<'_>, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let end = rest.find(['&', '\n', '\r']).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        pair(rewriter, piece, &mut out);
        let Some(mark) = behind.chars().next() else {
            return out;
        };
        out.push(mark);
        rest = behind.get(mark.len_utf8()..).unwrap_or_default();
    }
}

pub(super) fn pair(rewriter: &Rewriter<'_>, piece: &str, out: &mut String) {
    let (mark, piece) = match piece.strip_prefix('?') {
        Some(rest) => ("?", rest),
        None => ("", piece),
    };
    out.push_str(mark);
    let Some((key, value)) = piece.split_once('=') else {
        out.push_str(&coded(piece, |text| rewriter.value(text)));
        return;
    };
    // Brackets in a key are steps.
    for (index, step) in key.split('[').enumerate() {
        if index > 0 {
            out.push('[');
        }
        let (step, bracket) = match step.strip_suffix(']') {
            Some(step) => (step, "]"),
            None => (step, ""),
        };
        out.push_str(&coded(step, |text| rewriter.key(text)));
        out.push_str(bracket);
    }
    out.push('=');
    out.push_str(&coded(value, |text| rewriter.value(text)));
}

/// What `change` makes of the decoded `text`, encoded as that was.
fn coded(text: &str, change: impl FnOnce(&str) -> String) -> String {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy();
    let new = change(&decoded);
    if new == decoded {
        text.to_owned()
    } else {
        encode(&new, text)
    }
}

/// `text` encoded with the marks left as they are that `like` leaves.
pub(super) fn encode(text: &str, like: &str) -> String {
    let space = if like.contains('+') || !like.contains("%20") {
        "+"
    } else {
        "%20"
    };
    let is_lower = like
        .bytes()
        .zip(like.bytes().skip(1))
        .any(|(mark, digit)| mark == b'%' && digit.is_ascii_lowercase())
        || like.contains("%2f")
        || like.contains("%3a");
    let mut out = String::with_capacity(like.len());
    for c in text.chars() {
        let stays = c.is_ascii_alphanumeric()
            || matches!(c, '-' | '_' | '.' | '~' | '*')
            || (c != '%' && c != '+' && c != '&' && c != ' ' && like.contains(c));
        if stays {
            out.push(c);
        } else if c == ' ' {
            out.push_str(space);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let written = if is_lower {
                    write!(out, "%{byte:02x}")
                } else {
                    write!(out, "%{byte:02X}")
                };
                // A String accepts every write.
                debug_assert!(written.is_ok());
            }
        }
    }
    out
}
