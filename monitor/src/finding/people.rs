//! Identifiers to people: which identifiers belong together, and how many
//! people's data each recipient has received.
//!
//! Holds keyed hashes only. The person of a finding depends only on earlier
//! events, so live and replay agree.

use hashbrown::{HashMap, HashSet};

use super::recent::{PackedHash, Recent, low};
use crate::loss::{Loss, Losses};

/// How many identifiers are remembered; the least recently seen are forgotten.
/// Half of them fill a table of a power of two to its most efficient load.
const MAX_TOKENS: usize = 229_376;
/// Entries of all counts together. Beyond that counts are lower bounds.
const MAX_COUNTED: usize = 1_000_000;
/// How often one pseudonym may show that two people are one. A pseudonym that
/// does so more often is shared: `anonymous`, a kiosk, a test account.
const MAX_MERGES: u8 = 3;
/// How many renamings of a person are followed.
const MAX_CHAIN: usize = 64;

/// An identifier of one person.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    /// Its token.
    pub(super) number: u128,
    /// How easily many people share it: 0 if it belongs to one person.
    pub(super) rank: u8,
}

/// The person of an identifier.
#[derive(Clone, Copy)]
struct Node {
    person: Person,
    merges: u8,
}

/// A person: the identifier by which they first became known, and when.
#[derive(Clone, Copy, PartialEq)]
struct Person {
    name: PackedHash,
    born: u64,
}

/// The people whose data one recipient has received.
#[derive(Default)]
struct PeopleCounter {
    merged: HashSet<u64>,
    unmerged: HashSet<u64>,
}

/// How many people's data one recipient has received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleCount {
    /// People whose identifiers were seen together count once.
    pub at_least: u64,
    /// Every strongest identifier of an event counts as a person.
    pub at_most: u64,
}

/// The memory of people.
pub(super) struct People {
    tokens: Recent<Node>,
    /// With the earlier name.
    renamed: Recent<(PackedHash, Person)>,
    births: u64,
    counters: HashMap<String, PeopleCounter>,
    counted: usize,
    max_counted: usize,
}

impl Default for People {
    fn default() -> Self {
        Self::new(MAX_TOKENS, MAX_COUNTED)
    }
}

impl People {
    fn new(max_tokens: usize, max_counted: usize) -> Self {
        Self {
            tokens: Recent::new(max_tokens),
            renamed: Recent::new(max_tokens),
            births: 0,
            counters: HashMap::new(),
            counted: 0,
            max_counted,
        }
    }

    /// The person to whom `tokens` (the strongest first) belong; from now on
    /// they belong together. `None` without tokens.
    pub(super) fn meet(&mut self, tokens: &[Ranked], losses: &mut Losses) -> Option<u128> {
        let first = tokens.first()?;
        let mut person: Option<Person> = None;
        let mut known = Vec::with_capacity(tokens.len());
        for token in tokens {
            let node = self.tokens.get(token.number);
            let own = node.map(|node| self.present(node.person));
            let is_shared = node.is_some_and(|node| node.merges >= MAX_MERGES);
            if let (Some(own), false) = (own, is_shared) {
                person = Some(match person {
                    Some(other) if other.born <= own.born => other,
                    _ => own,
                });
            }
            known.push((token, node, own, is_shared));
        }
        let person = person.unwrap_or_else(|| {
            self.births += 1;
            Person {
                name: first.number.into(),
                born: self.births,
            }
        });
        let first_own = known.first().and_then(|(_, _, own, _)| *own);
        for (token, node, own, is_shared) in known {
            if is_shared {
                continue;
            }
            let mut merges = node.map_or(0, |node| node.merges);
            if let Some(own) = own.filter(|own| *own != person) {
                self.rename(own, person, losses);
            }
            if token.rank > first.rank && own.is_some() && own != first_own {
                merges = merges.saturating_add(1);
            }
            let forgotten = self.tokens.set(token.number, Node { person, merges });
            losses.add(Loss::PeopleMemory, forgotten);
        }
        Some(person.name.into())
    }

    /// Counts `person`, whose strongest identifier is `strongest`, for a
    /// recipient.
    pub(super) fn count(
        &mut self,
        recipient: &str,
        person: u128,
        strongest: u128,
        losses: &mut Losses,
    ) {
        if !self.counters.contains_key(recipient) {
            self.counters
                .insert(recipient.to_owned(), PeopleCounter::default());
        }
        let Some(counter) = self.counters.get_mut(recipient) else {
            return;
        };
        for (set, number) in [
            (&mut counter.merged, person),
            (&mut counter.unmerged, strongest),
        ] {
            let number = low(number);
            if self.counted < self.max_counted {
                self.counted += usize::from(set.insert(number));
            } else if !set.contains(&number) {
                losses.count(Loss::PeopleLimit);
            }
        }
    }

    /// How many people `recipient` has heard of.
    pub(super) fn known_to(&self, recipient: &str) -> PeopleCount {
        let length = |set: &HashSet<u64>| set.len().try_into().unwrap_or(u64::MAX);
        self.counters
            .get(recipient)
            .map(|counter| PeopleCount {
                at_least: length(&counter.merged),
                at_most: length(&counter.unmerged).max(length(&counter.merged)),
            })
            .unwrap_or_default()
    }

    /// How many people any recipient has heard of.
    pub(super) fn known_to_any(&self) -> PeopleCount {
        let length = |set: fn(&PeopleCounter) -> &HashSet<u64>| {
            let all: HashSet<u64> = self.counters.values().flat_map(set).copied().collect();
            all.len().try_into().unwrap_or(u64::MAX)
        };
        let at_least = length(|counter| &counter.merged);
        PeopleCount {
            at_least,
            at_most: length(|counter| &counter.unmerged).max(at_least),
        }
    }

    /// Names of people who turned out to be someone else, mapped to the names
    /// of those.
    pub(super) fn merged(&self) -> HashMap<u128, u128> {
        let renamed: HashMap<u128, u128> = self
            .renamed
            .values()
            .map(|(from, to)| (from.into(), to.name.into()))
            .collect();
        let last = |mut name: u128| {
            for _ in 0..MAX_CHAIN {
                match renamed.get(&name) {
                    Some(next) => name = *next,
                    None => break,
                }
            }
            name
        };
        renamed
            .iter()
            .map(|(from, to)| (*from, last(*to)))
            .collect()
    }

    /// Who someone is by now.
    fn present(&mut self, mut person: Person) -> Person {
        for _ in 0..MAX_CHAIN {
            match self.renamed.get(person.name.into()) {
                Some((_, next)) => person = next,
                None => break,
            }
        }
        person
    }

    fn rename(&mut self, from: Person, to: Person, losses: &mut Losses) {
        let forgotten = self.renamed.set(from.name.into(), (from.name, to));
        losses.add(Loss::PeopleMemory, forgotten);
        for counter in self.counters.values_mut() {
            if counter.merged.remove(&low(from.name.into()))
                && !counter.merged.insert(low(to.name.into()))
            {
                self.counted = self.counted.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers are identifiers; those from 1000 on are pseudonyms.
    fn meet(people: &mut People, losses: &mut Losses, numbers: &[u128]) -> Option<u128> {
        let tokens: Vec<_> = numbers
            .iter()
            .map(|number| Ranked {
                number: *number,
                rank: u8::from(*number >= 1_000),
            })
            .collect();
        let person = people.meet(&tokens, losses)?;
        people.count("meta", person, *numbers.first()?, losses);
        Some(person)
    }

    /// The person of each event, then `at_least` and `at_most`.
    fn check(events: &[&[u128]], expected: &[u128], count: (u64, u64)) {
        let (mut people, mut losses) = (People::default(), Losses::default());
        let found: Vec<_> = events
            .iter()
            .filter_map(|event| meet(&mut people, &mut losses, event))
            .collect();
        assert_eq!(found, expected, "{events:?}");
        let counted = people.known_to("meta");
        assert_eq!((counted.at_least, counted.at_most), count, "{events:?}");
        assert_eq!(losses.total(), 0);
    }

    #[test]
    fn identifiers_seen_together_are_one_person() {
        check(&[&[1], &[2]], &[1, 2], (2, 2));
        check(&[&[1, 2], &[2], &[1]], &[1, 1, 1], (1, 2));
        // Two people turn out to be one, who keeps the older name.
        check(&[&[1], &[2], &[2, 1], &[2]], &[1, 2, 1, 1], (1, 2));
        check(
            &[&[1], &[2], &[3], &[3, 2], &[3, 1], &[3]],
            &[1, 2, 3, 2, 1, 1],
            (1, 3),
        );
        check(&[&[1, 1_000], &[2, 1_000]], &[1, 1], (1, 2));
        check(&[&[], &[]], &[], (0, 0));
    }

    #[test]
    fn a_pseudonym_that_everyone_has_stops_merging() {
        let (mut people, mut losses) = (People::default(), Losses::default());
        for number in 0..100 {
            meet(&mut people, &mut losses, &[number, 1_000]);
        }
        let counted = people.known_to("meta");
        assert_eq!((counted.at_least, counted.at_most), (97, 100));
    }

    #[test]
    fn memory_and_counts_are_bounded_and_losses_counted() {
        let (mut people, mut losses) = (People::new(100, 50), Losses::default());
        for number in 0..500 {
            meet(&mut people, &mut losses, &[number]);
        }
        assert_eq!(people.known_to("meta").at_least, 25);
        assert_eq!(losses.get(Loss::PeopleLimit), 950);
        assert_eq!(losses.get(Loss::PeopleMemory), 450);
        assert_eq!(people.known_to("tiktok"), PeopleCount::default());
    }
}
