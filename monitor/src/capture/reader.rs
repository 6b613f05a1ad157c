//! Captures of every kind as a source of events.
//!
//! In: files, directories or bytes, told apart by content and not by name. Out:
//! the events in the order of the capture, in bounded memory (an HTTP archive
//! excepted, which is held whole up to its limit).

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    CaptureError, EventSource,
    connection::Connections,
    har::{self, MAX_ARCHIVE},
    input::Input,
    pcap::Records,
    pcapng::read::Blocks,
    replay::Replay,
};
use crate::{
    event::Event,
    loss::{Loss, Losses},
};

/// What [`read_bytes`] gives at most.
const MAX_EVENTS_IN_MEMORY: usize = 1 << 20;
/// What [`read_bytes`] decompresses at most, in bytes.
const MAX_BYTES_IN_MEMORY: u64 = 64 << 20;
/// Enough of a file to tell what it is: a JSON text may begin with white space.
const MAGIC_BYTES: u64 = 256;

/// What a file is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Pcap,
    Pcapng,
    Json,
    Zstd,
    Unknown,
}

impl Format {
    fn of(head: &[u8]) -> Self {
        let text = head
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(head)
            .trim_ascii_start();
        match head.first_chunk() {
            Some([0x0a, 0x0d, 0x0d, 0x0a]) => Self::Pcapng,
            Some(
                [0xd4, 0xc3, 0xb2, 0xa1]
                | [0xa1, 0xb2, 0xc3, 0xd4]
                | [0x4d, 0x3c, 0xb2, 0xa1]
                | [0xa1, 0xb2, 0x3c, 0x4d]
                | [0x34, 0xcd, 0xb2, 0xa1],
            ) => Self::Pcap,
            // A frame, or a frame to skip that may come before it.
            Some([0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]) => Self::Zstd,
            _ if text.starts_with(b"{") => Self::Json,
            _ => Self::Unknown,
        }
    }
}

/// A file that is being read.
enum Reading<'a> {
    Pcap(Records<'a>),
    Pcapng(Blocks<'a>),
    /// Everything is in the queue.
    Queued,
}

/// Reads captures one after the other. Streams continue from one to the next.
struct Reader<'a> {
    /// Files still to be opened, the next one last.
    rest: Vec<Listed>,
    reading: Option<Reading<'a>>,
    replay: Replay,
    connections: Connections,
    queue: VecDeque<Event>,
    /// More bytes than this are not taken out of a compressed file.
    max_decompressed: u64,
}

struct Listed {
    path: PathBuf,
    /// Found in a directory, where other files may lie too.
    is_found: bool,
}

/// Opens the capture at `path`: a file, or a directory whose captures are read
/// in the order of their names.
///
/// # Errors
/// [`CaptureError::Unrecognized`] if a file is no capture, or a directory has
/// none; [`CaptureError::Read`] if the operating system refuses.
pub fn open(path: &Path) -> Result<Box<dyn EventSource>, CaptureError> {
    open_all(&[path.to_owned()])
}

/// Opens several captures as one: the segments of a capture, or captures that
/// were taken one after the other. They are read in the order given.
///
/// # Errors
/// As [`open`]. Only the first file is opened at once: the others can fail while
/// events are taken.
pub fn open_all(paths: &[PathBuf]) -> Result<Box<dyn EventSource>, CaptureError> {
    let mut files = Vec::new();
    for path in paths {
        let refused = |source| CaptureError::Read {
            path: path.clone(),
            source,
        };
        if !fs::metadata(path).map_err(refused)?.is_dir() {
            files.push(Listed {
                path: path.clone(),
                is_found: false,
            });
            continue;
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(path).map_err(refused)? {
            let entry = entry.map_err(refused)?.path();
            if entry.is_file() && format_of(&entry)? != Format::Unknown {
                found.push(entry);
            } else if entry.is_file() && has_capture_name(&entry) {
                // Named like a capture and is none: the reader counts it.
                found.push(entry);
            }
        }
        if found.is_empty() {
            return Err(CaptureError::Unrecognized { path: path.clone() });
        }
        found.sort();
        files.extend(found.into_iter().map(|path| Listed {
            path,
            is_found: true,
        }));
    }
    files.reverse();
    let mut reader = Reader::new(files);
    reader.open_next(&mut Losses::default())?;
    Ok(Box::new(reader))
}

/// Reads any kind of capture from memory, up to limits on what is decompressed
/// and how many events there are. Bytes that are no capture give nothing.
pub fn read_bytes(bytes: &[u8], losses: &mut Losses) -> Vec<Event> {
    let mut reader = Reader::new(Vec::new());
    reader.max_decompressed = MAX_BYTES_IN_MEMORY;
    let input: Box<dyn Read + Send + '_> = Box::new(bytes);
    let mut events = Vec::new();
    let name = Arc::from("memory");
    let path = PathBuf::from("memory");
    let head = bytes
        .get(..bytes.len().min(MAGIC_BYTES as usize))
        .unwrap_or_default();
    let opened = reader.begin(Input::new(input, path), Format::of(head), &name, losses);
    if !matches!(opened, Ok(true)) {
        return events;
    }
    while events.len() < MAX_EVENTS_IN_MEMORY {
        match reader.next(losses) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return events,
            // Memory has no errors of the operating system.
            Err(_) => break,
        }
    }
    losses.count(Loss::CaptureTruncated);
    events
}

fn format_of(path: &Path) -> Result<Format, CaptureError> {
    let refused = |source| CaptureError::Read {
        path: path.to_owned(),
        source,
    };
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAGIC_BYTES).read_to_end(&mut head))
        .map_err(refused)?;
    Ok(Format::of(&head))
}

fn has_capture_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["pcap", "pcapng", "cap", "har", "zst"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

impl<'a> Reader<'a> {
    fn new(rest: Vec<Listed>) -> Self {
        Self {
            rest,
            reading: None,
            replay: Replay::default(),
            connections: Connections::default(),
            queue: VecDeque::new(),
            max_decompressed: u64::MAX,
        }
    }

    /// Begins the next file that is a capture. `false` if there is none.
    fn open_next(&mut self, losses: &mut Losses) -> Result<bool, CaptureError> {
        while let Some(Listed { path, is_found }) = self.rest.pop() {
            let name: Arc<str> = path
                .file_name()
                .map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy())
                .into();
            let format = format_of(&path)?;
            let file = File::open(&path).map_err(|source| CaptureError::Read {
                path: path.clone(),
                source,
            })?;
            let input = Input::new(Box::new(BufReader::new(file)), path.clone());
            if self.begin(input, format, &name, losses)? {
                return Ok(true);
            }
            if !is_found {
                return Err(CaptureError::Unrecognized { path });
            }
            // Another JSON file beside the captures is none of our business.
            if has_capture_name(&path) {
                losses.count(Loss::CaptureMalformed);
            }
        }
        Ok(false)
    }

    /// Begins to read `input`, of which `format` is known. `false` if it is no
    /// capture.
    fn begin(
        &mut self,
        mut input: Input<'a>,
        mut format: Format,
        name: &Arc<str>,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        if format == Format::Zstd {
            let mut plain = input.wrapped(|reader| {
                let decoder = zstd::stream::read::Decoder::new(reader)?;
                Ok(Box::new(decoder))
            })?;
            // The beginning is read to tell the format, and put back in front.
            let mut head = Vec::new();
            plain.fill(&mut head, MAGIC_BYTES)?;
            format = Format::of(&head);
            input = plain.preceded_by(head).limited_to(self.max_decompressed);
        }
        let reading = match format {
            Format::Pcapng => Reading::Pcapng(Blocks::new(input, Arc::clone(name))),
            Format::Pcap => {
                let records = Records::new(input, Arc::clone(name))?;
                if records.is_none() {
                    losses.count(Loss::CaptureTruncated);
                }
                records.map_or(Reading::Queued, Reading::Pcap)
            }
            Format::Json => {
                let mut text = Vec::new();
                let is_longer = input.fill(&mut text, MAX_ARCHIVE)? && input.skip(1)?;
                if is_longer {
                    losses.count(Loss::CaptureTruncated);
                }
                let connections = &mut self.connections;
                let mut next_handle = || connections.next_handle();
                if !har::read(&text, name, &mut next_handle, &mut self.queue, losses) {
                    return Ok(false);
                }
                Reading::Queued
            }
            Format::Zstd | Format::Unknown => return Ok(false),
        };
        self.reading = Some(reading);
        Ok(true)
    }

    /// Takes in one packet. `false` at the end of the file.
    fn step(&mut self, losses: &mut Losses) -> Result<bool, CaptureError> {
        let Self {
            reading,
            replay,
            connections,
            queue,
            ..
        } = self;
        match reading {
            Some(Reading::Pcapng(blocks)) => {
                if !blocks.advance(losses)? {
                    return Ok(false);
                }
                blocks.packet(losses, |packet, losses| {
                    if packet.is_ours {
                        replay.push(packet, queue, losses);
                    } else {
                        connections.push(packet, queue, losses);
                    }
                });
                Ok(true)
            }
            Some(Reading::Pcap(records)) => {
                if !records.advance(losses)? {
                    return Ok(false);
                }
                connections.push(&records.packet(), queue, losses);
                Ok(true)
            }
            Some(Reading::Queued) | None => Ok(false),
        }
    }
}

impl EventSource for Reader<'_> {
    fn next(&mut self, losses: &mut Losses) -> Result<Option<Event>, CaptureError> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Ok(Some(event));
            }
            if self.reading.is_some() {
                if !self.step(losses)? {
                    self.reading = None;
                    self.replay.end(&mut self.queue, losses);
                }
            } else if !self.open_next(losses)? {
                self.connections.finish(&mut self.queue);
                if self.queue.is_empty() {
                    return Ok(None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
