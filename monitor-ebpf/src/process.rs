//! Tracepoints that tell user space where to look for TLS libraries, and when
//! a process has gone.

use aya_ebpf::{
    EbpfContext as _,
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{
            bpf_ktime_get_ns, bpf_probe_read_kernel_str as raw_probe_read_kernel_str,
            bpf_probe_read_user_str as raw_probe_read_user_str,
        },
    },
    macros::tracepoint,
    programs::TracePointContext,
};
use phiwatch_ebpf::abi::{Header, PATH_LENGTH, function, kind};

use crate::{
    emit::{NO_WAKEUP, Record, reserve_control, submit_control, submit_urgent},
    maps::{CALLS, EXECUTABLES, PATHS, WATCHED},
    scope::{in_cgroup, watched_process},
};

#[inline(always)]
fn describe(header: &mut Header, kind: u8, tgid: u32, captured: u32) {
    header.kind = kind;
    header.function = function::PROCESS;
    header.direction = 0;
    header.flags = 0;
    header.tgid = tgid;
    // SAFETY: the helper has no precondition.
    header.time = unsafe { bpf_ktime_get_ns() };
    header.handle = 0;
    header.born = 0;
    header.offset = 0;
    header.captured = captured;
    header.length = captured;
}

/// `sched:sched_process_exec`; the path is behind the `__data_loc` at offset 8.
#[tracepoint]
pub(crate) fn process_exec(ctx: TracePointContext) -> u32 {
    _ = executed(&ctx);
    0
}

#[inline(always)]
fn executed(ctx: &TracePointContext) -> Option<()> {
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    // SAFETY: the tracepoint's record holds a u32 there.
    let location: u32 = unsafe { ctx.read_at(8) }.ok()?;
    let mut entry = reserve_control::<PATH_LENGTH>()?;
    let record: *mut Record<PATH_LENGTH> = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record, whose header and string are
    // written before it is submitted; the helper checks the source.
    let copied = unsafe {
        raw_probe_read_kernel_str(
            (&raw mut (*record).bytes).cast(),
            PATH_LENGTH as u32,
            ctx.as_ptr()
                .cast::<u8>()
                .add((location & 0xffff) as usize)
                .cast(),
        )
    };
    if copied <= 1 {
        entry.discard(NO_WAKEUP);
        return None;
    }
    // The scope's executables are known by the hash of their path, so that a
    // process is watched before its first instruction.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0_usize;
    while index < PATH_LENGTH {
        // SAFETY: the index is within the array, which the helper filled up to
        // the final zero.
        let byte = unsafe { (*record).bytes[index] };
        if byte == 0 {
            break;
        }
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    if EXECUTABLES.get_ptr(hash).is_some() {
        _ = WATCHED.insert(tgid, 1, 0);
    }
    // SAFETY: as above.
    unsafe { describe(&mut (*record).header, kind::EXEC, tgid, copied as u32 - 1) };
    // User space looks at the executable of every process in the cgroup: the
    // path may be a link to one of the scope's executables.
    if in_cgroup().is_some() {
        submit_urgent(entry);
    } else {
        entry.discard(NO_WAKEUP);
    }
    Some(())
}

/// `sched:sched_process_exit`, once for every thread.
#[tracepoint]
pub(crate) fn process_exit(_ctx: TracePointContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    _ = CALLS.remove(thread);
    let tgid = (thread >> 32) as u32;
    if thread as u32 != tgid || watched_process().is_none() {
        return 0;
    }
    if let Some(mut entry) = reserve_control::<0>() {
        // SAFETY: the entry is valid for the record.
        unsafe { describe(&mut (*entry.as_mut_ptr()).header, kind::EXIT, tgid, 0) };
        submit_control(entry);
    }
    _ = WATCHED.remove(tgid);
    0
}

/// "libssl" as six bytes in a moving window.
const WANTED: u64 = 0x6c69_6273_736c;

/// `syscalls:sys_enter_openat`; the path's address is at offset 24. A library
/// that is loaded late is opened before it is mapped.
#[tracepoint]
pub(crate) fn library_open(ctx: TracePointContext) -> u32 {
    _ = opened(&ctx);
    0
}

#[inline(always)]
fn opened(ctx: &TracePointContext) -> Option<()> {
    let tgid = watched_process()?;
    // SAFETY: the tracepoint's record holds a pointer there.
    let path: u64 = unsafe { ctx.read_at(24) }.ok()?;
    // Nearly every path is of no interest, so it is looked at outside the ring.
    let scratch = PATHS.get_ptr_mut(0)?;
    // SAFETY: the value has room for the bytes; the helper checks the source.
    let copied =
        unsafe { raw_probe_read_user_str(scratch.cast(), PATH_LENGTH as u32, path as *const _) };
    let (mut window, mut found, mut index) = (0_u64, false, 0_usize);
    while index < PATH_LENGTH {
        // SAFETY: the index is within the array, which the helper filled up to
        // the final zero.
        let byte = unsafe { (*scratch)[index] };
        if copied <= 0 || byte == 0 {
            break;
        }
        window = ((window << 8) | u64::from(byte)) & 0xffff_ffff_ffff;
        if window == WANTED {
            found = true;
            break;
        }
        index += 1;
    }
    if !found {
        return None;
    }
    let mut entry = reserve_control::<PATH_LENGTH>()?;
    let record: *mut Record<PATH_LENGTH> = entry.as_mut_ptr();
    // SAFETY: as in `executed`.
    unsafe {
        let copied = raw_probe_read_user_str(
            (&raw mut (*record).bytes).cast(),
            PATH_LENGTH as u32,
            path as *const _,
        );
        let captured = if copied > 0 { copied as u32 - 1 } else { 0 };
        describe(&mut (*record).header, kind::LIBRARY, tgid, captured);
    }
    submit_urgent(entry);
    Some(())
}
