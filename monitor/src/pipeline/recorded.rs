//! Messages of redacted captures: out of the core, and back into it.
//!
//! On the way out, a message has its values replaced and carries the proofs
//! that were found. On the way in, the proofs replace the values, so that
//! findings are those of the original; evidence that other rules find in the
//! replaced values is added.

use std::sync::Arc;

use bytes::Bytes;

use super::{examiner::Examined, matching::Connection};
use crate::{
    canary::Planting,
    event::{StreamId, Timestamp},
    finding::{self, PageProofs, Proof},
    http::{
        Exchange, Page, Protocol, Request, read_request, read_response, write_request,
        write_response,
    },
    message::{ConnectionNote, Message, MessageFacts},
    redact::{RedactedPage, RedactedRequest},
    rules,
    secret::Secret,
    stream::Facts,
};

/// What happened to the body of a message that is recorded as it was sent.
const AS_SENT: &str = "as_sent";

/// A request or a page, restored from a redacted capture.
pub(super) enum Whole {
    /// A request.
    Exchange(Exchange),
    /// A page.
    Page(Page),
}

/// What a message of a redacted capture says. `None` if its text says nothing.
pub(super) fn whole(message: &Message) -> Option<Whole> {
    let facts = Arc::new(Facts {
        origin: message.origin.clone(),
        server_name: message.server_name.clone(),
    });
    let known = &message.facts;
    let completeness = known.completeness.value()?;
    let asked = read_request(message.request.expose());
    if known.page {
        let answer = read_response(message.response.expose())?;
        return Some(Whole::Page(Page {
            stream: message.stream,
            facts,
            time: message.time,
            place: message.place.clone(),
            method: asked.as_ref().map(|asked| asked.method.clone()),
            target: asked.map(|asked| asked.target),
            host: known.host.clone(),
            status: answer.status,
            headers: answer.headers,
            declared: known.declared,
            body: answer.body,
            wire_length: known.bytes,
            completeness,
        }));
    }
    let asked = asked?;
    Some(Whole::Exchange(Exchange {
        request: Request {
            stream: message.stream,
            ordinal: known.ordinal,
            time: message.time,
            end: Timestamp(known.end),
            place: message.place.clone(),
            protocol: known.protocol.value().unwrap_or(Protocol::Http1),
            method: asked.method,
            target: asked.target,
            host: known.host.clone(),
            headers: asked.headers,
            body: asked.body,
            body_wire_length: known.body_bytes,
            wire_length: known.bytes,
            status: known.status,
            completeness,
        },
        facts,
        coded: None,
    }))
}

/// Whether these rules would find the same proofs.
pub(super) fn is_current(facts: &MessageFacts) -> bool {
    facts.rules == rules::fingerprint()
}

/// The proofs that a message carries.
pub(super) fn proofs(facts: &MessageFacts) -> Vec<Proof> {
    facts.proofs.iter().filter_map(Proof::from_note).collect()
}

/// The proofs that a message carries, and those that other rules found in its
/// replaced values. If both found the same class at the same path, the recorded
/// one counts, since its token is that of the original value.
pub(super) fn joined(facts: &MessageFacts, found: Vec<Proof>) -> Vec<Proof> {
    let mut all = proofs(facts);
    let known = all.len();
    for proof in found {
        let is_known = all
            .iter()
            .take(known)
            .any(|own| own.class == proof.class && own.path == proof.path);
        if !is_known {
            all.push(proof);
        }
    }
    all.sort_by_key(|proof| proof.field);
    all
}

/// The plantings that a message carries.
pub(super) fn plantings(facts: &MessageFacts) -> Vec<Planting> {
    facts
        .plantings
        .iter()
        .filter_map(Planting::from_note)
        .collect()
}

/// What was found in a page, as its message carries it.
pub(super) fn page_proofs(facts: &MessageFacts) -> PageProofs {
    PageProofs {
        proofs: proofs(facts),
        path: facts.path.clone(),
    }
}

/// The message that records an examined request with its values replaced. Its
/// findings show `path`.
pub(super) fn redacted_request(
    examined: &Examined,
    redacted: &RedactedRequest,
    path: String,
    proofs: &[Proof],
) -> Message {
    // A client may use any word as a method.
    let text = write_request(
        finding::method(&examined.exchange.request.method),
        redacted.target.expose(),
        &redacted.headers,
        redacted.body.expose(),
    );
    let known = MessageFacts {
        rules: rules::fingerprint().to_owned(),
        path,
        body: redacted.body_state.as_str().to_owned(),
        proofs: proofs.iter().map(Proof::note).collect(),
        plantings: examined.plantings.iter().map(Planting::note).collect(),
        ..MessageFacts::default()
    };
    request(&examined.exchange, text, known)
}

/// The message that records a request, whose codings are removed, as it was
/// sent.
/// What comes out of here is payload.
pub(super) fn sent_request(exchange: &Exchange) -> Message {
    let own = &exchange.request;
    let text = write_request(
        &own.method,
        own.target.expose(),
        &own.headers,
        own.body.expose(),
    );
    request(exchange, text, sent())
}

/// The message that holds the `text` of a request.
fn request(exchange: &Exchange, text: Secret<Bytes>, known: MessageFacts) -> Message {
    let Exchange { request, facts, .. } = exchange;
    let known = MessageFacts {
        ordinal: request.ordinal,
        end: request.end.0,
        host: request.host.clone(),
        status: request.status,
        body_bytes: request.body_wire_length,
        bytes: request.wire_length,
        protocol: request.protocol.into(),
        completeness: request.completeness.into(),
        ..known
    };
    let answer = request
        .status
        .map_or_else(Secret::default, |status| write_response(status, &[], &[]));
    message(request.time, request.stream, facts, (text, answer), known)
}

/// The message that records a page with its values replaced.
pub(super) fn redacted_page(own: &Page, redacted: &RedactedPage, found: &PageProofs) -> Message {
    let target = redacted.target.as_ref().map(Secret::expose);
    let asked = (own.method.as_deref()).zip(target.map(AsRef::as_ref));
    let asked = asked.map(|(method, target)| (finding::method(method), target));
    let answer = write_response(own.status, &redacted.headers, redacted.body.expose());
    let known = MessageFacts {
        rules: rules::fingerprint().to_owned(),
        path: found.path.clone(),
        body: redacted.body_state.as_str().to_owned(),
        proofs: found.proofs.iter().map(Proof::note).collect(),
        ..MessageFacts::default()
    };
    page(own, asked, answer, known)
}

/// The message that records a page, whose body without codings is `markup`, as it
/// was sent. What comes out of here is payload.
pub(super) fn sent_page(own: &Page, markup: &Secret<Bytes>) -> Message {
    let target = own.target.as_ref().map(Secret::expose);
    let asked = (own.method.as_deref()).zip(target.map(AsRef::as_ref));
    let answer = write_response(own.status, &own.headers, markup.expose());
    page(own, asked, answer, sent())
}

/// The message that holds the text of a page: the method and target that it
/// answers, if they are known, and the answer.
fn page(
    page: &Page,
    asked: Option<(&str, &[u8])>,
    answer: Secret<Bytes>,
    known: MessageFacts,
) -> Message {
    let known = MessageFacts {
        page: true,
        declared: page.declared,
        end: page.time.0,
        host: page.host.clone(),
        status: Some(page.status),
        body_bytes: page.wire_length,
        bytes: page.wire_length,
        completeness: page.completeness.into(),
        ..known
    };
    let asked = asked.map_or_else(Secret::default, |(method, target)| {
        write_request(method, target, &[], &[])
    });
    message(page.time, page.stream, &page.facts, (asked, answer), known)
}

/// What is known of a message that is recorded as it was sent.
fn sent() -> MessageFacts {
    MessageFacts {
        body: AS_SENT.to_owned(),
        ..MessageFacts::default()
    }
}

/// The message that records a TLS connection and what became of it.
pub(super) fn connection(own: &Connection) -> Message {
    let known = MessageFacts {
        greeting: true,
        connection: Some(ConnectionNote {
            blindness: own.blindness().map(Into::into),
            tracker: own.tracker.as_deref().map(str::to_owned),
            tunnel: own.is_tunnel,
        }),
        host: Some(own.host.as_ref().to_owned()),
        end: own.began.0,
        ..MessageFacts::default()
    };
    message(own.began, own.stream, &own.facts, Default::default(), known)
}

/// The message that holds the texts of a request and its response.
fn message(
    time: Timestamp,
    stream: StreamId,
    facts: &Facts,
    (request, response): (Secret<Bytes>, Secret<Bytes>),
    known: MessageFacts,
) -> Message {
    Message {
        time,
        stream,
        place: None,
        origin: facts.origin.clone(),
        server_name: facts.server_name.clone(),
        request,
        response,
        facts: Box::new(known),
    }
}
