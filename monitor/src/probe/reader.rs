//! Reads both rings and puts their records back into the order of time.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aya::maps::{Array, HashMap, MapData, RingBuf};
use phiwatch_ebpf::abi::{Stream, counter};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    late::Late,
    load::monotonic,
    obstacle::{Greeting, Greetings, Processes},
    record::{Chunk, Record, decode},
    translate::{Signal, Translator},
};
use crate::{
    event::{Direction, Event, Source, StreamId},
    loss::{Loss, Losses},
};

/// How many bytes of data one read takes before it hands them on: bounds the
/// memory that a burst needs outside the ring.
const BATCH_BYTES: usize = 4 << 20;
/// The first byte of a TLS connection (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;
/// What a client asks a proxy for a tunnel with.
const CONNECT: &[u8] = b"CONNECT ";
/// How many records one read takes.
const BATCH_RECORDS: usize = 8_192;

/// Cumulative counts of the kernel programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters([u64; counter::COUNT as usize]);

impl Counters {
    /// The counter at `index` of [`phiwatch_ebpf::abi::counter`].
    pub fn get(&self, index: u32) -> u64 {
        self.0.get(index as usize).copied().unwrap_or(0)
    }

    /// The losses among the counters.
    pub fn losses(&self) -> impl Iterator<Item = (Loss, u64)> + '_ {
        [
            (Loss::KernelRingFull, counter::RING_FULL),
            (Loss::KernelControlRingFull, counter::CONTROL_RING_FULL),
            (Loss::KernelFault, counter::FAULT),
            (Loss::KernelCallCap, counter::CALL_CAP),
            (Loss::KernelNoEntry, counter::NO_ENTRY),
            (Loss::KernelTableFull, counter::TABLE_FULL),
        ]
        .into_iter()
        .map(|(loss, index)| (loss, self.get(index)))
    }
}

/// The consumer of both rings. Lives on one thread.
pub struct Reader {
    control: RingBuf<MapData>,
    data: RingBuf<MapData>,
    counters: Array<MapData, u64>,
    streams: HashMap<MapData, [u8; 16], [u8; size_of::<Stream>()]>,
    translator: Translator,
    late: Late,
    greetings: Greetings,
    known: Arc<Mutex<Processes>>,
    /// Control records whose time has not come: the data ring may still hold
    /// records that are older.
    waiting: VecDeque<(u64, Record)>,
    bytes: BTreeMap<Source, u64>,
}

impl Reader {
    pub(super) fn new(
        control: RingBuf<MapData>,
        data: RingBuf<MapData>,
        counters: Array<MapData, u64>,
        streams: HashMap<MapData, [u8; 16], [u8; size_of::<Stream>()]>,
        translator: Translator,
        known: Arc<Mutex<Processes>>,
    ) -> Self {
        Self {
            control,
            data,
            counters,
            streams,
            translator,
            late: Late::default(),
            greetings: Greetings::default(),
            known,
            waiting: VecDeque::new(),
            bytes: BTreeMap::new(),
        }
    }

    /// Waits until a ring says that much is waiting, or `timeout` has passed.
    ///
    /// # Errors
    /// That of the poll system call, other than an interruption.
    pub fn wait(&self, timeout: Duration) -> io::Result<()> {
        let mut ready = [
            PollFd::new(&self.control, PollFlags::IN),
            PollFd::new(&self.data, PollFlags::IN),
        ];
        let timeout = Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        match poll(&mut ready, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what is there, up to a batch, as events and signals. Returns
    /// whether more is waiting.
    pub fn read(
        &mut self,
        losses: &mut Losses,
        events: &mut Vec<Event>,
        signals: &mut Vec<Signal>,
    ) -> bool {
        // The control ring first: what it holds now is older than whatever comes
        // into the data ring after that has been found empty.
        while let Some(item) = self.control.next() {
            match decode(&item) {
                Ok(entry) => self.waiting.push_back(entry),
                Err(_) => losses.count(Loss::ProbeUnknownRecord),
            }
        }
        let (mut bytes, mut records, mut empty) = (0, Vec::new(), false);
        while bytes < BATCH_BYTES && records.len() < BATCH_RECORDS {
            let Some(item) = self.data.next() else {
                empty = true;
                break;
            };
            bytes += item.len();
            match decode(&item) {
                Ok(entry) => records.push(entry),
                Err(_) => losses.count(Loss::ProbeUnknownRecord),
            }
        }
        let until = if empty {
            u64::MAX
        } else {
            records.last().map_or(0, |(time, _)| *time)
        };
        // Two processors reserve in an order and stamp in another; both sorts
        // are stable, so records of one stream keep theirs.
        self.waiting
            .make_contiguous()
            .sort_by_key(|(time, _)| *time);
        while self.waiting.front().is_some_and(|(time, _)| *time <= until) {
            records.extend(self.waiting.pop_front());
        }
        records.sort_by_key(|(time, record)| (*time, matches!(record, Record::Exit { .. })));
        let kernel = &mut self.streams;
        let mut forget = |stream: StreamId| {
            let key = key(stream);
            let sent = kernel
                .get(&key, 0)
                .ok()
                .as_ref()
                .and_then(|value| sent_of(value, stream))?;
            // The process's number may be given to another one, whose streams
            // must not go on where this one's ended.
            drop(kernel.remove(&key));
            Some(sent)
        };
        for (time, record) in records {
            if let Record::Data(chunk) = &record {
                *self.bytes.entry(chunk.source).or_default() += chunk.bytes.expose().len() as u64;
            }
            losses.add(
                Loss::ProbeLate,
                note(&mut self.late, &self.known, time, &record),
            );
            match &record {
                Record::Closed { stream, .. } => {
                    let origin = self.translator.origin(*stream);
                    self.greetings.closed(*stream, origin);
                }
                Record::Exit { pid } => {
                    for own in self.greetings.ended(*pid) {
                        let obstacle = locked(&self.known).last_obstacle(*pid, own.began);
                        self.translator.explain(time, &own, obstacle, events);
                    }
                }
                _ => {}
            }
            let greeting = greeting(&record, time);
            let signal = self
                .translator
                .push(time, record, &mut forget, losses, events);
            signals.extend(signal);
            if let Some(own) = greeting {
                let pid = own.stream.owner;
                let known = locked(&self.known);
                if !known.is_vague(pid) {
                    let obstacle = known.obstacle(pid, own.began);
                    self.translator.explain(time, &own, obstacle, events);
                } else if self.greetings.begin(own) {
                    signals.push(Signal::Hello(pid));
                }
            }
        }
        self.explain(monotonic(), events);
        !empty
    }

    /// Says what keeps connections from being read that have waited long enough.
    fn explain(&mut self, now: u64, events: &mut Vec<Event>) {
        while let Some((due, own)) = self.greetings.due(now) {
            let obstacle = locked(&self.known).obstacle(own.stream.owner, own.began);
            // As of then: what has happened since may still be in the rings.
            self.translator.explain(due, &own, obstacle, events);
        }
    }

    /// How many bytes each source has given.
    pub fn bytes(&self) -> impl Iterator<Item = (Source, u64)> + '_ {
        self.bytes.iter().map(|(source, bytes)| (*source, *bytes))
    }

    /// The programs' counters.
    pub fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for (index, slot) in (0..).zip(&mut counters.0) {
            // A counter that cannot be read stays at zero rather than stopping
            // the reader; reading an array of the right size cannot fail.
            *slot = self.counters.get(&index, 0).unwrap_or(0);
        }
        counters
    }
}

/// What is known of processes. Discovery waits for it, so it is held for as long as a
/// question takes and only where there is one: most records ask nothing.
fn locked(known: &Mutex<Processes>) -> MutexGuard<'_, Processes> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what a record says of connections that may have begun before their
/// process was hooked. Gives how many are known to be unread.
fn note(late: &mut Late, known: &Mutex<Processes>, time: u64, record: &Record) -> u64 {
    let since = |pid: u32| locked(known).since(pid);
    match record {
        Record::Data(chunk) if chunk.direction == Direction::Sent && chunk.offset == 0 => {
            let owner = chunk.stream.owner;
            if !chunk.source.is_packets() {
                late.read(owner);
            } else if begins_with(chunk, &[TLS_HANDSHAKE]) && owner != 0 {
                late.connected(owner, time);
            }
            late.settle(time, since)
        }
        Record::Exit { pid } => late.ended(*pid, since(*pid)),
        _ => 0,
    }
}

/// The beginning of a connection with TLS, of a process that is known: its own
/// greeting, or what it asks a proxy for.
fn greeting(record: &Record, began: u64) -> Option<Greeting> {
    let Record::Data(chunk) = record else {
        return None;
    };
    let stream = chunk.stream;
    let begins = [&[TLS_HANDSHAKE][..], CONNECT];
    let is_greeting = begins.iter().any(|first| begins_with(chunk, first)) && stream.owner != 0;
    is_greeting.then_some(Greeting {
        stream,
        began,
        closed: None,
    })
}

/// Whether these are the first bytes that are sent on a socket.
fn begins_with(chunk: &Chunk, first: &[u8]) -> bool {
    chunk.direction == Direction::Sent
        && chunk.offset == 0
        && chunk.source.is_packets()
        && chunk.bytes.expose().starts_with(first)
}

/// Tells the kernel which streams nobody wants more of than the heads of
/// requests. TLS and sockets have a table each, as in the kernel.
pub struct Verdicts {
    pub(super) tls: HashMap<MapData, [u8; 16], u64>,
    pub(super) sockets: HashMap<MapData, u64, u64>,
}

impl Verdicts {
    /// Marks a stream as unwanted. A full map forgets the least recently used.
    pub fn unwanted(&mut self, stream: StreamId, is_socket: bool) {
        // A verdict that is not heard costs copies, nothing else.
        drop(if is_socket {
            self.sockets.insert(stream.handle, stream.born, 0)
        } else {
            self.tls.insert(key(stream), stream.born, 0)
        });
    }

    /// Takes that back.
    pub fn wanted(&mut self, stream: StreamId, is_socket: bool) {
        // A verdict that is not there need not be taken back.
        drop(if is_socket {
            self.sockets.remove(&stream.handle)
        } else {
            self.tls.remove(&key(stream))
        });
    }
}

/// How much a stream has sent, if the kernel's entry is that of this stream.
fn sent_of(value: &[u8; size_of::<Stream>()], stream: StreamId) -> Option<u64> {
    let word = |index: usize| {
        let bytes = value.get(index * 8..index * 8 + 8)?;
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    };
    (word(0)? == stream.born).then(|| word(1))?
}

/// The key of a stream of TLS in the kernel's maps.
fn key(stream: StreamId) -> [u8; 16] {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&stream.owner.to_ne_bytes());
    key[8..].copy_from_slice(&stream.handle.to_ne_bytes());
    key
}
