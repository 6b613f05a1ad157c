//! The core thread: passes events to the capture and the pipeline, and results
//! to the capture, the journal and the metrics.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    num::NonZero,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    thread::available_parallelism,
    time::Duration,
    vec,
};

use super::{
    ExitStatus, Failure, OrFail as _,
    recording::{Mode, Recording},
    state::{redaction_key, token_key},
    watch::Plan,
};
use crate::{
    alert::{journal::Journal, metrics::Metrics},
    canary::Canaries,
    capture::{ClockAnchor, Provenance},
    config::{JournalSection, Recipients},
    event::{Event, Source, Timestamp},
    finding::Finding,
    loss::Losses,
    pipeline::{Examiner, Feed, Input, Note, Output, Pipeline, Sink, drive},
    probe::{Signal, Verdicts, hook_names},
    record::{Ring, RingLimits},
    redact::Redactor,
    rules,
    store::{CaptureOptions, CaptureWriter, now},
    token::TokenKey,
    tracker::Catalog,
};

/// Threads that examine messages, however many processors the host has. The
/// sequential work for a message takes a quarter of the time of examining it, so
/// more threads would wait for the first one.
const MAX_THREADS: NonZero<usize> = NonZero::new(4).unwrap();
/// How long the core waits for events before it checks the time.
const IDLE: Duration = Duration::from_millis(250);
/// How long an event may be under way from the kernel to the core: only what is
/// older has surely arrived when the core lets time pass, in nanoseconds.
const SLACK: u64 = 1_000_000_000;

/// What the main thread asks the core to do.
pub(super) enum Request {
    /// The configuration was loaded again, or could not be.
    Reloaded(Option<Box<Reloaded>>),
}

/// What takes effect at once when the configuration is loaded again.
pub(super) struct Reloaded {
    pub(super) journal: JournalSection,
    pub(super) recipients: Recipients,
}

/// All metrics, with the closed label sets at zero.
pub(super) fn metrics(catalog: &Catalog) -> Result<Metrics, Failure> {
    let trackers: Vec<_> = catalog.entries().iter().map(|entry| &*entry.id).collect();
    Metrics::new(&trackers, &hook_names()).or_fail(ExitStatus::Internal)
}

/// All events before this time have arrived.
fn arrived() -> Timestamp {
    Timestamp(now().0.saturating_sub(SLACK))
}

/// The kernel's clock and the wall clock, read together.
fn clock() -> ClockAnchor {
    let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(monotonic.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(monotonic.tv_nsec).unwrap_or_default();
    ClockAnchor {
        monotonic: seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(nanoseconds),
        realtime: now().0,
    }
}

/// The core as the plan wants it.
pub(super) fn pipeline(plan: &Plan, recipients: Recipients) -> Result<Pipeline, Failure> {
    let state = &plan.config.state.directory;
    let Recipients {
        catalog, services, ..
    } = recipients;
    if !plan.is_examining() {
        // Nothing reaches it, so no key has to be made either.
        return Ok(Pipeline::new(catalog, TokenKey::from_bytes([0; 32])));
    }
    let key = token_key(state).or_fail(ExitStatus::Io)?;
    let canaries = Canaries::new(&plan.config.canary).or_fail(ExitStatus::Config)?;
    let mut examiner = Examiner::new(catalog, key)
        .with_services(services)
        .with_canaries(canaries);
    if plan.capture.is_some() && !plan.raw {
        let key = redaction_key(state).or_fail(ExitStatus::Io)?;
        examiner = examiner.with_redactor(Redactor::new(key));
    }
    let threads = available_parallelism().map_or(NonZero::<usize>::MIN, |own| own.min(MAX_THREADS));
    Pipeline::from(examiner)
        .with_threads(threads)
        .or_fail(ExitStatus::Internal)
}

/// What feeds the core in the daemon and takes its results.
pub(super) struct Live {
    batches: Receiver<Vec<Event>>,
    requests: Receiver<Request>,
    /// The rest of the batch that is being fed.
    events: vec::IntoIter<Event>,
    progress: Progress,
    /// Whether the core gets the events.
    is_examining: bool,
    metrics: Arc<Metrics>,
    journal: Option<Journal>,
    journal_broken: bool,
    /// Findings in the batch that is being fed: the journal is written, and
    /// synchronized with the disk, once for all of them.
    findings: Vec<Finding>,
    recording: Option<Recording>,
    /// To discovery, which may have to probe a process again.
    signals: SyncSender<Signal>,
    verdicts: Option<Verdicts>,
}

/// How far the feed is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing was fed since results were asked for.
    Idle,
    /// A batch was fed.
    Fed,
    /// Everything was fed.
    Over,
}

impl Live {
    /// Opens the journal and the capture that the plan names. Events and requests
    /// come from other threads; `before` is what was lost before the core, and
    /// `signals` tell discovery which processes connect to trackers.
    pub(super) fn new(
        plan: &Plan,
        metrics: &Arc<Metrics>,
        (batches, requests): (Receiver<Vec<Event>>, Receiver<Request>),
        before: &Arc<Mutex<Losses>>,
        signals: &SyncSender<Signal>,
    ) -> Result<Self, Failure> {
        let started = now();
        metrics.config_loaded(true, started);
        let recording = match &plan.capture {
            Some(directory) => Some(recording(plan, directory, started, Arc::clone(before))?),
            None => None,
        };
        let journal = if plan.detect {
            let journal = Journal::open(&plan.config.journal).or_fail(ExitStatus::Io)?;
            Some(journal.with_form(plan.form))
        } else {
            None
        };
        Ok(Self {
            batches,
            requests,
            events: Vec::new().into_iter(),
            progress: Progress::Idle,
            is_examining: plan.is_examining(),
            metrics: Arc::clone(metrics),
            journal,
            journal_broken: false,
            findings: Vec::new(),
            recording,
            signals: signals.clone(),
            verdicts: None,
        })
    }

    /// Works until the ring thread has ended and all its events are processed.
    pub(super) fn run(mut self, mut core: Pipeline, verdicts: Option<Verdicts>) {
        self.verdicts = verdicts;
        let Ok(()) = drive(&mut self, &mut core);
    }

    fn notes(&mut self, notes: &[Note]) {
        for note in notes {
            match note {
                Note::Message(protocol, completeness) => {
                    self.metrics.message(*protocol, *completeness);
                }
                Note::TrackerRequest(tracker) => self.metrics.tracker_request(tracker),
                Note::Connection { tracker, blindness } => {
                    self.metrics.connection(tracker, *blindness);
                }
                Note::Contact(pid) => {
                    // Discovery that is busy has no process backed off.
                    drop(self.signals.try_send(Signal::Tracker(*pid)));
                }
                Note::Unwanted(stream, source) => {
                    if let Some(verdicts) = &mut self.verdicts {
                        verdicts.unwanted(*stream, *source == Source::Socket);
                    }
                }
                Note::Wanted(stream, source) => {
                    if let Some(verdicts) = &mut self.verdicts {
                        verdicts.wanted(*stream, *source == Source::Socket);
                    }
                }
            }
        }
    }

    /// Counts the findings and journals them; all events before `settled` have
    /// arrived.
    fn report(&mut self, settled: Timestamp, core: &Pipeline) {
        let findings = std::mem::take(&mut self.findings);
        let time = now();
        for finding in &findings {
            self.metrics.finding(finding, time);
        }
        let trackers = findings.iter().map(|finding| &finding.recipient.tracker);
        for tracker in trackers.collect::<BTreeSet<_>>() {
            self.metrics
                .set_people(tracker, core.people(tracker).at_least);
        }
        if let Some(journal) = &mut self.journal
            && (!findings.is_empty() || journal.is_due(settled))
        {
            match journal.write_batch(&findings, settled) {
                Ok(()) => self.journal_broken = false,
                // Logged once, not for every try: findings wait and are counted.
                Err(error) if !std::mem::replace(&mut self.journal_broken, true) => {
                    tracing::error!("{:#}", anyhow::Error::from(error));
                }
                Err(_) => {}
            }
        }
    }

    /// Takes the journal's limits from a configuration that was loaded again,
    /// and returns its recipients. New entries of the operator have the label
    /// `other` in metrics until the next start, because label sets are closed.
    fn reloaded(&mut self, settings: Option<Box<Reloaded>>) -> Option<Recipients> {
        self.metrics.config_loaded(settings.is_some(), now());
        let settings = settings?;
        if let Some(journal) = &mut self.journal {
            journal.set_limits(&settings.journal);
        }
        Some(settings.recipients)
    }

    /// Publishes what was lost in the core and in all later stages.
    fn losses(&mut self, core: &Pipeline) {
        let mut losses = core.losses().clone();
        if let Some(journal) = &self.journal {
            losses.merge(journal.losses());
        }
        if let Some(recording) = &self.recording {
            losses.merge(recording.losses());
        }
        self.metrics.follow_losses(&losses);
        if self.progress == Progress::Over {
            if let Some(recording) = self.recording.take() {
                recording.close(&losses);
            }
        } else if let Some(recording) = &mut self.recording {
            recording.keep(&losses);
        }
    }
}

impl Feed for Live {
    type Error = Infallible;

    fn next(&mut self, _losses: &mut Losses) -> Result<Input, Infallible> {
        loop {
            if let Some(mut event) = self.events.next() {
                self.metrics.event_seen(event.time);
                if let Some(recording) = &mut self.recording {
                    recording.event(&mut event);
                }
                if self.is_examining {
                    return Ok(Input::Event(event));
                }
                continue;
            }
            if self.progress == Progress::Fed {
                self.progress = Progress::Idle;
                // Results do not wait for the next batch. How much time has
                // passed is not known: more may wait in the ring.
                return Ok(Input::Idle(Timestamp(0)));
            }
            while let Ok(Request::Reloaded(settings)) = self.requests.try_recv() {
                if let Some(new) = self.reloaded(settings) {
                    return Ok(Input::Recipients(Box::new((new.catalog, new.services))));
                }
            }
            match self.batches.recv_timeout(IDLE) {
                Ok(events) => {
                    (self.events, self.progress) = (events.into_iter(), Progress::Fed);
                }
                Err(RecvTimeoutError::Timeout) => return Ok(Input::Idle(arrived())),
                Err(RecvTimeoutError::Disconnected) => {
                    self.progress = Progress::Over;
                    return Ok(Input::End);
                }
            }
        }
    }
}

impl Sink for Live {
    fn take(&mut self, out: &mut Output, core: &Pipeline) -> Result<(), Infallible> {
        if let Some(recording) = &mut self.recording {
            recording.output(out);
        }
        if self.journal.is_none() {
            // Only a record was asked for.
            out.findings.clear();
        }
        self.notes(&out.notes);
        self.findings.append(&mut out.findings);
        if self.progress == Progress::Fed {
            return Ok(());
        }
        // At the end nothing gathered may remain unreported.
        let settled = if self.progress == Progress::Over {
            Timestamp(u64::MAX)
        } else {
            arrived()
        };
        self.report(settled, core);
        self.losses(core);
        Ok(())
    }
}

/// Begins the capture that the plan names.
fn recording(
    plan: &Plan,
    directory: &Path,
    started: Timestamp,
    before: Arc<Mutex<Losses>>,
) -> Result<Recording, Failure> {
    let section = &plan.config.capture;
    let uname = rustix::system::uname();
    let options = CaptureOptions {
        store: plan.store.clone(),
        provenance: Provenance {
            host: uname.nodename().to_string_lossy().into_owned(),
            kernel: uname.release().to_string_lossy().into_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules: rules::fingerprint().to_owned(),
            redacted: !plan.raw,
            clocks: vec![clock()],
            config_sha256: plan.config_sha256.clone(),
        },
        started,
    };
    let writer = CaptureWriter::create(directory, options).or_fail(ExitStatus::Io)?;
    let seconds = |count: u32| u64::from(count).saturating_mul(1_000_000_000);
    let mode = match section.on_finding {
        _ if plan.raw => Mode::Raw,
        Some(least) if plan.detect => {
            let ring = Ring::new(RingLimits {
                before: seconds(section.before_seconds),
                after: seconds(section.after_seconds),
                max_bytes: section.ring_bytes.try_into().unwrap_or(usize::MAX),
            });
            Mode::OnFinding(ring, least)
        }
        _ => Mode::Redacted,
    };
    Ok(Recording::new(writer, mode, before))
}
