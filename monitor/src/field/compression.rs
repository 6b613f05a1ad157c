//! Compressed data that was not declared as such.
//!
//! The HTTP stage removes the codings that a request declares. This handles the
//! others: gzip JSON labelled as a form, gzip in base64.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// The largest window that a zstd frame may ask for, as a power of two.
const ZSTD_WINDOW: u32 = 23;
/// How much is decoded at a time, in bytes.
const CHUNK: usize = 16 << 10;

/// A compressed format that is recognised by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Zlib,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The coding that `bytes` begins with.
    pub(crate) fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // Two of the usual zlib headers are printable, so text is excluded.
            [0x78, level @ (0x01 | 0x5e | 0x9c | 0xda), ..] => {
                let ascii = bytes
                    .iter()
                    .take(16)
                    .all(|byte| matches!(byte, 9..=13 | 32..=126));
                (*level >= 0x80 || !ascii).then_some(Self::Zlib)
            }
            _ => None,
        }
    }

    /// Decodes at most `limit` bytes. Also returns whether the data ended
    /// early: at the limit, at a cut or at an error.
    pub(crate) fn decode(self, bytes: &[u8], limit: usize) -> (Vec<u8>, bool) {
        match self {
            Self::Gzip => read_up_to(MultiGzDecoder::new(bytes), limit),
            Self::Zlib => read_up_to(ZlibDecoder::new(bytes), limit),
            Self::Zstd => {
                let Ok(mut decoder) = zstd::stream::read::Decoder::with_buffer(bytes) else {
                    return (Vec::new(), true);
                };
                if decoder.window_log_max(ZSTD_WINDOW).is_err() {
                    return (Vec::new(), true);
                }
                read_up_to(decoder, limit)
            }
        }
    }
}

/// Reads until the end, an error or the limit, and keeps what came before.
fn read_up_to(mut reader: impl Read, limit: usize) -> (Vec<u8>, bool) {
    let mut decoded = Vec::new();
    let mut chunk = [0; CHUNK];
    while decoded.len() < limit {
        let room = chunk.len().min(limit - decoded.len());
        let Some(space) = chunk.get_mut(..room) else {
            break;
        };
        match reader.read(space) {
            Ok(0) => return (decoded, false),
            Ok(length) => decoded.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    (decoded, true)
}
