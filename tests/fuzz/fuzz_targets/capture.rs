//! Capture files of any format: pcapng of phiwatch and of others, pcap, HAR,
//! and their wrappings; and packets of any link type, so that the bytes need
//! not form a file first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phiwatch::{capture, loss::Losses};

/// A classic pcap file with packets of one link type, a length in front of each.
fn packets(bytes: &[u8]) -> Option<Vec<u8>> {
    let (link, mut rest) = bytes.split_first_chunk::<2>()?;
    let link = u32::from(u16::from_le_bytes(*link));
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link] {
        file.extend(word.to_le_bytes());
    }
    while let Some((head, tail)) = rest.split_first_chunk::<2>() {
        let (packet, tail) = tail.split_at(usize::from(head[0]).min(tail.len()));
        let length = packet.len() as u32;
        // The other byte is the time, and how much was not captured.
        for word in [u32::from(head[1]), 0, length, length + u32::from(head[1] & 3)] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
        rest = tail;
    }
    Some(file)
}

fuzz_target!(|bytes: &[u8]| {
    let mut losses = Losses::default();
    capture::read_bytes(bytes, &mut losses);
    if let Some(file) = packets(bytes) {
        capture::read_bytes(&file, &mut losses);
    }
});
