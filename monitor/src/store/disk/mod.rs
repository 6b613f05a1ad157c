//! What the store needs from the operating system: clocks, free space, writing.
//!
//! Everything that can fail for lack of space, or that depends on the time,
//! goes through [`Disk`], so that tests can simulate a disk that fills up and
//! days that pass.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
    sync::LazyLock,
    time::{Duration, Instant},
};

use crate::{event::Timestamp, store};

/// Where the monotonic clock begins to count.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Space on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    /// What is free for this process.
    pub(super) free: u64,
    /// What there is.
    pub(super) total: u64,
}

/// The operating system, or a simulation of it.
pub(super) trait Disk: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// A clock that only goes forward.
    fn uptime(&self) -> Duration;
    /// Writes some of `bytes` at `offset`.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes what was written to `file` survive a power failure.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// The room on the file system of `directory`.
    fn space(&self, directory: &Path) -> io::Result<Space>;

    /// Writes all of `bytes` at `offset`.
    fn write_all(&self, file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(file, bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    offset = offset.saturating_add(written as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The operating system.
pub(super) struct System;

impl Disk for System {
    fn now(&self) -> Timestamp {
        store::now()
    }

    fn uptime(&self) -> Duration {
        ORIGIN.elapsed()
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        file.write_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        let room = rustix::fs::statvfs(directory)?;
        Ok(Space {
            free: room.f_bavail.saturating_mul(room.f_frsize),
            total: room.f_blocks.saturating_mul(room.f_frsize),
        })
    }
}

/// A new file at `path` that only its owner can read. An existing one, such as
/// a link to somewhere else, is replaced.
pub(super) fn fresh(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Whether `error` says that the file system does not support the operation.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

/// Whether `error` says that there is no space, at present or for this user.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
pub(super) mod simulated;
