//! Packets of a capture file of either container, and the bytes they come from.
//!
//! Memory is bounded by one block. A broken block is skipped if its length is
//! plausible; everything before a truncation is delivered.

mod identity;
mod progress;

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) use self::progress::Counted;
pub use self::{identity::Identities, progress::Progress};
use super::CaptureError;
use crate::event::{Place, Timestamp};

/// The longest block or packet that is read, in bytes.
pub(super) const MAX_BLOCK: u32 = 4 << 20;

/// A greater length is garbage, and what follows cannot be found.
pub(crate) const MAX_PLAUSIBLE: u32 = 1 << 30;

/// What is read from the operating system at once, in bytes.
const CHUNK: usize = 128 << 10;

/// A packet of a capture file. It holds payload: no `Debug`.
pub(super) struct Packet<'a> {
    pub(super) file: &'a Arc<str>,
    /// From 1, as Wireshark counts.
    pub(super) number: u64,
    pub(super) time: Timestamp,
    /// Number of the `LINKTYPE_` registry.
    pub(super) link: u16,
    pub(super) data: &'a [u8],
    /// Bytes that the packet had and the capture does not.
    pub(super) cut: u32,
    pub(super) comment: Option<&'a str>,
    /// The section says that phiwatch wrote it.
    pub(super) is_ours: bool,
}

impl Packet<'_> {
    pub(super) fn place(&self) -> Place {
        Place {
            file: Arc::clone(self.file),
            packet: self.number,
        }
    }
}

/// A file, or bytes in memory, that is read from front to end.
pub(super) struct Input<'a> {
    reader: Box<dyn Read + Send + 'a>,
    path: PathBuf,
    buffer: Vec<u8>,
    /// What is still to be taken of the buffer.
    start: usize,
    end: usize,
    is_at_end: bool,
    is_broken: bool,
}

impl<'a> Input<'a> {
    /// Reads `reader`; `path` is for error messages.
    pub(super) fn new(reader: Box<dyn Read + Send + 'a>, path: PathBuf) -> Self {
        Self {
            reader,
            path,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            is_at_end: false,
            is_broken: false,
        }
    }

    /// For error messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The same input, cut after `limit` bytes.
    pub(super) fn limited_to(self, limit: u64) -> Self {
        let path = self.path.clone();
        Self::new(Box::new(self.take(limit)), path)
    }

    /// Whether the input ended because the wrapping around it is cut or broken.
    pub(super) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The next `length` bytes, or as many as there are before the end, without
    /// consuming them.
    pub(super) fn peek(&mut self, length: usize) -> Result<&[u8], CaptureError> {
        if self.end - self.start < length && !self.is_at_end {
            self.refill(length)?;
        }
        Ok(self.ready(length))
    }

    /// Like [`Input::peek`], without reading more.
    pub(super) fn ready(&self, length: usize) -> &[u8] {
        let end = self.start.saturating_add(length).min(self.end);
        self.buffer.get(self.start..end).unwrap_or_default()
    }

    /// Steps over `length` bytes that were peeked at.
    pub(super) fn consume(&mut self, length: usize) {
        self.start = self.start.saturating_add(length).min(self.end);
    }

    /// Steps over `length` bytes. Whether all were there.
    pub(super) fn skip(&mut self, mut length: u64) -> Result<bool, CaptureError> {
        while length > 0 {
            let step = self.peek(usize::try_from(length).unwrap_or(CHUNK).min(CHUNK))?;
            let step = step.len();
            if step == 0 {
                return Ok(false);
            }
            self.consume(step);
            length -= step as u64;
        }
        Ok(true)
    }

    fn refill(&mut self, length: usize) -> Result<(), CaptureError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let room = length.max(CHUNK);
        self.buffer.resize(room.max(self.end), 0);
        if self.buffer.capacity() > 2 * room {
            self.buffer.shrink_to(room);
        }
        while self.end < length && !self.is_at_end {
            let Some(free) = self.buffer.get_mut(self.end..) else {
                return Ok(());
            };
            match self.reader.read(free) {
                Ok(0) => self.is_at_end = true,
                Ok(more) => self.end += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) if source.raw_os_error().is_some() => {
                    return Err(CaptureError::Read {
                        path: self.path.clone(),
                        source,
                    });
                }
                // An error of a decompressor means that the file is cut or
                // broken here, which ends the input.
                Err(_) => (self.is_at_end, self.is_broken) = (true, true),
            }
        }
        Ok(())
    }
}

/// What was peeked at comes first.
impl Read for Input<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.ready(out.len());
        if ready.is_empty() {
            return self.reader.read(out);
        }
        let length = ready.len();
        if let Some(out) = out.get_mut(..length) {
            out.copy_from_slice(ready);
        }
        self.consume(length);
        Ok(length)
    }
}
