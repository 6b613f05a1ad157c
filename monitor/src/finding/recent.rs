//! A bounded map of keyed hashes that forgets what has not been used for
//! longest.

use hashbrown::HashMap;

/// Two generations: a used entry moves to the young one. When that reaches half
/// the bound, it becomes the old one, and the old one is forgotten. Evictions
/// depend only on the order of calls, so live and replay agree.
pub(super) struct Recent<V> {
    /// By half of the keyed hash, which is enough to distinguish a million
    /// entries.
    young: HashMap<u64, V>,
    old: HashMap<u64, V>,
    half: usize,
}

/// A keyed hash in a table. Two parts have a smaller alignment than one number,
/// so that entries are smaller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedHash([u64; 2]);

impl From<u128> for PackedHash {
    fn from(number: u128) -> Self {
        Self([low(number >> 64), low(number)])
    }
}

impl From<PackedHash> for u128 {
    fn from(PackedHash([high, low]): PackedHash) -> Self {
        Self::from(high) << 64 | Self::from(low)
    }
}

/// The lower half of a keyed hash.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
pub(super) const fn low(number: u128) -> u64 {
    number as u64
}

impl<V: Copy> Recent<V> {
    /// An empty map that holds at most `bound` entries.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (bound / 2).max(1),
        }
    }

    /// The value of `key`, which counts as used.
    pub(super) fn get(&mut self, key: u128) -> Option<V> {
        let key = low(key);
        if let Some(value) = self.young.get(&key) {
            return Some(*value);
        }
        let value = self.old.remove(&key)?;
        self.young.insert(key, value);
        Some(value)
    }

    /// The value of `key`, if it was set or used since the last forgetting.
    pub(super) fn fresh(&self, key: u128) -> Option<V> {
        self.young.get(&low(key)).copied()
    }

    /// All values, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = V> + '_ {
        self.young.values().chain(self.old.values()).copied()
    }

    /// Sets the value of `key`, and returns how many entries were forgotten.
    pub(super) fn set(&mut self, key: u128, value: V) -> u64 {
        let key = low(key);
        self.old.remove(&key);
        self.young.insert(key, value);
        if self.young.len() < self.half {
            return 0;
        }
        let forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        forgotten.len().try_into().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten_and_counted() {
        let mut recent = Recent::new(8);
        let mut forgotten = 0;
        for key in 0..100_u128 {
            forgotten += recent.set(key, key);
            assert_eq!(recent.get(0), Some(0), "after {key}");
            assert!(recent.young.len() + recent.old.len() <= 8);
        }
        assert_eq!(recent.get(50), None);
        assert_eq!(recent.get(99), Some(99));
        let held = recent.young.len() + recent.old.len();
        assert_eq!(forgotten + held as u64, 100);
    }
}
