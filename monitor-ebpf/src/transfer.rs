//! What a call transfers, and how much of it is handed over.
//!
//! A stream's first bytes decide who speaks on it. A client's requests are handed
//! over whole, or once user space has said so their heads alone, and the heads of
//! the answers; of a server's responses pages, behind the requests that they
//! answer.

use aya_ebpf::helpers::{
    bpf_probe_read_user,
    generated::{bpf_ktime_get_ns, bpf_probe_read_user as raw_probe_read_user},
};
use phiwatch_ebpf::abi::{Call, Header, RECEIVED, Stream, StreamKey, flag, function, kind};

use crate::{
    emit::{self, ByteRange, REQUEST_HEAD, RESPONSE_HEAD, add, bounded},
    maps::{STREAMS, ZERO_STREAM},
    page,
    scope::is_unwanted,
    sniff::{MIN_HEADERS, Sniffed, is_request, sniff},
    usage::known_usage,
};

/// `Stream::flags`: an HTTP client speaks here.
const CLIENT: u32 = 1;
/// `Stream::flags`: an HTTP server speaks here.
pub(crate) const SERVER: u32 = 2;
/// `Stream::flags`: something was sent since the last head of a response.
const AWAITS_RESPONSE: u32 = 4;
/// `Stream::flags`: it is HTTP/2, where any read may begin with a response.
const MULTIPLEXED: u32 = 8;

/// The buffer of a call. All of it lives in the map `CALLS`: the program has no
/// stack to keep numbers on.
pub(crate) struct Buffer(pub(crate) *mut Call);

/// Reads a field of the call from the map.
macro_rules! call {
    ($buffer:expr, $field:ident) => {
        // SAFETY: the pointer is that of a map value, which no other call in flight
        // writes and which stays mapped while a program runs.
        unsafe { (&raw const (*$buffer.0).$field).read_volatile() }
    };
}
pub(crate) use call;

impl ByteRange for Buffer {
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
    fn copy<const N: usize>(&self, to: *mut u8, length: u64) -> bool {
        let from = call!(self, buffer) + self.done();
        let length = bounded::<N>(length);
        // SAFETY: the caller reserved `N` bytes at `to`; the helper checks the source
        // itself.
        let result = unsafe { raw_probe_read_user(to.cast(), length as u32, from as *const _) };
        result == 0
    }

    #[inline(always)]
    fn describe(&self, header: &mut Header) {
        let function = call!(self, function);
        let direction = function::direction(function as u8);
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

/// Fills every field of `header` but `offset`, `captured` and `length`.
#[inline(always)]
pub(crate) fn describe(
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
pub(crate) fn stream(key: &StreamKey) -> Option<&'static mut Stream> {
    let mut stream = STREAMS.get_ptr_mut(key);
    if stream.is_none() {
        STREAMS.insert(key, ZERO_STREAM.get(0)?, 0).ok()?;
        stream = STREAMS.get_ptr_mut(key);
    }
    let stream = stream?;
    // SAFETY: a TLS object is used by one thread at a time, and the value stays
    // mapped while a program runs.
    let stream = unsafe { &mut *stream };
    if stream.born == 0 {
        // SAFETY: the helper has no precondition.
        stream.born = unsafe { bpf_ktime_get_ns() };
    }
    Some(stream)
}

/// Hands over what is wanted of the call's buffer.
#[inline(always)]
pub(crate) fn hand_over(buffer: &Buffer) {
    emit::data(buffer);
}

/// Where in the stream a write begins of which only the entry is seen, and how
/// much of it has been handed over before.
#[inline(always)]
fn resumed(stream: &Stream, buffer: &Buffer, is_repeated: bool) -> u64 {
    let length = buffer.length();
    let address = call!(buffer, buffer);
    let began = stream.sent - stream.offered;
    let ends_alike = address + length == stream.buffer + stream.offered;
    if is_repeated && length >= stream.offered {
        began
    } else if ends_alike && address > stream.buffer {
        // SAFETY of the subtraction: the line above.
        began + (address - stream.buffer)
    } else {
        stream.sent
    }
}

/// Moves the stream on by the call's length, and decides how much of it is
/// handed over: `None` for nothing at all. `offered` is there if only the call's
/// entry is seen, and then whether the library says that the last write waits.
#[inline(always)]
pub(crate) fn transferred(buffer: &Buffer, offered: Option<bool>) -> Option<()> {
    // SAFETY: as in `call!`. The key is passed where it lies.
    let stream = stream(unsafe { &(*buffer.0).stream })?;
    let length = buffer.length();
    let offset;
    let wanted;
    if function::is_write(call!(buffer, function) as u8) {
        if let Some(is_repeated) = offered {
            offset = resumed(stream, buffer, is_repeated);
            stream.buffer = call!(buffer, buffer);
            stream.offered = length;
            if offset < stream.sent && offset + length <= stream.sent {
                // All of it was handed over when it was tried before.
                return None;
            }
            stream.sent = offset + length;
        } else {
            offset = stream.sent;
            stream.sent += length;
        }
        if stream.flags & SERVER != 0 {
            // Without the request that it answers, a page is of no use.
            return if offered.is_some() {
                None
            } else {
                respond(buffer, stream, offset)
            };
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
            Sniffed::Preface => stream.flags |= CLIENT | AWAITS_RESPONSE | MULTIPLEXED,
            // Joined behind the preface. An unwanted stream begins no other request.
            Sniffed::Headers if !unwanted && length >= MIN_HEADERS => {
                if !asks_in_frames(buffer) {
                    return None;
                }
                stream.flags |= CLIENT | AWAITS_RESPONSE | MULTIPLEXED;
            }
            Sniffed::Response => {
                stream.flags |= SERVER;
                return if offered.is_some() {
                    None
                } else {
                    respond(buffer, stream, offset)
                };
            }
            // A client that is known speaks on; a stream that is not known yet
            // may have been joined in the middle of a body.
            _ if stream.flags & CLIENT == 0 => return None,
            _ => {}
        }
        wanted = if !unwanted {
            // What a process is probed for, of which the budget takes nothing.
            if let Some(usage) = known_usage(call!(buffer, stream).tgid) {
                add(&raw mut usage.wanted, 1);
            }
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
        // Also where only the heads of requests are wanted: user space waits for
        // the answer to each.
        // SAFETY: as in `call!`.
        if stream.flags & MULTIPLEXED == 0 || is_unwanted(unsafe { &(*buffer.0).stream }, stream) {
            stream.flags &= !AWAITS_RESPONSE;
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
        if offered.is_some() {
            (*buffer.0).flags |= u32::from(flag::ONE_WAY);
        }
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

/// Whether the call's buffer begins with a request of HTTP/2.
#[inline(always)]
fn asks_in_frames(buffer: &Buffer) -> bool {
    let address = call!(buffer, buffer) as *const u8;
    is_request(|at| {
        // SAFETY: the helper checks the address.
        unsafe { bpf_probe_read_user(address.wrapping_add(at)) }.ok()
    }) == Some(true)
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
        // It says whose library it is; not which function received the request.
        let function = (*buffer.0).function as u8;
        page::request(key, |header| {
            describe(header, kind::DATA, function, RECEIVED, key, stream.born);
            header.flags = flag::SERVER;
        });
    }
    Some(())
}

/// A process that has sent no request reads: if it reads one, it is a server,
/// and the request is kept. Nothing is handed over now.
#[inline(always)]
fn asked(buffer: &Buffer, stream: &mut Stream, offset: u64) -> Option<()> {
    if !sniff(first(buffer), buffer.length()).asks() || buffer.length() < page::MIN_REQUEST {
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
