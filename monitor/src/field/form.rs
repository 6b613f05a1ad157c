//! Forms (`a=b&c=d`) and queries, which have the same syntax.
//!
//! Brackets in a key are steps: `ud[em]` is the key `em` below `ud`, and
//! `data[0][email]` has an index in between. A piece without `=` is a value
//! without a key, since it may be payload.

use super::{Encoding, Reader, Sink, Span, content, percent, url};

/// The longest key in a form, in bytes.
const MAX_KEY: usize = 256;
/// The longest key of a single pair, in bytes.
const MAX_PLAIN_KEY: usize = 64;
/// How many pairs decide whether something is a form.
const MAX_PAIRS_INSPECTED: usize = 8;
/// The longest number in brackets that is an index, in digits. A longer one may
/// be payload.
const MAX_INDEX: usize = 5;

/// Whether `text` begins like a form and has at least `pairs` pairs (at most
/// eight are looked at).
pub(crate) fn looks_like(text: &[u8], pairs: usize) -> bool {
    has_pairs(text, b'&', pairs)
}

/// Whether `text` is a list such as `a=1;b=2`.
pub(crate) fn looks_like_list(text: &[u8]) -> bool {
    let (key, _) = url::split_once(text, b'=');
    is_plain_key(key) && has_pairs(text, b';', 2)
}

/// Whether `text` is a list such as `a=1,b=2` or `a=1|b=2`: every inspected
/// piece has a key, since texts have commas too.
pub(crate) fn looks_like_strict_list(text: &[u8], separator: u8) -> bool {
    let is_keyed = |piece: &[u8]| {
        let (key, value) = url::split_once(piece.trim_ascii_start(), b'=');
        value.is_some() && is_plain_key(key)
    };
    let pieces = || {
        text.split(|byte| *byte == separator)
            .take(MAX_PAIRS_INSPECTED)
    };
    pieces().count() >= 2 && pieces().all(is_keyed)
}

/// Whether a key has only what programs write in keys.
pub(crate) fn is_plain_key(key: &[u8]) -> bool {
    (1..=MAX_PLAIN_KEY).contains(&key.len())
        && key
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte))
        && key
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.$[]".contains(byte))
}

fn has_pairs(text: &[u8], separator: u8, pairs: usize) -> bool {
    let mut found = 0;
    for (number, piece) in text
        .split(|byte| *byte == separator)
        .take(MAX_PAIRS_INSPECTED)
        .enumerate()
    {
        if is_pair(piece) {
            found += 1;
            if found >= pairs {
                return true;
            }
        } else if number == 0 {
            return false;
        }
    }
    false
}

/// Whether `piece` is a key that a program may have chosen, and a value.
fn is_pair(piece: &[u8]) -> bool {
    let (key, value) = url::split_once(piece, b'=');
    value.is_some()
        && !key.is_empty()
        && key.len() <= MAX_KEY
        && key
            .iter()
            .all(|byte| !matches!(byte, 0..=32 | 127 | b'"' | b'<' | b'>' | b'{' | b'}'))
}

/// Yields the pairs of `text` between separators, below the current path.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, text: &[u8], separator: u8, cut: bool) {
    let mut rest = Some(text);
    while let Some(pieces) = rest {
        let (piece, after) = url::split_once(pieces, separator);
        rest = after;
        if reader.is_full() {
            return;
        }
        read_pair(reader, piece, cut && rest.is_none());
    }
}

/// Yields the forms of a body, which may have one on each line: if it has
/// several lines, each has its index.
pub(super) fn read_lines<S: Sink>(reader: &mut Reader<'_, S>, text: &[u8], cut: bool) {
    let text = text.trim_ascii_end();
    let base = reader.path_length();
    let many = memchr::memchr(b'\n', text).is_some();
    let mut rest = Some(text);
    let mut index = 0;
    while let Some(lines) = rest {
        let (line, after) = url::split_once(lines, b'\n');
        rest = after;
        let line = line.trim_ascii();
        if reader.is_full() {
            return;
        }
        if line.is_empty() {
            continue;
        }
        if many {
            reader.go_index(index);
            index += 1;
        }
        read(
            reader,
            line.strip_prefix(b"?").unwrap_or(line),
            b'&',
            cut && rest.is_none(),
        );
        reader.go_back(base);
    }
}

/// Yields one pair. An ampersand may have been escaped for HTML.
pub(super) fn read_pair<S: Sink>(reader: &mut Reader<'_, S>, piece: &[u8], cut: bool) {
    let piece = if let Some(behind) = piece.strip_prefix(b"amp;") {
        reader.keep(piece.get(..4).unwrap_or_default());
        behind.trim_ascii_start()
    } else {
        piece.trim_ascii_start()
    };
    if piece.is_empty() {
        return;
    }
    let base = reader.path_length();
    let (key, value) = url::split_once(piece, b'=');
    let value = if let Some(value) = value {
        let name = percent::decode(key, true);
        go_keys(reader, decoded(key, &name));
        value
    } else {
        key
    };
    let content = percent::decode(value, true);
    content::read_value(reader, decoded(value, &content), cut);
    reader.go_back(base);
}

/// `raw` with its content, which was percent-encoded in a form.
const fn decoded<'a>(raw: &'a [u8], content: &'a [u8]) -> Span<'a> {
    Span {
        raw,
        content,
        encoding: Encoding::Percent(true),
    }
}

/// Goes down a key that may have brackets.
fn go_keys<S: Sink>(reader: &mut Reader<'_, S>, key: Span<'_>) {
    let (name, rest) = url::split_once(key.content, b'[');
    let Some(rest) = rest.filter(|rest| !name.is_empty() && rest.last() == Some(&b']')) else {
        content::go_key(reader, key);
        return;
    };
    reader.open(key);
    reader.name(Span::plain(name));
    reader.go_shared_key(name);
    let inner = rest.strip_suffix(b"]").unwrap_or(rest);
    let mut left = reader.limits().brackets;
    let mut next = Some(inner);
    while let Some(steps) = next {
        let split = memchr::memmem::find(steps, b"][").filter(|_| left > 0);
        let step = split.map_or(steps, |at| steps.get(..at).unwrap_or_default());
        next = split.and_then(|at| steps.get(at.saturating_add(2)..));
        left = left.saturating_sub(1);
        match index(step) {
            Some(index) => {
                reader.name(Span::plain(step));
                reader.go_shared_index(index);
            }
            // `a[]` appends: its position is not known, the key is `a`.
            None if step.is_empty() => {}
            None => content::go_shared_key(reader, Span::plain(step)),
        }
    }
    reader.close(&[]);
}

/// The index that a step in brackets is, if it is one.
fn index(step: &[u8]) -> Option<usize> {
    if step.len() > MAX_INDEX || !step.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(step).ok()?.parse().ok()
}
