//! The journal of findings: JSON Lines that survive a crash.
//!
//! Input: batches of [`Finding`]s. Output: one JSON object a line in a file
//! that is synced after every batch and rotated by size, or on standard output.
//! What could not be written waits, bounded, for the next batch.

mod file;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use self::file::JournalFile;
use crate::{
    config::{JournalSection, JournalTarget},
    finding::Finding,
    loss::{Loss, Losses},
};

/// Findings that wait for a journal that cannot be written.
const MAX_PENDING: usize = 10_000;

/// Recipients whose rate is remembered; catalog ids, so never many.
const MAX_RECIPIENTS: usize = 1_024;

/// Length of `2026-11-24T02:41:03`, the second that a finding belongs to.
const SECOND_LENGTH: usize = 19;

/// Why the journal could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {attempt} {}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something other than a file is in its place.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// In the journal's place.
        path: PathBuf,
    },
    /// Two writers would rotate each other's files away.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// Standard output refused.
    #[error("cannot write findings to standard output")]
    Stdout(#[source] io::Error),
    /// A finding has no JSON form.
    #[error("cannot serialize a finding")]
    Serialize(#[source] serde_json::Error),
}

/// Where the lines go.
enum Sink {
    File(JournalFile),
    Stream {
        writer: Box<dyn Write + Send>,
        /// Whether the last write may have ended inside a line.
        torn: bool,
    },
}

/// How many findings of one recipient the current second has brought.
struct Rate {
    second: String,
    count: u64,
}

/// Writes findings. Use from one thread.
pub struct Journal {
    sink: Sink,
    pending: VecDeque<Vec<u8>>,
    rates: HashMap<Arc<str>, Rate>,
    findings_per_second: u64,
    losses: Losses,
}

impl Journal {
    /// Opens the journal that `settings` names, and creates it and its folder
    /// where they are missing.
    pub fn open(settings: &JournalSection) -> Result<Self, JournalError> {
        let sink = match &settings.file {
            JournalTarget::Stdout => Sink::Stream {
                writer: Box::new(io::stdout()),
                torn: false,
            },
            JournalTarget::File(path) => {
                Sink::File(JournalFile::open(path, settings.max_bytes, settings.keep)?)
            }
        };
        Ok(Self::with_sink(sink, settings.findings_per_second))
    }

    /// A journal that goes to `writer`, at most `findings_per_second` for each
    /// recipient.
    pub fn to_writer(writer: impl Write + Send + 'static, findings_per_second: u64) -> Self {
        let sink = Sink::Stream {
            writer: Box::new(writer),
            torn: false,
        };
        Self::with_sink(sink, findings_per_second)
    }

    fn with_sink(sink: Sink, findings_per_second: u64) -> Self {
        Self {
            sink,
            pending: VecDeque::new(),
            rates: HashMap::new(),
            findings_per_second,
            losses: Losses::default(),
        }
    }

    /// Writes `findings` and whatever waited, and syncs the file. After an error
    /// everything that is not safely written waits for the next call, which may
    /// bring no findings of its own. An error counts as
    /// [`Loss::AlertJournalWrite`], and so does each finding that finds the
    /// waiting room full.
    pub fn write_batch(&mut self, findings: &[Finding]) -> Result<(), JournalError> {
        let mut unserialized = None;
        for finding in findings {
            if !self.within_rate(finding) {
                self.losses.count(Loss::AlertRateLimit);
                continue;
            }
            match serde_json::to_vec(finding) {
                Ok(mut line) if self.pending.len() < MAX_PENDING => {
                    line.push(b'\n');
                    self.pending.push_back(line);
                }
                Ok(_) => self.losses.count(Loss::AlertJournalWrite),
                Err(error) => {
                    self.losses.count(Loss::AlertJournalWrite);
                    unserialized = Some(error);
                }
            }
        }
        self.flush()?;
        unserialized.map_or(Ok(()), |error| Err(JournalError::Serialize(error)))
    }

    /// Takes the limits of `settings`; the target stays. A file that someone else
    /// has moved away is opened anew with the next batch in any case.
    pub fn set_limits(&mut self, settings: &JournalSection) {
        self.findings_per_second = settings.findings_per_second;
        if let Sink::File(file) = &mut self.sink {
            file.set_limits(settings.max_bytes, settings.keep);
        }
    }

    /// Findings that wait to be written.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// What was lost since the journal was opened; it only ever grows.
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = match &mut self.sink {
            Sink::File(file) => file.append(&mut self.pending),
            Sink::Stream { writer, torn } => {
                stream(writer.as_mut(), torn, &mut self.pending).map_err(JournalError::Stdout)
            }
        };
        if written.is_err() {
            self.losses.count(Loss::AlertJournalWrite);
        }
        written
    }

    /// Whether the recipient of `finding` has not used up the second in which
    /// its data was sent. The finding's own time decides, so that the same
    /// findings are journaled however fast they come.
    fn within_rate(&mut self, finding: &Finding) -> bool {
        let second = finding.time.get(..SECOND_LENGTH).unwrap_or_default();
        let tracker = &finding.recipient.tracker;
        if self.rates.len() >= MAX_RECIPIENTS && !self.rates.contains_key(tracker) {
            self.rates.clear();
        }
        let rate = self
            .rates
            .entry(Arc::clone(tracker))
            .or_insert_with(|| Rate {
                second: String::new(),
                count: 0,
            });
        if rate.second != second {
            second.clone_into(&mut rate.second);
            rate.count = 0;
        }
        rate.count = rate.count.saturating_add(1);
        rate.count <= self.findings_per_second
    }
}

/// Writes line by line, so that a failure costs at most the end of one line.
fn stream(
    writer: &mut dyn Write,
    torn: &mut bool,
    pending: &mut VecDeque<Vec<u8>>,
) -> io::Result<()> {
    if *torn {
        writer.write_all(b"\n")?;
        *torn = false;
    }
    while let Some(line) = pending.front() {
        *torn = true;
        writer.write_all(line)?;
        *torn = false;
        pending.pop_front();
    }
    writer.flush()
}
