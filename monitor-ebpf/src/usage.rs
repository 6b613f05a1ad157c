//! What the hooks of a TLS library cost each process and what they yield.

use phiwatch_ebpf::abi::Usage;

use crate::{
    emit::add,
    maps::{OTHER_USAGE, USAGE, ZERO_USAGE},
};

/// The entry of a process, if it has one.
#[inline(always)]
pub(crate) fn known_usage(tgid: u32) -> Option<&'static mut Usage> {
    // SAFETY: the value stays mapped while a program runs, and its numbers are
    // added to atomically.
    USAGE.get_ptr_mut(tgid).map(|usage| unsafe { &mut *usage })
}

/// The entry of a process, made if it has none.
#[inline(always)]
pub(crate) fn usage_of(tgid: u32) -> Option<&'static mut Usage> {
    if let Some(usage) = known_usage(tgid) {
        return Some(usage);
    }
    if USAGE.insert(tgid, ZERO_USAGE.get(0)?, 0).is_ok() {
        return known_usage(tgid);
    }
    // SAFETY: as above.
    OTHER_USAGE
        .get_ptr_mut(0)
        .map(|usage| unsafe { &mut *usage })
}

/// Adds the usage of a process that has ended to that of all others that have.
#[inline(always)]
pub(crate) fn ended(tgid: u32) {
    let (Some(usage), Some(all)) = (known_usage(tgid), OTHER_USAGE.get_ptr_mut(0)) else {
        return;
    };
    // SAFETY: the value stays mapped while a program runs.
    unsafe {
        add(&raw mut (*all).emulated, usage.emulated);
        add(&raw mut (*all).single_stepped, usage.single_stepped);
        add(&raw mut (*all).wanted, usage.wanted);
        add(&raw mut (*all).served, usage.served);
    }
    _ = USAGE.remove(tgid);
}
