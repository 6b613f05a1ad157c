//! Captures of every kind as a source of events.
//!
//! In: files, directories or bytes, recognized by content and not by name. Out:
//! the events in the order of time, in bounded memory whatever the length of
//! the files. Captures that overlap in time are read concurrently.

pub(super) mod listing;
mod read_ahead;
pub(super) mod track;
pub(super) mod wrapping;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::read_ahead::ReadAhead;
use self::{
    listing::{Chain, Listed},
    track::Track,
    wrapping::unwrapped,
};
use super::{
    CaptureError, CaptureSource, Identities, Progress, Recorded, file::Input,
    foreign::connection::Connections, replay::Replay,
};
use crate::{
    event::{Event, Timestamp},
    loss::{Loss, Losses},
};

/// What [`read_bytes`] gives at most.
const MAX_EVENTS_IN_MEMORY: usize = 1 << 20;
/// What [`read_bytes`] decompresses at most, in bytes.
const MAX_BYTES_IN_MEMORY: u64 = 64 << 20;
/// Captures that are read concurrently; others wait until one of them ends.
const MAX_OPEN: usize = 64;

/// How captures are opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// What opens encrypted captures.
    pub identities: Identities,
    /// Where the progress of reading is published.
    pub progress: Arc<Progress>,
}

/// A capture that is being read.
struct Open<'a> {
    /// Its files that follow, the next one last.
    rest: Vec<Listed>,
    track: Track<'a>,
    /// Time of its next packet, never earlier than that of the previous one.
    time: Timestamp,
    /// Its rank among captures that have packets at the same time.
    rank: usize,
    replay: Replay,
}

/// Reads captures. Streams of foreign captures continue from one file to the
/// next.
struct Reader<'a> {
    /// Captures still to be opened, the next one last.
    waiting: Vec<Chain>,
    options: OpenOptions,
    open: Vec<Open<'a>>,
    /// The one that is read, until its time reaches `until`.
    current: usize,
    until: Timestamp,
    ranks: usize,
    connections: Connections,
    queue: VecDeque<Recorded>,
    /// Events that are on their way into the queue.
    events: VecDeque<Event>,
    /// What was lost while the files were listed.
    unlisted: Losses,
}

/// Opens the capture at `path`: a file, or a directory whose captures are read
/// in the order of time.
///
/// # Errors
/// [`CaptureError::Unrecognized`] if a file is no capture, or a directory has
/// none; [`CaptureError::Read`] if the operating system refuses;
/// [`CaptureError::Encrypted`] if it cannot be decrypted.
pub fn open(path: &Path) -> Result<Box<dyn CaptureSource>, CaptureError> {
    open_all(&[path.to_owned()])
}

/// Opens several captures as one, in the order of time.
///
/// # Errors
/// As [`open`].
pub fn open_all(paths: &[PathBuf]) -> Result<Box<dyn CaptureSource>, CaptureError> {
    open_all_with(paths, &OpenOptions::default())
}

/// Opens several captures as one: files, and directories with everything below
/// them. Their packets come in the order of time, whatever the order of
/// `paths`.
///
/// # Errors
/// As [`open`].
pub fn open_all_with(
    paths: &[PathBuf],
    options: &OpenOptions,
) -> Result<Box<dyn CaptureSource>, CaptureError> {
    let mut unlisted = Losses::default();
    let mut reader = Reader::new(listing::list(paths, options, &mut unlisted)?);
    reader.options = options.clone();
    reader.open_due(&mut unlisted)?;
    reader.unlisted = unlisted;
    Ok(Box::new(reader))
}

/// Reads any kind of capture from memory, up to limits on what is decompressed
/// and how much there is. Bytes that are no capture give nothing.
pub fn read_bytes(bytes: &[u8], losses: &mut Losses) -> Vec<Recorded> {
    let mut reader = Reader::new(Vec::new());
    let mut all = Vec::new();
    let input = Input::new(Box::new(bytes), PathBuf::from("memory"));
    let listed = Listed {
        path: PathBuf::from("memory"),
        name: Arc::from("memory"),
    };
    let begun = reader.begin(input, &listed, Vec::new(), MAX_BYTES_IN_MEMORY, losses);
    if !matches!(begun, Ok(true)) {
        return all;
    }
    while all.len() < MAX_EVENTS_IN_MEMORY {
        match reader.next(losses) {
            Ok(Some(recorded)) => all.push(recorded),
            Ok(None) => return all,
            // Memory has no errors of the operating system.
            Err(_) => break,
        }
    }
    losses.count(Loss::CaptureTruncated);
    all
}

impl<'a> Reader<'a> {
    fn new(waiting: Vec<Chain>) -> Self {
        Self {
            waiting,
            options: OpenOptions::default(),
            open: Vec::new(),
            current: 0,
            until: Timestamp(0),
            ranks: 0,
            connections: Connections::default(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            unlisted: Losses::default(),
        }
    }

    /// Opens the captures that begin before the next packet of those open.
    fn open_due(&mut self, losses: &mut Losses) -> Result<(), CaptureError> {
        while let Some(chain) = self.waiting.last() {
            let earliest = self.open.iter().map(|open| open.time).min();
            let is_due = earliest.is_none_or(|earliest| chain.begins <= earliest);
            if !is_due || self.open.len() >= MAX_OPEN {
                return Ok(());
            }
            if let Some(Chain { mut files, .. }) = self.waiting.pop()
                && let Some(first) = files.pop()
            {
                let input = listing::open_file(&first.path, &self.options, true)?;
                if !self.begin(input, &first, files, u64::MAX, losses)? {
                    return Err(CaptureError::Unrecognized { path: first.path });
                }
            }
        }
        Ok(())
    }

    /// Begins to read `input`. `false` if it is not a capture.
    fn begin(
        &mut self,
        input: Input<'a>,
        listed: &Listed,
        rest: Vec<Listed>,
        limit: u64,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        let (input, format) = unwrapped(input, &self.options.identities, limit)?;
        let Some(track) = Track::open(input, format, &listed.name, losses)? else {
            return Ok(false);
        };
        self.ranks += 1;
        let mut open = Open {
            rest,
            track,
            time: Timestamp(0),
            rank: self.ranks,
            replay: Replay::default(),
        };
        if Self::advance(&mut open, &self.options, &mut self.queue, losses)? {
            self.open.push(open);
        }
        self.until = Timestamp(0);
        Ok(true)
    }

    /// Goes to the next packet of a capture, in the next file if necessary.
    /// `false` at its end.
    fn advance(
        open: &mut Open<'a>,
        options: &OpenOptions,
        queue: &mut VecDeque<Recorded>,
        losses: &mut Losses,
    ) -> Result<bool, CaptureError> {
        loop {
            if open.track.advance(losses)? {
                open.time = open.time.max(open.track.time());
                return Ok(true);
            }
            open.replay.end(queue, losses);
            let Some(listed) = open.rest.pop() else {
                return Ok(false);
            };
            let input = listing::open_file(&listed.path, options, true)?;
            let (input, format) = unwrapped(input, &options.identities, u64::MAX)?;
            match Track::open(input, format, &listed.name, losses)? {
                Some(track) => open.track = track,
                // It was one when it was listed.
                None => losses.count(Loss::CaptureMalformed),
            }
        }
    }

    /// Takes in one packet. `false` when there is none.
    fn step(&mut self, losses: &mut Losses) -> Result<bool, CaptureError> {
        let is_next = |open: &Open<'_>| open.time < self.until;
        if !self.open.get(self.current).is_some_and(is_next) {
            self.open_due(losses)?;
            let order = |open: &Open<'_>| (open.time, open.rank);
            let next = self.open.iter().enumerate();
            let Some((current, _)) = next.min_by_key(|(_, open)| order(open)) else {
                return Ok(false);
            };
            self.current = current;
            let others = self.open.iter().enumerate();
            let others = others.filter(|(index, _)| *index != current);
            let others = others.map(|(_, open)| open.time);
            let waiting = self.waiting.last().map(|chain| chain.begins);
            let until = others.chain(waiting).min();
            self.until = until.unwrap_or(Timestamp(u64::MAX));
        }
        let Some(open) = self.open.get_mut(self.current) else {
            return Ok(false);
        };
        let Open { track, replay, .. } = open;
        let (connections, events) = (&mut self.connections, &mut self.events);
        track.take(replay, connections, events, &mut self.queue, losses);
        let result = Self::advance(open, &self.options, &mut self.queue, losses);
        if !matches!(result, Ok(true)) {
            // The next call continues with the other captures.
            self.open.swap_remove(self.current);
            self.until = Timestamp(0);
        }
        result.map(|_| true)
    }
}

impl CaptureSource for Reader<'_> {
    fn next(&mut self, losses: &mut Losses) -> Result<Option<Recorded>, CaptureError> {
        loop {
            if let Some(recorded) = self.queue.pop_front() {
                return Ok(Some(recorded));
            }
            if self.unlisted.total() > 0 {
                losses.merge(&std::mem::take(&mut self.unlisted));
            }
            if !self.step(losses)? {
                self.connections.finish(&mut self.events, losses);
                let events = self.events.drain(..).map(Recorded::Event);
                self.queue.extend(events);
                if self.queue.is_empty() {
                    return Ok(None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
