//! Base64 of either alphabet to the text or the gzip data in it.
//!
//! Tolerant where clients are sloppy: padding is optional, line breaks are
//! skipped, a `+` that a form reader made a space is a `+`, and a cut end loses
//! its incomplete group. Strict where identifiers must not be mistaken for it:
//! the content has to be a container that another reader understands.

use super::{compression::Coding, form, json, text};

/// The shortest text that is tried.
const SHORTEST: usize = 16;
/// How many characters at the beginning decide whether the rest is decoded.
const HEAD: usize = 32;

/// The content of `encoded`, if it is base64 of JSON, of a form with two pairs
/// or more, or of compressed data.
pub(super) fn decode_container(encoded: &[u8]) -> Option<Vec<u8>> {
    let encoded = encoded.trim_ascii();
    if encoded.len() < SHORTEST {
        return None;
    }
    let head = decode(encoded.get(..HEAD).unwrap_or(encoded))?;
    let compressed = Coding::sniff(&head).is_some();
    if !compressed && !text::is_printable(&head, None) {
        return None;
    }
    let content = decode(encoded)?;
    let is_container = compressed
        || (text::is_printable(&content, None)
            && (json::looks_like(text::trim_start(&content)) || form::looks_like(&content, 2)));
    is_container.then_some(content)
}

/// The bytes that `encoded` stands for, or nothing if it is not base64.
fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let (mut group, mut bits) = (0_u32, 0_u32);
    let mut padded = false;
    for byte in encoded {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' | b' ' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                padded = true;
                continue;
            }
            b'\r' | b'\n' => continue,
            _ => return None,
        };
        if padded {
            return None;
        }
        group = (group << 6 | u32::from(value)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((group >> bits & 0xff) as u8);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine,
        prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE},
    };

    use super::*;

    #[test]
    fn containers_only() {
        let json = r#"{"email":"jane.roe@example.com","note":"???>>>"}"#;
        for (encoded, expected) in [
            (BASE64_STANDARD.encode(json), Some(json)),
            (BASE64_STANDARD_NO_PAD.encode(json), Some(json)),
            (BASE64_URL_SAFE.encode(json), Some(json)),
            (BASE64_STANDARD.encode(json).replace('+', " "), Some(json)),
            (
                BASE64_STANDARD.encode("name=Jane&city=Anytown"),
                Some("name=Jane&city=Anytown"),
            ),
            (
                BASE64_STANDARD.encode("only text, and a good deal of it"),
                None,
            ),
            (BASE64_STANDARD.encode("{}"), None),
            ("0123456789abcdef0123456789abcdef".to_owned(), None),
            ("thisisanidentifierofsomekind".to_owned(), None),
        ] {
            let decoded = decode_container(encoded.as_bytes());
            assert_eq!(decoded.as_deref(), expected.map(str::as_bytes), "{encoded}");
        }
    }
}
