//! The chunked transfer coding, read in any split.
//!
//! In: bytes after a head. Out: the chunks' data, the trailers, where it ended.

use super::head::Scan;
use crate::http::head::MAX_HEAD;

/// Digits of a chunk size: 16 hexadecimal digits are 64 bits.
const MAX_DIGITS: u8 = 16;

/// What to do after [`Chunked::push`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All bytes were used; the body goes on.
    Incomplete,
    /// The body ended; the rest belongs to the next message.
    Done,
    /// Not a valid chunk size or end of a chunk.
    Malformed,
}

#[derive(Clone, Copy)]
enum State {
    Size {
        value: u64,
        digits: u8,
    },
    Extension {
        value: u64,
    },
    Data {
        remaining: u64,
    },
    /// Behind the data, before its line end; whether a CR was seen.
    DataEnd {
        cr: bool,
    },
    Trailer,
}

/// The position of the reader in a chunked body.
pub(super) struct Chunked {
    state: State,
    scan: Scan,
    /// The trailer lines.
    pub(super) trailer: Vec<u8>,
    /// Whether the trailer was longer than a head may be.
    pub(super) trailer_cut: bool,
}

impl Default for Chunked {
    fn default() -> Self {
        Self {
            state: State::Size {
                value: 0,
                digits: 0,
            },
            scan: Scan::default(),
            trailer: Vec::new(),
            trailer_cut: false,
        }
    }
}

impl Chunked {
    /// Consumes bytes from the front of `bytes`, passing the data to `sink`.
    pub(super) fn push(&mut self, bytes: &mut &[u8], mut sink: impl FnMut(&[u8])) -> Progress {
        loop {
            match self.state {
                State::Data { remaining } => {
                    let data = take(bytes, remaining);
                    sink(data);
                    self.skip(data.len() as u64);
                    if bytes.is_empty() {
                        return Progress::Incomplete;
                    }
                }
                State::Trailer => {
                    let end = self.scan.push(bytes);
                    let (trailer, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    let room = MAX_HEAD
                        .saturating_sub(self.trailer.len())
                        .min(trailer.len());
                    self.trailer
                        .extend_from_slice(trailer.get(..room).unwrap_or_default());
                    self.trailer_cut |= room < trailer.len();
                    *bytes = rest;
                    return if end.is_some() {
                        Progress::Done
                    } else {
                        Progress::Incomplete
                    };
                }
                State::Size { .. } | State::Extension { .. } | State::DataEnd { .. } => {
                    let Some((byte, rest)) = bytes.split_first() else {
                        return Progress::Incomplete;
                    };
                    let Some(next) = step(self.state, *byte) else {
                        return Progress::Malformed;
                    };
                    *bytes = rest;
                    self.state = next;
                }
            }
        }
    }

    /// Skips `length` missing bytes. Returns whether they were all in the data
    /// of one chunk, so that the position is still known.
    pub(super) fn skip(&mut self, length: u64) -> bool {
        let State::Data { remaining } = self.state else {
            return false;
        };
        let Some(left) = remaining.checked_sub(length) else {
            return false;
        };
        self.state = if left == 0 {
            State::DataEnd { cr: false }
        } else {
            State::Data { remaining: left }
        };
        true
    }
}

/// The state after one byte of framing; `None` if it is invalid.
fn step(state: State, byte: u8) -> Option<State> {
    match state {
        State::Size { value, digits } => match (byte as char).to_digit(16) {
            Some(digit) if digits < MAX_DIGITS => Some(State::Size {
                value: value << 4 | u64::from(digit),
                digits: digits + 1,
            }),
            Some(_) => None,
            None if digits == 0 => None,
            None if byte == b'\n' => Some(after_size(value)),
            None => {
                matches!(byte, b'\r' | b';' | b' ' | b'\t').then_some(State::Extension { value })
            }
        },
        State::Extension { value } => Some(if byte == b'\n' {
            after_size(value)
        } else {
            State::Extension { value }
        }),
        State::DataEnd { cr } => match byte {
            b'\r' if !cr => Some(State::DataEnd { cr: true }),
            b'\n' => Some(State::Size {
                value: 0,
                digits: 0,
            }),
            _ => None,
        },
        State::Data { .. } | State::Trailer => Some(state),
    }
}

const fn after_size(value: u64) -> State {
    if value == 0 {
        State::Trailer
    } else {
        State::Data { remaining: value }
    }
}

/// Takes at most `length` bytes from the front.
pub(super) fn take<'a>(bytes: &mut &'a [u8], length: u64) -> &'a [u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (data, rest) = bytes.split_at(length.min(bytes.len()));
    *bytes = rest;
    data
}
