//! The wrappings of a capture: compression and encryption, also nested.
//!
//! In: an input. Out: the format inside, recognized by content and not by name.

use crate::capture::{CaptureError, Identities, file::Input, foreign::pcap};

/// Enough bytes to recognize a file: a JSON text may begin with white space.
pub(in crate::capture) const MAGIC_BYTES: usize = 256;
/// More than this in one another nobody wraps.
const MAX_WRAPPINGS: usize = 4;
/// The first lines of age files, binary and armored.
const AGE: &[u8] = b"age-encryption.org/";
const AGE_ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// The format of a capture without its wrappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Format {
    Pcap,
    Pcapng,
    Json,
    /// The file ends within its wrapping, or is broken there.
    Torn,
    Unknown,
}

enum Wrapping {
    Zstd,
    Gzip,
    Age,
}

/// What an input begins with.
enum Beginning {
    Plain(Format),
    Wrapped(Wrapping),
}

fn beginning(head: &[u8]) -> Beginning {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    if pcap::magic(head).is_some() {
        return Beginning::Plain(Format::Pcap);
    }
    match head.first_chunk() {
        Some([0x0a, 0x0d, 0x0d, 0x0a]) => Beginning::Plain(Format::Pcapng),
        // A frame, or a skippable frame that may precede it.
        Some([0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]) => {
            Beginning::Wrapped(Wrapping::Zstd)
        }
        Some([0x1f, 0x8b, 0x08, _]) => Beginning::Wrapped(Wrapping::Gzip),
        _ if head.starts_with(AGE) || text.starts_with(AGE_ARMOR) => {
            Beginning::Wrapped(Wrapping::Age)
        }
        _ if text.starts_with(b"{") => Beginning::Plain(Format::Json),
        _ => Beginning::Plain(Format::Unknown),
    }
}

/// The outermost wrapping of an input that begins with `head`.
pub(in crate::capture) fn outermost(head: &[u8]) -> Option<&'static str> {
    match beginning(head) {
        Beginning::Plain(_) => None,
        Beginning::Wrapped(Wrapping::Zstd) => Some("zstd"),
        Beginning::Wrapped(Wrapping::Gzip) => Some("gzip"),
        Beginning::Wrapped(Wrapping::Age) => Some("age"),
    }
}

/// Removes the wrappings of `input` and recognizes the format inside. At most
/// `limit` bytes are taken from compressed input.
pub(in crate::capture) fn unwrapped<'a>(
    mut input: Input<'a>,
    identities: &Identities,
    limit: u64,
) -> Result<(Input<'a>, Format), CaptureError> {
    for _ in 0..MAX_WRAPPINGS {
        let path = input.path().to_owned();
        let wrapping = match beginning(input.peek(MAGIC_BYTES)?) {
            Beginning::Wrapped(wrapping) => wrapping,
            Beginning::Plain(Format::Unknown) if input.is_broken() => {
                return Ok((input, Format::Torn));
            }
            Beginning::Plain(format) => return Ok((input, format)),
        };
        input = match wrapping {
            Wrapping::Zstd => match zstd::stream::read::Decoder::new(input) {
                Ok(decoder) => Input::new(Box::new(decoder), path).limited_to(limit),
                Err(source) => return Err(CaptureError::Read { path, source }),
            },
            Wrapping::Gzip => {
                let decoder = flate2::read::MultiGzDecoder::new(input);
                Input::new(Box::new(decoder), path).limited_to(limit)
            }
            Wrapping::Age => match identities.decrypted(input)? {
                Some(reader) => Input::new(reader, path),
                None => return Ok((Input::new(Box::new(std::io::empty()), path), Format::Torn)),
            },
        };
    }
    Ok((input, Format::Unknown))
}
