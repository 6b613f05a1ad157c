//! Uprobes on OpenSSL and its relatives, and on `GnuTLS`.
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
//! | `SSL_set_tlsext_host_name` | `int (SSL *, const char *name)`; a function in `BoringSSL` and AWS-LC alone |
//! | `SSL_free` | `void (SSL *)` |
//! | `gnutls_record_send` | `ssize_t (gnutls_session_t, const void *buf, size_t num)`, result > 0: bytes |
//! | `gnutls_record_send2` | the same with two more arguments |
//! | `gnutls_record_uncork` | `int (gnutls_session_t, unsigned flags)`; sends nothing new |
//! | `gnutls_record_recv` | `ssize_t (gnutls_session_t, void *buf, size_t num)`, result > 0: bytes |
//! | `gnutls_server_name_set` | `int (gnutls_session_t, type, const void *name, size_t num)`, type 1 |
//! | `gnutls_deinit` | `void (gnutls_session_t)` |
//!
//! `SSL_write_early_data` needs no hook: it calls `SSL_write_ex`, in each of twelve
//! builds from 1.1.1 to 3.6. `SSL_clear` ends no stream: the library calls it
//! itself at every handshake.
//!
//! A corked `GnuTLS` session accepts what it is given as any other does. When it is
//! uncorked it sends all of it by calls of `gnutls_record_send`, which count as little
//! as others that are nested. `gnutls_record_send_file` calls that, too, unless the
//! kernel encrypts; `gnutls_record_send_range` and `gnutls_record_send_early_data` do
//! not and are not read. After `GNUTLS_E_AGAIN` a program may repeat its call with no
//! buffer: the library kept the bytes, and so, usually, did the program. One that
//! names its buffer again is told from one that goes on only by how calls end: where
//! ends are not probed its bytes are seen twice.
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
    Call, NAME_LENGTH, SENT, StreamKey, Usage, cookie, counter, flag, function, kind, target, usage,
};

use crate::{
    emit::{
        NO_WAKEUP, Record, add, bounded, count, opaque, reserve_control, submit_control,
        submit_urgent,
    },
    go,
    maps::{CALLS, REQUESTS, STREAMS, TARGETS, VERDICTS, ZERO_CALL},
    page,
    scope::watched_process,
    transfer::{Buffer, SERVER, call, describe, hand_over, stream, transferred},
    usage::{known_usage, usage_of},
};

/// `SSL_CTRL_SET_TLSEXT_HOSTNAME` of OpenSSL's tls1.h.
const SET_SERVER_NAME: i32 = 55;

/// `GNUTLS_NAME_DNS` of `GnuTLS`'s gnutls.h.
const NAME_DNS: i32 = 1;

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
pub(crate) fn charged(tgid: u32, cookie: u64) -> Option<&'static mut Usage> {
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
    if function::is_go(cookie::function(cookie)) {
        return go::call(ctx, cookie);
    }
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
    if function::is_end(cookie::function(cookie))
        || is_interrupted(&key, usage)
        || is_named_anew(ctx, cookie::function(cookie), &key)
    {
        freed(&key);
    }
    match cookie::function(cookie) {
        function::SSL_CTRL | function::SSL_SERVER_NAME | function::GNUTLS_SERVER_NAME => {
            server_name(ctx, cookie::function(cookie), &key)
        }
        function::SSL_FREE | function::GNUTLS_DEINIT => None,
        function::LOADER => loaded(&key),
        _ => begin(ctx, cookie, flags, usage, &mut key),
    }
}

/// Whether bytes of a stream were seen before its process had no probes for a while:
/// what comes now must not continue where they ended.
#[inline(always)]
pub(crate) fn is_interrupted(key: &StreamKey, usage: &Usage) -> bool {
    if usage.since == 0 {
        return false;
    }
    STREAMS.get_ptr(key).is_some_and(|stream| {
        // SAFETY: the value stays mapped while a program runs.
        let stream = unsafe { &*stream };
        stream.born < usage.since && stream.sent | stream.received != 0
    })
}

/// Whether a server's name is given to a stream that had bytes already. A connection
/// is named before its handshake, so what was seen is that of another one, whose end
/// was not: its library has no function that ends streams, or none that was found.
#[inline(always)]
fn is_named_anew(ctx: &ProbeContext, function: u8, key: &StreamKey) -> bool {
    if function == function::SSL_CTRL {
        if ctx
            .arg::<u64>(1)
            .is_none_or(|kind| kind as i32 != SET_SERVER_NAME)
        {
            return false;
        }
    } else if function != function::SSL_SERVER_NAME {
        return false;
    }
    STREAMS.get_ptr(key).is_some_and(|stream| {
        // SAFETY: the value stays mapped while a program runs.
        let stream = unsafe { &*stream };
        stream.sent | stream.received != 0
    })
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
    let is_write = function::is_write(cookie::function(cookie));
    let exit = cookie & cookie::NO_EXIT == 0
        && (flags & target::EXITS_PROBED != 0 || usage.flags & usage::EXITS_PROBED != 0)
        && usage.flags & usage::MOVES_STACKS == 0;
    if !is_write && !exit {
        // Nobody will see what it gives.
        return None;
    }
    let is_uncork = cookie::function(cookie) == function::GNUTLS_UNCORK;
    let holds_calls = exit && (is_write || is_uncork);
    // Arguments are read from the context each time: there is no stack to keep
    // them on.
    // The buffer of a call that repeats the last one without naming it.
    let mut repeated = 0;
    let known = if holds_calls {
        stream(&*key)
    } else {
        // SAFETY: the value stays mapped while a program runs.
        STREAMS
            .get_ptr_mut(&*key)
            .map(|known| unsafe { &mut *known })
    };
    if let Some(stream) = known {
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
        // the two calls counts, the outer one. Under one that sends what the stream
        // was given before, and has no buffer, none counts.
        if holds_calls {
            let frame = frame(ctx, cookie);
            let is_nested = stream.frame > frame
                && stream.frame - frame < NESTED
                && (stream.buffer == 0 || stream.buffer == ctx.arg(1)?);
            if is_nested {
                // Its end finds a call that has ended.
                key.handle = frame;
                _ = CALLS.insert(&*key, ZERO_CALL.get(0)?, 0);
                return None;
            }
            stream.frame = frame;
            if is_uncork {
                // Zeroes in a row would become a call.
                // SAFETY: a reference to the field.
                unsafe { (&raw mut stream.buffer).write_volatile(0) };
            } else if ctx.arg::<u64>(1)? == 0 {
                repeated = stream.buffer;
            } else {
                stream.buffer = ctx.arg(1)?;
            }
            stream.offered = 0;
        }
    }
    key.handle = frame(ctx, cookie);
    let call = call_of(key)?;
    // SAFETY: no other call in flight has this frame.
    unsafe {
        (*call).stream.tgid = key.tgid;
        (*call).stream.handle = ctx.arg(0)?;
        (*call).buffer = ctx.arg::<u64>(1)? | repeated;
        (*call).count = count_address(ctx, cookie::function(cookie))?;
        (*call).function = u32::from(cookie::function(cookie));
        (*call).flags = if cookie & cookie::NO_READS == 0 {
            0
        } else {
            u32::from(flag::ONE_WAY)
        };
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

/// What is kept of the call that `key` names by its frame, made if it is new.
#[inline(always)]
pub(crate) fn call_of(key: &StreamKey) -> Option<*mut Call> {
    let mut call = CALLS.get_ptr_mut(key);
    if call.is_none() {
        if CALLS.insert(key, ZERO_CALL.get(0)?, 0).is_err() {
            count(counter::TABLE_FULL, 1);
            return None;
        }
        call = CALLS.get_ptr_mut(key);
    }
    call
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
    // As in `name`.
    let fourth = opaque(ctx.arg(3)?);
    let fifth = opaque(ctx.arg(4)?);
    Some(match function {
        function::SSL_WRITE_EX | function::SSL_READ_EX => fourth,
        function::SSL_WRITE_EX2 => fifth,
        _ => 0,
    })
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
    let call = CALLS.get_ptr_mut(&key);
    // Whoever has begun a call is watched. Of others nothing is kept, also where a
    // file is hooked for all.
    if call.is_none() {
        watched_process()?;
    }
    let usage = charged(key.tgid, cookie)?;
    if usage.flags & usage::MOVES_STACKS != 0 {
        return None;
    }
    let Some(call) = call else {
        let flags = *TARGETS.get(cookie::target(cookie))?;
        let is_probed = flags & target::EXITS_PROBED != 0 || usage.flags & usage::EXITS_PROBED != 0;
        if is_probed && cookie & cookie::SHARED == 0 {
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
    let is_uncork = call!(buffer, function) == u32::from(function::GNUTLS_UNCORK);
    let count_address = call!(buffer, count);
    let length = if is_uncork {
        0
    } else if count_address == 0 {
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
    if (is_uncork || function::is_write(call!(buffer, function) as u8))
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

macro_rules! programs {
    ($($function:ident = $number:literal, $program:ident, $about:literal;)+) => {
        $(
            #[uprobe]
            pub(crate) fn $program(ctx: ProbeContext) -> u32 {
                _ = call(&ctx, fixed(function::$function));
                0
            }
        )+
    };
}
phiwatch_ebpf::library_functions!(programs);

#[uprobe]
pub(crate) fn ssl_exit(ctx: ProbeContext) -> u32 {
    _ = end(&ctx, fixed(0));
    0
}

/// The dynamic loader has changed the list of a process's libraries, or is about
/// to: both glibc and musl call an empty function then, for debuggers. Unlike
/// tracepoints on system calls this costs nothing but where libraries are loaded.
#[inline(always)]
fn loaded(key: &StreamKey) -> Option<()> {
    // SAFETY: the helper has no precondition.
    let now = unsafe { bpf_ktime_get_ns() };
    // Where the table had no room for the process, its entry is one that it shares
    // with others, and what they load says nothing of it.
    if let Some(usage) = known_usage(key.tgid) {
        if now - usage.loaded < TELL_EVERY {
            return None;
        }
        usage.loaded = now;
    }
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

/// Where the server name is among the arguments of `function`, and how long it may
/// be with a final zero.
#[inline(always)]
fn name(ctx: &ProbeContext, function: u8) -> Option<(u64, u64)> {
    // All are read before one is chosen: a verifier refuses a choice between places in
    // the context.
    let second = opaque(ctx.arg(1)?);
    let third = opaque(ctx.arg(2)?);
    let fourth = opaque(ctx.arg(3)?);
    Some(match function {
        function::SSL_CTRL => (fourth, NAME_LENGTH as u64),
        function::SSL_SERVER_NAME => (second, NAME_LENGTH as u64),
        _ => (third, fourth + 1),
    })
}

#[inline(always)]
fn server_name(ctx: &ProbeContext, function: u8, key: &StreamKey) -> Option<()> {
    let kind = ctx.arg::<u64>(1)? as i32;
    if function == function::SSL_CTRL && kind != SET_SERVER_NAME
        || function == function::GNUTLS_SERVER_NAME && kind != NAME_DNS
    {
        return None;
    }
    let stream = stream(key)?;
    let mut entry = reserve_control::<NAME_LENGTH>()?;
    let record: *mut Record<NAME_LENGTH> = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record; every field of the header is
    // written, and the helper checks the source.
    let copied = unsafe {
        let header = &mut (*record).header;
        describe(header, kind::SERVER_NAME, function, SENT, key, stream.born);
        header.offset = 0;
        let (address, room) = name(ctx, function)?;
        let copied = raw_probe_read_user_str(
            (&raw mut (*record).bytes).cast(),
            bounded::<NAME_LENGTH>(room) as u32,
            address as *const _,
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
pub(crate) fn freed(key: &StreamKey) -> Option<()> {
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
