//! What can be around a capture: compression and encryption, also in one another.
//!
//! In: an input. Out: what is inside, told by content and not by name.

use super::{CaptureError, Identities, input::Input, pcap};

/// Enough of a file to tell what it is: a JSON text may begin with white space.
pub(super) const MAGIC_BYTES: usize = 256;
/// More than this in one another nobody wraps.
const MAX_WRAPPINGS: usize = 4;
/// The lines that begin files of age, binary and as text.
const AGE: &[u8] = b"age-encryption.org/";
const AGE_ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// What a capture is, without what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Pcap,
    Pcapng,
    Json,
    /// The file ended in what is around it, or is broken there.
    Torn,
    Unknown,
}

enum Wrapping {
    Zstd,
    Gzip,
    Age,
}

/// What stands at the beginning of an input.
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
        // A frame, or a frame to skip that may come before it.
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

/// What is around an input that begins with `head`, the outermost of it.
pub(super) fn outermost(head: &[u8]) -> Option<&'static str> {
    match beginning(head) {
        Beginning::Plain(_) => None,
        Beginning::Wrapped(Wrapping::Zstd) => Some("zstd"),
        Beginning::Wrapped(Wrapping::Gzip) => Some("gzip"),
        Beginning::Wrapped(Wrapping::Age) => Some("age"),
    }
}

/// Takes off what is around `input`, and tells what is inside. From compressed
/// input no more than `limit` bytes are taken.
pub(super) fn unwrapped<'a>(
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
