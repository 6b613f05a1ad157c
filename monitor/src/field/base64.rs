//! Base64 of either alphabet to the text or the container in it.
//!
//! Tolerant where clients are sloppy: padding is optional, line breaks are
//! skipped, a `+` that a form reader turned into a space counts as `+` at the
//! beginning of a container, and a cut end loses its incomplete group. Strict
//! where identifiers must not be mistaken for it: the content has to look like
//! something that a person or another encoder wrote.

use super::{coded, coded::Coded};

/// The shortest text that is tried.
const MIN_LENGTH: usize = 6;
/// The shortest text in which a space is tried as a `+`.
const MIN_SPACED: usize = 16;
/// How many characters at the beginning decide whether the rest is decoded.
const HEAD: usize = 32;

/// The content of `encoded`, if it is base64 of something.
pub(crate) fn decode(encoded: &[u8]) -> Option<Coded> {
    decode_within(encoded, coded::MAX_NESTED)
}

/// [`decode`], with at most `nested` further encodings as proof.
pub(crate) fn decode_within(encoded: &[u8], nested: u32) -> Option<Coded> {
    let encoded = encoded.trim_ascii();
    if encoded.len() < MIN_LENGTH || !may_begin(encoded) {
        return None;
    }
    let mut head = [0; HEAD];
    let head_text = encoded.get(..HEAD).unwrap_or(encoded);
    if !coded::may_begin(decode_head(head_text, &mut head)?) {
        return None;
    }
    let spaced = memchr::memchr(b' ', encoded).is_some();
    if spaced && encoded.len() < MIN_SPACED {
        return None;
    }
    let content = bytes(encoded)?;
    let coded = Coded::of_base64(content, nested)?;
    (coded.sure || !spaced).then_some(coded)
}

/// Whether the first four characters can stand for the beginning of a text or
/// of compressed data; most words, numbers and digests fail here.
const fn may_begin(encoded: &[u8]) -> bool {
    let [first, second, third, fourth, ..] = encoded else {
        return false;
    };
    if !matches!(
        first,
        b'C' | b'H'..=b'Z' | b'a'..=b'f' | b'w'..=b'z' | b'0'..=b'9'
    ) {
        return false;
    }
    let (Some(a), Some(b), Some(c), Some(d)) =
        (digit(*first), digit(*second), digit(*third), digit(*fourth))
    else {
        // A line break or padding this early is left to the decoder.
        return true;
    };
    let bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
    match bytes {
        [0x1f | 0x28 | 0x78 | 0x80..=0xff, ..] => true,
        [_, 0x80..=0xc1 | 0..=8 | 14..=31, _] => false,
        [_, second, third] => second >= 0x80 || !matches!(third, 0x80..=0xc1 | 0..=8 | 14..=31),
    }
}

/// What one character stands for, if it is of the alphabet.
const fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' | b' ' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Decodes the beginning of a text without allocating.
fn decode_head<'a>(encoded: &[u8], room: &'a mut [u8; HEAD]) -> Option<&'a [u8]> {
    let mut length = 0;
    push_bytes(encoded, |byte| {
        if let Some(place) = room.get_mut(length) {
            *place = byte;
            length += 1;
        }
    })?;
    room.get(..length)
}

/// The bytes that `encoded` stands for; `None` if it is not base64.
pub(crate) fn bytes(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    push_bytes(encoded, |byte| decoded.push(byte))?;
    Some(decoded)
}

/// Passes the bytes that `encoded` stands for to `push`.
fn push_bytes(encoded: &[u8], mut push: impl FnMut(u8)) -> Option<()> {
    let (mut group, mut bits) = (0_u32, 0_u32);
    let mut padded = false;
    for byte in encoded {
        match byte {
            b'=' => {
                padded = true;
                continue;
            }
            b'\r' | b'\n' => continue,
            _ => {}
        }
        let value = digit(*byte).filter(|_| !padded)?;
        group = (group << 6 | u32::from(value)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            push((group >> bits & 0xff) as u8);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine,
        prelude::{
            BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD,
        },
    };

    use super::*;

    /// The content of `encoded`, and whether it is certain.
    fn check(encoded: &str, expected: Option<(&str, bool)>) {
        let coded = decode(encoded.as_bytes());
        let found = coded
            .as_ref()
            .map(|coded| (String::from_utf8_lossy(&coded.content), coded.sure));
        let expected = expected.map(|(content, sure)| (content.into(), sure));
        assert_eq!(found, expected, "{encoded}");
    }

    #[test]
    fn containers() {
        let json = r#"{"email":"jane.roe@example.com","note":"???>>>"}"#;
        let form = "name=Jane&city=Anytown";
        check(&BASE64_STANDARD.encode(json), Some((json, true)));
        check(&BASE64_STANDARD_NO_PAD.encode(json), Some((json, true)));
        check(&BASE64_URL_SAFE.encode(json), Some((json, true)));
        check(
            &BASE64_STANDARD.encode(json).replace('+', " "),
            Some((json, true)),
        );
        check(&BASE64_STANDARD.encode(form), Some((form, true)));
        let lines = BASE64_STANDARD.encode(json);
        let (first, second) = lines.split_at(20);
        check(&format!("{first}\r\n{second}\n"), Some((json, true)));
    }

    #[test]
    fn texts() {
        for text in [
            "jane.roe@example.com",
            "+1 555 555 0142",
            "5555550142",
            "1980-02-03",
            "1980-02-03T04:05:06Z",
            "Jane Roe",
            "Jane",
            "José Núñez",
            "sertraline",
            "F32.1",
            "PHQ-9 total 17",
            "1EG4-TE5-MK73",
            "v=F32.1",
            "only text, and a good deal of it",
        ] {
            check(&BASE64_STANDARD.encode(text), Some((text, false)));
            check(&BASE64_STANDARD_NO_PAD.encode(text), Some((text, false)));
            check(&BASE64_URL_SAFE_NO_PAD.encode(text), Some((text, false)));
        }
    }

    #[test]
    fn identifiers_are_no_base64() {
        for word in [
            "0123456789abcdef0123456789abcdef",
            "thisisanidentifierofsomekind",
            "550e8400-e29b-41d4-a716-446655440000",
            "1700000000",
            "1700000000123",
            "purchase",
            "PageView",
            "CompleteRegistration",
            "appointment_booked",
            "sleep-quiz-started",
            "anonymousId",
            "en-US",
            "America/New_York",
            "depression",
            "patients",
            "Jane Roe and a sentence that is long",
            "K2ugfPZQ",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        ] {
            check(word, None);
        }
    }
}
