//! The part of a capture that is on disk, as evidence.
//!
//! In: every event, before the core gets it. Out: the event's place, and a
//! folder that only its owner can read:
//!
//! ```text
//! phiwatch-20261124T024103Z-0000.pcapng      a segment; .pcapng.age if encrypted
//! manifest.jsonl                             what happened to each segment, hash-chained
//! manifest-0001.jsonl                        the earlier part of a long manifest
//! SHA256SUMS, SHA256SUMS.minisig             for sha256sum -c and minisign -V
//! custody.jsonl                              who took what out, and why
//! hold                                       made by people: nothing is deleted
//! ```
//!
//! A segment is begun, written, and sealed. When the limits ask for it the
//! oldest sealed ones are deleted, after the manifest says so. A kill at any
//! moment leaves a valid manifest: it lists the segment that was being written
//! as begun, and the next start seals it as recovered. When the disk is full,
//! the segment ends after a whole block, and events are refused and counted
//! until there is space.
//!
//! Durability: after [`CaptureWriter::sync`] everything written before survives
//! a power failure. With [`SyncPolicy::Second`] this happens every second,
//! except that the newest up to 64 KiB of an encrypted segment may wait up to
//! [`ENCRYPTED_WAIT`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{capture::note::Provenance, event::Timestamp};

mod backoff;
mod chain;
pub mod custody;
mod digest;
mod disk;
mod entry;
mod envelope;
mod error;
mod manifest;
mod name;
mod quota;
mod recovery;
#[cfg(test)]
mod sample;
mod segment;
mod signature;
mod structure;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use custody::{
    CUSTODY_FILE, Custody, CustodyEntry, CustodyError, CustodyFile, CustodyLog,
    MAX_FILES as MAX_CUSTODY_FILES, Who,
};
pub use envelope::AgeRecipients;
pub use error::StoreError;
pub use quota::QuotaLimits;
pub use signature::{CheckingKey, SignatureError, SigningKey};
pub use verify::{FileCheck, FileState, Verification, verify};
pub use writer::CaptureWriter;

/// The default size at which a segment ends, in bytes.
pub const DEFAULT_SEGMENT_BYTES: u64 = 256 << 20;
/// The default age at which a segment ends.
pub const DEFAULT_SEGMENT_AGE: Duration = Duration::from_hours(1);
/// The default size of all captures of a folder, in bytes.
pub const DEFAULT_MAX_BYTES: u64 = 1 << 30;
/// The default space that stays free on the file system, in bytes.
pub const DEFAULT_MIN_FREE_BYTES: u64 = 512 << 20;

/// How long the incomplete chunk of an encrypted segment may wait in memory:
/// padding it to have it on disk costs up to 64 KiB.
pub const ENCRYPTED_WAIT: Duration = Duration::from_secs(30);

/// When written data is made durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Every second.
    #[default]
    Second,
    /// When a segment ends.
    Segment,
    /// Before an event is said to be written.
    Write,
}

/// How captures are stored. It holds a secret key: no `Debug`.
#[derive(Clone)]
pub struct StoreOptions {
    /// A segment of this many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// So is one that is this old.
    pub segment_age: Duration,
    /// What is deleted when.
    pub quota: QuotaLimits,
    /// What survives a power failure.
    pub sync: SyncPolicy,
    /// Who can read the segments; with nobody, they are not encrypted.
    pub recipients: AgeRecipients,
    /// The key that signs.
    pub key: Option<SigningKey>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            segment_bytes: DEFAULT_SEGMENT_BYTES,
            segment_age: DEFAULT_SEGMENT_AGE,
            quota: QuotaLimits {
                max_bytes: DEFAULT_MAX_BYTES,
                max_age: None,
                min_free_bytes: DEFAULT_MIN_FREE_BYTES,
            },
            sync: SyncPolicy::default(),
            recipients: AgeRecipients::default(),
            key: None,
        }
    }
}

/// How a capture is written.
#[derive(Clone)]
pub struct CaptureOptions {
    /// How it is stored.
    pub store: StoreOptions,
    /// What goes into every section header.
    pub provenance: Provenance,
    /// When the capture begins; it names the first segment.
    pub started: Timestamp,
}

/// The time by the wall clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(since.as_nanos().try_into().unwrap_or(u64::MAX))
}
