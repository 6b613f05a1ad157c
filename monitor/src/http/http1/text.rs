//! Whole messages as HTTP/1.1 text and back.
//!
//! A message whose codings were removed is written with the length that its
//! body has now, so that any tool reads it.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::head::{self, ResponseHead};
use crate::{
    http::{head::MAX_HEADERS, message::Header},
    loss::Losses,
    secret::Secret,
};

/// Headers that say how a body was sent; they are written anew.
const FRAMING: &[&str] = &[
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "trailer",
];

/// A request parsed from its text.
pub struct RequestText {
    /// Its method; no payload.
    pub method: String,
    /// Its target as sent.
    pub target: Secret<Bytes>,
    /// Its headers, in order.
    pub headers: Vec<Header>,
    /// Its body.
    pub body: Secret<Bytes>,
}

/// A response parsed from its text.
pub struct ResponseText {
    /// Its status.
    pub status: u16,
    /// Its headers, in order.
    pub headers: Vec<Header>,
    /// Its body.
    pub body: Secret<Bytes>,
}

/// A request as text.
pub fn write_request(
    method: &str,
    target: &[u8],
    headers: &[Header],
    body: &[u8],
) -> Secret<Bytes> {
    let mut text = BytesMut::with_capacity(256 + body.len());
    text.put_slice(method.as_bytes());
    text.put_u8(b' ');
    text.put_slice(target);
    text.put_slice(b" HTTP/1.1\r\n");
    finish(text, headers, body, !body.is_empty())
}

/// A response as text. The reason phrase is left out: it has no meaning.
pub fn write_response(status: u16, headers: &[Header], body: &[u8]) -> Secret<Bytes> {
    let mut text = BytesMut::with_capacity(128 + body.len());
    text.put_slice(format!("HTTP/1.1 {status} \r\n").as_bytes());
    // These have no body, and no length that would say so.
    let says_length = status >= 200 && status != 204 && status != 304;
    finish(text, headers, body, says_length)
}

fn finish(mut text: BytesMut, headers: &[Header], body: &[u8], says_length: bool) -> Secret<Bytes> {
    let kept = headers
        .iter()
        .filter(|header| !FRAMING.contains(&header.name.as_str()));
    for header in kept {
        text.put_slice(header.name.as_bytes());
        text.put_slice(b": ");
        text.put_slice(header.value.expose());
        text.put_slice(b"\r\n");
    }
    if says_length {
        text.put_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    text.put_slice(b"\r\n");
    text.put_slice(body);
    Secret::new(text.freeze())
}

/// Parses the text that [`write_request`] made. `None` if it is no request.
pub fn read_request(text: &Bytes) -> Option<RequestText> {
    let (head, body) = split(text)?;
    let parsed = head::request(&head, false, &mut Losses::default())?;
    Some(RequestText {
        method: parsed.head.method,
        target: Secret::new(parsed.head.target),
        headers: parsed.head.headers,
        body: Secret::new(body),
    })
}

/// Parses the text that [`write_response`] made. `None` if it is no response.
pub fn read_response(text: &Bytes) -> Option<ResponseText> {
    let (head, body) = split(text)?;
    let ResponseHead { status, .. } = head::response(&head)?;
    let lines = memchr::memchr(b'\n', &head)? + 1;
    Some(ResponseText {
        status,
        headers: head::lines(&head.slice(lines..), MAX_HEADERS).headers,
        body: Secret::new(body),
    })
}

/// Head with its empty line, and body.
fn split(text: &Bytes) -> Option<(Bytes, Bytes)> {
    let end = memchr::memmem::find(text, b"\r\n\r\n")? + 4;
    Some((text.slice(..end), text.slice(end..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Header {
        Header {
            name: name.to_owned(),
            value: Secret::new(Bytes::copy_from_slice(value.as_bytes())),
        }
    }

    #[test]
    fn requests_come_back() {
        for (method, target, body) in [
            ("GET", "/a?b=c", ""),
            ("POST", "/v1/track", "{\"a\": \"\r\n\r\n\"}"),
            ("CONNECT", "example.com:443", ""),
        ] {
            let headers = [header("host", "example.com"), header("x-a", "b: c")];
            let text = write_request(method, target.as_bytes(), &headers, body.as_bytes());
            let read = read_request(text.expose()).unwrap();
            assert_eq!(read.method, method);
            assert_eq!(read.target.expose(), target);
            assert_eq!(read.body.expose(), body);
            assert_eq!(read.headers.get(..2), Some(&headers[..]));
        }
    }

    #[test]
    fn responses_come_back_without_their_codings() {
        let headers = [
            header("content-type", "text/html"),
            header("content-encoding", "gzip"),
            header("content-length", "99"),
        ];
        let text = write_response(200, &headers, b"<p>hi");
        let read = read_response(text.expose()).unwrap();
        assert_eq!(
            (read.status, read.body.expose().as_ref()),
            (200, &b"<p>hi"[..])
        );
        let names: Vec<_> = read
            .headers
            .iter()
            .map(|header| header.name.as_str())
            .collect();
        assert_eq!(names, ["content-type", "content-length"]);
        assert!(
            !write_response(204, &[], b"")
                .expose()
                .windows(7)
                .any(|own| own == b"content")
        );
    }

    #[test]
    fn a_cut_text_is_no_message() {
        let text = write_request("GET", b"/", &[header("host", "example.com")], b"");
        for length in 0..text.expose().len() {
            assert!(
                read_request(&text.expose().slice(..length)).is_none(),
                "{length}"
            );
            assert!(
                read_response(&text.expose().slice(..length)).is_none(),
                "{length}"
            );
        }
    }
}
