//! Packets of TCP connections, written one by one: Ethernet, IPv4 or IPv6,
//! timestamps as Linux sends them, valid checksums.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result};

pub(super) const SYN: u8 = 2;
pub(super) const FIN: u8 = 1;
pub(super) const ACK: u8 = 16;
pub(super) const PSH: u8 = 8;

/// Nanoseconds between two packets.
const STEP: u64 = 37_000;

/// An address and a port.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// The last four, or all sixteen, are used.
    pub(super) address: [u8; 16],
    pub(super) port: u16,
}

/// Both ends of a connection, and where each stands.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) is_v6: bool,
    /// Client, server.
    pub(super) both: [End; 2],
    /// Next sequence number of each.
    pub(super) next: [u32; 2],
}

/// A capture file that is written.
pub(super) struct Wire {
    out: BufWriter<File>,
    is_pcapng: bool,
    packet: Vec<u8>,
    bytes: u64,
    packets: u64,
    time: u64,
}

impl Wire {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
        let is_pcapng = path.extension().is_none_or(|extension| extension != "pcap");
        let mut wire = Self {
            out: BufWriter::with_capacity(1 << 20, file),
            is_pcapng,
            packet: Vec::new(),
            bytes: 0,
            packets: 0,
            time: 1_795_000_000_000_000_000,
        };
        let header: Vec<u32> = if is_pcapng {
            // A section of unknown length, and an interface of Ethernet whose
            // times are nanoseconds.
            vec![
                0x0a0d_0d0a,
                28,
                0x1a2b_3c4d,
                1,
                u32::MAX,
                u32::MAX,
                28,
                1,
                28,
                1,
                262_144,
                0x0001_0009,
                9,
                28,
            ]
        } else {
            vec![0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1]
        };
        for word in header {
            wire.word(word)?;
        }
        Ok(wire)
    }

    /// Completes the file. Returns its length and its number of packets.
    pub(super) fn close(mut self) -> Result<(u64, u64)> {
        self.out.flush().context("write the capture")?;
        Ok((self.bytes, self.packets))
    }

    /// Bytes so far.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes one packet from the client or the server.
    pub(super) fn packet(
        &mut self,
        path: &mut Ends,
        from_client: bool,
        flags: u8,
        payload: &[u8],
    ) -> Result<()> {
        let (own, other) = if from_client { (0, 1) } else { (1, 0) };
        let mut packet = std::mem::take(&mut self.packet);
        packet.clear();
        packet.extend(if from_client {
            [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
        } else {
            [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
        });
        let (from, to) = (path.both[own], path.both[other]);
        let length = 32 + payload.len();
        let mut sum = 6 + length as u64;
        if path.is_v6 {
            packet.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            packet.extend((length as u16).to_be_bytes());
            packet.extend([6, 64]);
            packet.extend(from.address);
            packet.extend(to.address);
            sum += words(&from.address) + words(&to.address);
        } else {
            packet.extend([8, 0, 0x45, 0]);
            packet.extend((length as u16 + 20).to_be_bytes());
            packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
            packet.extend(&from.address[12..]);
            packet.extend(&to.address[12..]);
            sum += words(&from.address[12..]) + words(&to.address[12..]);
            let header = checksum(words(&packet[14..34]));
            packet[24..26].copy_from_slice(&header.to_be_bytes());
        }
        let tcp = packet.len();
        packet.extend(from.port.to_be_bytes());
        packet.extend(to.port.to_be_bytes());
        packet.extend(path.next[own].to_be_bytes());
        let acknowledged = if flags & ACK == 0 {
            0
        } else {
            path.next[other]
        };
        packet.extend(acknowledged.to_be_bytes());
        packet.extend([0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10]);
        packet.extend(((self.time / 1_000_000) as u32).to_be_bytes());
        packet.extend(
            ((self.time / 1_000_000) as u32)
                .wrapping_sub(3)
                .to_be_bytes(),
        );
        packet.extend(payload);
        let total = checksum(sum + words(&packet[tcp..]));
        packet[tcp + 16..tcp + 18].copy_from_slice(&total.to_be_bytes());
        path.next[own] = path.next[own]
            .wrapping_add(payload.len() as u32)
            .wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        self.time += STEP;
        self.record(&packet)?;
        self.packet = packet;
        Ok(())
    }

    fn record(&mut self, packet: &[u8]) -> Result<()> {
        let length = packet.len() as u32;
        self.packets += 1;
        if self.is_pcapng {
            let padding = packet.len().next_multiple_of(4) - packet.len();
            let block = 32 + length + padding as u32;
            for word in [
                6,
                block,
                0,
                (self.time >> 32) as u32,
                self.time as u32,
                length,
                length,
            ] {
                self.word(word)?;
            }
            self.raw(packet)?;
            self.raw(&[0; 3][..padding])?;
            self.word(block)
        } else {
            for word in [
                (self.time / 1_000_000_000) as u32,
                (self.time % 1_000_000_000) as u32,
                length,
                length,
            ] {
                self.word(word)?;
            }
            self.raw(packet)
        }
    }

    fn word(&mut self, word: u32) -> Result<()> {
        self.raw(&word.to_le_bytes())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes).context("write the capture")
    }
}

/// Sum of the words of two bytes.
fn words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let sum: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    sum + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

const fn checksum(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
