//! multipart bodies to the fields of their parts.

use super::{Reader, ValueKind, content, url};

/// The longest boundary (RFC 2046), in bytes.
const MAX_BOUNDARY: usize = 70;
/// The longest head of a part, in bytes.
const MAX_HEAD: usize = 8 << 10;

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
pub(super) fn read(reader: &mut Reader, body: &[u8], separator: &[u8], cut: bool) {
    let base = reader.path_length();
    let mut rest = body.strip_prefix(separator).unwrap_or(body);
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
        rest = rest
            .get(end.saturating_add(separator.len())..)
            .unwrap_or_default();
    }
}

/// Yields one part. `open` means that the part has no end, which is a cut even
/// if the body as a whole has none.
fn read_part(reader: &mut Reader, part: &[u8], index: usize, open: Option<bool>) {
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
    let disposition = head
        .split(|byte| *byte == b'\n')
        .map(|line| url::split_once(line, b':'))
        .find(|(name, _)| {
            name.trim_ascii()
                .eq_ignore_ascii_case(b"content-disposition")
        })
        .and_then(|(_, value)| value)
        .unwrap_or_default();
    match parameter(disposition, b"name") {
        Some(name) => reader.go_key(name),
        None => reader.go_index(index),
    }
    let base = reader.path_length();
    if let Some(file_name) = parameter(disposition, b"filename") {
        reader.go_key(b"filename");
        reader.emit(file_name, ValueKind::Text, false);
        reader.go_back(base);
        content::read_inner(reader, content, open.is_some());
    } else {
        content::read_value(reader, content, open.is_some());
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

/// The value of a parameter of Content-Disposition.
fn parameter<'a>(disposition: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    disposition.split(|byte| *byte == b';').find_map(|piece| {
        let (key, value) = url::split_once(piece, b'=');
        if !key.trim_ascii().eq_ignore_ascii_case(name) {
            return None;
        }
        let value = value?.trim_ascii();
        let quoted = value.strip_prefix(b"\"");
        Some(quoted.map_or(value, |value| value.strip_suffix(b"\"").unwrap_or(value)))
    })
}
