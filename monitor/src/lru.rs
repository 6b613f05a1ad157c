//! Which entries of a table were used least recently.

/// No slot: the end of the list, or of the free ones.
const NONE: u32 = u32::MAX;

/// A slot of the list. A free one has the next free one in `after`.
struct Slot<K> {
    key: K,
    before: u32,
    after: u32,
}

/// Keys in the order of their last use. The list is linked by indices, because
/// every packet moves its stream to the end. The order depends only on the
/// calls, so the same events evict the same streams.
pub(crate) struct LruList<K> {
    slots: Vec<Slot<K>>,
    oldest: u32,
    newest: u32,
    free: u32,
}

impl<K> Default for LruList<K> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            oldest: NONE,
            newest: NONE,
            free: NONE,
        }
    }
}

impl<K: Copy> LruList<K> {
    /// Marks `key` as used now. `stamp` is what the table keeps with the key; 0
    /// means a new one.
    pub(crate) fn touch(&mut self, key: K, stamp: &mut u32) {
        let slot = match stamp.checked_sub(1) {
            Some(slot) if slot == self.newest => return,
            Some(slot) => {
                self.unlink(slot);
                slot
            }
            None => self.take(key),
        };
        self.append(slot);
        *stamp = slot.saturating_add(1);
    }

    /// Forgets the key with this stamp.
    pub(crate) fn forget(&mut self, stamp: u32) {
        let Some(slot) = stamp.checked_sub(1) else {
            return;
        };
        self.unlink(slot);
        let free = self.free;
        if let Some(own) = self.slot(slot) {
            own.after = free;
            self.free = slot;
        }
    }

    /// The key whose last use is longest ago.
    pub(crate) fn oldest(&self) -> Option<K> {
        self.slots.get(self.oldest as usize).map(|slot| slot.key)
    }

    fn slot(&mut self, slot: u32) -> Option<&mut Slot<K>> {
        self.slots.get_mut(slot as usize)
    }

    /// A slot for `key` that is in no list.
    fn take(&mut self, key: K) -> u32 {
        let slot = self.free;
        if let Some(own) = self.slot(slot) {
            own.key = key;
            self.free = own.after;
            return slot;
        }
        let slot = u32::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot {
            key,
            before: NONE,
            after: NONE,
        });
        slot
    }

    fn append(&mut self, slot: u32) {
        let newest = self.newest;
        if let Some(own) = self.slot(slot) {
            (own.before, own.after) = (newest, NONE);
        }
        match self.slot(newest) {
            Some(last) => last.after = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Some(Slot { before, after, .. }) = self.slot(slot) else {
            return;
        };
        let (before, after) = (*before, *after);
        match self.slot(before) {
            Some(previous) => previous.after = after,
            None => self.oldest = after,
        }
        match self.slot(after) {
            Some(next) => next.before = before,
            None => self.newest = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_oldest_is_what_was_touched_longest_ago() {
        let (mut lru, mut stamps) = (LruList::default(), BTreeMap::new());
        // The same order, computed by counting.
        let mut touched: BTreeMap<u64, u32> = BTreeMap::new();
        let mut state = 1_u64;
        for now in 0..20_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let handle = (state >> 33) % 37;
            if (state >> 20).is_multiple_of(4) {
                if let Some(stamp) = stamps.remove(&handle) {
                    lru.forget(stamp);
                    touched.remove(&handle);
                }
            } else {
                lru.touch(handle, stamps.entry(handle).or_default());
                touched.insert(handle, now);
            }
            let oldest = touched.iter().min_by_key(|(_, when)| **when);
            assert_eq!(lru.oldest(), oldest.map(|(handle, _)| *handle));
        }
        assert!(lru.slots.len() <= 37);
    }
}
