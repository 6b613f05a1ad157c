//! Facts to a judgment of the whole event: a sum of fitted weights.
//!
//! Input: the facts of one event. Output: how much they speak for health information
//! of a person, and for each class of it. The weights are data
//! (`data/phi/weights.tsv`), made by `cargo xtask fit`; positive means yes.

use super::{Health, table};

/// Little-endian: per slot (their number is a power of two) the hash of a fact
/// (8 bytes, 0: empty) and where its entry begins (4 bytes).
static SLOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weights.slots"));

/// Per entry how many weights (1 byte), then each as its output (1 byte) and the weight
/// (2 bytes, little-endian).
static ENTRIES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weights.entries"));

/// What is added up, besides whether the event is about health at all, in the order of the
/// sums behind the first.
pub const CLASSES: [Health; 11] = [
    Health::Condition,
    Health::Medication,
    Health::Procedure,
    Health::Lab,
    Health::Assessment,
    Health::Appointment,
    Health::Treatment,
    Health::Insurance,
    Health::Provider,
    Health::Reproductive,
    Health::SubstanceUse,
];

/// How many sums there are.
const OUTPUTS: usize = CLASSES.len() + 1;

/// Facts of a short event. Those of a longer one count less each, so that a long event
/// is not about health for its length.
const SHORT: u32 = 20;

/// How much each of so many facts counts, in steps of 1/256.
pub fn share_of_a_fact(facts: usize) -> u16 {
    let facts = u32::try_from(facts).unwrap_or(u32::MAX).max(SHORT);
    // The root of SHORT / facts; below 257.
    ((u64::from(SHORT) << 16) / u64::from(facts)).isqrt() as u16
}

/// The sums of one event or one field, in steps of 1/256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums([i32; OUTPUTS]);

impl Sums {
    /// Adds what a fact says.
    pub(super) fn add(&mut self, fact: u64) {
        for (output, weight) in weights(fact) {
            if let Some(sum) = self.0.get_mut(output) {
                *sum = sum.saturating_add(weight);
            }
        }
    }

    /// Lets each fact count as much as it does among so many.
    pub(super) fn share(&mut self, facts: usize) {
        let share = i64::from(share_of_a_fact(facts));
        for sum in &mut self.0 {
            *sum = (i64::from(*sum) * share / 256) as i32;
        }
    }

    /// Whether the event tells something about someone's health.
    pub(super) const fn is_health(&self) -> bool {
        self.0[0] > 0
    }

    /// How much speaks for a class.
    pub(super) fn class(&self, health: Health) -> i32 {
        let place = CLASSES.iter().position(|own| *own == health);
        place
            .and_then(|place| self.0.get(place + 1))
            .copied()
            .unwrap_or(i32::MIN)
    }

    /// The classes that more speaks for than against.
    pub(super) fn classes(&self) -> impl Iterator<Item = Health> {
        let sums = self.0;
        let classes = CLASSES.iter().zip(sums.into_iter().skip(1));
        classes.filter_map(|(class, sum)| (sum > 0).then_some(*class))
    }

    /// The class that most speaks for.
    pub(super) fn likeliest(&self) -> Health {
        let sums = self.0;
        let classes = CLASSES.iter().zip(sums.into_iter().skip(1));
        classes
            .max_by_key(|(_, sum)| *sum)
            .map_or(Health::Condition, |(class, _)| *class)
    }

    /// How much speaks for health information at all.
    pub(super) const fn health(&self) -> i32 {
        self.0[0]
    }
}

fn weights(fact: u64) -> impl Iterator<Item = (usize, i32)> {
    let entry = look(fact)
        .and_then(|at| ENTRIES.get(at..))
        .unwrap_or_default();
    let (count, rest) = entry
        .split_first()
        .map_or((0, entry), |(count, rest)| (*count, rest));
    rest.chunks_exact(3).take(usize::from(count)).map(|weight| {
        let [output, low, high] = [weight[0], weight[1], weight[2]];
        (
            usize::from(output),
            i32::from(i16::from_le_bytes([low, high])),
        )
    })
}

fn look(fact: u64) -> Option<usize> {
    table::look(SLOTS, fact).map(|offset| u32::from_le_bytes(offset) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a slot.
    const SLOT: usize = 12;

    #[test]
    fn every_slot_leads_to_a_whole_entry() {
        let slots = SLOTS.len() / SLOT;
        assert!(slots.is_power_of_two() && SLOTS.len() == slots * SLOT);
        let mut facts = 0;
        for slot in SLOTS.chunks_exact(SLOT) {
            let fact = u64::from_le_bytes(slot[..8].try_into().unwrap());
            if fact == 0 {
                continue;
            }
            facts += 1;
            let at = look(fact).expect("a fact of the table");
            let count = usize::from(ENTRIES[at]);
            assert!((1..=OUTPUTS).contains(&count));
            assert_eq!(weights(fact).count(), count);
            assert!(weights(fact).all(|(output, weight)| output < OUTPUTS && weight != 0));
        }
        assert!(facts > 10_000, "{facts} facts");
    }

    #[test]
    fn what_is_not_known_adds_nothing() {
        let mut sums = Sums::default();
        sums.add(3);
        assert_eq!(sums, Sums::default());
        assert!(!sums.is_health());
        assert_eq!(sums.classes().count(), 0);
    }
}
