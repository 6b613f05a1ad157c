//! The map by which the programs tell what hooks cost each process, and are told
//! what they cannot know of it.

use aya::maps::{Array, HashMap, MapData};
use phiwatch_ebpf::abi::{Usage, usage};

/// A value as the kernel lays it out.
type Bytes = [u8; size_of::<Usage>()];

/// Stands for all processes that have ended. No process has this id.
pub(super) const ENDED: u32 = 0;

/// The maps `USAGE` and `OTHER_USAGE`.
pub(super) struct UsageMap {
    processes: HashMap<MapData, u32, Bytes>,
    others: Array<MapData, Bytes>,
}

impl UsageMap {
    pub(super) fn new(
        processes: HashMap<MapData, u32, Bytes>,
        others: Array<MapData, Bytes>,
    ) -> Self {
        Self { processes, others }
    }

    /// Every process with what it cost and brought so far, and [`ENDED`].
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, Usage)> + '_ {
        let others = self.others.get(&0, 0).ok();
        let others = others.as_ref().and_then(decode).map(|own| (ENDED, own));
        let processes = self.processes.iter().filter_map(|entry| {
            let (pid, bytes) = entry.ok()?;
            Some((pid, decode(&bytes)?))
        });
        others.into_iter().chain(processes)
    }

    /// Sets one of [`phiwatch_ebpf::abi::usage`]'s bits of a process.
    pub(super) fn set_flag(&mut self, pid: u32, flag: u64, is_set: bool) {
        self.change(pid, |usage| {
            if is_set {
                usage.flags |= flag;
            } else {
                usage.flags &= !flag;
            }
        });
    }

    /// Says whether the budget leaves a process its probes, from `now` on, by the
    /// clock of the kernel's programs. If it had taken them, streams begin anew.
    pub(super) fn set_probed(&mut self, pid: u32, is_probed: bool, now: u64) {
        self.change(pid, |usage| {
            if !is_probed {
                usage.flags |= usage::UNPROBED;
            } else if usage.flags & usage::UNPROBED != 0 {
                usage.flags &= !usage::UNPROBED;
                usage.since = now;
            }
        });
    }

    /// Changes what the kernel is told of a process. Hits that come meanwhile may go
    /// uncounted; a full map leaves everything as it is.
    fn change(&mut self, pid: u32, change: impl FnOnce(&mut Usage)) {
        let before = self.processes.get(&pid, 0).ok();
        let mut usage = before.as_ref().and_then(decode).unwrap_or_default();
        let flags = usage.flags;
        change(&mut usage);
        if usage.flags != flags {
            drop(self.processes.insert(pid, encode(&usage), 0));
        }
    }

    /// Forgets processes that are no more: their end may not have been seen.
    pub(super) fn retain(&mut self, is_alive: impl Fn(u32) -> bool) {
        let gone: Vec<u32> = self
            .processes
            .keys()
            .filter_map(Result::ok)
            .filter(|pid| !is_alive(*pid))
            .collect();
        for pid in gone {
            // Its end may be seen at the same time.
            drop(self.processes.remove(&pid));
        }
    }
}

fn decode(bytes: &Bytes) -> Option<Usage> {
    let mut words = bytes
        .chunks_exact(8)
        .map(|word| word.try_into().map(u64::from_ne_bytes));
    let mut next = || words.next()?.ok();
    Some(Usage {
        emulated: next()?,
        single_stepped: next()?,
        wanted: next()?,
        served: next()?,
        flags: next()?,
        loaded: next()?,
        since: next()?,
    })
}

fn encode(usage: &Usage) -> Bytes {
    let Usage {
        emulated,
        single_stepped,
        wanted,
        served,
        flags,
        loaded,
        since,
    } = *usage;
    let mut bytes = [0; size_of::<Usage>()];
    let words = [
        emulated,
        single_stepped,
        wanted,
        served,
        flags,
        loaded,
        since,
    ];
    for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
        slot.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_laid_out_as_the_kernel_does() {
        let usage = Usage {
            emulated: 1,
            single_stepped: 2,
            wanted: 3,
            served: 4,
            flags: 5,
            loaded: 6,
            since: 7,
        };
        let bytes = encode(&usage);
        assert_eq!(bytes[8..16], 2_u64.to_ne_bytes());
        assert_eq!(bytes[32..40], 5_u64.to_ne_bytes());
        assert_eq!(encode(&decode(&bytes).expect("all of it")), bytes);
    }
}
