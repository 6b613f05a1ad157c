//! The headers of a packet, as a program on a cgroup sees it.

use aya_ebpf::{EbpfContext as _, helpers::generated::bpf_skb_load_bytes, programs::SkBuffContext};
use phiwatch_ebpf::abi::{Addresses, SENT};

use crate::emit::bounded;

/// The protocol number of TCP.
pub(crate) const IPPROTO_TCP: u8 = 6;
/// The protocol number of UDP.
pub(crate) const IPPROTO_UDP: u8 = 17;
/// The length of a UDP header.
const UDP_HEADER: u32 = 8;
/// The hop-by-hop options header of IPv6 (RFC 8200, section 4.3).
const HOP_BY_HOP: u8 = 0;
/// [`Segment::flags`]: the sender is done.
pub(crate) const TCP_FIN: u8 = 1;
/// [`Segment::flags`]: the connection begins.
pub(crate) const TCP_SYN: u8 = 2;
/// [`Segment::flags`]: the connection is broken off.
pub(crate) const TCP_RST: u8 = 4;

/// What a packet's headers say.
pub(crate) struct Segment {
    /// 4 or 6.
    pub(crate) version: u8,
    /// Where the header of TCP or UDP begins.
    pub(crate) transport: u32,
    /// Where the payload begins.
    pub(crate) payload: u32,
    /// Length of the payload.
    pub(crate) length: u32,
    /// Sequence number of its first byte; a SYN counts as one before it.
    pub(crate) sequence: u32,
    /// The byte that the other end wants next.
    pub(crate) acknowledged: u32,
    /// The flags of the TCP header.
    pub(crate) flags: u8,
}

/// Reads the headers of a packet of TCP.
///
/// Lengths come from the packet, not from its IP header, whose length field is
/// 0 in a packet of more than 64 KiB (big TCP).
#[inline(always)]
pub(crate) fn segment(ctx: &SkBuffContext) -> Option<Segment> {
    let first: u8 = ctx.load(0).ok()?;
    let version = first >> 4;
    // A cgroup program sees the packet from its IP header on. Only one IPv6
    // extension header occurs with TCP in practice: the hop-by-hop option that
    // holds the length of a packet of more than 64 KiB (RFC 2675).
    let (protocol, transport): (u8, u32) = match version {
        4 => (ctx.load(9).ok()?, u32::from(first & 15) * 4),
        6 => match ctx.load(6).ok()? {
            HOP_BY_HOP => {
                let units: u8 = ctx.load(41).ok()?;
                (ctx.load(40).ok()?, 48 + u32::from(units) * 8)
            }
            next => (next, 40),
        },
        _ => return None,
    };
    if protocol != IPPROTO_TCP {
        return None;
    }
    let number = u32::from_be(ctx.load(transport as usize + 4).ok()?);
    let acknowledged = u32::from_be(ctx.load(transport as usize + 8).ok()?);
    let words: u8 = ctx.load(transport as usize + 12).ok()?;
    let flags: u8 = ctx.load(transport as usize + 13).ok()?;
    let sequence = number.wrapping_add(u32::from(flags & TCP_SYN != 0));
    let payload = transport + u32::from(words >> 4) * 4;
    let length = ctx.len().saturating_sub(payload);
    Some(Segment {
        version,
        transport,
        payload,
        length,
        sequence,
        acknowledged,
        flags,
    })
}

/// Reads the headers of a packet of UDP. One that the network card is to cut into
/// several datagrams is all of them. Of IPv6 there are no extension headers: those
/// that a host sends with UDP are not worth a loop.
#[inline(always)]
pub(crate) fn datagram(ctx: &SkBuffContext) -> Option<Segment> {
    let first: u8 = ctx.load(0).ok()?;
    let version = first >> 4;
    let (protocol, transport): (u8, u32) = match version {
        4 => (ctx.load(9).ok()?, u32::from(first & 15) * 4),
        6 => (ctx.load(6).ok()?, 40),
        _ => return None,
    };
    if protocol != IPPROTO_UDP {
        return None;
    }
    let payload = transport + UDP_HEADER;
    Some(Segment {
        version,
        transport,
        payload,
        length: ctx.len().saturating_sub(payload),
        sequence: 0,
        acknowledged: 0,
        flags: 0,
    })
}

/// The first four bytes of a segment that has as many, or its first byte alone.
#[inline(always)]
pub(crate) fn first(ctx: &SkBuffContext, segment: &Segment) -> Option<u32> {
    if segment.length < 4 {
        Some(u32::from(ctx.load::<u8>(segment.payload as usize).ok()?))
    } else {
        ctx.load(segment.payload as usize).ok()
    }
}

/// Copies `length` bytes of the packet, at least 1 and at most `N`, from its byte
/// `from` on. Returns whether it could.
///
/// # Safety
/// `to` is valid for writes of `N` bytes.
#[inline(always)]
pub(crate) unsafe fn copy<const N: usize>(
    ctx: &SkBuffContext,
    from: u32,
    to: *mut u8,
    length: u64,
) -> bool {
    let length = bounded::<N>(length);
    // SAFETY: that of the caller; the helper checks the source.
    unsafe { bpf_skb_load_bytes(ctx.as_ptr(), from, to.cast(), length as u32) == 0 }
}

/// Writes both ends of the connection to `addresses`, of which `direction` says
/// which one is this host.
///
/// # Safety
/// `addresses` is valid for writes.
#[inline(always)]
pub(crate) unsafe fn addresses(
    ctx: &SkBuffContext,
    segment: &Segment,
    direction: u8,
    addresses: *mut Addresses,
) {
    // SAFETY: that of the caller.
    unsafe {
        (*addresses).version = segment.version;
        (*addresses).padding = [0; 3];
        let ports = segment.transport as usize;
        let from_port = u16::from_be(ctx.load(ports).unwrap_or_default());
        let to_port = u16::from_be(ctx.load(ports + 2).unwrap_or_default());
        let mut local = (&raw mut (*addresses).local).cast::<u32>();
        let mut peer = (&raw mut (*addresses).peer).cast::<u32>();
        if direction == SENT {
            (*addresses).local_port = from_port;
            (*addresses).peer_port = to_port;
        } else {
            (*addresses).local_port = to_port;
            (*addresses).peer_port = from_port;
            (local, peer) = (peer, local);
        }
        let (from, to, words) = if segment.version == 4 {
            (12, 16, 1)
        } else {
            (8, 24, 4)
        };
        let mut word = 0;
        while word < 4 {
            let (mut source, mut target) = (0, 0);
            if word < words {
                source = ctx.load(from + word * 4).unwrap_or_default();
                target = ctx.load(to + word * 4).unwrap_or_default();
            }
            local.add(word).write_unaligned(source);
            peer.add(word).write_unaligned(target);
            word += 1;
        }
    }
}
