//! The heads of messages: where they end, and what they say.
//!
//! In: bytes in any split. Out: a [`ParsedRequest`] or [`ResponseHead`]. httparse
//! reads what is well formed; the rest is read line by line, because the
//! receiver may be as lenient.

use bytes::Bytes;

use super::start::is_request_line;
use crate::{
    http::{
        head::{MAX_HEAD, MAX_HEADERS, RequestHead, host_of_authority, is_header_name, is_method},
        message::{Completeness, Header, Protocol, UNKNOWN},
    },
    loss::{Loss, Losses},
    secret::Secret,
};

/// Headers of an ordinary request.
pub const USUAL_HEADERS: usize = 128;
/// Finds the empty line that ends a head, in any split.
#[derive(Clone, Copy, Default)]
pub(super) struct Scan {
    line: Line,
}

/// The content of the current line so far.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Empty,
    Cr,
    Text,
}

impl Scan {
    /// The offset behind the empty line that ends the head, if it is in
    /// `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = self.line.and(bytes.get(start..end).unwrap_or_default());
            self.line = Line::Empty;
            start = end + 1;
            if line != Line::Text {
                return Some(start);
            }
        }
        self.line = self.line.and(bytes.get(start..).unwrap_or_default());
        None
    }
}

impl Line {
    fn and(self, more: &[u8]) -> Self {
        match (self, more) {
            (line, []) => line,
            (Self::Empty, b"\r") => Self::Cr,
            _ => Self::Text,
        }
    }
}

/// A head that is coming in.
#[derive(Default)]
pub(super) struct Partial {
    /// At most [`MAX_HEAD`] of its bytes.
    pub(super) bytes: Vec<u8>,
    /// How many it has.
    pub(super) wire_length: u64,
    scan: Scan,
}

impl Partial {
    /// Takes what belongs to the head from the front of `bytes`. Returns that,
    /// and whether the head ended.
    pub(super) fn push<'a>(&mut self, bytes: &mut &'a [u8]) -> (&'a [u8], bool) {
        let end = self.scan.push(bytes);
        let (taken, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        *bytes = rest;
        let room = MAX_HEAD.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(taken.get(..room).unwrap_or(taken));
        self.wire_length = self.wire_length.saturating_add(taken.len() as u64);
        (taken, end.is_some())
    }

    /// Whether it is longer than what is kept of it.
    pub(super) const fn is_cut(&self) -> bool {
        self.wire_length > self.bytes.len() as u64
    }
}

/// Skips empty lines, which may stand in front of a message.
pub(super) fn skip_blank(bytes: &mut &[u8]) {
    let blank = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    *bytes = bytes.get(blank..).unwrap_or_default();
}

/// How the end of a body is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// The headers do not say.
    Unsaid,
    /// After this many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// After a length that is no number.
    Broken,
}

/// The head of a request.
pub(super) struct ParsedRequest {
    pub(super) head: RequestHead,
    pub(super) framing: Framing,
    /// Whether it asks to leave HTTP/1 on this connection.
    pub(super) leaves: bool,
    /// Whether it asks for HTTP/2 instead.
    pub(super) leaves_to_http2: bool,
}

/// Parses a head, which is `cut` if its end is missing. `None` if there is no
/// request line.
pub(super) fn request(head: &Bytes, cut: bool, losses: &mut Losses) -> Option<ParsedRequest> {
    let lines_start = memchr::memchr(b'\n', head)? + 1;
    let line = head.get(..lines_start)?.trim_ascii_end();
    let method_length = memchr::memchr(b' ', line)?;
    let method = line
        .get(..method_length)
        .filter(|method| is_method(method) || *method == UNKNOWN.as_bytes())?;
    let version = memchr::memrchr(b' ', line)?;
    if !is_request_line(line) {
        return None;
    }
    let target = head.slice_ref(line.get(method_length..version)?.trim_ascii());
    let method = std::str::from_utf8(method).ok()?.to_owned();
    let mut completeness = Completeness::Complete;
    let well_formed = well_formed(head);
    let framing = match &well_formed {
        Some(headers) => framing(headers.iter().map(|header| {
            let value: &[u8] = header.value.expose();
            (header.name.as_bytes(), value)
        })),
        None => framing(pairs(head.get(lines_start..).unwrap_or_default())),
    };
    let headers = well_formed.unwrap_or_else(|| {
        let Lines {
            headers,
            skipped,
            over,
        } = lines(&head.slice(lines_start..), MAX_HEADERS);
        // The last line of a cut head is no header only because of the cut.
        if skipped && !cut {
            losses.count(Loss::HttpMalformed);
        }
        if over && !cut {
            losses.count(Loss::HttpHeadLimit);
        }
        if skipped || over || cut {
            completeness = Completeness::Truncated;
        }
        headers
    });
    let host = if method == "CONNECT" {
        host_of_authority(&target)
    } else {
        host_of_target(&target).or_else(|| {
            let host = headers.iter().find(|header| header.name == "host")?;
            host_of_authority(host.value.expose())
        })
    };
    let leaves = method == "CONNECT" || headers.iter().any(|header| header.name == "upgrade");
    let leaves_to_http2 = headers.iter().any(|header| {
        header.name == "upgrade" && header.value.expose().eq_ignore_ascii_case(b"h2c")
    });
    Some(ParsedRequest {
        head: RequestHead {
            protocol: Protocol::Http1,
            method,
            target,
            host,
            headers,
            completeness,
            memory: head.len(),
        },
        framing,
        leaves,
        leaves_to_http2,
    })
}

/// The headers, if httparse accepts the head. It allocates only for the usual
/// number of headers, since each slot costs time.
fn well_formed(head: &Bytes) -> Option<Vec<Header>> {
    let mut slots = [httparse::EMPTY_HEADER; USUAL_HEADERS];
    let mut request = httparse::Request::new(&mut slots);
    request
        .parse(head)
        .ok()
        .filter(httparse::Status::is_complete)?;
    Some(
        request
            .headers
            .iter()
            .map(|header| Header {
                name: header.name.to_ascii_lowercase(),
                value: Secret::new(head.slice_ref(header.value.trim_ascii())),
            })
            .collect(),
    )
}

/// Header lines, read leniently.
pub(super) struct Lines {
    pub(super) headers: Vec<Header>,
    /// Whether a line was no header.
    pub(super) skipped: bool,
    /// Whether there were more than the limit.
    pub(super) over: bool,
}

/// Reads header lines up to the empty line, keeping at most `limit`.
pub(super) fn lines(text: &Bytes, limit: usize) -> Lines {
    let mut read = Lines {
        headers: Vec::new(),
        skipped: false,
        over: false,
    };
    for (name, value) in text.split(|byte| *byte == b'\n').map_while(header_line) {
        let Some(name) = name else {
            read.skipped = true;
            continue;
        };
        if read.headers.len() >= limit {
            read.over = true;
            break;
        }
        read.headers.push(Header {
            name,
            value: Secret::new(text.slice_ref(value)),
        });
    }
    read
}

/// Name and value of a line, the name `None` if there is none; `None` for the
/// empty line.
fn header_line(line: &[u8]) -> Option<(Option<String>, &[u8])> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return None;
    }
    let Some(colon) = memchr::memchr(b':', line) else {
        return Some((None, line));
    };
    let (name, value) = line.split_at(colon);
    let name = name.trim_ascii_end();
    let name = is_header_name(name).then(|| String::from_utf8_lossy(name).to_ascii_lowercase());
    Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// The value of the first header with this name (lower case), by the rules of
/// [`lines`].
pub(super) fn value<'a>(text: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    text.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
            let is_wanted = name.trim_ascii_end().eq_ignore_ascii_case(wanted);
            is_wanted.then(|| value.get(1..).unwrap_or_default().trim_ascii())
        })
}

/// The framing of the body according to the header lines. Every line is read,
/// also beyond the number of headers that is kept. Of several lengths the first
/// counts; if it is wrong, the following bytes are no request, which is
/// counted.
fn framing<'a>(headers: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Framing {
    let (mut said, mut length) = (false, None);
    for (name, value) in headers {
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value
                .rsplit(|byte| *byte == b',')
                .next()
                .unwrap_or_default();
            if last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Framing::Chunked;
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            said = true;
            let mut values = value.split(|byte| *byte == b',');
            length = length.or_else(|| values.find_map(|value| content_length(value.trim_ascii())));
        }
    }
    match length {
        Some(length) => Framing::Length(length),
        None if said => Framing::Broken,
        None => Framing::Unsaid,
    }
}

/// Names and values of header lines; other lines are skipped.
fn pairs(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        Some((name.trim_ascii(), value.get(1..).unwrap_or_default()))
    })
}

fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// The host of an absolute-form target.
fn host_of_target(target: &[u8]) -> Option<String> {
    let colon = memchr::memmem::find(target, b"://")?;
    let (scheme, rest) = target.split_at_checked(colon)?;
    if scheme.is_empty() || !scheme.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let rest = rest.get(3..)?;
    let end = rest
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(rest.len());
    host_of_authority(rest.get(..end)?)
}

/// The head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) framing: Framing,
}

impl ResponseHead {
    /// Whether the final response to the same request is still to come (RFC 9110,
    /// section 15.2).
    pub(super) const fn is_interim(self) -> bool {
        matches!(self.status, 100..=199) && self.status != 101
    }
}

/// Parses the head of a response, which may have been cut behind the status.
pub(super) fn response(head: &[u8]) -> Option<ResponseHead> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let [b'0'..=b'9', b' ', digits @ ..] = rest else {
        return None;
    };
    let (digits, _) = digits.split_first_chunk::<3>()?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if !(100..=999).contains(&status) {
        return None;
    }
    let lines = memchr::memchr(b'\n', head).and_then(|end| head.get(end + 1..));
    Some(ResponseHead {
        status,
        framing: framing(pairs(lines.unwrap_or_default())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_targets() {
        assert_eq!(
            host_of_target(b"http://A.example?x=/").as_deref(),
            Some("a.example")
        );
        assert_eq!(host_of_target(b"/redirect?to=http://b.example/"), None);
    }

    #[test]
    fn framing_is_read_from_every_line() {
        for (lines, expected) in [
            ("a: b\r\n\r\n", Framing::Unsaid),
            ("Content-Length: 3\r\n\r\n", Framing::Length(3)),
            (
                "Content-Length: 3\nContent-Length: 3\n\n",
                Framing::Length(3),
            ),
            ("Content-Length: 3, 3\r\n\r\n", Framing::Length(3)),
            (
                "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
                Framing::Length(3),
            ),
            (
                "Content-Length: x\r\nContent-Length: 4\r\n\r\n",
                Framing::Length(4),
            ),
            ("Content-Length:\r\n\r\n", Framing::Broken),
            ("Content-Length: +3\r\n\r\n", Framing::Broken),
            (
                "Content-Length: 99999999999999999999\r\n\r\n",
                Framing::Broken,
            ),
            (
                "Content-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n",
                Framing::Chunked,
            ),
        ] {
            assert_eq!(framing(pairs(lines.as_bytes())), expected, "{lines}");
        }
    }
}
