//! Captures: events to files and files to events.
//!
//! While phiwatch watches, every event passes [`CaptureWriter`] before the core
//! gets it; on replay the same events come from [`open`], which also reads
//! captures of other tools. Our captures are pcapng files that any tool opens:
//! each chunk of plaintext is a TCP segment whose sequence number is its offset
//! in the stream.

use std::{io, path::PathBuf};

use crate::{event::Event, loss::Losses};

mod address;
mod chain;
mod connection;
pub mod custody;
mod digest;
mod har;
mod identity;
mod input;
mod listing;
mod messages;
mod note;
mod packet;
mod pcap;
mod pcapng;
mod pdu;
mod progress;
mod reader;
mod record;
mod replay;
mod rfc3339;
mod ring;
mod section;
mod store;
mod survey;
mod track;
mod verify;
mod wrapping;

pub use connection::LATE_OFFSET;
pub use custody::{
    CUSTODY_FILE, Custody, CustodyEntry, CustodyError, CustodyFile, CustodyLog,
    MAX_FILES as MAX_CUSTODY_FILES, Who,
};
pub use identity::Identities;
pub use note::{ClockAnchor, Provenance};
pub use pdu::{About, Dissector, PduEncoder};
pub use progress::Progress;
pub use reader::{OpenOptions, open, open_all, open_all_with, read_bytes};
pub use record::{Encoder, MAX_PACKET_PAYLOAD};
pub use ring::{Ring, RingLimits};
pub use section::SegmentSummary;
pub use store::{
    AgeRecipients, CaptureOptions, CaptureWriter, CheckingKey, DEFAULT_MAX_BYTES,
    DEFAULT_MIN_FREE_BYTES, DEFAULT_SEGMENT_AGE, DEFAULT_SEGMENT_BYTES, ENCRYPTED_WAIT,
    QuotaLimits, SignatureError, SigningKey, StoreError, StoreOptions, SyncPolicy,
};
pub use survey::{FileSurvey, SectionSurvey, survey};
pub use verify::{FileCheck, FileState, Verification, verify};

/// A source of events other than a probe.
pub trait EventSource: Send {
    /// The next event, `None` at the end. What could not be read is counted in
    /// `losses`. After an error the source may still be asked for the rest of
    /// what it had read.
    fn next(&mut self, losses: &mut Losses) -> Result<Option<Event>, CaptureError>;
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
