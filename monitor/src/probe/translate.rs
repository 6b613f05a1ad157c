//! Records to events: what the kernel leaves to user space, because it can be
//! had cheaper here. Process facts from `/proc`, offsets beyond 32 bits, the
//! bytes of responses that nobody asked for, and the end of every stream of a
//! process that has gone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};

use super::{
    process::Processes,
    record::{Chunk, Record},
};
use crate::{
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    recency::Recency,
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
    /// A process opens a TLS library at this path; where it is empty, perhaps.
    Library(u32, PathBuf),
    /// A process has ended.
    Exit(u32),
}

#[derive(Default)]
struct Live {
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

/// Turns records into events.
pub(super) struct Translator {
    /// `CLOCK_REALTIME` minus `CLOCK_MONOTONIC` when the programs were loaded,
    /// nanoseconds. Fixed, so that a step of the clock cannot reorder events.
    anchor: u64,
    processes: Processes,
    streams: HashMap<StreamId, Live>,
    recency: Recency<StreamId>,
    /// The streams of TLS of each process, to close them when it ends.
    owned: BTreeMap<u32, BTreeSet<StreamId>>,
}

impl Translator {
    /// `anchor`: nanoseconds to add to a record's time.
    pub(super) fn new(anchor: u64) -> Self {
        Self {
            anchor,
            processes: Processes::default(),
            streams: HashMap::new(),
            recency: Recency::default(),
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
            Record::ServerName { stream, name } => {
                self.open(time, stream, Source::OpenSsl, None, losses, out);
                let kind = EventKind::Named(name.to_ascii_lowercase().into());
                out.push(Event {
                    time,
                    stream,
                    place: None,
                    kind,
                });
                None
            }
            Record::Socket {
                stream,
                local,
                peer,
            } => {
                let ends = Some((local, peer));
                self.open(time, stream, Source::Socket, ends, losses, out);
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
            Record::Library { pid, path } => Some(Signal::Library(pid, path)),
            Record::Exit { pid } => {
                self.end_owned(time, pid, forget, out);
                self.processes.ended(pid);
                Some(Signal::Exit(pid))
            }
        }
    }

    /// Ends the TLS streams of a process.
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
        } = chunk;
        let live = self.open(time, stream, source, None, losses, out);
        live.server |= server;
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
            out.push(Event {
                time,
                stream,
                place: None,
                kind,
            });
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
        let is_new = !self.streams.contains_key(&stream);
        if is_new {
            if self.streams.len() >= MAX_STREAMS
                && let Some(oldest) = self.recency.oldest()
            {
                losses.count(Loss::ProbeEvicted);
                self.end(time, oldest, None, out);
            }
            if source == Source::OpenSsl {
                self.owned.entry(stream.owner).or_default().insert(stream);
            }
            let process = (stream.owner != 0).then(|| self.processes.get(stream.owner));
            let origin = Origin {
                source,
                process,
                local: ends.map(|(local, _)| local),
                peer: ends.map(|(_, peer)| peer),
            };
            out.push(Event {
                time,
                stream,
                place: None,
                kind: EventKind::Opened(Arc::new(origin)),
            });
        }
        let live = self.streams.entry(stream).or_default();
        self.recency.touch(stream, &mut live.stamp);
        live
    }

    /// Ends a stream that sent `sent` bytes in all, if that is known.
    fn end(&mut self, time: Timestamp, stream: StreamId, sent: Option<u64>, out: &mut Vec<Event>) {
        if let Some(live) = self.streams.remove(&stream) {
            self.recency.forget(live.stamp);
            let [seen, _] = live.highest;
            let known = seen > 0 && !live.server;
            if let Some(sent) = sent.filter(|sent| known && *sent > seen) {
                out.push(Event {
                    time,
                    stream,
                    place: None,
                    kind: ring_full(seen, sent),
                });
            }
            out.push(Event {
                time,
                stream,
                place: None,
                kind: EventKind::Closed,
            });
        }
        if let Some(owned) = self.owned.get_mut(&stream.owner) {
            owned.remove(&stream);
            if owned.is_empty() {
                self.owned.remove(&stream.owner);
            }
        }
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
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::secret::Secret;

    const STREAM: StreamId = StreamId {
        owner: 0,
        handle: 5,
        born: 6,
    };

    fn data(
        source: Source,
        direction: Direction,
        offset: u64,
        length: usize,
        missing: u64,
    ) -> Record {
        Record::Data(Chunk {
            stream: STREAM,
            source,
            direction,
            offset,
            bytes: Secret::new(Bytes::from(vec![b'x'; length])),
            missing,
            loss: None,
            server: false,
        })
    }

    fn from_server(record: Record) -> Record {
        match record {
            Record::Data(chunk) => Record::Data(Chunk {
                server: true,
                ..chunk
            }),
            other => other,
        }
    }

    /// Pushes a record that must not cost another stream its place.
    fn push(
        translator: &mut Translator,
        time: u64,
        record: Record,
        out: &mut Vec<Event>,
    ) -> Option<Signal> {
        let mut losses = Losses::default();
        let signal = translator.push(time, record, &mut |_| None, &mut losses, out);
        assert_eq!(losses, Losses::default());
        signal
    }

    fn shape(events: &[Event]) -> Vec<(&'static str, u64, u64)> {
        events
            .iter()
            .map(|event| match &event.kind {
                EventKind::Opened(_) => ("opened", 0, 0),
                EventKind::Named(_) => ("named", 0, 0),
                EventKind::Data(data) => ("data", data.offset, data.bytes.expose().len() as u64),
                EventKind::Missing { offset, length, .. } => ("missing", *offset, *length),
                EventKind::Closed => ("closed", 0, 0),
                EventKind::Message(_) => ("message", 0, 0),
            })
            .collect()
    }

    #[test]
    fn what_is_not_there_is_marked() {
        let mut translator = Translator::new(1_000);
        let mut out = Vec::new();
        for record in [
            data(Source::OpenSsl, Direction::Sent, 0, 10, 0),
            data(Source::OpenSsl, Direction::Received, 0, 512, 100),
            data(Source::OpenSsl, Direction::Received, 5_000, 20, 0),
            data(Source::OpenSsl, Direction::Sent, 30, 5, 0),
            Record::Closed {
                stream: STREAM,
                sent: Some(50),
            },
        ] {
            assert_eq!(push(&mut translator, 1, record, &mut out), None);
        }
        assert_eq!(
            shape(&out),
            [
                ("opened", 0, 0),
                ("data", 0, 10),
                ("data", 0, 512),
                ("missing", 512, 100),
                ("missing", 612, 4_388),
                ("data", 5_000, 20),
                ("missing", 10, 20),
                ("data", 30, 5),
                ("missing", 35, 15),
                ("closed", 0, 0),
            ]
        );
        assert_eq!(out[0].time, Timestamp(1_001));
    }

    #[test]
    fn what_a_server_sends_between_pages_is_no_loss() {
        for source in [Source::OpenSsl, Source::Socket] {
            let mut translator = Translator::new(0);
            let mut out = Vec::new();
            for record in [
                data(source, Direction::Received, 900, 20, 30),
                data(source, Direction::Sent, 700, 10, 5),
                data(source, Direction::Sent, 900, 10, 0),
                Record::Closed {
                    stream: STREAM,
                    sent: Some(5_000),
                },
            ] {
                push(&mut translator, 1, from_server(record), &mut out);
            }
            let lost = out.iter().any(
                |event| matches!(&event.kind, EventKind::Missing { loss, .. } if loss.is_some()),
            );
            assert!(!lost, "{source:?}");
            assert_eq!(
                shape(&out),
                [
                    ("opened", 0, 0),
                    ("missing", 0, 900),
                    ("data", 900, 20),
                    ("missing", 920, 30),
                    ("missing", 0, 700),
                    ("data", 700, 10),
                    ("missing", 710, 5),
                    ("missing", 715, 185),
                    ("data", 900, 10),
                    ("closed", 0, 0),
                ],
                "{source:?}"
            );
        }
    }

    #[test]
    fn the_end_of_a_process_or_its_program_closes_its_streams() {
        let pid = u32::MAX;
        for (record, expected) in [
            (Record::Exit { pid }, Signal::Exit(pid)),
            (
                Record::Exec {
                    pid,
                    path: "/bin/true".to_owned(),
                },
                Signal::Exec(pid),
            ),
        ] {
            ends_its_streams(record, &expected);
        }
    }

    fn ends_its_streams(record: Record, expected: &Signal) {
        let mut translator = Translator::new(0);
        let mut out = Vec::new();
        let stream = StreamId {
            owner: u32::MAX,
            handle: 1,
            born: 1,
        };
        let mut forgotten = Vec::new();
        let mut forget = |stream| {
            forgotten.push(stream);
            Some(7)
        };
        let named = Record::ServerName {
            stream,
            name: "A.Example".into(),
        };
        let mut losses = Losses::default();
        translator.push(1, named, &mut forget, &mut losses, &mut out);
        let signal = translator.push(2, record, &mut forget, &mut losses, &mut out);
        assert_eq!(forgotten, [stream]);
        assert_eq!(signal.as_ref(), Some(expected));
        assert_eq!(
            shape(&out),
            [("opened", 0, 0), ("named", 0, 0), ("closed", 0, 0)]
        );
        assert!(translator.streams.is_empty() && translator.owned.is_empty());
    }

    fn socket(handle: u64) -> StreamId {
        StreamId {
            handle,
            born: handle,
            ..STREAM
        }
    }

    fn ends(handle: u64) -> Record {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        Record::Socket {
            stream: socket(handle),
            local: address,
            peer: address,
        }
    }

    #[test]
    fn a_stream_that_has_ended_takes_no_room() {
        let (mut translator, mut out) = (Translator::new(0), Vec::new());
        for handle in 1..=2 * MAX_STREAMS as u64 {
            push(&mut translator, handle, ends(handle), &mut out);
            let closed = Record::Closed {
                stream: socket(handle),
                sent: None,
            };
            push(&mut translator, handle, closed.clone(), &mut out);
            assert_eq!(shape(&out), [("opened", 0, 0), ("closed", 0, 0)]);
            out.clear();
            // Both directions may tell the end.
            push(&mut translator, handle, closed, &mut out);
            assert_eq!(shape(&out), []);
        }
        assert!(translator.streams.is_empty() && translator.owned.is_empty());
        assert_eq!(translator.recency.oldest(), None);
    }

    #[test]
    fn too_many_streams_close_the_one_unheard_for_longest() {
        const MORE: u64 = 1_000;
        let (mut translator, mut out) = (Translator::new(0), Vec::new());
        let mut losses = Losses::default();
        let most = MAX_STREAMS as u64;
        for handle in 1..=most {
            push(&mut translator, handle, ends(handle), &mut out);
        }
        out.clear();
        // The eldest is in use: the next ones have to go.
        push(&mut translator, most, ends(1), &mut out);
        assert_eq!(shape(&out), []);
        for handle in most + 1..=most + MORE {
            translator.push(handle, ends(handle), &mut |_| None, &mut losses, &mut out);
        }
        let closed: Vec<_> = out
            .iter()
            .filter(|event| matches!(event.kind, EventKind::Closed))
            .map(|event| event.stream.handle)
            .collect();
        assert_eq!(closed, (2..2 + MORE).collect::<Vec<_>>());
        assert_eq!(losses.get(Loss::ProbeEvicted), MORE);
        assert_eq!(losses.total(), MORE);
        assert_eq!(translator.streams.len(), MAX_STREAMS);
    }

    #[test]
    fn a_forked_process_that_has_gone_is_known_by_the_one_that_forked_it() {
        let mut translator = Translator::new(0);
        let mut out = Vec::new();
        let (parent, child) = (std::process::id(), u32::MAX);
        let fork = Record::Fork { parent, child };
        let mut losses = Losses::default();
        let signal = translator.push(1, fork, &mut |_| None, &mut losses, &mut out);
        assert_eq!(signal, Some(Signal::Fork { parent, child }));
        let [known, inherited] = [parent, child].map(|pid| translator.processes.get(pid));
        assert_eq!(inherited.pid, child);
        assert!(known.exe.is_some());
        assert_eq!(inherited.exe, known.exe);
    }

    #[test]
    fn sequence_numbers_extend_past_four_gibibytes() {
        let top = 1_u64 << 32;
        for (highest, low, expected) in [
            (0, 0, 0),
            (100, 50, 50),
            (top - 10, 5, top + 5),
            (top + 5, top - 20, top - 20),
            (3 * top + 7, 9, 3 * top + 9),
            (0, 0xffff_fff0, 0xffff_fff0),
        ] {
            assert_eq!(extend(highest, low), expected, "{highest} {low}");
        }
    }
}
