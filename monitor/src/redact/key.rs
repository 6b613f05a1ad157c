//! The key of replacements, and the keyed draws that replacements are made of.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key of all replacements of one host.
#[derive(Clone)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// A key from 32 secret bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Draws that depend on the key and on `seed`, and on nothing else.
    pub(super) fn draws(&self, seed: &str, round: u8) -> Draws<'_> {
        Draws {
            key: self,
            seed: seed.to_owned(),
            round,
            block: [0; 32],
            at: 32,
            count: 0,
        }
    }

    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length")]
    fn block(&self, seed: &str, round: u8, count: u32) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC accepts a key of any length");
        mac.update(&[round]);
        mac.update(&count.to_be_bytes());
        mac.update(seed.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for RedactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedactionKey(hidden)")
    }
}

/// A row of draws.
pub(super) struct Draws<'a> {
    key: &'a RedactionKey,
    seed: String,
    round: u8,
    block: [u8; 32],
    at: usize,
    count: u32,
}

impl Draws<'_> {
    /// A number below `limit`, at most 256; 0 for a limit of 0. What 256 is no
    /// multiple of `limit` for makes some numbers a little likelier, which helps
    /// nobody.
    pub(super) fn below(&mut self, limit: u16) -> u8 {
        let byte = u16::from(self.byte());
        byte.checked_rem(limit).unwrap_or_default() as u8
    }

    /// One of `choices`.
    pub(super) fn one_of(&mut self, choices: &[u8]) -> u8 {
        let limit = choices.len().try_into().unwrap_or(256);
        let index = usize::from(self.below(limit));
        choices.get(index).copied().unwrap_or(b'x')
    }

    fn byte(&mut self) -> u8 {
        if self.at >= self.block.len() {
            self.block = self.key.block(&self.seed, self.round, self.count);
            self.count = self.count.wrapping_add(1);
            self.at = 0;
        }
        let byte = self.block.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }
}
