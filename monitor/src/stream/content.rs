//! What a stream contains, judged by the first bytes that the process wrote.
//!
//! In: the pieces of a stream in order. Out: a [`Verdict`] on each: whether it
//! is passed on, or belongs to a TLS stream, of which only the records are told
//! apart.

use std::mem;

use bytes::Bytes;

use super::{
    ciphertext::Records,
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
    Ciphertext(Records),
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
        /// Application data follows already.
        is_sending: bool,
    },
    /// The process begins to send application data here.
    Encrypted(Piece),
}

impl Default for Content {
    fn default() -> Self {
        Self::Undecided(Box::default(), Vec::new())
    }
}

impl Content {
    /// Judges the next piece of a direction.
    pub(super) fn push(&mut self, direction: Direction, piece: Piece) -> Verdict {
        let (reader, held) = match self {
            Self::Undecided(reader, held) => (reader, held),
            Self::Plain => return Verdict::Pass(piece),
            Self::Ciphertext(records) => {
                let was_sending = records.is_sending();
                if direction == Direction::Sent {
                    take(records, &piece);
                }
                return if records.is_sending() && !was_sending {
                    Verdict::Encrypted(piece)
                } else {
                    Verdict::Nothing
                };
            }
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
            Self::Plain | Self::Ciphertext(_) => Verdict::Nothing,
        }
    }

    /// Whether only it is known of the rest that it is TLS.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self, Self::Ciphertext(records) if records.is_sending())
    }

    fn decide(&mut self, hello: Option<ClientHello>) -> Verdict {
        let content = match &hello {
            Some(_) => Self::Ciphertext(Records::default()),
            None => Self::Plain,
        };
        let Self::Undecided(_, held) = mem::replace(self, content) else {
            return Verdict::Nothing;
        };
        if let Self::Ciphertext(records) = self {
            for piece in &held {
                take(records, piece);
            }
        }
        match (hello, held.first()) {
            (Some(hello), Some(first)) => Verdict::Hello {
                hello,
                time: first.time,
                place: first.place.clone(),
                is_sending: self.is_settled(),
            },
            _ => Verdict::Release(held),
        }
    }
}

fn take(records: &mut Records, piece: &Piece) {
    match &piece.run {
        Run::Bytes(bytes) => records.push(bytes),
        Run::Gap(_) => records.lose(),
    }
}
