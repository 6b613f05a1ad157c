//! Removes content codings from bodies.
//!
//! In: a body as sent and the codings that its headers claim. Out: the decoded
//! body, and whether it is complete. Headers may be wrong: a gzip or zstd
//! signature counts without one, and a body that does not have the claimed
//! coding stays as it is.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::message::Completeness;
use crate::loss::{Loss, Losses};

/// Most bytes that a body decodes to.
pub const MAX_DECODED: usize = 8 * 1024 * 1024;
/// Most output bytes for one input byte, if there are more than [`RATIO_FREE`].
pub const MAX_RATIO: usize = 200;
/// Output, in bytes, up to which the ratio does not matter.
pub const RATIO_FREE: usize = 64 * 1024;
/// Most codings that are removed from one body.
pub const MAX_CODINGS: usize = 5;
/// Most members of a gzip file, each of which costs a decoder.
const MAX_MEMBERS: usize = 1_024;
/// Window of zstd, as a power of two of bytes, that HTTP allows (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;
/// Output bytes of one step of a decoder.
const STEP: usize = 16 * 1024;
/// Bytes at the beginning of a body that show whether it is text.
const TEXT_SAMPLE: usize = 64;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 8];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A body without codings.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    /// What came out, as far as it could be decoded.
    pub bytes: Bytes,
    /// [`Completeness::Truncated`] where that is not all.
    pub completeness: Completeness,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn from_name(name: &str) -> Option<Self> {
        const NAMES: &[(&str, Coding)] = &[
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
        ];
        NAMES
            .iter()
            .find(|(known, _)| name.trim().eq_ignore_ascii_case(known))
            .map(|(_, coding)| *coding)
    }

    fn sniff(body: &[u8]) -> Option<Self> {
        if body.starts_with(GZIP_MAGIC) {
            Some(Self::Gzip)
        } else if body.starts_with(ZSTD_MAGIC) {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

/// How one decoder ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// The coding is broken, or ends early.
    Broken,
    /// The output or the ratio reached its cap.
    Bomb,
}

/// Removes `codings`, given in the order in which they were applied, and then
/// every gzip or zstd that is recognised by its signature.
pub fn decode(codings: &[&str], body: Bytes, losses: &mut Losses) -> Decoded {
    let mut decoded = Decoded {
        bytes: body,
        completeness: Completeness::Complete,
    };
    let mut budget = MAX_CODINGS;
    for name in codings.iter().rev() {
        // An unknown coding cannot be removed, but the content may be
        // recognizable.
        let Some(coding) = Coding::from_name(name) else {
            continue;
        };
        if budget == 0 || !remove(coding, true, &mut decoded, losses) {
            return decoded;
        }
        budget -= 1;
    }
    while budget > 0
        && let Some(coding) = Coding::sniff(&decoded.bytes)
        && remove(coding, false, &mut decoded, losses)
    {
        budget -= 1;
    }
    decoded
}

/// Whether this names a coding that can be removed.
pub(super) fn is_known(coding: &str) -> bool {
    Coding::from_name(coding).is_some()
}

/// Whether a body has a coding that is recognized by its signature.
pub(super) fn is_coded(body: &[u8]) -> bool {
    Coding::sniff(body).is_some()
}

/// Removes one coding. Returns whether to go on.
fn remove(coding: Coding, claimed: bool, decoded: &mut Decoded, losses: &mut Losses) -> bool {
    let body = &decoded.bytes;
    if body.is_empty() {
        return false;
    }
    let has_magic = Coding::sniff(body) == Some(coding);
    if matches!(coding, Coding::Gzip | Coding::Zstd) && !has_magic {
        return true;
    }
    let limit = body
        .len()
        .saturating_mul(MAX_RATIO)
        .clamp(RATIO_FREE, MAX_DECODED);
    let (bytes, end) = match coding {
        Coding::Gzip => gunzip(body, limit),
        Coding::Deflate => inflate_any(body, limit),
        Coding::Brotli => unbrotli(body, limit),
        Coding::Zstd => unzstd(body, limit),
    };
    // A body that reads as text and cannot be decoded never had the coding.
    if end == End::Broken && !has_magic && is_text(body) {
        return claimed;
    }
    match end {
        End::Whole => {}
        End::Broken => losses.count(Loss::HttpBodyBroken),
        End::Bomb => losses.count(Loss::HttpBomb),
    }
    if end != End::Whole {
        decoded.completeness = Completeness::Truncated;
    }
    if bytes.is_empty() && end == End::Broken {
        return false;
    }
    decoded.bytes = bytes.into();
    true
}

fn is_text(body: &[u8]) -> bool {
    let sample = body.get(..TEXT_SAMPLE).unwrap_or(body);
    sample
        .iter()
        .all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~'))
}

/// Every member of a gzip file; what follows the last one is ignored.
fn gunzip(body: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut out = Vec::new();
    let mut rest = body;
    for _ in 0..MAX_MEMBERS {
        let mut decoder = Decompress::new_gzip(15);
        let end = inflate(&mut decoder, rest, limit, &mut out);
        if end != End::Whole {
            return (out, end);
        }
        let used = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
        rest = rest.get(used.max(1)..).unwrap_or_default();
        if !rest.starts_with(GZIP_MAGIC) {
            return (out, End::Whole);
        }
    }
    (out, End::Broken)
}

/// Decodes zlib, which `deflate` means, or raw deflate, which some senders mean
/// by it: whichever gets further.
fn inflate_any(body: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut zlib = Vec::new();
    let end = inflate(&mut Decompress::new(true), body, limit, &mut zlib);
    if end != End::Broken || !zlib.is_empty() {
        return (zlib, end);
    }
    let mut raw = Vec::new();
    let end = inflate(&mut Decompress::new(false), body, limit, &mut raw);
    (raw, end)
}

fn inflate(decoder: &mut Decompress, body: &[u8], limit: usize, out: &mut Vec<u8>) -> End {
    let mut step = vec![0; STEP];
    loop {
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let rest = usize::try_from(read)
            .ok()
            .and_then(|read| body.get(read..))
            .unwrap_or(&[]);
        let status = decoder.decompress(rest, &mut step, FlushDecompress::None);
        let produced = usize::try_from(decoder.total_out() - written).unwrap_or(0);
        if !append(out, step.get(..produced), limit) {
            return End::Bomb;
        }
        match status {
            Ok(Status::StreamEnd) => return End::Whole,
            Ok(_) if produced > 0 || decoder.total_in() > read => {}
            Ok(_) | Err(_) => return End::Broken,
        }
    }
}

fn unbrotli(body: &[u8], limit: usize) -> (Vec<u8>, End) {
    let alloc = StandardAlloc::default;
    // Strict: no windows beyond the 16 MiB of RFC 7932.
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut out = Vec::new();
    let mut step = vec![0; STEP];
    let (mut available, mut offset, mut total) = (body.len(), 0, 0);
    loop {
        let (mut room, mut written) = (step.len(), 0);
        let result = BrotliDecompressStream(
            &mut available,
            &mut offset,
            body,
            &mut room,
            &mut written,
            &mut step,
            &mut total,
            &mut state,
        );
        if !append(&mut out, step.get(..written), limit) {
            return (out, End::Bomb);
        }
        match result {
            BrotliResult::ResultSuccess => return (out, End::Whole),
            BrotliResult::NeedsMoreOutput if written > 0 => {}
            BrotliResult::NeedsMoreOutput
            | BrotliResult::NeedsMoreInput
            | BrotliResult::ResultFailure => return (out, End::Broken),
        }
    }
}

/// Every frame of a zstd body; what follows the last one is ignored.
fn unzstd(body: &[u8], limit: usize) -> (Vec<u8>, End) {
    let mut out = Vec::new();
    let Ok(mut decoder) = Decoder::new() else {
        return (out, End::Broken);
    };
    if decoder
        .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
        .is_err()
    {
        return (out, End::Broken);
    }
    let mut step = vec![0; STEP];
    let mut input = InBuffer::around(body);
    loop {
        let read = input.pos();
        let mut output = OutBuffer::around(step.as_mut_slice());
        let result = decoder.run(&mut input, &mut output);
        let produced = output.pos();
        if !append(&mut out, step.get(..produced), limit) {
            return (out, End::Bomb);
        }
        match result {
            Ok(0) => {
                let rest = body.get(input.pos()..).unwrap_or_default();
                if !rest.starts_with(ZSTD_MAGIC) || input.pos() == read {
                    return (out, End::Whole);
                }
            }
            Ok(_) if produced > 0 || input.pos() > read => {}
            Ok(_) | Err(_) => return (out, End::Broken),
        }
    }
}

/// Appends up to the limit. Returns whether all of it fitted.
fn append(out: &mut Vec<u8>, produced: Option<&[u8]>, limit: usize) -> bool {
    let produced = produced.unwrap_or_default();
    let room = limit.saturating_sub(out.len());
    let (kept, cut) = produced.split_at(room.min(produced.len()));
    out.extend_from_slice(kept);
    cut.is_empty()
}

#[cfg(test)]
pub(super) mod tests;
