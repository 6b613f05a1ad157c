//! Findings over time.
//!
//! In: time and severity of each finding, in any order. Out: counts in steps of
//! equal length. There are at most [`MAX_STEPS`] steps, which become longer for
//! a longer time. The result does not depend on the order.

use std::collections::BTreeMap;

use super::clock::SECOND;
use crate::{event::Timestamp, finding::Severity};

/// Steps that are kept.
const MAX_STEPS: usize = 4_096;

/// How long a step may be, in seconds. Each is a multiple of the one before.
const LENGTHS: &[u64] = &[
    1,
    5,
    15,
    60,
    300,
    900,
    3_600,
    3 * 3_600,
    6 * 3_600,
    12 * 3_600,
    86_400,
    7 * 86_400,
    28 * 86_400,
    364 * 86_400,
    3_640 * 86_400,
];

/// Findings by severity, mildest first.
pub(super) type Counts = [u64; Severity::ALL.len()];

/// Counts of findings by time.
#[derive(Default)]
pub(super) struct Timeline {
    /// Index of the length of a step.
    length: usize,
    steps: BTreeMap<u64, Counts>,
}

/// One step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Its first moment.
    pub(super) start: Timestamp,
    pub(super) counts: Counts,
}

impl Timeline {
    /// Takes a finding.
    pub(super) fn add(&mut self, time: Timestamp, severity: Severity) {
        let step = time.0 / SECOND / seconds(self.length);
        let counts = self.steps.entry(step).or_default();
        if let Some(count) = counts.get_mut(severity as usize) {
            *count += 1;
        }
        while self.steps.len() > MAX_STEPS && self.length + 1 < LENGTHS.len() {
            self.length += 1;
            self.steps = merged(&self.steps, seconds(self.length - 1), seconds(self.length));
        }
    }

    /// All steps from the first to the last with findings, at most `max` if the
    /// lengths allow it; and the length of a step in nanoseconds.
    pub(super) fn steps(&self, max: usize) -> (u64, Vec<Step>) {
        let (Some((first, _)), Some((last, _))) =
            (self.steps.first_key_value(), self.steps.last_key_value())
        else {
            return (SECOND, Vec::new());
        };
        let own = seconds(self.length);
        let (first, last) = (first * own, last * own);
        let length = LENGTHS
            .iter()
            .copied()
            .filter(|length| *length >= own)
            .find(|length| last / length - first / length < max as u64)
            .unwrap_or_else(|| seconds(LENGTHS.len()));
        let counted = merged(&self.steps, own, length);
        let steps = (first / length..=last / length)
            .take(MAX_STEPS)
            .map(|step| Step {
                start: Timestamp((step * length).saturating_mul(SECOND)),
                counts: counted.get(&step).copied().unwrap_or_default(),
            })
            .collect();
        (length.saturating_mul(SECOND), steps)
    }
}

/// The length with this index, or the longest.
fn seconds(index: usize) -> u64 {
    LENGTHS.get(index).or(LENGTHS.last()).copied().unwrap_or(1)
}

fn merged(steps: &BTreeMap<u64, Counts>, from: u64, to: u64) -> BTreeMap<u64, Counts> {
    let mut merged: BTreeMap<u64, Counts> = BTreeMap::new();
    for (step, counts) in steps {
        let sum = merged.entry(step * from / to).or_default();
        for (sum, count) in sum.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of steps and their length in seconds for findings at these
    /// seconds.
    fn check(times: &[u64], max: usize, count: usize, length: u64) {
        let mut forwards = Timeline::default();
        let mut backwards = Timeline::default();
        for time in times {
            forwards.add(Timestamp(time * SECOND), Severity::High);
        }
        for time in times.iter().rev() {
            backwards.add(Timestamp(time * SECOND), Severity::High);
        }
        let (found, steps) = forwards.steps(max);
        assert_eq!(backwards.steps(max), (found, steps.clone()));
        assert_eq!((steps.len(), found), (count, length * SECOND), "{times:?}");
        let sum: u64 = steps.iter().flat_map(|step| step.counts).sum();
        assert_eq!(sum, times.len() as u64);
    }

    #[test]
    fn steps_are_as_short_as_their_number_allows() {
        check(&[], 10, 0, 1);
        check(&[7], 10, 1, 1);
        check(&[0, 9], 10, 10, 1);
        check(&[0, 10], 10, 3, 5);
        check(&[0, 600], 10, 3, 300);
        check(&[1_700_000_000, 1_700_086_400], 48, 25, 3_600);
        let all: Vec<u64> = (0..20_000).map(|number| number * 7).collect();
        check(&all, 96, 39, 3_600);
        check(&[0, u64::MAX / SECOND], 100, 59, 3_640 * 86_400);
    }
}
