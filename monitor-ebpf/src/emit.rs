//! Writes records into the rings: reserve a constant size, copy straight into
//! it, submit, and count what did not fit.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    maps::{RingBuf, ring_buf::RingBufEntry},
};
use phiwatch_ebpf::abi::{Header, MAX_CHUNK, MAX_CHUNKS_PER_CALL, counter, flag};

use crate::maps::{CONTROL_RING, COUNTERS, DATA_RING, SCOPE};

/// How much of a response is handed over: the status line and some headers.
pub(crate) const RESPONSE_HEAD: u64 = 512;

/// How much of a request is handed over on unwanted streams.
pub(crate) const REQUEST_HEAD: u64 = 1024;

/// Adds to a counter.
#[inline(always)]
pub(crate) fn count(index: u32, amount: u64) {
    if let Some(slot) = COUNTERS.get_ptr_mut(index) {
        add(slot, amount);
    }
}

/// Adds to a number in a map, which others may be adding to.
#[inline(always)]
pub(crate) fn add(number: *mut u64, amount: u64) {
    // The target has an atomic add but no compare-and-swap, so the methods of
    // `AtomicU64` do not exist on it.
    // SAFETY: values of maps are aligned and stay mapped while a program runs.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(number, amount) };
}

/// A record with room for `N` bytes behind its header.
#[repr(C)]
pub(crate) struct Record<const N: usize> {
    /// The header.
    pub(crate) header: Header,
    /// The bytes, of which the header's `captured` count.
    pub(crate) bytes: [u8; N],
}

/// The consumer is not woken: it polls every few milliseconds anyway.
pub(crate) const NO_WAKEUP: u64 = BPF_RB_NO_WAKEUP as u64;

/// Wakes the consumer only when the record of `size` bytes has filled another
/// [`Scope::wakeup`](phiwatch_ebpf::abi::Scope::wakeup) of the ring: a wakeup per
/// record costs more than the probe and the copy together, also while the consumer
/// is on its way. Records of two processors may pass the mark together, so a few
/// behind it wake as well.
#[inline(always)]
pub(crate) fn wakeup(ring: &RingBuf, size: u64) -> u64 {
    let step = SCOPE
        .get(0)
        .map_or(0, |settings| u64::from(settings.wakeup));
    let waiting = ring.query(u64::from(BPF_RB_AVAIL_DATA));
    // A power of two.
    if waiting >= step && waiting & step.wrapping_sub(1) < 4 * size {
        u64::from(BPF_RB_FORCE_WAKEUP)
    } else {
        NO_WAKEUP
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

/// Submits a control record, which the consumer finds when it next looks.
#[inline(always)]
pub(crate) fn submit_control<const N: usize>(entry: RingBufEntry<Record<N>>) {
    entry.submit(NO_WAKEUP);
}

/// Submits a control record and wakes the consumer.
#[inline(always)]
pub(crate) fn submit_urgent<const N: usize>(entry: RingBufEntry<Record<N>>) {
    entry.submit(u64::from(BPF_RB_FORCE_WAKEUP));
}

/// A range of bytes that is handed over in chunks.
///
/// The numbers are read through methods, each time anew: a uprobe program has
/// no stack for them and keeps them in a map.
pub(crate) trait ByteRange {
    /// Offset in the stream of the first byte.
    fn offset(&self) -> u64;
    /// How many bytes there are.
    fn length(&self) -> u64;
    /// How many of them are handed over.
    fn wanted(&self) -> u64;
    /// How many have been handed over.
    fn done(&self) -> u64;
    /// Says that `done` bytes have been handed over.
    fn set_done(&self, done: u64);
    /// Copies `length` bytes, at least 1 and at most `N`, from `done` bytes into the
    /// range on.
    /// Returns whether it could.
    fn copy<const N: usize>(&self, to: *mut u8, length: u64) -> bool;
    /// Fills every field of `header` but `offset`, `captured`, `length`.
    fn describe(&self, header: &mut Header);
}

/// Hands a range over.
#[inline(always)]
pub(crate) fn data<S: ByteRange>(range: &S) {
    range.set_done(0);
    let mut rounds = 0_u64;
    while rounds < MAX_CHUNKS_PER_CALL {
        if range.wanted() - range.done() < MAX_CHUNK as u64 {
            break;
        }
        chunk::<S, MAX_CHUNK, true>(range);
        range.set_done(range.done() + MAX_CHUNK as u64);
        rounds += 1;
    }
    let tail = range.wanted() - range.done();
    // The record of the tail can stand for more bytes than it holds.
    let rest = range.length() - range.done();
    if tail >= MAX_CHUNK as u64 {
        count(counter::CALL_CAP, 1);
        skipped(range, rest, flag::CAPPED);
    } else if tail == 0 {
        if rest > 0 {
            skipped(range, rest, flag::UNWANTED);
        }
    } else if tail < 512 {
        chunk::<S, 512, false>(range);
    } else if tail < 1024 {
        chunk::<S, 1024, false>(range);
    } else if tail < 2048 {
        chunk::<S, 2048, false>(range);
    } else if tail < 8192 {
        chunk::<S, 8192, false>(range);
    } else {
        chunk::<S, MAX_CHUNK, false>(range);
    }
}

/// `value`, opaque to the compiler: it would otherwise remove comparisons that
/// the verifier needs to see.
#[inline(always)]
pub(crate) fn opaque(mut value: u64) -> u64 {
    // An empty sequence would leave two line records for one instruction, which
    // the kernel refuses.
    // SAFETY: moving a register to itself changes nothing.
    unsafe { core::arch::asm!("{0} = {0}", inout(reg) value, options(nomem, nostack)) };
    value
}

/// The smaller of `value`, which is not 0, and `LIMIT`, so that every verifier knows
/// it to be neither 0 nor more.
///
/// Before Linux 6.8 a comparison with 0 for equality teaches a verifier nothing, and
/// that of 5.10 forgets the bounds of what goes to the stack. So the instructions are
/// spelled out, and whoever needs the bounds asks right before.
#[inline(always)]
pub(crate) fn bounded<const LIMIT: usize>(mut value: u64) -> u64 {
    // SAFETY: only the register of `value` is changed.
    unsafe {
        core::arch::asm!(
            "if {value} s> 0 goto +1",
            "{value} = 1",
            "if {value} s< {limit} goto +1",
            "{value} = {limit}",
            value = inout(reg) value,
            limit = const LIMIT,
            options(nomem, nostack),
        );
    }
    value
}

/// One record of class `N` with the next wanted bytes: `N` of them if it is to be
/// `FULL`. If it is not, it holds the last of them and also stands for everything
/// that is left out.
///
/// What a full one holds is a constant, so that verifiers have no branches to
/// follow in each round of the loop: that of Linux 5.10 took minutes.
#[inline(always)]
pub(crate) fn chunk<S: ByteRange, const N: usize, const FULL: bool>(range: &S) {
    let Some(mut entry) = DATA_RING.reserve::<Record<N>>(0) else {
        count(counter::RING_FULL, 1);
        return;
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the entry is valid for a `Record<N>`; every field of the header is
    // written before it is submitted, and `captured` bytes behind it.
    unsafe {
        let header = &mut (*record).header;
        range.describe(header);
        header.offset = range.offset() + range.done();
        let length = if FULL {
            N as u64
        } else {
            range.length() - range.done()
        };
        header.length = length as u32;
        let captured = if FULL {
            N as u64
        } else {
            range.wanted() - range.done()
        };
        header.captured = captured as u32;
        if captured < length {
            header.flags |= flag::UNWANTED;
        }
        if !range.copy::<N>((&raw mut (*record).bytes).cast(), captured) {
            header.captured = 0;
            header.flags |= flag::FAULT;
            count(counter::FAULT, 1);
        }
    }
    entry.submit(wakeup(&DATA_RING, size_of::<Record<N>>() as u64));
}

/// A record that stands for bytes which are left out.
#[inline(always)]
pub(crate) fn skipped<S: ByteRange>(range: &S, length: u64, reason: u8) {
    let Some(mut entry) = DATA_RING.reserve::<Header>(0) else {
        count(counter::RING_FULL, 1);
        return;
    };
    // SAFETY: the entry is valid for a `Header`, and every field is written.
    unsafe {
        let header = &mut *entry.as_mut_ptr();
        range.describe(header);
        header.offset = range.offset() + range.done();
        header.captured = 0;
        header.length = length as u32;
        header.flags |= reason;
    }
    entry.submit(wakeup(&DATA_RING, size_of::<Header>() as u64));
}
