//! JSON to fields, in one pass, without a tree.
//!
//! Reads what clients send rather than what the standard allows: several values
//! one after the other (NDJSON), single quotes and `None` of a printed Python
//! dict, control characters in strings, a text that ends anywhere. The rest
//! after a syntax error is one text, so that nothing can hide there.

use std::borrow::Cow;

use super::{Encoding, Reader, Sink, Span, ValueKind, content, text};
use crate::loss::Loss;

/// The longest number or literal, in bytes.
const MAX_TOKEN: usize = 512;
/// Literals of JSON, JavaScript or Python.
const LITERALS: &[&[u8]] = &[
    b"true",
    b"false",
    b"null",
    b"None",
    b"True",
    b"False",
    b"NaN",
    b"nan",
    b"undefined",
    b"Infinity",
    b"-Infinity",
];

/// Whether `text` begins like a JSON object or array.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    let Some((first, rest)) = text.split_first() else {
        return false;
    };
    let rest = rest.trim_ascii_start();
    let Some(second) = rest.first() else {
        return matches!(first, b'{' | b'[');
    };
    match first {
        b'{' => matches!(second, b'"' | b'\'' | b'}'),
        b'[' => match second {
            b'"' | b'\'' | b'{' | b'[' | b']' => true,
            _ => {
                let token = token(rest);
                let behind = rest
                    .get(token.len()..)
                    .unwrap_or_default()
                    .trim_ascii_start();
                kind(token, behind.is_empty()).is_some()
                    && matches!(behind.first(), None | Some(b',' | b']'))
            }
        },
        _ => false,
    }
}

/// Whether `text` is a JSON string that holds JSON: encoded twice.
pub(crate) fn looks_like_string(text: &[u8]) -> bool {
    text.first() == Some(&b'"')
        && text
            .get(1..)
            .is_some_and(|inner| looks_like(&string(inner, b'"').content))
}

/// The content of `text`, if it is one JSON string from its beginning to its end.
pub(crate) fn whole_string(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inner = text.strip_prefix(b"\"")?;
    let found = string(inner, b'"');
    let is_whole = found.closed && found.length == inner.trim_ascii_end().len();
    (is_whole && !found.content.is_empty()).then_some(found.content)
}

/// Yields the values of `text` below the current path. With more than one JSON
/// text in it, each has its index.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, text: &[u8], cut: bool) {
    Scanner {
        rest: text,
        cut,
        base: reader.path_length(),
        stack: Vec::new(),
    }
    .read(reader);
}

/// An open object or array.
struct Frame {
    /// Length of the path to it.
    base: usize,
    /// The index of the next element, if it is an array.
    next: Option<usize>,
}

/// The position of the reader.
struct Scanner<'a> {
    rest: &'a [u8],
    cut: bool,
    base: usize,
    stack: Vec<Frame>,
}

/// Whether to continue reading.
enum Scan {
    Continue,
    /// The text ended inside a value.
    Ended,
    /// What follows is no JSON.
    Malformed,
}

impl Scanner<'_> {
    fn read<S: Sink>(mut self, reader: &mut Reader<'_, S>) {
        let mark = reader.mark();
        let mut count = 0_usize;
        loop {
            self.skip(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | 0x1e));
            if self.rest.is_empty() || reader.is_full() {
                return;
            }
            if count > 0 {
                if !matches!(self.rest.first(), Some(b'{' | b'[' | b'"')) {
                    return self.read_rest(reader);
                }
                if count == 1 {
                    reader.number_first(mark);
                }
                reader.go_index(count);
            }
            count += 1;
            let mut go = self.read_value(reader);
            while matches!(go, Scan::Continue) && !self.stack.is_empty() {
                if reader.is_full() {
                    return reader.go_back(self.base);
                }
                go = self.read_member(reader);
            }
            match go {
                Scan::Continue => reader.go_back(self.base),
                Scan::Ended => return reader.go_back(self.base),
                Scan::Malformed => return self.read_rest(reader),
            }
        }
    }

    /// Reads the next member of the innermost open object or array, or its end.
    fn read_member<S: Sink>(&mut self, reader: &mut Reader<'_, S>) -> Scan {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
        let Some(first) = self.rest.first() else {
            return Scan::Ended;
        };
        let Some(frame) = self.stack.last_mut() else {
            return Scan::Continue;
        };
        reader.go_back(frame.base);
        // Either bracket closes either: a client that mixes them up still sends
        // what follows.
        if matches!(first, b'}' | b']') {
            self.advance(1);
            self.stack.pop();
            return Scan::Continue;
        }
        if let Some(next) = &mut frame.next {
            reader.go_index(*next);
            *next = next.saturating_add(1);
            return self.read_value(reader);
        }
        if !matches!(first, b'"' | b'\'') {
            return Scan::Malformed;
        }
        let key = string(self.rest.get(1..).unwrap_or_default(), *first);
        self.advance(key.length.saturating_add(1));
        // It is no value even if none follows.
        reader.name(key.span());
        if !key.closed {
            return Scan::Ended;
        }
        self.skip(|byte| byte.is_ascii_whitespace());
        match self.rest.first() {
            None => return Scan::Ended,
            Some(b':') => self.advance(1),
            Some(_) => return Scan::Malformed,
        }
        content::go_key(reader, key.span());
        self.skip(|byte| byte.is_ascii_whitespace());
        self.read_value(reader)
    }

    /// Reads a value, or opens it if it is an object or an array.
    fn read_value<S: Sink>(&mut self, reader: &mut Reader<'_, S>) -> Scan {
        let Some(first) = self.rest.first() else {
            return Scan::Ended;
        };
        match first {
            b'{' | b'[' if self.stack.len() >= reader.limits().brackets => {
                reader.lose(Loss::FieldDepth);
                self.skip_deep()
            }
            b'{' | b'[' => {
                let next = (*first == b'[').then_some(0);
                self.stack.push(Frame {
                    base: reader.path_length(),
                    next,
                });
                self.advance(1);
                Scan::Continue
            }
            b'"' | b'\'' => {
                let value = string(self.rest.get(1..).unwrap_or_default(), *first);
                self.advance(value.length.saturating_add(1));
                content::read_value(reader, value.span(), !value.closed);
                if value.closed {
                    Scan::Continue
                } else {
                    Scan::Ended
                }
            }
            _ => {
                let token = token(self.rest);
                let ended = token.len() == self.rest.len();
                let Some(kind) = kind(token, ended) else {
                    return Scan::Malformed;
                };
                reader.take(Span::plain(token), kind, ended);
                self.advance(token.len());
                Scan::Continue
            }
        }
    }

    /// Skips an object or array that is too deep, with everything in it.
    fn skip_deep(&mut self) -> Scan {
        let mut open = 0_usize;
        while let Some(byte) = self.rest.first().copied() {
            self.advance(1);
            match byte {
                b'{' | b'[' => open = open.saturating_add(1),
                b'}' | b']' => open = open.saturating_sub(1),
                b'"' => {
                    let length = string_end(self.rest, b'"').map_or(self.rest.len(), |end| end + 1);
                    self.advance(length);
                }
                _ => {}
            }
            if open == 0 {
                return Scan::Continue;
            }
        }
        Scan::Ended
    }

    /// Yields the rest, which is no JSON, as one text, unless it is only
    /// punctuation.
    fn read_rest<S: Sink>(&mut self, reader: &mut Reader<'_, S>) {
        reader.go_back(self.base);
        let rest = self.rest.trim_ascii();
        if rest
            .iter()
            .any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
            && text::is_printable(rest, Some(10))
        {
            reader.take(Span::plain(rest), ValueKind::Text, self.cut);
        } else {
            reader.unread(rest);
        }
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let length = self
            .rest
            .iter()
            .position(|byte| !skipped(*byte))
            .unwrap_or(self.rest.len());
        self.advance(length);
    }

    fn advance(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

/// A string without its opening quote.
struct JsonString<'a> {
    raw: &'a [u8],
    quote: u8,
    content: Cow<'a, [u8]>,
    /// How much of the text it takes, with its closing quote.
    length: usize,
    closed: bool,
}

impl JsonString<'_> {
    fn span(&self) -> Span<'_> {
        Span {
            raw: self.raw,
            content: &self.content,
            encoding: Encoding::Json(self.quote),
        }
    }
}

/// Reads the string that `text` begins with, up to `quote` or to the end.
fn string(text: &[u8], quote: u8) -> JsonString<'_> {
    let end = string_end(text, quote);
    let raw = end.map_or(text, |end| text.get(..end).unwrap_or_default());
    JsonString {
        raw,
        quote,
        content: unescape(raw),
        length: end.map_or(text.len(), |end| end.saturating_add(1)),
        closed: end.is_some(),
    }
}

/// The position of the quote that ends a string.
pub(crate) fn string_end(text: &[u8], quote: u8) -> Option<usize> {
    let mut from = 0_usize;
    loop {
        let found = memchr::memchr2(quote, b'\\', text.get(from..)?)?;
        let at = from.checked_add(found)?;
        if text.get(at) == Some(&quote) {
            return Some(at);
        }
        from = at.checked_add(2)?;
    }
}

/// The content of a string without its escapes. An escape that is cut is left
/// out, an unknown one is replaced by its character.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else {
        return Cow::Borrowed(raw);
    };
    let (clean, mut rest) = raw.split_at(first);
    let mut content = Vec::with_capacity(raw.len());
    content.extend_from_slice(clean);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            content.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match escape {
            b'n' => content.push(b'\n'),
            b't' => content.push(b'\t'),
            b'r' => content.push(b'\r'),
            b'b' => content.push(8),
            b'f' => content.push(12),
            b'u' => {
                let (character, used) = unicode_escape(rest);
                rest = rest.get(used..).unwrap_or_default();
                if let Some(character) = character {
                    let mut buffer = [0; 4];
                    content.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                }
            }
            other => content.push(*other),
        }
    }
    Cow::Owned(content)
}

/// The character of an escape behind its `\u`, and how many bytes it takes. A
/// lone surrogate is U+FFFD; a cut escape is no character.
fn unicode_escape(rest: &[u8]) -> (Option<char>, usize) {
    let Some(unit) = code_unit(rest) else {
        let cut = rest.len() < 4 && rest.iter().all(u8::is_ascii_hexdigit);
        return if cut {
            (None, rest.len())
        } else {
            (Some(char::REPLACEMENT_CHARACTER), 0)
        };
    };
    let behind = rest.get(4..).unwrap_or_default();
    if (0xd800..0xdc00).contains(&unit) {
        let low = behind.strip_prefix(b"\\u").and_then(code_unit);
        if let Some(low @ 0xdc00..=0xdfff) = low {
            let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return (char::from_u32(code), 10);
        }
        // The second half may be what was cut.
        if behind.len() < 6 && b"\\u".starts_with(behind.get(..2).unwrap_or(behind)) {
            return (None, rest.len());
        }
    }
    (
        Some(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
        4,
    )
}

/// The number that four hexadecimal digits at the beginning stand for.
fn code_unit(text: &[u8]) -> Option<u32> {
    let mut unit = [0; 2];
    base16ct::mixed::decode(text.first_chunk::<4>()?, &mut unit).ok()?;
    Some(u16::from_be_bytes(unit).into())
}

/// The number or literal that `text` begins with: everything up to white space
/// or punctuation.
pub(crate) fn token(text: &[u8]) -> &[u8] {
    let text = text.get(..MAX_TOKEN).unwrap_or(text);
    let end = text
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b",:]}[{\"'".contains(byte))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The kind of a token; one that `ended` with the text may be the beginning of
/// a literal.
pub(crate) fn kind(token: &[u8], ended: bool) -> Option<ValueKind> {
    let first = token.first()?;
    let is_number = (first.is_ascii_digit() || *first == b'-')
        && token
            .iter()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
    if is_number {
        return Some(ValueKind::Number);
    }
    LITERALS
        .iter()
        .any(|literal| *literal == token || (ended && literal.starts_with(token)))
        .then_some(ValueKind::Literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], expected: &str) {
        let content = unescape(raw);
        assert_eq!(String::from_utf8_lossy(&content), expected, "{raw:?}");
    }

    #[test]
    fn escapes() {
        check(br"plain", "plain");
        check(br#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t");
        check(br"\u0041\u00e9\u4e2d", "Aé中");
        check(br"\uD83D\uDE00!", "\u{1f600}!");
        check(br"\uDE00!", "\u{fffd}!");
        check(br"\uD83D!and more", "\u{fffd}!and more");
        check(br"\uD83D\u0041", "\u{fffd}A");
        check(br"\uZZ41", "\u{fffd}ZZ41");
        check(br"a\u00", "a");
        check(br"a\uD83D", "a");
        check(br"a\uD83D\uDE", "a");
        check(br"a\", "a");
        check(br"\x", "x");
    }

    #[test]
    fn only_json_looks_like_json() {
        for (text, expected) in [
            ("{\"a\"", true),
            ("{ }", true),
            ("{'a': None}", true),
            ("{", true),
            ("[1,", true),
            ("[nul", true),
            ("[ ]", true),
            ("[-1.5e3]", true),
            ("{name}", false),
            ("[note] call back", false),
            ("[1 of 3]", false),
            ("[null and void]", false),
            ("", false),
        ] {
            assert_eq!(looks_like(text.as_bytes()), expected, "{text}");
        }
    }
}
