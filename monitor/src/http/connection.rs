//! One connection: requests and the statuses that answer them in order; or on a
//! server's connection, the pages that it sends.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Exchange,
    draft::Draft,
    message::Page,
    pages::{PageSink, Pages, RequestSource},
    requests::{At, Requests},
    responses::{Follows, Responses, could_begin},
    start::{self, Start},
};
use crate::{
    event::{Direction, Source, StreamId, Timestamp},
    loss::{Loss, Losses},
    stream::Facts,
};

/// Most unanswered requests that are remembered of one connection.
pub const MAX_UNANSWERED: usize = 1_024;
/// How long a complete request waits for its status, in nanoseconds of event
/// time.
pub const MAX_WAIT: u64 = 10_000_000_000;
const METHOD_CONNECT: &str = "CONNECT";
const METHOD_HEAD: &str = "HEAD";

/// Which side of a connection the process is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Nothing seen so far decides it.
    Unknown,
    Client,
    Server,
}

/// Methods whose response has a different form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Connect,
    Head,
    Other,
}

impl Method {
    fn of(draft: &Draft) -> Self {
        match draft.method() {
            METHOD_CONNECT => Self::Connect,
            METHOD_HEAD => Self::Head,
            _ => Self::Other,
        }
    }
}

/// A complete request without a response. It stays after it was passed on
/// without one, so that later responses are not paired with its successor.
struct Unanswered {
    method: Method,
    deadline: Timestamp,
    draft: Option<Box<Draft>>,
}

/// The state of one connection.
pub(super) struct Connection {
    stream: StreamId,
    pub(super) facts: Arc<Facts>,
    requests: Requests,
    responses: Responses,
    role: Role,
    /// Reads pages: on a server's connection, and in foreign files, which do
    /// not say whose connection it is.
    reader: Option<Box<Pages>>,
    /// Pages that are complete.
    pub(super) pages: Vec<Page>,
    unanswered: VecDeque<Unanswered>,
    /// How many of them, from the front, were handed on.
    told: usize,
    /// Memory that the others hold.
    waiting_memory: usize,
    /// Status that came before the request was complete.
    early: Option<u16>,
    /// Place in the table's order of use.
    pub(super) stamp: u32,
    /// Memory and deadline as the table has noted them.
    pub(super) noted_memory: usize,
    pub(super) noted_deadline: Option<Timestamp>,
}

impl Connection {
    pub(super) fn new(stream: StreamId) -> Self {
        Self {
            stream,
            facts: Arc::default(),
            requests: Requests::default(),
            responses: Responses::default(),
            role: Role::Unknown,
            reader: None,
            pages: Vec::new(),
            unanswered: VecDeque::new(),
            told: 0,
            waiting_memory: 0,
            early: None,
            stamp: 0,
            noted_memory: 0,
            noted_deadline: None,
        }
    }

    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        self.requests
            .memory()
            .saturating_add(self.responses.memory())
            .saturating_add(self.reader.as_ref().map_or(0, |reader| reader.memory()))
            .saturating_add(self.waiting_memory)
    }

    /// When the oldest request has waited long enough.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.unanswered.get(self.told).map(|oldest| oldest.deadline)
    }

    pub(super) fn join_late(&mut self) {
        self.requests.join_late();
    }

    /// Takes the next bytes of a direction.
    pub(super) fn push(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: At<'_>,
        now: Timestamp,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
    ) {
        self.assume_role(direction, bytes);
        if direction == self.asking() {
            let mut done = Vec::new();
            let mut uncounted = Losses::default();
            let counted = self.counted(losses, &mut uncounted);
            self.requests.push(bytes, at, counted, &mut done);
            self.asked(done, now, losses, out);
            return;
        }
        self.read_pages(|reader, sink| reader.push_response(bytes, at, losses, sink));
        if self.role != Role::Server {
            self.with_responses(|responses, pair| responses.push(bytes, pair), out);
        }
    }

    /// Learns from the first bytes which side the process is.
    fn assume_role(&mut self, direction: Direction, bytes: &[u8]) {
        if self.role != Role::Unknown {
            return;
        }
        self.role = match direction {
            Direction::Received if start::start(bytes, true) == Start::Request => Role::Server,
            Direction::Received => return,
            Direction::Sent if bytes.len() > 4 && could_begin(bytes) => Role::Server,
            Direction::Sent => Role::Client,
        };
        let source = self.facts.origin.as_ref().map(|origin| origin.source);
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

    /// Where losses of requests are counted. Those of requests that others sent
    /// are not.
    fn counted<'a>(&self, losses: &'a mut Losses, uncounted: &'a mut Losses) -> &'a mut Losses {
        if self.role == Role::Server {
            uncounted
        } else {
            losses
        }
    }

    /// Takes requests that were read to their end.
    fn asked(
        &mut self,
        done: Vec<Draft>,
        now: Timestamp,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
    ) {
        if let Some(reader) = &mut self.reader {
            reader.ask(&done);
        }
        if self.role != Role::Server {
            self.complete(done, now, losses, out);
        }
    }

    /// Lets the reader of pages work, if there is one.
    fn read_pages(&mut self, read: impl FnOnce(&mut Pages, &mut PageSink<'_>)) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let asking = if self.role == Role::Server {
            RequestSource::Own(&mut self.requests)
        } else {
            RequestSource::Others(&self.requests)
        };
        let mut sink = PageSink {
            asking,
            stream: self.stream,
            facts: &self.facts,
            pages: &mut self.pages,
        };
        read(reader, &mut sink);
    }

    /// Passes over bytes of a direction that are missing.
    pub(super) fn push_gap(
        &mut self,
        direction: Direction,
        length: u64,
        at: At<'_>,
        now: Timestamp,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
    ) {
        if direction == self.asking() {
            let mut done = Vec::new();
            let mut uncounted = Losses::default();
            let counted = self.counted(losses, &mut uncounted);
            self.requests.push_gap(length, at, counted, &mut done);
            self.asked(done, now, losses, out);
            return;
        }
        self.read_pages(|reader, sink| reader.push_response_gap(length, losses, sink));
        if self.role != Role::Server {
            self.with_responses(|responses, pair| responses.push_gap(length, pair), out);
        }
    }

    /// Passes on the requests that have waited long enough at `now`.
    pub(super) fn expire(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            if let Some(oldest) = self.unanswered.get_mut(self.told) {
                let draft = oldest.draft.take();
                self.told += 1;
                self.tell(draft, None, out);
            }
        }
    }

    /// The end of the stream: hands on everything.
    pub(super) fn finish(&mut self, now: Timestamp, losses: &mut Losses, out: &mut Vec<Exchange>) {
        self.read_pages(Pages::finish);
        if self.role == Role::Server {
            return;
        }
        let mut done = Vec::new();
        self.requests.finish(losses, &mut done);
        self.complete(done, now, losses, out);
        self.expire(Timestamp(u64::MAX), out);
    }

    /// Requests that were read to their end.
    fn complete(
        &mut self,
        done: Vec<Draft>,
        now: Timestamp,
        losses: &mut Losses,
        out: &mut Vec<Exchange>,
    ) {
        if self
            .facts
            .origin
            .as_ref()
            .is_some_and(|origin| origin.one_way)
        {
            // Nothing will answer these, nor those that wait.
            self.expire(Timestamp(u64::MAX), out);
            self.unanswered.clear();
            self.told = 0;
            for draft in done {
                self.waiting_memory = self.waiting_memory.saturating_add(draft.memory());
                self.tell(Some(Box::new(draft)), None, out);
            }
            return;
        }
        for draft in done {
            if let Some(status) = self.early.take() {
                self.waiting_memory = self.waiting_memory.saturating_add(draft.memory());
                self.tell(Some(Box::new(draft)), Some(status), out);
                continue;
            }
            if self.unanswered.len() >= MAX_UNANSWERED
                && let Some(oldest) = self.unanswered.pop_front()
            {
                self.told = self.told.saturating_sub(1);
                if oldest.draft.is_some() {
                    losses.count(Loss::HttpPipelineLimit);
                }
                self.tell(oldest.draft, None, out);
            }
            self.waiting_memory = self.waiting_memory.saturating_add(draft.memory());
            self.unanswered.push_back(Unanswered {
                method: Method::of(&draft),
                deadline: now.plus(MAX_WAIT),
                draft: Some(Box::new(draft)),
            });
        }
    }

    fn tell(&mut self, draft: Option<Box<Draft>>, status: Option<u16>, out: &mut Vec<Exchange>) {
        if let Some(draft) = draft {
            self.waiting_memory = self.waiting_memory.saturating_sub(draft.memory());
            let (request, coded) = draft.finish(self.stream, status);
            out.push(Exchange {
                request,
                facts: Arc::clone(&self.facts),
                coded,
            });
        }
    }

    fn with_responses(
        &mut self,
        read: impl FnOnce(&mut Responses, &mut dyn FnMut(u16) -> Follows),
        out: &mut Vec<Exchange>,
    ) {
        let mut responses = std::mem::take(&mut self.responses);
        read(&mut responses, &mut |status| self.pair(status, out));
        self.responses = responses;
    }

    /// Gives a status to the request that it answers. Returns what follows.
    fn pair(&mut self, status: u16, out: &mut Vec<Exchange>) -> Follows {
        if (100..200).contains(&status) && status != 101 {
            return Follows::Response;
        }
        let method = if let Some(answered) = self.unanswered.pop_front() {
            self.told = self.told.saturating_sub(1);
            self.tell(answered.draft, Some(status), out);
            answered.method
        } else if let Some(current) = self.requests.current() {
            let method = Method::of(current);
            self.early.get_or_insert(status);
            method
        } else {
            Method::Other
        };
        if status == 101 || method == Method::Connect && (200..300).contains(&status) {
            self.requests.turn_off();
            return Follows::Other;
        }
        if method == Method::Head || matches!(status, 204 | 304) {
            return Follows::Response;
        }
        Follows::Body
    }
}
