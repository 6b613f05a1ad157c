//! Plain data in the byte order of the machine: fixed-width integers, explicit
//! padding, no `bool`, `Option`, enum or `usize`. Tags are decoded in user space
//! by `TryFrom`; an unknown tag is a counted loss, never undefined behaviour.

/// Version of this file's layouts. Changes with every incompatible change.
pub const ABI_VERSION: u32 = 3;

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
    /// Address of the `SSL` object, or cookie of the socket.
    pub handle: u64,
    /// When the kernel first saw the stream, `CLOCK_MONOTONIC`, nanoseconds.
    pub born: u64,
    /// Offset of the first byte in its direction of the stream. For sockets the
    /// low 32 bits only, as TCP counts.
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
    /// A process opens a TLS library; the path follows, or nothing where it could
    /// not be read: then the library may be any. Control ring.
    pub const LIBRARY: u8 = 7;
    /// A process, `tgid`, was forked by another, whose id is in `handle`. Control
    /// ring.
    pub const FORK: u8 = 8;
}

/// The values of [`Header::function`].
pub mod function {
    /// `SSL_write`.
    pub const SSL_WRITE: u8 = 1;
    /// `SSL_write_ex`.
    pub const SSL_WRITE_EX: u8 = 2;
    /// `SSL_read`.
    pub const SSL_READ: u8 = 3;
    /// `SSL_read_ex`.
    pub const SSL_READ_EX: u8 = 4;
    /// `SSL_ctrl`.
    pub const SSL_CTRL: u8 = 5;
    /// `SSL_free`.
    pub const SSL_FREE: u8 = 6;
    /// The cgroup's socket programs.
    pub const SOCKET: u8 = 7;
    /// A tracepoint of the scheduler or of a system call.
    pub const PROCESS: u8 = 8;
}

/// [`Header::direction`]: written by the process.
pub const SENT: u8 = 0;
/// [`Header::direction`]: read by the process.
pub const RECEIVED: u8 = 1;

/// The bits of [`Header::flags`].
pub mod flag {
    /// Bytes were left out because nobody asked for them.
    pub const UNWANTED: u8 = 1;
    /// Bytes were left out because the buffer was not resident.
    pub const FAULT: u8 = 2;
    /// Bytes were left out because the call was longer than the cap.
    pub const CAPPED: u8 = 4;
    /// The stream was joined after its connection had begun.
    pub const LATE: u8 = 8;
    /// The process is the server of this connection: of what it sends only
    /// pages are handed over, so what is left out between them is no loss.
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
    /// Id of the cgroup below which processes are watched.
    pub cgroup: u64,
    /// Level of that cgroup below the root, which has level 0.
    pub cgroup_level: u32,
    /// A set of [`scope`] bits.
    pub flags: u32,
    /// Thread-group id that is never watched: phiwatch itself.
    pub ignored: u32,
    /// The consumer is woken when this many bytes wait in the data ring.
    pub wakeup: u32,
}

const _: () = assert!(size_of::<Scope>() == 24);

/// The bits of [`Scope::flags`]. With none set every process is watched.
pub mod scope {
    /// Only processes below [`super::Scope::cgroup`].
    pub const CGROUP: u32 = 1;
    /// Only processes in the map `WATCHED`.
    pub const PROCESSES: u32 = 2;
}

/// Value of the map `WATCHED`, a set of [`mark`] bits, and of `EXECUTABLES`,
/// where it says nothing.
pub type Mark = u32;

/// Why a process is in the map `WATCHED`.
pub mod mark {
    /// The scope lists its id. Stays when it calls exec, and is not inherited: a
    /// list of ids names these processes and no others.
    pub const LISTED: u32 = 1;
    /// The path that it gave to exec is one of `EXECUTABLES`. That may be a
    /// script, of which `/proc` shows only the interpreter.
    pub const BY_PATH: u32 = 2;
    /// User space found that it runs one of the scope's executables.
    pub const CONFIRMED: u32 = 4;
    /// The other bits are those of the process that forked it.
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
    /// `signal` in `struct task_struct`.
    pub task_signal: u32,
    /// `live` in `struct signal_struct`: how many threads have not yet ended.
    pub signal_live: u32,
    /// `filename` in the records of `syscalls:sys_enter_openat` and `openat2`.
    pub openat_path: u32,
    /// `filename` in the record of `syscalls:sys_enter_open`.
    pub open_path: u32,
}

const _: () = assert!(size_of::<Layout>() == 32);

/// How many libraries a process lately said that it opens.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Burst {
    /// When the count began, `CLOCK_MONOTONIC`, nanoseconds.
    pub since: u64,
    /// How many since then.
    pub count: u64,
}

const _: () = assert!(size_of::<Burst>() == 16);

/// The largest offset in [`Layout`]: a bound that the verifier must see.
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
}

const _: () = assert!(size_of::<Stream>() == 40);

/// What the kernel remembers of a socket of TCP, in the map `SOCKET_STREAMS`.
///
/// A packet can come in on one processor while another goes out on a second.
/// So every word has one writer: the programs on what is sent, or those on what
/// is received. `connect` and the first packet, which are alone, write all.
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
    /// Offset up to which a client's bytes were handed over, or told to be left
    /// out.
    pub told: u32,
    /// Counts what calls for an answer: a client's packets, a server's requests.
    pub asked: u32,
    /// What `asked` was when an answer to it last came.
    pub answered: u32,
    /// The process; 0 where it is not known.
    pub tgid: u32,
    /// A set of [`socket`] bits that stem from what is sent.
    pub flags: u32,
    /// A set of [`socket`] bits that stem from what is received.
    pub heard: u32,
    /// Zero.
    pub padding: u32,
}

const _: () = assert!(size_of::<SocketStream>() == 56 && align_of::<SocketStream>() == 8);

/// The bits of [`SocketStream::flags`] and [`SocketStream::heard`]. The bits from
/// 16 on are those of the programs on pages.
pub mod socket {
    /// An HTTP client speaks here.
    pub const CLIENT: u32 = 1;
    /// An HTTP server speaks here.
    pub const SERVER: u32 = 2;
    /// TLS.
    pub const TLS: u32 = 4;
    /// Nothing of interest.
    pub const IGNORED: u32 = 8;
    /// The stream was joined after its connection had begun.
    pub const LATE: u32 = 16;
    /// Only the heads of requests are handed over.
    pub const UNWANTED: u32 = 32;
    /// [`super::SocketStream::received`] is known.
    pub const RECEIVED_KNOWN: u32 = 64;
    /// Whoever sent these bytes has sent its last.
    pub const FINISHED: u32 = 128;
    /// The stream has ended: nothing of what still comes is of interest.
    pub const ENDED: u32 = 256;
}

/// How much of a request that a server reads is kept: its line, and where it is
/// not very long the host.
pub const REQUEST_KEPT: usize = 1024;

/// The beginning of the last request that a server read on a stream. It is
/// handed over if a page answers it: most answers are none, and then reading
/// the request costs a copy and nothing else.
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
    pub bytes: [u8; REQUEST_KEPT],
}

const _: () = assert!(size_of::<Request>() == 16 + REQUEST_KEPT);

/// How much of one page is handed over, with its head.
pub const PAGE: u64 = 256 * 1024;

/// A call in flight on a thread. Its second half is the working memory of the
/// program at its return, which has too little stack of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    /// The stream: process and `SSL` object.
    pub stream: StreamKey,
    /// The caller's buffer.
    pub buffer: u64,
    /// Where `_ex` functions store how much was written or read; 0 for others.
    pub count: u64,
    /// The stack pointer at the entry: tells the call's own return from that of
    /// a call nested in it.
    pub stack: u64,
    /// One of [`function`].
    pub function: u32,
    /// The [`flag`]s that its records begin with.
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

const _: () = assert!(size_of::<Call>() == 88);

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
    /// Returns without an entry.
    pub const NO_ENTRY: u32 = 4;
    /// Insertions that a full map refused, and requests that it forgot before
    /// the page that answers them was sent.
    pub const TABLE_FULL: u32 = 5;
    /// Calls into a hooked TLS function by watched processes.
    pub const HITS_OPENSSL: u32 = 6;
    /// Packets of watched sockets.
    pub const HITS_SOCKET: u32 = 7;
    /// Bytes handed over from TLS functions.
    pub const BYTES_OPENSSL: u32 = 8;
    /// Bytes handed over from sockets.
    pub const BYTES_SOCKET: u32 = 9;
    /// How many counters there are.
    pub const COUNT: u32 = 10;
}

/// Bytes of a path in [`kind::EXEC`] and [`kind::LIBRARY`], with its final zero.
pub const PATH_LENGTH: usize = 256;

/// Bytes of a name in [`kind::SERVER_NAME`], with its final zero (RFC 1035: a
/// name has at most 253 characters).
pub const NAME_LENGTH: usize = 256;

/// The largest chunk of a stream, bytes.
pub const CHUNK: usize = 32 * 1024;

/// How many full chunks one call may give: 2 MiB.
pub const CHUNKS_PER_CALL: u64 = 64;
