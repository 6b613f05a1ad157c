//! Plain data in the byte order of the machine: fixed-width integers, explicit
//! padding, no `bool`, `Option`, enum or `usize`. User space decodes the bytes of
//! a record one by one and counts a record with an unknown tag as lost.

/// Version of these layouts; every incompatible change changes it. The programs
/// carry it in the section [`ABI_SECTION`], and user space refuses programs of
/// another version.
pub const ABI_VERSION: u32 = 8;

/// The section of the object file that holds [`ABI_VERSION`].
pub const ABI_SECTION: &str = "abi_version";

/// Begins every record of both rings; `captured` bytes follow it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Header {
    /// What the record says: one of [`kind`].
    pub kind: u8,
    /// Which program wrote it: one of [`function`].
    pub function: u8,
    /// [`SENT`] or [`RECEIVED`].
    pub direction: u8,
    /// A set of [`flag`]s.
    pub flags: u8,
    /// Thread-group id; 0 where it is not known.
    pub tgid: u32,
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub time: u64,
    /// Address of the library's object, or cookie of the socket.
    pub handle: u64,
    /// When the kernel first saw the stream, `CLOCK_MONOTONIC`, nanoseconds.
    pub born: u64,
    /// Offset of the first byte in its direction of the stream. For sockets
    /// only the low 32 bits, as in TCP sequence numbers.
    pub offset: u64,
    /// How many bytes follow the header.
    pub captured: u32,
    /// How many bytes this record stands for; more than `captured` where bytes
    /// were left out, with the reason in `flags`.
    pub length: u32,
}

const _: () = assert!(size_of::<Header>() == 48 && align_of::<Header>() == 8);

/// The values of [`Header::kind`].
pub mod kind {
    /// Bytes of a stream. Data ring.
    pub const DATA: u8 = 1;
    /// The name that a TLS client asks for follows. Control ring.
    pub const SERVER_NAME: u8 = 2;
    /// The stream ended; `offset` is how much was sent. Control ring.
    pub const CLOSED: u8 = 3;
    /// A process called exec; its path follows. Control ring.
    pub const EXEC: u8 = 4;
    /// A process ended. Control ring.
    pub const EXIT: u8 = 5;
    /// A socket's addresses follow as [`super::Addresses`]. Control ring.
    pub const SOCKET: u8 = 6;
    /// A process has loaded libraries, or is about to. Control ring.
    pub const LIBRARY: u8 = 7;
    /// A process, `tgid`, was forked by another, whose id is in `handle`. Control
    /// ring.
    pub const FORK: u8 = 8;
    /// A process, or the thread `tgid` of it, was moved into another cgroup. Control
    /// ring.
    pub const MOVED: u8 = 9;
}

/// Calls the macro `$each` with every function of a library that is probed: its
/// name in the module `function`, its number there, and the program that probes it
/// on kernels without attach cookies. Numbers are not used again.
#[macro_export]
macro_rules! library_functions {
    ($each:ident) => {
        $each! {
            SSL_WRITE = 1, ssl_write, "`SSL_write`.";
            SSL_WRITE_EX = 2, ssl_write_ex, "`SSL_write_ex`.";
            SSL_READ = 3, ssl_read, "`SSL_read`.";
            SSL_READ_EX = 4, ssl_read_ex, "`SSL_read_ex`.";
            SSL_CTRL = 5, ssl_ctrl, "`SSL_ctrl`.";
            SSL_FREE = 6, ssl_free, "`SSL_free`.";
            SSL_WRITE_EX2 = 9, ssl_write_ex2, "`SSL_write_ex2`.";
            LOADER = 10, library_loaded, "`_dl_debug_state` of a dynamic loader.";
            GNUTLS_SEND = 11, gnutls_record_send, "`gnutls_record_send`.";
            GNUTLS_SEND2 = 12, gnutls_record_send2, "`gnutls_record_send2`.";
            GNUTLS_RECV = 13, gnutls_record_recv, "`gnutls_record_recv`.";
            GNUTLS_DEINIT = 14, gnutls_deinit, "`gnutls_deinit`.";
            GNUTLS_SERVER_NAME = 15, gnutls_server_name_set, "`gnutls_server_name_set`.";
            SSL_SERVER_NAME = 16, ssl_set_tlsext_host_name, "`SSL_set_tlsext_host_name`, where it is a function.";
            GNUTLS_UNCORK = 17, gnutls_record_uncork, "`gnutls_record_uncork`.";
            GO_WRITE = 18, go_write, "`(*Conn).writeRecordLocked` of Go's `crypto/tls`.";
            GO_HANDSHAKE = 19, go_handshake, "`(*Conn).clientHandshake` of Go's `crypto/tls`.";
            GO_CLOSE = 20, go_close, "`(*Conn).Close` of Go's `crypto/tls`.";
            GO_ACCEPT = 21, go_accept, "`(*Conn).serverHandshake` of Go's `crypto/tls`.";
        }
    };
}

/// The values of [`Header::function`].
pub mod function {
    macro_rules! numbers {
        ($($name:ident = $number:literal, $program:ident, $about:literal;)+) => {
            $(#[doc = $about] pub const $name: u8 = $number;)+
        };
    }
    library_functions!(numbers);

    /// The cgroup's socket programs.
    pub const SOCKET: u8 = 7;
    /// A tracepoint of the scheduler or of a system call.
    pub const PROCESS: u8 = 8;
    /// The cgroup's program on datagrams: each record is one that begins with a QUIC
    /// packet.
    pub const QUIC: u8 = 22;

    /// The functions that send what is in their buffers, a bit for each.
    const WRITES: u64 = 1 << SSL_WRITE
        | 1 << SSL_WRITE_EX
        | 1 << SSL_WRITE_EX2
        | 1 << GNUTLS_SEND
        | 1 << GNUTLS_SEND2
        | 1 << GO_WRITE;

    /// Whether the function is one of Go's, which has a calling convention of its own.
    #[inline]
    pub const fn is_go(function: u8) -> bool {
        matches!(function, GO_WRITE | GO_HANDSHAKE | GO_CLOSE | GO_ACCEPT)
    }

    /// Whether the function ends a stream.
    #[inline]
    pub const fn is_end(function: u8) -> bool {
        matches!(function, SSL_FREE | GNUTLS_DEINIT | GO_CLOSE)
    }

    /// Whether the function sends what is in its buffer.
    ///
    /// Without a comparison for each: programs ask in loops, where every branch
    /// multiplies what verifiers before Linux 6.6 have to follow.
    #[inline]
    pub const fn is_write(function: u8) -> bool {
        WRITES >> (function & 63) & 1 != 0
    }

    /// The [`Header::direction`](super::Header::direction) of what the function
    /// carries.
    #[inline]
    pub const fn direction(function: u8) -> u8 {
        super::RECEIVED ^ (WRITES >> (function & 63) & 1) as u8
    }
}

/// [`Header::direction`]: written by the process.
pub const SENT: u8 = 0;
/// [`Header::direction`]: read by the process.
pub const RECEIVED: u8 = 1;

/// The bits of [`Header::flags`].
pub mod flag {
    /// Bytes were left out because they are not wanted.
    pub const UNWANTED: u8 = 1;
    /// Bytes were left out because the buffer was not resident.
    pub const FAULT: u8 = 2;
    /// Bytes were left out because the call was longer than the cap.
    pub const CAPPED: u8 = 4;
    /// Calls of this process are read where they begin, so none that reads is seen.
    pub const ONE_WAY: u8 = 8;
    /// The process is the server of this connection. Only pages are handed over
    /// of what it sends, so bytes between them are not lost.
    pub const SERVER: u8 = 16;
}

/// The ends of a socket, as its packets name them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Addresses {
    /// 4 or 6.
    pub version: u8,
    /// Zero.
    pub padding: [u8; 3],
    /// This host's port, host byte order.
    pub local_port: u16,
    /// The other end's port, host byte order.
    pub peer_port: u16,
    /// This host's address; IPv4 in the first four bytes.
    pub local: [u8; 16],
    /// The other end's address; IPv4 in the first four bytes.
    pub peer: [u8; 16],
}

const _: () = assert!(size_of::<Addresses>() == 40 && align_of::<Addresses>() == 2);

/// Which processes are watched, and other settings. One element.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// A set of [`scope`] bits.
    pub flags: u32,
    /// Thread-group id that is never watched: phiwatch itself.
    pub ignored: u32,
    /// The consumer is woken each time that this many more bytes wait in the data
    /// ring. A power of two.
    pub wakeup: u32,
}

const _: () = assert!(size_of::<Scope>() == 12);

/// The bits of [`Scope::flags`]. With none set every process is watched.
pub mod scope {
    /// Only processes in or below the cgroup of the map `CGROUP`.
    pub const CGROUP: u32 = 1;
    /// Only processes in the map `WATCHED`.
    pub const PROCESSES: u32 = 2;
}

/// Value of the map `WATCHED`, a set of [`mark`] bits, and of `EXECUTABLES`,
/// where the value is not used.
pub type Mark = u32;

/// Why a process is in the map `WATCHED`.
pub mod mark {
    /// The scope lists its id. The mark survives exec and is not inherited: a
    /// list of ids names these processes and no others.
    pub const LISTED: u32 = 1;
    /// The path that it passed to exec is one of `EXECUTABLES`. It may be a
    /// script, for which `/proc` shows only the interpreter.
    pub const BY_PATH: u32 = 2;
    /// User space found that it runs one of the scope's executables.
    pub const CONFIRMED: u32 = 4;
    /// The other bits come from the process that forked it.
    pub const INHERITED: u32 = 8;
    /// The bits that a forked process inherits.
    pub const HERITABLE: u32 = BY_PATH | CONFIRMED;
}

/// Where this kernel keeps what the tracepoint programs read: offsets in bytes,
/// which differ between kernels. One element, written before anything is
/// attached. 0: this kernel has no such field.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// `pid` in the record of `task:task_newtask`.
    pub new_pid: u32,
    /// `clone_flags` in the record of `task:task_newtask`.
    pub new_flags: u32,
    /// The `__data_loc` of `filename` in the record of `sched:sched_process_exec`.
    pub exec_path: u32,
    /// `group_dead` in the record of `sched:sched_process_exit`.
    pub exit_group_dead: u32,
    /// `pid` in the record of `cgroup:cgroup_attach_task`.
    pub moved_pid: u32,
    /// `signal` in `struct task_struct`.
    pub task_signal: u32,
    /// `live` in `struct signal_struct`: how many threads have not yet ended.
    pub signal_live: u32,
}

const _: () = assert!(size_of::<Layout>() == 28);

/// The largest offset in [`Layout`]: the verifier needs to see a bound.
pub const MAX_OFFSET: u32 = 0xffff;

/// Key of the maps `STREAMS`, `VERDICTS` and `REQUESTS`: a stream of TLS.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// Thread-group id.
    pub tgid: u32,
    /// Zero.
    pub padding: u32,
    /// Address of the `SSL` object.
    pub handle: u64,
}

const _: () = assert!(size_of::<StreamKey>() == 16);

/// What the kernel remembers of a stream of TLS.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    /// When it was first seen, `CLOCK_MONOTONIC`, nanoseconds. 0: not yet.
    pub born: u64,
    /// Bytes sent so far.
    pub sent: u64,
    /// Bytes received so far.
    pub received: u64,
    /// A set of bits that the programs on TLS functions name.
    pub flags: u32,
    /// Zero.
    pub padding: u32,
    /// Bytes of the page being sent that were handed over.
    pub page: u64,
    /// Frame of the call in flight that writes; 0 for none.
    pub frame: u64,
    /// Buffer of the last write.
    pub buffer: u64,
    /// How many bytes the last write offered, if only its entry was seen.
    pub offered: u64,
}

const _: () = assert!(size_of::<Stream>() == 64);

/// The attach cookie of a site, which a uprobe gets with every hit.
///
/// | bits | |
/// |---|---|
/// | 0 to 15 | bytes between the stack pointer at the site and at the first instruction |
/// | 16 to 31 | index of the attachment in the map `TARGETS` |
/// | 32 to 39 | which function it is in: one of [`function`] |
/// | 40 to 47 | the flags of [`cookie`] |
/// | 48 to 63 | offset in `SSL` of what its last call waited for; 0 if that is not known |
///
/// Kernels before 5.15 have no cookies: all of it is 0 there, and every probe
/// sits where the depth is 0.
pub mod cookie {
    /// The kernel executes the instruction by a trap of its own.
    pub const SINGLE_STEPPED: u64 = 1 << 40;
    /// The function has no exit that can be probed.
    pub const NO_EXIT: u64 = 1 << 41;
    /// What the library gives is not read, so no response can be waited for.
    pub const NO_READS: u64 = 1 << 42;
    /// The exit is that of a function which others call, too.
    pub const SHARED: u64 = 1 << 43;

    /// Builds a cookie; `flags` are in place already.
    pub const fn pack(depth: u16, target: u16, function: u8, flags: u64, state: u16) -> u64 {
        depth as u64
            | (target as u64) << 16
            | (function as u64) << 32
            | flags
            | (state as u64) << 48
    }

    /// Bytes of stack between the site and the function's first instruction.
    pub const fn depth(cookie: u64) -> u64 {
        cookie & 0xffff
    }

    /// Index of the attachment.
    pub const fn target(cookie: u64) -> u32 {
        (cookie >> 16) as u32 & 0xffff
    }

    /// The function.
    pub const fn function(cookie: u64) -> u8 {
        (cookie >> 32) as u8
    }

    /// Offset of the state in `SSL`, or 0.
    pub const fn state(cookie: u64) -> u64 {
        cookie >> 48
    }
}

/// How many attachments the map `TARGETS` has room for.
pub const MAX_TARGETS: u32 = 16_384;

/// The bits of a value of the map `TARGETS`.
pub mod target {
    /// The exits of the attachment's functions are probed as well. Without it,
    /// the arguments of a call are handed over at its entry.
    pub const EXITS_PROBED: u32 = 1;
    /// Hits of the attachment count. An attachment that replaces another is
    /// linked before the other is removed, and enabled at the moment of the
    /// switch.
    pub const ENABLED: u32 = 2;
}

/// What the hooks of a TLS library cost a process, and what they yield. Value
/// of the map `USAGE`, whose key is the thread-group id.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Hits on instructions that the kernel emulates.
    pub emulated: u64,
    /// Hits on instructions that it has to single-step.
    pub single_stepped: u64,
    /// Writes of a client to a host that may be a tracker, according to user
    /// space.
    pub wanted: u64,
    /// Calls in which the process is a server.
    pub served: u64,
    /// A set of [`usage`] bits.
    pub flags: u64,
    /// When it last reported that it loads libraries, `CLOCK_MONOTONIC`,
    /// nanoseconds.
    pub loaded: u64,
    /// When it last got its probes back from the budget, `CLOCK_MONOTONIC`,
    /// nanoseconds; 0: never. Nobody knows what its older streams have carried
    /// meanwhile, so they end.
    pub since: u64,
}

const _: () = assert!(size_of::<Usage>() == 56);

/// The bits of [`Usage::flags`].
pub mod usage {
    /// The process moves stacks: one of its libraries copies the stack of one
    /// green thread away and that of another to the same addresses, so that a
    /// frame does not identify a call.
    pub const MOVES_STACKS: u64 = 1;
    /// The exits of the process's calls are probed although those of its file
    /// are not.
    pub const EXITS_PROBED: u64 = 2;
    /// The budget leaves it no probes, so nobody knows what its streams carry.
    pub const UNPROBED: u64 = 4;
}

/// What the kernel remembers of a socket of TCP, in the map `SOCKET_STREAMS`.
///
/// Packets of one socket can arrive on one processor while others leave on
/// another, so every word has one writer: the egress programs or the ingress
/// programs. `connect` and the first packet, which run alone, write all words.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketStream {
    /// When its connection began, or was first seen, `CLOCK_MONOTONIC`,
    /// nanoseconds. 0: not yet.
    pub born: u64,
    /// Bytes of the page being sent that were handed over.
    pub page: u64,
    /// Sequence number of the first byte that is sent.
    pub sent: u32,
    /// Sequence number of the first byte that is received; see
    /// [`socket::RECEIVED_KNOWN`].
    pub received: u32,
    /// Offset behind the last byte that was sent.
    pub next: u32,
    /// Offset up to which a client's bytes were handed over or reported as left
    /// out.
    pub reported: u32,
    /// Counts what calls for a response: a client's packets, a server's
    /// requests.
    pub asked: u32,
    /// What `asked` was when an answer to it last came.
    pub answered: u32,
    /// The process; 0 where it is not known.
    pub tgid: u32,
    /// A set of [`socket`] bits, written by the egress programs.
    pub flags: u32,
    /// A set of [`socket`] bits, written by the ingress programs.
    pub received_flags: u32,
    /// Zero.
    pub padding: u32,
}

const _: () = assert!(size_of::<SocketStream>() == 56 && align_of::<SocketStream>() == 8);

/// The bits of [`SocketStream::flags`] and [`SocketStream::received_flags`].
/// The bits from 16 on belong to the programs on pages.
pub mod socket {
    /// An HTTP client speaks here.
    pub const CLIENT: u32 = 1;
    /// An HTTP server speaks here.
    pub const SERVER: u32 = 2;
    /// TLS.
    pub const TLS: u32 = 4;
    /// It is neither HTTP nor TLS.
    pub const IGNORED: u32 = 8;
    /// The stream was joined after its connection had begun.
    pub const LATE: u32 = 16;
    /// Only the heads of requests are handed over.
    pub const UNWANTED: u32 = 32;
    /// [`super::SocketStream::received`] is known.
    pub const RECEIVED_KNOWN: u32 = 64;
    /// The sender of these bytes has closed its side.
    pub const FINISHED: u32 = 128;
    /// The stream has ended; later packets are ignored.
    pub const ENDED: u32 = 256;
    /// It is HTTP/2, where any packet may begin with a response.
    pub const MULTIPLEXED: u32 = 512;
}

/// How many QUIC connections of one socket are told apart at once.
pub const MAX_CONNECTIONS: usize = 8;

/// What the kernel remembers of a socket of UDP, in the map `FLOWS`.
///
/// A stream is the first datagrams of one QUIC connection. Those of one socket can
/// leave on several processors; what a race costs is the name of a server.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    /// When the last connection began, `CLOCK_MONOTONIC`, nanoseconds. 0: there was
    /// none.
    pub born: u64,
    /// What tells the last connection from others: a hash of the client's own
    /// connection id, which it keeps, and of the peer.
    pub connection: u64,
    /// The beginning of the connection id that the client gave the server, which is
    /// another one once the server has answered.
    pub destination: u64,
    /// The [`Flow::connection`] of the last ones.
    pub connections: [u64; MAX_CONNECTIONS],
    /// How many there were.
    pub begun: u32,
    /// Bytes of the last connection that were handed over.
    pub next: u32,
    /// Datagrams of the last connection that were handed over.
    pub datagrams: u32,
    /// Datagrams that began no QUIC connection, up to the first that did.
    pub others: u32,
    /// The process; 0 where it is not known.
    pub tgid: u32,
    /// A set of [`flow`] bits.
    pub flags: u32,
}

const _: () = assert!(size_of::<Flow>() == 112 && align_of::<Flow>() == 8);

/// The bits of [`Flow::flags`].
pub mod flow {
    /// It has one peer.
    pub const CONNECTED: u32 = 1;
    /// Nothing more of it is looked at.
    pub const IGNORED: u32 = 2;
    /// Nothing more of the last connection is looked at.
    pub const ENDED: u32 = 4;
}

/// How much is kept of a request that a server reads: the request line, and
/// usually the host.
pub const MAX_REQUEST: usize = 1024;

/// The beginning of the last request that a server read on a stream. It is
/// handed over if a page answers it. Most responses are no pages, and then a
/// request costs one copy.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Offset of its first byte in the received direction.
    pub offset: u64,
    /// Bytes that the read gave.
    pub length: u32,
    /// How many of them are kept; 0 once they were handed over.
    pub captured: u32,
    /// The bytes.
    pub bytes: [u8; MAX_REQUEST],
}

const _: () = assert!(size_of::<Request>() == 16 + MAX_REQUEST);

/// How much of one page is handed over, with its head.
pub const MAX_PAGE: u64 = 256 * 1024;

/// A call in flight. Value of the map `CALLS`, whose key is a [`StreamKey`]
/// with the call's frame as its handle: the stack pointer at the function's
/// first instruction. Two calls in flight never share it, whatever threads and
/// fibers they run on. The second half is working memory of the program at the
/// call's end, whose stack is too small.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    /// The stream: process and `SSL` object, which is 0 once the call has ended.
    pub stream: StreamKey,
    /// The caller's buffer.
    pub buffer: u64,
    /// Where `_ex` functions store how much was written or read; 0 for others.
    pub count: u64,
    /// One of [`function`].
    pub function: u32,
    /// The [`flag`]s of its records.
    pub flags: u32,
    /// When the stream was first seen.
    pub born: u64,
    /// Offset in the stream of the first byte.
    pub offset: u64,
    /// How many bytes the library took or gave.
    pub length: u64,
    /// How many of them are handed over.
    pub wanted: u64,
    /// How many have been handed over.
    pub done: u64,
}

const _: () = assert!(size_of::<Call>() == 80);

/// Indices of the map `COUNTERS`.
pub mod counter {
    /// Records that the data ring had no room for.
    pub const RING_FULL: u32 = 0;
    /// Records that the control ring had no room for.
    pub const CONTROL_RING_FULL: u32 = 1;
    /// Chunks whose buffer was not resident.
    pub const FAULT: u32 = 2;
    /// Calls longer than the cap.
    pub const CALL_CAP: u32 = 3;
    /// Ends of calls without a beginning.
    pub const NO_ENTRY: u32 = 4;
    /// Insertions that a full map refused, and requests that it forgot before
    /// the page that answers them was sent.
    pub const TABLE_FULL: u32 = 5;
    /// Packets of watched sockets.
    pub const HITS_SOCKET: u32 = 6;
    /// How many counters there are.
    pub const COUNT: u32 = 7;
}

/// Bytes of a path in [`kind::EXEC`], with its final zero.
pub const PATH_LENGTH: usize = 256;

/// Bytes of a name in [`kind::SERVER_NAME`], with its final zero (RFC 1035: a
/// name has at most 253 characters).
pub const NAME_LENGTH: usize = 256;

/// The largest chunk of a stream, bytes.
pub const MAX_CHUNK: usize = 32 * 1024;

/// How many full chunks one call may give: 2 MiB.
pub const MAX_CHUNKS_PER_CALL: u64 = 64;
