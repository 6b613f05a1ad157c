//! The structure of a segment file, examined without parsing its packets.
//!
//! In: a pcapng file, or an encrypted one. Out: how far it is intact, how many
//! packets that is, and what is wrong after that. Memory is bounded by one
//! step.

use std::io::{self, BufReader, ErrorKind, Read};

use crate::{
    capture::{
        file::MAX_PLAUSIBLE,
        pcapng::write::{
            ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, SECTION_HEADER,
        },
    },
    event::Timestamp,
};

/// How much is read at a time, in bytes.
const STEP: usize = 256 * 1024;
const SIMPLE_PACKET: u32 = 3;
/// How much of a block is kept: an enhanced packet's time is within it.
const HEAD: usize = 20;

/// The first line of every age file.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// The line that ends the header of an age file begins with this.
const AGE_MAC: &[u8] = b"\n--- ";
/// The longest header of an age file that is looked at, in bytes.
const MAX_AGE_HEADER: u64 = 1 << 20;
/// Length of the nonce behind the header.
const AGE_NONCE: u64 = 16;
/// Length of an encrypted chunk, of which only the last may be shorter.
const AGE_CHUNK: u64 = 65_536 + 16;

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It ends inside a block or chunk.
    Torn,
    /// What follows is no block.
    Broken,
}

/// What a file consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Structure {
    /// Length of the file.
    pub(super) length: u64,
    /// Where the last whole block or chunk ends.
    pub(super) whole: u64,
    /// Packets up to there; `None` for an encrypted file.
    pub(super) packets: Option<u64>,
    /// The earliest and latest time of a packet up to there, if the times are
    /// in nanoseconds, as ours are.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// The last blocks are the statistics of every interface, with which our
    /// segments end.
    pub(super) is_ended: bool,
    /// What is wrong behind `whole`.
    pub(super) fault: Option<Fault>,
}

/// The container that the beginning of an input shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Pcapng,
    Age,
    Other,
}

impl Container {
    /// The container that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(&SECTION_HEADER.to_le_bytes()) {
            Self::Pcapng
        } else if head.starts_with(AGE_MAGIC) {
            Self::Age
        } else {
            Self::Other
        }
    }
}

/// Looks at all of `reader`, a pcapng file.
pub(super) fn pcapng(reader: impl Read) -> io::Result<Structure> {
    let mut reader = BufReader::with_capacity(STEP, reader);
    let mut found = Structure {
        packets: Some(0),
        ..Structure::default()
    };
    let mut is_big_endian = false;
    let (mut interfaces, mut statistics) = (0, 0);
    loop {
        let mut head = Vec::new();
        let read = take(&mut reader, 12, &mut head)?;
        found.length += read;
        if read < 12 {
            if read > 0 {
                found.fault = Some(Fault::Torn);
            }
            return Ok(found);
        }
        if word(&head, 0) == SECTION_HEADER.to_le_bytes() {
            match word(&head, 8) {
                [0x4d, 0x3c, 0x2b, 0x1a] => is_big_endian = false,
                [0x1a, 0x2b, 0x3c, 0x4d] => is_big_endian = true,
                _ => return broken(found, reader),
            }
        } else if found.whole == 0 {
            return broken(found, reader);
        }
        let integer = if is_big_endian {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        let (kind, length) = (integer(word(&head, 0)), integer(word(&head, 4)));
        if length < 12 || !length.is_multiple_of(4) || length > MAX_PLAUSIBLE {
            return broken(found, reader);
        }
        let length = u64::from(length);
        // The length at the end of a block has not been read yet if the block
        // is longer than the minimum of twelve bytes.
        let mut end = head.get(8..).unwrap_or_default().to_vec();
        if length > 12 {
            let more = (HEAD as u64).min(length - 4).saturating_sub(12);
            let mut read = take(&mut reader, more, &mut head)?;
            let middle = (length - 4).saturating_sub(12 + more);
            read += io::copy(&mut (&mut reader).take(middle), &mut io::sink())?;
            end.clear();
            read += take(&mut reader, 4, &mut end)?;
            found.length += read;
            if read < length - 12 {
                found.fault = Some(Fault::Torn);
                return Ok(found);
            }
        }
        if integer(word(&end, 0)) != length as u32 {
            return broken(found, reader);
        }
        found.whole += length;
        match kind {
            INTERFACE_STATISTICS => statistics += 1,
            _ => statistics = 0,
        }
        interfaces += u64::from(kind == INTERFACE_DESCRIPTION);
        found.is_ended = statistics > 0 && statistics >= interfaces;
        if kind == ENHANCED_PACKET || kind == SIMPLE_PACKET {
            found.packets = found.packets.map(|count| count + 1);
        }
        if kind == ENHANCED_PACKET && length > HEAD as u64 {
            let high = u64::from(integer(word(&head, 12)));
            let time = Timestamp(high << 32 | u64::from(integer(word(&head, 16))));
            let (first, last) = found.span.unwrap_or((time, time));
            found.span = Some((first.min(time), last.max(time)));
        }
    }
}

/// Examines all of `reader`, an age file. Only its length can be judged: the
/// key is needed to tell which chunk is the last.
pub(super) fn age(reader: impl Read) -> io::Result<Structure> {
    let mut reader = BufReader::with_capacity(STEP, reader);
    let mut head = Vec::new();
    (&mut reader).take(MAX_AGE_HEADER).read_to_end(&mut head)?;
    let rest = io::copy(&mut reader, &mut io::sink())?;
    let mut found = Structure {
        length: head.len() as u64 + rest,
        ..Structure::default()
    };
    let body = head
        .windows(AGE_MAC.len())
        .position(|window| window == AGE_MAC)
        .and_then(|mac| {
            let line = head.get(mac + 1..)?;
            let end = line.iter().position(|byte| *byte == b'\n')?;
            Some((mac + 1 + end + 1) as u64 + AGE_NONCE)
        });
    match body {
        Some(body) if found.length > body => {
            let chunks = (found.length - body) / AGE_CHUNK;
            found.whole = body + chunks * AGE_CHUNK;
            // What remains is a last chunk or a part of one.
            if found.length - found.whole > 0 && found.length - found.whole < AGE_NONCE {
                found.fault = Some(Fault::Torn);
            }
        }
        _ => found.fault = Some(Fault::Torn),
    }
    Ok(found)
}

fn broken(mut found: Structure, mut reader: impl Read) -> io::Result<Structure> {
    found.length += io::copy(&mut reader, &mut io::sink())?;
    found.fault = Some(Fault::Broken);
    Ok(found)
}

/// Appends up to `length` bytes and returns how many there were.
fn take(reader: &mut impl Read, length: u64, to: &mut Vec<u8>) -> io::Result<u64> {
    loop {
        match reader.take(length).read_to_end(to) {
            Ok(read) => return Ok(read as u64),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The four bytes at `at`, zero where there are none.
fn word(bytes: &[u8], at: usize) -> [u8; 4] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::pcapng::write::Block;

    fn file() -> (Vec<u8>, Vec<usize>) {
        let mut out = Vec::new();
        let mut ends = Vec::new();
        Block::begin(&mut out, SECTION_HEADER)
            .u32(0x1A2B_3C4D)
            .u32(1)
            .u32(u32::MAX)
            .u32(u32::MAX)
            .finish();
        ends.push(out.len());
        Block::begin(&mut out, INTERFACE_DESCRIPTION)
            .u32(101)
            .u32(0)
            .finish();
        ends.push(out.len());
        for time in [5_u64 << 32 | 7, 3] {
            Block::begin(&mut out, ENHANCED_PACKET)
                .u32(0)
                .time(time)
                .u32(3)
                .u32(3)
                .padded(b"abc")
                .finish();
            ends.push(out.len());
        }
        // A block without a body.
        Block::begin(&mut out, 0x8000_0000).finish();
        ends.push(out.len());
        Block::begin(&mut out, INTERFACE_STATISTICS)
            .u32(0)
            .time(9)
            .finish();
        ends.push(out.len());
        (out, ends)
    }

    #[test]
    fn every_cut_is_found_and_says_what_is_whole() {
        let (bytes, ends) = file();
        for length in 0..=bytes.len() {
            let found = pcapng(&bytes[..length]).unwrap();
            let whole = ends.iter().copied().filter(|end| *end <= length).max();
            let expected = Structure {
                length: length as u64,
                whole: whole.unwrap_or(0) as u64,
                packets: Some(ends[2..4].iter().filter(|end| **end <= length).count() as u64),
                span: match length {
                    length if length >= ends[3] => Some((Timestamp(3), Timestamp(5 << 32 | 7))),
                    length if length >= ends[2] => {
                        Some((Timestamp(5 << 32 | 7), Timestamp(5 << 32 | 7)))
                    }
                    _ => None,
                },
                is_ended: length == bytes.len(),
                fault: (whole.unwrap_or(0) != length).then_some(Fault::Torn),
            };
            assert_eq!(found, expected, "cut at {length}");
        }
    }

    #[test]
    fn what_is_no_block_is_found() {
        let (bytes, ends) = file();
        // A length, and the length at the end of the block.
        for at in [ends[1] + 4, ends[2] - 4] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let found = pcapng(changed.as_slice()).unwrap();
            assert_eq!(
                (found.fault, found.whole),
                (Some(Fault::Broken), ends[1] as u64)
            );
            assert_eq!(found.length, bytes.len() as u64);
        }
        let found = pcapng(&b"no capture at all"[..]).unwrap();
        assert_eq!((found.fault, found.whole), (Some(Fault::Broken), 0));
    }

    #[test]
    fn an_age_file_has_a_header_and_chunks() {
        let head = b"age-encryption.org/v1\n-> X25519 abc\ndef\n--- mac\n0123456789abcdef";
        let body = head.len() as u64;
        for (length, whole, fault) in [
            (0, 0, Some(Fault::Torn)),
            (1, body, Some(Fault::Torn)),
            (16, body, None),
            (AGE_CHUNK - 1, body, None),
            (AGE_CHUNK, body + AGE_CHUNK, None),
            (AGE_CHUNK + 5, body + AGE_CHUNK, Some(Fault::Torn)),
        ] {
            let bytes = [&head[..], &vec![0; length as usize]].concat();
            let found = age(bytes.as_slice()).unwrap();
            assert_eq!((found.whole, found.fault), (whole, fault), "{length}");
        }
        for length in 0..head.len() {
            assert_eq!(age(&head[..length]).unwrap().fault, Some(Fault::Torn));
        }
        assert_eq!(Container::of(head), Container::Age);
        assert_eq!(Container::of(&file().0), Container::Pcapng);
        assert_eq!(Container::of(b"{}"), Container::Other);
    }
}
