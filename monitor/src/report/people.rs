//! How many people a disclosure is about.
//!
//! In: the counts of the core, and the people in the findings of the report.
//! Out: bounds. Under conditions only the people of the matching findings
//! count.

use super::{
    facts::Facts,
    tally::{PeopleCounter, Received, Tally},
    text::grouped,
};
use crate::{finding::PeopleCount, loss::Loss};

/// A lower and an upper bound of a number of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    /// People whose identifiers were seen together count once.
    pub(super) at_least: u64,
    /// Every identifier counted as a person of its own.
    pub(super) at_most: u64,
    /// There was no room to count everyone: there may be more.
    pub(super) is_lower_bound: bool,
}

/// How a number of people compares with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Certainly there.
    Reached,
    /// Reached or not, depending on which identifiers belong to one person.
    Possible,
    /// Not there by what was seen.
    NotReached,
}

impl Bounds {
    /// Whether there are at least `threshold` people.
    pub(super) const fn reach(self, threshold: u64) -> Reach {
        if self.at_least >= threshold {
            Reach::Reached
        } else if self.at_most >= threshold || self.is_lower_bound {
            Reach::Possible
        } else {
            Reach::NotReached
        }
    }

    /// `3`, `2 to 3`, `2 to 3 or more`.
    pub(super) fn words(self) -> String {
        let mut words = if self.at_least == self.at_most {
            grouped(self.at_least)
        } else {
            format!("{} to {}", grouped(self.at_least), grouped(self.at_most))
        };
        if self.is_lower_bound {
            words.push_str(" or more");
        }
        words
    }
}

/// The people that one recipient heard of.
pub(super) fn of(tracker: &str, received: &Received, facts: &Facts) -> Bounds {
    bounds(
        facts.people.get(tracker).copied(),
        &received.disclosed,
        facts,
    )
}

/// The people that any recipient heard of.
pub(super) fn in_total(tally: &Tally, facts: &Facts) -> Bounds {
    bounds(Some(facts.people_in_total), &tally.disclosed, facts)
}

/// The people that findings name: of one state, or those with health
/// information. The core does not count these.
pub(super) fn counted(disclosed: &PeopleCounter, facts: &Facts) -> Bounds {
    let at_least = disclosed.least(&facts.merged);
    Bounds {
        at_least,
        at_most: disclosed.most().max(at_least),
        is_lower_bound: disclosed.is_full,
    }
}

fn bounds(known: Option<PeopleCount>, disclosed: &PeopleCounter, facts: &Facts) -> Bounds {
    let is_all = facts.filter.is_none() && facts.ended.is_none();
    match known {
        Some(PeopleCount { at_least, at_most }) if is_all && at_most > 0 => Bounds {
            at_least,
            at_most,
            is_lower_bound: facts.losses.get(Loss::PeopleLimit) > 0,
        },
        _ => counted(disclosed, facts),
    }
}
