//! Records into the rings: reserve a class of constant size, copy straight into
//! it, submit, and count what did not fit.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    maps::{RingBuf, ring_buf::RingBufEntry},
};
use phiwatch_ebpf::abi::{CHUNK, CHUNKS_PER_CALL, Header, counter, flag};

use crate::maps::{CONTROL_RING, COUNTERS, DATA_RING, SCOPE};

/// Adds to a counter.
#[inline(always)]
pub(crate) fn count(index: u32, amount: u64) {
    if let Some(slot) = COUNTERS.get_ptr_mut(index) {
        // The target has an atomic add but no compare-and-swap, so the methods
        // of `AtomicU64` do not exist on it.
        // SAFETY: the map's values are aligned and live as long as the program.
        unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(slot, amount) };
    }
}

/// A record with room for `N` bytes behind its header.
#[repr(C)]
pub(crate) struct Record<const N: usize> {
    /// The header.
    pub(crate) header: Header,
    /// The bytes, of which the header's `captured` count.
    pub(crate) bytes: [u8; N],
}

/// Wakes the consumer only when much is waiting: a wakeup per record costs more
/// than the probe and the copy together.
#[inline(always)]
fn wakeup(ring: &RingBuf) -> u64 {
    let threshold = SCOPE.get(0).map_or(0, |settings| u64::from(settings.wakeup));
    if ring.query(u64::from(BPF_RB_AVAIL_DATA)) >= threshold {
        u64::from(BPF_RB_FORCE_WAKEUP)
    } else {
        u64::from(BPF_RB_NO_WAKEUP)
    }
}

/// Reserves a control record, or counts that there was no room.
#[inline(always)]
pub(crate) fn reserve_control<const N: usize>() -> Option<RingBufEntry<Record<N>>> {
    let entry = CONTROL_RING.reserve::<Record<N>>(0);
    if entry.is_none() {
        count(counter::CONTROL_RING_FULL, 1);
    }
    entry
}

/// Submits a control record.
#[inline(always)]
pub(crate) fn submit_control<const N: usize>(entry: RingBufEntry<Record<N>>) {
    entry.submit(wakeup(&CONTROL_RING));
}

/// Where a chunk's bytes come from.
pub(crate) trait Copy {
    /// Copies `length` bytes (at most `N`, at least 1) from `offset` of the
    /// source to `to`. Returns whether it could.
    fn copy(&self, offset: u64, to: *mut u8, length: u64) -> bool;
}

/// What is the same for all chunks of one call. `base` is a header without
/// `offset`, `captured` and `length`, written by the closure of the caller.
pub(crate) trait Describe {
    /// Fills every field of `header` but `offset`, `captured`, `length`.
    fn describe(&self, header: &mut Header);
}

/// Hands over `length` bytes that begin at `offset` of the stream, of which the
/// first `wanted` are copied.
#[inline(always)]
pub(crate) fn data<S: Copy + Describe>(source: &S, offset: u64, length: u64, wanted: u64, bytes: u32) {
    let mut done = 0_u64;
    let mut rounds = 0_u64;
    while rounds < CHUNKS_PER_CALL {
        if wanted - done < CHUNK as u64 {
            break;
        }
        chunk::<S, CHUNK>(source, offset + done, done, CHUNK as u64, CHUNK as u64);
        done += CHUNK as u64;
        rounds += 1;
    }
    // What the record of the tail stands for, beyond what it holds.
    let rest = length - done;
    let mut tail = wanted - done;
    if tail >= CHUNK as u64 {
        count(counter::CALL_CAP, 1);
        skipped(source, offset + done, rest, flag::CAPPED);
        tail = 0;
    } else if tail == 0 {
        if rest > 0 {
            skipped(source, offset + done, rest, flag::UNWANTED);
        }
    } else if tail < 512 {
        chunk::<S, 512>(source, offset + done, done, tail, rest);
    } else if tail < 2048 {
        chunk::<S, 2048>(source, offset + done, done, tail, rest);
    } else if tail < 8192 {
        chunk::<S, 8192>(source, offset + done, done, tail, rest);
    } else {
        chunk::<S, CHUNK>(source, offset + done, done, tail, rest);
    }
    count(bytes, done + tail);
}

/// `value`, of which the compiler forgets what it knew: it would otherwise drop
/// the comparisons that the verifier needs to see.
#[inline(always)]
fn opaque(mut value: u64) -> u64 {
    // SAFETY: an empty instruction sequence changes nothing.
    unsafe { core::arch::asm!("/* {0} */", inout(reg) value, options(nomem, nostack)) };
    value
}

/// One record of class `N` with `captured` bytes that stands for `length`.
#[inline(always)]
fn chunk<S: Copy + Describe, const N: usize>(
    source: &S,
    offset: u64,
    from: u64,
    captured: u64,
    length: u64,
) {
    let Some(mut entry) = DATA_RING.reserve::<Record<N>>(0) else {
        count(counter::RING_FULL, 1);
        return;
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the entry is valid for a `Record<N>`; every field of the header is
    // written before it is submitted, and `captured` bytes behind it.
    unsafe {
        let header = &mut (*record).header;
        source.describe(header);
        header.offset = offset;
        header.length = length as u32;
        // The verifier must see both bounds on the register that it checks.
        let bounded = opaque(captured);
        let bounded = if bounded > N as u64 { N as u64 } else { bounded };
        if bounded > 0 && source.copy(from, (&raw mut (*record).bytes).cast(), bounded) {
            header.captured = bounded as u32;
            if bounded < length {
                header.flags |= flag::UNWANTED;
            }
        } else {
            header.captured = 0;
            header.flags |= flag::FAULT;
            count(counter::FAULT, 1);
        }
    }
    entry.submit(wakeup(&DATA_RING));
}

/// A record that stands for bytes which are left out.
#[inline(always)]
pub(crate) fn skipped<S: Describe>(source: &S, offset: u64, length: u64, reason: u8) {
    let Some(mut entry) = DATA_RING.reserve::<Header>(0) else {
        count(counter::RING_FULL, 1);
        return;
    };
    // SAFETY: the entry is valid for a `Header`, and every field is written.
    unsafe {
        let header = &mut *entry.as_mut_ptr();
        source.describe(header);
        header.offset = offset;
        header.captured = 0;
        header.length = length as u32;
        header.flags |= reason;
    }
    entry.submit(wakeup(&DATA_RING));
}

const _: () = assert!(size_of::<Record<512>>() == size_of::<Header>() + 512);
