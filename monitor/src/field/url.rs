//! URLs to their path segments and query parameters.

use super::{Encoding, Reader, Sink, Span, ValueKind, form, percent};

/// The longest scheme that is taken for one, in bytes.
const MAX_SCHEME: usize = 32;
/// The key above the path segments of a fragment.
const FRAGMENT: &[u8] = b"fragment";

/// The parts of a URL behind its authority, not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// With its leading slash, if it has one.
    pub(crate) path: &'a [u8],
    /// Without the question mark.
    pub(crate) query: Option<&'a [u8]>,
    /// Without the number sign.
    pub(crate) fragment: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Splits a path with what follows it.
    pub(crate) fn of_path(text: &'a [u8]) -> Self {
        let (text, fragment) = split_once(text, b'#');
        let (path, query) = split_once(text, b'?');
        Self {
            path,
            query,
            fragment,
        }
    }

    /// Splits an absolute URL with any scheme that has an authority.
    pub(crate) fn of_absolute(text: &'a [u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', text.get(..MAX_SCHEME).unwrap_or(text))?;
        let scheme = text.get(..colon)?;
        let is_scheme = scheme.len() > 1
            && scheme.first()?.is_ascii_alphabetic()
            && scheme
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        let rest = text.get(colon..)?.strip_prefix(b"://")?;
        if !is_scheme || rest.first().is_none_or(u8::is_ascii_whitespace) {
            return None;
        }
        let end = rest
            .iter()
            .position(|byte| b"/?#".contains(byte))
            .unwrap_or(rest.len());
        Some(Self::of_path(rest.get(end..)?))
    }

    /// What precedes the parts in `url`: scheme and authority.
    pub(crate) fn origin_in<'u>(&self, url: &'u [u8]) -> &'u [u8] {
        let behind = |part: Option<&[u8]>| part.map_or(0, |part| part.len().saturating_add(1));
        let length = self
            .path
            .len()
            .saturating_add(behind(self.query))
            .saturating_add(behind(self.fragment));
        url.get(..url.len().saturating_sub(length))
            .unwrap_or_default()
    }
}

/// The parts of `text` if it is a URL: absolute, or a path with a query.
pub(crate) fn sniff(text: &[u8]) -> Option<Parts<'_>> {
    if text.first() == Some(&b'/') {
        let parts = Parts::of_path(text);
        return parts
            .query
            .is_some_and(|query| form::looks_like(query, 1))
            .then_some(parts);
    }
    Parts::of_absolute(text)
}

/// Yields path segments by their index, and parameters of query and fragment by
/// their keys, below the current path.
pub(crate) fn read<S: Sink>(reader: &mut Reader<'_, S>, parts: Parts, cut: bool) {
    let Parts {
        path,
        query,
        fragment,
    } = parts;
    let base = reader.path_length();
    let path_cut = cut && query.is_none() && fragment.is_none();
    for (index, segment, last) in segments(path) {
        if reader.is_full() {
            return;
        }
        read_segment(reader, index, segment, path_cut && last);
        reader.go_back(base);
    }
    if let Some(query) = query {
        form::read(reader, query, b'&', cut && fragment.is_none());
    }
    let Some(fragment) = fragment else { return };
    // Single-page applications put a path and its query into the fragment.
    let (route, query) = split_once(fragment, b'?');
    if let Some(route) = route.strip_prefix(b"!").unwrap_or(route).strip_prefix(b"/") {
        reader.go_key(FRAGMENT);
        for (index, segment, last) in segments(route) {
            if reader.is_full() {
                return;
            }
            read_segment(reader, index, segment, cut && query.is_none() && last);
            reader.go_back(base.saturating_add(1));
        }
        reader.go_back(base);
    }
    let query = query.unwrap_or(route);
    if form::looks_like(query, 1) {
        form::read(reader, query, b'&', cut);
    } else {
        // Part of the URL as a whole, which is yielded as well.
        reader.place_value(Span::plain(query), ValueKind::Text);
    }
}

/// Yields one segment of a path by its index, and the parameters that it has
/// behind a `;` by their keys.
fn read_segment<S: Sink>(reader: &mut Reader<'_, S>, index: usize, segment: &[u8], cut: bool) {
    let (name, matrix) = split_once(segment, b';');
    let matrix = matrix.filter(|matrix| form::looks_like(matrix, 1));
    let name = if matrix.is_some() { name } else { segment };
    let base = reader.path_length();
    reader.go_index(index);
    // Not descended into: the index of a path segment is no array.
    read_name(reader, name, |reader, span| {
        reader.take(span, ValueKind::Text, cut && matrix.is_none());
    });
    reader.go_back(base);
    if let Some(matrix) = matrix {
        form::read(reader, matrix, b';', cut);
    }
}

/// Reads the name of a segment, of which the sink may keep words.
pub(super) fn read_name<S: Sink>(
    reader: &mut Reader<'_, S>,
    raw: &[u8],
    read: impl FnOnce(&mut Reader<'_, S>, Span<'_>),
) {
    let content = percent::decode(raw, false);
    let span = Span {
        raw,
        content: &content,
        encoding: Encoding::Percent(false),
    };
    let (head, value, tail) = reader.segment(&content);
    if value.len() == content.len() {
        return read(reader, span);
    }
    reader.open(span);
    reader.keep(head);
    if !value.is_empty() {
        read(reader, Span::plain(value));
    }
    reader.keep(tail);
    reader.close(&[]);
}

/// The segments of a path that are not empty: index, segment, whether it is the
/// last.
pub(crate) fn segments(path: &[u8]) -> impl Iterator<Item = (usize, &[u8], bool)> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let mut rest = Some(path);
    let split = std::iter::from_fn(move || {
        let (segment, after) = split_once(rest?, b'/');
        rest = after;
        Some((segment, after.is_none()))
    });
    split
        .enumerate()
        .map(|(index, (segment, last))| (index, segment, last))
        .filter(|(_, segment, _)| !segment.is_empty())
}

/// The text before and behind the first `separator`.
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(separator, bytes) {
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes.get(at.saturating_add(1)..),
        ),
        None => (bytes, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let found = sniff(url.as_bytes());
        let expected = expected.map(|(path, query, fragment)| Parts {
            path: path.as_bytes(),
            query: query.map(str::as_bytes),
            fragment: fragment.map(str::as_bytes),
        });
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn parts() {
        check("https://clinic.example", Some(("", None, None)));
        check(
            "https://clinic.example/a/b?c=d#e",
            Some(("/a/b", Some("c=d"), Some("e"))),
        );
        check("HTTPS://clinic.example?c=d", Some(("", Some("c=d"), None)));
        check("app+x://open/a", Some(("/a", None, None)));
        check("/search?q=x", Some(("/search", Some("q=x"), None)));
        check("/search", None);
        check("/why?", None);
        check("mailto:jane.roe@example.com", None);
        check("note: see https://clinic.example", None);
        check("://x", None);
        check("12:30", None);
    }
}
