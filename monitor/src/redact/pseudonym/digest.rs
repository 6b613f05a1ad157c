//! Hashes: replaced by as many other bytes in the same spelling.

use ::base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

use super::super::{
    key::RedactionKey,
    scramble::{Letters, scramble},
};
use crate::field::base64;

/// Marks between the name of a function and the hash.
const MARKS: &[char] = &[':', '-', '$'];

/// The longest name of a function, in bytes.
const MAX_NAME: usize = 8;

/// The pseudonym of a hash: the same for its spellings in hexadecimal and
/// base64.
pub(super) fn of(key: &RedactionKey, value: &str) -> String {
    let prefix = value
        .find(MARKS)
        .filter(|at| *at <= MAX_NAME && value.starts_with(['s', 'S', 'm', 'M']))
        .map_or(0, |at| at.saturating_add(1));
    let (name, hash) = value.split_at(prefix);
    let bytes = if hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut stream = key.stream("digest", hash.to_ascii_lowercase().as_bytes());
        let made = base16ct::lower::encode_string(&drawn(&mut stream, hash.len() / 2));
        let is_upper = hash.bytes().any(|byte| byte.is_ascii_uppercase());
        let made = if is_upper {
            made.to_ascii_uppercase()
        } else {
            made
        };
        // An odd digit more was no hash.
        return [
            name,
            &made,
            if hash.len().is_multiple_of(2) {
                ""
            } else {
                "0"
            },
        ]
        .concat();
    } else {
        base64::bytes(hash.as_bytes())
    };
    let Some(bytes) = bytes else {
        let mut stream = key.stream("digest", value.as_bytes());
        return scramble(value, Letters::of(value), &mut stream);
    };
    let mut stream = key.stream("digest", base16ct::lower::encode_string(&bytes).as_bytes());
    let made = drawn(&mut stream, bytes.len());
    let text = if hash.contains(['-', '_']) {
        BASE64_URL_SAFE_NO_PAD.encode(made)
    } else {
        BASE64_STANDARD_NO_PAD.encode(made)
    };
    let padding = hash.len().saturating_sub(text.len());
    [name, &text, &"=".repeat(padding)].concat()
}

fn drawn(stream: &mut super::super::key::Stream, length: usize) -> Vec<u8> {
    (0..length)
        .map(|_| stream.next().to_be_bytes().first().copied().unwrap_or(0))
        .collect()
}
