//! HTTP/1.1 of both directions. However the bytes are cut into chunks, the
//! requests must be the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use phiwatch::{
    event::{Data, Direction, Event, EventKind, StreamId, Timestamp},
    http::{Connections, Exchange, Protocol},
    loss::Losses,
    stream::Streams,
};

/// The requests in `sent`, answered by `received`, in chunks of `size` bytes.
fn exchanges(sent: &[u8], received: &[u8], size: usize) -> Vec<Exchange> {
    let (mut streams, mut connections) = (Streams::default(), Connections::default());
    let (mut losses, mut delivered, mut out) = (Losses::default(), Vec::new(), Vec::new());
    let stream = StreamId { owner: 1, handle: 1, born: 1 };
    for (direction, bytes) in [(Direction::Sent, sent), (Direction::Received, received)] {
        let mut offset = 0;
        for chunk in bytes.chunks(size) {
            let data = Data { direction, offset, bytes: Bytes::copy_from_slice(chunk).into() };
            let kind = EventKind::Data(data);
            let event = Event { time: Timestamp(1), stream, place: None, kind };
            streams.push(&event, &mut losses, &mut delivered);
            offset += chunk.len() as u64;
        }
    }
    streams.finish(&mut losses, &mut delivered);
    for delivery in &delivered {
        connections.push(delivery, &mut losses, &mut out);
    }
    connections.finish(&mut losses, &mut out);
    out
}

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (size, sent, received) = input;
    let whole = exchanges(sent, received, usize::MAX);
    let pieces = exchanges(sent, received, usize::from(size).max(1));
    // HTTP/2 without its preface is recognized by what one write holds.
    let is_http2 = |own: &Exchange| own.request.protocol == Protocol::Http2;
    if whole.iter().chain(&pieces).any(is_http2) {
        return;
    }
    // Not `assert_eq`: a failure must show the file, not its content.
    assert!(whole == pieces, "{} and {} exchanges", whole.len(), pieces.len());
});
