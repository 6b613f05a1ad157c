//! Tables of separated values, and multipart bodies.

use super::{rewriter::Rewriter, scramble};
use crate::field::{csv, url};

/// The longest head of a part, in bytes.
const MAX_HEAD: usize = 8 << 10;
/// Headers of a part that reveal nothing about anyone.
const PLAIN_HEADERS: &[&str] = &[
    "content-type",
    "content-transfer-encoding",
    "content-length",
];

impl Rewriter<'_> {
    /// A table.
    pub(super) fn csv(&mut self, text: &[u8], table: csv::Table, out: &mut Vec<u8>) {
        let csv::Table { separator, named } = table;
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut rows = text;
        if named {
            let (header, rest) = url::split_once(text, b'\n');
            let mut cells = csv::Cells::new(header, separator);
            let mut first = true;
            while let Some((cell, _)) = cells.next_cell() {
                if !first {
                    out.push(separator);
                }
                first = false;
                let inner = csv::unquote(cell.trim_ascii()).into_owned();
                let new = self.column(&inner);
                cell_like(cell, &new, separator, out);
                names.push(inner);
                if names.len() >= csv::MAX_COLUMNS {
                    break;
                }
            }
            let Some(rest) = rest else { return };
            out.push(b'\n');
            rows = rest;
        }
        let mut cells = csv::Cells::new(rows, separator);
        let mut column = 0_usize;
        let mut mark = None;
        while let Some((cell, end)) = cells.next_cell() {
            out.extend(mark);
            let inner = csv::unquote(cell.trim_ascii()).into_owned();
            if inner.is_empty() {
                out.extend_from_slice(cell);
            } else {
                let name = names
                    .get(column)
                    .and_then(|name| std::str::from_utf8(name).ok());
                let new = self.value(&inner, name, false);
                cell_like(cell, &new, separator, out);
            }
            mark = Some(if end { b'\n' } else { separator });
            column = if end { 0 } else { column.saturating_add(1) };
        }
    }

    /// The name of a column: words with blanks are not values here.
    fn column(&self, name: &[u8]) -> Vec<u8> {
        match std::str::from_utf8(name) {
            Ok(text)
                if super::vocabulary::is_interface_text(text) && !self.known.hidden.is_in(text) =>
            {
                name.to_vec()
            }
            _ => self.key(name),
        }
    }

    /// Parts between separators.
    pub(super) fn multipart(
        &mut self,
        body: &[u8],
        separator: &[u8],
        cut: bool,
        out: &mut Vec<u8>,
    ) {
        let mut rest = body.strip_prefix(separator).unwrap_or(body);
        out.extend_from_slice(separator);
        let finder = memchr::memmem::Finder::new(separator);
        while !rest.starts_with(b"--") {
            let end = finder
                .find_iter(rest)
                .find(|at| at.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b'\n'));
            let part = end.map_or(rest, |end| rest.get(..end).unwrap_or_default());
            self.part(part, end.is_some(), cut, out);
            let Some(end) = end else { return };
            out.extend_from_slice(separator);
            rest = rest
                .get(end.saturating_add(separator.len())..)
                .unwrap_or_default();
        }
        // What follows the last separator is no part.
        out.extend_from_slice(b"--");
        let behind = rest.get(2..).unwrap_or_default();
        if behind.trim_ascii().is_empty() {
            out.extend_from_slice(behind);
        } else {
            out.extend(self.unread(behind));
        }
    }

    /// One part with its head.
    fn part(&mut self, part: &[u8], closed: bool, cut: bool, out: &mut Vec<u8>) {
        let (line, Some(part)) = url::split_once(part, b'\n') else {
            out.extend(self.unread(part));
            return;
        };
        out.extend(blanks_or(line, || self.unread(line)));
        out.push(b'\n');
        let Some((head, gap, content)) = split_head(part) else {
            out.extend(self.unread(part));
            return;
        };
        let (mut key, mut is_file) = (None, false);
        for (index, line) in head.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                out.push(b'\n');
            }
            self.part_header(line, &mut key, &mut is_file, out);
        }
        out.extend_from_slice(gap);
        let end = if closed {
            without_line_end(content)
        } else {
            content
        };
        let key = key.and_then(|key: Vec<u8>| String::from_utf8(key).ok());
        if is_file {
            out.extend(self.inner(end, cut || !closed));
        } else {
            out.extend(self.value(end, key.as_deref(), cut || !closed));
        }
        out.extend_from_slice(content.get(end.len()..).unwrap_or_default());
    }

    /// A line of the head of a part.
    fn part_header(
        &self,
        line: &[u8],
        key: &mut Option<Vec<u8>>,
        is_file: &mut bool,
        out: &mut Vec<u8>,
    ) {
        let (name, value) = url::split_once(line, b':');
        let Some(value) = value else {
            out.extend(scramble::bytes(self.known.key, line));
            return;
        };
        let plain = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        if PLAIN_HEADERS.contains(&plain.as_str()) && value.len() < 64 {
            out.extend_from_slice(line);
            return;
        }
        if plain != "content-disposition" {
            out.extend(self.key(name));
            out.push(b':');
            out.extend(scramble::bytes(self.known.key, value));
            return;
        }
        out.extend_from_slice(name);
        out.push(b':');
        for (index, piece) in value.split(|byte| *byte == b';').enumerate() {
            if index > 0 {
                out.push(b';');
            }
            let (parameter, own) = url::split_once(piece, b'=');
            let Some(own) = own else {
                let word = piece.trim_ascii();
                let is_known = word.eq_ignore_ascii_case(b"form-data")
                    || word.eq_ignore_ascii_case(b"attachment");
                if is_known || word.is_empty() {
                    out.extend_from_slice(piece);
                } else {
                    out.extend(scramble::bytes(self.known.key, piece));
                }
                continue;
            };
            let label = parameter.trim_ascii().to_ascii_lowercase();
            let inner = own.trim_ascii();
            let bare = inner
                .strip_prefix(b"\"")
                .map_or(inner, |inner| inner.strip_suffix(b"\"").unwrap_or(inner));
            let is_name = label == b"name";
            let new = if is_name {
                *key = Some(bare.to_vec());
                self.key(bare)
            } else {
                *is_file |= label == b"filename";
                self.leaf(bare, None)
            };
            if label == b"name" || label == b"filename" || label == b"filename*" {
                out.extend_from_slice(parameter);
            } else {
                out.extend(scramble::bytes(self.known.key, parameter));
            }
            out.push(b'=');
            let at = memchr::memmem::find(own, bare).unwrap_or_default();
            out.extend_from_slice(own.get(..at).unwrap_or_default());
            out.extend(new);
            out.extend_from_slice(own.get(at.saturating_add(bare.len())..).unwrap_or_default());
        }
    }
}

/// `text` if it is blank, else what `other` makes.
fn blanks_or(text: &[u8], other: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    if text.trim_ascii().is_empty() {
        text.to_vec()
    } else {
        other()
    }
}

/// The head of a part, the empty line, and what follows it.
fn split_head(part: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    for line in [b"\r\n".as_slice(), b"\n"] {
        if let Some(content) = part.strip_prefix(line) {
            return Some((b"", line, content));
        }
    }
    let window = part.get(..MAX_HEAD).unwrap_or(part);
    let strict = memchr::memmem::find(window, b"\r\n\r\n");
    let bare = memchr::memmem::find(window, b"\n\n");
    let (at, length) = match (strict, bare) {
        (Some(at), None) => (at, 4),
        (Some(at), Some(bare)) if at < bare => (at, 4),
        (_, Some(bare)) => (bare, 2),
        (None, None) => return None,
    };
    let end = at.checked_add(length)?;
    Some((part.get(..at)?, part.get(at..end)?, part.get(end..)?))
}

/// `content` without the line end that belongs to the separator behind it.
fn without_line_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}

/// Writes `new` in place of a cell, with its blanks and quotes.
fn cell_like(cell: &[u8], new: &[u8], separator: u8, out: &mut Vec<u8>) {
    let inner = cell.trim_ascii();
    let from = cell.len().saturating_sub(cell.trim_ascii_start().len());
    out.extend_from_slice(cell.get(..from).unwrap_or_default());
    let is_quoted = inner.len() > 1 && inner.starts_with(b"\"") && inner.ends_with(b"\"");
    let needs_quotes = new
        .iter()
        .any(|byte| *byte == separator || b"\"\n".contains(byte));
    if is_quoted || (needs_quotes && inner != new) {
        out.push(b'"');
        for byte in new {
            if *byte == b'"' {
                out.push(b'"');
            }
            out.push(*byte);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(new);
    }
    out.extend_from_slice(
        cell.get(from.saturating_add(inner.len())..)
            .unwrap_or_default(),
    );
}
