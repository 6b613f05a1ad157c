//! What networks and captures do to conversations.
//!
//! In: a conversation. Out: its packets as a capture shows them, and which bytes of the
//! client are missing for good.

use std::ops::Range;

use super::conversation::{ACK, Conversation, FIN, PSH, RST, SYN, Segment, life};
use crate::rng::Rng;

/// What happens to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impairment {
    /// Nothing is changed.
    None,
    /// Lost before the capture and sent again with other boundaries.
    Loss,
    /// Captured, lost afterwards and sent again.
    LateLoss,
    /// Segments of a flight in another order.
    Reordering,
    /// Segments that overlap, some with other bytes where bytes were seen.
    Overlap,
    /// Every packet twice, as on two interfaces.
    Duplicates,
    /// IP fragments, in any order, some twice.
    Fragments,
    /// Probes of an idle connection, SYN sent again, and RST at the end.
    Probes,
    /// Only what the client sent.
    OneDirection,
    /// The same addresses and ports twice.
    Reuse,
    /// All impairments that lose nothing.
    Everything,
    /// The capture began after the conversation did.
    Late,
    /// A segment of the client is missing for good.
    Missing,
}

/// Every trouble.
pub const IMPAIRMENTS: [Impairment; 13] = [
    Impairment::None,
    Impairment::Loss,
    Impairment::LateLoss,
    Impairment::Reordering,
    Impairment::Overlap,
    Impairment::Duplicates,
    Impairment::Fragments,
    Impairment::Probes,
    Impairment::OneDirection,
    Impairment::Reuse,
    Impairment::Everything,
    Impairment::Late,
    Impairment::Missing,
];

/// A packet of the capture.
pub(super) struct Packet {
    pub(super) segment: Segment,
    /// It is to be sent in fragments of about this many bytes.
    pub(super) fragment: Option<usize>,
}

/// The packets of `conversation` under `impairment`, and the bytes of the client that are not
/// among them.
pub(super) fn impair(
    number: u32,
    conversation: &mut Conversation,
    impairment: Impairment,
    rng: &mut Rng,
) -> (Vec<Packet>, Range<u64>) {
    let mut missing = 0..0;
    if impairment == Impairment::Reuse {
        let second = life(number, 1, conversation.client, conversation.server, rng);
        let end = conversation.requests.last().map_or(0, |last| last.end);
        let ranges = second.requests.iter();
        conversation
            .requests
            .extend(ranges.map(|range| end + range.start..end + range.end));
        conversation.segments.extend(second.segments);
    }
    let mut segments = conversation.segments.clone();
    let everything = impairment == Impairment::Everything;
    if impairment == Impairment::Overlap || everything {
        overlap(&mut segments, !everything, rng);
    }
    if matches!(impairment, Impairment::Loss | Impairment::LateLoss) || everything {
        lose(&mut segments, impairment == Impairment::LateLoss, rng);
    }
    if impairment == Impairment::Reordering || everything {
        reorder(&mut segments, rng);
    }
    if impairment == Impairment::Probes {
        probe(&mut segments);
    }
    if impairment == Impairment::Duplicates || everything {
        let copies: Vec<Segment> = segments
            .iter()
            .map(|segment| Segment {
                time: segment.time + 7,
                ..segment.clone()
            })
            .collect();
        segments.extend(copies);
    }
    match impairment {
        Impairment::OneDirection => segments.retain(|segment| segment.from_client),
        Impairment::Late => missing = begin_late(conversation, &mut segments, rng),
        Impairment::Missing => missing = drop_one(conversation, &mut segments, rng),
        _ => {}
    }
    segments.sort_by_key(|segment| segment.time);
    let is_fragmented = impairment == Impairment::Fragments || everything;
    let packets = segments
        .into_iter()
        .map(|segment| {
            let fragment = (is_fragmented && segment.payload.len() > 64 && rng.chance(60))
                .then(|| rng.range(3, 80) as usize * 8);
            Packet { segment, fragment }
        })
        .collect();
    (packets, missing)
}

fn has_data(segment: &Segment) -> bool {
    !segment.payload.is_empty()
}

/// Sends data again, together with a part of the segment before it. With
/// `conflicts` that part has other bytes, which it must not have where the
/// first copy may be lost.
fn overlap(segments: &mut Vec<Segment>, conflicts: bool, rng: &mut Rng) {
    let mut more = Vec::new();
    let mut before: Option<Segment> = None;
    for segment in segments.iter_mut() {
        if !has_data(segment) {
            continue;
        }
        if rng.chance(30) && segment.payload.len() > 20 {
            // The second half is sent alone, together with bytes of the first.
            let middle = segment.payload.len() / 2;
            let begin = middle - rng.range(0, 9) as usize;
            let mut second = segment.clone();
            second.payload = segment.payload[begin..].to_vec();
            second.sequence = segment.sequence.wrapping_add(begin as u32);
            second.time += 3;
            segment.payload.truncate(middle);
            more.push(second);
        } else if let Some(before) = before.as_ref().filter(|before| {
            before.from_client == segment.from_client
                && before.sequence.wrapping_add(before.payload.len() as u32) == segment.sequence
        }) && rng.chance(50)
        {
            // Bytes that were seen are sent again with other content.
            let length = before.payload.len().min(40);
            segment.sequence = segment.sequence.wrapping_sub(length as u32);
            let seen = before.payload.get(before.payload.len() - length..);
            let mut repeated = seen.unwrap_or_default().to_vec();
            if conflicts {
                repeated.fill(b'#');
            }
            segment.payload = [repeated, segment.payload.clone()].concat();
        }
        before = Some(segment.clone());
    }
    segments.extend(more);
    segments.sort_by_key(|segment| segment.time);
}

/// Segments that are sent again after a while; what follows the flight waits.
fn lose(segments: &mut Vec<Segment>, is_captured: bool, rng: &mut Rng) {
    let flights = segments.last().map_or(0, |last| last.flight);
    for flight in 0..=flights {
        let of_flight: Vec<usize> = (0..segments.len())
            .filter(|at| segments[*at].flight == flight && has_data(&segments[*at]))
            .collect();
        if of_flight.is_empty() || !rng.chance(60) {
            continue;
        }
        let wait = rng.pick(&[220_000, 900_000, 3_100_000, 4_200_000]);
        let end = of_flight.iter().map(|at| segments[*at].time).max();
        let mut again = Vec::new();
        for at in &of_flight {
            if !rng.chance(40) {
                continue;
            }
            let mut segment = segments[*at].clone();
            segment.time = end.unwrap_or_default() + wait + again.len() as u64 * 50;
            if segment.payload.len() > 10 && rng.chance(50) {
                // In two parts this time.
                let middle = rng.range(1, segment.payload.len() as u64 - 1) as usize;
                let mut rest = segment.clone();
                rest.payload = segment.payload.split_off(middle);
                rest.sequence = segment.sequence.wrapping_add(middle as u32);
                rest.time += 20;
                again.push(rest);
            }
            again.push(segment);
            if !is_captured {
                segments[*at].payload.clear();
            }
        }
        if again.is_empty() {
            continue;
        }
        for segment in segments
            .iter_mut()
            .filter(|segment| segment.flight > flight)
        {
            segment.time += wait + 1_000;
        }
        segments.extend(again);
    }
    // What was lost before the capture is not in it.
    segments.retain(|segment| {
        has_data(segment) || segment.flags & (SYN | FIN) != 0 || segment.flags & PSH == 0
    });
    segments.sort_by_key(|segment| segment.time);
}

/// Packets of a flight overtake one another.
fn reorder(segments: &mut [Segment], rng: &mut Rng) {
    for at in 1..segments.len() {
        let is_same = segments[at].flight == segments[at - 1].flight
            && segments[at].from_client == segments[at - 1].from_client;
        if is_same && has_data(&segments[at]) && has_data(&segments[at - 1]) && rng.chance(50) {
            let (before, after) = (segments[at - 1].time, segments[at].time);
            segments[at - 1].time = after;
            segments[at].time = before;
            segments.swap(at - 1, at);
        }
    }
}

/// Keep-alive probes of an idle connection.
fn probe(segments: &mut Vec<Segment>) {
    let mut more = Vec::new();
    let mut last: Option<Segment> = None;
    for segment in segments.iter_mut() {
        if segment.flags & SYN != 0 {
            let mut again = segment.clone();
            again.time += 10;
            more.push(again);
        }
        if segment.flags & FIN != 0 {
            segment.flags = RST | ACK;
        }
        if let Some(before) = last
            .as_ref()
            .filter(|before| before.flight != segment.flight)
        {
            let mut idle = before.clone();
            let length = before.payload.len() as u32;
            idle.sequence = before.sequence.wrapping_add(length).wrapping_sub(1);
            (idle.payload, idle.flags) = (vec![0], ACK);
            idle.time = segment.time - 60;
            more.push(idle.clone());
            idle.payload.clear();
            more.push(idle);
            // The window was closed: one byte asks whether it has opened.
            if has_data(segment) {
                let mut window = segment.clone();
                window.payload.truncate(1);
                (window.time, window.flags) = (segment.time - 50, ACK);
                more.push(window);
            }
        }
        if has_data(segment) {
            last = Some(segment.clone());
        }
    }
    segments.extend(more);
}

/// Drops what came before some moment.
fn begin_late(
    conversation: &Conversation,
    segments: &mut Vec<Segment>,
    rng: &mut Rng,
) -> Range<u64> {
    let from = rng.range(2, segments.len() as u64 - 4) as usize;
    segments.drain(..from);
    let first = segments
        .iter()
        .find(|segment| segment.from_client && has_data(segment));
    let begin = first.map_or(u64::MAX, |segment| offset(conversation, segment));
    0..begin
}

/// Drops a segment with data.
fn drop_one(conversation: &Conversation, segments: &mut Vec<Segment>, rng: &mut Rng) -> Range<u64> {
    let data: Vec<usize> = (0..segments.len())
        .filter(|at| segments[*at].from_client && has_data(&segments[*at]))
        .collect();
    let at = rng.pick(&data);
    let dropped = segments.remove(at);
    let begin = offset(conversation, &dropped);
    begin..begin + dropped.payload.len() as u64
}

fn offset(conversation: &Conversation, segment: &Segment) -> u64 {
    u64::from(segment.sequence.wrapping_sub(conversation.first))
}
