//! What a stream contains, judged by the first bytes that the process wrote.
//!
//! In: the pieces of a stream in order. Out: a [`Verdict`] on each: whether it
//! is passed on, or belongs to a TLS stream that cannot be read.

use std::mem;

use bytes::Bytes;

use super::{
    client_hello::{ClientHello, Outcome, Reader},
    reassembler::{Piece, Run},
};
use crate::event::{Direction, Place, Timestamp};

/// What is known of a stream's content.
pub(super) enum Content {
    /// The bytes so far could be a hello; they are held back.
    Undecided(Box<Reader>, Vec<Piece>),
    /// Whatever it is, it is handed on.
    Plain,
    /// TLS, which cannot be read.
    Ciphertext,
}

/// What to do with a piece, and with those that were held back.
pub(super) enum Verdict {
    /// Nothing: it is held back, or ciphertext.
    Nothing,
    /// Hand it on.
    Pass(Piece),
    /// Hand on these, which the process wrote.
    Release(Vec<Piece>),
    /// They were this hello.
    Hello {
        hello: ClientHello,
        time: Timestamp,
        place: Option<Place>,
    },
}

impl Default for Content {
    fn default() -> Self {
        Self::Undecided(Box::default(), Vec::new())
    }
}

impl Content {
    /// Judges the next piece of a direction.
    pub(super) fn push(&mut self, direction: Direction, piece: Piece) -> Verdict {
        let Self::Undecided(reader, held) = self else {
            let pass = matches!(self, Self::Plain);
            return if pass {
                Verdict::Pass(piece)
            } else {
                Verdict::Nothing
            };
        };
        if direction == Direction::Received {
            return Verdict::Pass(piece);
        }
        let outcome = match &piece.run {
            Run::Bytes(bytes) if !piece.late => reader.push(bytes),
            _ if reader.is_sure() => Outcome::Malformed,
            _ => Outcome::NotMine,
        };
        held.push(piece);
        let hello = match outcome {
            Outcome::Incomplete => {
                // A held piece must not keep a much larger buffer alive.
                if let Some(Piece {
                    run: Run::Bytes(bytes),
                    ..
                }) = held.last_mut()
                {
                    *bytes = Bytes::copy_from_slice(bytes);
                }
                return Verdict::Nothing;
            }
            Outcome::NotMine => None,
            // It began as a hello, so it cannot be read in any case.
            Outcome::Malformed => Some(ClientHello::default()),
            Outcome::Parsed(hello) => Some(hello),
        };
        self.decide(hello)
    }

    /// The end of the stream: nothing will follow what is held back.
    pub(super) fn finish(&mut self) -> Verdict {
        match self {
            Self::Undecided(reader, _) => {
                let hello = reader.is_sure().then(ClientHello::default);
                self.decide(hello)
            }
            Self::Plain | Self::Ciphertext => Verdict::Nothing,
        }
    }

    fn decide(&mut self, hello: Option<ClientHello>) -> Verdict {
        let content = if hello.is_some() {
            Self::Ciphertext
        } else {
            Self::Plain
        };
        let Self::Undecided(_, held) = mem::replace(self, content) else {
            return Verdict::Nothing;
        };
        match (hello, held.first()) {
            (Some(hello), Some(first)) => Verdict::Hello {
                hello,
                time: first.time,
                place: first.place.clone(),
            },
            _ => Verdict::Release(held),
        }
    }
}
