//! A bounded map of keyed hashes that forgets what was not asked for longest.

use hashbrown::HashMap;

/// Two generations: what is asked for moves to the young one; when that is half
/// the bound, it becomes the old one and the old one is forgotten. Which
/// entries go depends on the order of calls alone, so live and replay agree.
pub(super) struct Recent<V> {
    young: HashMap<u128, V>,
    old: HashMap<u128, V>,
    half: usize,
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
        if let Some(value) = self.young.get(&key) {
            return Some(*value);
        }
        let value = self.old.remove(&key)?;
        self.young.insert(key, value);
        Some(value)
    }

    /// The value of `key`, if it was set or used since the last forgetting.
    pub(super) fn fresh(&self, key: u128) -> Option<V> {
        self.young.get(&key).copied()
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u128, V)> + '_ {
        self.young
            .iter()
            .chain(&self.old)
            .map(|(key, value)| (*key, *value))
    }

    /// Sets the value of `key`, and returns how many entries were forgotten.
    pub(super) fn set(&mut self, key: u128, value: V) -> u64 {
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
