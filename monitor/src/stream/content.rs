//! What a stream contains, judged by the first bytes that the process wrote.
//!
//! In: the pieces of a stream in order. Out: a [`Verdict`] on each: whether it
//! is passed on, or belongs to a TLS stream, of which only the records are told
//! apart. Of a QUIC connection nothing is wanted but the server's name.

use std::mem;

use bytes::Bytes;

use super::{
    ciphertext::Records,
    client_hello::{ClientHello, Outcome, Reader},
    quic,
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
    /// Datagrams of QUIC, and when and where the first was seen. `None` once the hello
    /// is read, or can be no more.
    Datagrams(Option<Box<quic::Reader>>, Option<First>),
}

/// When and where something was seen first.
pub(super) type First = (Timestamp, Option<Place>);

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
    /// That of a QUIC connection, of which nothing was seen yet.
    pub(super) fn datagrams() -> Self {
        Self::Datagrams(Some(Box::default()), None)
    }

    /// Whether nothing was seen yet.
    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::Undecided(reader, held) if held.is_empty() && !reader.is_sure())
    }

    /// Judges the next piece of a direction.
    pub(super) fn push(&mut self, direction: Direction, piece: Piece) -> Verdict {
        let (reader, held) = match self {
            Self::Undecided(reader, held) => (reader, held),
            Self::Plain => return Verdict::Pass(piece),
            Self::Datagrams(reader, first) => return datagram(reader, first, piece),
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
            Self::Plain | Self::Ciphertext(_) | Self::Datagrams(..) => Verdict::Nothing,
        }
    }

    /// Whether nothing is wanted of the rest: it is TLS or QUIC that cannot be read.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Undecided(..) | Self::Plain => false,
            Self::Ciphertext(records) => records.is_sending(),
            Self::Datagrams(reader, _) => reader.is_none(),
        }
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

/// Takes a datagram of a QUIC connection.
fn datagram(
    reader: &mut Option<Box<quic::Reader>>,
    first: &mut Option<First>,
    piece: Piece,
) -> Verdict {
    // A gap leaves out whole datagrams, which may be sent again.
    let (Some(own), Run::Bytes(bytes)) = (reader.as_mut(), &piece.run) else {
        return Verdict::Nothing;
    };
    let outcome = own.push(bytes);
    let (time, place) = first.get_or_insert((piece.time, piece.place)).clone();
    let hello = match outcome {
        Outcome::Incomplete => return Verdict::Nothing,
        Outcome::NotMine | Outcome::Malformed => None,
        Outcome::Parsed(hello) => Some(hello),
    };
    *reader = None;
    hello.map_or(Verdict::Nothing, |hello| Verdict::Hello {
        hello,
        time,
        place,
        is_sending: true,
    })
}

fn take(records: &mut Records, piece: &Piece) {
    match &piece.run {
        Run::Bytes(bytes) => records.push(bytes),
        Run::Gap(_) => records.lose(),
    }
}
