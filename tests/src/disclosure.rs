//! Searches phiwatch's output for planted values: as they are, and in every
//! spelling that a log, a file or a report could give them.

use std::fmt::Write as _;

/// Shorter parts of an encoding occur in files by chance.
const MIN_LENGTH: usize = 6;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The planted values that `bytes` contain, each with the spelling.
pub fn found_in(bytes: &[u8], planted: &[&str]) -> Vec<String> {
    let lower = bytes.to_ascii_lowercase();
    let mut found = Vec::new();
    for value in planted {
        for (spelling, text, is_exact) in spellings(value) {
            let (hay, text) = if is_exact {
                (bytes, text.into_bytes())
            } else {
                (lower.as_slice(), text.to_ascii_lowercase().into_bytes())
            };
            if text.len() >= MIN_LENGTH.min(value.len()) && contains(hay, &text) {
                found.push(format!("{value} as {spelling}"));
            }
        }
    }
    found
}

/// `value` as a form or a query writes it.
pub fn percent(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a String accepts every write");
        }
        text
    })
}

/// The spellings of `value`: name, text, whether case matters.
fn spellings(value: &str) -> Vec<(&'static str, String, bool)> {
    let bytes = value.as_bytes();
    let mut every = String::new();
    let mut hex = String::new();
    let mut unicode = String::new();
    for byte in bytes {
        write!(every, "%{byte:02X}").expect("a String accepts every write");
        write!(hex, "{byte:02x}").expect("a String accepts every write");
        write!(unicode, "\\u{byte:04x}").expect("a String accepts every write");
    }
    let json = serde_json::to_string(value).expect("text is JSON");
    let mut all = vec![
        ("plain", value.to_owned(), false),
        ("percent", percent(value), false),
        ("percent throughout", every, false),
        ("JSON", json.trim_matches('"').to_owned(), false),
        ("JSON throughout", unicode, false),
        ("hex", hex, false),
    ];
    for shift in 0..3_usize {
        let text = base64_inside(bytes, shift);
        if text.len() >= MIN_LENGTH {
            all.push(("base64", text.clone(), true));
            all.push(("base64url", text.replace('+', "-").replace('/', "_"), true));
        }
    }
    all
}

/// The digits of `bytes` inside a longer base64 text, `shift` bytes behind a
/// multiple of three, without those that share bits with their neighbors.
fn base64_inside(bytes: &[u8], shift: usize) -> String {
    let padded: Vec<u8> = std::iter::repeat_n(0, shift)
        .chain(bytes.iter().copied())
        .collect();
    let mut digits = Vec::new();
    for group in padded.chunks_exact(3) {
        let [a, b, c] = [group[0], group[1], group[2]].map(usize::from);
        digits.extend([
            a >> 2,
            (a & 3) << 4 | b >> 4,
            (b & 15) << 2 | c >> 6,
            c & 63,
        ]);
    }
    let first = (shift * 8).div_ceil(6);
    digits
        .iter()
        .skip(first)
        .map(|digit| char::from(BASE64[*digit]))
        .collect()
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|own| own == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found() {
        let value = "avery.testcase@example.com";
        for text in [
            "x avery.testcase@example.com y",
            "Avery.Testcase@Example.com",
            "e=avery%2Etestcase%40example%2Ecom",
            "61766572792e7465737463617365406578616d706c652e636f6d",
            "YXZlcnkudGVzdGNhc2VAZXhhbXBsZS5jb20=",
            "IGF2ZXJ5LnRlc3RjYXNlQGV4YW1wbGUuY29tIA==",
            "eHhhdmVyeS50ZXN0Y2FzZUBleGFtcGxlLmNvbXg=",
        ] {
            assert!(!found_in(text.as_bytes(), &[value]).is_empty(), "{text}");
        }
        assert!(found_in(b"avery", &[value]).is_empty());
    }
}
