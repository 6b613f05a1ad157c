//! Captures, read: files to events.
//!
//! In place of a probe, [`open`] gives what captures hold: phiwatch's own, which
//! replay as they were recorded, and those of other tools. Our captures are
//! pcapng files that any tool opens: each chunk of plaintext is a TCP segment
//! whose sequence number is its offset in the stream, and notes say what packets
//! cannot.
//!
//! The modules stand in the order in which each may use those before it: the
//! bytes of a `file`, the headers of a `packet`, what our captures `note`, the
//! blocks of `pcapng`, what is `foreign`, the `replay` of our own, the `reader`
//! of them all, and the `survey`, which examines no payload.

use std::{io, path::PathBuf};

use crate::{
    event::{Event, Timestamp},
    loss::Losses,
    message::Message,
};

pub(crate) mod file;

pub(crate) mod packet;

pub(crate) mod note;

pub(crate) mod pcapng;

mod foreign;

mod replay;

mod reader;

mod survey;

pub use self::{
    file::{Identities, Progress},
    foreign::LATE_OFFSET,
    note::{ClockAnchor, Provenance},
    pcapng::SectionSurvey,
    reader::{OpenOptions, ReadAhead, open, open_all, open_all_with, read_bytes},
    survey::{FileSurvey, survey},
};

/// What a capture holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// An event of a stream.
    Event(Event),
    /// A whole message, where values were replaced.
    Message(Message),
}

impl Recorded {
    /// When it happened.
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.time,
            Self::Message(message) => message.time,
        }
    }

    /// The event, if it is one.
    pub fn event(self) -> Option<Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Message(_) => None,
        }
    }

    /// The message, if it is one.
    pub fn message(self) -> Option<Message> {
        match self {
            Self::Event(_) => None,
            Self::Message(message) => Some(message),
        }
    }
}

impl From<Event> for Recorded {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl From<Message> for Recorded {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

/// A source other than a probe.
pub trait CaptureSource: Send {
    /// The next event or message, `None` at the end. What could not be read is
    /// counted in `losses`. After an error the source may still be asked for the
    /// rest of what it had read.
    fn next(&mut self, losses: &mut Losses) -> Result<Option<Recorded>, CaptureError>;
}

/// Why a capture could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file is of no kind that is read.
    #[error(
        "{} is no capture: expected pcap, pcapng or HAR, plain or within zstd, gzip or age",
        path.display()
    )]
    Unrecognized {
        /// The file or directory.
        path: PathBuf,
    },
    /// The file is encrypted and cannot be decrypted.
    #[error("{} is encrypted: {reason}", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
        /// What is needed, or why it cannot be had.
        reason: &'static str,
    },
    /// A file of identities has a line that is none.
    #[error("{}: line {line} is no age identity (AGE-SECRET-KEY-...)", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
    },
    /// The operating system could not read.
    #[error("read capture {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The operating system could not write.
    #[error("write capture {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}
