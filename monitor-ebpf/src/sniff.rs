//! What a stream's first bytes are.

/// What a write begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// A method of HTTP/1: a client speaks.
    Request,
    /// `HTTP/1.`: a server speaks.
    Response,
    /// A TLS handshake record.
    Handshake,
    /// A TLS record of another kind.
    Record,
    /// Anything else.
    Other,
}

const fn word(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes)
}

const GET: u32 = word(*b"GET ");
const POST: u32 = word(*b"POST");
const PUT: u32 = word(*b"PUT ");
const HEAD: u32 = word(*b"HEAD");
const DELETE: u32 = word(*b"DELE");
const PATCH: u32 = word(*b"PATC");
const OPTIONS: u32 = word(*b"OPTI");
const CONNECT: u32 = word(*b"CONN");
const HTTP: u32 = word(*b"HTTP");

/// Sniffs the first four bytes, in memory order. `length` is how many there
/// are; a write of fewer than four is taken for a request if it begins with a
/// capital letter, since some clients write a head byte by byte.
#[inline(always)]
pub(crate) fn sniff(first: u32, length: u64) -> Sniffed {
    let first = u32::from_le(first);
    if length < 4 {
        return if (first as u8).is_ascii_uppercase() {
            Sniffed::Request
        } else {
            Sniffed::Other
        };
    }
    match first {
        GET | POST | PUT | HEAD | DELETE | PATCH | OPTIONS | CONNECT => Sniffed::Request,
        HTTP => Sniffed::Response,
        _ if first & 0xffff == 0x0316 => Sniffed::Handshake,
        // Its kind, from 20 to 23 (RFC 8446, section 5.1), and the version that
        // all since SSL 3.0 name.
        _ if (first & 0xff) >> 2 == 5 && first & 0xff00 == 0x0300 => Sniffed::Record,
        _ => Sniffed::Other,
    }
}
