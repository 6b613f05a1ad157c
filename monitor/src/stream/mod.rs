//! Events to streams: what one process wrote to and read from one connection,
//! in order.
//!
//! In: [`Event`]s in the order of their arrival. Out: [`Delivery`]s: bytes in
//! order, gaps as values, the TLS server name, the end. Time comes only from
//! the events, and the order of the output depends only on them, so live and
//! replay agree.

mod ciphertext;
pub(crate) mod client_hello;
mod content;
mod delivery;
mod quic;
mod reassembler;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use content::{Content, Verdict};
use hashbrown::HashMap;
use reassembler::{Piece, Reassembler, Run};

#[cfg(test)]
pub(crate) use client_hello::tests::hello;
pub use client_hello::{ClientHello, MAX_HELLO, RANDOM};
pub use delivery::{Delivery, Facts, Segment};
#[cfg(test)]
pub(crate) use quic::tests::datagrams;
pub use reassembler::{MAX_HOLE_AGE, MAX_WAITING_BYTES, MAX_WAITING_CHUNKS};

use crate::{
    event::{Direction, Event, EventKind, Place, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    lru::LruList,
    secret::Secret,
};

/// Most streams that are remembered at once.
pub const MAX_STREAMS: usize = 16_384;
/// How many closed streams are remembered with their ends, so that a
/// retransmission after the end is not taken for a new stream.
pub const MAX_CLOSED: usize = 4_096;
/// Most bytes that wait behind holes, over all streams.
pub const MAX_WAITING_TOTAL: usize = 32 * 1024 * 1024;

#[derive(Default)]
struct Stream {
    facts: Arc<Facts>,
    stamp: u32,
    sent: Reassembler,
    received: Reassembler,
    content: Content,
    /// How much of the table's sum of waiting bytes belongs to this stream.
    counted: usize,
}

impl Stream {
    const fn reassembler(&mut self, direction: Direction) -> &mut Reassembler {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// Whether chunks may come in any order. They may if the source is unknown:
    /// waiting for a chunk is the smaller mistake.
    fn is_packets(&self) -> bool {
        self.facts
            .origin
            .as_ref()
            .is_none_or(|origin| origin.source.is_packets())
    }

    const fn waiting_bytes(&self) -> usize {
        self.sent.waiting_bytes() + self.received.waiting_bytes()
    }

    const fn next(&self) -> Ends {
        Ends {
            sent: self.sent.next(),
            received: self.received.next(),
        }
    }
}

/// The ends of the two directions of a closed stream.
#[derive(Clone, Copy)]
struct Ends {
    sent: u64,
    received: u64,
}

/// The table of streams.
#[derive(Default)]
pub struct Streams {
    now: Timestamp,
    table: HashMap<StreamId, Stream>,
    lru: LruList<StreamId>,
    /// When each reassembler gives up on the hole that it waits for.
    deadlines: BTreeSet<(Timestamp, StreamId, Direction)>,
    waiting_bytes: usize,
    closed: HashMap<StreamId, Ends>,
    closed_order: VecDeque<StreamId>,
}

impl Streams {
    /// Takes one event; what is in order goes to `out`.
    pub fn push(&mut self, event: &Event, losses: &mut Losses, out: &mut Vec<Delivery>) {
        self.tick(event.time, losses, out);
        self.now = self.now.max(event.time);
        let Event {
            time,
            stream: id,
            ref place,
            ref kind,
        } = *event;
        if !self.touch(id) {
            if let Some(ends) = self.closed.get(&id) {
                count_after_close(*ends, kind, losses);
                return;
            }
            self.begin(id, losses, out);
        }
        let piece = |run| Piece {
            run,
            time,
            seen: self.now,
            place: place.clone(),
            late: false,
        };
        match kind {
            EventKind::Opened(origin) => {
                if origin.source == Source::Pcap
                    && let Some(stream) = self.table.get_mut(&id)
                {
                    stream.sent.be_patient();
                    stream.received.be_patient();
                }
                if origin.source == Source::Quic
                    && let Some(stream) = self.table.get_mut(&id)
                    && stream.content.is_new()
                {
                    stream.content = Content::datagrams();
                }
                self.learn(id, |facts| facts.origin = Some(Arc::clone(origin)));
            }
            EventKind::Named(name) => {
                self.learn(id, |facts| facts.server_name = Some(Arc::clone(name)));
            }
            EventKind::Data(data) => {
                let run = piece(Run::Bytes(data.bytes.expose().clone()));
                self.insert(id, data.direction, data.offset, run, losses, out);
            }
            EventKind::Missing {
                direction,
                offset,
                length,
                loss: _,
            } => {
                let gap = piece(Run::Gap(*length));
                self.insert(id, *direction, *offset, gap, losses, out);
            }
            EventKind::Closed => self.close(id, time, place.clone(), losses, out),
        }
    }

    /// Advances the time: gives up on the holes that are too old at `now`, in
    /// the order of their age. If events can arrive late, the caller passes the
    /// time up to which all have arrived; then a tick affects only how soon
    /// something is delivered.
    pub fn tick(&mut self, now: Timestamp, losses: &mut Losses, out: &mut Vec<Delivery>) {
        while let Some(&(deadline, id, direction)) = self.deadlines.first() {
            if deadline > now {
                break;
            }
            self.deadlines.pop_first();
            self.now = self.now.max(deadline);
            let Some(stream) = self.table.get_mut(&id) else {
                continue;
            };
            let packets = stream.is_packets();
            let reassembler = stream.reassembler(direction);
            reassembler.noted = None;
            let mut pieces = Vec::new();
            reassembler.skip_hole(!packets, losses, &mut pieces);
            self.deliver(id, direction, pieces, out);
        }
    }

    /// The end of the input: closes every stream, in the order of their ids.
    /// The end is later than every deadline, so that waiting bytes come out in
    /// the same order as they would have if the input had continued.
    pub fn finish(&mut self, losses: &mut Losses, out: &mut Vec<Delivery>) {
        let time = self.now;
        let end = Timestamp(u64::MAX);
        self.tick(end, losses, out);
        self.now = end;
        let mut ids: Vec<_> = self.table.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.close(id, time, None, losses, out);
        }
    }

    /// Makes `id` the most recently used stream. Returns whether it exists.
    fn touch(&mut self, id: StreamId) -> bool {
        let known = self.table.get_mut(&id);
        known.is_some_and(|stream| {
            self.lru.touch(id, &mut stream.stamp);
            true
        })
    }

    /// Begins the stream `id`, and makes room for it.
    fn begin(&mut self, id: StreamId, losses: &mut Losses, out: &mut Vec<Delivery>) {
        if self.table.len() >= MAX_STREAMS
            && let Some(oldest) = self.lru.oldest()
        {
            let stream = self.table.get(&oldest);
            if !stream.is_some_and(|own| own.content.is_settled()) {
                losses.count(Loss::StreamEvicted);
            }
            self.end(oldest, self.now, None, losses, out);
        }
        let stream = self.table.entry(id).or_default();
        self.lru.touch(id, &mut stream.stamp);
    }

    fn learn(&mut self, id: StreamId, change: impl FnOnce(&mut Facts)) {
        if let Some(stream) = self.table.get_mut(&id) {
            change(Arc::make_mut(&mut stream.facts));
        }
    }

    fn insert(
        &mut self,
        id: StreamId,
        direction: Direction,
        offset: u64,
        piece: Piece,
        losses: &mut Losses,
        out: &mut Vec<Delivery>,
    ) {
        let Some(stream) = self.table.get_mut(&id) else {
            return;
        };
        if matches!(stream.content, Content::Ciphertext(_)) {
            // Nothing waits for holes: they leave open what is sent.
            let next = stream.sent.next();
            let is_new = direction == Direction::Sent && offset >= next;
            if is_new && !stream.content.is_settled() {
                let piece = if stream.sent.pass(offset, &piece.run) {
                    piece
                } else {
                    let run = Run::Gap(offset - next);
                    Piece { run, ..piece }
                };
                self.deliver(id, direction, vec![piece], out);
            }
            return;
        }
        if matches!(stream.content, Content::Plain)
            && stream.reassembler(direction).pass(offset, &piece.run)
        {
            out.push(delivery(id, &stream.facts, direction, piece, self.now));
            return;
        }
        let packets = stream.is_packets();
        let mut pieces = Vec::new();
        stream
            .reassembler(direction)
            .insert(offset, &piece, packets, losses, &mut pieces);
        let others = self.waiting_bytes.saturating_sub(stream.counted);
        if others.saturating_add(stream.waiting_bytes()) > MAX_WAITING_TOTAL {
            stream
                .reassembler(direction)
                .flush(packets, losses, &mut pieces);
        }
        self.deliver(id, direction, pieces, out);
    }

    fn close(
        &mut self,
        id: StreamId,
        time: Timestamp,
        place: Option<Place>,
        losses: &mut Losses,
        out: &mut Vec<Delivery>,
    ) {
        let Some(ends) = self.end(id, time, place, losses, out) else {
            return;
        };
        if self.closed_order.len() >= MAX_CLOSED
            && let Some(oldest) = self.closed_order.pop_front()
        {
            self.closed.remove(&oldest);
        }
        self.closed.insert(id, ends);
        self.closed_order.push_back(id);
    }

    /// Delivers what waits on a stream and its end, and forgets it.
    fn end(
        &mut self,
        id: StreamId,
        time: Timestamp,
        place: Option<Place>,
        losses: &mut Losses,
        out: &mut Vec<Delivery>,
    ) -> Option<Ends> {
        for direction in [Direction::Sent, Direction::Received] {
            let stream = self.table.get_mut(&id)?;
            let packets = stream.is_packets();
            let mut pieces = Vec::new();
            stream
                .reassembler(direction)
                .flush(packets, losses, &mut pieces);
            self.deliver(id, direction, pieces, out);
        }
        let mut stream = self.table.remove(&id)?;
        self.lru.forget(stream.stamp);
        let verdict = stream.content.finish();
        self.hand_on(id, &mut stream, Direction::Sent, verdict, out);
        let what = Segment::Closed;
        let facts = Arc::clone(&stream.facts);
        out.push(Delivery {
            stream: id,
            facts,
            time,
            now: self.now,
            place,
            late: false,
            what,
        });
        Some(stream.next())
    }

    /// Delivers the pieces that came in order, after checking for a TLS hello,
    /// and notes the new deadline of the reassembler.
    fn deliver(
        &mut self,
        id: StreamId,
        direction: Direction,
        pieces: Vec<Piece>,
        out: &mut Vec<Delivery>,
    ) {
        let Some(mut stream) = self.table.remove(&id) else {
            return;
        };
        for piece in pieces {
            let verdict = stream.content.push(direction, piece);
            self.hand_on(id, &mut stream, direction, verdict, out);
        }
        if matches!(stream.content, Content::Ciphertext(_)) {
            stream.sent.forget_waiting();
            stream.received.forget_waiting();
        }
        let others = self.waiting_bytes.saturating_sub(stream.counted);
        stream.counted = stream.waiting_bytes();
        self.waiting_bytes = others.saturating_add(stream.counted);
        for direction in [Direction::Sent, Direction::Received] {
            let reassembler = stream.reassembler(direction);
            let deadline = reassembler.deadline();
            if deadline != reassembler.noted {
                if let Some(noted) = reassembler.noted {
                    self.deadlines.remove(&(noted, id, direction));
                }
                if let Some(deadline) = deadline {
                    self.deadlines.insert((deadline, id, direction));
                }
                reassembler.noted = deadline;
            }
        }
        self.table.insert(id, stream);
    }

    /// Does what the verdict on a piece says.
    fn hand_on(
        &self,
        id: StreamId,
        stream: &mut Stream,
        direction: Direction,
        verdict: Verdict,
        out: &mut Vec<Delivery>,
    ) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::Pass(piece) => {
                out.push(delivery(id, &stream.facts, direction, piece, self.now));
            }
            Verdict::Release(pieces) => {
                let each = pieces.into_iter();
                out.extend(
                    each.map(|piece| delivery(id, &stream.facts, direction, piece, self.now)),
                );
            }
            Verdict::Hello {
                hello,
                time,
                place,
                is_sending,
            } => {
                if let Some(name) = &hello.server_name {
                    Arc::make_mut(&mut stream.facts).server_name = Some(Arc::clone(name));
                }
                let encrypted = is_sending.then_some(Segment::Encrypted);
                for what in std::iter::once(Segment::Hello(hello)).chain(encrypted) {
                    out.push(Delivery {
                        stream: id,
                        facts: Arc::clone(&stream.facts),
                        time,
                        now: self.now,
                        place: place.clone(),
                        late: false,
                        what,
                    });
                }
            }
            Verdict::Encrypted(piece) => out.push(Delivery {
                stream: id,
                facts: Arc::clone(&stream.facts),
                time: piece.time,
                now: self.now,
                place: piece.place,
                late: false,
                what: Segment::Encrypted,
            }),
        }
    }
}

fn delivery(
    stream: StreamId,
    facts: &Arc<Facts>,
    direction: Direction,
    piece: Piece,
    now: Timestamp,
) -> Delivery {
    let Piece {
        run,
        time,
        seen: _,
        place,
        late,
    } = piece;
    let what = match run {
        Run::Bytes(bytes) => Segment::Bytes {
            direction,
            bytes: Secret::new(bytes),
        },
        Run::Gap(length) => Segment::Gap { direction, length },
    };
    Delivery {
        stream,
        facts: Arc::clone(facts),
        time,
        now,
        place,
        late,
        what,
    }
}

/// Counts bytes that come after the end of their stream, unless they repeat
/// what came before.
fn count_after_close(ends: Ends, kind: &EventKind, losses: &mut Losses) {
    if let EventKind::Data(data) = kind {
        let end = match data.direction {
            Direction::Sent => ends.sent,
            Direction::Received => ends.received,
        };
        if data.offset.saturating_add(data.bytes.expose().len() as u64) > end {
            losses.count(Loss::StreamGap);
        }
    }
}

#[cfg(test)]
mod tests;
