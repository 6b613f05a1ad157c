//! Uprobes on Go's `crypto/tls`.
//!
//! | function | what is read |
//! |---|---|
//! | `(*Conn).writeRecordLocked(typ recordType, data []byte) (int, error)` | type 23: `data` |
//! | `(*Conn).clientHandshake(ctx context.Context) error` | a connection begins at this address, or is renegotiated |
//! | `(*Conn).serverHandshake(ctx context.Context) error` | one of a server begins there |
//! | `(*Conn).Close() error` | it ends |
//!
//! Since Go 1.17 arguments come in registers: the receiver in `rax`, then `rbx`, `rcx`
//! and `rdi` (Go's ABI specification, "amd64 architecture"). All of them are read where
//! the function begins, behind the test of the stack's size: that one may start the
//! function again on a larger stack.
//!
//! `writeRecordLocked` is where data of the application and of the handshake meet, so
//! that nothing is seen which was never sent because the handshake failed. It sends
//! all or breaks the connection for good, which is why no end of a call is needed.
//! None could be had: a goroutine's stack moves, so that no address in it names a call.
//! That is also why nothing is known of what a Go program receives.
//!
//! A program that never closes a connection leaves its address to another, which its
//! handshake tells. A renegotiation looks the same: of a request in whose middle it
//! falls the rest is not read.

#![expect(
    clippy::needless_borrows_for_generic_args,
    reason = "a key is passed where it lies: a copy would take stack"
)]

use aya_ebpf::{
    EbpfContext as _, bindings::pt_regs, helpers::bpf_get_current_pid_tgid, programs::ProbeContext,
};
use phiwatch_ebpf::abi::{StreamKey, cookie, flag, function, target};

use crate::{
    emit::add,
    maps::{STREAMS, TARGETS},
    scope::watched_process,
    tls::{call_of, charged, freed, is_interrupted},
    transfer::{Buffer, SERVER, hand_over, transferred},
};

/// `recordTypeApplicationData` of Go's `crypto/tls` (RFC 8446, section 5.1).
const APPLICATION_DATA: u8 = 23;

/// A hit in one of the functions.
#[inline(always)]
pub(crate) fn call(ctx: &ProbeContext, cookie: u64) -> Option<()> {
    // SAFETY: a uprobe's context is the registers of the interrupted thread.
    let registers = unsafe { &*ctx.as_ptr().cast::<pt_regs>() };
    let mut key = StreamKey {
        tgid: watched_process()?,
        padding: 0,
        handle: registers.rax,
    };
    let usage = charged(key.tgid, cookie)?;
    if *TARGETS.get(cookie::target(cookie))? & target::ENABLED == 0 {
        return None;
    }
    let is_write = cookie::function(cookie) == function::GO_WRITE;
    if !is_write || is_interrupted(&key, usage) {
        freed(&key);
    }
    if !is_write || registers.rbx as u8 != APPLICATION_DATA || registers.rdi == 0 {
        return None;
    }
    if let Some(stream) = STREAMS.get_ptr_mut(&key) {
        // SAFETY: the value stays mapped while a program runs.
        let stream = unsafe { &mut *stream };
        if stream.flags & SERVER != 0 {
            // Without the requests that they answer, pages are of no use.
            add(&raw mut usage.served, 1);
            stream.sent += registers.rdi;
            return None;
        }
        // No call repeats one, or goes on where one had to stop.
        stream.offered = 0;
    }
    // What is kept of the call is of use up to the end of this program alone, during
    // which its thread runs nothing else. No frame is as low as the number of a thread.
    key.handle = bpf_get_current_pid_tgid() & 0xffff_ffff;
    let call = call_of(&key)?;
    // SAFETY: no other call in flight has this key.
    unsafe {
        (*call).stream.tgid = key.tgid;
        (*call).stream.handle = registers.rax;
        (*call).buffer = registers.rcx;
        (*call).length = registers.rdi;
        (*call).function = u32::from(function::GO_WRITE);
        (*call).flags = u32::from(flag::ONE_WAY);
    }
    let call = Buffer(call);
    if transferred(&call, Some(false)).is_some() {
        hand_over(&call);
    }
    // SAFETY: as above.
    unsafe { (*call.0).stream.handle = 0 };
    Some(())
}
