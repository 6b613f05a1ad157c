//! Requests as a packet capture that any tool opens: classic pcap, raw IPv4,
//! one TCP connection after the other, HTTP/1.1 or cleartext HTTP/2.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result};

use crate::{format::Request, rng::Rng};

/// Bytes of one segment at most.
const SEGMENT: usize = 32_000;

const SYN: u8 = 2;
const FIN_ACK: u8 = 17;
const ACK: u8 = 16;
const PSH_ACK: u8 = 24;

/// How a connection is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Head and body in one write, as Node and curl do.
    Http1,
    /// Head and body in two writes, as Python does.
    Http1Split,
    /// HTTP/2, without table of headers.
    Http2,
}

/// A capture that is written.
pub struct Capture {
    out: BufWriter<File>,
    packets: u64,
    microseconds: u64,
    port: u16,
}

/// Where the two directions of a connection stand.
struct Connection {
    port: u16,
    sent: u32,
    received: u32,
}

impl Capture {
    /// A capture without packets at `path`.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
        let mut out = BufWriter::new(file);
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Self {
            out,
            packets: 0,
            microseconds: 1_795_000_000_000_000,
            port: 10_000,
        })
    }

    /// Writes a connection with these requests. Returns the number of the
    /// packet in which each begins.
    pub fn connection(
        &mut self,
        protocol: Protocol,
        requests: &[Request],
        rng: &mut Rng,
    ) -> Result<Vec<u64>> {
        self.port = if self.port == 60_000 {
            10_000
        } else {
            self.port + 1
        };
        let mut connection = Connection {
            port: self.port,
            sent: 1_000,
            received: 5_000,
        };
        let is_answered = rng.chance(50);
        self.packet(&mut connection, true, SYN, &[])?;
        connection.sent += 1;
        self.packet(&mut connection, false, SYN | ACK, &[])?;
        connection.received += 1;
        let mut starts = Vec::new();
        for (number, request) in requests.iter().enumerate() {
            match protocol {
                Protocol::Http1 | Protocol::Http1Split => {
                    let head = head(request);
                    starts.push(self.packets + 1);
                    if protocol == Protocol::Http1 {
                        self.data(
                            &mut connection,
                            true,
                            &[head, request.body.clone()].concat(),
                        )?;
                    } else {
                        self.data(&mut connection, true, &head)?;
                        self.data(&mut connection, true, &request.body)?;
                    }
                    if is_answered {
                        self.data(
                            &mut connection,
                            false,
                            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                        )?;
                    }
                }
                Protocol::Http2 => {
                    if number == 0 {
                        self.data(
                            &mut connection,
                            true,
                            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
                        )?;
                    }
                    starts.push(self.packets + 1);
                    self.data(
                        &mut connection,
                        true,
                        &frames(request, number as u32 * 2 + 1),
                    )?;
                }
            }
        }
        self.packet(&mut connection, true, FIN_ACK, &[])?;
        connection.sent += 1;
        self.packet(&mut connection, false, FIN_ACK, &[])?;
        Ok(starts)
    }

    /// Everything is on disk.
    pub fn close(mut self) -> Result<()> {
        self.out.flush().context("write the capture")
    }

    fn data(&mut self, connection: &mut Connection, is_sent: bool, bytes: &[u8]) -> Result<()> {
        for chunk in bytes.chunks(SEGMENT) {
            self.packet(connection, is_sent, PSH_ACK, chunk)?;
            let side = if is_sent {
                &mut connection.sent
            } else {
                &mut connection.received
            };
            *side = side.wrapping_add(chunk.len() as u32);
        }
        Ok(())
    }

    fn packet(
        &mut self,
        connection: &mut Connection,
        is_sent: bool,
        flags: u8,
        payload: &[u8],
    ) -> Result<()> {
        const CLIENT: [u8; 4] = [192, 0, 2, 1];
        const SERVER: [u8; 4] = [198, 51, 100, 7];
        let length = 40 + payload.len();
        let mut packet = Vec::with_capacity(length);
        packet.extend([0x45, 0]);
        packet.extend((length as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        let (from, to) = if is_sent {
            (CLIENT, SERVER)
        } else {
            (SERVER, CLIENT)
        };
        packet.extend(from);
        packet.extend(to);
        let (from, to) = if is_sent {
            (connection.port, 80)
        } else {
            (80, connection.port)
        };
        packet.extend(from.to_be_bytes());
        packet.extend(to.to_be_bytes());
        let (sequence, acknowledged) = if is_sent {
            (connection.sent, connection.received)
        } else {
            (connection.received, connection.sent)
        };
        packet.extend(sequence.to_be_bytes());
        packet.extend(acknowledged.to_be_bytes());
        packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(payload);
        self.microseconds += 20_000;
        for word in [
            (self.microseconds / 1_000_000) as u32,
            (self.microseconds % 1_000_000) as u32,
            length as u32,
            length as u32,
        ] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(&packet)?;
        self.packets += 1;
        Ok(())
    }
}

fn head(request: &Request) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\n",
        request.method, request.target, request.host
    );
    for (name, value) in &request.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if !request.body.is_empty() || request.method != "GET" {
        let length = request.body.len().to_string();
        head.extend(["Content-Length: ", &length, "\r\n"]);
    }
    head += "Accept: */*\r\n\r\n";
    head.into_bytes()
}

/// HEADERS and DATA of one stream.
fn frames(request: &Request, stream: u32) -> Vec<u8> {
    let mut block = Vec::new();
    let pseudo = [
        (":method", request.method.as_str()),
        (":scheme", "https"),
        (":authority", &request.host),
        (":path", &request.target),
    ];
    for (name, value) in pseudo {
        literal(&mut block, name, value);
    }
    for (name, value) in &request.headers {
        literal(&mut block, &name.to_lowercase(), value);
    }
    let has_body = !request.body.is_empty();
    let mut out = Vec::new();
    let mut chunks = block.chunks(16_000).peekable();
    let mut kind = 1;
    while let Some(chunk) = chunks.next() {
        let ends = if chunks.peek().is_none() { 4 } else { 0 };
        frame(
            &mut out,
            kind,
            ends | u8::from(!has_body && kind == 1),
            stream,
            chunk,
        );
        kind = 9;
    }
    let mut chunks = request.body.chunks(16_000).peekable();
    while let Some(chunk) = chunks.next() {
        frame(
            &mut out,
            0,
            u8::from(chunks.peek().is_none()),
            stream,
            chunk,
        );
    }
    out
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

/// A header without indexing and without Huffman coding.
fn literal(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(0);
    for text in [name, value] {
        // An integer with a prefix of seven bits.
        let length = text.len();
        if length < 127 {
            out.push(length as u8);
        } else {
            out.push(127);
            let mut rest = length - 127;
            while rest >= 128 {
                out.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            out.push(rest as u8);
        }
        out.extend(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_headers_have_long_lengths() {
        let mut out = Vec::new();
        literal(&mut out, "a", &"x".repeat(300));
        assert_eq!(out.get(..6), Some([0, 1, b'a', 127, 173, 1].as_slice()));
        assert_eq!(out.len(), 306);
    }

    #[test]
    fn requests_begin_at_the_packets_that_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut capture = Capture::create(&folder.path().join("x.pcap")).unwrap();
        let request = Request {
            method: "POST".to_owned(),
            host: "example.com".to_owned(),
            target: "/".to_owned(),
            headers: vec![],
            body: b"{}".to_vec(),
        };
        let mut rng = Rng::new(2);
        let two = [request.clone(), request];
        let starts = capture
            .connection(Protocol::Http1Split, &two, &mut rng)
            .unwrap();
        assert_eq!(starts.first(), Some(&3));
        assert_eq!(
            capture.packets,
            starts[1] + if starts[1] == 5 { 3 } else { 4 }
        );
    }
}
