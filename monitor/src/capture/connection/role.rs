//! Which end of a connection is the client, where nobody saw it open.
//!
//! In: the first bytes that one end sends. Out: the client.

use crate::capture::packet::Endpoint;

const METHODS: [&[u8]; 10] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"PATCH ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"TRACE ",
    b"PRI ",
];

/// How a client begins HTTP/2.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2";

/// Whether a client begins HTTP/2 with this.
pub(super) fn begins_http2(payload: &[u8]) -> bool {
    payload.starts_with(HTTP2_PREFACE)
}

/// The client of a connection that was joined late, from the first bytes that
/// one end sends.
pub(super) fn guess_client(source: Endpoint, destination: Endpoint, payload: &[u8]) -> Endpoint {
    let tls = |message: u8| {
        payload.starts_with(&[0x16, 0x03]) && payload.get(5).is_some_and(|kind| *kind == message)
    };
    if METHODS.iter().any(|method| payload.starts_with(method)) || tls(1) {
        source
    } else if payload.starts_with(b"HTTP/1.") || tls(2) || source.1 < destination.1 {
        destination
    } else {
        source
    }
}
