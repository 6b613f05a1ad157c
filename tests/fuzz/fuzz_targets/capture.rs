//! Capture files of any format: pcapng of phiwatch and of others, pcap, HAR.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phiwatch::{capture, loss::Losses};

fuzz_target!(|bytes: &[u8]| {
    let mut losses = Losses::default();
    capture::read_bytes(bytes, &mut losses);
});
