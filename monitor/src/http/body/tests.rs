//! Codings, stacked, broken, false and hostile.

use std::io::Write;

use flate2::{Compression, write};

use super::*;

const TEXT: &[u8] = b"{\"email\":\"jane.roe@example.com\",\"condition\":\"asthma\",\"n\":[1,2,3]}";

pub(in crate::http) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(body, 3).unwrap()
}

/// Brotli with uncompressed blocks, which are the only ones that can be written
/// by hand.
fn brotli(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // A window of 16 bits; a block that is not the last, its length in 16 bits,
    // uncompressed; then an empty last block.
    for (index, block) in body.chunks(1 << 16).enumerate() {
        let length = u32::try_from(block.len() - 1).unwrap();
        if index == 0 {
            // WBITS 0, ISLAST 0, MNIBBLES 00, MLEN-1 in 16 bits, uncompressed.
            out.extend(&(length << 4 | 1 << 20).to_le_bytes()[..3]);
        } else {
            out.extend(&(length << 3 | 1 << 19).to_le_bytes()[..3]);
        }
        out.extend(block);
    }
    out.push(3);
    out
}

fn check(codings: &[&str], body: &[u8], expected: &[u8], losses: &[Loss]) {
    let mut counted = Losses::default();
    let decoded = decode(codings, Bytes::copy_from_slice(body), &mut counted);
    let counts: Vec<_> = counted.iter().collect();
    let want: Vec<_> = losses.iter().map(|loss| (*loss, 1)).collect();
    assert_eq!(counts, want, "{codings:?}");
    assert!(
        decoded.bytes == expected,
        "{codings:?}: {} bytes",
        decoded.bytes.len()
    );
    let complete = decoded.completeness == Completeness::Complete;
    assert_eq!(complete, losses.is_empty(), "{codings:?}");
}

#[test]
fn every_coding_is_removed() {
    check(&[], TEXT, TEXT, &[]);
    check(&["identity"], TEXT, TEXT, &[]);
    check(&["gzip"], &gzip(TEXT), TEXT, &[]);
    check(&["X-GZIP"], &gzip(TEXT), TEXT, &[]);
    check(&["deflate"], &zlib(TEXT), TEXT, &[]);
    check(&["deflate"], &deflate(TEXT), TEXT, &[]);
    check(&["br"], &brotli(TEXT), TEXT, &[]);
    check(&["zstd"], &zstd(TEXT), TEXT, &[]);
    check(
        &["br", "deflate", "gzip"],
        &gzip(&zlib(&brotli(TEXT))),
        TEXT,
        &[],
    );
    check(
        &["gzip"],
        &[gzip(TEXT), gzip(TEXT)].concat(),
        &TEXT.repeat(2),
        &[],
    );
    check(
        &["zstd"],
        &[zstd(TEXT), zstd(TEXT)].concat(),
        &TEXT.repeat(2),
        &[],
    );
    check(&["gzip"], &[gzip(TEXT), vec![0; 9]].concat(), TEXT, &[]);
    check(&["gzip"], &gzip(b""), b"", &[]);
    check(&["gzip"], b"", b"", &[]);
    let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for (name, body) in [
        ("gzip", gzip(&large)),
        ("deflate", zlib(&large)),
        ("br", brotli(&large)),
        ("zstd", zstd(&large)),
    ] {
        check(&[name], &body, &large, &[]);
    }
}

#[test]
fn headers_that_lie_are_not_believed() {
    check(&[], &gzip(TEXT), TEXT, &[]);
    check(&[], &zstd(&gzip(TEXT)), TEXT, &[]);
    check(&["gzip"], &zstd(TEXT), TEXT, &[]);
    check(&["compress"], &gzip(TEXT), TEXT, &[]);
    for name in ["gzip", "deflate", "br", "zstd"] {
        check(&[name], TEXT, TEXT, &[]);
        check(&[name, name, name, name, name, name, name], TEXT, TEXT, &[]);
    }
}

#[test]
fn what_was_decoded_before_a_break_is_kept() {
    let text: Vec<u8> = (0..60_000_u32)
        .flat_map(|n| format!("{n},").into_bytes())
        .collect();
    for (name, body) in [
        ("gzip", gzip(&text)),
        ("deflate", zlib(&text)),
        ("deflate", deflate(&text)),
        ("br", brotli(&text)),
        ("zstd", zstd(&text)),
    ] {
        let mut longest = 0;
        for end in (0..body.len()).step_by(997) {
            let mut losses = Losses::default();
            let decoded = decode(&[name], Bytes::copy_from_slice(&body[..end]), &mut losses);
            let raw = decoded.bytes == body[..end];
            assert!(raw || text.starts_with(&decoded.bytes), "{name} at {end}");
            if end > 8 {
                assert_eq!(losses.get(Loss::HttpBodyBroken), 1, "{name} at {end}");
                assert_eq!(decoded.completeness, Completeness::Truncated);
            }
            if !raw {
                longest = decoded.bytes.len();
            }
        }
        assert!(
            longest > text.len() / 2,
            "{name} kept {longest} of {}",
            text.len()
        );
    }
    // A broken byte in the middle.
    let mut body = gzip(&text);
    let middle = body.len() / 2;
    body[middle..middle + 8].fill(0xff);
    let mut losses = Losses::default();
    let decoded = decode(&["gzip"], body.into(), &mut losses);
    assert!(decoded.bytes.len() > 1_000 && losses.get(Loss::HttpBodyBroken) == 1);
    // Nothing can be decoded: the raw bytes stay.
    let raw = [GZIP_MAGIC, &[0xff; 20]].concat();
    check(&["gzip"], &raw, &raw, &[Loss::HttpBodyBroken]);
}

#[test]
fn bombs_are_cut() {
    let zeros = vec![0; 32 * 1024 * 1024];
    for (name, body) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("zstd", zstd(&zeros)),
    ] {
        let kept = (body.len() * MAX_RATIO).clamp(RATIO_FREE, MAX_DECODED);
        check(&[name], &body, &zeros[..kept], &[Loss::HttpBomb]);
    }
    // Below the free size the ratio does not matter.
    check(
        &["gzip"],
        &gzip(&zeros[..RATIO_FREE]),
        &zeros[..RATIO_FREE],
        &[],
    );
    // More members than anyone needs.
    let many = gzip(b"a").repeat(MAX_MEMBERS + 1);
    check(
        &["gzip"],
        &many,
        &vec![b'a'; MAX_MEMBERS],
        &[Loss::HttpBodyBroken],
    );
    // gzip in gzip in gzip: at most the cap, whatever the layers.
    let nested = gzip(&gzip(&gzip(&zeros)));
    let mut losses = Losses::default();
    let decoded = decode(&[], nested.into(), &mut losses);
    assert!(decoded.bytes.len() <= MAX_DECODED);
    assert_eq!(losses.get(Loss::HttpBomb), 1);
}
