//! Times without observation.
//!
//! In: when each input had packets. Out: the times in which none had any.
//! Within an input nothing may have been sent; between inputs nobody knows.

use super::{
    clock::SECOND,
    facts::{InputFacts, Span},
};
use crate::event::Timestamp;

/// Shorter silences are not reported, in nanoseconds.
pub const LONG_SILENCE: u64 = 60 * SECOND;

/// How many silences between inputs are listed, the longest first.
const MAX_UNRECORDED: usize = 40;
/// How many silences within inputs are listed; they are less significant.
const MAX_RECORDED: usize = 10;

/// A time without a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Silence {
    /// From the last packet before to the first packet after.
    pub(super) span: Span,
    /// An input spans it: it was recorded, and nothing came.
    pub(super) is_recorded: bool,
}

/// The times without a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Silences {
    /// The longest, in order of time.
    pub(super) list: Vec<Silence>,
    /// How many more there are.
    pub(super) more: u64,
    /// Nanoseconds that no input covers, of all of them.
    pub(super) unrecorded: u64,
}

/// The silences of these inputs.
pub(super) fn silences(inputs: &[InputFacts]) -> Silences {
    let mut active: Vec<Span> = inputs
        .iter()
        .flat_map(|input| {
            let whole = input.span.filter(|_| input.active.is_empty());
            input.active.iter().copied().chain(whole)
        })
        .collect();
    active.sort_unstable();
    let mut list = Vec::new();
    let mut end: Option<Timestamp> = None;
    for span in active {
        if let Some(end) = end.filter(|end| span.first.since(*end) > LONG_SILENCE) {
            let silence = Span {
                first: end,
                last: span.first,
            };
            list.push(Silence {
                span: silence,
                is_recorded: inputs
                    .iter()
                    .filter_map(|input| input.span)
                    .any(|whole| whole.first <= silence.first && whole.last >= silence.last),
            });
        }
        end = end.max(Some(span.last));
    }
    let unrecorded = list
        .iter()
        .filter(|silence| !silence.is_recorded)
        .fold(0_u64, |sum, silence| sum.saturating_add(length(silence)));
    list.sort_by_key(|silence| u64::MAX - length(silence));
    let all = list.len();
    let (mut unrecorded_left, mut recorded_left) = (MAX_UNRECORDED, MAX_RECORDED);
    list.retain(|silence| {
        let left = if silence.is_recorded {
            &mut recorded_left
        } else {
            &mut unrecorded_left
        };
        let is_kept = *left > 0;
        *left = left.saturating_sub(1);
        is_kept
    });
    let more = all.saturating_sub(list.len()) as u64;
    list.sort_by_key(|silence| silence.span);
    Silences {
        list,
        more,
        unrecorded,
    }
}

fn length(silence: &Silence) -> u64 {
    silence.span.last.since(silence.span.first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u64, last: u64) -> Span {
        Span {
            first: Timestamp(first * SECOND),
            last: Timestamp(last * SECOND),
        }
    }

    /// Inputs as spans of activity in seconds; silences as from, to, recorded.
    fn check(inputs: &[&[(u64, u64)]], expected: &[(u64, u64, bool)]) {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|active| {
                let active: Vec<_> = active.iter().map(|(a, b)| span(*a, *b)).collect();
                InputFacts {
                    span: active.first().zip(active.last()).map(|(first, last)| Span {
                        first: first.first,
                        last: last.last,
                    }),
                    active,
                    ..InputFacts::default()
                }
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(first, last, is_recorded)| Silence {
                span: span(*first, *last),
                is_recorded: *is_recorded,
            })
            .collect();
        assert_eq!(silences(&inputs).list, expected);
        let swapped: Vec<_> = inputs.into_iter().rev().collect();
        assert_eq!(silences(&swapped).list, expected);
    }

    #[test]
    fn silences_are_what_no_input_covers() {
        check(&[], &[]);
        check(&[&[(0, 10)]], &[]);
        check(&[&[(0, 10)], &[(60, 70)]], &[]);
        check(&[&[(0, 10)], &[(100, 110)]], &[(10, 100, false)]);
        check(&[&[(0, 10), (100, 110)]], &[(10, 100, true)]);
        check(&[&[(0, 10), (100, 110)], &[(20, 90)]], &[]);
        check(
            &[&[(0, 10), (1_000, 1_010)], &[(400, 410)], &[(5_000, 5_001)]],
            &[(10, 400, true), (410, 1_000, true), (1_010, 5_000, false)],
        );
    }
}
