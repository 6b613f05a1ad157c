//! One segment file while it is written.
//!
//! In: whole blocks. Out: a file that ends after a whole block whenever a write
//! has returned, also when the disk is full: what could not be written
//! completely is taken back and stays in memory until there is space.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use sha2::{Digest as _, Sha256};

use super::{
    disk::{Disk, fresh, is_unsupported},
    envelope::{AgeRecipients, CHUNK, Envelope},
    error::StoreError,
    name::draft_name,
};
use crate::{
    capture::pcapng::write::{Block, OPTION_COMMENT},
    record::SegmentSummary,
};

/// Blocks are written when this many bytes wait.
const WRITE_AT: usize = 64 * 1024;
/// The name resolution block, which may be empty and is skipped by readers.
const NAME_RESOLUTION: u32 = 4;

/// A segment file that is being written.
pub(super) struct Segment {
    /// Its name, for the places of events.
    pub(super) name: Arc<str>,
    /// Where it is.
    pub(super) path: PathBuf,
    /// When the first event came, in the monotonic clock.
    pub(super) began: Option<Duration>,
    /// Since when blocks that are not on disk have been waiting, in the
    /// monotonic clock.
    pub(super) waiting: Option<Duration>,
    /// The file may no longer end after a whole block, or may have lost what
    /// was written, so nothing more is written to it.
    pub(super) is_broken: bool,
    /// Its last block has been taken in.
    pub(super) is_ended: bool,
    file: File,
    envelope: Option<Envelope>,
    /// Bytes of the file that are not yet written: whole blocks, or whole chunks
    /// of an encrypted file.
    buffer: Vec<u8>,
    written: u64,
    is_synced: bool,
    /// What it holds, once it has ended.
    pub(super) summary: SegmentSummary,
    hash: Sha256,
    /// Bytes of blocks that were put in.
    plain: u64,
    /// The bytes put in when the buffer was last empty.
    plain_written: u64,
    /// For each event that is not written: the bytes of blocks up to its end.
    events: VecDeque<u64>,
}

impl Segment {
    /// Creates the draft of the segment `name` and writes `header` to it at
    /// once, so that the file is a capture from the beginning.
    pub(super) fn draft(
        directory: &Path,
        name: &str,
        header: &[u8],
        recipients: &AgeRecipients,
        disk: &dyn Disk,
    ) -> Result<Self, StoreError> {
        let path = directory.join(name);
        let draft = directory.join(draft_name(name));
        let mut buffer = Vec::new();
        let envelope = if recipients.is_empty() {
            None
        } else {
            Some(Envelope::begin(recipients, &mut buffer)?)
        };
        let file = fresh(&draft).map_err(|source| StoreError::Write {
            path: draft.clone(),
            source,
        })?;
        let mut segment = Self {
            name: name.into(),
            path: path.clone(),
            began: None,
            waiting: None,
            is_broken: false,
            is_ended: false,
            file,
            envelope,
            buffer,
            written: 0,
            is_synced: false,
            summary: SegmentSummary::default(),
            hash: Sha256::new(),
            plain: 0,
            plain_written: 0,
            events: VecDeque::new(),
        };
        let begun = segment.put(header, disk).and_then(|()| segment.sync(disk));
        if let Err(error) = begun {
            drop(fs::remove_file(&draft));
            return Err(error);
        }
        Ok(segment)
    }

    /// Puts the draft in its place.
    pub(super) fn publish(&self, directory: &Path) -> Result<(), StoreError> {
        let draft = directory.join(draft_name(&self.name));
        let moved = renameat_with(CWD, &draft, CWD, &self.path, RenameFlags::NOREPLACE);
        let moved = match moved.map_err(io::Error::from) {
            // A file system that cannot guarantee it. Nobody else writes here.
            Err(error) if is_unsupported(&error) && !self.path.exists() => {
                fs::rename(&draft, &self.path)
            }
            moved => moved,
        };
        moved.map_err(|source| self.refused(source))
    }

    /// Removes the draft again.
    pub(super) fn discard(self, directory: &Path) {
        drop(fs::remove_file(directory.join(draft_name(&self.name))));
    }

    /// Takes in whole blocks.
    pub(super) fn put(&mut self, blocks: &[u8], disk: &dyn Disk) -> Result<(), StoreError> {
        match &mut self.envelope {
            Some(envelope) => envelope.put(blocks, &mut self.buffer)?,
            None => self.buffer.extend_from_slice(blocks),
        }
        self.plain += blocks.len() as u64;
        self.waiting = self.waiting.or_else(|| Some(disk.uptime()));
        Ok(())
    }

    /// Takes in the blocks of an event.
    pub(super) fn put_event(&mut self, blocks: &[u8], disk: &dyn Disk) -> Result<(), StoreError> {
        self.put(blocks, disk)?;
        self.began = self.began.or_else(|| Some(disk.uptime()));
        self.events.push_back(self.plain);
        Ok(())
    }

    /// Takes in the blocks that end the segment.
    pub(super) fn end(
        &mut self,
        blocks: &[u8],
        summary: SegmentSummary,
        disk: &dyn Disk,
    ) -> Result<(), StoreError> {
        self.put(blocks, disk)?;
        self.is_ended = true;
        self.summary = summary;
        if let Some(envelope) = self.envelope.take() {
            envelope.finish(&mut self.buffer)?;
        }
        Ok(())
    }

    /// Length of the file when everything is written, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let pending = self.envelope.as_ref().map_or(0, Envelope::pending);
        self.written + self.buffer.len() as u64 + pending
    }

    /// Bytes that wait to be written.
    pub(super) fn unwritten(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Whether enough waits to be written now.
    pub(super) fn is_due(&self) -> bool {
        self.buffer.len() >= WRITE_AT
    }

    /// Events that are not written.
    pub(super) fn unwritten_events(&self) -> u64 {
        self.events.len() as u64
    }

    /// Hands the buffer to the operating system, except for the incomplete
    /// chunk of an encrypted segment. After an error the file is as it was
    /// before.
    pub(super) fn flush(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        if self.is_broken {
            return Err(StoreError::Waiting);
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(source) = disk.write_all(&self.file, &self.buffer, self.written) {
            // A part of a block may have been written.
            self.is_broken = self.file.set_len(self.written).is_err();
            return Err(self.refused(source));
        }
        self.hash.update(&self.buffer);
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.is_synced = false;
        self.plain_written = match &self.envelope {
            Some(envelope) => self.plain - envelope.pending(),
            None => self.plain,
        };
        while self
            .events
            .pop_front_if(|end| *end <= self.plain_written)
            .is_some()
        {}
        Ok(())
    }

    /// Makes what can be written survive a power failure.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        self.flush(disk)?;
        if !self.is_synced {
            if let Err(source) = disk.sync(&self.file) {
                // Written data may be lost, and a second sync would not report
                // it.
                self.is_broken = true;
                return Err(self.refused(source));
            }
            self.is_synced = true;
        }
        if self.plain_written == self.plain {
            self.waiting = None;
        }
        Ok(())
    }

    /// Makes everything put in so far durable. An incomplete chunk of an
    /// encrypted segment is padded with an empty block.
    pub(super) fn settle(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        if let (Some(envelope), Some(_)) = (&self.envelope, self.waiting) {
            let padding = padding((CHUNK - envelope.pending()) as usize);
            self.put(&padding, disk)?;
            self.sync(disk)?;
            // Only the end of the padding waits.
            self.waiting = None;
            return Ok(());
        }
        self.sync(disk)
    }

    /// SHA-256 of what is written, in hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        base16ct::lower::encode_string(&self.hash.clone().finalize())
    }

    fn refused(&self, source: io::Error) -> StoreError {
        StoreError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

/// A block without content that ends after `room` bytes.
fn padding(room: usize) -> Vec<u8> {
    let mut block = Vec::new();
    // What a block takes besides its text, minus what may go beyond `room`.
    let text = room.saturating_sub(20);
    Block::begin(&mut block, NAME_RESOLUTION)
        // The end of the list of names.
        .u32(0)
        .option(OPTION_COMMENT, &vec![b' '; text])
        .finish();
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{disk::System, structure};

    #[test]
    fn padding_is_a_block_that_goes_a_little_beyond_the_room() {
        for room in (0..100).chain(65_400..=CHUNK as usize) {
            let block = padding(room);
            assert!(block.len() > room && block.len() <= room + 32, "{room}");
            let mut file = Vec::new();
            Block::begin(&mut file, 0x0A0D_0D0A)
                .u32(0x1A2B_3C4D)
                .u32(1)
                .u32(u32::MAX)
                .u32(u32::MAX)
                .finish();
            file.extend(block);
            let found = structure::pcapng(file.as_slice()).unwrap();
            assert_eq!((found.fault, found.whole), (None, file.len() as u64));
        }
    }

    #[test]
    fn the_hash_is_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let recipients = AgeRecipients::default();
        let mut segment =
            Segment::draft(folder.path(), "a", b"head", &recipients, &System).unwrap();
        segment.publish(folder.path()).unwrap();
        segment.put_event(b"event", &System).unwrap();
        assert_eq!((segment.unwritten_events(), segment.bytes()), (1, 9));
        segment.sync(&System).unwrap();
        assert_eq!((segment.unwritten_events(), segment.waiting), (0, None));
        let bytes = fs::read(&segment.path).unwrap();
        assert_eq!(bytes, b"headevent");
        assert_eq!(segment.sha256(), crate::store::digest::sha256(&bytes));
    }

    #[test]
    fn a_segment_never_takes_the_place_of_another_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), b"of others").unwrap();
        let recipients = AgeRecipients::default();
        let segment = Segment::draft(folder.path(), "a", b"head", &recipients, &System).unwrap();
        assert!(segment.publish(folder.path()).is_err());
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"of others");
    }
}
