//! The records that user space gets of a socket, and the payload behind them.

use core::cell::Cell;

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{bpf_get_socket_cookie, bpf_ktime_get_ns},
    programs::SkBuffContext,
};
use phiwatch_ebpf::abi::{
    Addresses, Flow, Header, SENT, SocketStream, flag, function, kind,
    socket::{CLIENT, ENDED, SERVER, TLS, UNWANTED},
};

use crate::{
    emit::{self, ByteRange, Record, opaque, reserve_control, submit_control},
    maps::{SOCKET_REQUESTS, SOCKET_VERDICTS},
    packet::{self, Segment},
};

/// What a record's header says of its stream, whose [`Header::function`] is `FUNCTION`:
/// a field would be one more thing for verifiers to follow.
#[derive(Clone, Copy)]
pub(crate) struct Origin<const FUNCTION: u8 = { function::SOCKET }> {
    pub(crate) cookie: u64,
    born: u64,
    tgid: u32,
    flags: u8,
}

impl Origin<{ function::SOCKET }> {
    #[inline(always)]
    pub(crate) fn new(ctx: &SkBuffContext, stream: &SocketStream) -> Self {
        let is = stream.flags | stream.received_flags;
        let flags = if is & SERVER == 0 { 0 } else { flag::SERVER };
        Self {
            // SAFETY: the helper takes the program's own context.
            cookie: unsafe { bpf_get_socket_cookie(ctx.as_ptr()) },
            born: stream.born,
            tgid: stream.tgid,
            flags,
        }
    }
}

impl Origin<{ function::QUIC }> {
    /// That of the last QUIC connection of a socket.
    #[inline(always)]
    pub(crate) fn of_flow(ctx: &SkBuffContext, flow: &Flow) -> Self {
        Self {
            // SAFETY: the helper takes the program's own context.
            cookie: unsafe { bpf_get_socket_cookie(ctx.as_ptr()) },
            born: flow.born,
            tgid: flow.tgid,
            flags: 0,
        }
    }
}

impl<const FUNCTION: u8> Origin<FUNCTION> {
    /// Fills every field of `header` but `offset`, `captured` and `length`.
    #[inline(always)]
    pub(crate) fn describe(&self, header: &mut Header, kind: u8, direction: u8) {
        header.kind = kind;
        header.function = FUNCTION;
        header.direction = direction;
        header.flags = self.flags;
        header.tgid = self.tgid;
        // SAFETY: the helper has no precondition.
        header.time = unsafe { bpf_ktime_get_ns() };
        header.handle = self.cookie;
        header.born = self.born;
    }
}

/// A packet's payload, and the stream that it belongs to.
pub(crate) struct Payload<'a, const FUNCTION: u8 = { function::SOCKET }> {
    pub(crate) ctx: &'a SkBuffContext,
    start: u32,
    direction: u8,
    pub(crate) origin: Origin<FUNCTION>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) wanted: u64,
    done: Cell<u64>,
}

impl<'a> Payload<'a, { function::SOCKET }> {
    /// A segment's payload, of which nothing is handed over yet.
    #[inline(always)]
    pub(crate) fn new(
        ctx: &'a SkBuffContext,
        segment: &Segment,
        stream: &SocketStream,
        direction: u8,
        offset: u32,
    ) -> Self {
        let origin = Origin::new(ctx, stream);
        Self::of(ctx, segment, origin, direction, offset)
    }
}

impl<'a, const FUNCTION: u8> Payload<'a, FUNCTION> {
    /// The payload of a packet of what `origin` says.
    #[inline(always)]
    pub(crate) fn of(
        ctx: &'a SkBuffContext,
        segment: &Segment,
        origin: Origin<FUNCTION>,
        direction: u8,
        offset: u32,
    ) -> Self {
        Self {
            ctx,
            start: segment.payload,
            direction,
            origin,
            offset: u64::from(offset),
            length: opaque(u64::from(segment.length)),
            wanted: 0,
            done: Cell::new(0),
        }
    }
}

impl<const FUNCTION: u8> ByteRange for Payload<'_, FUNCTION> {
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
    fn copy<const N: usize>(&self, to: *mut u8, length: u64) -> bool {
        let from = self.start + self.done.get() as u32;
        // SAFETY: the caller reserved `N` bytes at `to`.
        unsafe { packet::copy::<N>(self.ctx, from, to, length) }
    }

    #[inline(always)]
    fn describe(&self, header: &mut Header) {
        self.origin.describe(header, kind::DATA, self.direction);
    }
}

/// Reports what was left out before the offset `end`, if anything. Doing so
/// twice is harmless.
#[inline(always)]
pub(crate) fn skipped(ctx: &SkBuffContext, stream: &SocketStream, end: u32) {
    let length = end.wrapping_sub(stream.reported);
    if length == 0 {
        return;
    }
    let range = Payload {
        ctx,
        start: 0,
        direction: SENT,
        origin: Origin::new(ctx, stream),
        offset: u64::from(stream.reported),
        length: u64::from(length),
        wanted: 0,
        done: Cell::new(0),
    };
    emit::skipped(&range, range.length, flag::UNWANTED);
}

const SIZE: usize = size_of::<Addresses>();

/// Reports the addresses of a new stream.
#[inline(always)]
pub(crate) fn opened<const FUNCTION: u8>(
    ctx: &SkBuffContext,
    segment: &Segment,
    origin: Origin<FUNCTION>,
    direction: u8,
) -> Option<()> {
    let mut entry = reserve_control::<SIZE>()?;
    let record: *mut Record<SIZE> = entry.as_mut_ptr();
    // SAFETY: the entry is valid for the record, and all of it is written.
    unsafe {
        let header = &mut (*record).header;
        origin.describe(header, kind::SOCKET, SENT);
        header.offset = 0;
        header.captured = SIZE as u32;
        header.length = SIZE as u32;
        let addresses = (&raw mut (*record).bytes).cast::<Addresses>();
        packet::addresses(ctx, segment, direction, addresses);
    }
    submit_control(entry);
    Some(())
}

/// Ends a stream at a packet of `direction`, and reports it if user space knows
/// the stream.
#[inline(always)]
pub(crate) fn end(ctx: &SkBuffContext, stream: &mut SocketStream, direction: u8) -> Option<()> {
    if direction == SENT {
        stream.flags |= ENDED;
    } else {
        stream.received_flags |= ENDED;
    }
    let is = stream.flags | stream.received_flags;
    if is & (CLIENT | TLS | SERVER) == 0 {
        return None;
    }
    if is & CLIENT != 0 && stream.asked != stream.answered {
        skipped(ctx, stream, stream.next);
    }
    let origin = Origin::new(ctx, stream);
    if is & UNWANTED != 0 {
        // It may be forgotten already.
        _ = SOCKET_VERDICTS.remove(origin.cookie);
    }
    if is & SERVER != 0 {
        // So may this.
        _ = SOCKET_REQUESTS.remove(origin.cookie);
    }
    closed(&origin, direction)
}

/// Reports the end of a stream at a packet of `direction`.
#[inline(always)]
pub(crate) fn closed<const FUNCTION: u8>(origin: &Origin<FUNCTION>, direction: u8) -> Option<()> {
    let mut entry = reserve_control::<0>()?;
    // SAFETY: the entry is valid for the record, and every field is written.
    unsafe {
        let header = &mut (*entry.as_mut_ptr()).header;
        origin.describe(header, kind::CLOSED, direction);
        header.offset = 0;
        header.captured = 0;
        header.length = 0;
    }
    submit_control(entry);
    Some(())
}
