//! Uprobes on OpenSSL and its relatives.
//!
//! Only arguments and results are read, never fields of `SSL`, but for the one
//! whose place an exported getter of the library gives away: they move with every
//! version.
//!
//! | symbol | prototype |
//! |---|---|
//! | `SSL_write` | `int (SSL *, const void *buf, int num)`, result > 0: bytes |
//! | `SSL_write_ex` | `int (SSL *, const void *buf, size_t num, size_t *written)`, result 1: `*written` bytes |
//! | `SSL_write_ex2` | the same with flags before the last argument |
//! | `SSL_read` | `int (SSL *, void *buf, int num)`, result > 0: bytes |
//! | `SSL_read_ex` | `int (SSL *, void *buf, size_t num, size_t *readbytes)`, result 1: `*readbytes` bytes |
//! | `SSL_ctrl` | `long (SSL *, int cmd, long larg, void *parg)`, cmd 55: `parg` is the server name |
//! | `SSL_free` | `void (SSL *)` |
//!
//! `SSL_write_early_data` needs no hook: it calls `SSL_write_ex`, in each of twelve
//! builds from 1.1.1 to 3.6. `SSL_clear` ends no stream: the library calls it
//! itself at every handshake.
//!
//! # What was accepted, exactly once, without return probes
//!
//! A return probe replaces the return address on the application's stack. A
//! thread that switches stacks inside the call (a fiber, a green thread) then
//! returns to where no probe is remembered and is killed. So results are read by
//! plain probes *inside* the function, before its exits, where the result is in
//! its register already; `probe::place` finds them. A call is remembered by
//! process and frame (the stack pointer at the function's first instruction,
//! which all probes of a call can tell), never by thread.
//!
//! Every further hit costs a saturated server 6 to 8 % of its throughput. Exits
//! are therefore probed only where user space thinks that they are worth it, and
//! a call whose exits are not is handed over at its entry:
//!
//! * A server's responses need no exact count; they cost one look-up.
//! * A client's write that could not be finished is made again, with the same
//!   bytes and at least as many. That it is the same write is told by the state
//!   that `SSL_want` returns, read at the entry, where it still says what the
//!   call before waited for.
//! * A partial write (`SSL_MODE_ENABLE_PARTIAL_WRITE`) goes on inside the buffer
//!   of the last one and ends where that ended.
//!
//! So are the calls of a process that moves stacks (greenlet, and with it gevent
//! and eventlet): two calls in flight can have one frame there.
//!
//! What this cannot tell apart is a write that waited, was followed by a read,
//! and is then made again: the read has changed the state. That window is
//! short, since a process that begins to speak to trackers gets its exits probed.

#![expect(
    clippy::needless_borrows_for_generic_args,
    reason = "a key is passed where it lies: a copy would take stack"
)]

use aya_ebpf::{
    EbpfContext as _,
    bindings::pt_regs,
    helpers::{
        bpf_get_current_pid_tgid, bpf_probe_read_user,
        generated::{
            bpf_get_attach_cookie, bpf_ktime_get_ns,
            bpf_probe_read_user_str as raw_probe_read_user_str,
        },
    },
    macros::uprobe,
    programs::ProbeContext,
};
use phiwatch_ebpf::abi::{
    NAME_LENGTH, SENT, StreamKey, Usage, cookie, counter, function, kind, target, usage,
};

use crate::{
    emit::{NO_WAKEUP, Record, add, count, reserve_control, submit_control, submit_urgent},
    maps::{CALLS, REQUESTS, STREAMS, TARGETS, VERDICTS, ZERO_CALL},
    page,
    scope::watched_process,
    transfer::{Buffer, SERVER, call, describe, hand_over, is_write, stream, transferred},
    usage::usage_of,
};

/// `SSL_CTRL_SET_TLSEXT_HOSTNAME` of OpenSSL's tls1.h.
const SET_SERVER_NAME: i32 = 55;

/// `SSL_WRITING` of OpenSSL's ssl.h: the last call waits until it can write.
const WRITING: u32 = 2;

/// How far below the frame of a call that of one nested in it may lie.
const NESTED: u64 = 4096;

/// How often a process may tell that it loads libraries, nanoseconds. User space
/// looks at what it has mapped later than that.
const TELL_EVERY: u64 = 10_000_000;

/// The stack pointer at the function's first instruction.
#[inline(always)]
fn frame(ctx: &ProbeContext, cookie: u64) -> u64 {
    // SAFETY: a uprobe's context is the registers of the interrupted thread.
    let stack = unsafe { (*ctx.as_ptr().cast::<pt_regs>()).rsp };
    stack + cookie::depth(cookie)
}

/// What the hooks cost the process and bring it, with this hit in it.
#[inline(always)]
fn charged(tgid: u32, cookie: u64) -> Option<&'static mut Usage> {
    let usage = usage_of(tgid)?;
    if cookie & cookie::SINGLE_STEPPED == 0 {
        add(&raw mut usage.emulated, 1);
    } else {
        add(&raw mut usage.single_stepped, 1);
    }
    Some(usage)
}

/// A hit that is no exit.
#[inline(always)]
fn call(ctx: &ProbeContext, cookie: u64) -> Option<()> {
    // The one key of the program, for whatever it looks up: there is no room on
    // the stack for a second.
    let mut key = StreamKey {
        tgid: watched_process()?,
        padding: 0,
        handle: ctx.arg(0)?,
    };
    let usage = charged(key.tgid, cookie)?;
    let flags = *TARGETS.get(cookie::target(cookie))?;
    if flags & target::ENABLED == 0 {
        return None;
    }
    match cookie::function(cookie) {
        function::SSL_CTRL => server_name(ctx, &key),
        function::SSL_FREE => freed(&key),
        function::LOADER => loaded(&key, usage),
        _ => begin(ctx, cookie, flags, usage, &mut key),
    }
}

/// The beginning of a call that writes or reads.
#[inline(always)]
fn begin(
    ctx: &ProbeContext,
    cookie: u64,
    flags: u32,
    usage: &mut Usage,
    key: &mut StreamKey,
) -> Option<()> {
    let is_write = is_write(u32::from(cookie::function(cookie)));
    let exit = cookie & cookie::NO_EXIT == 0
        && (flags & target::EXITS_PROBED != 0 || usage.flags & usage::EXITS_PROBED != 0)
        && usage.flags & usage::MOVES_STACKS == 0;
    if !is_write && !exit {
        // Nobody will see what it gives.
        return None;
    }
    // Arguments are read from the context each time: there is no stack to keep
    // them on.
    if let Some(stream) = STREAMS.get_ptr_mut(&*key) {
        // SAFETY: the value stays mapped while a program runs.
        let stream = unsafe { &mut *stream };
        if stream.flags & SERVER != 0 {
            add(&raw mut usage.served, 1);
            if is_write && !exit {
                // The stream moves on, so that no page goes on behind what was
                // left out of it.
                stream.sent += u64::from(ctx.arg::<u64>(2)? as u32);
                stream.flags &= !page::OPEN;
                return None;
            }
        }
        // A function that is made of another one hands its buffer on: one of
        // the two calls counts, the outer one.
        if is_write && exit {
            let frame = frame(ctx, cookie);
            let is_nested = stream.frame > frame
                && stream.frame - frame < NESTED
                && stream.buffer == ctx.arg(1)?;
            if is_nested {
                // Its end finds a call that has ended.
                key.handle = frame;
                _ = CALLS.insert(&*key, ZERO_CALL.get(0)?, 0);
                return None;
            }
            stream.frame = frame;
            stream.buffer = ctx.arg(1)?;
            stream.offered = 0;
        }
    }
    key.handle = frame(ctx, cookie);
    let mut call = CALLS.get_ptr_mut(&*key);
    if call.is_none() {
        if CALLS.insert(&*key, ZERO_CALL.get(0)?, 0).is_err() {
            count(counter::TABLE_FULL, 1);
            return None;
        }
        call = CALLS.get_ptr_mut(&*key);
    }
    let call = call?;
    // SAFETY: no other call in flight has this frame.
    unsafe {
        (*call).stream.tgid = key.tgid;
        (*call).stream.handle = ctx.arg(0)?;
        (*call).buffer = ctx.arg(1)?;
        (*call).count = count_address(ctx, cookie::function(cookie))?;
        (*call).function = u32::from(cookie::function(cookie));
    }
    if exit || !is_write {
        return Some(());
    }
    // An int: widened, a negative length would be a huge one.
    let length = if cookie::function(cookie) == function::SSL_WRITE {
        let length = ctx.arg::<u64>(2)? as i32;
        if length > 0 { length as u64 } else { 0 }
    } else {
        ctx.arg::<u64>(2)?
    };
    let call = Buffer(call);
    if length > 0 {
        // SAFETY: as above.
        unsafe { (*call.0).length = length };
        let state = cookie::state(cookie);
        let is_repeated = state != 0 && read_u32(ctx.arg::<u64>(0)? + state) == Some(WRITING);
        if transferred(&call, Some(is_repeated)).is_some() {
            hand_over(&call);
        }
    }
    // SAFETY: as above.
    unsafe { (*call.0).stream.handle = 0 };
    Some(())
}

#[inline(always)]
fn read_u32(address: u64) -> Option<u32> {
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_user(address as *const u32) }.ok()
}

/// Where the function stores how many bytes it took or gave; 0 for one that
/// returns it.
#[inline(always)]
fn count_address(ctx: &ProbeContext, function: u8) -> Option<u64> {
    match function {
        function::SSL_WRITE_EX | function::SSL_READ_EX => ctx.arg(3),
        function::SSL_WRITE_EX2 => ctx.arg(4),
        _ => Some(0),
    }
}

/// The end of a call that writes or reads: its result is in its register.
#[inline(always)]
fn end(ctx: &ProbeContext, cookie: u64) -> Option<()> {
    let mut key = StreamKey {
        tgid: (bpf_get_current_pid_tgid() >> 32) as u32,
        padding: 0,
        handle: 0,
    };
    key.handle = frame(ctx, cookie);
    let usage = charged(key.tgid, cookie)?;
    if usage.flags & usage::MOVES_STACKS != 0 {
        return None;
    }
    let Some(call) = CALLS.get_ptr_mut(&key) else {
        let flags = *TARGETS.get(cookie::target(cookie))?;
        let is_probed = flags & target::EXITS_PROBED != 0 || usage.flags & usage::EXITS_PROBED != 0;
        if is_probed && watched_process().is_some() {
            count(counter::NO_ENTRY, 1);
        }
        return None;
    };
    let buffer = Buffer(call);
    // The call may pass a second probe on its way out, or may have been handed
    // over at its entry.
    if call!(buffer, stream).handle == 0 {
        return None;
    }
    // SAFETY: a uprobe's context is the registers of the interrupted thread. The
    // result is a C int: widened, -1 would be a huge number of bytes.
    let result = unsafe { (*ctx.as_ptr().cast::<pt_regs>()).rax } as i32;
    let count_address = call!(buffer, count);
    let length = if count_address == 0 {
        if result > 0 { result as u64 } else { 0 }
    } else if result == 1 {
        // SAFETY: the helper checks the address.
        unsafe { bpf_probe_read_user(count_address as *const u64) }.unwrap_or(0)
    } else {
        0
    };
    if length > 0 {
        // SAFETY: as in `call!`.
        unsafe { (*buffer.0).length = length };
        if transferred(&buffer, None).is_some() {
            hand_over(&buffer);
        }
    }
    // SAFETY: as in `call!`.
    let key = unsafe { &(*buffer.0).stream };
    if is_write(call!(buffer, function))
        && let Some(stream) = STREAMS.get_ptr_mut(key)
    {
        // SAFETY: the value stays mapped while a program runs.
        unsafe { (*stream).frame = 0 };
    }
    // SAFETY: as in `call!`.
    unsafe { (*buffer.0).stream.handle = 0 };
    Some(())
}

/// Every probe that is no exit, told apart by its cookie.
#[uprobe]
pub(crate) fn tls_call(ctx: ProbeContext) -> u32 {
    // SAFETY: the helper takes the program's own context.
    let cookie = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    _ = call(&ctx, cookie);
    0
}

/// Every probe at an exit.
#[uprobe]
pub(crate) fn tls_exit(ctx: ProbeContext) -> u32 {
    // SAFETY: the helper takes the program's own context.
    let cookie = unsafe { bpf_get_attach_cookie(ctx.as_ptr()) };
    _ = end(&ctx, cookie);
    0
}

// The same, one program a function, for kernels that have no cookies.

/// Behind every attachment without cookie is the first of the map.
const fn fixed(function: u8) -> u64 {
    cookie::pack(0, 0, function, cookie::SINGLE_STEPPED, 0)
}

#[uprobe]
pub(crate) fn ssl_write(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_WRITE));
    0
}

#[uprobe]
pub(crate) fn ssl_write_ex(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_WRITE_EX));
    0
}

#[uprobe]
pub(crate) fn ssl_write_ex2(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_WRITE_EX2));
    0
}

#[uprobe]
pub(crate) fn ssl_read(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_READ));
    0
}

#[uprobe]
pub(crate) fn ssl_read_ex(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_READ_EX));
    0
}

#[uprobe]
pub(crate) fn ssl_exit(ctx: ProbeContext) -> u32 {
    _ = end(&ctx, fixed(0));
    0
}

#[uprobe]
pub(crate) fn ssl_ctrl(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_CTRL));
    0
}

#[uprobe]
pub(crate) fn library_loaded(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::LOADER));
    0
}

#[uprobe]
pub(crate) fn ssl_free(ctx: ProbeContext) -> u32 {
    _ = call(&ctx, fixed(function::SSL_FREE));
    0
}

/// The dynamic loader has changed the list of a process's libraries, or is about
/// to: both glibc and musl call an empty function then, for debuggers. Unlike
/// tracepoints on system calls this costs nothing but where libraries are loaded.
#[inline(always)]
fn loaded(key: &StreamKey, usage: &mut Usage) -> Option<()> {
    // SAFETY: the helper has no precondition.
    let now = unsafe { bpf_ktime_get_ns() };
    if now - usage.loaded < TELL_EVERY {
        return None;
    }
    usage.loaded = now;
    let mut entry = reserve_control::<0>()?;
    // SAFETY: the entry is valid for the record, and every field is written.
    unsafe {
        let header = &mut (*entry.as_mut_ptr()).header;
        describe(header, kind::LIBRARY, function::LOADER, SENT, key, now);
        // Zeroes in a row would become a call.
        (&raw mut header.offset).write_volatile(0);
        header.captured = 0;
        header.length = 0;
    }
    submit_urgent(entry);
    Some(())
}

#[inline(always)]
fn server_name(ctx: &ProbeContext, key: &StreamKey) -> Option<()> {
    if ctx.arg::<u64>(1)? as i32 != SET_SERVER_NAME {
        return None;
    }
    let stream = stream(key)?;
    let mut entry = reserve_control::<NAME_LENGTH>()?;
    let record: *mut Record<NAME_LENGTH> = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record; every field of the header is
    // written, and the helper checks the source.
    let copied = unsafe {
        let header = &mut (*record).header;
        describe(
            header,
            kind::SERVER_NAME,
            function::SSL_CTRL,
            SENT,
            key,
            stream.born,
        );
        header.offset = 0;
        let copied = raw_probe_read_user_str(
            (&raw mut (*record).bytes).cast(),
            NAME_LENGTH as u32,
            ctx.arg::<u64>(3)? as *const _,
        );
        header.captured = if copied > 0 { copied as u32 - 1 } else { 0 };
        header.length = header.captured;
        copied
    };
    if copied > 1 {
        submit_control(entry);
    } else {
        entry.discard(NO_WAKEUP);
    }
    Some(())
}

#[inline(always)]
fn freed(key: &StreamKey) -> Option<()> {
    let stream = STREAMS.get_ptr(key)?;
    // SAFETY: the value stays mapped while a program runs; it is copied before
    // the entry is deleted.
    let (born, sent) = unsafe { ((*stream).born, (*stream).sent) };
    // The stream ends whether or not there is room to say so: the next object at
    // this address must not go on where this one ended.
    _ = STREAMS.remove(key);
    _ = VERDICTS.remove(key);
    _ = REQUESTS.remove(key);
    let mut entry = reserve_control::<0>()?;
    // SAFETY: the entry is valid for the record, and every field is written.
    unsafe {
        let header = &mut (*entry.as_mut_ptr()).header;
        describe(header, kind::CLOSED, function::SSL_FREE, SENT, key, born);
        header.offset = sent;
        header.captured = 0;
        header.length = 0;
    }
    submit_control(entry);
    Some(())
}
