//! HTTP/2 of both directions. However the frames are cut into chunks, the requests must
//! be the same, and what is missing must do no harm.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use phiwatch::{
    event::{Direction, StreamId, Timestamp},
    http::{Connections, Exchange},
    loss::{Loss, Losses},
    stream::{Delivery, Segment},
};

/// Type, flags, stream and payload.
type Frame<'a> = (u8, u8, u8, &'a [u8]);

fn encoded(out: &mut Vec<u8>, frames: &[Frame<'_>]) {
    for (kind, flags, stream, payload) in frames {
        let payload = payload.get(..16_384).unwrap_or(payload);
        out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        // Every type that is known, and one that is not.
        out.extend([kind % 11, *flags, 0, 0, 0, *stream]);
        out.extend_from_slice(payload);
    }
}

fn exchanges(segments: impl Iterator<Item = Segment>) -> (Vec<Exchange>, Losses) {
    let (mut connections, mut losses) = (Connections::default(), Losses::default());
    let mut out = Vec::new();
    for what in segments {
        let delivery = Delivery {
            stream: StreamId { owner: 1, handle: 1, born: 1 },
            facts: Default::default(),
            time: Timestamp(1),
            now: Timestamp(1),
            place: None,
            late: false,
            what,
        };
        connections.push(&delivery, &mut losses, &mut out);
    }
    connections.finish(&mut losses, &mut out);
    (out, losses)
}

fn bytes(direction: Direction, bytes: &[u8]) -> Segment {
    Segment::Bytes { direction, bytes: Bytes::copy_from_slice(bytes).into() }
}

fuzz_target!(|input: (u8, u16, u8, Vec<Frame<'_>>, Vec<Frame<'_>>)| {
    let (size, gap_at, gap, asked, answered) = input;
    let (mut sent, mut received) = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), Vec::new());
    encoded(&mut sent, &asked);
    encoded(&mut received, &answered);
    let cut = |size| sent.chunks(size).map(|chunk| bytes(Direction::Sent, chunk));
    let (whole, losses) = exchanges(cut(usize::MAX));
    let (pieces, _) = exchanges(cut(usize::from(size).max(1)));
    // Behind broken frames the next request is found again by what one write holds.
    // Not `assert_eq`: a failure must show the file, not its content.
    if losses.get(Loss::HttpMalformed) == 0 {
        assert!(whole == pieces, "{} and {} exchanges", whole.len(), pieces.len());
    }
    let (before, behind) = sent.split_at(usize::from(gap_at).min(sent.len()));
    let behind = behind.get(usize::from(gap)..).unwrap_or_default();
    let missing = Segment::Gap { direction: Direction::Sent, length: gap.into() };
    let segments = [
        bytes(Direction::Sent, before),
        bytes(Direction::Received, &received),
        missing,
        bytes(Direction::Sent, behind),
    ];
    let (rest, _) = exchanges(segments.into_iter());
    assert!(rest.len() <= sent.len());
});
