//! The results of the HTTP stage: one request with the status of its response,
//! or one page that a server sent.

use std::sync::Arc;

use bytes::Bytes;

use super::{body, draft};
pub use crate::class::{Completeness, Protocol};
use crate::{
    event::{Place, StreamId, Timestamp},
    loss::{Loss, Losses},
    secret::Secret,
    stream::Facts,
};

/// Stands for a method, a target or a header that was sent, but is not known.
pub const UNKNOWN: &str = "?";

/// One header. Names are no payload; values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// As sent, without surrounding white space.
    pub value: Secret<Bytes>,
}

/// One request that a process sent, as far as it could be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The stream it was sent on.
    pub stream: StreamId,
    /// Its number on the stream, from 0.
    pub ordinal: u64,
    /// When its first byte was sent.
    pub time: Timestamp,
    /// When its last byte that was seen was sent.
    pub end: Timestamp,
    /// Where its first byte is recorded.
    pub place: Option<Place>,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its method. Only tokens of at most 32 ASCII letters, digits and `-_` are
    /// accepted as methods, so it is no payload. [`UNKNOWN`] if it is not known.
    pub method: String,
    /// The request target as sent: path and query, or the absolute form.
    pub target: Secret<Bytes>,
    /// The host that it names, in the absolute form or else in the Host header;
    /// lower case, without port. Host names are no payload.
    pub host: Option<String>,
    /// Its headers and trailers, in order.
    pub headers: Vec<Header>,
    /// Its body, with transfer and content codings removed as far as possible.
    pub body: Secret<Bytes>,
    /// Length of the body as sent, in bytes: without chunk framing, before
    /// content codings were removed.
    pub body_wire_length: u64,
    /// Length of the whole request as sent, in bytes.
    pub wire_length: u64,
    /// Status of the final response, if it was seen.
    pub status: Option<u16>,
    /// How much of the request was seen.
    pub completeness: Completeness,
}

impl Request {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|header| header.name == name)
            .map(|header| header.value.expose().as_ref())
    }
}

/// One response that may be a page, as far as it could be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The stream it was sent on.
    pub stream: StreamId,
    /// Source, process, addresses.
    pub facts: Arc<Facts>,
    /// When its first byte was sent.
    pub time: Timestamp,
    /// Where its first byte is recorded.
    pub place: Option<Place>,
    /// Method of the request that it answers, if that was seen; no payload.
    pub method: Option<String>,
    /// Target of that request.
    pub target: Option<Secret<Bytes>>,
    /// The host that the request named: lower case, without port.
    pub host: Option<String>,
    /// Its status.
    pub status: u16,
    /// Its headers, in order.
    pub headers: Vec<Header>,
    /// Whether its headers declare it as HTML. If not, its content decides.
    pub declared: bool,
    /// Its body as sent, without transfer coding.
    pub body: Secret<Bytes>,
    /// Length of the body as sent, as far as it was seen, in bytes.
    pub wire_length: u64,
    /// How much of it was seen.
    pub completeness: Completeness,
}

impl Page {
    /// The markup: the body without its content codings, as far as they can be
    /// removed. `None` if it is not HTML.
    pub fn markup(&self, losses: &mut Losses) -> Option<(Secret<Bytes>, Completeness)> {
        let codings = draft::codings(&self.headers);
        let codings: Vec<_> = codings.iter().map(String::as_str).collect();
        // If the page ends early, its coding necessarily does, too.
        let mut known = Losses::default();
        let decoded = body::decode(&codings, self.body.expose().clone(), &mut known);
        if self.completeness == Completeness::Complete {
            losses.merge(&known);
        } else {
            losses.add(Loss::HttpBomb, known.get(Loss::HttpBomb));
        }
        let completeness = self.completeness.and(decoded.completeness);
        (self.declared || begins_as_page(&decoded.bytes))
            .then(|| (Secret::new(decoded.bytes), completeness))
    }
}

/// Whether bytes begin as a document of HTML does.
fn begins_as_page(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes.trim_ascii_start();
    [b"<!doctype html".as_slice(), b"<html"].iter().any(|tag| {
        start
            .get(..tag.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
    })
}
