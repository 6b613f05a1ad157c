//! Messages of redacted captures: out of the core, and back into it.
//!
//! On the way out, a message has its values replaced and carries the proofs
//! that were found. On the way in, the proofs replace the values, so that
//! findings are those of the original; evidence that other rules find in the
//! replaced values is added.

use std::sync::Arc;

use bytes::Bytes;

use super::examiner::Examined;
use crate::{
    canary::Planting,
    event::{Event, EventKind, Message, MessageFacts, StreamId, Timestamp},
    finding::{self, PageProofs, Proof},
    http::{
        Completeness, Exchange, Page, Protocol, Request, read_request, read_response,
        write_request, write_response,
    },
    redact::{RedactedPage, RedactedRequest},
    rules,
    secret::Secret,
    stream::Facts,
};

/// A request or a page, restored from a redacted capture.
pub(super) enum RecordedMessage {
    /// A request.
    Exchange(Exchange),
    /// A page.
    Page(Page),
}

/// The message that an event of a redacted capture holds. `None` if its text is
/// no message.
pub(super) fn whole(event: &Event, message: &Message) -> Option<RecordedMessage> {
    let facts = Arc::new(Facts {
        origin: message.origin.clone(),
        server_name: message.server_name.clone(),
    });
    let known = &message.facts;
    let completeness = Completeness::ALL
        .iter()
        .copied()
        .find(|own| own.as_str() == known.completeness)?;
    let asked = read_request(message.request.expose());
    if known.page {
        let answer = read_response(message.response.expose())?;
        return Some(RecordedMessage::Page(Page {
            stream: event.stream,
            facts,
            time: event.time,
            place: event.place.clone(),
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
    Some(RecordedMessage::Exchange(Exchange {
        request: Request {
            stream: event.stream,
            ordinal: known.ordinal,
            time: event.time,
            end: Timestamp(known.end),
            place: event.place.clone(),
            protocol: Protocol::Http1,
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

/// The event that records an examined request with its values replaced. Its
/// findings show `path`.
pub(super) fn request_event(
    examined: &Examined,
    redacted: &RedactedRequest,
    path: String,
    proofs: &[Proof],
) -> Event {
    let Exchange { request, facts, .. } = &*examined.exchange;
    let known = MessageFacts {
        rules: rules::fingerprint().to_owned(),
        ordinal: request.ordinal,
        end: request.end.0,
        path,
        host: request.host.clone(),
        status: request.status,
        body_bytes: request.body_wire_length,
        bytes: request.wire_length,
        completeness: request.completeness.as_str().to_owned(),
        body: redacted.body_state.as_str().to_owned(),
        proofs: proofs.iter().map(Proof::note).collect(),
        plantings: examined.plantings.iter().map(Planting::note).collect(),
        ..MessageFacts::default()
    };
    let answer = request
        .status
        .map_or_else(Secret::default, |status| write_response(status, &[], &[]));
    // A client may use any word as a method.
    let text = write_request(
        finding::method(&request.method),
        redacted.target.expose(),
        &redacted.headers,
        redacted.body.expose(),
    );
    Event {
        time: request.time,
        stream: request.stream,
        place: None,
        kind: EventKind::Message(message(facts, text, answer, known)),
    }
}

/// The event that records a page with its values replaced.
pub(super) fn page_event(page: &Page, redacted: &RedactedPage, found: &PageProofs) -> Event {
    let known = MessageFacts {
        rules: rules::fingerprint().to_owned(),
        page: true,
        declared: page.declared,
        end: page.time.0,
        path: found.path.clone(),
        host: page.host.clone(),
        status: Some(page.status),
        body_bytes: page.wire_length,
        bytes: page.wire_length,
        completeness: page.completeness.as_str().to_owned(),
        body: redacted.body_state.as_str().to_owned(),
        proofs: found.proofs.iter().map(Proof::note).collect(),
        ..MessageFacts::default()
    };
    let asked = match (&page.method, &redacted.target) {
        (Some(method), Some(target)) => {
            write_request(finding::method(method), target.expose(), &[], &[])
        }
        _ => Secret::default(),
    };
    let answer = write_response(page.status, &redacted.headers, redacted.body.expose());
    Event {
        time: page.time,
        stream: page.stream,
        place: None,
        kind: EventKind::Message(message(&page.facts, asked, answer, known)),
    }
}

/// The event that records a TLS hello to a server.
pub(super) fn greeting_event(
    stream: StreamId,
    facts: &Facts,
    name: &str,
    time: Timestamp,
) -> Event {
    let known = MessageFacts {
        greeting: true,
        host: Some(name.to_owned()),
        end: time.0,
        ..MessageFacts::default()
    };
    Event {
        time,
        stream,
        place: None,
        kind: EventKind::Message(message(facts, Secret::default(), Secret::default(), known)),
    }
}

fn message(
    facts: &Facts,
    request: Secret<Bytes>,
    response: Secret<Bytes>,
    known: MessageFacts,
) -> Message {
    Message {
        origin: facts.origin.clone(),
        server_name: facts.server_name.clone(),
        request,
        response,
        facts: Box::new(known),
    }
}
