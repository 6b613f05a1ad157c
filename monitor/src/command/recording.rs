//! What is recorded of the core's work: everything as it is, everything with
//! values replaced, or only what surrounds findings.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    event::{Event, Place},
    finding::{EvidenceRecord, Finding, Severity},
    loss::Losses,
    pipeline::Output,
    record::Ring,
    store::{CaptureWriter, StoreError},
};

/// How often a capture is synced to disk and its limits are checked.
const SYNC: Duration = Duration::from_secs(1);

/// What is recorded.
pub(super) enum Mode {
    /// Every event as it is.
    Raw,
    /// Every message with its values replaced.
    Redacted,
    /// The messages around findings of at least this severity.
    OnFinding(Ring, Severity),
}

/// Records what the core gets or makes.
pub(super) struct Recording {
    writer: CaptureWriter,
    mode: Mode,
    is_broken: bool,
    next_sync: Instant,
    /// What was lost before the core; the statistics of a segment include it.
    before: Arc<Mutex<Losses>>,
}

impl Recording {
    pub(super) fn new(writer: CaptureWriter, mode: Mode, before: Arc<Mutex<Losses>>) -> Self {
        Self {
            writer,
            mode,
            is_broken: false,
            next_sync: Instant::now() + SYNC,
            before,
        }
    }

    /// Records an event before the core gets it, if events are recorded, and
    /// sets its place.
    pub(super) fn event(&mut self, event: &mut Event) {
        if matches!(self.mode, Mode::Raw) {
            let written = self.writer.write(event);
            self.wrote(written);
        }
    }

    /// Records the messages that the core returned, if messages are recorded,
    /// and sets their places in their findings.
    pub(super) fn output(&mut self, out: &mut Output) {
        for record in std::mem::take(&mut out.records) {
            let findings = out.findings.get_mut(record.findings).unwrap_or_default();
            let mut due = Vec::new();
            let is_due = match &mut self.mode {
                Mode::Raw => false,
                Mode::Redacted => {
                    due.push(record.message);
                    true
                }
                Mode::OnFinding(ring, least) => {
                    let is_finding = findings.iter().any(|finding| finding.severity >= *least);
                    ring.push(record.message, is_finding, &mut due)
                }
            };
            let mut place = None;
            for mut message in due {
                let written = self.writer.write_message(&mut message);
                self.wrote(written);
                place = message.place;
            }
            if is_due {
                say_where(findings, place.as_ref());
            }
        }
    }

    fn wrote(&mut self, written: Result<(), StoreError>) {
        match written {
            // A message that is only buffered does not end a failure.
            Ok(()) => self.is_broken &= self.writer.is_failing(),
            Err(error) => self.failed(error),
        }
    }

    /// What could not be recorded.
    pub(super) const fn losses(&self) -> &Losses {
        self.writer.losses()
    }

    /// Makes recordings durable from time to time, and enforces the limits.
    /// `losses` are those of the core and later stages.
    pub(super) fn keep(&mut self, losses: &Losses) {
        if Instant::now() < self.next_sync {
            return;
        }
        self.next_sync = Instant::now() + SYNC;
        self.tell(losses);
        match self.writer.tick() {
            Ok(()) => self.is_broken &= self.writer.is_failing(),
            Err(error) => self.failed(error),
        }
    }

    /// Ends the capture.
    pub(super) fn close(mut self, losses: &Losses) {
        self.tell(losses);
        if let Err(error) = self.writer.close() {
            tracing::error!("{:#}", anyhow::Error::from(error));
        }
    }

    fn tell(&mut self, losses: &Losses) {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = before.clone();
        drop(before);
        all.merge(losses);
        self.writer.set_drops(&all);
    }

    fn failed(&mut self, error: StoreError) {
        // Logged once, not for every event of a full disk; the writer counts
        // them.
        if !std::mem::replace(&mut self.is_broken, true) {
            tracing::error!("{:#}", anyhow::Error::from(error));
        }
    }
}

fn say_where(findings: &mut [Finding], place: Option<&Place>) {
    for finding in findings {
        finding.evidence = place.map(|place| EvidenceRecord {
            file: place.file.to_string(),
            packet: place.packet,
        });
    }
}
