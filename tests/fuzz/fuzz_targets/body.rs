//! Content codings, named and sniffed, with their caps.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use phiwatch::{http::body, loss::Losses};

const CODINGS: &[&[&str]] =
    &[&[], &["gzip"], &["deflate"], &["br"], &["zstd"], &["gzip", "br"], &["unknown", "gzip"]];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, bytes) = input;
    let codings = CODINGS[usize::from(choice) % CODINGS.len()];
    let mut losses = Losses::default();
    let decoded = body::decode(codings, Bytes::copy_from_slice(bytes), &mut losses);
    let most = body::MAX_DECODED.max(bytes.len());
    assert!(decoded.bytes.len() <= most, "{} bytes", decoded.bytes.len());
});
