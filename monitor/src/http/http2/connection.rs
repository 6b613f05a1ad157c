//! One connection of a client: the frames of its streams to requests, each with the
//! status that answers it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    reader::{Event, Headers, Reader, begins_with_request, begins_with_status},
    request,
};
use crate::{
    event::{Direction, Timestamp},
    http::{
        draft::{Beginning, Draft},
        message::Completeness,
        protocol::{At, MAX_UNANSWERED, MAX_WAIT, ProtocolState, Sink},
    },
    loss::Loss,
};

/// How a connection came to be HTTP/2.
#[derive(Clone, Copy)]
pub(in crate::http) struct Start {
    /// Requests that it carried before.
    pub(in crate::http) requests: u64,
    /// Whether its beginning was not seen, and so no preface.
    pub(in crate::http) is_late: bool,
    /// Whether something was received already.
    pub(in crate::http) has_received: bool,
}

/// The state of one connection.
pub(in crate::http) struct Connection {
    requests: Reader,
    responses: Reader,
    streams: Streams,
}

/// A request whose end or whose answer was not seen yet.
struct Stream {
    draft: Draft,
    /// How long it waits for its status; before its end, `None`.
    deadline: Option<Timestamp>,
    status: Option<u16>,
}

/// The streams of a connection.
#[derive(Default)]
struct Streams {
    open: BTreeMap<u32, Stream>,
    /// The streams that wait for their status.
    waiting: BTreeSet<(Timestamp, u32)>,
    /// The last that began.
    last: u32,
    /// Whether a header list on any other stream can only be a request: that of one
    /// which began unseen may be its trailers.
    is_known: bool,
    ordinal: u64,
    /// Bytes that the drafts hold, about.
    memory: usize,
}

impl Connection {
    pub(in crate::http) fn new(start: Start) -> Self {
        let streams = Streams {
            ordinal: start.requests,
            is_known: !start.is_late,
            // Where HTTP/1 asked for HTTP/2, its request is stream 1.
            last: u32::from(start.requests > 0),
            ..Streams::default()
        };
        Self {
            requests: if start.is_late {
                Reader::late()
            } else {
                Reader::at_preface()
            },
            responses: if start.is_late || start.has_received {
                Reader::late()
            } else {
                Reader::at_frame()
            },
            streams,
        }
    }
}

impl ProtocolState for Connection {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: At<'_>, sink: &mut Sink<'_>) {
        let Self {
            requests,
            responses,
            streams,
        } = self;
        match direction {
            Direction::Sent => {
                if requests.is_lost() && begins_with_request(bytes) {
                    requests.resume();
                }
                requests.push(bytes, at, &mut |event| streams.sent(event, at.time, sink));
            }
            Direction::Received => {
                let is_open = |id| streams.open.contains_key(&id);
                if responses.is_lost() && begins_with_status(bytes, is_open) {
                    responses.resume();
                }
                responses.push(bytes, at, &mut |event| streams.received(event, sink));
            }
        }
    }

    fn push_gap(&mut self, direction: Direction, length: u64, at: At<'_>, sink: &mut Sink<'_>) {
        let streams = &mut self.streams;
        match direction {
            Direction::Sent => self.requests.push_gap(length, at, &mut |event| {
                streams.sent(event, at.time, sink);
            }),
            Direction::Received => self.responses.push_gap(length, at, &mut |event| {
                streams.received(event, sink);
            }),
        }
    }

    fn join_late(&mut self) {}

    fn deadline(&self) -> Option<Timestamp> {
        self.streams.waiting.first().map(|(deadline, _)| *deadline)
    }

    fn expire(&mut self, now: Timestamp, sink: &mut Sink<'_>) {
        self.streams.expire(now, sink);
    }

    fn finish(&mut self, sink: &mut Sink<'_>) {
        let streams = &mut self.streams;
        self.requests.finish(&mut |event| {
            streams.sent(event, Timestamp(0), sink);
        });
        streams.expire(Timestamp(u64::MAX), sink);
        while let Some((id, _)) = streams.open.first_key_value() {
            streams.give_up(*id, sink);
        }
    }

    fn memory(&self) -> usize {
        self.requests
            .memory()
            .saturating_add(self.responses.memory())
            .saturating_add(self.streams.memory)
    }
}

impl Streams {
    /// Something that the client sent.
    fn sent(&mut self, event: Event<'_>, time: Timestamp, sink: &mut Sink<'_>) {
        match event {
            Event::Headers(headers) => self.headers(*headers, sink),
            Event::Frame { stream, length } => {
                self.change(stream, |draft| draft.advance(length, time));
            }
            Event::Data { stream, data } => self.change(stream, |draft| {
                draft.advance(0, time);
                draft.append(data, sink.losses);
            }),
            Event::Missing { stream, length } => self.change(stream, |draft| draft.gap(length)),
            Event::End { stream } => self.end(stream, sink),
            Event::Reset { stream } => self.give_up(stream, sink),
            Event::GoAway { .. } => {}
            Event::Lost => {
                let open = self.open.iter().filter(|(_, open)| open.deadline.is_none());
                let open: Vec<u32> = open.map(|(id, _)| *id).collect();
                for id in open {
                    self.change(id, |draft| draft.gap(0));
                    self.end(id, sink);
                }
            }
            Event::Loss(loss) => sink.losses.count(loss),
        }
    }

    /// Something that the server sent. What is lost of it is not counted: only the
    /// status is of interest, and the kernel leaves most of the rest out.
    fn received(&mut self, event: Event<'_>, sink: &mut Sink<'_>) {
        match event {
            Event::Headers(headers) => {
                let id = headers.stream;
                let status = request::status(&headers.fields);
                // The final one is still to come behind an interim one.
                let Some(status) = status.filter(|status| *status >= 200) else {
                    return;
                };
                if let Some(stream) = self.open.get_mut(&id) {
                    stream.status.get_or_insert(status);
                    if stream.deadline.is_some() {
                        self.tell(id, sink);
                    }
                }
            }
            Event::Reset { stream } => self.give_up(stream, sink),
            Event::GoAway { last } => {
                let refused: Vec<u32> = self
                    .open
                    .range(last.saturating_add(1)..)
                    .map(|(id, _)| *id)
                    .collect();
                for id in refused {
                    self.give_up(id, sink);
                }
            }
            Event::Frame { .. }
            | Event::Data { .. }
            | Event::Missing { .. }
            | Event::End { .. }
            | Event::Lost
            | Event::Loss(_) => {}
        }
    }

    /// A header list of the client: a request begins, or its trailers end it.
    fn headers(&mut self, mut headers: Headers, sink: &mut Sink<'_>) {
        let Headers {
            stream: id, ends, ..
        } = headers;
        if let Some(stream) = self.open.get(&id) {
            if stream.deadline.is_none() {
                self.trailers(headers, sink);
            }
        } else if id > self.last
            && id % 2 == 1
            && (self.is_known || request::begins(&headers.fields))
        {
            self.last = id;
            self.is_known = true;
            self.make_room(sink);
            let beginning = Beginning {
                ordinal: self.ordinal,
                time: headers.time,
                place: headers.place.take(),
            };
            self.ordinal += 1;
            let head = request::request_head(&mut headers, sink.losses);
            let best = Completeness::Complete;
            let draft = Draft::new(beginning, head, headers.wire_length, headers.end, best);
            self.memory = self.memory.saturating_add(draft.memory());
            let stream = Stream {
                draft,
                deadline: None,
                status: None,
            };
            self.open.insert(id, stream);
        } else {
            return;
        }
        if ends {
            self.end(id, sink);
        }
    }

    fn trailers(&mut self, headers: Headers, sink: &mut Sink<'_>) {
        let mut completeness = headers.completeness;
        let trailers = request::headers(headers.fields, &mut completeness, sink.losses);
        self.change(headers.stream, |draft| {
            draft.advance(headers.wire_length, headers.end);
            draft.spoil(completeness);
            draft.append_trailers(trailers);
        });
    }

    /// Changes a request that has not ended.
    fn change(&mut self, id: u32, change: impl FnOnce(&mut Draft)) {
        if let Some(stream) = self.open.get_mut(&id)
            && stream.deadline.is_none()
        {
            self.memory = self.memory.saturating_sub(stream.draft.memory());
            change(&mut stream.draft);
            self.memory = self.memory.saturating_add(stream.draft.memory());
        }
    }

    /// A request ended. It waits for its status, if that is still to come.
    fn end(&mut self, id: u32, sink: &mut Sink<'_>) {
        let Some(stream) = self.open.get_mut(&id) else {
            return;
        };
        if stream.deadline.is_some() {
            return;
        }
        let deadline = sink.now.plus(MAX_WAIT);
        stream.deadline = Some(deadline);
        self.waiting.insert((deadline, id));
        if sink.is_one_way() {
            // Nothing will answer it, nor those that wait.
            self.expire(Timestamp(u64::MAX), sink);
        } else if stream.status.is_some() {
            self.tell(id, sink);
        }
    }

    /// A request that nobody reads or answers any more.
    fn give_up(&mut self, id: u32, sink: &mut Sink<'_>) {
        self.change(id, |draft| draft.spoil(Completeness::Truncated));
        self.tell(id, sink);
    }

    fn make_room(&mut self, sink: &mut Sink<'_>) {
        while self.open.len() >= MAX_UNANSWERED
            && let Some((id, _)) = self.open.first_key_value()
        {
            sink.losses.count(Loss::HttpPipelineLimit);
            self.give_up(*id, sink);
        }
    }

    fn expire(&mut self, now: Timestamp, sink: &mut Sink<'_>) {
        while let Some((deadline, id)) = self.waiting.first()
            && *deadline <= now
        {
            self.tell(*id, sink);
        }
    }

    /// Passes on a request with the status that is known.
    fn tell(&mut self, id: u32, sink: &mut Sink<'_>) {
        if let Some(stream) = self.open.remove(&id) {
            if let Some(deadline) = stream.deadline {
                self.waiting.remove(&(deadline, id));
            }
            self.memory = self.memory.saturating_sub(stream.draft.memory());
            sink.tell(stream.draft, stream.status);
        }
    }
}
