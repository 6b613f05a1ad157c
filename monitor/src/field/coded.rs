//! Whether decoded bytes look written: the proof that the text was an encoding,
//! and not an identifier in the same alphabet.
//!
//! The shapes are those of content that one would encode to hide or to
//! transport it: an address, a number, a date, words, a code, or a further
//! encoding. Each is unlikely to result from a random identifier: one random
//! byte in three is printable, one in ten is a letter of the right case.

use super::{
    Encoding, base64, compression::Coding, entity, form, hex, json, multipart, percent, text, url,
    xml,
};

/// Further encodings that are decoded to prove one.
pub(crate) const MAX_NESTED: u32 = 3;
/// The shortest text that is taken for words.
const MIN_WORDS: usize = 4;
/// The shortest printable text that is accepted whatever its shape.
const MIN_ANY: usize = 10;
/// The shortest content that is certainly a container.
const MIN_CERTAIN: usize = 12;
/// The shortest code of groups of capitals and digits.
const MIN_GROUPS: usize = 7;
/// The fewest digits of a number or a date.
const MIN_DIGITS: usize = 5;
/// Bytes that decide the shape of a long text.
const MAX_INSPECTED: usize = 256;

/// The content of an encoding that has no signature of its own.
pub(crate) struct Coded {
    pub(crate) content: Vec<u8>,
    pub(crate) encoding: Encoding,
    /// Whether it was certainly an encoding, so that the encoded text itself
    /// need not be examined.
    pub(crate) sure: bool,
}

impl Coded {
    /// `content` of base64, if it looks like something.
    pub(crate) fn of_base64(content: Vec<u8>, nested: u32) -> Option<Self> {
        Self::of(content, Encoding::Base64, MIN_ANY, nested)
    }

    /// Accepts `content` decoded from hexadecimal digits, which were a number
    /// if `numeric`.
    pub(crate) fn of_hex(content: Vec<u8>, numeric: bool, nested: u32) -> Option<Self> {
        let any = if numeric { usize::MAX } else { MIN_ANY };
        Self::of(content, Encoding::Hex, any, nested)
    }

    fn of(content: Vec<u8>, encoding: Encoding, any: usize, nested: u32) -> Option<Self> {
        if let Some(coding) = Coding::sniff(&content) {
            // The signature of zlib is so short that identifiers can have it.
            let sure = coding != Coding::Zlib;
            return Some(Self {
                content,
                encoding,
                sure,
            });
        }
        if !text::is_printable(&content, None) {
            return None;
        }
        let sure = content.len() >= MIN_CERTAIN && is_container(text::trim_start(&content));
        (sure || is_written(&content, any) || is_encoded(&content, nested)).then_some(Self {
            content,
            encoding,
            sure,
        })
    }
}

/// Whether bytes may be the beginning of text or of compressed data.
pub(crate) fn may_begin(head: &[u8]) -> bool {
    match head.first() {
        None | Some(0..=8 | 11..=12 | 14..=30 | 127..=0xc1 | 0xf5..) => false,
        Some(0x1f | 0x28 | 0x78) if Coding::sniff(head).is_some() => true,
        // Bytes that a longer beginning may complete count as printable here.
        Some(_) => text::is_printable(head, None),
    }
}

/// Whether `content` is one of the unmistakable formats.
fn is_container(content: &[u8]) -> bool {
    json::looks_like(content)
        || form::looks_like(content, 2)
        || multipart::sniff(content).is_some()
        || xml::looks_like_document(content)
}

/// Whether `content`, which is printable, has a shape that people and programs
/// write. From `any` bytes on, being printable is enough.
fn is_written(content: &[u8], any: usize) -> bool {
    let Ok(text) = std::str::from_utf8(text::clip(content, MAX_INSPECTED)) else {
        return false;
    };
    let tally = Tally::of(text);
    is_code(text.as_bytes())
        || is_address(text)
        || tally.is_number()
        || is_groups(text.as_bytes())
        || (tally.is_words() && has_case_of_words(text))
        || (text.len() >= any && tally.is_mostly_plain())
}

/// How many characters of each kind a text has.
#[derive(Default)]
struct Tally {
    letters: usize,
    foreign: usize,
    digits: usize,
    spaces: usize,
    /// Punctuation within names and sentences.
    joints: usize,
    /// Punctuation within phone numbers, dates and times.
    number_joints: usize,
    vowels: usize,
    all: usize,
}

impl Tally {
    fn of(text: &str) -> Self {
        let mut tally = Self::default();
        for character in text.chars() {
            tally.all += 1;
            match character {
                'a'..='z' | 'A'..='Z' => {
                    tally.letters += 1;
                    if "aeiouyAEIOUY".contains(character) {
                        tally.vowels += 1;
                    }
                    if matches!(character, 'T' | 'Z') {
                        tally.number_joints += 1;
                    }
                }
                '0'..='9' => tally.digits += 1,
                ' ' => {
                    tally.spaces += 1;
                    tally.number_joints += 1;
                }
                '+' | '(' | ')' | ':' => tally.number_joints += 1,
                '.' | '-' | '/' | ',' => {
                    tally.joints += 1;
                    tally.number_joints += 1;
                }
                '\'' | '_' => tally.joints += 1,
                _ if character.is_alphabetic() => {
                    tally.letters += 1;
                    tally.foreign += 1;
                }
                _ => {}
            }
        }
        tally
    }

    /// A phone number, a date, a social security number.
    const fn is_number(&self) -> bool {
        self.digits >= MIN_DIGITS && self.digits + self.number_joints == self.all
    }

    /// Names and other words.
    const fn is_words(&self) -> bool {
        self.letters >= MIN_WORDS
            && self.letters + self.spaces + self.joints == self.all
            && self.joints <= self.letters / 3
            && (self.vowels > 0 || self.foreign > 1)
            // Few random bytes form whole multi-byte characters.
            && (self.foreign == 0 || self.all >= 5)
    }

    const fn is_mostly_plain(&self) -> bool {
        (self.letters + self.digits + self.spaces) * 4 >= self.all * 3
    }
}

/// Whether every word is in lower case, in upper case or capitalised.
fn has_case_of_words(text: &str) -> bool {
    text.split(|character: char| !character.is_alphabetic())
        .all(|word| {
            let mut rest = word.chars();
            rest.next();
            let rest = rest.as_str();
            !rest.chars().any(char::is_uppercase) || !word.chars().any(char::is_lowercase)
        })
}

/// Whether `text` has the shape of an email address or of a handle with a host.
fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty()
            && host.len() >= 4
            && host.contains('.')
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    })
}

/// Whether `text` has the shape of a diagnosis code with a point, `F32.1`.
fn is_code(text: &[u8]) -> bool {
    let [letter, digit, third, b'.', rest @ ..] = text else {
        return false;
    };
    letter.is_ascii_uppercase()
        && digit.is_ascii_digit()
        && third.is_ascii_alphanumeric()
        && (1..=4).contains(&rest.len())
        && rest.iter().all(u8::is_ascii_alphanumeric)
}

/// Whether `text` has the shape of an identifier in groups, `1EG4-TE5-MK73`.
fn is_groups(text: &[u8]) -> bool {
    let is_kept = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() >= MIN_GROUPS
        && text.iter().all(|byte| is_kept(byte) || *byte == b'-')
        && text.iter().any(u8::is_ascii_digit)
        && text.contains(&b'-')
        && text.first() != Some(&b'-')
}

/// Whether `content`, which is printable, is encoded once more.
fn is_encoded(content: &[u8], nested: u32) -> bool {
    let quoted = content.len() >= 4
        && matches!(
            (content.first(), content.last()),
            (Some(b'"'), Some(b'"')) | (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
        )
        && content
            .iter()
            .any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    if quoted || percent::has_escape(content) || entity::has_entity(content) {
        return true;
    }
    let query = content.strip_prefix(b"?").unwrap_or(content);
    let (key, value) = url::split_once(query, b'=');
    if value.is_some_and(|value| value.len() > 2 && !value.starts_with(b"="))
        && form::is_plain_key(key)
    {
        return true;
    }
    let Some(nested) = nested.checked_sub(1) else {
        return false;
    };
    base64::decode_within(content, nested).is_some()
        || hex::decode_within(content, nested).is_some()
}
