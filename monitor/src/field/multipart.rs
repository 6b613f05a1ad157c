//! multipart bodies to the fields of their parts.

use super::{Reader, Sink, Span, ValueKind, content, url};

/// The longest boundary (RFC 2046), in bytes.
const MAX_BOUNDARY: usize = 70;
/// The longest head of a part, in bytes.
const MAX_HEAD: usize = 8 << 10;
/// Headers of a part that only describe its format, in lower case.
const FORMAL: &[&[u8]] = &[
    b"content-type",
    b"content-transfer-encoding",
    b"content-length",
];
/// The longest line of such a header, in bytes.
const MAX_FORMAL: usize = 64;
/// Words of Content-Disposition.
const WORDS: &[&[u8]] = &[b"form-data", b"attachment"];

/// The line that separates the parts of `body`, if it begins with one.
pub(crate) fn sniff(body: &[u8]) -> Option<&[u8]> {
    let (line, rest) = url::split_once(body.get(..MAX_HEAD).unwrap_or(body), b'\n');
    rest?;
    let line = line.trim_ascii_end();
    let boundary = line.strip_prefix(b"--")?;
    let is_boundary = (1..=MAX_BOUNDARY).contains(&boundary.len())
        && boundary.iter().all(|byte| matches!(byte, 32..=126));
    is_boundary.then_some(line)
}

/// Yields the parts that `separator` separates by their names, or else by their
/// index, and file names below that.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, body: &[u8], separator: &[u8], cut: bool) {
    let base = reader.path_length();
    let mut rest = body;
    if let Some(behind) = body.strip_prefix(separator) {
        reader.keep(body.get(..separator.len()).unwrap_or_default());
        rest = behind;
    }
    let mut index = 0;
    let finder = memchr::memmem::Finder::new(separator);
    while !reader.is_full() && !rest.starts_with(b"--") {
        // A separator stands at the beginning of a line.
        let end = finder
            .find_iter(rest)
            .find(|at| at.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b'\n'));
        let part = end.map_or(rest, |end| rest.get(..end).unwrap_or_default());
        read_part(reader, part, index, end.is_none().then_some(cut));
        reader.go_back(base);
        index += 1;
        let Some(end) = end else { return };
        let (own, behind) = rest.split_at(end.saturating_add(separator.len()));
        reader.keep(own.get(end..).unwrap_or_default());
        rest = behind;
    }
    // What follows the last separator is no part.
    reader.unread(rest);
}

/// Yields one part. `open` means that the part has no end, which is a cut even
/// if the body as a whole has none.
fn read_part<S: Sink>(reader: &mut Reader<'_, S>, part: &[u8], index: usize, open: Option<bool>) {
    // The separator's own line end.
    let (_, Some(part)) = url::split_once(part, b'\n') else {
        return;
    };
    let Some((head, content)) = split_head(part) else {
        return;
    };
    let content = if open.is_some() {
        content
    } else {
        without_line_end(content)
    };
    let (mut name, mut file_name) = (None, None);
    for line in head.split(|byte| *byte == b'\n') {
        read_header(reader, line, &mut name, &mut file_name);
    }
    match name {
        Some(name) => reader.go_key(name),
        None => reader.go_index(index),
    }
    let base = reader.path_length();
    let content = Span::plain(content);
    if let Some(file_name) = file_name {
        reader.go_key(b"filename");
        reader.emit(file_name, ValueKind::Text, false);
        reader.go_back(base);
        content::read_inner(reader, content, open.is_some());
    } else {
        content::read_value(reader, content, open.is_some());
    }
}

/// Looks for the name of a part and that of its file in a line of its head.
fn read_header<'p, S: Sink>(
    reader: &mut Reader<'_, S>,
    line: &'p [u8],
    name: &mut Option<&'p [u8]>,
    file_name: &mut Option<&'p [u8]>,
) {
    let (label, Some(value)) = url::split_once(line, b':') else {
        return;
    };
    let is = |known: &[u8]| label.trim_ascii().eq_ignore_ascii_case(known);
    if FORMAL.iter().any(|known| is(known)) && line.len() < MAX_FORMAL {
        return reader.keep(line);
    }
    if !is(b"content-disposition") {
        reader.name(Span::plain(label.trim_ascii()));
        return reader.unread(value);
    }
    reader.keep(label);
    for piece in value.split(|byte| *byte == b';') {
        let (label, own) = url::split_once(piece, b'=');
        let is = |known: &[u8]| label.trim_ascii().eq_ignore_ascii_case(known);
        let Some(own) = own else {
            if WORDS.iter().any(|known| is(known)) {
                reader.keep(piece);
            }
            continue;
        };
        let own = own.trim_ascii();
        let quoted = own.strip_prefix(b"\"");
        let own = quoted.map_or(own, |own| own.strip_suffix(b"\"").unwrap_or(own));
        if is(b"name") {
            reader.keep(label);
            reader.name(Span::plain(own));
            name.get_or_insert(own);
        } else if is(b"filename") || is(b"filename*") {
            reader.keep(label);
            reader.place_value(Span::plain(own), ValueKind::Text);
            if is(b"filename") {
                file_name.get_or_insert(own);
            }
        }
    }
}

/// The head of a part and what follows its empty line. A head that is cut
/// before that line has no content yet.
fn split_head(part: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(content) = part
        .strip_prefix(b"\r\n")
        .or_else(|| part.strip_prefix(b"\n"))
    {
        return Some((b"", content));
    }
    let window = part.get(..MAX_HEAD).unwrap_or(part);
    let (at, length) = match (
        memchr::memmem::find(window, b"\r\n\r\n"),
        memchr::memmem::find(window, b"\n\n"),
    ) {
        (Some(at), None) => (at, 4),
        (Some(at), Some(bare)) if at < bare => (at, 4),
        (_, Some(bare)) => (bare, 2),
        (None, None) => return None,
    };
    Some((part.get(..at)?, part.get(at.checked_add(length)?..)?))
}

/// `content` without the line end that belongs to the separator behind it.
fn without_line_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}
