//! Values to tokens: the same person is recognisable, no value is stored.
//!
//! Input: the class and the normalised form of a value. Output: a keyed hash in
//! lower-case hexadecimal digits. Unlike with a plain hash of a phone number,
//! not even a guess can be confirmed without the key.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::name::Read;

/// Length of a token in bytes; it is written as twice as many digits.
pub const TOKEN_BYTES: usize = 16;

/// A token: the first bytes of a keyed hash, written in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u128);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Read for Token {
    fn read(text: &str) -> Option<Self> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_token = text.len() == 2 * TOKEN_BYTES && text.bytes().all(is_digit);
        is_token
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The key of all tokens of one installation.
#[derive(Clone)]
pub struct TokenKey {
    /// HMAC after the key: that is half of the work for a short value.
    keyed: Hmac<Sha256>,
}

impl TokenKey {
    /// A key from 32 secret bytes.
    #[expect(
        clippy::missing_panics_doc,
        reason = "HMAC accepts a key of any length"
    )]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(&bytes).expect("HMAC accepts a key of any length"),
        }
    }

    /// Another key, for `purpose`, which does not reveal this one.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(b"key\0");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The token of `normalized`, a value of the class that `class` names.
    pub fn token(&self, class: &str, normalized: &str) -> Token {
        Token(self.number_of(class, normalized.as_bytes()))
    }

    /// The token of `bytes`, a value of the class that `class` names, as a
    /// number.
    pub(crate) fn number_of(&self, class: &str, bytes: &[u8]) -> u128 {
        let mut mac = self.keyed.clone();
        mac.update(class.as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        first_bytes(&mac.finalize().into_bytes())
    }
}

/// A hash without a key, of tokens, which are no payload.
pub(crate) fn keyless(kind: &str, text: &str) -> u128 {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    first_bytes(&hash.finalize())
}

/// The number in the first [`TOKEN_BYTES`] of a hash.
fn first_bytes(hash: &[u8]) -> u128 {
    hash.iter()
        .take(TOKEN_BYTES)
        .fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_depend_on_key_class_and_value() {
        let key = TokenKey::from_bytes([7; 32]);
        let token = key.token("email", "jane@example.com");
        assert_eq!(token.to_string().len(), 2 * TOKEN_BYTES);
        assert_eq!(Token::read(&token.to_string()), Some(token));
        assert_eq!(token, key.token("email", "jane@example.com"));
        assert_ne!(token, key.token("phone", "jane@example.com"));
        assert_ne!(token, key.token("email", "jane@example.org"));
        assert_ne!(
            token,
            TokenKey::from_bytes([8; 32]).token("email", "jane@example.com")
        );
        // The separator keeps class and value apart.
        assert_ne!(key.token("a", "bc"), key.token("ab", "c"));
    }

    #[test]
    fn the_token_is_the_documented_function() {
        // HMAC-SHA256 with key 00…00 over `email`, 0, `a`, first 16 bytes.
        let mut mac = Hmac::<Sha256>::new_from_slice(&[0; 32]).unwrap();
        mac.update(b"email\0a");
        let expected = base16ct::lower::encode_string(&mac.finalize().into_bytes()[..16]);
        let token = TokenKey::from_bytes([0; 32]).token("email", "a");
        assert_eq!(token.to_string(), expected);
    }

    #[test]
    fn debug_hides_the_key() {
        assert_eq!(
            format!("{:?}", TokenKey::from_bytes([9; 32])),
            "TokenKey(hidden)"
        );
    }
}
