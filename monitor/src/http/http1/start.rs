//! How messages begin.
//!
//! In: the first bytes where a message may begin. Out: what they are.

use crate::http::head::{MAX_METHOD, is_method_byte};

/// Methods that are recognized where a message need not begin.
const KNOWN_METHODS: &[&[u8]] = &[
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"QUERY",
    b"SEARCH",
    b"REPORT",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"PURGE",
];
/// First line of the HTTP/2 connection preface.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2";

/// What the first bytes of a message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// They could become a request line.
    Incomplete,
    /// A request line, as far as it was seen.
    Request,
    /// A status line.
    Response,
    /// The preface of HTTP/2.
    Http2,
    /// None of these.
    Other,
}

/// Examines the first bytes of a message. `strict` is for places where a
/// message need not begin: there the method must be a known one, and the target
/// a path.
pub(super) fn start(bytes: &[u8], strict: bool) -> Start {
    if bytes.starts_with(b"HTTP/") {
        return Start::Response;
    }
    if bytes.starts_with(HTTP2_PREFACE) {
        return Start::Http2;
    }
    let length = bytes
        .iter()
        .take_while(|byte| is_method_byte(**byte))
        .count();
    let method = bytes.get(..length).unwrap_or_default();
    let after = bytes.get(length..).unwrap_or_default();
    let known = |known: &&[u8]| {
        if after.is_empty() {
            known.starts_with(method)
        } else {
            *known == method
        }
    };
    if length > MAX_METHOD || strict && !KNOWN_METHODS.iter().any(known) {
        return Start::Other;
    }
    match after {
        [b' ', ..] if length == 0 => Start::Other,
        [] | [b' '] => Start::Incomplete,
        [b' ', first, ..]
            if strict && !matches!(first, b'/' | b'*' | b'h' | b'H') && method != b"CONNECT" =>
        {
            Start::Other
        }
        [b' ', first, ..] if first.is_ascii_control() || *first == b' ' => Start::Other,
        [b' ', line @ ..] => match memchr::memchr(b'\n', line) {
            Some(end) if !is_request_line(line.get(..end).unwrap_or_default()) => Start::Other,
            _ => Start::Request,
        },
        _ => Start::Other,
    }
}

/// Whether a line, without its method, ends in a version of HTTP/1.
pub(super) fn is_request_line(line: &[u8]) -> bool {
    line.trim_ascii_end()
        .rsplit(|byte| *byte == b' ')
        .next()
        .is_some_and(|version| version.starts_with(b"HTTP/1."))
}

/// The position of a request line within unknown bytes, such as the rest of a
/// body; or the beginning of one at their end.
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    let whole = memchr::memmem::find_iter(bytes, b" HTTP/1.").filter(|version| {
        let end = bytes.get(*version..).unwrap_or_default();
        matches!(end, [_, _, _, _, _, _, _, _, b'0' | b'1', b'\r', b'\n', ..])
    });
    let open = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
    let lines = whole.chain([bytes.len()]);
    lines.into_iter().find_map(|end| {
        let line = bytes.get(..end)?;
        // The target contains no space, so the only one ends the method.
        let mut space = memchr::memrchr(b' ', line)?;
        if end == bytes.len()
            && line
                .get(space..)
                .is_some_and(|rest| b" HTTP/1.1\r".starts_with(rest))
        {
            space = memchr::memrchr(b' ', line.get(..space)?).unwrap_or(space);
        }
        if end == bytes.len() && space < open {
            return None;
        }
        let before = line.get(..space)?;
        let method = KNOWN_METHODS
            .iter()
            .filter(|method| before.ends_with(method))
            .max_by_key(|method| method.len())?;
        let begin = space.saturating_sub(method.len());
        let begins = start(bytes.get(begin..)?, true);
        matches!(begins, Start::Request | Start::Incomplete).then_some(begin)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_told_apart() {
        for (bytes, strict, expected) in [
            ("", false, Start::Incomplete),
            ("GE", true, Start::Incomplete),
            ("GET ", true, Start::Incomplete),
            ("GET /", true, Start::Request),
            ("GET / HTTP/1.1\r\n", true, Start::Request),
            ("GET / HTTP/3\r\n", true, Start::Other),
            ("Hello /", true, Start::Other),
            ("ET", true, Start::Other),
            ("ET /", true, Start::Other),
            ("Hello /", false, Start::Request),
            ("A1 LOGIN jane\r\n", false, Start::Other),
            ("GET x", true, Start::Other),
            ("CONNECT a.example:443", true, Start::Request),
            ("GET  /", false, Start::Other),
            (" GET /", false, Start::Other),
            ("{\"a\":1}", false, Start::Other),
            ("HTTP/1.1 200 OK", false, Start::Response),
            ("PRI * HTTP/2.0\r\n", false, Start::Http2),
        ] {
            assert_eq!(start(bytes.as_bytes(), strict), expected, "{bytes}");
        }
    }

    #[test]
    fn requests_are_found_behind_other_bytes() {
        for (bytes, expected) in [
            ("\"x\"}POST /v1 HTTP/1.1\r\nHost: a\r\n\r\n", Some(4)),
            ("}}GET / HTTP/1.0\r\n", Some(2)),
            ("a GET /b HTTP/1.1 c POST /d HTTP/1.1\r\n", Some(20)),
            ("\n{}GET /b HTTP/1.1\r", Some(3)),
            ("\n{}GET /b HTTP", Some(3)),
            ("\n{}GET /b", Some(3)),
            ("\n{}GET ", Some(3)),
            ("GET /b c", None),
            ("GET /b HTTP/1.2\r\n", None),
            ("GET /b\n{} ", None),
            ("x\r\nFORGET / HTTP/1.1\r\n", Some(6)),
            ("x\r\nNO / HTTP/1.1\r\n", None),
            ("GET / HTTP/2\r\n", None),
            (" HTTP/1.1\r\n", None),
            ("GET  HTTP/1.1\r\n", None),
            ("", None),
        ] {
            assert_eq!(find_request(bytes.as_bytes()), expected, "{bytes}");
        }
    }
}
