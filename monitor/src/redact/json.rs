//! JSON, rewritten in one pass: everything between values stays as it is.

use super::{escape::Escapes, rewriter::Rewriter, scramble};
use crate::field::{ValueKind, json, text};

/// An open object or array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    Array,
}

/// The position of the writer.
struct Scanner<'t, 'o> {
    rest: &'t [u8],
    out: &'o mut Vec<u8>,
    open: Vec<Open>,
}

impl Scanner<'_, '_> {
    /// Writes the next `length` bytes as they are.
    fn copy(&mut self, length: usize) {
        let (own, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.out.extend_from_slice(own);
        self.rest = rest;
    }

    fn copy_while(&mut self, kept: impl Fn(u8) -> bool) {
        let length = self
            .rest
            .iter()
            .position(|byte| !kept(*byte))
            .unwrap_or(self.rest.len());
        self.copy(length);
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// The raw content of the next string, without quotes, and whether it has
    /// an end.
    fn string(&self) -> (&[u8], bool) {
        let quote = self.rest.first().copied().unwrap_or(b'"');
        let inner = self.rest.get(1..).unwrap_or_default();
        match json::string_end(inner, quote) {
            Some(end) => (inner.get(..end).unwrap_or_default(), true),
            None => (inner, false),
        }
    }
}

impl Rewriter<'_> {
    /// JSON texts, one after the other.
    pub(super) fn json(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut scanner = Scanner {
            rest: text,
            out,
            open: Vec::new(),
        };
        let mut count = 0_usize;
        loop {
            scanner.copy_while(|byte| {
                byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | 0x1e)
            });
            if scanner.rest.is_empty() {
                return;
            }
            let begins = matches!(scanner.rest.first(), Some(b'{' | b'[' | b'"'));
            if count > 0 && !begins {
                return self.json_rest(&mut scanner);
            }
            count = count.saturating_add(1);
            if !self.json_value(&mut scanner, None) {
                return self.json_rest(&mut scanner);
            }
            while !scanner.open.is_empty() {
                if scanner.rest.is_empty() {
                    return;
                }
                if !self.json_member(&mut scanner) {
                    return self.json_rest(&mut scanner);
                }
            }
        }
    }

    /// What no longer is JSON.
    fn json_rest(&mut self, scanner: &mut Scanner<'_, '_>) {
        let rest = scanner.rest;
        let new = if text::is_printable(rest, Some(10)) {
            self.leaf(rest, None)
        } else {
            self.unread(rest)
        };
        scanner.out.extend(new);
        scanner.rest = &[];
    }

    /// The next member of the innermost open object or array, or its end; false
    /// if it is neither.
    fn json_member(&mut self, scanner: &mut Scanner<'_, '_>) -> bool {
        scanner.copy_while(|byte| byte.is_ascii_whitespace() || byte == b',');
        let Some(first) = scanner.rest.first().copied() else {
            return true;
        };
        if matches!(first, b'}' | b']') {
            scanner.copy(1);
            scanner.open.pop();
            return true;
        }
        if scanner.open.last() == Some(&Open::Array) {
            return self.json_value(scanner, None);
        }
        if !matches!(first, b'"' | b'\'') {
            return false;
        }
        let (raw, closed) = scanner.string();
        let raw = raw.to_vec();
        let name = json::unescape(&raw).into_owned();
        let new = self.key(&name);
        write_string(scanner, &raw, closed, &new);
        scanner.copy_while(|byte| byte.is_ascii_whitespace());
        match scanner.rest.first() {
            None => return true,
            Some(b':') => scanner.copy(1),
            Some(_) => return false,
        }
        scanner.copy_while(|byte| byte.is_ascii_whitespace());
        self.json_value(scanner, std::str::from_utf8(&name).ok())
    }

    /// A value; objects and arrays are only opened.
    fn json_value(&mut self, scanner: &mut Scanner<'_, '_>, key: Option<&str>) -> bool {
        let Some(first) = scanner.rest.first().copied() else {
            return true;
        };
        match first {
            b'{' | b'[' if scanner.open.len() >= self.limits.brackets => {
                let length = deep_length(scanner.rest);
                let (deep, rest) = scanner.rest.split_at(length.min(scanner.rest.len()));
                scanner.out.extend(scramble::bytes(self.known.key, deep));
                scanner.rest = rest;
            }
            b'{' | b'[' => {
                scanner.copy(1);
                scanner.open.push(if first == b'[' {
                    Open::Array
                } else {
                    Open::Object
                });
            }
            b'"' | b'\'' => {
                let (raw, closed) = scanner.string();
                let raw = raw.to_vec();
                let content = json::unescape(&raw).into_owned();
                let new = self.value(&content, key, !closed);
                write_string(scanner, &raw, closed, &new);
            }
            _ => {
                let token = json::token(scanner.rest);
                let ended = token.len() == scanner.rest.len();
                let Some(kind) = json::kind(token, ended) else {
                    return false;
                };
                let length = token.len();
                match std::str::from_utf8(token) {
                    Ok(number) if kind == ValueKind::Number => {
                        let new = self.known.number(number, key);
                        scanner.out.extend_from_slice(new.as_bytes());
                    }
                    _ => scanner.out.extend_from_slice(token),
                }
                scanner.skip(length);
            }
        }
        true
    }
}

/// Writes `new` in place of the next string.
fn write_string(scanner: &mut Scanner<'_, '_>, raw: &[u8], closed: bool, new: &[u8]) {
    let quote = scanner.rest.first().copied().unwrap_or(b'"');
    scanner.copy(1);
    Escapes::Json(quote).write_like(raw, new, scanner.out);
    scanner.skip(raw.len());
    if closed {
        scanner.copy(1);
    }
}

/// Length of an object or array that is too deep, with all its contents.
fn deep_length(text: &[u8]) -> usize {
    let (mut open, mut at) = (0_usize, 0_usize);
    while let Some(byte) = text.get(at).copied() {
        at = at.saturating_add(1);
        match byte {
            b'{' | b'[' => open = open.saturating_add(1),
            b'}' | b']' => open = open.saturating_sub(1),
            b'"' => {
                let rest = text.get(at..).unwrap_or_default();
                let length = json::string_end(rest, b'"').map_or(rest.len(), |end| end + 1);
                at = at.saturating_add(length);
            }
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    at
}
