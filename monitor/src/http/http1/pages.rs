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
    head::{self, ResponseHead},
    requests::Requests,
    responses::{Follows, Head, Method, Responses, Visitor},
};
use crate::{
    event::{Place, StreamId, Timestamp},
    http::{
        draft::Draft,
        head::{Line, MAX_HEADERS},
        message::{Completeness, Header, Page},
        protocol::At,
    },
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

    /// Passes the page on, if there is any of it.
    fn finish(self, completeness: Completeness, sink: &mut PageSink<'_>) {
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
        } = self;
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
}

/// The responses of one connection, as far as pages need them.
#[derive(Default)]
pub(super) struct Pages {
    responses: Responses,
    pending: Pending,
}

/// What is known between two parts of a response.
#[derive(Default)]
struct Pending {
    asked: VecDeque<RequestRef>,
    /// The request whose body is coming in was answered.
    answered_early: bool,
    /// Whether responses may have been left out before the next one.
    skipped: bool,
    page: Option<Box<PendingPage>>,
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
        let Pending { asked, page, .. } = &self.pending;
        let page = page
            .as_ref()
            .map_or(0, |page| page.body.capacity().saturating_add(1024));
        asked
            .iter()
            .fold(self.responses.memory(), |sum, asked| {
                sum.saturating_add(asked.memory())
            })
            .saturating_add(page)
    }

    fn parts<'a, 'b>(
        &'a mut self,
        losses: &'a mut Losses,
        sink: &'a mut PageSink<'b>,
    ) -> (&'a mut Responses, Collector<'a, 'b>) {
        let Self { responses, pending } = self;
        let collector = Collector {
            pending,
            losses,
            sink,
        };
        (responses, collector)
    }

    /// Takes requests that were read to their end.
    pub(super) fn ask(&mut self, done: &[Draft]) {
        self.pending.ask(done);
    }

    /// Takes bytes of the direction of responses.
    pub(super) fn push_response(
        &mut self,
        segment: &[u8],
        at: At<'_>,
        losses: &mut Losses,
        sink: &mut PageSink<'_>,
    ) {
        let (responses, mut collector) = self.parts(losses, sink);
        responses.push(segment, at, &mut collector);
    }

    /// Skips missing bytes of the response direction.
    pub(super) fn push_response_gap(
        &mut self,
        length: u64,
        losses: &mut Losses,
        sink: &mut PageSink<'_>,
    ) {
        let (responses, mut collector) = self.parts(losses, sink);
        responses.push_gap(length, &mut collector);
    }

    /// The end of the stream.
    pub(super) fn finish(&mut self, losses: &mut Losses, sink: &mut PageSink<'_>) {
        let (responses, mut collector) = self.parts(losses, sink);
        responses.finish(&mut collector);
    }
}

impl Pending {
    /// Takes requests that were read to their end.
    fn ask(&mut self, done: &[Draft]) {
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
}

/// Makes pages of the parts of responses.
struct Collector<'a, 'b> {
    pending: &'a mut Pending,
    losses: &'a mut Losses,
    sink: &'a mut PageSink<'b>,
}

impl Visitor for Collector<'_, '_> {
    fn head(&mut self, head: Head, response: ResponseHead) -> Follows {
        let status = response.status;
        if response.is_interim() {
            return Follows::Response;
        }
        let asked = self.pending.pair(&mut self.sink.asking);
        let method = asked.as_ref().map_or("", |asked| asked.method.as_str());
        let follows = Follows::after(response, Method::of(method));
        if !matches!(follows, Follows::Body(_)) {
            return follows;
        }
        let bytes = &head.text.bytes;
        let lines = memchr::memchr(b'\n', bytes)
            .and_then(|end| bytes.get(end.saturating_add(1)..))
            .unwrap_or_default();
        let kind = content(head::value(lines, b"content-type"));
        self.pending.page = (kind != Content::Other).then(|| {
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
        follows
    }

    fn body(&mut self, data: &[u8]) {
        if let Some(page) = &mut self.pending.page
            && !page.append(data, self.losses)
        {
            // A page of which only the beginning is kept is not waited for.
            self.end(Completeness::Truncated);
        }
    }

    fn end(&mut self, completeness: Completeness) {
        let Some(page) = self.pending.page.take() else {
            return;
        };
        if completeness == Completeness::Gap {
            self.losses.count(Loss::HttpBodyLimit);
        }
        page.finish(completeness, self.sink);
    }

    fn lost(&mut self) {
        self.pending.skipped = true;
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
