//! How far the files of a replay were read.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes of files read so far, before decompression. Shared with whoever shows
/// the progress.
#[derive(Debug, Default)]
pub struct Progress {
    /// Length of all files together; 0 until they are listed, pipes excluded.
    pub total: AtomicU64,
    /// How much of them was read.
    pub read: AtomicU64,
}

/// A reader that counts what is read from it.
pub(in crate::capture) struct Counted<R> {
    reader: R,
    progress: Arc<Progress>,
}

impl<R> Counted<R> {
    pub(in crate::capture) const fn new(reader: R, progress: Arc<Progress>) -> Self {
        Self { reader, progress }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(out)?;
        self.progress
            .read
            .fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
