//! Values with a signature of their own: JSON Web Tokens, `data:` URIs and the
//! tagged lists of Google's web tags.

use super::{Encoding, Reader, Sink, Span, ValueKind, base64, json, percent, text, url};

/// How long the head of a `data:` URI may be, in bytes.
const MAX_HEAD: usize = 128;
/// The mark of a tagged list, with its version.
const TAGGED: &[u8] = b"tv.1~";

/// The payload of `token`, if it is a JSON Web Token: three parts of base64url,
/// the first two of which are JSON. A scheme such as `Bearer` may precede it.
pub(crate) fn token_payload(token: &[u8]) -> Option<Vec<u8>> {
    let token = token.strip_prefix(b"Bearer ").unwrap_or(token);
    // `{"` in base64.
    if !token.starts_with(b"eyJ") {
        return None;
    }
    let (_, rest) = url::split_once(token, b'.');
    let (payload, signature) = url::split_once(rest?, b'.');
    signature?;
    let payload = base64::bytes(payload)?;
    (json::looks_like(text::trim_start(&payload)) && text::is_printable(&payload, None))
        .then_some(payload)
}

/// The text in a `data:` URI; an image is none.
pub(crate) fn data_uri(uri: &[u8]) -> Option<Vec<u8>> {
    let mark = uri.get(..5)?;
    if !mark.eq_ignore_ascii_case(b"data:") {
        return None;
    }
    let window = uri.get(..MAX_HEAD).unwrap_or(uri);
    let comma = memchr::memchr(b',', window)?;
    let head = window.get(5..comma)?;
    let data = uri.get(comma.saturating_add(1)..)?;
    if !head.is_empty() && !head.iter().any(|byte| b"/;".contains(byte)) {
        return None;
    }
    let data = percent::decode(data, false);
    let content = if head.to_ascii_lowercase().ends_with(b";base64") {
        base64::bytes(data.trim_ascii())?
    } else {
        data.into_owned()
    };
    (super::compression::Coding::sniff(&content).is_some() || text::is_printable(&content, None))
        .then_some(content)
}

/// The entries of a tagged list, `tv.1~em.…~pn0.…`.
pub(crate) fn tagged(value: &[u8]) -> Option<&[u8]> {
    value
        .strip_prefix(TAGGED)
        .filter(|entries| memchr::memchr(b'.', entries).is_some())
}

/// Yields the values of the payload of a token; at most `allowed` bytes of it
/// are read.
pub(super) fn read_token<S: Sink>(
    reader: &mut Reader<'_, S>,
    token: &[u8],
    payload: &[u8],
    allowed: usize,
    cut: bool,
) {
    let scheme = token.len() - token.strip_prefix(b"Bearer ").unwrap_or(token).len();
    let (scheme, token) = token.split_at(scheme);
    let (head, rest) = url::split_once(token, b'.');
    let (coded, signature) = url::split_once(rest.unwrap_or_default(), b'.');
    reader.keep(scheme);
    // The head says nothing about anyone, but must remain one.
    if S::REWRITES
        && let Some(content) = base64::bytes(head)
    {
        let base = reader.path_length();
        reader.open(in_base64(head, &content));
        json::read(reader, &content, false);
        reader.close(&[]);
        reader.go_back(base);
    }
    let kept = text::clip(payload, allowed);
    reader.open(in_base64(coded, payload));
    json::read(reader, kept, cut);
    reader.close(payload.get(kept.len()..).unwrap_or_default());
    reader.unread(signature.unwrap_or_default());
}

const fn in_base64<'a>(raw: &'a [u8], content: &'a [u8]) -> Span<'a> {
    Span {
        raw,
        content,
        encoding: Encoding::Base64,
    }
}

/// Yields the entries of a tagged list by their tags; the number behind a tag
/// is an index.
pub(super) fn read_tagged<S: Sink>(
    reader: &mut Reader<'_, S>,
    list: &[u8],
    entries: &[u8],
    cut: bool,
) {
    reader.keep(list.get(..TAGGED.len()).unwrap_or_default());
    let base = reader.path_length();
    let mut rest = Some(entries);
    while let Some(entries) = rest {
        let (entry, after) = url::split_once(entries, b'~');
        rest = after;
        if reader.is_full() {
            return;
        }
        let (tag, Some(value)) = url::split_once(entry, b'.') else {
            continue;
        };
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let digits = tag.iter().rev().take(2).take_while(|b| is_digit(b)).count();
        let (name, number) = tag.split_at(tag.len().saturating_sub(digits));
        reader.name(Span::plain(name));
        reader.keep(number);
        reader.go_key(name);
        if let Some(index) = std::str::from_utf8(number)
            .ok()
            .and_then(|n| n.parse().ok())
        {
            reader.go_index(index);
        }
        if !value.is_empty() {
            reader.take(Span::plain(value), ValueKind::Text, cut && rest.is_none());
        }
        reader.go_back(base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_mark() {
        for (uri, expected) in [
            ("data:text/plain;base64,SmFuZSBSb2U=", Some("Jane Roe")),
            ("data:text/plain;base64,SmFuZSBSb2U%3D", Some("Jane Roe")),
            ("DATA:,Jane%20Roe", Some("Jane Roe")),
            ("data:;charset=utf-8,Jane", Some("Jane")),
            ("data:image/png;base64,iVBORw0KGgo=", None),
            ("data: one, two", None),
            ("data", None),
            ("data:", None),
        ] {
            let found = data_uri(uri.as_bytes());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{uri}");
        }
        let token = "eyJhbGciOiJub25lIn0.eyJ2IjoiSmFuZSJ9.";
        for token in [token.to_owned(), format!("Bearer {token}c2ln")] {
            let payload = token_payload(token.as_bytes()).unwrap();
            assert_eq!(payload, br#"{"v":"Jane"}"#);
        }
        for token in [
            "eyJhbGciOiJub25lIn0",
            "eyJ.x.y",
            "a.b.c",
            "eyJhbGciOiJub25lIn0..",
        ] {
            assert!(token_payload(token.as_bytes()).is_none(), "{token}");
        }
    }
}
