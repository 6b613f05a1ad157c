//! One keep-alive connection: requests, each with its response, as packets.

use std::io::Write as _;

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

use super::{
    Plan, Written,
    api::{self, Records},
    event::{self, Platform},
    wire::{ACK, End, Ends, FIN, PSH, SYN, Wire},
};
use crate::rng::Rng;

/// Payload of a segment with timestamps on Ethernet.
const SEGMENT: usize = 1_448;
/// Payload of a segment that the network card cuts.
const OFFLOADED: usize = 32_768;
/// Connections of 100 whose segments are so long.
const OFFLOADING: u64 = 10;
/// Bodies are this long, in bytes.
pub(super) const BODY: (u64, u64) = (512, 8_192);

/// By how much an exchange, with the opening and closing of its connection,
/// exceeds the rest of the budget on average.
const EXCESS: i64 = 11_000;

/// Which side sends next.
enum Turn {
    Open,
    Request,
    Answer,
    Close,
}

/// A connection that is open.
pub(super) struct Conversation {
    ends: Ends,
    platform: Option<Platform>,
    segment: usize,
    turn: Turn,
    /// What is to be sent, by whom, and how much of it was.
    message: Vec<u8>,
    from_client: bool,
    sent: usize,
    /// Segments that were not acknowledged.
    unacknowledged: u8,
    /// Bytes of the file that are left for it.
    left: i64,
    is_anonymous_answer: bool,
}

impl Conversation {
    pub(super) fn new(
        number: u64,
        is_tracker: bool,
        budget: u64,
        plan: &Plan,
        rng: &mut Rng,
    ) -> Self {
        let is_v6 = rng.chance(plan.ipv6);
        let platform = is_tracker.then(|| Platform::any(rng));
        let mut client = [0; 16];
        let mut server = [0; 16];
        if is_v6 {
            client[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
            server[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
            server[7] = 7;
        } else {
            client[12..14].copy_from_slice(&[10, 0]);
            server[12..15].copy_from_slice(&[198, 51, 100]);
        }
        // Clients differ, so that no two connections have the same endpoints.
        client[14] = (number / 40_000 % 256) as u8;
        client[15] = 2 + rng.range(0, 3) as u8 * 20;
        server[15] = 1 + rng.range(0, 200) as u8;
        let ends = Ends {
            is_v6,
            both: [
                End {
                    address: client,
                    port: 20_000 + (number % 40_000) as u16,
                },
                End {
                    address: server,
                    port: 80,
                },
            ],
            next: [rng.next() as u32, rng.next() as u32],
        };
        // Half of the budget to one and a half: connections differ.
        let left = (budget / 2 + rng.next() % budget.max(1)).cast_signed();
        Self {
            ends,
            platform,
            segment: if rng.chance(OFFLOADING) {
                OFFLOADED
            } else {
                SEGMENT
            },
            turn: Turn::Open,
            message: Vec::new(),
            from_client: true,
            sent: 0,
            unacknowledged: 0,
            left,
            is_anonymous_answer: false,
        }
    }

    /// Sends up to `packets` segments. Returns whether the connection is
    /// closed.
    pub(super) fn advance(
        &mut self,
        packets: u64,
        wire: &mut Wire,
        written: &mut Written,
        plan: &Plan,
        records: &Records,
        rng: &mut Rng,
    ) -> Result<bool> {
        let before = wire.bytes();
        for _ in 0..packets {
            if self.sent < self.message.len() {
                self.segment(wire)?;
                continue;
            }
            match self.turn {
                Turn::Open => {
                    wire.packet(&mut self.ends, true, SYN, &[])?;
                    wire.packet(&mut self.ends, false, SYN | ACK, &[])?;
                    wire.packet(&mut self.ends, true, ACK, &[])?;
                    self.turn = Turn::Request;
                }
                Turn::Request => {
                    self.request(written, plan, records, rng);
                    self.turn = Turn::Answer;
                }
                Turn::Answer => {
                    self.answer(plan, records, rng);
                    // Ends a little above the budget as often as below.
                    self.turn = if self.left > EXCESS {
                        Turn::Request
                    } else {
                        Turn::Close
                    };
                }
                Turn::Close => {
                    wire.packet(&mut self.ends, true, FIN | ACK, &[])?;
                    wire.packet(&mut self.ends, false, FIN | ACK, &[])?;
                    wire.packet(&mut self.ends, true, ACK, &[])?;
                    return Ok(true);
                }
            }
        }
        self.left -= (wire.bytes() - before).cast_signed();
        Ok(false)
    }

    fn segment(&mut self, wire: &mut Wire) -> Result<()> {
        let rest = &self.message[self.sent..];
        let payload = &rest[..rest.len().min(self.segment)];
        let is_last = payload.len() == rest.len();
        let flags = if is_last { ACK | PSH } else { ACK };
        wire.packet(&mut self.ends, self.from_client, flags, payload)?;
        self.sent += payload.len();
        self.unacknowledged += 1;
        // Every second segment is acknowledged at once; the response
        // acknowledges the rest.
        if self.unacknowledged == 2 || is_last && !self.from_client {
            wire.packet(&mut self.ends, !self.from_client, ACK, &[])?;
            self.unacknowledged = 0;
        }
        Ok(())
    }

    fn request(&mut self, written: &mut Written, plan: &Plan, records: &Records, rng: &mut Rng) {
        written.requests += 1;
        let (mut head, body) = if let Some(platform) = self.platform {
            let is_health = rng.chance(plan.health);
            let (head, body) = event::request(platform, is_health, rng);
            written.to_trackers += 1;
            written.with_health += u64::from(is_health);
            written.tracker_body_bytes += body.len() as u64;
            self.is_anonymous_answer = true;
            (head, Some(body))
        } else {
            api::request(records, rng)
        };
        match body {
            Some(body) => finish(&mut head, &body, plan, rng),
            None => head.extend(b"\r\n"),
        }
        self.begin(head, true);
    }

    fn answer(&mut self, plan: &Plan, records: &Records, rng: &mut Rng) {
        let mut head = Vec::new();
        if self.is_anonymous_answer {
            head.extend(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: 16\r\n\r\n{\"success\":true}");
        } else {
            let body = api::answer(records, &mut head, rng);
            finish(&mut head, &body, plan, rng);
        }
        self.begin(head, false);
    }

    fn begin(&mut self, message: Vec<u8>, from_client: bool) {
        self.message = message;
        self.from_client = from_client;
        self.sent = 0;
        self.unacknowledged = 0;
    }
}

/// Appends what the head says of the body, and the body.
fn finish(message: &mut Vec<u8>, body: &str, plan: &Plan, rng: &mut Rng) {
    let compressed = rng.chance(plan.gzip).then(|| gzip(body.as_bytes()));
    if compressed.is_some() {
        message.extend(b"Content-Encoding: gzip\r\n");
    }
    let body = compressed.as_deref().unwrap_or(body.as_bytes());
    if !rng.chance(plan.chunked) {
        message.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        message.extend(body);
        return;
    }
    message.extend(b"Transfer-Encoding: chunked\r\n\r\n");
    let length = rng.range(700, 4_096) as usize;
    for chunk in body.chunks(length) {
        message.extend(format!("{:x}\r\n", chunk.len()).bytes());
        message.extend(chunk);
        message.extend(b"\r\n");
    }
    message.extend(b"0\r\n\r\n");
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory takes everything.
    drop(encoder.write_all(body));
    encoder.finish().unwrap_or_default()
}
