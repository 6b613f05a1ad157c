//! The pages of one connection: HTML responses, each with the request that it
//! answers.
//!
//! In: the bytes and gaps of both directions, in the order in which they
//! arrived. Out: [`Page`]s. The kernel hands over nothing of the responses
//! between two pages, so a response behind a gap answers the latest request;
//! without a gap, responses answer in the order of the requests.

use std::{collections::VecDeque, mem, sync::Arc};

use bytes::Bytes;

use super::{
    chunked::{Chunked, Progress},
    draft::{Draft, Line},
    head::{self, Framing, MAX_HEAD, MAX_HEADERS, Scan},
    message::{Completeness, Header, Page},
    requests::{At, Requests},
    responses::could_begin,
};
use crate::{
    event::{Place, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
    stream::Facts,
};

/// Most bytes of a page, as sent, that are kept.
pub const MAX_PAGE: usize = 1024 * 1024;
/// Most requests that wait for their answer.
const MAX_UNANSWERED_PAGES: usize = 64;

/// The part of a request that a page needs.
pub(super) struct RequestRef {
    method: String,
    target: Bytes,
    host: Option<String>,
}

impl RequestRef {
    fn new((method, target, host): Line) -> Self {
        Self {
            method,
            // The target shares the memory of the whole head.
            target: Bytes::copy_from_slice(&target),
            host,
        }
    }

    fn memory(&self) -> usize {
        self.target.len().saturating_add(256)
    }
}

/// An incomplete response head.
struct Head {
    bytes: Vec<u8>,
    scan: Scan,
    time: Timestamp,
    place: Option<Place>,
}

impl Head {
    fn new(at: At<'_>) -> Self {
        Self {
            bytes: Vec::new(),
            scan: Scan::default(),
            time: at.time,
            place: at.place.cloned(),
        }
    }
}

/// An incomplete page.
struct PendingPage {
    asked: Option<RequestRef>,
    status: u16,
    headers: Vec<Header>,
    declared: bool,
    body: Vec<u8>,
    wire_length: u64,
    time: Timestamp,
    place: Option<Place>,
    completeness: Completeness,
}

impl PendingPage {
    /// Appends more of the body. Returns whether it accepts further bytes.
    fn append(&mut self, data: &[u8], losses: &mut Losses) -> bool {
        self.wire_length = self.wire_length.saturating_add(data.len() as u64);
        let room = MAX_PAGE.saturating_sub(self.body.len());
        self.body
            .extend_from_slice(data.get(..room).unwrap_or(data));
        if room < data.len() {
            losses.count(Loss::HttpBodyLimit);
            self.completeness = self.completeness.and(Completeness::Truncated);
        }
        room >= data.len()
    }
}

enum Frame {
    Length(u64),
    Chunked(Box<Chunked>),
    /// Up to the end of the connection.
    Close,
}

enum State {
    Start,
    Head(Box<Head>),
    Body(Frame, Option<Box<PendingPage>>),
    /// Not known to be at the beginning of a response.
    Lost,
    Off,
}

/// The responses of one connection, as far as pages need them.
pub(super) struct Pages {
    asked: VecDeque<RequestRef>,
    /// The request whose body is coming in was answered.
    answered_early: bool,
    state: State,
    /// Whether responses may have been left out before the next one.
    skipped: bool,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            asked: VecDeque::new(),
            answered_early: false,
            state: State::Start,
            skipped: false,
        }
    }
}

/// The requests that are being answered.
pub(super) enum RequestSource<'a> {
    /// They are read for their pages alone.
    Own(&'a mut Requests),
    /// They are read for other purposes too, and must not be changed.
    Others(&'a Requests),
}

impl RequestSource<'_> {
    /// The request whose body is coming in.
    fn current(&self) -> Option<&Draft> {
        match self {
            Self::Own(requests) => requests.current(),
            Self::Others(requests) => requests.current(),
        }
    }
}

/// Where finished pages go, and what they all share.
pub(super) struct PageSink<'a> {
    pub(super) asking: RequestSource<'a>,
    pub(super) stream: StreamId,
    pub(super) facts: &'a Arc<Facts>,
    pub(super) pages: &'a mut Vec<Page>,
}

impl Pages {
    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        let response = match &self.state {
            State::Head(head) => head.bytes.capacity(),
            State::Body(_, Some(page)) => page.body.capacity().saturating_add(1024),
            State::Start | State::Body(_, None) | State::Lost | State::Off => 0,
        };
        let asked = self
            .asked
            .iter()
            .fold(0, |sum: usize, asked| sum.saturating_add(asked.memory()));
        asked.saturating_add(response)
    }

    /// Takes requests that were read to their end.
    pub(super) fn ask(&mut self, done: &[Draft]) {
        for draft in done {
            if mem::take(&mut self.answered_early) {
                continue;
            }
            if self.asked.len() >= MAX_UNANSWERED_PAGES {
                self.asked.pop_front();
            }
            self.asked.push_back(RequestRef::new(draft.line()));
        }
    }

    /// The request that the beginning response answers.
    fn pair(&mut self, asking: &mut RequestSource<'_>) -> Option<RequestRef> {
        let skipped = mem::take(&mut self.skipped);
        if self.asked.is_empty()
            && let Some(draft) = asking.current()
        {
            self.answered_early = true;
            return Some(RequestRef::new(draft.line()));
        }
        if self.asked.is_empty() {
            match asking {
                RequestSource::Own(requests) => {
                    let (mut done, mut uncounted) = (Vec::new(), Losses::default());
                    requests.cut(&mut uncounted, &mut done);
                    self.ask(&done);
                }
                RequestSource::Others(requests) => {
                    let begun = requests.begun();
                    self.answered_early = begun.is_some();
                    return begun.map(RequestRef::new);
                }
            }
        }
        if skipped {
            let last = self.asked.pop_back();
            self.asked.clear();
            last
        } else {
            self.asked.pop_front()
        }
    }

    /// Takes bytes of the direction of responses.
    pub(super) fn push_response(
        &mut self,
        segment: &[u8],
        at: At<'_>,
        losses: &mut Losses,
        sink: &mut PageSink<'_>,
    ) {
        let mut bytes = segment;
        while !bytes.is_empty() {
            match mem::replace(&mut self.state, State::Start) {
                State::Off => {
                    self.state = State::Off;
                    return;
                }
                State::Lost if !could_begin(bytes) => {
                    self.skipped = true;
                    self.state = State::Lost;
                    return;
                }
                State::Lost => self.state = State::Head(Box::new(Head::new(at))),
                State::Start => {
                    let blank = bytes
                        .iter()
                        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                        .count();
                    bytes = bytes.get(blank..).unwrap_or_default();
                    if !bytes.is_empty() {
                        self.state = State::Head(Box::new(Head::new(at)));
                    }
                }
                State::Head(mut head) => {
                    let began_earlier = !head.bytes.is_empty();
                    let end = head.scan.push(bytes);
                    let (taken, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    bytes = rest;
                    let room = MAX_HEAD.saturating_sub(head.bytes.len());
                    head.bytes
                        .extend_from_slice(taken.get(..room).unwrap_or(taken));
                    self.state = if !could_begin(&head.bytes) {
                        self.skipped = true;
                        // What is no response may still end where one begins.
                        bytes = if began_earlier { segment } else { &[] };
                        State::Lost
                    } else if end.is_some() {
                        self.after_head(*head, sink)
                    } else {
                        State::Head(head)
                    };
                }
                State::Body(frame, page) => {
                    self.state = self.body(frame, page, &mut bytes, losses, sink);
                }
            }
        }
    }

    fn body(
        &mut self,
        frame: Frame,
        mut page: Option<Box<PendingPage>>,
        bytes: &mut &[u8],
        losses: &mut Losses,
        sink: &mut PageSink<'_>,
    ) -> State {
        let mut full = false;
        let mut take = |data: &[u8]| {
            if let Some(page) = &mut page
                && !full
            {
                full = !page.append(data, losses);
            }
        };
        let next = match frame {
            Frame::Length(remaining) => {
                let length = usize::try_from(remaining)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let (data, rest) = bytes.split_at(length);
                take(data);
                *bytes = rest;
                let left = remaining.saturating_sub(length as u64);
                (left > 0).then_some(Frame::Length(left))
            }
            Frame::Close => {
                take(bytes);
                *bytes = &[];
                Some(Frame::Close)
            }
            Frame::Chunked(mut chunked) => match chunked.push(bytes, take) {
                Progress::Incomplete => Some(Frame::Chunked(chunked)),
                Progress::Done => None,
                Progress::Malformed => {
                    *bytes = &[];
                    self.skipped = true;
                    finish(page, Completeness::Truncated, sink);
                    return State::Lost;
                }
            },
        };
        match next {
            // A page of which only the beginning is kept is not waited for.
            Some(frame) if full => {
                finish(page, Completeness::Truncated, sink);
                State::Body(frame, None)
            }
            Some(frame) => State::Body(frame, page),
            None => {
                finish(page, Completeness::Complete, sink);
                State::Start
            }
        }
    }

    /// Skips missing bytes of the response direction. What follows them is no
    /// longer read as part of a page.
    pub(super) fn push_response_gap(
        &mut self,
        length: u64,
        losses: &mut Losses,
        sink: &mut PageSink<'_>,
    ) {
        if length == 0 {
            return;
        }
        self.state = match mem::replace(&mut self.state, State::Lost) {
            State::Off => State::Off,
            State::Start | State::Lost | State::Head(_) => {
                self.skipped = true;
                State::Lost
            }
            State::Body(frame, page) => {
                if page.is_some() {
                    losses.count(Loss::HttpBodyLimit);
                }
                finish(page, Completeness::Gap, sink);
                let next = match frame {
                    Frame::Length(remaining) => match remaining.checked_sub(length) {
                        Some(0) => Some(State::Start),
                        Some(left) => Some(State::Body(Frame::Length(left), None)),
                        None => None,
                    },
                    Frame::Chunked(mut chunked) => chunked
                        .skip(length)
                        .then(|| State::Body(Frame::Chunked(chunked), None)),
                    Frame::Close => Some(State::Body(Frame::Close, None)),
                };
                self.skipped |= next.is_none();
                next.unwrap_or(State::Lost)
            }
        };
    }

    /// The end of the stream.
    pub(super) fn finish(&mut self, sink: &mut PageSink<'_>) {
        if let State::Body(frame, page) = mem::replace(&mut self.state, State::Off) {
            let completeness = match frame {
                Frame::Close => Completeness::Complete,
                Frame::Length(_) | Frame::Chunked(_) => Completeness::Truncated,
            };
            finish(page, completeness, sink);
        }
    }

    fn after_head(&mut self, head: Head, sink: &mut PageSink<'_>) -> State {
        let Some(response) = head::response(&head.bytes) else {
            self.skipped = true;
            return State::Lost;
        };
        let status = response.status;
        if (100..200).contains(&status) && status != 101 {
            return State::Start;
        }
        let asked = self.pair(&mut sink.asking);
        let method = asked.as_ref().map_or("", |asked| asked.method.as_str());
        if status == 101 || method == "CONNECT" && (200..300).contains(&status) {
            return State::Off;
        }
        if method == "HEAD" || matches!(status, 204 | 304) {
            return State::Start;
        }
        let lines = memchr::memchr(b'\n', &head.bytes)
            .and_then(|end| head.bytes.get(end.saturating_add(1)..))
            .unwrap_or_default();
        let kind = content(head::value(lines, b"content-type"));
        let page = (kind != Content::Other).then(|| {
            Box::new(PendingPage {
                asked,
                status,
                headers: head::lines(&Bytes::copy_from_slice(lines), MAX_HEADERS).headers,
                declared: kind == Content::Page,
                body: Vec::new(),
                wire_length: 0,
                time: head.time,
                place: head.place,
                completeness: Completeness::Complete,
            })
        });
        match response.framing {
            Framing::Length(0) => {
                finish(page, Completeness::Complete, sink);
                State::Start
            }
            Framing::Length(length) => State::Body(Frame::Length(length), page),
            Framing::Chunked => State::Body(Frame::Chunked(Box::default()), page),
            Framing::Unsaid | Framing::Broken => State::Body(Frame::Close, page),
        }
    }
}

/// The content type according to the headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// HTML.
    Page,
    /// Perhaps: the content will show.
    Unsaid,
    Other,
}

fn content(declared: Option<&[u8]>) -> Content {
    let Some(value) = declared else {
        return Content::Unsaid;
    };
    let essence = value
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let is = |name: &[u8]| essence.eq_ignore_ascii_case(name);
    if is(b"text/html") || is(b"application/xhtml+xml") {
        Content::Page
    } else if essence.is_empty() || is(b"text/plain") {
        Content::Unsaid
    } else {
        Content::Other
    }
}

fn finish(page: Option<Box<PendingPage>>, completeness: Completeness, sink: &mut PageSink<'_>) {
    let Some(page) = page else { return };
    let PendingPage {
        asked,
        status,
        headers,
        declared,
        body,
        wire_length,
        time,
        place,
        completeness: own,
    } = *page;
    if body.is_empty() {
        return;
    }
    let (method, target, host) = asked.map_or((None, None, None), |asked| {
        (Some(asked.method), Some(asked.target), asked.host)
    });
    sink.pages.push(Page {
        stream: sink.stream,
        facts: Arc::clone(sink.facts),
        time,
        place,
        method,
        target: target.map(Secret::new),
        host,
        status,
        headers,
        declared,
        body: Secret::new(body.into()),
        wire_length,
        completeness: own.and(completeness),
    });
}
