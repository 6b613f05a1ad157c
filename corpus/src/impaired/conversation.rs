//! Conversations between a server process and trackers, as a perfect network
//! would carry them: HTTP/1.1, several requests on each connection.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use serde_json::json;

use crate::rng::Rng;

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const PSH: u8 = 8;
pub(super) const ACK: u8 = 16;

/// Microseconds from one packet of a flight to the next.
const PACE: u64 = 120;

/// A TCP segment.
#[derive(Clone)]
pub(super) struct Segment {
    /// Microseconds since the beginning of the conversation.
    pub(super) time: u64,
    /// Number of the flight: what one side sends before the other answers.
    pub(super) flight: usize,
    pub(super) from_client: bool,
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: u8,
    pub(super) payload: Vec<u8>,
}

/// A conversation.
pub(super) struct Conversation {
    pub(super) client: (IpAddr, u16),
    pub(super) server: (IpAddr, u16),
    pub(super) segments: Vec<Segment>,
    /// Where each request stands in what the client sends.
    pub(super) requests: Vec<Range<u64>>,
    /// Sequence number of the client's first byte.
    pub(super) first: u32,
}

/// The state of both sides while their segments are written.
struct SegmentWriter<'d> {
    rng: &'d mut Rng,
    segments: Vec<Segment>,
    time: u64,
    flight: usize,
    next: [u32; 2],
    mss: usize,
}

impl SegmentWriter<'_> {
    fn segment(&mut self, from_client: bool, flags: u8, payload: &[u8]) {
        let side = usize::from(from_client);
        self.segments.push(Segment {
            time: self.time,
            flight: self.flight,
            from_client,
            sequence: self.next[side],
            acknowledgment: if flags & ACK == 0 {
                0
            } else {
                self.next[1 - side]
            },
            flags,
            payload: payload.to_vec(),
        });
        let taken = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[side] = self.next[side].wrapping_add(taken);
        self.time += PACE;
    }

    fn data(&mut self, from_client: bool, bytes: &[u8]) {
        let count = bytes.len().div_ceil(self.mss);
        for (index, chunk) in bytes.chunks(self.mss).enumerate() {
            let last = if index + 1 == count { PSH } else { 0 };
            self.segment(from_client, ACK | last, chunk);
        }
    }

    fn wait(&mut self, low: u64, high: u64) {
        self.flight += 1;
        self.time += self.rng.range(low, high);
    }
}

/// Conversation `number`, whose addresses no other has.
pub(super) fn conversation(number: u32, rng: &mut Rng) -> Conversation {
    let is_v6 = rng.chance(33);
    let address = |network: u8| -> IpAddr {
        let [_, high, middle, low] = number.to_be_bytes();
        if is_v6 {
            let (a, b) = (u16::from(network), (number >> 16) as u16);
            Ipv6Addr::new(0x2001, 0xdb8, a, 0, 0, 0, b, number as u16).into()
        } else {
            Ipv4Addr::new(network, high, middle, low).into()
        }
    };
    let client = (address(10), rng.range(32_768, 60_999) as u16);
    let server = (address(11), 80);
    life(number, 0, client, server, rng)
}

/// The `life`-th connection between the same two endpoints.
pub(super) fn life(
    number: u32,
    life: u64,
    client: (IpAddr, u16),
    server: (IpAddr, u16),
    rng: &mut Rng,
) -> Conversation {
    // Some wrap around soon.
    let initial = if rng.chance(20) {
        u32::MAX - rng.range(0, 4_000) as u32
    } else {
        rng.next() as u32
    };
    let answering = rng.next() as u32;
    let mss = rng.pick(&[536, 1_228, 1_448, 8_948]);
    let mut template = SegmentWriter {
        rng,
        segments: Vec::new(),
        time: life * 60_000_000,
        flight: 0,
        next: [answering, initial],
        mss,
    };
    template.segment(true, SYN, &[]);
    template.wait(500, 30_000);
    template.segment(false, SYN | ACK, &[]);
    template.wait(200, 500);
    template.segment(true, ACK, &[]);
    let mut requests = Vec::new();
    let mut sent = 0;
    let mut left = template.rng.range(1, 5);
    let mut index = life * 100;
    while left > 0 {
        // Now and then two are sent before the first is answered.
        let together = if left > 1 && template.rng.chance(10) {
            2
        } else {
            1
        };
        let mut writes: Vec<Vec<u8>> = Vec::new();
        for _ in 0..together {
            let (head, body) = request(number, index, template.rng);
            let end = sent + (head.len() + body.len()) as u64;
            requests.push(sent..end);
            sent = end;
            index += 1;
            if template.rng.chance(50) {
                writes.push([head, body].concat());
            } else {
                writes.extend([head, body]);
            }
        }
        if together == 2 {
            writes = vec![writes.concat()];
        }
        for write in writes {
            template.data(true, &write);
        }
        template.wait(5_000, 80_000);
        template.segment(false, ACK, &[]);
        for _ in 0..together {
            let answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"received\":  1}";
            template.data(false, answer);
        }
        template.wait(1_000, 400_000);
        left -= together;
    }
    template.segment(true, FIN | ACK, &[]);
    template.wait(500, 30_000);
    template.segment(false, FIN | ACK, &[]);
    template.wait(200, 500);
    template.segment(true, ACK, &[]);
    Conversation {
        client,
        server,
        segments: template.segments,
        requests,
        first: initial.wrapping_add(1),
    }
}

/// The head and the body of a request that discloses something about one
/// person, whom no other request names.
fn request(number: u32, index: u64, rng: &mut Rng) -> (Vec<u8>, Vec<u8>) {
    let email = format!("patient.{number}.{index}@example.com");
    let length = rng.range(0, 2_500) as usize;
    let note = "All is well. ".repeat(length / 13);
    let visit = rng.pick(&[
        "Depression therapy",
        "Anxiety medication",
        "Migraine treatment",
    ]);
    let (host, path, body) = match rng.range(0, 2) {
        0 => (
            "graph.facebook.com",
            "/v26.0/100000000000001/events",
            json!({"data": [{"event_name": "Schedule", "event_time": 1_795_000_000,
                "user_data": {"em": [email]},
                "custom_data": {"content_name": visit, "note": note}}]}),
        ),
        1 => (
            "api.segment.io",
            "/v1/track",
            json!({"type": "track", "event": "Appointment Booked", "userId": "u-1",
                "properties": {"note": note, "email": email, "treatment": visit}}),
        ),
        _ => (
            "business-api.tiktok.com",
            "/open_api/v1.3/event/track/",
            json!({"event_source": "web", "data": [{"event": "CompletePayment",
                "properties": {"content_name": visit, "description": note},
                "user": {"email": email}}]}),
        ),
    };
    let body = body.to_string().into_bytes();
    let is_chunked = rng.chance(25);
    let (framing, body) = if is_chunked {
        let split = body.len() / 2;
        let mut framed = Vec::new();
        for part in [&body[..split], &body[split..]] {
            framed.extend(format!("{:x}\r\n", part.len()).into_bytes());
            framed.extend(part);
            framed.extend(b"\r\n");
        }
        framed.extend(b"0\r\n\r\n");
        ("Transfer-Encoding: chunked".to_owned(), framed)
    } else {
        (format!("Content-Length: {}", body.len()), body)
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
    );
    (head.into_bytes(), body)
}
