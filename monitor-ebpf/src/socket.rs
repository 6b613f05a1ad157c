//! cgroup-v2 programs on the sockets of the scope.
//!
//! Egress sees every segment whatever system call sent it (write, sendmsg,
//! sendfile, `io_uring`), needs no kernel structure and costs nothing
//! measurable. The first bytes of a stream decide: an HTTP/1 request is handed
//! over whole, a TLS handshake up to its ClientHello, and anything else is
//! ignored. Ingress yields the heads of responses to these requests. Where a
//! request is received, the process is a server: only pages are handed over of
//! what it sends, each behind the request that it answers. `connect4` and
//! `connect6` tell which process a socket belongs to, of UDP as well: see
//! [`crate::quic`]. No program ever refuses a
//! packet or a connection.
//!
//! The state of a stream is kept with its socket. A packet of an ignored stream
//! costs one look-up and is not even parsed, and other sockets, however many,
//! cannot evict it. A socket that connects again starts over in `connect4` and
//! `connect6`.
//!
//! | what ends a stream | |
//! |---|---|
//! | a reset, either way | at once |
//! | FIN of the process | at once; a client that still waits for an answer: with its head |
//! | FIN of the peer | if the process has sent its own; it may go on sending till then |
//!
//! What a process sends after the peer's FIN still leaves this host. A stream
//! that ends without a packet (a timeout) is forgotten only by user space, when
//! its table is full.

use core::ptr;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{BPF_SK_STORAGE_GET_F_CREATE, BPF_TCP_LISTEN, bpf_sock, bpf_sock_addr},
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{bpf_get_socket_cookie, bpf_ktime_get_ns, bpf_sk_fullsock, bpf_sk_storage_get},
    },
    macros::{cgroup_skb, cgroup_sock_addr},
    programs::{SkBuffContext, SockAddrContext},
};
use aya_log_ebpf::debug;
use phiwatch_ebpf::abi::{
    MAX_REQUEST, RECEIVED, SENT, SocketStream, counter, kind, scope,
    socket::{
        CLIENT, ENDED, FINISHED, IGNORED, LATE, MULTIPLEXED, RECEIVED_KNOWN, SERVER, TLS, UNWANTED,
    },
};

use crate::{
    emit::{self, REQUEST_HEAD, RESPONSE_HEAD, count, opaque},
    maps::{SCOPE, SOCKET_REQUESTS, SOCKET_STREAMS, SOCKET_VERDICTS},
    packet::{self, IPPROTO_TCP, IPPROTO_UDP, Segment, TCP_FIN, TCP_RST, TCP_SYN, first, segment},
    page, quic,
    scope::is_watched,
    sniff::{MIN_HEADERS, Sniffed, is_request, sniff},
    socket_records::{Origin, Payload, end, opened, skipped},
};

/// The packet, the connection, goes on.
const PASS: i32 = 1;

/// How much of a TLS stream is handed over: a ClientHello with post-quantum key
/// shares has about 1,800 bytes.
const MAX_HELLO: u32 = 4096;

/// How many bytes may be left out before they are reported. Offsets of sockets
/// have 32 bits, half of which mean forward and half backward.
const MAX_SKIPPED: u32 = 1 << 30;

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
    // SAFETY: the context is valid; the verifier checks the accesses.
    let (kind, protocol) = unsafe { ((*address).type_, (*address).protocol) };
    if protocol == u32::from(IPPROTO_UDP) {
        quic::connect(ctx);
        return;
    }
    if kind != SOCK_STREAM {
        return;
    }
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    // SAFETY: the context's socket is valid; the map allows it.
    let stream = unsafe { SOCKET_STREAMS.get_or_insert_ptr_mut(ctx, None) };
    if stream.is_null() {
        count(counter::TABLE_FULL, 1);
        return;
    }
    // The socket may have had a connection before.
    // SAFETY: the value lives as long as its socket, which nobody else uses yet.
    unsafe {
        *stream = SocketStream {
            tgid,
            ..SocketStream::default()
        };
    }
    debug!(ctx, "process {} connects", tgid);
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

/// The socket of a packet of TCP.
#[inline(always)]
fn socket(ctx: &SkBuffContext) -> Option<*mut bpf_sock> {
    // SAFETY: the context is valid; the verifier checks every access.
    unsafe {
        let socket = (*ctx.skb.skb).__bindgen_anon_2.sk;
        if socket.is_null() {
            return None;
        }
        let socket = bpf_sk_fullsock(socket);
        // A listener stands in for each of the connections that are being made.
        if socket.is_null()
            || (*socket).protocol != u32::from(IPPROTO_TCP)
            || (*socket).state == BPF_TCP_LISTEN
        {
            return None;
        }
        Some(socket)
    }
}

/// What is known of a socket.
#[inline(always)]
fn known<'a>(socket: *mut bpf_sock) -> Option<&'a mut SocketStream> {
    // SAFETY: both are valid, and the value lives as long as its socket, which a
    // packet holds. Each of its words has one writer at a time.
    unsafe {
        let map = (&raw const SOCKET_STREAMS).cast_mut().cast();
        let stream = bpf_sk_storage_get(map, socket.cast(), ptr::null_mut(), 0);
        stream.cast::<SocketStream>().as_mut()
    }
}

/// Creates the state of a socket that has none yet.
#[inline(always)]
fn made<'a>(socket: *mut bpf_sock) -> Option<&'a mut SocketStream> {
    // SAFETY: as in `known`.
    let stream = unsafe {
        let map = (&raw const SOCKET_STREAMS).cast_mut().cast();
        let make = u64::from(BPF_SK_STORAGE_GET_F_CREATE);
        let stream = bpf_sk_storage_get(map, socket.cast(), ptr::null_mut(), make);
        stream.cast::<SocketStream>().as_mut()
    };
    if stream.is_none() {
        count(counter::TABLE_FULL, 1);
    }
    stream
}

/// Begins a stream whose first byte sent has the number `sequence`. `None` if
/// its process is not watched.
#[inline(always)]
fn begin(stream: &mut SocketStream, sequence: u32, flags: u32) -> Option<()> {
    *stream = SocketStream {
        // SAFETY: the helper has no precondition.
        born: unsafe { bpf_ktime_get_ns() },
        sent: sequence,
        flags,
        tgid: stream.tgid,
        ..SocketStream::default()
    };
    let settings = SCOPE.get(0)?;
    let listed = settings.flags & scope::PROCESSES != 0;
    if (listed && stream.tgid == 0) || !is_watched(settings, stream.tgid) {
        stream.flags |= IGNORED;
        return None;
    }
    Some(())
}

#[inline(always)]
fn sent(ctx: &SkBuffContext) -> Option<()> {
    let socket = socket(ctx)?;
    let known = known(socket);
    if let Some(stream) = &known
        && (stream.flags | stream.received_flags) & (IGNORED | ENDED) != 0
    {
        return None;
    }
    let segment = segment(ctx)?;
    let syn = segment.flags & TCP_SYN != 0;
    let is_new = known.as_ref().is_none_or(|stream| stream.born == 0);
    if is_new && segment.length == 0 && !syn {
        return None;
    }
    let stream = match known {
        Some(stream) => stream,
        None => made(socket)?,
    };
    // A retransmitted SYN begins nothing.
    if is_new || (syn && segment.sequence != stream.sent) {
        begin(stream, segment.sequence, if syn { 0 } else { LATE })?;
    }
    if segment.length > 0 {
        payload(ctx, &segment, stream);
    }
    if segment.flags & TCP_RST != 0 {
        end(ctx, stream, SENT);
    } else if segment.flags & TCP_FIN != 0 {
        stream.flags |= FINISHED;
        let awaits = stream.flags & CLIENT != 0 && stream.asked != stream.answered;
        if !awaits || stream.received_flags & FINISHED != 0 {
            end(ctx, stream, SENT);
        }
    }
    Some(())
}

#[inline(always)]
fn payload(ctx: &SkBuffContext, segment: &Segment, stream: &mut SocketStream) -> Option<()> {
    count(counter::HITS_SOCKET, 1);
    let offset = segment.sequence.wrapping_sub(stream.sent);
    let end = offset.wrapping_add(segment.length);
    // What is sent again was seen the first time.
    if (end.wrapping_sub(stream.next) as i32) <= 0 {
        return None;
    }
    stream.next = end;
    if stream.flags & TLS != 0 && offset >= MAX_HELLO {
        return None;
    }
    let sniffed = sniff(first(ctx, segment)?, u64::from(segment.length));
    if (stream.flags | stream.received_flags) & (CLIENT | SERVER | TLS) == 0 {
        match sniffed {
            Sniffed::Request => stream.flags |= CLIENT,
            Sniffed::Preface => stream.flags |= CLIENT | MULTIPLEXED,
            Sniffed::Response => stream.flags |= SERVER,
            // The message type follows the record header of five bytes: only a
            // client's first message is wanted.
            Sniffed::Handshake
                if ctx.load::<u8>(segment.payload as usize + 5) == Ok(CLIENT_HELLO) =>
            {
                stream.flags |= TLS;
            }
            // The server's side of a connection, or the middle of one.
            Sniffed::Handshake | Sniffed::Record => {
                stream.flags |= IGNORED;
                return None;
            }
            Sniffed::Headers
                if stream.flags & LATE != 0
                    && u64::from(segment.length) >= MIN_HEADERS
                    && asks_in_frames(ctx, segment) =>
            {
                stream.flags |= CLIENT | MULTIPLEXED;
            }
            // The middle of a body, perhaps: look again.
            _ if stream.flags & LATE != 0 => return None,
            Sniffed::Headers | Sniffed::Other => {
                stream.flags |= IGNORED;
                return None;
            }
        }
        stream.reported = offset;
        opened(ctx, segment, Origin::new(ctx, stream), SENT);
    }
    if stream.flags & UNWANTED != 0 && sniffed != Sniffed::Request {
        leave_out(ctx, stream);
        return None;
    }
    let mut range = Payload::new(ctx, segment, stream, SENT, offset);
    range.wanted = if stream.flags & TLS != 0 {
        at_most(range.length, MAX_HELLO.into())
    } else if (stream.flags | stream.received_flags) & SERVER != 0 {
        response(&range, stream, sniffed)?
    } else {
        request(&range, stream, sniffed)?
    };
    emit::data(&range);
    Some(())
}

/// Whether a segment begins with a request of HTTP/2.
#[inline(always)]
fn asks_in_frames(ctx: &SkBuffContext, segment: &Segment) -> bool {
    is_request(|at| ctx.load(segment.payload as usize + at).ok()) == Some(true)
}

/// The smaller of the two, opaque to the compiler: the verifier does not know
/// what the compiler knows.
#[inline(always)]
fn at_most(length: u64, limit: u64) -> u64 {
    opaque(if length < limit { length } else { limit })
}

/// Leaves out what a client just sent. That is reported with the response or
/// the next request: a record for every packet would cost more than everything
/// else.
#[inline(always)]
fn leave_out(ctx: &SkBuffContext, stream: &mut SocketStream) {
    stream.asked = stream.asked.wrapping_add(1);
    if stream.next.wrapping_sub(stream.reported) > MAX_SKIPPED {
        skipped(ctx, stream, stream.next);
        stream.reported = stream.next;
    }
}

/// How much of this range, which a client sends, is handed over: `None` if it
/// is left out for now.
#[inline(always)]
fn request(range: &Payload<'_>, stream: &mut SocketStream, sniffed: Sniffed) -> Option<u64> {
    // Looked up for each packet of a wanted request, which can become unwanted
    // at any time, and for the head that follows an unwanted one.
    let is_unwanted = is_unwanted(range.origin.cookie, stream);
    if is_unwanted {
        stream.flags |= UNWANTED;
    } else {
        stream.flags &= !UNWANTED;
    }
    if is_unwanted && sniffed != Sniffed::Request {
        leave_out(range.ctx, stream);
        return None;
    }
    if stream.asked != stream.answered {
        skipped(range.ctx, stream, range.offset as u32);
    }
    stream.asked = stream.asked.wrapping_add(1);
    stream.reported = stream.next;
    Some(if is_unwanted {
        at_most(range.length, REQUEST_HEAD)
    } else {
        range.length
    })
}

/// How much of this range, which a server sends, is handed over, behind the
/// request that it answers: `None` if it is not part of a page.
#[inline(always)]
fn response(range: &Payload<'_>, stream: &mut SocketStream, sniffed: Sniffed) -> Option<u64> {
    let wanted = page::wanted(range, stream, sniffed);
    if wanted == 0 {
        return None;
    }
    if stream.asked != stream.answered {
        stream.answered = stream.asked;
        let origin = &range.origin;
        if SOCKET_REQUESTS.get_ptr(origin.cookie).is_none() {
            count(counter::TABLE_FULL, 1);
        }
        page::request(&origin.cookie, |header| {
            origin.describe(header, kind::DATA, RECEIVED);
        });
    }
    Some(wanted)
}

/// Whether user space wants only the heads of this stream's requests.
#[inline(always)]
fn is_unwanted(cookie: u64, stream: &SocketStream) -> bool {
    match SOCKET_VERDICTS.get_ptr(cookie) {
        // SAFETY: the pointer is that of a map value, which stays mapped.
        Some(born) => unsafe { *born == stream.born },
        None => false,
    }
}

#[inline(always)]
fn received(ctx: &SkBuffContext) -> Option<()> {
    let socket = socket(ctx)?;
    let known = known(socket);
    if let Some(stream) = &known
        && (stream.flags | stream.received_flags) & (IGNORED | ENDED) != 0
    {
        return None;
    }
    let segment = segment(ctx)?;
    let Some(stream) = known.filter(|stream| stream.born != 0) else {
        return first_asked(ctx, &segment, socket);
    };
    if segment.flags & TCP_RST != 0 {
        end(ctx, stream, RECEIVED);
        return None;
    }
    if segment.flags & TCP_SYN != 0 {
        stream.received = segment.sequence;
        stream.received_flags |= RECEIVED_KNOWN;
    }
    if segment.length > 0 && stream.flags & TLS == 0 {
        if stream.flags & CLIENT == 0 {
            asked(ctx, &segment, stream);
        } else if stream.asked != stream.answered
            || stream.flags & (MULTIPLEXED | UNWANTED) == MULTIPLEXED
        {
            answered(ctx, &segment, stream);
            // Nothing else was awaited.
            if stream.flags & FINISHED != 0 {
                end(ctx, stream, RECEIVED);
                return None;
            }
        }
    }
    if segment.flags & TCP_FIN != 0 {
        stream.received_flags |= FINISHED;
        if stream.flags & FINISHED != 0 {
            end(ctx, stream, RECEIVED);
        }
    }
    Some(())
}

/// Whether a received segment begins with a request.
#[inline(always)]
fn asks(ctx: &SkBuffContext, segment: &Segment) -> Option<()> {
    let length = u64::from(segment.length);
    let asks = length >= page::MIN_REQUEST && sniff(first(ctx, segment)?, length).asks();
    asks.then_some(())
}

/// The first packet of a socket is a received one. If it is a request, the
/// process is a server, whose stream begins here.
#[inline(always)]
fn first_asked(ctx: &SkBuffContext, segment: &Segment, socket: *mut bpf_sock) -> Option<()> {
    asks(ctx, segment)?;
    let stream = made(socket)?;
    // Everything before the acknowledged number was sent earlier.
    begin(stream, segment.acknowledged, 0)?;
    asked(ctx, segment, stream)
}

/// A process that has sent no request receives data. If that is a request, the
/// process is a server, and the request is kept.
#[inline(always)]
fn asked(ctx: &SkBuffContext, segment: &Segment, stream: &mut SocketStream) -> Option<()> {
    asks(ctx, segment)?;
    if stream.received_flags & RECEIVED_KNOWN == 0 {
        stream.received = segment.sequence;
        stream.received_flags |= RECEIVED_KNOWN;
    }
    if stream.received_flags & SERVER == 0 {
        stream.received_flags |= SERVER;
        opened(ctx, segment, Origin::new(ctx, stream), RECEIVED);
    }
    let offset = segment.sequence.wrapping_sub(stream.received);
    let from = segment.payload;
    // SAFETY: the helper takes the program's own context.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    let length = u64::from(segment.length);
    page::keep(&cookie, u64::from(offset), length, |to, length| {
        // SAFETY: the map's value has room for as many bytes.
        unsafe { packet::copy::<MAX_REQUEST>(ctx, from, to, length) }
    })?;
    stream.asked = stream.asked.wrapping_add(1);
    Some(())
}

/// A client that awaits a response receives it: hands over its head, also for
/// an unwanted request. Otherwise user space would pair the request with a
/// later response.
#[inline(always)]
fn answered(ctx: &SkBuffContext, segment: &Segment, stream: &mut SocketStream) {
    stream.answered = stream.asked;
    if stream.received_flags & RECEIVED_KNOWN == 0 {
        stream.received = segment.sequence;
        stream.received_flags |= RECEIVED_KNOWN;
    }
    skipped(ctx, stream, stream.next);
    let offset = segment.sequence.wrapping_sub(stream.received);
    let mut range = Payload::new(ctx, segment, stream, RECEIVED, offset);
    range.wanted = at_most(range.length, RESPONSE_HEAD);
    emit::data(&range);
}
