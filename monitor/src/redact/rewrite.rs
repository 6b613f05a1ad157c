//! Text to the same text with its values replaced, in place.
//!
//! In: a body, a target or a value. Out: the same, encoded as it was, in which
//! every value is its pseudonym. What encoding a text is in is found out as the
//! readers of fields do it, by its looks; what cannot be read is replaced letter
//! by letter.

mod coded;
mod form;
mod json;
mod markup;
mod multipart;

use std::{cell::Cell, collections::HashMap};

use super::{key::RedactionKey, pseudonym, vocabulary};

/// Encodings inside of one another that are followed.
const MAX_DEPTH: u8 = 8;
/// Cells of a table that are separated by these.
const CELL_MARKS: &[char] = &['\n', '\r', '\t', ',', ';', '|', '"'];

/// Replaces the values of one message.
pub(super) struct Rewriter<'a> {
    pub(super) key: &'a RedactionKey,
    /// What values with evidence are replaced by.
    pub(super) known: &'a HashMap<String, String>,
    /// Nothing is harmless.
    pub(super) is_strict: bool,
    depth: Cell<u8>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(
        key: &'a RedactionKey,
        known: &'a HashMap<String, String>,
        is_strict: bool,
    ) -> Self {
        Self {
            key,
            known,
            is_strict,
            depth: Cell::new(0),
        }
    }

    /// A body that is text.
    pub(super) fn body(&self, text: &str) -> String {
        let trimmed = text.trim_start_matches('\u{feff}').trim();
        if let Some(new) = self.container(text) {
            return new;
        }
        if trimmed.contains('\n') {
            return self.cells(text);
        }
        self.value(text)
    }

    /// A value: its pseudonym, or what is in it rewritten.
    pub(super) fn value(&self, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let trimmed = text.trim();
        if trimmed.len() != text.len()
            && let Some(known) = self.known.get(trimmed)
        {
            return text.replacen(trimmed, known, 1);
        }
        if !self.is_strict && vocabulary::is_harmless(text) {
            return text.to_owned();
        }
        if let Some(new) = self.container(text).or_else(|| self.coded(text)) {
            return new;
        }
        if text.contains("://") || text.starts_with('/') {
            return self.address(text);
        }
        pseudonym::any(self.key, text)
    }

    /// A number of JSON, which stays one.
    pub(super) fn number(&self, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            let fits = serde_json::from_str::<serde_json::Number>(known).is_ok();
            return if fits {
                known.clone()
            } else {
                pseudonym::number(self.key, text)
            };
        }
        if !self.is_strict && vocabulary::is_harmless(text) {
            return text.to_owned();
        }
        pseudonym::number(self.key, text)
    }

    /// A key: a word of interfaces, or a pseudonym.
    pub(super) fn key(&self, text: &str) -> String {
        let is_value = self.known.contains_key(text);
        if !is_value && (vocabulary::is_key(text) || text.len() < 2) {
            return text.to_owned();
        }
        if is_value {
            return self.value(text);
        }
        pseudonym::any(self.key, text)
    }

    /// One pair of a query.
    pub(super) fn pair(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        form::pair(self, text, &mut out);
        out
    }

    /// What holds several values, rewritten. `None` if `text` is no such thing,
    /// or too deep.
    fn container(&self, text: &str) -> Option<String> {
        self.deeper(|| {
            let trimmed = text.trim_start();
            match trimmed.as_bytes().first()? {
                b'{' | b'[' => json::rewrite(self, text),
                b'"' => json::rewrite(self, text),
                b'<' => Some(markup::rewrite(self, text)),
                b'-' => multipart::rewrite(self, text),
                _ if form::is_form(text) => Some(form::rewrite(self, text)),
                _ => None,
            }
        })
    }

    /// A value that is an encoding of another, rewritten.
    fn coded(&self, text: &str) -> Option<String> {
        self.deeper(|| coded::rewrite(self, text))
    }

    fn deeper(&self, then: impl FnOnce() -> Option<String>) -> Option<String> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return None;
        }
        self.depth.set(depth + 1);
        let made = then();
        self.depth.set(depth);
        made
    }

    /// An address of the web, piece by piece: each is a value, so that the same
    /// value has the same pseudonym there. The scheme stays.
    pub(super) fn address(&self, text: &str) -> String {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.len() <= 8 => (text.get(..scheme.len() + 3), rest),
            _ => (None, text),
        };
        let mut out = scheme.unwrap_or_default().to_owned();
        let (path, query) = match rest.find(['?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        for (index, piece) in path.split('/').enumerate() {
            if index > 0 {
                out.push('/');
            }
            out.push_str(&self.piece(piece));
        }
        let mut rest = query;
        while let Some(mark) = rest.chars().next() {
            out.push(mark);
            rest = rest.get(mark.len_utf8()..).unwrap_or_default();
            let end = rest.find(['?', '#', '&', '=']).unwrap_or(rest.len());
            let (piece, behind) = rest.split_at(end);
            out.push_str(&self.piece(piece));
            rest = behind;
        }
        out
    }

    /// A piece of an address.
    fn piece(&self, piece: &str) -> String {
        let decoded = percent_encoding::percent_decode_str(piece).decode_utf8_lossy();
        match self.known.get(decoded.as_ref()) {
            Some(known) => form::encode(known, piece),
            None if piece.is_empty() => String::new(),
            None => pseudonym::any(self.key, piece),
        }
    }

    /// The cells of a table, or the lines of a list.
    fn cells(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(CELL_MARKS).unwrap_or(rest.len());
            let (cell, behind) = rest.split_at(end);
            if !cell.is_empty() {
                out.push_str(&self.value(cell));
            }
            let mut marks = behind.chars();
            if let Some(mark) = marks.next() {
                out.push(mark);
            }
            rest = marks.as_str();
        }
        out
    }
}
