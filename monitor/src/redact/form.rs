//! Forms, queries and URLs.

use super::{
    escape::Escapes,
    host,
    rewriter::{Rewriter, Scope},
};
use crate::{
    field::{form, percent, url},
    finding::{affixes, is_shown_segment},
};

/// Endings of the names of programs and pictures.
const PROGRAMS: &[&str] = &[
    "css", "gif", "htm", "html", "js", "json", "php", "png", "svg",
];

impl Rewriter<'_> {
    /// Pairs between separators.
    pub(super) fn form(&mut self, text: &[u8], separator: u8, cut: bool, out: &mut Vec<u8>) {
        for (index, piece) in text.split(|byte| *byte == separator).enumerate() {
            if index > 0 {
                out.push(separator);
            }
            self.pair(piece, cut, out);
        }
    }

    /// One pair. An ampersand may have been escaped for HTML.
    pub(super) fn pair(&mut self, piece: &[u8], cut: bool, out: &mut Vec<u8>) {
        let inner = piece
            .strip_prefix(b"amp;")
            .unwrap_or(piece)
            .trim_ascii_start();
        let head = piece.len().saturating_sub(inner.len());
        out.extend_from_slice(piece.get(..head).unwrap_or_default());
        let escapes = Escapes::Percent(true);
        let (key, value) = url::split_once(inner, b'=');
        let Some(value) = value else {
            let new = self.value(&escapes.decode(key), None, cut);
            return escapes.write_like(key, &new, out);
        };
        let name = percent::decode(key, true).into_owned();
        let new = self.form_key(&name);
        escapes.write_like(key, &new, out);
        out.push(b'=');
        // The innermost step decides how a value is read.
        let last = name
            .strip_suffix(b"]")
            .and_then(|name| name.rsplit(|byte| *byte == b'[').next())
            .unwrap_or(&name);
        let last = std::str::from_utf8(last)
            .ok()
            .filter(|key| !key.bytes().all(|byte| byte.is_ascii_digit()));
        let new = self.value(&escapes.decode(value), last, cut);
        escapes.write_like(value, &new, out);
    }

    /// A key that may have brackets.
    fn form_key(&self, name: &[u8]) -> Vec<u8> {
        if !name.ends_with(b"]") {
            return self.key(name);
        }
        let mut out = Vec::with_capacity(name.len());
        let mut rest = name;
        loop {
            let end = rest
                .iter()
                .position(|byte| b"[]".contains(byte))
                .unwrap_or(rest.len());
            let (step, behind) = rest.split_at(end);
            if !step.is_empty() {
                out.extend(self.key(step));
            }
            let Some((bracket, behind)) = behind.split_first() else {
                return out;
            };
            out.push(*bracket);
            rest = behind;
        }
    }

    /// A URL: its scheme stays, and its host if it is a recipient's.
    pub(super) fn url(
        &mut self,
        value: &[u8],
        parts: url::Parts<'_>,
        cut: bool,
        out: &mut Vec<u8>,
    ) {
        let behind = |part: Option<&[u8]>| part.map_or(0, |part| part.len().saturating_add(1));
        let length = parts
            .path
            .len()
            .saturating_add(behind(parts.query))
            .saturating_add(behind(parts.fragment));
        let (origin, _) = value.split_at(value.len().saturating_sub(length));
        out.extend(host::origin(self.known, origin));
        let outer = (self.in_url, self.in_program);
        self.in_url = self.scope != Scope::Target;
        self.in_program = self.scope == Scope::Page && host::is_of_recipient(origin);
        self.url_parts(parts, cut, out);
        (self.in_url, self.in_program) = outer;
    }

    /// Path, query and fragment.
    pub(super) fn url_parts(&mut self, parts: url::Parts<'_>, cut: bool, out: &mut Vec<u8>) {
        self.path(parts.path, cut, out);
        if let Some(query) = parts.query {
            out.push(b'?');
            self.form(query, b'&', cut, out);
        }
        let Some(fragment) = parts.fragment else {
            return;
        };
        out.push(b'#');
        let (route, query) = url::split_once(fragment, b'?');
        if route.starts_with(b"/") || route.starts_with(b"!/") {
            self.path(route, cut, out);
            if let Some(query) = query {
                out.push(b'?');
                self.form(query, b'&', cut, out);
            }
        } else {
            self.form(fragment, b'&', cut, out);
        }
    }

    /// The segments of a path.
    pub(super) fn path(&mut self, path: &[u8], cut: bool, out: &mut Vec<u8>) {
        for (index, segment) in path.split(|byte| *byte == b'/').enumerate() {
            if index > 0 {
                out.push(b'/');
            }
            let (name, matrix) = url::split_once(segment, b';');
            let matrix = matrix.filter(|matrix| form::looks_like(matrix, 1));
            let name = if matrix.is_some() { name } else { segment };
            self.segment(name, cut, out);
            if let Some(matrix) = matrix {
                out.push(b';');
                self.form(matrix, b';', cut, out);
            }
        }
    }

    /// One segment: a word of interfaces stays.
    fn segment(&mut self, segment: &[u8], cut: bool, out: &mut Vec<u8>) {
        if segment.is_empty() {
            return;
        }
        let decoded = percent::decode(segment, false);
        let word = std::str::from_utf8(&decoded).ok();
        let is_kept = word.is_some_and(|word| {
            (is_shown_segment(word)
                || (self.in_program && is_program(word))
                || self.shown.iter().any(|own| own == word))
                && !self.known.has(word)
                && !self.known.hidden.is_in(word)
        });
        if is_kept {
            out.extend_from_slice(segment);
            return;
        }
        // Words of the catalog beside an id, such as `:uploadClickConversions`,
        // identify the recipient.
        if let Some(word) = word
            && self.scope == Scope::Target
        {
            let (start, end) = affixes(word);
            let stem = word.len().saturating_sub(end);
            if start + end > 0
                && let (Some(head), Some(stem), Some(tail)) =
                    (word.get(..start), word.get(start..stem), word.get(stem..))
            {
                let new = self.value(stem.as_bytes(), None, cut);
                let whole = [head.as_bytes(), &new, tail.as_bytes()].concat();
                return Escapes::Percent(false).write_like(segment, &whole, out);
            }
        }
        let new = self.value(&decoded, None, cut);
        Escapes::Percent(false).write_like(segment, &new, out);
    }
}

/// Whether a segment names a program or its language.
fn is_program(segment: &str) -> bool {
    let is_locale = matches!(segment.as_bytes(), [a, b, b'_' | b'-', c, d]
        if [a, b, c, d].into_iter().all(u8::is_ascii_alphabetic));
    let has_ending = segment
        .rsplit_once('.')
        .is_some_and(|(name, ending)| name.len() <= 32 && PROGRAMS.contains(&ending));
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    is_locale || (has_ending && digits <= 3) || PROGRAMS.contains(&segment)
}
