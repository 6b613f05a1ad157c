//! Uprobes on OpenSSL and its relatives.
//!
//! Only arguments and results are read, never fields of `SSL`: those move with
//! every version. A call is remembered at its entry and handed over at its
//! return, with what the library *accepted*: a write that returned WANT_WRITE is
//! retried with the same buffer and counts once; a partial write counts what it
//! took.
//!
//! | symbol | prototype |
//! |---|---|
//! | `SSL_write` | `int (SSL *, const void *buf, int num)`, result > 0: bytes |
//! | `SSL_write_ex` | `int (SSL *, const void *buf, size_t num, size_t *written)`, result 1: `*written` bytes |
//! | `SSL_read` | `int (SSL *, void *buf, int num)`, result > 0: bytes |
//! | `SSL_read_ex` | `int (SSL *, void *buf, size_t num, size_t *readbytes)`, result 1: `*readbytes` bytes |
//! | `SSL_ctrl` | `long (SSL *, int cmd, long larg, void *parg)`, cmd 55: `parg` is the server name |
//! | `SSL_free` | `void (SSL *)` |

use aya_ebpf::{
    EbpfContext as _,
    bindings::pt_regs,
    helpers::{
        bpf_get_current_pid_tgid, bpf_probe_read_user,
        generated::{
            bpf_ktime_get_ns, bpf_probe_read_user as raw_probe_read_user,
            bpf_probe_read_user_str as raw_probe_read_user_str,
        },
    },
    macros::{uprobe, uretprobe},
    programs::{ProbeContext, RetProbeContext},
};
use phiwatch_ebpf::abi::{
    Call, Header, NAME_LENGTH, RECEIVED, SENT, Stream, StreamKey, counter, flag, function, kind,
};

use crate::{
    emit::{
        self, NO_WAKEUP, REQUEST_HEAD, RESPONSE_HEAD, Record, Stretch, count, reserve_control,
        submit_control,
    },
    maps::{CALLS, REQUESTS, STREAMS, VERDICTS, ZERO_CALL, ZERO_STREAM},
    page,
    scope::{is_unwanted, watched_process},
    sniff::{Sniffed, sniff},
};

/// `SSL_CTRL_SET_TLSEXT_HOSTNAME` of OpenSSL's tls1.h.
const SET_SERVER_NAME: i32 = 55;

/// `Stream::flags`: an HTTP client speaks here.
const CLIENT: u32 = 1;
/// `Stream::flags`: an HTTP server speaks here.
const SERVER: u32 = 2;
/// `Stream::flags`: something was sent since the last head of a response.
const AWAITS_RESPONSE: u32 = 4;

#[inline(always)]
fn enter(ctx: &ProbeContext, function: u8, with_count: bool) -> Option<()> {
    watched_process()?;
    count(counter::HITS_OPENSSL, 1);
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: a uprobe's context is the registers of the interrupted thread.
    let stack = unsafe { (*ctx.as_ptr().cast::<pt_regs>()).rsp };
    let ssl: u64 = ctx.arg(0)?;
    if let Some(call) = CALLS.get_ptr(thread) {
        // SAFETY: only this thread writes the value.
        let call = unsafe { &*call };
        // A call inside another has a deeper frame. Anything else is left over
        // from a call that never returned.
        let nested = stack < call.stack;
        let same = call.stream.handle == ssl && call.function == u32::from(function);
        if nested && !same {
            return None;
        }
    } else if CALLS.insert(thread, ZERO_CALL.get(0)?, 0).is_err() {
        count(counter::TABLE_FULL, 1);
        return None;
    }
    let call = CALLS.get_ptr_mut(thread)?;
    // SAFETY: as above.
    unsafe {
        (*call).stream.tgid = (thread >> 32) as u32;
        (*call).stream.handle = ssl;
        (*call).buffer = ctx.arg(1)?;
        (*call).count = if with_count { ctx.arg(3)? } else { 0 };
        (*call).stack = stack;
        (*call).function = u32::from(function);
    }
    Some(())
}

/// The buffer of a call that returns. All of it lives in the map `CALLS`: the
/// program has no stack to keep numbers on.
struct Buffer(*mut Call);

/// Reads a field of the call from the map.
macro_rules! call {
    ($buffer:expr, $field:ident) => {
        // SAFETY: the pointer is that of a map value, which only this thread
        // writes and which stays mapped while a program runs.
        unsafe { (&raw const (*$buffer.0).$field).read_volatile() }
    };
}

impl Stretch for Buffer {
    #[inline(always)]
    fn offset(&self) -> u64 {
        call!(self, offset)
    }

    #[inline(always)]
    fn length(&self) -> u64 {
        call!(self, length)
    }

    #[inline(always)]
    fn wanted(&self) -> u64 {
        call!(self, wanted)
    }

    #[inline(always)]
    fn done(&self) -> u64 {
        call!(self, done)
    }

    #[inline(always)]
    fn set_done(&self, done: u64) {
        // SAFETY: as in `call!`.
        unsafe { (&raw mut (*self.0).done).write_volatile(done) };
    }

    #[inline(always)]
    fn copy(&self, to: *mut u8, length: u64) -> bool {
        let from = call!(self, buffer) + self.done();
        // SAFETY: the caller reserved `length` bytes at `to`; the helper checks
        // the source itself.
        let result = unsafe { raw_probe_read_user(to.cast(), length as u32, from as *const _) };
        result == 0
    }

    #[inline(always)]
    fn describe(&self, header: &mut Header) {
        let function = call!(self, function);
        let direction = if is_write(function) { SENT } else { RECEIVED };
        let stream = call!(self, stream);
        describe(
            header,
            kind::DATA,
            function as u8,
            direction,
            &stream,
            call!(self, born),
        );
        header.flags = call!(self, flags) as u8;
    }
}

#[inline(always)]
const fn is_write(function: u32) -> bool {
    function <= function::SSL_WRITE_EX as u32
}

/// Fills every field of `header` but `offset`, `captured` and `length`.
#[inline(always)]
fn describe(
    header: &mut Header,
    kind: u8,
    function: u8,
    direction: u8,
    stream: &StreamKey,
    born: u64,
) {
    header.kind = kind;
    header.function = function;
    header.direction = direction;
    header.flags = 0;
    header.tgid = stream.tgid;
    // SAFETY: the helper has no precondition.
    header.time = unsafe { bpf_ktime_get_ns() };
    header.handle = stream.handle;
    header.born = born;
}

/// The stream of `key`, made if it is new.
#[inline(always)]
fn stream(key: &StreamKey) -> Option<&'static mut Stream> {
    if STREAMS.get_ptr(key).is_none() {
        STREAMS.insert(key, ZERO_STREAM.get(0)?, 0).ok()?;
    }
    let stream = STREAMS.get_ptr_mut(key)?;
    // SAFETY: a TLS object is used by one thread at a time, and the value stays
    // mapped while a program runs.
    let stream = unsafe { &mut *stream };
    if stream.born == 0 {
        // SAFETY: the helper has no precondition.
        stream.born = unsafe { bpf_ktime_get_ns() };
    }
    Some(stream)
}

#[inline(always)]
fn leave(ctx: &RetProbeContext) -> Option<()> {
    let Some(call) = CALLS.get_ptr_mut(bpf_get_current_pid_tgid()) else {
        if watched_process().is_some() {
            count(counter::NO_ENTRY, 1);
        }
        return None;
    };
    let buffer = Buffer(call);
    // SAFETY: a uretprobe's context is the registers of the returning thread,
    // after the return address has been taken off the stack.
    let stack = unsafe { (*ctx.as_ptr().cast::<pt_regs>()).rsp };
    if stack != call!(buffer, stack) + 8 {
        return None;
    }
    // The result is a C int: widened, -1 would be a huge number of bytes.
    let result = ctx.ret::<u64>() as i32;
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
        unsafe { (*call).length = length };
        if transferred(&buffer).is_some() {
            emit::data(&buffer, counter::BYTES_OPENSSL);
        }
    }
    // The entry may be gone if its thread was swept; nothing to do then.
    _ = CALLS.remove(bpf_get_current_pid_tgid());
    Some(())
}

/// Moves the stream on by the call's length, and decides how much of it is
/// handed over: `None` for nothing at all.
#[inline(always)]
fn transferred(buffer: &Buffer) -> Option<()> {
    // SAFETY: as in `call!`. The key is passed where it lies.
    let stream = stream(unsafe { &(*buffer.0).stream })?;
    let length = buffer.length();
    let offset;
    let wanted;
    if is_write(call!(buffer, function)) {
        offset = stream.sent;
        stream.sent += length;
        if stream.flags & SERVER != 0 {
            return respond(buffer, stream, offset);
        }
        // SAFETY: as in `call!`.
        let unwanted = is_unwanted(unsafe { &(*buffer.0).stream }, stream);
        let sniffed = if stream.flags & CLIENT == 0 || unwanted {
            sniff(first(buffer), length)
        } else {
            Sniffed::Request
        };
        match sniffed {
            Sniffed::Request => stream.flags |= CLIENT | AWAITS_RESPONSE,
            Sniffed::Response => {
                stream.flags |= SERVER;
                return respond(buffer, stream, offset);
            }
            // A client that is known speaks on; a stream that is not known yet
            // may have been joined in the middle of a body.
            _ if stream.flags & CLIENT == 0 => return None,
            _ => {}
        }
        wanted = if !unwanted {
            length
        } else if sniffed == Sniffed::Request {
            if length < REQUEST_HEAD {
                length
            } else {
                REQUEST_HEAD
            }
        } else {
            0
        };
    } else {
        offset = stream.received;
        stream.received += length;
        if stream.flags & CLIENT == 0 {
            return asked(buffer, stream, offset);
        }
        if stream.flags & (CLIENT | AWAITS_RESPONSE) != CLIENT | AWAITS_RESPONSE {
            return None;
        }
        stream.flags &= !AWAITS_RESPONSE;
        // SAFETY: as in `call!`.
        if is_unwanted(unsafe { &(*buffer.0).stream }, stream) {
            return None;
        }
        wanted = if length < RESPONSE_HEAD {
            length
        } else {
            RESPONSE_HEAD
        };
    }
    // SAFETY: as in `call!`.
    unsafe {
        (*buffer.0).born = stream.born;
        (*buffer.0).offset = offset;
        (*buffer.0).wanted = wanted;
        (*buffer.0).flags = 0;
    }
    Some(())
}

/// The first four bytes of the call's buffer. Of a short one the rest is
/// whatever lies behind it and is not looked at.
#[inline(always)]
fn first(buffer: &Buffer) -> u32 {
    let address = call!(buffer, buffer) as *const u32;
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_user(address) }.unwrap_or(0)
}

/// A server sends: hands over what is part of a page, behind the request that
/// it answers.
#[inline(always)]
fn respond(buffer: &Buffer, stream: &mut Stream, offset: u64) -> Option<()> {
    let sniffed = sniff(first(buffer), buffer.length());
    let wanted = page::wanted(buffer, stream, sniffed);
    if wanted == 0 {
        return None;
    }
    // SAFETY: as in `call!`. The key is passed where it lies.
    unsafe {
        (*buffer.0).born = stream.born;
        (*buffer.0).offset = offset;
        (*buffer.0).wanted = wanted;
        (*buffer.0).flags = u32::from(flag::SERVER);
        let key = &(*buffer.0).stream;
        page::request(key, counter::BYTES_OPENSSL, |header| {
            describe(
                header,
                kind::DATA,
                function::SSL_READ,
                RECEIVED,
                key,
                stream.born,
            );
            header.flags = flag::SERVER;
        });
    }
    Some(())
}

/// A process that has sent no request reads: if it reads one, it is a server,
/// and the request is kept. Nothing is handed over now.
#[inline(always)]
fn asked(buffer: &Buffer, stream: &mut Stream, offset: u64) -> Option<()> {
    if sniff(first(buffer), buffer.length()) != Sniffed::Request
        || buffer.length() < page::SHORTEST_REQUEST
    {
        return None;
    }
    stream.flags |= SERVER;
    // SAFETY: as in `call!`. The key is passed where it lies.
    page::keep(
        unsafe { &(*buffer.0).stream },
        offset,
        buffer.length(),
        |to, length| {
            let from = call!(buffer, buffer);
            // SAFETY: the map's value has room for `length` bytes; the helper
            // checks the source itself.
            let result = unsafe { raw_probe_read_user(to.cast(), length as u32, from as *const _) };
            result == 0
        },
    );
    None
}

#[uprobe]
pub(crate) fn ssl_write_enter(ctx: ProbeContext) -> u32 {
    _ = enter(&ctx, function::SSL_WRITE, false);
    0
}

#[uretprobe]
pub(crate) fn ssl_leave(ctx: RetProbeContext) -> u32 {
    _ = leave(&ctx);
    0
}

#[uprobe]
pub(crate) fn ssl_write_ex_enter(ctx: ProbeContext) -> u32 {
    _ = enter(&ctx, function::SSL_WRITE_EX, true);
    0
}

#[uprobe]
pub(crate) fn ssl_read_enter(ctx: ProbeContext) -> u32 {
    _ = enter(&ctx, function::SSL_READ, false);
    0
}

#[uprobe]
pub(crate) fn ssl_read_ex_enter(ctx: ProbeContext) -> u32 {
    _ = enter(&ctx, function::SSL_READ_EX, true);
    0
}

#[uprobe]
pub(crate) fn ssl_ctrl(ctx: ProbeContext) -> u32 {
    _ = server_name(&ctx);
    0
}

#[inline(always)]
fn server_name(ctx: &ProbeContext) -> Option<()> {
    if ctx.arg::<u64>(1)? as i32 != SET_SERVER_NAME {
        return None;
    }
    let tgid = watched_process()?;
    let ssl: u64 = ctx.arg(0)?;
    let name: u64 = ctx.arg(3)?;
    let key = StreamKey {
        tgid,
        padding: 0,
        handle: ssl,
    };
    let stream = stream(&key)?;
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
            &key,
            stream.born,
        );
        header.offset = 0;
        let copied = raw_probe_read_user_str(
            (&raw mut (*record).bytes).cast(),
            NAME_LENGTH as u32,
            name as *const _,
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

#[uprobe]
pub(crate) fn ssl_free(ctx: ProbeContext) -> u32 {
    _ = freed(&ctx);
    0
}

#[inline(always)]
fn freed(ctx: &ProbeContext) -> Option<()> {
    let tgid = watched_process()?;
    let ssl: u64 = ctx.arg(0)?;
    let key = StreamKey {
        tgid,
        padding: 0,
        handle: ssl,
    };
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
        describe(header, kind::CLOSED, function::SSL_FREE, SENT, &key, born);
        header.offset = sent;
        header.captured = 0;
        header.length = 0;
    }
    submit_control(entry);
    Some(())
}
