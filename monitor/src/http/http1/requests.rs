//! The direction that the process writes: bytes to requests.
//!
//! In: bytes and gaps in order. Out: [`Draft`]s, complete or as far as they
//! were seen. After bytes that are not HTTP the reader drops everything up to
//! the next request line.

use std::mem;

use bytes::Bytes;

use super::{
    body_reader::BodyReader,
    chunked::{Chunked, Progress},
    head::{self, Framing, Partial, skip_blank},
    start::{self, Start},
};
use crate::{
    event::Timestamp,
    http::{
        draft::{Beginning, Draft},
        head::{Line, MAX_HEADERS},
        message::Completeness,
        protocol::At,
    },
    loss::{Loss, Losses},
};

/// Up to this many bytes, the beginning of a head is checked with each segment;
/// after that, when its first line has ended.
const START_LENGTH: usize = 64;

/// An incomplete head.
struct Head {
    beginning: Beginning,
    text: Partial,
    end: Timestamp,
    /// Whether it began where a message need not begin.
    strict: bool,
    /// Whether its first line is a request line.
    sure: bool,
}

enum State {
    /// Between two messages.
    Start,
    Head(Box<Head>),
    Body(Box<Draft>, BodyReader),
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
    /// Whether it asked for HTTP/2.
    leaves_to_http2: bool,
    /// What was sent since the preface of HTTP/2.
    http2: Option<Vec<u8>>,
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
            leaves_to_http2: false,
            http2: None,
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

    /// What the last request asked for instead of HTTP/1 follows.
    pub(super) fn leave(&mut self) {
        if !self.leaves_to_http2 {
            self.state = State::Off;
        }
    }

    /// Whether the stream may be anything.
    pub(super) const fn is_undecided(&self) -> bool {
        self.first && matches!(self.state, State::Start | State::Lost)
    }

    /// How many requests came before HTTP/2, if it follows, and its bytes.
    pub(super) fn take_http2(&mut self) -> Option<(u64, Vec<u8>)> {
        self.http2.take().map(|bytes| (self.ordinal, bytes))
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
        let bytes = Bytes::copy_from_slice(&head.text.bytes);
        let parsed = head::request(&bytes, true, &mut Losses::default())?;
        head.sure.then(|| parsed.head.line())
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
            State::Head(head) => head.text.bytes.capacity(),
            State::Body(draft, frame) => draft.memory().saturating_add(frame.memory()),
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
                    skip_blank(&mut bytes);
                    if !bytes.is_empty() {
                        self.state = self.begin(false, at);
                    }
                }
                State::Head(head) => {
                    let began_earlier = !head.text.bytes.is_empty();
                    if !self.push_head(head, &mut bytes, at, losses, done) {
                        if began_earlier && matches!(self.state, State::Lost) {
                            bytes = segment;
                        } else {
                            if let Some(http2) = &mut self.http2 {
                                http2.extend_from_slice(bytes);
                            }
                            return;
                        }
                    }
                }
                State::Body(draft, frame) => {
                    self.push_body(draft, frame, &mut bytes, at, losses, done);
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
            State::Body(mut draft, mut frame) => {
                let missing = match frame {
                    BodyReader::Length(remaining) => length.min(remaining),
                    BodyReader::Chunked(_) | BodyReader::Close => length,
                };
                draft.gap(missing);
                draft.advance(missing, at.time);
                match frame.skip(length) {
                    Progress::Incomplete => State::Body(draft, frame),
                    Progress::Done => {
                        done.push(*draft);
                        State::Start
                    }
                    Progress::Malformed => {
                        done.push(*draft);
                        State::Lost
                    }
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
            text: Partial::default(),
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
        let look = head.text.bytes.len() < START_LENGTH;
        let (taken, ended) = head.text.push(bytes);
        head.end = head.end.max(at.time);
        let line_ended = !head.sure && taken.contains(&b'\n');
        if !head.sure && (look || line_ended) {
            match start::start(&head.text.bytes, head.strict) {
                Start::Incomplete => {}
                Start::Request => head.sure = line_ended,
                start @ (Start::Response | Start::Http2 | Start::Other) => {
                    self.reject(&head, start, losses);
                    return false;
                }
            }
        }
        if !ended {
            self.state = State::Head(head);
            return true;
        }
        let cut = head.text.is_cut();
        let Head {
            beginning,
            text:
                Partial {
                    bytes: mut text,
                    wire_length,
                    ..
                },
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
        let connect = parsed.head.method == "CONNECT";
        self.leaving = parsed.leaves;
        self.leaves_to_http2 = parsed.leaves_to_http2;
        let mut draft = Box::new(Draft::new(
            beginning,
            parsed.head,
            wire_length,
            end,
            self.recognise(),
        ));
        match BodyReader::of(framing).filter(|_| !connect) {
            Some(frame) if framing != Framing::Length(0) => {
                if let BodyReader::Length(length) = frame {
                    draft.expect(length);
                }
                self.state = State::Body(draft, frame);
            }
            _ if framing == Framing::Broken => {
                losses.count(Loss::HttpMalformed);
                draft.spoil(Completeness::Truncated);
                done.push(*draft);
                self.state = State::Lost;
            }
            _ => {
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
            text,
            end,
            sure,
            ..
        } = head;
        if !sure {
            return;
        }
        if let Some(parsed) = head::request(&text.bytes.into(), true, losses) {
            let best = self.recognise();
            let mut draft = Draft::new(beginning, parsed.head, text.wire_length, end, best);
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
        if start == Start::Http2 {
            self.http2 = Some(head.text.bytes.clone());
        }
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
        mut frame: BodyReader,
        bytes: &mut &[u8],
        at: At<'_>,
        losses: &mut Losses,
        done: &mut Vec<Draft>,
    ) {
        let before = bytes.len();
        let progress = frame.push(bytes, |data| draft.append(data, losses));
        draft.advance(before.saturating_sub(bytes.len()) as u64, at.time);
        self.state = match progress {
            Progress::Incomplete => State::Body(draft, frame),
            Progress::Done => {
                if let BodyReader::Chunked(chunked) = frame {
                    finish_trailers(&mut draft, *chunked, losses);
                }
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
