//! Every map, with its size and why.

use aya_ebpf::{
    btf_maps::SkStorage,
    macros::{btf_map, map},
    maps::{Array, CgroupArray, HashMap, LruHashMap, PerCpuArray, RingBuf},
};
use phiwatch_ebpf::abi::{
    Call, Flow, Layout, MAX_TARGETS, Mark, PATH_LENGTH, Request, Scope, SocketStream, Stream,
    StreamKey, Usage, counter,
};

/// Small records: streams, processes, libraries. Data never crowds them out.
#[map]
pub(crate) static CONTROL_RING: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// Chunks of streams. User space chooses the size when it loads.
#[map]
pub(crate) static DATA_RING: RingBuf = RingBuf::with_byte_size(1 << 25, 0);

/// The scope. One element, written before anything is attached.
#[map]
pub(crate) static SCOPE: Array<Scope> = Array::with_max_entries(1, 0);

/// The scope's cgroup, if it has one. The helper that checks it exists in every
/// kernel: the one for the ids of ancestors reached tracing only with Linux
/// 5.15.
#[map]
pub(crate) static CGROUP: CgroupArray = CgroupArray::with_max_entries(1, 0);

/// Where this kernel keeps what the tracepoint programs read.
#[map]
pub(crate) static LAYOUT: Array<Layout> = Array::with_max_entries(1, 0);

/// Watched thread-group ids and why, where the scope says so.
#[map]
pub(crate) static WATCHED: HashMap<u32, Mark> = HashMap::with_max_entries(65_536, 0);

/// FNV-1a hashes of executable paths: a process that execs one is watched from
/// its first instruction, without waiting for user space.
#[map]
pub(crate) static EXECUTABLES: HashMap<u64, Mark> = HashMap::with_max_entries(256, 0);

/// Calls in flight, by process and frame. An entry stays when its call has
/// ended and serves the next call at the same stack depth, so that a call costs
/// no insertion; the least recently used are evicted.
#[map]
pub(crate) static CALLS: LruHashMap<StreamKey, Call> = LruHashMap::with_max_entries(32_768, 0);

/// Whether the exits of an attachment's functions are probed, by its index.
#[map]
pub(crate) static TARGETS: Array<u32> = Array::with_max_entries(MAX_TARGETS, 0);

/// What the hooks cost each process and yield. An entry is removed with its
/// process.
#[map]
pub(crate) static USAGE: HashMap<u32, Usage> = HashMap::with_max_entries(16_384, 0);

/// [`USAGE`] of all processes that have ended, and of those for which it has no
/// room.
#[map]
pub(crate) static OTHER_USAGE: Array<Usage> = Array::with_max_entries(1, 0);

/// See [`ZERO_CALL`].
#[map]
pub(crate) static ZERO_USAGE: Array<Usage> = Array::with_max_entries(1, 0);

/// Streams of TLS. Evicts the least recently used: applications drop TLS
/// objects without freeing them.
#[map]
pub(crate) static STREAMS: LruHashMap<StreamKey, Stream> = LruHashMap::with_max_entries(65_536, 0);

/// Streams of TLS of which user space wants only the heads of requests, by the
/// time of their birth: a verdict can arrive when the key belongs to another
/// stream already.
#[map]
pub(crate) static VERDICTS: LruHashMap<StreamKey, u64> = LruHashMap::with_max_entries(65_536, 0);

/// Streams of sockets. The state lives in the socket, so no table can fill up
/// or evict one stream for another: a hash map that refuses insertions fills up
/// with sockets that end without a packet (a timeout), and one that evicts does
/// so silently. Linux 5.3.
#[btf_map]
pub(crate) static SOCKET_STREAMS: SkStorage<SocketStream> = SkStorage::new();

/// What is known of sockets of UDP. As [`SOCKET_STREAMS`], it lives in the socket.
#[btf_map]
pub(crate) static FLOWS: SkStorage<Flow> = SkStorage::new();

/// [`VERDICTS`] of sockets, by cookie. An evicted entry costs copies, nothing
/// else.
#[map]
pub(crate) static SOCKET_VERDICTS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(65_536, 0);

/// Counters shared by all processors: uprobe programs can be preempted, which
/// would corrupt an increment of a per-processor counter.
#[map]
pub(crate) static COUNTERS: Array<u64> = Array::with_max_entries(counter::COUNT, 0);

/// Scratch space for a path. Only tracepoint programs use it: they cannot be
/// preempted.
#[map]
pub(crate) static PATHS: PerCpuArray<[u8; PATH_LENGTH]> = PerCpuArray::with_max_entries(1, 0);

/// Zeroes to insert from: a value built on the stack would exceed the 64 bytes
/// that a uprobe program may use.
#[map]
pub(crate) static ZERO_CALL: Array<Call> = Array::with_max_entries(1, 0);

/// See [`ZERO_CALL`].
#[map]
pub(crate) static ZERO_STREAM: Array<Stream> = Array::with_max_entries(1, 0);

/// The last request that a server read on each stream of TLS. Smaller than the
/// map of streams, since an entry is needed only until the response.
#[map]
pub(crate) static REQUESTS: LruHashMap<StreamKey, Request> = LruHashMap::with_max_entries(8_192, 0);

/// [`REQUESTS`] of sockets, by cookie. A request that is forgotten before the
/// page that answers it is counted.
#[map]
pub(crate) static SOCKET_REQUESTS: LruHashMap<u64, Request> =
    LruHashMap::with_max_entries(8_192, 0);

/// See [`ZERO_CALL`].
#[map]
pub(crate) static ZERO_REQUEST: Array<Request> = Array::with_max_entries(1, 0);
