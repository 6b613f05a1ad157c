//! A request whose head was read: it collects its body, and then its status.

use super::{
    body,
    head::{Line, RequestHead},
    message::{Completeness, Header, Request},
};
use crate::{
    event::{Place, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
};

/// Most bytes of a body, as sent, that are kept.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Bytes of a body that are allocated in advance.
const USUAL_BODY: usize = 16 * 1024;
/// A body for which memory is allocated by eighths.
const LONG_BODY: usize = 256 * 1024;

/// Time and place of the first byte of a request.
#[derive(Clone)]
pub(super) struct Beginning {
    pub(super) ordinal: u64,
    pub(super) time: Timestamp,
    pub(super) place: Option<Place>,
}

/// An unfinished request.
pub(super) struct Draft {
    beginning: Beginning,
    head: RequestHead,
    head_length: u64,
    end: Timestamp,
    body: Vec<u8>,
    /// Length of the body as sent, with chunk framing.
    framed_length: u64,
    /// Length of the body as sent, without chunk framing.
    body_length: u64,
    body_cut: bool,
    /// Length of the kept body before the first missing bytes.
    gap_at: Option<usize>,
    completeness: Completeness,
}

impl Draft {
    pub(super) fn new(
        beginning: Beginning,
        head: RequestHead,
        head_length: u64,
        end: Timestamp,
        completeness: Completeness,
    ) -> Self {
        Self {
            completeness: completeness.and(head.completeness),
            beginning,
            head,
            head_length,
            end,
            body: Vec::new(),
            framed_length: 0,
            body_length: 0,
            body_cut: false,
            gap_at: None,
        }
    }

    pub(super) fn method(&self) -> &str {
        &self.head.method
    }

    /// Method, target and host. The target shares the memory of the whole head.
    pub(super) fn line(&self) -> Line {
        self.head.line()
    }

    /// Bytes of memory that the request holds, about.
    pub(super) fn memory(&self) -> usize {
        self.body
            .capacity()
            .saturating_add(self.head.memory)
            .saturating_add(512)
    }

    /// Allocates for a body of `length` bytes, up to the usual size.
    pub(super) fn expect(&mut self, length: u64) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.body.reserve_exact(length.min(USUAL_BODY));
    }

    /// Notes that `length` bytes of the body as sent arrived at `time`.
    pub(super) fn advance(&mut self, length: u64, time: Timestamp) {
        self.framed_length = self.framed_length.saturating_add(length);
        self.end = self.end.max(time);
    }

    /// Appends data of the body, without its transfer coding.
    pub(super) fn append(&mut self, data: &[u8], losses: &mut Losses) {
        self.body_length = self.body_length.saturating_add(data.len() as u64);
        let room = MAX_BODY.saturating_sub(self.body.len());
        if room < data.len() && !self.body_cut {
            self.body_cut = true;
            losses.count(Loss::HttpBodyLimit);
            self.spoil(Completeness::Truncated);
        }
        let data = data.get(..room).unwrap_or(data);
        // Long ones do not double: many may come in at once.
        if self.body.len() > LONG_BODY && self.body.capacity() - self.body.len() < data.len() {
            let more = (self.body.len() / 8).max(data.len());
            self.body.reserve_exact(more);
        }
        self.body.extend_from_slice(data);
    }

    /// Notes that `length` bytes of the body are missing here.
    pub(super) fn gap(&mut self, length: u64) {
        self.body_length = self.body_length.saturating_add(length);
        self.gap_at.get_or_insert(self.body.len());
        self.spoil(Completeness::Gap);
    }

    pub(super) fn spoil(&mut self, completeness: Completeness) {
        self.completeness = self.completeness.and(completeness);
    }

    pub(super) fn append_trailers(&mut self, trailers: Vec<Header>) {
        self.head.headers.extend(trailers);
    }

    /// The request with its body as sent, and its codings, if it has any.
    pub(super) fn finish(self, stream: StreamId, status: Option<u16>) -> (Request, Option<Coded>) {
        let Self {
            beginning:
                Beginning {
                    ordinal,
                    time,
                    place,
                },
            head:
                RequestHead {
                    protocol,
                    method,
                    target,
                    host,
                    headers,
                    completeness: _,
                    memory: _,
                },
            head_length,
            end,
            body,
            framed_length,
            body_length,
            body_cut: _,
            gap_at,
            completeness,
        } = self;
        let mut codings = codings(&headers);
        codings.retain(|coding| body::is_known(coding));
        let is_coded = !codings.is_empty() || body::is_coded(&body);
        let request = Request {
            stream,
            ordinal,
            time,
            end,
            place,
            protocol,
            method,
            target: Secret::new(target),
            host,
            headers,
            body: Secret::new(body.into()),
            body_wire_length: body_length,
            wire_length: head_length.saturating_add(framed_length),
            status,
            completeness,
        };
        (request, is_coded.then_some(Coded { codings, gap_at }))
    }
}

/// The codings that have to be removed to read a body. Most coded bodies are
/// never read, so this is done on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// In the order of application; those that are recognized by their
    /// signature come on top.
    codings: Vec<String>,
    /// Length of the kept body before the first missing bytes.
    gap_at: Option<usize>,
}

impl Coded {
    /// Removes the codings of `request`, as far as possible.
    pub(super) fn decode(&self, request: &mut Request, losses: &mut Losses) {
        let codings: Vec<_> = self.codings.iter().map(String::as_str).collect();
        let body = request.body.expose().clone();
        let decoded = if request.completeness == Completeness::Complete {
            body::decode(&codings, body, losses)
        } else {
            // That the coding ends early is known already. What follows a gap
            // has no meaning in a coding, and is read as it is without one.
            let mut known = Losses::default();
            let gap_at = self.gap_at.map(|gap| gap.min(body.len()));
            let before = gap_at.map_or_else(|| body.clone(), |gap| body.slice(..gap));
            let decoded = body::decode(&codings, before.clone(), &mut known);
            losses.add(Loss::HttpBomb, known.get(Loss::HttpBomb));
            let plain = decoded.bytes == before;
            body::Decoded {
                bytes: if plain { body } else { decoded.bytes },
                ..decoded
            }
        };
        request.completeness = request.completeness.and(decoded.completeness);
        request.body = Secret::new(decoded.bytes);
    }
}

/// The codings that the headers name, in the order of application: those of the
/// content, then those of the transfer.
pub(super) fn codings(headers: &[Header]) -> Vec<String> {
    ["content-encoding", "transfer-encoding"]
        .iter()
        .flat_map(|name| headers.iter().filter(move |header| header.name == *name))
        .flat_map(|header| header.value.expose().split(|byte| *byte == b','))
        .take(2 * body::MAX_CODINGS)
        .map(|coding| String::from_utf8_lossy(coding.trim_ascii()).into_owned())
        .collect()
}
