//! Packets out of a capture file of either container, and the bytes they come
//! from.
//!
//! Memory is bounded by one block. A broken block is stepped over where its
//! length is plausible; everything before a truncation is delivered.

use std::{
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
};

use super::CaptureError;
use crate::event::{Place, Timestamp};

/// The longest block or packet that is read, in bytes.
pub(super) const MAX_BLOCK: u32 = 4 << 20;

/// A length beyond this is no length but garbage; what follows cannot be found.
pub(super) const MAX_PLAUSIBLE: u32 = 1 << 30;

/// A packet of a capture file. It holds payload: no `Debug`.
pub(super) struct Packet<'a> {
    pub(super) file: &'a Arc<str>,
    /// From 1, as Wireshark counts.
    pub(super) number: u64,
    pub(super) time: Timestamp,
    /// Number of the `LINKTYPE_` registry.
    pub(super) link: u16,
    pub(super) data: &'a [u8],
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
}

impl<'a> Input<'a> {
    /// Reads `reader`; `path` is for error messages.
    pub(super) fn new(reader: Box<dyn Read + Send + 'a>, path: PathBuf) -> Self {
        Self { reader, path }
    }

    /// The same input behind `wrap`, such as a decompressor.
    pub(super) fn wrapped(
        self,
        wrap: impl FnOnce(Box<dyn Read + Send + 'a>) -> io::Result<Box<dyn Read + Send + 'a>>,
    ) -> Result<Self, CaptureError> {
        let path = self.path;
        match wrap(self.reader) {
            Ok(reader) => Ok(Self { reader, path }),
            Err(source) => Err(CaptureError::Read { path, source }),
        }
    }

    /// The same input with `head` in front of it again.
    pub(super) fn preceded_by(self, head: Vec<u8>) -> Self {
        let reader = Box::new(io::Cursor::new(head).chain(self.reader));
        Self {
            reader,
            path: self.path,
        }
    }

    /// The same input without what comes after `limit` bytes.
    pub(super) fn limited_to(self, limit: u64) -> Self {
        Self {
            reader: Box::new(self.reader.take(limit)),
            path: self.path,
        }
    }

    /// Replaces the content of `buffer` by the next `length` bytes, or by what
    /// there is before the end. Whether all were there.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>, length: u64) -> Result<bool, CaptureError> {
        buffer.clear();
        self.append(buffer, length)
    }

    /// Like [`Input::fill`], keeping what is in `buffer`.
    pub(super) fn append(
        &mut self,
        buffer: &mut Vec<u8>,
        length: u64,
    ) -> Result<bool, CaptureError> {
        let before = buffer.len() as u64;
        let result = (&mut self.reader).take(length).read_to_end(buffer);
        self.complete(result.map(|_| ()))?;
        Ok(buffer.len() as u64 - before == length)
    }

    /// Steps over `length` bytes. Whether all were there.
    pub(super) fn skip(&mut self, length: u64) -> Result<bool, CaptureError> {
        match io::copy(&mut (&mut self.reader).take(length), &mut io::sink()) {
            Ok(skipped) => Ok(skipped == length),
            Err(error) => self.complete(Err(error)).map(|()| false),
        }
    }

    /// An error of the operating system is one; an error of a decompressor means
    /// that the file is cut or broken here, which is the end of the input.
    fn complete(&self, result: io::Result<()>) -> Result<(), CaptureError> {
        match result {
            Err(source) if source.raw_os_error().is_some() => Err(CaptureError::Read {
                path: self.path.clone(),
                source,
            }),
            _ => Ok(()),
        }
    }
}
