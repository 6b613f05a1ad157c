//! What a stream's first bytes are.

/// What a write begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// A method of HTTP/1: a client speaks.
    Request,
    /// The preface of HTTP/2: a client speaks.
    Preface,
    /// `HTTP/1.`: a server speaks.
    Response,
    /// Perhaps a HEADERS frame of HTTP/2, on a connection whose preface was not seen:
    /// [`is_request`] tells.
    Headers,
    /// A TLS handshake record.
    Handshake,
    /// A TLS record of another kind.
    Record,
    /// Anything else.
    Other,
}

impl Sniffed {
    /// Whether a client speaks.
    #[inline(always)]
    pub(crate) fn asks(self) -> bool {
        self == Self::Request || self == Self::Preface
    }
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
const PREFACE: u32 = word(*b"PRI ");
const HTTP: u32 = word(*b"HTTP");
/// The type of a HEADERS frame, behind its length.
const HEADERS: u32 = word([0, 0, 0, 1]);

/// Bytes of a HEADERS frame that [`is_request`] has to see: its head, its priority, and
/// the first of its header block.
pub(crate) const MIN_HEADERS: u64 = 15;
/// Flags of a HEADERS frame: that the stream ends, the block ends, and a priority is there.
/// Clients do not pad.
const USUAL: u8 = 0x25;
const PRIORITY: u8 = 0x20;

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
        PREFACE => Sniffed::Preface,
        HTTP => Sniffed::Response,
        // Its length, of three bytes, is at most 16,384 unless the receiver allows more.
        _ if first & 0xff00_00ff == HEADERS && first & 0xc000 == 0 => Sniffed::Headers,
        _ if first & 0xffff == 0x0316 => Sniffed::Handshake,
        // Its kind, from 20 to 23 (RFC 8446, section 5.1), and the version that
        // all since SSL 3.0 name.
        _ if (first & 0xff) >> 2 == 5 && first & 0xff00 == 0x0300 => Sniffed::Record,
        _ => Sniffed::Other,
    }
}

/// Whether a frame that [`sniff`] takes for HEADERS begins a request. `byte` reads one of
/// its bytes.
///
/// Clients name the authority, the method, the path or the scheme first, which are
/// entries 1 to 7 of the static table, and servers the status, which is behind them
/// (RFC 7541, appendix A).
#[inline(always)]
pub(crate) fn is_request(byte: impl Fn(usize) -> Option<u8>) -> Option<bool> {
    let flags = byte(4)?;
    let is_odd = byte(8)? & 1 == 1;
    let field = byte(if flags & PRIORITY == 0 { 9 } else { 14 })?;
    let index = if field & 0x80 != 0 {
        field & 0x7f
    } else {
        field & 0x3f
    };
    // The form with an index of its own is followed by a name.
    Some(flags & !USUAL == 0 && is_odd && index.wrapping_sub(1) < 7)
}
