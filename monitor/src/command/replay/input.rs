//! The captures that a verb reads, and how far it is.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::unreadable;
use crate::{
    capture::{EventSource, open_all},
    command::{ExitStatus, Failure},
    loss::Losses,
};

/// How far the files were read.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Length of all files together.
    pub(crate) total: AtomicU64,
    /// How much of them was read.
    pub(crate) read: AtomicU64,
}

/// Opens captures, those that are encrypted with the identities in these files.
pub(crate) fn open(
    files: &[PathBuf],
    identities: &[PathBuf],
    _progress: &Arc<Progress>,
) -> Result<Box<dyn EventSource>, Failure> {
    if !identities.is_empty() {
        return Err(Failure::message(
            ExitStatus::Usage,
            "--identity is not wired yet",
        ));
    }
    open_all(files).map_err(unreadable)
}

/// The time of the last event of captures, in nanoseconds since the Unix epoch.
/// They are read whole for that.
///
/// # Errors
/// Pipes are refused: they can be read once only.
pub(crate) fn last_time(files: &[PathBuf], identities: &[PathBuf]) -> Result<u64, Failure> {
    for path in files {
        // What cannot be looked at is told by whoever opens it.
        let is_once = path
            .metadata()
            .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if is_once {
            return Err(Failure::message(
                ExitStatus::Usage,
                format!(
                    "a time before the end of the captures needs captures that can be read twice; \
                     {} is a pipe: write it to a file first, or give the time itself",
                    path.display()
                ),
            ));
        }
    }
    let mut source = open(files, identities, &Arc::default())?;
    let mut losses = Losses::default();
    let mut last = 0;
    while let Some(event) = source.next(&mut losses).map_err(unreadable)? {
        last = event.time.0.max(last);
    }
    Ok(last)
}

impl Progress {
    /// Bytes in all, and how many of them were read.
    pub(crate) fn get(&self) -> (u64, u64) {
        (
            self.total.load(Ordering::Relaxed),
            self.read.load(Ordering::Relaxed),
        )
    }
}
