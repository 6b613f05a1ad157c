//! The direction that the process writes: bytes to requests.
//!
//! In: bytes and gaps in order. Out: [`Draft`]s, complete or as far as they
//! were seen. After bytes that are not HTTP the reader drops everything up to
//! the next request line.

use std::mem;

use bytes::Bytes;

use super::{
    chunked::{Chunked, Progress},
    draft::{Beginning, Draft, Line},
    head::{self, Framing, MAX_HEAD, MAX_HEADERS, Scan},
    message::Completeness,
    start::{self, Start},
};
use crate::{
    event::{Place, Timestamp},
    loss::{Loss, Losses},
};

/// Up to this many bytes, the beginning of a head is checked with each segment;
/// after that, when its first line has ended.
const START_LENGTH: usize = 64;

/// When and where a segment was seen.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) time: Timestamp,
    pub(super) place: Option<&'a Place>,
}

/// An incomplete head.
struct Head {
    beginning: Beginning,
    bytes: Vec<u8>,
    wire_length: u64,
    scan: Scan,
    end: Timestamp,
    /// Whether it began where a message need not begin.
    strict: bool,
    /// Whether its first line is a request line.
    sure: bool,
}

impl Head {
    fn append(&mut self, bytes: &[u8], time: Timestamp) {
        let room = MAX_HEAD.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.wire_length = self.wire_length.saturating_add(bytes.len() as u64);
        self.end = self.end.max(time);
    }

    const fn is_cut(&self) -> bool {
        self.wire_length > self.bytes.len() as u64
    }
}

enum Body {
    Length(u64),
    Chunked(Box<Chunked>),
}

enum State {
    /// Between two messages.
    Start,
    Head(Box<Head>),
    Body(Box<Draft>, Body),
    /// Not known to be at the beginning of a message.
    Lost,
    /// What follows is not HTTP/1 of a client.
    Off,
}

/// The state of one connection's requests.
pub(super) struct Requests {
    state: State,
    ordinal: u64,
    /// Whether nothing was recognised on the stream yet.
    first: bool,
    /// Whether the last request asked to leave HTTP/1.
    leaving: bool,
    /// What the next request is at best.
    best: Completeness,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            state: State::Start,
            ordinal: 0,
            first: true,
            leaving: false,
            best: Completeness::Complete,
        }
    }
}

impl Requests {
    /// The stream was joined after it had begun.
    pub(super) fn join_late(&mut self) {
        self.best = Completeness::Late;
        // The first bytes of a stream may be anything.
        if matches!(self.state, State::Start) {
            self.state = State::Lost;
        }
    }

    /// Nothing that follows is a request.
    pub(super) fn turn_off(&mut self) {
        self.state = State::Off;
    }

    /// Gives up on the rest of an unfinished head: it was answered.
    pub(super) fn cut(&mut self, losses: &mut Losses, done: &mut Vec<Draft>) {
        match mem::replace(&mut self.state, State::Lost) {
            State::Head(head) => self.cut_head(*head, Completeness::Truncated, losses, done),
            other => self.state = other,
        }
    }

    /// What can be read of a head that is coming in.
    pub(super) fn begun(&self) -> Option<Line> {
        let State::Head(head) = &self.state else {
            return None;
        };
        let bytes = Bytes::copy_from_slice(&head.bytes);
        let parsed = head::request(&bytes, true, &mut Losses::default())?;
        head.sure.then(|| parsed.line())
    }

    /// The request whose body is coming in.
    pub(super) fn current(&self) -> Option<&Draft> {
        if let State::Body(draft, _) = &self.state {
            Some(draft)
        } else {
            None
        }
    }

    /// Bytes of memory that unfinished messages hold, about.
    pub(super) fn memory(&self) -> usize {
        match &self.state {
            State::Head(head) => head.bytes.capacity(),
            State::Body(draft, Body::Length(_)) => draft.memory(),
            State::Body(draft, Body::Chunked(chunked)) => {
                draft.memory().saturating_add(chunked.trailer.capacity())
            }
            State::Start | State::Lost | State::Off => 0,
        }
    }

    /// Takes the next bytes; finished requests go to `done`.
    pub(super) fn push(
        &mut self,
        segment: &[u8],
        at: At<'_>,
        losses: &mut Losses,
        done: &mut Vec<Draft>,
    ) {
        let mut bytes = segment;
        while !bytes.is_empty() {
            match mem::replace(&mut self.state, State::Start) {
                State::Off => {
                    self.state = State::Off;
                    return;
                }
                State::Lost => {
                    let begins = |bytes| {
                        let start = start::start(bytes, true);
                        matches!(start, Start::Incomplete | Start::Request)
                    };
                    let found = if begins(bytes) {
                        Some(0)
                    } else {
                        start::find_request(bytes)
                    };
                    let Some(found) = found else {
                        self.state = State::Lost;
                        return;
                    };
                    bytes = bytes.get(found..).unwrap_or_default();
                    self.state = self.begin(true, at);
                }
                State::Start => {
                    let blank = bytes
                        .iter()
                        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                        .count();
                    bytes = bytes.get(blank..).unwrap_or_default();
                    if !bytes.is_empty() {
                        self.state = self.begin(false, at);
                    }
                }
                State::Head(head) => {
                    let began_earlier = !head.bytes.is_empty();
                    if !self.push_head(head, &mut bytes, at, losses, done) {
                        if began_earlier && matches!(self.state, State::Lost) {
                            bytes = segment;
                        } else {
                            return;
                        }
                    }
                }
                State::Body(draft, body) => {
                    self.push_body(draft, body, &mut bytes, at, losses, done);
                    if matches!(self.state, State::Lost) {
                        return;
                    }
                }
            }
        }
    }

    /// Passes over `length` bytes that are missing.
    pub(super) fn push_gap(
        &mut self,
        length: u64,
        at: At<'_>,
        losses: &mut Losses,
        done: &mut Vec<Draft>,
    ) {
        if length == 0 {
            return;
        }
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Off => State::Off,
            State::Start | State::Lost => State::Lost,
            State::Head(head) => {
                losses.count(Loss::HttpMalformed);
                self.cut_head(*head, Completeness::Gap, losses, done);
                State::Lost
            }
            State::Body(mut draft, Body::Length(remaining)) => {
                let missing = length.min(remaining);
                draft.gap(missing);
                draft.advance(missing, at.time);
                match remaining.checked_sub(length) {
                    Some(left) if left > 0 => State::Body(draft, Body::Length(left)),
                    left => {
                        done.push(*draft);
                        left.map_or(State::Lost, |_| State::Start)
                    }
                }
            }
            State::Body(mut draft, Body::Chunked(mut chunked)) => {
                draft.gap(length);
                draft.advance(length, at.time);
                if chunked.skip(length) {
                    State::Body(draft, Body::Chunked(chunked))
                } else {
                    done.push(*draft);
                    State::Lost
                }
            }
        };
    }

    /// The end of the stream: unfinished requests are passed on as they are.
    pub(super) fn finish(&mut self, losses: &mut Losses, done: &mut Vec<Draft>) {
        match mem::replace(&mut self.state, State::Off) {
            State::Head(head) => {
                if !self.first && !head.sure && !head.strict {
                    losses.count(Loss::HttpMalformed);
                }
                self.cut_head(*head, Completeness::Truncated, losses, done);
            }
            State::Body(mut draft, _) => {
                draft.spoil(Completeness::Truncated);
                done.push(*draft);
            }
            State::Start | State::Lost | State::Off => {}
        }
    }

    fn begin(&self, strict: bool, at: At<'_>) -> State {
        let beginning = Beginning {
            ordinal: self.ordinal,
            time: at.time,
            place: at.place.cloned(),
        };
        State::Head(Box::new(Head {
            beginning,
            bytes: Vec::new(),
            wire_length: 0,
            scan: Scan::default(),
            end: at.time,
            strict,
            sure: false,
        }))
    }

    /// Takes bytes of a head. Returns whether they were part of one.
    fn push_head(
        &mut self,
        mut head: Box<Head>,
        bytes: &mut &[u8],
        at: At<'_>,
        losses: &mut Losses,
        done: &mut Vec<Draft>,
    ) -> bool {
        let end = head.scan.push(bytes);
        let (taken, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        *bytes = rest;
        let look = head.bytes.len() < START_LENGTH;
        head.append(taken, at.time);
        let line_ended = !head.sure && taken.contains(&b'\n');
        if !head.sure && (look || line_ended) {
            match start::start(&head.bytes, head.strict) {
                Start::Incomplete => {}
                Start::Request => head.sure = line_ended,
                start @ (Start::Response | Start::Http2 | Start::Other) => {
                    self.reject(&head, start, losses);
                    return false;
                }
            }
        }
        if end.is_none() {
            self.state = State::Head(head);
            return true;
        }
        let cut = head.is_cut();
        let Head {
            beginning,
            bytes: mut text,
            wire_length,
            end,
            strict,
            ..
        } = *head;
        // A target that alone exceeds the limit is still of use.
        if cut && !text.contains(&b'\n') && start::start(&text, true) == Start::Request {
            text.extend_from_slice(b" HTTP/1.1\r\n");
        }
        let Some(parsed) = head::request(&text.into(), cut, losses) else {
            self.lose(strict, losses);
            return false;
        };
        if cut {
            losses.count(Loss::HttpHeadLimit);
        }
        let framing = parsed.framing;
        let connect = parsed.method == "CONNECT";
        self.leaving = parsed.leaves;
        let mut draft = Box::new(Draft::new(
            beginning,
            parsed,
            wire_length,
            end,
            self.recognise(),
        ));
        match framing {
            Framing::Length(length) if length > 0 && !connect => {
                draft.expect(length);
                self.state = State::Body(draft, Body::Length(length));
            }
            Framing::Chunked if !connect => {
                self.state = State::Body(draft, Body::Chunked(Box::default()));
            }
            Framing::Broken => {
                losses.count(Loss::HttpMalformed);
                draft.spoil(Completeness::Truncated);
                done.push(*draft);
                self.state = State::Lost;
            }
            Framing::Length(_) | Framing::Chunked | Framing::Unsaid => {
                done.push(*draft);
                self.state = State::Start;
            }
        }
        true
    }

    /// Passes on what can be read of a head without its end.
    fn cut_head(
        &mut self,
        head: Head,
        completeness: Completeness,
        losses: &mut Losses,
        done: &mut Vec<Draft>,
    ) {
        let Head {
            beginning,
            bytes,
            wire_length,
            end,
            sure,
            ..
        } = head;
        if !sure {
            return;
        }
        if let Some(parsed) = head::request(&bytes.into(), true, losses) {
            let best = self.recognise();
            let mut draft = Draft::new(beginning, parsed, wire_length, end, best);
            draft.spoil(completeness);
            done.push(draft);
        }
    }

    /// Notes that a request was recognised. Returns its best possible
    /// completeness.
    const fn recognise(&mut self) -> Completeness {
        self.ordinal += 1;
        self.first = false;
        mem::replace(&mut self.best, Completeness::Complete)
    }

    /// The bytes at the beginning of a message are no request.
    fn reject(&mut self, head: &Head, start: Start, losses: &mut Losses) {
        let server = start == Start::Response && self.first;
        if start == Start::Http2 || server || self.leaving && !head.strict {
            self.state = State::Off;
        } else {
            self.lose(head.strict, losses);
        }
    }

    /// From here on it is unknown where a message begins. That counts as one loss,
    /// and as none on a stream that never was HTTP or was joined within a message.
    fn lose(&mut self, again: bool, losses: &mut Losses) {
        if self.first {
            self.best = Completeness::Late;
        } else if !again {
            losses.count(Loss::HttpMalformed);
        }
        self.state = State::Lost;
    }

    fn push_body(
        &mut self,
        mut draft: Box<Draft>,
        body: Body,
        bytes: &mut &[u8],
        at: At<'_>,
        losses: &mut Losses,
        done: &mut Vec<Draft>,
    ) {
        match body {
            Body::Length(remaining) => {
                let length = usize::try_from(remaining)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let (data, rest) = bytes.split_at(length);
                *bytes = rest;
                draft.append(data, losses);
                draft.advance(length as u64, at.time);
                let left = remaining.saturating_sub(length as u64);
                self.state = if left > 0 {
                    State::Body(draft, Body::Length(left))
                } else {
                    done.push(*draft);
                    State::Start
                };
            }
            Body::Chunked(mut chunked) => {
                let before = bytes.len();
                let progress = chunked.push(bytes, |data| draft.append(data, losses));
                draft.advance(before.saturating_sub(bytes.len()) as u64, at.time);
                self.state = match progress {
                    Progress::Incomplete => State::Body(draft, Body::Chunked(chunked)),
                    Progress::Done => {
                        finish_trailers(&mut draft, *chunked, losses);
                        done.push(*draft);
                        State::Start
                    }
                    Progress::Malformed => {
                        losses.count(Loss::HttpMalformed);
                        draft.spoil(Completeness::Truncated);
                        done.push(*draft);
                        State::Lost
                    }
                };
            }
        }
    }
}

fn finish_trailers(draft: &mut Draft, chunked: Chunked, losses: &mut Losses) {
    let read = head::lines(&Bytes::from(chunked.trailer), MAX_HEADERS);
    if read.over || chunked.trailer_cut {
        losses.count(Loss::HttpHeadLimit);
        draft.spoil(Completeness::Truncated);
    } else if read.skipped {
        losses.count(Loss::HttpMalformed);
        draft.spoil(Completeness::Truncated);
    }
    draft.append_trailers(read.headers);
}
