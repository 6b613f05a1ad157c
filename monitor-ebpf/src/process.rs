//! Tracepoints that follow the scope's processes from the first instruction to
//! the end.
//!
//! With a list of processes, `WATCHED` is kept up to date here, since user
//! space always comes too late: a forked process is watched like its parent,
//! and exec decides anew. New processes are announced by `task:task_newtask`,
//! because `sched:sched_process_fork` cannot distinguish threads from
//! processes.

use aya_ebpf::{
    EbpfContext as _,
    helpers::{
        bpf_get_current_pid_tgid, bpf_probe_read_kernel,
        generated::{
            bpf_get_current_task, bpf_ktime_get_ns,
            bpf_probe_read_kernel_str as raw_probe_read_kernel_str,
        },
    },
    macros::tracepoint,
    programs::TracePointContext,
};
use phiwatch_ebpf::abi::{
    Header, Layout, MAX_OFFSET, PATH_LENGTH, counter, function, kind, mark, scope, usage,
};

use crate::{
    emit::{Record, count, reserve_control, submit_control, submit_urgent},
    maps::{EXECUTABLES, LAYOUT, PATHS, SCOPE, WATCHED},
    scope::{in_cgroup, watched_process},
    usage::{ended, known_usage, usage_of},
};

/// `clone`: the new task is a thread of the process that created it.
const CLONE_THREAD: u64 = 0x0001_0000;

/// `clone`: the parent waits until the new process calls exec or exits.
const CLONE_VFORK: u64 = 0x4000;

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

/// The field at `offset` of the tracepoint's record; `None` if it has none.
#[inline(always)]
fn field<T>(ctx: &TracePointContext, offset: u32) -> Option<T> {
    if offset == 0 {
        return None;
    }
    // SAFETY: the kernel's own description of the record says that a `T` is
    // there, and the helper checks the source.
    unsafe { ctx.read_at((offset & MAX_OFFSET) as usize) }.ok()
}

/// `task:task_newtask`, in the process that forks, before the new task runs.
#[tracepoint]
pub(crate) fn process_new(ctx: TracePointContext) -> u32 {
    _ = forked(&ctx);
    0
}

#[inline(always)]
fn forked(ctx: &TracePointContext) -> Option<()> {
    let layout = LAYOUT.get(0)?;
    let flags: u64 = field(ctx, layout.new_flags)?;
    if flags & CLONE_THREAD != 0 {
        return None;
    }
    let parent = watched_process()?;
    let child: u32 = field(ctx, layout.new_pid)?;
    if SCOPE.get(0)?.flags & scope::PROCESSES != 0 {
        // SAFETY: the pointer is that of a map value, which stays mapped.
        let heritage = unsafe { *WATCHED.get_ptr(parent)? } & mark::HERITABLE;
        if heritage == 0 {
            return None;
        }
        if WATCHED
            .insert(child, heritage | mark::INHERITED, 0)
            .is_err()
        {
            count(counter::TABLE_FULL, 1);
        }
    }
    if let Some(usage) = known_usage(parent)
        && usage.flags & usage::MOVES_STACKS != 0
        && usage_of(child).is_some()
        && let Some(usage) = known_usage(child)
    {
        usage.flags |= usage::MOVES_STACKS;
    }
    // The exec that the parent waits for reports it.
    if flags & CLONE_VFORK != 0 {
        return None;
    }
    let mut entry = reserve_control::<0>()?;
    // SAFETY: the entry is valid for the record.
    unsafe {
        let header = &mut (*entry.as_mut_ptr()).header;
        describe(header, kind::FORK, child, 0);
        header.handle = u64::from(parent);
    }
    submit_urgent(entry);
    Some(())
}

/// `sched:sched_process_exec`, in the process that called exec.
#[tracepoint]
pub(crate) fn process_exec(ctx: TracePointContext) -> u32 {
    _ = executed(&ctx);
    0
}

#[inline(always)]
fn executed(ctx: &TracePointContext) -> Option<()> {
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let layout = LAYOUT.get(0)?;
    let location: u32 = field(ctx, layout.exec_path)?;
    // SAFETY: the string lies within the tracepoint's record; the helper checks
    // the source.
    let path = unsafe {
        ctx.as_ptr()
            .cast::<u8>()
            .add((location & MAX_OFFSET) as usize)
    };
    // `WATCHED` must be updated even if the ring has no room for the record.
    let scratch = PATHS.get_ptr_mut(0)?;
    // SAFETY: the value has room for the bytes; the helper checks the source.
    let copied =
        unsafe { raw_probe_read_kernel_str(scratch.cast(), PATH_LENGTH as u32, path.cast()) };
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0_usize;
    while index < PATH_LENGTH {
        // SAFETY: the index is within the array, which the helper filled up to
        // the final zero.
        let byte = unsafe { (*scratch)[index] };
        if copied <= 1 || byte == 0 {
            break;
        }
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    if let Some(usage) = known_usage(tgid) {
        usage.flags = 0;
    }
    follow(tgid, copied > 1 && EXECUTABLES.get_ptr(hash).is_some());
    // User space checks the executable of every process in the cgroup: the path
    // may be a link to one of the scope's executables.
    in_cgroup()?;
    let mut entry = reserve_control::<PATH_LENGTH>()?;
    let record: *mut Record<PATH_LENGTH> = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record, whose header is written before
    // it is submitted; the helper checks the source.
    unsafe {
        let copied = raw_probe_read_kernel_str(
            (&raw mut (*record).bytes).cast(),
            PATH_LENGTH as u32,
            path.cast(),
        );
        let captured = if copied > 0 { copied as u32 - 1 } else { 0 };
        describe(&mut (*record).header, kind::EXEC, tgid, captured);
    }
    submit_urgent(entry);
    Some(())
}

/// Adds a process that called exec to the scope, or removes it.
#[inline(always)]
fn follow(tgid: u32, is_wanted: bool) {
    let mut marks = 0;
    if let Some(before) = WATCHED.get_ptr(tgid) {
        // SAFETY: the pointer is that of a map value, which stays mapped.
        marks |= unsafe { *before } & mark::LISTED;
    }
    if is_wanted {
        marks |= mark::BY_PATH;
    }
    if marks == 0 {
        _ = WATCHED.remove(tgid);
    } else if WATCHED.insert(tgid, marks, 0).is_err() {
        count(counter::TABLE_FULL, 1);
    }
}

/// `cgroup:cgroup_attach_task`, in the process that moves another, or one of its
/// threads.
#[tracepoint]
pub(crate) fn process_moved(ctx: TracePointContext) -> u32 {
    _ = moved(&ctx);
    0
}

/// User space finds out whether it was moved into the scope or out of it: the
/// record names the new cgroup, but not its ancestors.
#[inline(always)]
fn moved(ctx: &TracePointContext) -> Option<()> {
    if SCOPE.get(0)?.flags & scope::CGROUP == 0 {
        return None;
    }
    let tgid: u32 = field(ctx, LAYOUT.get(0)?.moved_pid)?;
    let mut entry = reserve_control::<0>()?;
    // SAFETY: the entry is valid for the record.
    unsafe { describe(&mut (*entry.as_mut_ptr()).header, kind::MOVED, tgid, 0) };
    submit_urgent(entry);
    Some(())
}

/// `sched:sched_process_exit`, once for every thread.
#[tracepoint]
pub(crate) fn process_exit(ctx: TracePointContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    let is_last = LAYOUT
        .get(0)
        .is_some_and(|layout| is_last(&ctx, layout, thread));
    if !is_last {
        return 0;
    }
    let tgid = (thread >> 32) as u32;
    // What has cost something was watched until it was moved elsewhere.
    let is_known = watched_process().is_some() || known_usage(tgid).is_some();
    if is_known && let Some(mut entry) = reserve_control::<0>() {
        // SAFETY: the entry is valid for the record.
        unsafe { describe(&mut (*entry.as_mut_ptr()).header, kind::EXIT, tgid, 0) };
        submit_control(entry);
    }
    _ = WATCHED.remove(tgid);
    ended(tgid);
    0
}

/// Whether the process ends with this thread. Its main thread may have ended
/// long before (`pthread_exit`).
#[inline(always)]
fn is_last(ctx: &TracePointContext, layout: &Layout, thread: u64) -> bool {
    // Linux 6.16 and later say so.
    if let Some(is_dead) = field::<u8>(ctx, layout.exit_group_dead) {
        return is_dead != 0;
    }
    if layout.task_signal != 0 && layout.signal_live != 0 {
        // SAFETY: the helper has no precondition; the reads are checked, and the
        // kernel's type information says what is there.
        let live = unsafe {
            let task = bpf_get_current_task();
            bpf_probe_read_kernel::<u64>((task + u64::from(layout.task_signal)) as *const u64)
                .and_then(|signal| {
                    let live = signal + u64::from(layout.signal_live);
                    bpf_probe_read_kernel::<i32>(live as *const i32)
                })
        };
        if let Ok(live) = live {
            return live == 0;
        }
    }
    // The main thread's end, for want of better.
    thread as u32 == (thread >> 32) as u32
}
