//! What a value is, by its own looks.
//!
//! Most values are short and plain, so the first byte decides what is checked
//! at all, and one pass over the bytes decides the rest: after that pass a
//! value without a sign of any encoding is a text.

use std::borrow::Cow;

use super::{
    Encoding, base64, coded::Coded, compression::Coding, entity, envelope, form, hex, json,
    multipart, percent, text, url, xml,
};

/// Keys whose value is a form even with a single pair, in lower case.
const FORM_KEYS: &[&str] = &[
    "body",
    "payload",
    "post_data",
    "postdata",
    "qs",
    "query",
    "query_string",
    "querystring",
    "search",
    "url_query",
];
/// The shortest value that can be more than a text.
const MIN_LENGTH: usize = 2;
/// The longest key that may be payload, in bytes.
const MAX_PAYLOAD_KEY: usize = 128;
/// The shortest key that may be payload, in bytes.
const MIN_PAYLOAD_KEY: usize = 5;
/// The fewest digits of a key of digits and punctuation that may be payload.
const MIN_KEY_DIGITS: usize = 7;

/// The format of a value.
pub(crate) enum Content<'a> {
    Text,
    Compressed(Coding),
    Json(&'a [u8]),
    /// A JSON string without its quotes.
    Quoted(Cow<'a, [u8]>),
    /// XML, and whether it is beyond doubt.
    Xml(&'a [u8], bool),
    Url(url::Parts<'a>),
    /// A form and what separates its pairs.
    Form(&'a [u8], u8),
    /// A single pair, which may as well be a text.
    Pair(&'a [u8]),
    /// A multipart body and its separator.
    Multipart(&'a [u8], &'a [u8]),
    /// The payload of a JSON Web Token.
    Token(Vec<u8>),
    /// The entries of a tagged list.
    Tagged(&'a [u8]),
    /// Base64, hexadecimal or a `data:` URI, with this content.
    Coded(Coded),
    /// Percent-encoded or escaped for HTML once more, with this content.
    Again(Vec<u8>, Encoding),
}

impl Content<'_> {
    /// Whether the value itself is yielded, besides what is in it.
    pub(crate) const fn is_text_too(&self) -> bool {
        match self {
            Self::Text | Self::Url(_) | Self::Pair(_) | Self::Xml(_, false) => true,
            Self::Coded(coded) => !coded.sure,
            _ => false,
        }
    }
}

/// What a byte may belong to; see [`survey`].
const BASE64: u16 = 1;
const HEX: u16 = 1 << 1;
const BLANK: u16 = 1 << 2;
const PERCENT: u16 = 1 << 3;
const AMPERSAND: u16 = 1 << 4;
const EQUALS: u16 = 1 << 5;
const SEMICOLON: u16 = 1 << 6;
const COLON: u16 = 1 << 7;
const AT: u16 = 1 << 8;
const LETTER: u16 = 1 << 9;
const PUNCTUATION: u16 = 1 << 10;
const LIST: u16 = 1 << 11;

static KINDS: [u16; 256] = kinds();

const fn kinds() -> [u16; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut kind = 0;
        if byte.is_ascii_alphanumeric() {
            kind |= BASE64;
        }
        if byte.is_ascii_alphabetic() || byte >= 0x80 {
            kind |= LETTER;
        }
        if byte.is_ascii_hexdigit() {
            kind |= HEX;
        }
        kind |= match byte {
            b'+' | b'-' => BASE64 | PUNCTUATION,
            b'/' | b'_' => BASE64,
            b'(' | b'.' => PUNCTUATION,
            b'=' => BASE64 | EQUALS,
            b' ' | b'\r' | b'\n' => BASE64 | BLANK,
            b'\t' | 12 => BLANK,
            b'%' => PERCENT,
            b'&' => AMPERSAND,
            b';' => SEMICOLON,
            b':' => COLON,
            b'@' => AT,
            b',' | b'|' => LIST,
            _ => 0,
        };
        kinds[byte as usize] = kind;
        if byte == u8::MAX {
            return kinds;
        }
        byte += 1;
    }
}

/// What any byte of `value` is, and what all of them are.
fn survey(value: &[u8]) -> (u16, u16) {
    value.iter().fold((0, u16::MAX), |(any, all), byte| {
        let kind = KINDS.get(usize::from(*byte)).copied().unwrap_or_default();
        (any | kind, all & kind)
    })
}

/// What `value` is, which stands under `key`.
pub(crate) fn sniff<'a>(value: &'a [u8], key: Option<&str>) -> Content<'a> {
    if value.len() < MIN_LENGTH {
        return Content::Text;
    }
    let start = match value.first() {
        Some(0xef | 9..=13 | b' ') => text::trim_start(value),
        _ => value,
    };
    if start.len() < MIN_LENGTH {
        return Content::Text;
    }
    if let Some(content) = by_first_byte(start) {
        return content;
    }
    let (any, all) = survey(start);
    if any & COLON != 0
        && let Some(parts) = url::Parts::of_absolute(start)
    {
        return Content::Url(parts);
    }
    if all & BASE64 != 0
        && let Some(coded) = base64::decode(start)
    {
        return Content::Coded(coded);
    }
    if all & HEX != 0
        && let Some(coded) = hex::decode(start)
    {
        return Content::Coded(coded);
    }
    if any & (EQUALS | PERCENT | AMPERSAND) == 0 {
        return Content::Text;
    }
    by_marks(start, any, key).unwrap_or(Content::Text)
}

/// Formats that are recognized by their first byte.
fn by_first_byte(start: &[u8]) -> Option<Content<'_>> {
    match start.first()? {
        0x1f | 0x28 | 0x78 => Coding::sniff(start).map(Content::Compressed),
        b'{' | b'[' => {
            let escaped = start
                .get(..8)
                .is_some_and(|head| memchr::memchr(b'&', head).is_some());
            (json::looks_like(start) && !(escaped && entity::has_entity(start)))
                .then_some(Content::Json(start))
        }
        b'"' if json::looks_like_string(start) => Some(Content::Json(start)),
        b'"' => json::whole_string(start).map(Content::Quoted),
        b'<' if xml::looks_like_document(start) => {
            Some(Content::Xml(start, start.starts_with(b"<?xml")))
        }
        b'?' => {
            let query = start.get(1..)?;
            form::looks_like(query, 1).then_some(Content::Form(query, b'&'))
        }
        b'/' => url::sniff(start).map(Content::Url),
        b'-' => multipart::sniff(start).map(|separator| Content::Multipart(start, separator)),
        b'd' | b'D' => envelope::data_uri(start).map(|content| {
            Content::Coded(Coded {
                content,
                encoding: Encoding::DataUri,
                sure: true,
            })
        }),
        b'e' | b'B' => envelope::token_payload(start).map(Content::Token),
        b't' => envelope::tagged(start).map(Content::Tagged),
        _ => None,
    }
}

/// Formats that are recognized by `any` sign of a form, of entities or of
/// percent escapes.
fn by_marks<'a>(start: &'a [u8], any: u16, key: Option<&str>) -> Option<Content<'a>> {
    if any & AMPERSAND != 0 && any & SEMICOLON != 0 && entity::has_entity(start) {
        let decoded = entity::unescape(start).into_owned();
        return Some(Content::Again(decoded, Encoding::Entities));
    }
    if any & EQUALS != 0 {
        if form::looks_like(start, 2)
            || (key.is_some_and(carries_form) && form::looks_like(start, 1))
        {
            return Some(Content::Form(start, b'&'));
        }
        if any & SEMICOLON != 0 && form::looks_like_list(start) {
            return Some(Content::Form(start, b';'));
        }
        if any & LIST != 0
            && let Some(separator) = [b',', b'|']
                .into_iter()
                .find(|byte| form::looks_like_strict_list(start, *byte))
        {
            return Some(Content::Form(start, separator));
        }
        let (name, value) = url::split_once(start, b'=');
        let is_value = value.is_some_and(|value| !matches!(value.first(), None | Some(b'=')));
        if is_value && any & BLANK == 0 && form::is_plain_key(name) {
            return Some(Content::Pair(start));
        }
    }
    if any & PERCENT != 0 && any & BLANK == 0 && percent::has_escape(start) {
        let decoded = percent::decode(start, false).into_owned();
        if std::str::from_utf8(&decoded).is_ok() {
            return Some(Content::Again(decoded, Encoding::Percent(false)));
        }
    }
    None
}

/// Whether a value under `key` is a form even with a single pair.
fn carries_form(key: &str) -> bool {
    FORM_KEYS.iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// Whether a key looks like a value: an address, words with spaces, a number
/// with punctuation as in phones and dates.
pub(crate) fn is_payload_key(key: &[u8]) -> bool {
    if !(MIN_PAYLOAD_KEY..=MAX_PAYLOAD_KEY).contains(&key.len()) {
        return false;
    }
    let (any, _) = survey(key);
    if any & (AT | BLANK | PERCENT) != 0 {
        return true;
    }
    any & LETTER == 0
        && any & PUNCTUATION != 0
        && key.iter().filter(|byte| byte.is_ascii_digit()).count() >= MIN_KEY_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_values() {
        for (key, expected) in [
            ("jane.roe@example.com", true),
            ("jane%40example.com", true),
            ("Jane Roe", true),
            ("+15555550142", true),
            ("1980-02-03", true),
            ("(555)555-0142", true),
            ("1700000000", false),
            ("event_name", false),
            ("ep.email", false),
            ("$set", false),
            ("@id", false),
            ("a1-b2-c3", false),
        ] {
            assert_eq!(is_payload_key(key.as_bytes()), expected, "{key}");
        }
    }
}
