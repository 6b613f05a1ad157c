//! QUIC: the first datagrams of each connection, which name the server.
//!
//! A program of its own beside `egress`, so that neither grows the other's path
//! through the verifier, and each can fail alone. What begins a connection is a
//! datagram with an Initial packet of a client (RFC 9000, section 17.2.2; RFC 9369,
//! section 3.2). Such datagrams are handed over, up to [`MAX_DATAGRAMS`] of a
//! connection: a hello with post-quantum key shares takes two or three. They are
//! encrypted with keys that anyone can derive, which user space does.
//!
//! | a datagram | costs |
//! |---|---|
//! | of a socket whose first [`MAX_OTHERS`] were no QUIC | one look-up |
//! | of a socket with one peer, once the server has answered | one look-up |
//! | of a socket without one that has had a QUIC connection | its headers are read |
//!
//! One socket may have many connections. A client keeps its own connection id while
//! it greets, so that id and the peer tell them apart, the last
//! [`MAX_CONNECTIONS`] of them. Its id for the server changes when the server
//! answers: that ends a stream.
//!
//! - A server's first packet looks the same, and is handed over as well, unless its
//!   client's id is shorter than what a client must give a server. It cannot be
//!   decrypted, so user space ignores it.
//! - If two connections of one socket greet at the same moment, what the first sends
//!   after the second began is not handed over.
//!
//! `connect4` and `connect6` tell which process a socket belongs to, `sendmsg4` and
//! `sendmsg6` do where it is not connected.

use core::ptr;

use aya_ebpf::{
    bindings::{BPF_SK_STORAGE_GET_F_CREATE, bpf_sock},
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{bpf_ktime_get_ns, bpf_sk_fullsock, bpf_sk_storage_get},
    },
    macros::{cgroup_skb, cgroup_sock_addr},
    programs::{SkBuffContext, SockAddrContext},
};
use aya_log_ebpf::debug;
use phiwatch_ebpf::abi::{
    Flow, MAX_CONNECTIONS, SENT, counter,
    flow::{CONNECTED, ENDED, IGNORED},
    scope,
};

use crate::{
    emit::{self, count, opaque},
    maps::{FLOWS, SCOPE},
    packet::{IPPROTO_UDP, Segment, datagram},
    scope::is_watched,
    socket_records::{Origin, Payload, closed, opened},
};

/// The packet, the connection, goes on.
const PASS: i32 = 1;

/// A client pads a datagram with an Initial packet to at least as much (RFC 9000,
/// section 14.1).
const MIN_DATAGRAM: u32 = 1200;
/// How many datagrams of a connection are handed over.
const MAX_DATAGRAMS: u32 = 4;
/// How much of one packet is handed over, which may be several datagrams.
const MAX_BYTES: u64 = 8192;
/// How many datagrams that are no QUIC a socket may send before it is ignored.
const MAX_OTHERS: u32 = 8;

const VERSION_1: u32 = 1;
const VERSION_2: u32 = 0x6b33_43cf;
/// The first byte of an Initial packet, with [`TYPE`] masked.
const INITIAL_1: u8 = 0xc0;
const INITIAL_2: u8 = 0xd0;
/// The bits that are not encrypted: long header, fixed bit and type.
const TYPE: u8 = 0xf0;
/// What a client calls a server that it knows nothing of has at least as many bytes,
/// and no id has more than [`MAX_ID`].
const MIN_ID: u8 = 8;
const MAX_ID: u8 = 20;

#[cgroup_sock_addr(sendmsg4)]
pub(crate) fn sendmsg4(ctx: SockAddrContext) -> i32 {
    send(&ctx);
    PASS
}

#[cgroup_sock_addr(sendmsg6)]
pub(crate) fn sendmsg6(ctx: SockAddrContext) -> i32 {
    send(&ctx);
    PASS
}

#[cgroup_skb(egress)]
pub(crate) fn egress_udp(ctx: SkBuffContext) -> i32 {
    _ = sent(&ctx);
    PASS
}

/// A socket of UDP gets a peer. It may have had another one.
#[inline(always)]
pub(crate) fn connect(ctx: &SockAddrContext) {
    own(ctx, |flow, tgid| {
        *flow = Flow {
            tgid,
            flags: CONNECTED,
            ..Flow::default()
        };
    });
}

/// A socket sends a datagram to a peer that it names.
#[inline(always)]
fn send(ctx: &SockAddrContext) {
    own(ctx, |flow, tgid| {
        if flow.tgid != tgid {
            flow.tgid = tgid;
        }
    });
}

/// Notes something about a socket of the current process.
#[inline(always)]
fn own(ctx: &SockAddrContext, note: impl FnOnce(&mut Flow, u32)) {
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    // SAFETY: the context's socket is valid; the map allows it.
    let flow = unsafe { FLOWS.get_or_insert_ptr_mut(ctx, None) };
    // SAFETY: the value lives as long as its socket.
    match unsafe { flow.as_mut() } {
        Some(flow) => note(flow, tgid),
        None => count(counter::TABLE_FULL, 1),
    }
}

/// What is known of the socket of a packet of UDP.
#[inline(always)]
fn known<'a>(ctx: &SkBuffContext) -> Option<&'a mut Flow> {
    // SAFETY: the context is valid, and the verifier checks every access. The value
    // lives as long as its socket, which the packet holds.
    unsafe {
        let socket = (*ctx.skb.skb).__bindgen_anon_2.sk;
        if socket.is_null() {
            return None;
        }
        let socket: *mut bpf_sock = bpf_sk_fullsock(socket);
        if socket.is_null() || (*socket).protocol != u32::from(IPPROTO_UDP) {
            return None;
        }
        let map = (&raw const FLOWS).cast_mut().cast();
        let make = u64::from(BPF_SK_STORAGE_GET_F_CREATE);
        let flow = bpf_sk_storage_get(map, socket.cast(), ptr::null_mut(), make);
        if flow.is_null() {
            count(counter::TABLE_FULL, 1);
        }
        flow.cast::<Flow>().as_mut()
    }
}

#[inline(always)]
fn sent(ctx: &SkBuffContext) -> Option<()> {
    let flow = known(ctx)?;
    if flow.flags & IGNORED != 0 {
        return None;
    }
    let datagram = datagram(ctx)?;
    let Some(ids) = initial(ctx, &datagram) else {
        other(flow);
        return None;
    };
    if flow.born == 0 || flow.connection != ids.connection {
        begin(ctx, &datagram, flow, &ids)?;
    } else if flow.flags & ENDED != 0 {
        return None;
    } else if flow.destination != ids.destination {
        end(ctx, flow);
        return None;
    }
    count(counter::HITS_SOCKET, 1);
    let origin = Origin::of_flow(ctx, flow);
    let mut range = Payload::of(ctx, &datagram, origin, SENT, flow.next);
    let wanted = range.length;
    range.wanted = opaque(if wanted < MAX_BYTES {
        wanted
    } else {
        MAX_BYTES
    });
    if range.wanted < 2048 {
        emit::chunk::<_, 2048, false>(&range);
    } else {
        emit::chunk::<_, 8192, false>(&range);
    }
    flow.next = flow.next.wrapping_add(datagram.length);
    flow.datagrams += 1;
    if flow.datagrams >= MAX_DATAGRAMS {
        end(ctx, flow);
    }
    Some(())
}

/// A datagram begins no connection.
#[inline(always)]
fn other(flow: &mut Flow) {
    if flow.begun == 0 {
        flow.others += 1;
        if flow.others >= MAX_OTHERS {
            flow.flags |= IGNORED;
        }
    }
}

/// What tells connections apart.
struct Ids {
    connection: u64,
    /// The beginning of the server's id, 0 if it is short.
    destination: u64,
}

/// Reads the header of a datagram that begins with an Initial packet.
#[inline(always)]
fn initial(ctx: &SkBuffContext, datagram: &Segment) -> Option<Ids> {
    if datagram.length < MIN_DATAGRAM {
        return None;
    }
    let at = datagram.payload as usize;
    let kind = ctx.load::<u8>(at).ok()? & TYPE;
    if kind != INITIAL_1 && kind != INITIAL_2 {
        return None;
    }
    let version = u32::from_be(ctx.load(at + 1).ok()?);
    let expected = if kind == INITIAL_1 {
        VERSION_1
    } else {
        VERSION_2
    };
    if version != expected {
        return None;
    }
    let length: u8 = ctx.load(at + 5).ok()?;
    if length > MAX_ID {
        return None;
    }
    let destination = if length < MIN_ID {
        0
    } else {
        ctx.load::<u64>(at + 6).ok()?
    };
    let source = at + 6 + usize::from(length);
    let length: u8 = ctx.load(source).ok()?;
    let id = match length {
        0 => 0,
        1..4 => u64::from(ctx.load::<u8>(source + 1).ok()?),
        4..8 => u64::from(ctx.load::<u32>(source + 1).ok()?),
        8..=MAX_ID => ctx.load::<u64>(source + 1).ok()?,
        _ => return None,
    };
    let peer = if datagram.version == 4 {
        u64::from(ctx.load::<u32>(16).ok()?)
    } else {
        ctx.load::<u64>(24).ok()? ^ ctx.load::<u64>(32).ok()?
    };
    let port: u16 = ctx.load(datagram.transport as usize + 2).ok()?;
    let ends = u64::from(port) << 8 | u64::from(length);
    Some(Ids {
        connection: mixed(mixed(id, peer), ends),
        destination,
    })
}

#[inline(always)]
fn mixed(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 32
}

/// Begins a connection, unless it is known, or its process is not watched.
#[inline(always)]
fn begin(ctx: &SkBuffContext, datagram: &Segment, flow: &mut Flow, ids: &Ids) -> Option<()> {
    if ids.destination == 0 || flow.connections.contains(&ids.connection) {
        return None;
    }
    let settings = SCOPE.get(0)?;
    let listed = settings.flags & scope::PROCESSES != 0;
    if (listed && flow.tgid == 0) || !is_watched(settings, flow.tgid) {
        return None;
    }
    if flow.born != 0 && flow.flags & ENDED == 0 {
        end(ctx, flow);
    }
    // SAFETY: the helper has no precondition.
    flow.born = unsafe { bpf_ktime_get_ns() };
    flow.connection = ids.connection;
    flow.destination = ids.destination;
    let slot = flow.begun as usize % MAX_CONNECTIONS;
    flow.connections[slot] = ids.connection;
    flow.begun = flow.begun.wrapping_add(1).max(1);
    flow.next = 0;
    flow.datagrams = 0;
    flow.flags &= !(ENDED | IGNORED);
    debug!(ctx, "process {} begins a QUIC connection", flow.tgid);
    opened(ctx, datagram, Origin::of_flow(ctx, flow), SENT);
    Some(())
}

/// Ends the stream of the last connection. Nothing else follows on a socket with one
/// peer.
#[inline(always)]
fn end(ctx: &SkBuffContext, flow: &mut Flow) {
    flow.flags |= ENDED;
    if flow.flags & CONNECTED != 0 {
        flow.flags |= IGNORED;
    }
    closed(&Origin::of_flow(ctx, flow), SENT);
}
