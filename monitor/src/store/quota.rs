//! Retention: which segments are deleted to make space for new data.
//!
//! In: the segments, the limits, and the demand. Out: which of the sealed
//! segments are deleted, the oldest first, and whether that is enough. Pure;
//! the store records each deletion in the manifest before it deletes.

use std::time::Duration;

use super::{
    disk::Space,
    entry::{Sealed, SegmentIndex},
};
use crate::event::Timestamp;

/// The free space that is required is at most one part in this many of the file
/// system, so that a small one can be used as well.
const MAX_FREE_PART: u64 = 10;

/// The limits of a capture folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLimits {
    /// All segments together take at most this many bytes.
    pub max_bytes: u64,
    /// A sealed segment is deleted when its last packet is this old.
    pub max_age: Option<Duration>,
    /// This many bytes of the file system stay free, but not more than a tenth
    /// of it. With 0, nothing is deleted because the disk is full.
    pub min_free_bytes: u64,
}

/// What needs space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Bytes of the segment that is being written.
    pub(super) current: u64,
    /// Bytes to be written.
    pub(super) bytes: u64,
    /// The space on the file system, if it is known and to be considered.
    pub(super) space: Option<Space>,
    /// The wall clock.
    pub(super) now: Timestamp,
}

/// What is to be done for a demand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Segments to be deleted, with the limit that asks for it.
    pub(super) victims: Vec<(String, &'static str)>,
    /// The limit that is not kept even then.
    pub(super) short: Option<&'static str>,
}

/// What keeps `limits` when `demand` is met.
pub(super) fn plan(index: &SegmentIndex, limits: &QuotaLimits, demand: &Demand) -> Plan {
    let mut plan = Plan::default();
    let mut rest = index.sealed().peekable();
    let mut kept = index.sealed_bytes();
    let mut freed = 0;
    let mut take = |sealed: &Sealed, reason, plan: &mut Plan| {
        kept = kept.saturating_sub(sealed.bytes);
        freed += sealed.bytes;
        plan.victims.push((sealed.segment.clone(), reason));
        (kept, freed)
    };
    let mut sums = (index.sealed_bytes(), 0);
    if let Some(max_age) = limits.max_age {
        let oldest = demand
            .now
            .0
            .saturating_sub(max_age.as_nanos().try_into().unwrap_or(u64::MAX));
        while let Some(sealed) = rest.next_if(|sealed| age_of(sealed).0 < oldest) {
            sums = take(sealed, "max_age_days", &mut plan);
        }
    }
    let wanted = demand.current.saturating_add(demand.bytes);
    while sums.0.saturating_add(wanted) > limits.max_bytes {
        let Some(sealed) = rest.next() else {
            plan.short = Some("max_bytes");
            break;
        };
        sums = take(sealed, "max_bytes", &mut plan);
    }
    if let Some(space) = demand.space.filter(|_| limits.min_free_bytes > 0) {
        let floor = limits.min_free_bytes.min(space.total / MAX_FREE_PART);
        let needed = floor.saturating_add(demand.bytes);
        if space.free.saturating_add(sums.1).saturating_add(sums.0) < needed {
            // Something else fills the disk: deleting evidence would not help.
            plan.short = plan.short.or(Some("min_free_bytes"));
        } else {
            while space.free.saturating_add(sums.1) < needed {
                let Some(sealed) = rest.next() else { break };
                sums = take(sealed, "min_free_bytes", &mut plan);
            }
        }
    }
    plan
}

/// When the segment ended.
fn age_of(sealed: &Sealed) -> Timestamp {
    sealed
        .last
        .as_deref()
        .and_then(Timestamp::parse)
        .or_else(|| Timestamp::parse(&sealed.time))
        // What has no time is never too old.
        .unwrap_or(Timestamp(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::entry::Entry;

    const DAY: u64 = 86_400_000_000_000;

    /// Segments of ten bytes that ended on day 0, 1, …
    fn index(count: u64) -> SegmentIndex {
        let mut index = SegmentIndex::default();
        for day in 0..count {
            let segment = format!("s{day}");
            let time = Timestamp(day * DAY).to_string();
            let begun = Entry::Begun {
                segment: segment.clone(),
                time: time.clone(),
            };
            let sealed = Sealed {
                segment,
                time: Timestamp(100 * DAY).to_string(),
                last: (day % 2 == 0).then(|| time.clone()),
                bytes: 10,
                ..Sealed::default()
            };
            // Without packets, the time of sealing counts.
            let sealed = Sealed {
                time: if day % 2 == 0 { sealed.time } else { time },
                ..sealed
            };
            index.apply(&begun).unwrap();
            index.apply(&Entry::Sealed(Box::new(sealed))).unwrap();
        }
        index
    }

    fn check(
        limits: (u64, Option<u64>, u64),
        demand: (u64, u64, Option<(u64, u64)>),
        victims: &[(&str, &'static str)],
        short: Option<&'static str>,
    ) {
        let limits = QuotaLimits {
            max_bytes: limits.0,
            max_age: limits.1.map(|days| Duration::from_nanos(days * DAY)),
            min_free_bytes: limits.2,
        };
        let demand = Demand {
            current: demand.0,
            bytes: demand.1,
            space: demand.2.map(|(free, total)| Space { free, total }),
            now: Timestamp(5 * DAY + 1),
        };
        let expected = Plan {
            victims: victims
                .iter()
                .map(|(name, reason)| ((*name).to_owned(), *reason))
                .collect(),
            short,
        };
        assert_eq!(
            plan(&index(4), &limits, &demand),
            expected,
            "{limits:?} {demand:?}"
        );
    }

    #[test]
    fn the_oldest_go_first_and_not_more_than_needed() {
        check((50, None, 0), (5, 5, None), &[], None);
        check((50, None, 0), (5, 6, None), &[("s0", "max_bytes")], None);
        check(
            (25, None, 0),
            (5, 5, None),
            &[
                ("s0", "max_bytes"),
                ("s1", "max_bytes"),
                ("s2", "max_bytes"),
            ],
            None,
        );
    }

    #[test]
    fn what_is_too_large_is_short() {
        let all = ["s0", "s1", "s2", "s3"].map(|name| (name, "max_bytes"));
        check((9, None, 0), (5, 5, None), &all, Some("max_bytes"));
    }

    #[test]
    fn old_segments_go_whatever_room_there_is() {
        let old = [("s0", "max_age_days"), ("s1", "max_age_days")];
        check((1_000, Some(4), 0), (0, 0, None), &old, None);
        check((1_000, Some(6), 0), (0, 0, None), &[], None);
        let more = [old[0], old[1], ("s2", "max_bytes")];
        check((19, Some(4), 0), (0, 0, None), &more, None);
    }

    #[test]
    fn free_space_is_kept_but_not_at_any_price() {
        let one = [("s0", "min_free_bytes")];
        check((1_000, None, 100), (0, 5, Some((105, 10_000))), &[], None);
        check((1_000, None, 100), (0, 5, Some((95, 10_000))), &one, None);
        check((1_000, None, 0), (0, 5, Some((0, 10_000))), &[], None);
        // A tenth of a small file system is enough.
        check((1_000, None, 100), (0, 5, Some((15, 100))), &[], None);
        // Deleting all of it would not be enough.
        check(
            (1_000, None, 100),
            (0, 5, Some((64, 10_000))),
            &[],
            Some("min_free_bytes"),
        );
    }
}
