//! The key of all pseudonyms, and the keyed streams from which they are drawn.
//!
//! In: the kind of a value and the spelling that equal values share. Out: a
//! stream of numbers that depends only on them and the key. A pseudonym is
//! drawn from the stream, never computed from the value's own letters: without
//! the key not even a guess can be confirmed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key of all pseudonyms of one installation or capture. `Debug` hides it.
#[derive(Clone)]
pub struct RedactionKey(Hmac<Sha256>);

impl RedactionKey {
    /// A key from 32 secret bytes.
    #[expect(
        clippy::missing_panics_doc,
        reason = "HMAC accepts a key of any length"
    )]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&bytes).expect("HMAC accepts a key of any length"))
    }

    /// The stream of `value`, which is of the kind that `kind` names.
    pub(super) fn stream(&self, kind: &str, value: &[u8]) -> Stream {
        let mut mac = self.0.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        let bytes = mac.finalize().into_bytes();
        let number = |from: usize| {
            bytes
                .iter()
                .skip(from)
                .take(8)
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        Stream {
            state: number(0),
            step: number(8) | 1,
        }
    }
}

impl fmt::Debug for RedactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedactionKey(hidden)")
    }
}

/// Numbers that look random. The generator itself needs no secrecy: its whole
/// state would reveal only a keyed hash of the value.
#[derive(Clone)]
pub(super) struct Stream {
    state: u64,
    step: u64,
}

impl Stream {
    /// The next 64 bits.
    pub(super) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(self.step);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 if that is 0.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        let scaled = (self.next() >> 32) * u64::from(limit);
        u32::try_from(scaled >> 32).unwrap_or_default()
    }

    /// A number from `first` to `last`.
    pub(super) fn between(&mut self, first: u32, last: u32) -> u32 {
        first.saturating_add(self.below(last.saturating_sub(first).saturating_add(1)))
    }

    /// One of `items`.
    pub(super) fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let limit = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items.get(self.below(limit) as usize)
    }

    /// A digit that is no zero if `leading`.
    pub(super) fn digit(&mut self, leading: bool) -> u8 {
        let first = u32::from(leading);
        b'0'.saturating_add(u8::try_from(self.between(first, 9)).unwrap_or_default())
    }

    /// A digit other than `old`; one that may begin a number if it is `leading`.
    pub(super) fn other_digit(&mut self, old: u8, leading: bool) -> u8 {
        self.other(if leading { b"123456789" } else { b"0123456789" }, old)
    }

    /// A byte of `alphabet` other than `old`, in either case.
    pub(super) fn other(&mut self, alphabet: &[u8], old: u8) -> u8 {
        let old = old.to_ascii_lowercase();
        let own = alphabet.iter().position(|byte| *byte == old);
        let Some(own) = own.filter(|_| alphabet.len() > 1) else {
            return self.letter(alphabet);
        };
        // The place of the old byte is left out.
        let limit = u32::try_from(alphabet.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let at = self.below(limit) as usize;
        let at = if at >= own { at.saturating_add(1) } else { at };
        alphabet.get(at).copied().unwrap_or(b'x')
    }

    /// A byte of `alphabet`.
    pub(super) fn letter(&mut self, alphabet: &[u8]) -> u8 {
        self.one_of(alphabet).copied().unwrap_or(b'x')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_key_kind_and_value() {
        let key = RedactionKey::from_bytes([7; 32]);
        let first =
            |key: &RedactionKey, kind, value: &str| key.stream(kind, value.as_bytes()).next();
        let one = first(&key, "email", "jane@example.com");
        assert_eq!(one, first(&key, "email", "jane@example.com"));
        assert_ne!(one, first(&key, "phone", "jane@example.com"));
        assert_ne!(one, first(&key, "email", "jane@example.org"));
        let other = RedactionKey::from_bytes([8; 32]);
        assert_ne!(one, first(&other, "email", "jane@example.com"));
        assert_ne!(first(&key, "a", "bc"), first(&key, "ab", "c"));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut stream = RedactionKey::from_bytes([7; 32]).stream("", b"");
        let mut seen = [false; 6];
        for _ in 0..200 {
            let number = stream.between(3, 5);
            assert!((3..=5).contains(&number));
            seen[number as usize] = true;
            assert!(stream.digit(true) != b'0');
        }
        assert!(seen[3] && seen[4] && seen[5]);
        assert_eq!(stream.below(0), 0);
    }

    #[test]
    fn debug_hides_the_key() {
        let shown = format!("{:?}", RedactionKey::from_bytes([9; 32]));
        assert_eq!(shown, "RedactionKey(hidden)");
    }
}
