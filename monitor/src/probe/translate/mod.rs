//! Records to events: what the kernel leaves to user space, because it can be
//! had cheaper here. Process facts from `/proc`, offsets beyond 32 bits, the
//! bytes of responses that nobody asked for, and the end of every stream of a
//! process that has gone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    sync::Arc,
};

use super::{
    obstacle::Greeting,
    process::Processes,
    record::{Chunk, Record},
};
use crate::{
    event::{Blindness, Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    lru::LruList,
};

/// How many streams are remembered. Beyond it the one of which nothing was heard
/// for longest is closed, and that is counted.
const MAX_STREAMS: usize = 131_072;

/// What discovery should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A process runs another executable.
    Exec(u32),
    /// A process was forked.
    Fork {
        /// The process that forked it.
        parent: u32,
        /// The new process.
        child: u32,
    },
    /// A process has loaded libraries, or is about to.
    Library(u32),
    /// A process, or this thread of it, was moved into another cgroup.
    Moved(u32),
    /// A process has ended.
    Exit(u32),
    /// A process connects to a tracker.
    Tracker(u32),
    /// A process of which too little is known greets a TLS server.
    Hello(u32),
}

struct Live {
    /// Where it comes from, as was last said.
    origin: Arc<Origin>,
    /// The place in the order of last use.
    stamp: u32,
    /// Next offset that the received direction is expected at.
    received: u64,
    /// Highest offset seen, by direction, to extend the low 32 bits of sockets.
    highest: [u64; 2],
    /// Whether the process is the server: the bytes between two pages were not
    /// asked for.
    server: bool,
}

impl Live {
    fn new(origin: Arc<Origin>) -> Self {
        Self {
            origin,
            stamp: 0,
            received: 0,
            highest: [0; 2],
            server: false,
        }
    }
}

/// Turns records into events.
pub(super) struct Translator {
    /// `CLOCK_REALTIME` minus `CLOCK_MONOTONIC` when the programs were loaded,
    /// nanoseconds. Fixed, so that a step of the clock cannot reorder events.
    anchor: u64,
    processes: Processes,
    streams: HashMap<StreamId, Live>,
    lru: LruList<StreamId>,
    /// The streams of TLS and QUIC of each process, to close them when it ends.
    owned: BTreeMap<u32, BTreeSet<StreamId>>,
}

impl Translator {
    /// `anchor`: nanoseconds to add to a record's time.
    pub(super) fn new(anchor: u64) -> Self {
        Self {
            anchor,
            processes: Processes::default(),
            streams: HashMap::new(),
            lru: LruList::default(),
            owned: BTreeMap::new(),
        }
    }

    /// Translates one record. `forget` takes a stream whose process has gone out
    /// of the kernel's table and says how much it had sent. What had to be
    /// forgotten is counted in `losses`.
    pub(super) fn push(
        &mut self,
        time: u64,
        record: Record,
        forget: &mut dyn FnMut(StreamId) -> Option<u64>,
        losses: &mut Losses,
        out: &mut Vec<Event>,
    ) -> Option<Signal> {
        let time = Timestamp(time.saturating_add(self.anchor));
        match record {
            Record::Data(chunk) => {
                self.data(time, chunk, losses, out);
                None
            }
            Record::ServerName {
                stream,
                source,
                name,
            } => {
                self.open(time, stream, source, None, losses, out);
                let kind = EventKind::Named(name.to_ascii_lowercase().into());
                out.push(event(time, stream, kind));
                None
            }
            Record::Socket {
                stream,
                source,
                local,
                peer,
            } => {
                let ends = Some((local, peer));
                self.open(time, stream, source, ends, losses, out);
                None
            }
            Record::Closed { stream, sent } => {
                self.end(time, stream, sent, out);
                None
            }
            Record::Exec { pid, path } => {
                // The TLS objects of a process end with the program that made
                // them.
                self.end_owned(time, pid, forget, out);
                self.processes.executed(pid, &path);
                Some(Signal::Exec(pid))
            }
            Record::Fork { parent, child } => {
                self.processes.forked(parent, child);
                Some(Signal::Fork { parent, child })
            }
            Record::Library { pid } => Some(Signal::Library(pid)),
            Record::Moved { pid } => Some(Signal::Moved(pid)),
            Record::Exit { pid } => {
                self.end_owned(time, pid, forget, out);
                self.processes.ended(pid);
                Some(Signal::Exit(pid))
            }
        }
    }

    /// Where a stream that has not ended comes from.
    pub(super) fn origin(&self, stream: StreamId) -> Option<Arc<Origin>> {
        let live = self.streams.get(&stream);
        live.map(|live| Arc::clone(&live.origin))
    }

    /// Says what keeps a TLS connection from being read, if anything does.
    pub(super) fn explain(
        &mut self,
        time: u64,
        greeting: &Greeting,
        obstacle: Option<Blindness>,
        out: &mut Vec<Event>,
    ) {
        let Greeting {
            stream, ref closed, ..
        } = *greeting;
        if obstacle.is_none() {
            return;
        }
        let time = Timestamp(time.saturating_add(self.anchor));
        let mut emit = |kind| {
            out.push(event(time, stream, kind));
        };
        if let Some(live) = self.streams.get_mut(&stream) {
            Arc::make_mut(&mut live.origin).blindness = obstacle;
            emit(EventKind::Opened(Arc::clone(&live.origin)));
        } else if let Some(origin) = closed {
            let mut origin = Origin::clone(origin);
            origin.blindness = obstacle;
            emit(EventKind::Opened(Arc::new(origin)));
            emit(EventKind::Closed);
        }
    }

    /// Ends the streams of TLS and QUIC of a process.
    fn end_owned(
        &mut self,
        time: Timestamp,
        pid: u32,
        forget: &mut dyn FnMut(StreamId) -> Option<u64>,
        out: &mut Vec<Event>,
    ) {
        for stream in self.owned.get(&pid).cloned().unwrap_or_default() {
            let sent = forget(stream);
            self.end(time, stream, sent, out);
        }
    }

    fn data(&mut self, time: Timestamp, chunk: Chunk, losses: &mut Losses, out: &mut Vec<Event>) {
        let Chunk {
            stream,
            source,
            direction,
            offset,
            bytes,
            missing,
            loss,
            server,
            one_way,
        } = chunk;
        let live = self.open(time, stream, source, None, losses, out);
        live.server |= server;
        if direction == Direction::Sent && one_way != live.origin.one_way {
            Arc::make_mut(&mut live.origin).one_way = one_way;
            out.push(event(
                time,
                stream,
                EventKind::Opened(Arc::clone(&live.origin)),
            ));
        }
        let slot = &mut live.highest[usize::from(direction == Direction::Received)];
        let offset = if source.is_packets() {
            extend(*slot, offset)
        } else {
            offset
        };
        let length = bytes.expose().len() as u64;
        let end = offset.saturating_add(length).saturating_add(missing);
        let before = *slot;
        *slot = before.max(end);
        let mut emit = |kind| {
            out.push(event(time, stream, kind));
        };
        // Calls are counted one after the other: a jump between two is
        // what the ring had no room for. Before the first it may be what
        // was sent before anyone knew that this is HTTP.
        if direction == Direction::Sent && offset > before {
            if live.server {
                emit(EventKind::Missing {
                    direction,
                    offset: before,
                    length: offset - before,
                    loss: None,
                });
            } else if !source.is_packets() && before > 0 {
                emit(ring_full(before, offset));
            }
        }
        if direction == Direction::Received {
            if offset > live.received {
                emit(EventKind::Missing {
                    direction,
                    offset: live.received,
                    length: offset - live.received,
                    loss: None,
                });
            }
            live.received = live.received.max(end);
        }
        if length > 0 {
            emit(EventKind::Data(Data {
                direction,
                offset,
                bytes,
            }));
        }
        if missing > 0 {
            emit(EventKind::Missing {
                direction,
                offset: offset + length,
                length: missing,
                loss,
            });
        }
    }

    /// The stream, opened and room made for it if it is new.
    fn open(
        &mut self,
        time: Timestamp,
        stream: StreamId,
        source: Source,
        ends: Option<(SocketAddr, SocketAddr)>,
        losses: &mut Losses,
        out: &mut Vec<Event>,
    ) -> &mut Live {
        if !self.streams.contains_key(&stream) {
            if self.streams.len() >= MAX_STREAMS
                && let Some(oldest) = self.lru.oldest()
            {
                losses.count(Loss::ProbeEvicted);
                self.end(time, oldest, None, out);
            }
            // The end of a QUIC connection has no packet that can be told.
            if source.is_tls() || source == Source::Quic {
                self.owned.entry(stream.owner).or_default().insert(stream);
            }
        }
        let live = self.streams.entry(stream).or_insert_with(|| {
            let process = (stream.owner != 0).then(|| self.processes.get(stream.owner));
            let origin = Arc::new(Origin {
                source,
                process,
                local: ends.map(|(local, _)| local),
                peer: ends.map(|(_, peer)| peer),
                one_way: false,
                blindness: None,
            });
            out.push(event(time, stream, EventKind::Opened(Arc::clone(&origin))));
            Live::new(origin)
        });
        self.lru.touch(stream, &mut live.stamp);
        live
    }

    /// Ends a stream that sent `sent` bytes in all, if that is known.
    fn end(&mut self, time: Timestamp, stream: StreamId, sent: Option<u64>, out: &mut Vec<Event>) {
        if let Some(live) = self.streams.remove(&stream) {
            self.lru.forget(live.stamp);
            let [seen, _] = live.highest;
            let known = seen > 0 && !live.server;
            if let Some(sent) = sent.filter(|sent| known && *sent > seen) {
                out.push(event(time, stream, ring_full(seen, sent)));
            }
            out.push(event(time, stream, EventKind::Closed));
        }
        if let Some(owned) = self.owned.get_mut(&stream.owner) {
            owned.remove(&stream);
            if owned.is_empty() {
                self.owned.remove(&stream.owner);
            }
        }
    }
}

/// An event of a live stream, which is recorded nowhere yet.
const fn event(time: Timestamp, stream: StreamId, kind: EventKind) -> Event {
    Event {
        time,
        stream,
        place: None,
        kind,
    }
}

/// Bytes of the sent direction that the data ring had no room for.
const fn ring_full(from: u64, to: u64) -> EventKind {
    EventKind::Missing {
        direction: Direction::Sent,
        offset: from,
        length: to - from,
        loss: Some(Loss::KernelRingFull),
    }
}

/// The offset whose low 32 bits are `low` and which is nearest to `highest`.
fn extend(highest: u64, low: u64) -> u64 {
    let low = low & 0xffff_ffff;
    let base = highest & !0xffff_ffff;
    let candidate = base | low;
    if candidate.saturating_add(1 << 31) < highest {
        candidate + (1 << 32)
    } else if candidate > highest.saturating_add(1 << 31) && candidate >= 1 << 32 {
        candidate - (1 << 32)
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests;
