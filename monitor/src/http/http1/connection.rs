//! One connection: requests and the statuses that answer them in order; or on a
//! server's connection, the pages that it sends.

use std::collections::VecDeque;

use super::{
    body_reader::BodyReader,
    head::ResponseHead,
    pages::{PageSink, Pages, RequestSource},
    requests::Requests,
    responses::{Follows, Head, Method, Responses, Visitor, could_begin},
    start::{self, Start},
};
use crate::{
    event::{Direction, Source, Timestamp},
    http::{
        draft::Draft,
        protocol::{At, MAX_UNANSWERED, MAX_WAIT, ProtocolState, Sink},
    },
    loss::{Loss, Losses},
};

/// Which side of a connection the process is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Role {
    /// Nothing seen so far decides it.
    #[default]
    Unknown,
    Client,
    Server,
}

/// A complete request without a response. It stays after it was passed on
/// without one, so that later responses are not paired with its successor.
struct Unanswered {
    method: Method,
    deadline: Timestamp,
    draft: Option<Box<Draft>>,
}

/// The state of one connection.
#[derive(Default)]
pub(in crate::http) struct Connection {
    requests: Requests,
    responses: Responses,
    role: Role,
    /// Reads pages: on a server's connection, and in foreign files, which do
    /// not say whose connection it is.
    reader: Option<Box<Pages>>,
    unanswered: VecDeque<Unanswered>,
    /// How many of them, from the front, were handed on.
    told: usize,
    /// Memory that the others hold.
    waiting_memory: usize,
    /// Status that came before the request was complete.
    early: Option<u16>,
}

impl ProtocolState for Connection {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: At<'_>, sink: &mut Sink<'_>) {
        self.assume_role(direction, bytes, sink);
        if direction == self.asking() {
            self.ask(sink, |requests, losses, done| {
                requests.push(bytes, at, losses, done);
            });
            return;
        }
        self.read_pages(sink, |reader, losses, pages| {
            reader.push_response(bytes, at, losses, pages);
        });
        if self.role != Role::Server {
            self.with_responses(sink, |responses, statuses| {
                responses.push(bytes, at, statuses);
            });
        }
    }

    fn push_gap(&mut self, direction: Direction, length: u64, at: At<'_>, sink: &mut Sink<'_>) {
        if direction == self.asking() {
            self.ask(sink, |requests, losses, done| {
                requests.push_gap(length, at, losses, done);
            });
            return;
        }
        self.read_pages(sink, |reader, losses, pages| {
            reader.push_response_gap(length, losses, pages);
        });
        if self.role != Role::Server {
            self.with_responses(sink, |responses, statuses| {
                responses.push_gap(length, statuses);
            });
        }
    }

    fn join_late(&mut self) {
        self.requests.join_late();
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.unanswered.get(self.told).map(|oldest| oldest.deadline)
    }

    fn expire(&mut self, now: Timestamp, sink: &mut Sink<'_>) {
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            if let Some(oldest) = self.unanswered.get_mut(self.told) {
                let draft = oldest.draft.take();
                self.told += 1;
                self.tell(draft, None, sink);
            }
        }
    }

    fn finish(&mut self, sink: &mut Sink<'_>) {
        self.read_pages(sink, Pages::finish);
        if self.role == Role::Server {
            return;
        }
        let mut done = Vec::new();
        self.requests.finish(sink.losses, &mut done);
        self.complete(done, sink);
        self.expire(Timestamp(u64::MAX), sink);
    }

    fn is_undecided(&self) -> bool {
        self.role != Role::Server && self.requests.is_undecided()
    }

    fn take_http2(&mut self) -> Option<(u64, Vec<u8>)> {
        // Nothing is told of what others send.
        self.requests
            .take_http2()
            .filter(|_| self.role != Role::Server)
    }

    fn memory(&self) -> usize {
        self.requests
            .memory()
            .saturating_add(self.responses.memory())
            .saturating_add(self.reader.as_ref().map_or(0, |reader| reader.memory()))
            .saturating_add(self.waiting_memory)
    }
}

impl Connection {
    /// Learns from the first bytes which side the process is.
    fn assume_role(&mut self, direction: Direction, bytes: &[u8], sink: &Sink<'_>) {
        if self.role != Role::Unknown {
            return;
        }
        self.role = match direction {
            Direction::Received if start::start(bytes, true) == Start::Request => Role::Server,
            Direction::Received => return,
            Direction::Sent if bytes.len() > 4 && could_begin(bytes) => Role::Server,
            Direction::Sent => Role::Client,
        };
        let source = sink.facts.origin.as_ref().map(|origin| origin.source);
        let foreign = matches!(source, Some(Source::Pcap | Source::Har));
        if self.role == Role::Server || foreign {
            self.reader = Some(Box::default());
        }
    }

    /// The direction in which requests go.
    fn asking(&self) -> Direction {
        if self.role == Role::Server {
            Direction::Received
        } else {
            Direction::Sent
        }
    }

    /// Lets the reader of requests work, and takes those that it read to their end.
    fn ask(
        &mut self,
        sink: &mut Sink<'_>,
        read: impl FnOnce(&mut Requests, &mut Losses, &mut Vec<Draft>),
    ) {
        let mut done = Vec::new();
        // Losses of requests that others sent are not counted.
        let mut uncounted = Losses::default();
        let losses = if self.role == Role::Server {
            &mut uncounted
        } else {
            &mut *sink.losses
        };
        read(&mut self.requests, losses, &mut done);
        if let Some(reader) = &mut self.reader {
            reader.ask(&done);
        }
        if self.role != Role::Server {
            self.complete(done, sink);
        }
    }

    /// Lets the reader of pages work, if there is one.
    fn read_pages(
        &mut self,
        sink: &mut Sink<'_>,
        read: impl FnOnce(&mut Pages, &mut Losses, &mut PageSink<'_>),
    ) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let asking = if self.role == Role::Server {
            RequestSource::Own(&mut self.requests)
        } else {
            RequestSource::Others(&self.requests)
        };
        let mut pages = PageSink {
            asking,
            stream: sink.stream,
            facts: sink.facts,
            pages: sink.pages,
        };
        read(reader, sink.losses, &mut pages);
    }

    /// Requests that were read to their end.
    fn complete(&mut self, done: Vec<Draft>, sink: &mut Sink<'_>) {
        if sink.is_one_way() {
            // Nothing will answer these, nor those that wait.
            self.expire(Timestamp(u64::MAX), sink);
            self.unanswered.clear();
            self.told = 0;
            for draft in done {
                sink.tell(draft, None);
            }
            return;
        }
        for draft in done {
            if let Some(status) = self.early.take() {
                sink.tell(draft, Some(status));
                continue;
            }
            if self.unanswered.len() >= MAX_UNANSWERED
                && let Some(oldest) = self.unanswered.pop_front()
            {
                self.told = self.told.saturating_sub(1);
                if oldest.draft.is_some() {
                    sink.losses.count(Loss::HttpPipelineLimit);
                }
                self.tell(oldest.draft, None, sink);
            }
            self.waiting_memory = self.waiting_memory.saturating_add(draft.memory());
            self.unanswered.push_back(Unanswered {
                method: Method::of(draft.method()),
                deadline: sink.now.plus(MAX_WAIT),
                draft: Some(Box::new(draft)),
            });
        }
    }

    /// Passes on a request that waited.
    fn tell(&mut self, draft: Option<Box<Draft>>, status: Option<u16>, sink: &mut Sink<'_>) {
        if let Some(draft) = draft {
            self.waiting_memory = self.waiting_memory.saturating_sub(draft.memory());
            sink.tell(*draft, status);
        }
    }

    fn with_responses(
        &mut self,
        sink: &mut Sink<'_>,
        read: impl FnOnce(&mut Responses, &mut Statuses<'_, '_>),
    ) {
        let mut responses = std::mem::take(&mut self.responses);
        let connection = &mut *self;
        read(&mut responses, &mut Statuses { connection, sink });
        self.responses = responses;
    }

    /// Gives a status to the request that it answers. Returns what follows.
    fn pair(&mut self, response: ResponseHead, sink: &mut Sink<'_>) -> Follows {
        let status = response.status;
        if response.is_interim() {
            return Follows::Response;
        }
        let method = if let Some(answered) = self.unanswered.pop_front() {
            self.told = self.told.saturating_sub(1);
            self.tell(answered.draft, Some(status), sink);
            answered.method
        } else if let Some(current) = self.requests.current() {
            let method = Method::of(current.method());
            self.early.get_or_insert(status);
            method
        } else {
            Method::Other
        };
        let follows = Follows::after(response, method);
        match follows {
            Follows::Other => self.requests.leave(),
            // A body that ends with the connection is not waited for: a response
            // may be seen before.
            Follows::Body(BodyReader::Close) => return Follows::Unknown,
            _ => {}
        }
        follows
    }
}

/// Gives each status to its request; bodies are passed over.
struct Statuses<'a, 'b> {
    connection: &'a mut Connection,
    sink: &'a mut Sink<'b>,
}

impl Visitor for Statuses<'_, '_> {
    fn head(&mut self, _head: Head, response: ResponseHead) -> Follows {
        self.connection.pair(response, self.sink)
    }

    fn cut_head(&mut self, response: ResponseHead) -> Follows {
        self.connection.pair(response, self.sink)
    }
}
