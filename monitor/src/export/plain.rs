//! Messages as they were sent, in the form in which the core records them.
//!
//! In: exchanges and pages of the HTTP stage. Out: events that hold them with
//! no value replaced, their codings removed. What comes out of here is payload.

use bytes::Bytes;

use crate::{
    event::{Event, EventKind, Message, MessageFacts},
    http::{Exchange, Page, write_request, write_response},
    secret::Secret,
};

/// What happened to the body: nothing.
const AS_SENT: &str = "as_sent";

/// The event that holds `exchange`, whose codings are removed.
pub fn exchange(exchange: &Exchange) -> Event {
    let Exchange { request, facts, .. } = exchange;
    let known = MessageFacts {
        ordinal: request.ordinal,
        end: request.end.0,
        host: request.host.clone(),
        status: request.status,
        body_bytes: request.body_wire_length,
        bytes: request.wire_length,
        completeness: request.completeness.as_str().to_owned(),
        body: AS_SENT.to_owned(),
        ..MessageFacts::default()
    };
    let text = write_request(
        &request.method,
        request.target.expose(),
        &request.headers,
        request.body.expose(),
    );
    let answer = request
        .status
        .map_or_else(Secret::default, |status| write_response(status, &[], &[]));
    Event {
        time: request.time,
        stream: request.stream,
        place: None,
        kind: EventKind::Message(Message {
            origin: facts.origin.clone(),
            server_name: facts.server_name.clone(),
            request: text,
            response: answer,
            facts: Box::new(known),
        }),
    }
}

/// The event that holds `page`, whose body without codings is `markup`.
pub fn page(page: &Page, markup: &Secret<Bytes>) -> Event {
    let known = MessageFacts {
        page: true,
        declared: page.declared,
        end: page.time.0,
        host: page.host.clone(),
        status: Some(page.status),
        body_bytes: page.wire_length,
        bytes: page.wire_length,
        completeness: page.completeness.as_str().to_owned(),
        body: AS_SENT.to_owned(),
        ..MessageFacts::default()
    };
    let asked = match (&page.method, &page.target) {
        (Some(method), Some(target)) => write_request(method, target.expose(), &[], &[]),
        _ => Secret::default(),
    };
    Event {
        time: page.time,
        stream: page.stream,
        place: None,
        kind: EventKind::Message(Message {
            origin: page.facts.origin.clone(),
            server_name: page.facts.server_name.clone(),
            request: asked,
            response: write_response(page.status, &page.headers, markup.expose()),
            facts: Box::new(known),
        }),
    }
}
