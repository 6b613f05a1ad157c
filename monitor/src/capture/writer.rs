//! Capture files on disk: segments that rotate by size and survive a kill.
//!
//! In: every event before the core gets it. Out: `phiwatch-…-NNNN.pcapng` files
//! that only their owner can read, and the event's place in them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{CaptureError, note::Provenance, record::Encoder};
use crate::{
    event::{Event, EventKind, Place, Timestamp},
    loss::Losses,
};

/// The size at which a segment ends unless told otherwise, in bytes.
pub const DEFAULT_SEGMENT_BYTES: u64 = 256 << 20;

/// Attempts to find a file name that is not taken.
const MAX_NAME_ATTEMPTS: u32 = 10_000;

/// How a capture is written.
#[derive(Clone, Debug)]
pub struct CaptureOptions {
    /// A segment that has reached this many bytes is followed by a new one.
    pub max_bytes: u64,
    /// What goes into every section header.
    pub provenance: Provenance,
    /// When the capture begins; it names the first segment.
    pub started: Timestamp,
}

/// Writes events to capture files.
pub struct CaptureWriter {
    directory: PathBuf,
    max_bytes: u64,
    encoder: Encoder,
    segment: Segment,
    /// Number in the name of the current segment.
    number: u32,
    /// Time in the name of the current segment; names never go back in time, so
    /// that their order is the order of the events.
    named: Timestamp,
    drops: Losses,
    /// The last write failed, maybe midway: nothing more goes into that file.
    is_broken: bool,
    /// Every segment so far, in order.
    paths: Vec<PathBuf>,
    buffer: Vec<u8>,
}

struct Segment {
    file: BufWriter<File>,
    path: PathBuf,
    name: Arc<str>,
    bytes: u64,
}

impl CaptureWriter {
    /// Begins a capture in `directory`, which is made (mode 0700) if it does not
    /// exist.
    pub fn create(directory: &Path, options: CaptureOptions) -> Result<Self, CaptureError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| CaptureError::Write {
                path: directory.to_owned(),
                source,
            })?;
        let mut encoder = Encoder::new(options.provenance);
        let mut number = 0;
        let segment = begin_segment(directory, options.started, &mut number, &mut encoder)?;
        Ok(Self {
            directory: directory.to_owned(),
            max_bytes: options.max_bytes,
            encoder,
            paths: vec![segment.path.clone()],
            segment,
            number,
            named: options.started,
            drops: Losses::default(),
            is_broken: false,
            buffer: Vec::new(),
        })
    }

    /// Records `event` and sets its place, if it is data or a server name. After
    /// an error the event is not (wholly) recorded, its place is not set, and
    /// the next event goes to a new segment; the caller counts the loss.
    pub fn write(&mut self, event: &mut Event) -> Result<(), CaptureError> {
        if self.is_broken || self.segment.bytes >= self.max_bytes {
            self.rotate(event.time)?;
        }
        self.buffer.clear();
        let number = self.encoder.event(event, &mut self.buffer);
        self.append()?;
        event.place = match (&event.kind, number) {
            (EventKind::Data(_) | EventKind::Named(_) | EventKind::Message(_), Some(packet)) => {
                Some(Place {
                    file: Arc::clone(&self.segment.name),
                    packet,
                })
            }
            _ => None,
        };
        Ok(())
    }

    /// Tells the writer what has been lost since the capture began; the counts
    /// go into the statistics that end a segment.
    pub fn set_drops(&mut self, drops: &Losses) {
        self.drops.clone_from(drops);
    }

    /// Ends the current segment and begins the next, named after `now`.
    pub fn rotate(&mut self, now: Timestamp) -> Result<(), CaptureError> {
        if !self.is_broken {
            self.end_segment()?;
        }
        let now = now.max(self.named);
        self.number = (self.number + 1) % MAX_NAME_ATTEMPTS;
        let segment = begin_segment(&self.directory, now, &mut self.number, &mut self.encoder)?;
        self.paths.push(segment.path.clone());
        let previous = std::mem::replace(&mut self.segment, segment);
        if self.is_broken {
            // What its buffer holds may end in a part of a block, and writing
            // it has failed before: it is dropped unwritten.
            drop(previous.file.into_parts());
        }
        self.named = now;
        self.is_broken = false;
        Ok(())
    }

    /// Hands everything written so far to the operating system.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        let result = self.segment.file.flush();
        self.checked(result)
    }

    /// Makes everything written so far survive a power failure.
    pub fn sync(&mut self) -> Result<(), CaptureError> {
        self.flush()?;
        let result = self.segment.file.get_ref().sync_data();
        self.checked(result)
    }

    /// Ends the capture and gives the paths of its segments, in order.
    pub fn close(mut self) -> Result<Vec<PathBuf>, CaptureError> {
        if !self.is_broken {
            self.end_segment()?;
        }
        Ok(self.paths)
    }

    /// The segments so far, in order. The last is being written.
    pub fn segments(&self) -> &[PathBuf] {
        &self.paths
    }

    fn end_segment(&mut self) -> Result<(), CaptureError> {
        self.buffer.clear();
        self.encoder.end_segment(&self.drops, &mut self.buffer);
        self.append()?;
        self.sync()
    }

    fn append(&mut self) -> Result<(), CaptureError> {
        let result = self.segment.file.write_all(&self.buffer);
        self.segment.bytes = self.segment.bytes.saturating_add(self.buffer.len() as u64);
        self.checked(result)
    }

    fn checked(&mut self, result: io::Result<()>) -> Result<(), CaptureError> {
        result.map_err(|source| {
            self.is_broken = true;
            CaptureError::Write {
                path: self.segment.path.clone(),
                source,
            }
        })
    }
}

/// Creates the file of the next segment, with the first free number from
/// `number` on in its name, and writes its header.
fn begin_segment(
    directory: &Path,
    time: Timestamp,
    number: &mut u32,
    encoder: &mut Encoder,
) -> Result<Segment, CaptureError> {
    let mut attempts = 0;
    let (path, name, file) = loop {
        let name = segment_name(time, *number);
        let path = directory.join(&name);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => break (path, name, file),
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && attempts < MAX_NAME_ATTEMPTS =>
            {
                attempts += 1;
                *number = (*number + 1) % MAX_NAME_ATTEMPTS;
            }
            Err(source) => return Err(CaptureError::Write { path, source }),
        }
    };
    let mut header = Vec::new();
    encoder.begin_segment(&mut header);
    let mut file = BufWriter::new(file);
    // The header is on disk at once, so that a file is a capture from its birth,
    // and so is the name in the directory.
    file.write_all(&header)
        .and_then(|()| file.flush())
        .and_then(|()| fs::File::open(directory)?.sync_all())
        .map_err(|source| CaptureError::Write {
            path: path.clone(),
            source,
        })?;
    Ok(Segment {
        file,
        path,
        name: name.into(),
        bytes: header.len() as u64,
    })
}

/// `phiwatch-YYYYMMDDTHHMMSSZ-NNNN.pcapng`.
fn segment_name(time: Timestamp, number: u32) -> String {
    let compact: String = time
        .to_string()
        .chars()
        .take_while(|character| *character != '.')
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    format!("phiwatch-{compact}Z-{number:04}.pcapng")
}

#[cfg(test)]
mod tests;
