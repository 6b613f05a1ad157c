//! Every map, with its size and why.

use aya_ebpf::{
    btf_maps::SkStorage,
    macros::{btf_map, map},
    maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf},
};
use phiwatch_ebpf::abi::{
    Burst, Call, Layout, Mark, PATH_LENGTH, Request, Scope, SocketStream, Stream, StreamKey,
    counter,
};

/// Small records: streams, processes, libraries. Never starved by data.
#[map]
pub(crate) static CONTROL_RING: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// Chunks of streams. User space chooses the size when it loads.
#[map]
pub(crate) static DATA_RING: RingBuf = RingBuf::with_byte_size(1 << 25, 0);

/// The scope. One element, written before anything is attached.
#[map]
pub(crate) static SCOPE: Array<Scope> = Array::with_max_entries(1, 0);

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

/// Calls in flight, by thread. A thread that ends in a call is swept when it
/// exits, so the map need not forget by itself.
#[map]
pub(crate) static CALLS: HashMap<u64, Call> = HashMap::with_max_entries(32_768, 0);

/// Streams of TLS. Forgets the least recently used: applications leave TLS
/// objects without a word.
#[map]
pub(crate) static STREAMS: LruHashMap<StreamKey, Stream> = LruHashMap::with_max_entries(65_536, 0);

/// Streams of TLS of which user space wants only the heads of requests, by the
/// time of their birth: a verdict comes late, and the key may be another stream's
/// by then.
#[map]
pub(crate) static VERDICTS: LruHashMap<StreamKey, u64> = LruHashMap::with_max_entries(65_536, 0);

/// Streams of sockets. The state is kept with the socket and goes with it, so
/// there is no table that could be full, or forget one stream for another's
/// sake: a hash map that refuses fills up with sockets that end without a packet
/// (a timeout), one that forgets does so in silence. Linux 5.3.
#[btf_map]
pub(crate) static SOCKET_STREAMS: SkStorage<SocketStream> = SkStorage::new();

/// [`VERDICTS`] of sockets, by cookie. What it forgets costs copies, nothing else.
#[map]
pub(crate) static SOCKET_VERDICTS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(65_536, 0);

/// Counters shared by all processors: uprobe programs can be preempted, which
/// would tear an increment of a per-processor counter.
#[map]
pub(crate) static COUNTERS: Array<u64> = Array::with_max_entries(counter::COUNT, 0);

/// Room for a path that is looked at before it is known to be of interest. Only
/// tracepoint programs use it: they cannot be preempted.
#[map]
pub(crate) static PATHS: PerCpuArray<[u8; PATH_LENGTH]> = PerCpuArray::with_max_entries(1, 0);

/// How many libraries each process lately said that it opens.
#[map]
pub(crate) static BURSTS: LruHashMap<u32, Burst> = LruHashMap::with_max_entries(4_096, 0);

/// Zeroes to insert from: a value built on the stack would use up the 64 bytes
/// that a uprobe program may have.
#[map]
pub(crate) static ZERO_CALL: Array<Call> = Array::with_max_entries(1, 0);

/// See [`ZERO_CALL`].
#[map]
pub(crate) static ZERO_STREAM: Array<Stream> = Array::with_max_entries(1, 0);

/// What servers read last, by stream of TLS. Fewer than streams: it is needed
/// from the request to its answer only.
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
