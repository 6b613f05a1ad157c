//! cgroup-v2 programs on the sockets of the scope.
//!
//! Egress sees every segment whatever system call sent it (write, sendmsg,
//! sendfile, `io_uring`), needs no kernel structure and costs nothing measurable.
//! A stream's first bytes decide: a request of HTTP/1 is handed over whole, a
//! TLS handshake up to its ClientHello, anything else is left alone. Ingress
//! gives the heads of responses to requests that were handed over. Where a
//! request comes in, the process is a server: of what it sends only pages are
//! handed over, each behind the request that it answers. `connect4`
//! and `connect6` say which process a socket belongs to. No program ever
//! refuses a packet or a connection.

use core::cell::Cell;

use aya_ebpf::{
    EbpfContext as _,
    bindings::bpf_sock_addr,
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{bpf_get_socket_cookie, bpf_ktime_get_ns, bpf_skb_load_bytes},
    },
    macros::{cgroup_skb, cgroup_sock_addr},
    programs::{SkBuffContext, SockAddrContext},
};
use aya_log_ebpf::debug;
use phiwatch_ebpf::abi::{
    Addresses, Header, RECEIVED, SENT, Stream, StreamKey, counter, flag, function, kind, scope,
};

use crate::{
    emit::{
        self, REQUEST_HEAD, RESPONSE_HEAD, Record, Stretch, count, reserve_control, submit_control,
    },
    maps::{REQUESTS, SCOPE, SOCKETS, STREAMS, VERDICTS, ZERO_STREAM},
    packet::{self, Segment, TCP_FIN_OR_RST, TCP_SYN, first, segment},
    page,
    scope::{is_unwanted, is_watched},
    sniff::{Sniffed, sniff},
};

/// The packet, the connection, goes on.
const PASS: i32 = 1;

/// How much of a TLS stream is handed over: a ClientHello with post-quantum key
/// shares has about 1,800 bytes.
const HELLO: u32 = 4096;

/// `Stream::flags`: an HTTP client speaks here.
const CLIENT: u32 = 1;
/// `Stream::flags`: nothing of interest.
const IGNORED: u32 = 2;
/// `Stream::flags`: something was sent since the last head of a response.
const AWAITS_RESPONSE: u32 = 4;
/// `Stream::flags`: TLS.
const TLS: u32 = 8;
/// `Stream::flags`: the stream was joined after its connection had begun.
const LATE: u32 = 16;
/// `Stream::flags`: the base of the received direction is known.
const RECEIVED_KNOWN: u32 = 32;
/// `Stream::flags`: an HTTP server speaks here.
const SERVER: u32 = 64;

/// The handshake message of RFC 8446, section 4.
const CLIENT_HELLO: u8 = 1;
const SOCK_STREAM: u32 = 1;

#[cgroup_sock_addr(connect4)]
pub(crate) fn connect4(ctx: SockAddrContext) -> i32 {
    connect(&ctx);
    PASS
}

#[cgroup_sock_addr(connect6)]
pub(crate) fn connect6(ctx: SockAddrContext) -> i32 {
    connect(&ctx);
    PASS
}

#[inline(always)]
fn connect(ctx: &SockAddrContext) {
    let address: *mut bpf_sock_addr = ctx.as_ptr().cast();
    // SAFETY: the context is valid; the verifier checks the access.
    if unsafe { (*address).type_ } != SOCK_STREAM {
        return;
    }
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    // SAFETY: the helper takes the program's own context.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    if SOCKETS.insert(cookie, tgid, 0).is_err() {
        count(counter::TABLE_FULL, 1);
    }
    debug!(ctx, "socket {} belongs to process {}", cookie, tgid);
}

#[cgroup_skb(egress)]
pub(crate) fn egress(ctx: SkBuffContext) -> i32 {
    _ = sent(&ctx);
    PASS
}

#[cgroup_skb(ingress)]
pub(crate) fn ingress(ctx: SkBuffContext) -> i32 {
    _ = received(&ctx);
    PASS
}

/// A packet's payload, and the stream that it belongs to.
struct Payload<'a> {
    ctx: &'a SkBuffContext,
    start: u32,
    cookie: u64,
    direction: u8,
    stream: &'a Stream,
    offset: u64,
    length: u64,
    wanted: u64,
    done: Cell<u64>,
}

impl Stretch for Payload<'_> {
    #[inline(always)]
    fn offset(&self) -> u64 {
        self.offset
    }

    #[inline(always)]
    fn length(&self) -> u64 {
        self.length
    }

    #[inline(always)]
    fn wanted(&self) -> u64 {
        self.wanted
    }

    #[inline(always)]
    fn done(&self) -> u64 {
        self.done.get()
    }

    #[inline(always)]
    fn set_done(&self, done: u64) {
        self.done.set(done);
    }

    #[inline(always)]
    fn copy(&self, to: *mut u8, length: u64) -> bool {
        let from = self.start + self.done.get() as u32;
        // SAFETY: the caller reserved `length` bytes at `to`; the helper checks
        // the source.
        let result =
            unsafe { bpf_skb_load_bytes(self.ctx.as_ptr(), from, to.cast(), length as u32) };
        result == 0
    }

    #[inline(always)]
    fn describe(&self, header: &mut Header) {
        describe(header, kind::DATA, self.direction, self.cookie, self.stream);
    }
}

/// Fills every field of `header` but `offset`, `captured` and `length`.
#[inline(always)]
fn describe(header: &mut Header, kind: u8, direction: u8, cookie: u64, stream: &Stream) {
    header.kind = kind;
    header.function = function::SOCKET;
    header.direction = direction;
    header.flags = if stream.flags & LATE == 0 {
        0
    } else {
        flag::LATE
    };
    if stream.flags & SERVER != 0 {
        header.flags |= flag::SERVER;
    }
    header.tgid = stream.tgid;
    // SAFETY: the helper has no precondition.
    header.time = unsafe { bpf_ktime_get_ns() };
    header.handle = cookie;
    header.born = stream.born;
}

#[inline(always)]
fn key(cookie: u64) -> StreamKey {
    StreamKey {
        tgid: 0,
        padding: 0,
        handle: cookie,
    }
}

#[inline(always)]
fn sent(ctx: &SkBuffContext) -> Option<()> {
    let segment = segment(ctx)?;
    // SAFETY: the helper takes the program's own context.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    let key = key(cookie);
    let syn = segment.flags & TCP_SYN != 0;
    let known = STREAMS.get_ptr(key).is_some();
    if !known {
        if segment.length == 0 && !syn {
            return None;
        }
        STREAMS.insert(key, ZERO_STREAM.get(0)?, 0).ok()?;
    }
    let pointer = STREAMS.get_ptr_mut(key)?;
    // SAFETY: the value stays mapped while a program runs. Two processors can
    // send on one socket only one after the other.
    let stream = unsafe { &mut *pointer };
    if !known || syn {
        // SAFETY: the helper has no precondition.
        stream.born = unsafe { bpf_ktime_get_ns() };
        stream.sent = u64::from(if syn {
            segment.sequence.wrapping_add(1)
        } else {
            segment.sequence
        });
        stream.flags = if syn { 0 } else { LATE };
        own(stream, cookie)?;
    }
    if stream.flags & IGNORED != 0 {
        return None;
    }
    if segment.length > 0 {
        payload(ctx, &segment, cookie, &key, stream);
    }
    if segment.flags & TCP_FIN_OR_RST != 0 {
        if stream.flags & (CLIENT | TLS | SERVER) != 0 {
            closed(cookie, stream);
        }
        _ = STREAMS.remove(key);
        _ = VERDICTS.remove(key);
        _ = REQUESTS.remove(key);
    }
    Some(())
}

/// Notes the process behind a new stream, and whether it is watched.
#[inline(always)]
fn own(stream: &mut Stream, cookie: u64) -> Option<()> {
    // SAFETY: the value is a plain integer.
    stream.tgid = SOCKETS.get_ptr(cookie).map_or(0, |tgid| unsafe { *tgid });
    let settings = SCOPE.get(0)?;
    let listed = settings.flags & scope::PROCESSES != 0;
    if (listed && stream.tgid == 0) || !is_watched(settings, stream.tgid) {
        stream.flags |= IGNORED;
    }
    Some(())
}

#[inline(always)]
fn payload(
    ctx: &SkBuffContext,
    segment: &Segment,
    cookie: u64,
    key: &StreamKey,
    stream: &mut Stream,
) -> Option<()> {
    count(counter::HITS_SOCKET, 1);
    let length = u64::from(segment.length);
    let offset = segment.sequence.wrapping_sub(stream.sent as u32);
    let unwanted = is_unwanted(key, stream);
    let mut sniffed = Sniffed::Other;
    if stream.flags & (CLIENT | TLS) == 0 || unwanted {
        sniffed = sniff(first(ctx, segment)?, length);
    }
    if stream.flags & SERVER != 0 {
        return respond(ctx, segment, cookie, key, stream, sniffed);
    }
    if stream.flags & (CLIENT | TLS) == 0 {
        match sniffed {
            Sniffed::Request => stream.flags |= CLIENT,
            Sniffed::Response => stream.flags |= SERVER,
            // Behind the record's header of five bytes stands the kind of
            // message: only a client's first is of interest.
            Sniffed::Handshake
                if ctx.load::<u8>(segment.payload as usize + 5) == Ok(CLIENT_HELLO) =>
            {
                stream.flags |= TLS;
            }
            // The middle of a body, perhaps: look again.
            _ if stream.flags & LATE != 0 => return None,
            _ => {
                stream.flags |= IGNORED;
                return None;
            }
        }
        opened(ctx, segment, cookie, stream, SENT);
        if stream.flags & SERVER != 0 {
            return respond(ctx, segment, cookie, key, stream, sniffed);
        }
    }
    let wanted = if stream.flags & TLS != 0 {
        if offset >= HELLO {
            return None;
        }
        if length < u64::from(HELLO) {
            length
        } else {
            u64::from(HELLO)
        }
    } else if !unwanted {
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
    stream.flags |= AWAITS_RESPONSE;
    let stretch = Payload {
        ctx,
        start: segment.payload,
        cookie,
        direction: SENT,
        stream,
        offset: u64::from(offset),
        length,
        wanted,
        done: Cell::new(0),
    };
    emit::data(&stretch, counter::BYTES_SOCKET);
    Some(())
}

/// A server sends: hands over what is part of a page, behind the request that
/// it answers.
#[inline(always)]
fn respond(
    ctx: &SkBuffContext,
    segment: &Segment,
    cookie: u64,
    key: &StreamKey,
    stream: &mut Stream,
    sniffed: Sniffed,
) -> Option<()> {
    let length = u64::from(segment.length);
    let mut stretch = Payload {
        ctx,
        start: segment.payload,
        cookie,
        direction: SENT,
        stream: &Stream { ..*stream },
        offset: u64::from(segment.sequence.wrapping_sub(stream.sent as u32)),
        length,
        wanted: 0,
        done: Cell::new(0),
    };
    stretch.wanted = page::wanted(&stretch, stream, sniffed);
    if stretch.wanted == 0 {
        return None;
    }
    page::request(key, counter::BYTES_SOCKET, |header| {
        describe(header, kind::DATA, RECEIVED, cookie, stream);
    });
    emit::data(&stretch, counter::BYTES_SOCKET);
    Some(())
}

/// A process that has sent no request receives: if it is one, the process is a
/// server, whose stream begins here, and the request is kept.
#[inline(always)]
fn asked(ctx: &SkBuffContext, segment: &Segment, cookie: u64, key: &StreamKey) -> Option<()> {
    let length = u64::from(segment.length);
    if length < page::SHORTEST_REQUEST || sniff(first(ctx, segment)?, length) != Sniffed::Request {
        return None;
    }
    if STREAMS.get_ptr(key).is_none() {
        STREAMS.insert(key, ZERO_STREAM.get(0)?, 0).ok()?;
    }
    let pointer = STREAMS.get_ptr_mut(key)?;
    // SAFETY: the value stays mapped while a program runs.
    let stream = unsafe { &mut *pointer };
    if stream.born == 0 {
        // SAFETY: the helper has no precondition.
        stream.born = unsafe { bpf_ktime_get_ns() };
        // What the client acknowledges is all that was sent before.
        stream.sent = u64::from(segment.acknowledged);
        own(stream, cookie)?;
    }
    if stream.flags & IGNORED != 0 {
        return None;
    }
    if stream.flags & RECEIVED_KNOWN == 0 {
        stream.received = u64::from(segment.sequence);
        stream.flags |= RECEIVED_KNOWN;
    }
    if stream.flags & SERVER == 0 {
        stream.flags |= SERVER;
        opened(ctx, segment, cookie, stream, RECEIVED);
    }
    let offset = u64::from(segment.sequence.wrapping_sub(stream.received as u32));
    let from = segment.payload;
    page::keep(key, offset, length, |to, length| {
        // SAFETY: the map's value has room for `length` bytes; the helper checks
        // the source.
        let result = unsafe { bpf_skb_load_bytes(ctx.as_ptr(), from, to.cast(), length as u32) };
        result == 0
    })
}

#[inline(always)]
fn received(ctx: &SkBuffContext) -> Option<()> {
    let segment = segment(ctx)?;
    // SAFETY: the helper takes the program's own context.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    let key = key(cookie);
    let Some(pointer) = STREAMS.get_ptr_mut(key) else {
        return asked(ctx, &segment, cookie, &key);
    };
    // SAFETY: the value stays mapped while a program runs.
    let stream = unsafe { &mut *pointer };
    if stream.flags & (CLIENT | TLS | IGNORED) == 0 {
        return asked(ctx, &segment, cookie, &key);
    }
    if segment.flags & TCP_SYN != 0 {
        stream.received = u64::from(segment.sequence.wrapping_add(1));
        stream.flags |= RECEIVED_KNOWN;
    }
    if segment.length == 0 || stream.flags & (CLIENT | AWAITS_RESPONSE) != CLIENT | AWAITS_RESPONSE
    {
        return None;
    }
    if stream.flags & RECEIVED_KNOWN == 0 {
        stream.received = u64::from(segment.sequence);
        stream.flags |= RECEIVED_KNOWN;
    }
    if is_unwanted(&key, stream) {
        return None;
    }
    stream.flags &= !AWAITS_RESPONSE;
    let length = u64::from(segment.length);
    let offset = segment.sequence.wrapping_sub(stream.received as u32);
    let wanted = if length < RESPONSE_HEAD {
        length
    } else {
        RESPONSE_HEAD
    };
    let stretch = Payload {
        ctx,
        start: segment.payload,
        cookie,
        direction: RECEIVED,
        stream,
        offset: u64::from(offset),
        length,
        wanted,
        done: Cell::new(0),
    };
    emit::data(&stretch, counter::BYTES_SOCKET);
    Some(())
}

const SIZE: usize = size_of::<Addresses>();

/// Tells user space the addresses of a stream that it is about to see.
#[inline(always)]
fn opened(
    ctx: &SkBuffContext,
    segment: &Segment,
    cookie: u64,
    stream: &Stream,
    direction: u8,
) -> Option<()> {
    let mut entry = reserve_control::<SIZE>()?;
    let record: *mut Record<SIZE> = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record, and all of it is written.
    unsafe {
        let header = &mut (*record).header;
        describe(header, kind::SOCKET, SENT, cookie, stream);
        header.offset = 0;
        header.captured = SIZE as u32;
        header.length = SIZE as u32;
        let addresses = (&raw mut (*record).bytes).cast::<Addresses>();
        packet::addresses(ctx, segment, direction, addresses);
    }
    submit_control(entry);
    Some(())
}

#[inline(always)]
fn closed(cookie: u64, stream: &Stream) -> Option<()> {
    let mut entry = reserve_control::<0>()?;
    // SAFETY: the entry is valid for the record, and every field is written.
    unsafe {
        let header = &mut (*entry.as_mut_ptr()).header;
        describe(header, kind::CLOSED, SENT, cookie, stream);
        header.offset = 0;
        header.captured = 0;
        header.length = 0;
    }
    submit_control(entry);
    Some(())
}
