//! The journal of findings: JSON Lines that survive a crash, or lines for people.
//!
//! Input: batches of [`Finding`]s. Output: one JSON object a line, in a file
//! that is synced after every batch and rotated by size, or on standard output,
//! where a finding can be a few lines for people instead.
//! Beyond a number a second, findings that differ only in the person share a
//! line with a count. What could not be written waits, bounded, for the next
//! batch.

mod file;
mod form;
mod rate;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    io::{self, Write},
    path::PathBuf,
};

pub use self::form::JournalForm;
use self::{
    file::JournalFile,
    rate::{Admission, Rates},
};
use crate::{
    config::{JournalSection, JournalTarget},
    event::Timestamp,
    finding::Finding,
    loss::{Loss, Losses},
};

/// Findings that wait for a journal that cannot be written.
const MAX_PENDING: usize = 10_000;

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

/// Writes findings. To be used from one thread.
pub struct Journal {
    sink: Sink,
    form: JournalForm,
    pending: VecDeque<Vec<u8>>,
    rates: Rates,
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

    /// A journal that writes to `writer`, with a line each for at most
    /// `findings_per_second` findings of a recipient.
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
            form: JournalForm::default(),
            pending: VecDeque::new(),
            rates: Rates::new(findings_per_second),
            losses: Losses::default(),
        }
    }

    /// The same journal, with findings in this form.
    #[must_use]
    pub const fn with_form(mut self, form: JournalForm) -> Self {
        self.form = form;
        self
    }

    /// Writes `findings` and whatever was pending, and syncs the file. All
    /// events before `now` have arrived: what was gathered in earlier seconds
    /// is written. After an error everything that is not safely on disk stays
    /// pending for the next call, which may bring no findings of its own. An
    /// error counts as [`Loss::AlertJournalWrite`], and so does each finding
    /// that no longer fits among the pending ones.
    pub fn write_batch(
        &mut self,
        findings: &[Finding],
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let mut unserialized = None;
        for finding in findings {
            match self.rates.admit(finding) {
                Admission::Own => {
                    let line = self.form.line(finding, None);
                    unserialized = self.enqueue(line, 1).err().or(unserialized);
                }
                Admission::Gathered => {}
                Admission::LeftOut => self.losses.count(Loss::AlertRateLimit),
            }
        }
        for repeated in self.rates.due(now) {
            let line = self.form.line(repeated.finding(), repeated.times());
            unserialized = self.enqueue(line, repeated.count()).err().or(unserialized);
        }
        self.flush()?;
        unserialized.map_or(Ok(()), |error| Err(JournalError::Serialize(error)))
    }

    /// Queues a line that stands for `count` findings.
    fn enqueue(
        &mut self,
        line: Result<Vec<u8>, serde_json::Error>,
        count: u64,
    ) -> Result<(), serde_json::Error> {
        match line {
            Ok(mut line) if self.pending.len() < MAX_PENDING => {
                line.push(b'\n');
                self.pending.push_back(line);
                Ok(())
            }
            Ok(_) => {
                self.losses.add(Loss::AlertJournalWrite, count);
                Ok(())
            }
            Err(error) => {
                self.losses.add(Loss::AlertJournalWrite, count);
                Err(error)
            }
        }
    }

    /// Takes the limits of `settings`; the target stays. A file that was moved
    /// away is reopened with the next batch in any case.
    pub fn set_limits(&mut self, settings: &JournalSection) {
        self.rates.set_limit(settings.findings_per_second);
        if let Sink::File(file) = &mut self.sink {
            file.set_limits(settings.max_bytes, settings.keep);
        }
    }

    /// Lines that wait to be written.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether there is something to write at `now` even without another
    /// finding.
    pub fn is_due(&self, now: Timestamp) -> bool {
        !self.pending.is_empty() || self.rates.is_due(now)
    }

    /// What was lost since the journal was opened; the counts never decrease.
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
