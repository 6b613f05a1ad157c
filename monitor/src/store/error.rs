//! Why something could not be recorded.

use std::{io, path::PathBuf};

use super::{disk::is_full, signature::SignatureError};

/// Why the store could not begin, or could not record.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system could not read.
    #[error("read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The operating system could not write.
    #[error("write capture {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// There is nothing to be checked.
    #[error("{} has no captures", path.display())]
    NoCapture {
        /// The folder.
        path: PathBuf,
    },
    /// Another phiwatch records into the folder.
    #[error("another phiwatch records into {}", directory.display())]
    Busy {
        /// The folder.
        directory: PathBuf,
    },
    /// The limits leave no space, and nothing may be deleted.
    #[error("no room for captures in {}: {reason}", directory.display())]
    NoRoom {
        /// The folder.
        directory: PathBuf,
        /// Which limit, and why nothing is deleted.
        reason: String,
    },
    /// Recording failed a moment ago and is not tried again yet.
    #[error("captures are not written for now: see the error before")]
    Waiting,
    /// The signing key cannot be used.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A recipient of encrypted captures is none.
    #[error("{0}")]
    Recipient(String),
    /// The encryption failed.
    #[error("encrypt capture")]
    Encrypt(#[source] io::Error),
    /// A fault of phiwatch: the manifest would contradict itself.
    #[error("the manifest would contradict itself: {0}")]
    Inconsistent(String),
}

impl StoreError {
    /// Whether it says that there is no room.
    pub fn is_full(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::Write { source, .. } => is_full(source),
            _ => false,
        }
    }
}
