//! Hexadecimal text to the text or the container in it.
//!
//! Digests and identifiers are hexadecimal too, and so are numbers: the content
//! must look like something written.

use super::coded::{self, Coded};

/// The shortest text that is tried.
const MIN_LENGTH: usize = 8;
/// How many bytes at the beginning decide whether the rest is decoded.
const HEAD: usize = MIN_LENGTH / 2;

/// The content of `encoded`, if it is hexadecimal of something.
pub(crate) fn decode(encoded: &[u8]) -> Option<Coded> {
    decode_within(encoded, coded::MAX_NESTED)
}

/// [`decode`], with at most `nested` further encodings as proof.
pub(crate) fn decode_within(encoded: &[u8], nested: u32) -> Option<Coded> {
    let encoded = encoded.strip_prefix(b"0x").unwrap_or(encoded);
    if encoded.len() < MIN_LENGTH || !encoded.len().is_multiple_of(2) {
        return None;
    }
    // Most values are something else, which their first bytes show sooner than
    // the decoder, whose time does not depend on them.
    let digits = encoded.first_chunk::<MIN_LENGTH>()?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    // One byte in three is printable: four exclude most digests.
    let mut head = [0; HEAD];
    base16ct::mixed::decode(digits, &mut head).ok()?;
    if !coded::may_begin(&head) {
        return None;
    }
    let content = base16ct::mixed::decode_vec(encoded).ok()?;
    let numeric = encoded.iter().all(u8::is_ascii_digit);
    Coded::of_hex(content, numeric, nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        base16ct::lower::encode_string(text.as_bytes())
    }

    #[test]
    fn texts_only() {
        for text in [
            "jane.roe@example.com",
            "+15555550142",
            "5555550142",
            "1980-02-03",
            "Jane Roe",
            "sertraline",
            "F32.1",
            "Анна Иванова",
            r#"{"email":"jane.roe@example.com"}"#,
        ] {
            let coded = decode(hex(text).as_bytes()).unwrap();
            assert_eq!(coded.content, text.as_bytes());
            let upper = hex(text).to_uppercase();
            assert!(decode(upper.as_bytes()).is_some(), "{upper}");
        }
        for word in [
            "1700000000",
            "1700000000123456",
            "3372036854775807",
            "5d41402abc4b2a76b9719d911017c592",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "deadbeef",
            "20240102",
            "4455667788",
            "6c6c6c6c6c",
        ] {
            assert!(decode(word.as_bytes()).is_none(), "{word}");
        }
    }
}
