//! Text to other text of the same shape: every letter becomes another letter,
//! every digit another digit; punctuation and case stay.
//!
//! In: a text and a keyed stream. Out: as many bytes, each of the same kind as
//! the old one and never equal to it: otherwise one digit in ten would stay,
//! and with it a short value inside a longer text.

use super::key::{RedactionKey, Stream};

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const HEX: &[u8] = b"abcdef";
/// Letters that every identifier with check digits may contain.
const PLAIN: &[u8] = b"acdefghjkmnprtuvwxy";
const CONSONANTS: &[u8] = b"bdfghklmnprstvwz";
const VOWELS: &[u8] = b"aeiou";

/// The shortest text of hexadecimal digits that counts as an id.
const MIN_HEX: usize = 8;

/// Which letters replace letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// Any.
    Any,
    /// Those of hexadecimal digits.
    Hex,
    /// Those that identifiers are made of.
    Plain,
    /// Consonants and vowels in turn, as in names.
    Spoken,
    /// Letters stay: the text is a number.
    None,
}

impl Letters {
    /// The letters that fit an unknown text.
    pub(super) fn of(text: &str) -> Self {
        let is_hex = text.len() >= MIN_HEX
            && text.bytes().any(|byte| byte.is_ascii_digit())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if is_hex { Self::Hex } else { Self::Any }
    }
}

/// `text` with other letters and digits.
pub(super) fn scramble(text: &str, letters: Letters, stream: &mut Stream) -> String {
    let mut scrambled = String::with_capacity(text.len());
    let mut in_number = false;
    let mut position = stream.below(2) as usize;
    for (at, character) in text.char_indices() {
        // The version of a UUID reveals nothing about anyone.
        let is_version = letters == Letters::Hex && at == 14 && is_uuid(text);
        let new = match character {
            _ if is_version => character,
            '0'..='9' => {
                let is_leading = !in_number && character != '0';
                char::from(stream.other_digit(character as u8, is_leading))
            }
            'a'..='z' | 'A'..='Z' if letters == Letters::None => character,
            'a'..='z' | 'A'..='Z' => {
                let alphabet = match letters {
                    Letters::Hex => HEX,
                    Letters::Plain => PLAIN,
                    Letters::Spoken if position.is_multiple_of(2) => CONSONANTS,
                    Letters::Spoken => VOWELS,
                    Letters::Any | Letters::None => LOWER,
                };
                position = position.wrapping_add(1);
                let new = char::from(stream.other(alphabet, character as u8));
                if character.is_ascii_uppercase() {
                    new.to_ascii_uppercase()
                } else {
                    new
                }
            }
            _ => foreign(character, stream),
        };
        in_number = character.is_ascii_digit();
        scrambled.push(new);
    }
    scrambled
}

/// Another character of as many bytes, if it is a letter or a digit.
fn foreign(character: char, stream: &mut Stream) -> char {
    if !character.is_alphanumeric() {
        return character;
    }
    let (first, count) = match character.len_utf8() {
        // Latin letters: À to Ö, à to ö.
        2 if character.is_uppercase() => (0xc0, 23),
        2 => (0xe0, 23),
        3 => (0x4e00, 0x5000),
        _ => (0x2_0000, 0xa000),
    };
    let new = stream.between(first, first + count - 1);
    // The one beside it, where it is the old one.
    let new = if new == u32::from(character) {
        first + (new - first + 1) % count
    } else {
        new
    };
    char::from_u32(new).unwrap_or(character)
}

/// Whether a text has the shape of a UUID.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| (byte == b'-') == matches!(at, 8 | 13 | 18 | 23))
}

/// The default for a text of unknown meaning: texts that differ only in case
/// get equal replacements.
pub(super) fn unknown(key: &RedactionKey, text: &str) -> String {
    let folded = text.to_lowercase();
    let mut stream = key.stream("text", folded.as_bytes());
    different(text, |_| scramble(text, Letters::of(text), &mut stream))
}

/// Replaces the digits of a number so that it stays a number.
pub(super) fn number(key: &RedactionKey, text: &str) -> String {
    let mut stream = key.stream("number", text.as_bytes());
    let exponent = text.find(['e', 'E']).unwrap_or(text.len());
    let (digits, rest) = text.split_at(exponent);
    let new = different(digits, |_| scramble(digits, Letters::None, &mut stream));
    // Only a lone zero may begin a number.
    let is_zero_first = new.trim_start_matches('-').starts_with('0');
    let was_zero_first = digits.trim_start_matches('-').starts_with('0');
    if is_zero_first || was_zero_first {
        let sign = digits.len() - digits.trim_start_matches('-').len();
        let at = sign.saturating_add(1).min(new.len());
        let head = digits.get(..at).unwrap_or_default();
        let tail = new.get(at..).unwrap_or_default();
        return [head, tail, rest].concat();
    }
    new + rest
}

/// Draws until the result differs from `text`, if it can.
pub(super) fn different(text: &str, mut draw: impl FnMut(u32) -> String) -> String {
    /// The chance that this many random texts all equal the value is small even
    /// for one digit.
    const TRIES: u32 = 16;
    let mut made = draw(0);
    for attempt in 1..TRIES {
        if made != text {
            break;
        }
        made = draw(attempt);
    }
    made
}

/// Bytes that are no text: letters and digits are replaced, bytes outside of
/// ASCII become letters, so that nothing of another encoding is left.
pub(super) fn bytes(key: &RedactionKey, raw: &[u8]) -> Vec<u8> {
    let mut stream = key.stream("bytes", raw);
    raw.iter()
        .map(|byte| match byte {
            b'0'..=b'9' => stream.other_digit(*byte, false),
            b'A'..=b'Z' => stream.other(LOWER, *byte).to_ascii_uppercase(),
            b'a'..=b'z' | 0x80.. => stream.other(LOWER, *byte),
            other => *other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RedactionKey {
        RedactionKey::from_bytes([3; 32])
    }

    /// The kind of each character.
    fn shape(text: &str) -> String {
        text.chars()
            .map(|c| match c {
                '0'..='9' => '9',
                c if c.is_uppercase() => 'A',
                c if c.is_alphabetic() => 'a',
                c => c,
            })
            .collect()
    }

    #[test]
    fn shape_stays_and_text_goes() {
        for text in [
            "Jane Roe",
            "JOSÉ núñez",
            "F32.1",
            "张伟的预约",
            "a-b_c.d@e",
            "x",
            "0",
            "𠀀𠀁",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        ] {
            let made = unknown(&key(), text);
            assert_eq!(made.len(), text.len(), "{text}");
            assert_eq!(shape(&made), shape(text), "{text} {made}");
            assert_ne!(made, text);
            assert_eq!(made, unknown(&key(), text));
            assert_eq!(
                made.to_lowercase(),
                unknown(&key(), &text.to_uppercase()).to_lowercase(),
                "{text}"
            );
        }
        let uuid = unknown(&key(), "3f2504e0-4f89-41d3-9a0c-0305e82c3301");
        assert_eq!(uuid.get(14..15), Some("4"));
        assert!(uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'));
    }

    #[test]
    fn numbers_stay_numbers() {
        for text in [
            "1234",
            "-0.1234",
            "1.5e300",
            "1000000000000",
            "10",
            "-77.0364",
            "0",
        ] {
            let made = number(&key(), text);
            assert_eq!(made.len(), text.len());
            assert!(serde_json::from_str::<f64>(&made).is_ok(), "{text} {made}");
        }
        assert_ne!(number(&key(), "1234"), "1234");
    }
}
