//! Where a body ends.
//!
//! In: bytes behind a head, or how many of them are missing. Out: the body's
//! data, and whether it goes on.

use std::mem;

use super::{
    chunked::{Chunked, Progress, take},
    head::Framing,
};

/// The position of a reader in a body.
pub(super) enum BodyReader {
    /// So many bytes before its end.
    Length(u64),
    /// In the chunked transfer coding.
    Chunked(Box<Chunked>),
    /// Before the end of the connection.
    Close,
}

impl BodyReader {
    /// The beginning of a body whose end the head tells; `None` if it does not.
    pub(super) fn of(framing: Framing) -> Option<Self> {
        match framing {
            Framing::Length(length) => Some(Self::Length(length)),
            Framing::Chunked => Some(Self::Chunked(Box::default())),
            Framing::Unsaid | Framing::Broken => None,
        }
    }

    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Chunked(chunked) => chunked.trailer.capacity(),
            Self::Length(_) | Self::Close => 0,
        }
    }

    /// Consumes bytes from the front of `bytes`, passing the data to `sink`.
    pub(super) fn push(&mut self, bytes: &mut &[u8], mut sink: impl FnMut(&[u8])) -> Progress {
        match self {
            Self::Length(remaining) => {
                let data = take(bytes, *remaining);
                sink(data);
                *remaining = remaining.saturating_sub(data.len() as u64);
                if *remaining == 0 {
                    Progress::Done
                } else {
                    Progress::Incomplete
                }
            }
            Self::Chunked(chunked) => chunked.push(bytes, sink),
            Self::Close => {
                sink(mem::take(bytes));
                Progress::Incomplete
            }
        }
    }

    /// Skips `length` missing bytes. Behind them the position is unknown if
    /// they were not all data of this body.
    pub(super) fn skip(&mut self, length: u64) -> Progress {
        match self {
            Self::Length(remaining) => match remaining.checked_sub(length) {
                Some(0) => Progress::Done,
                Some(left) => {
                    *remaining = left;
                    Progress::Incomplete
                }
                None => Progress::Malformed,
            },
            Self::Chunked(chunked) => {
                if chunked.skip(length) {
                    Progress::Incomplete
                } else {
                    Progress::Malformed
                }
            }
            Self::Close => Progress::Incomplete,
        }
    }
}
