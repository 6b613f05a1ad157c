//! The core thread: passes events to the capture and the pipeline, and results
//! to the journal and the metrics.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    ExitStatus, Failure, OrFail as _,
    parallel::{Live, helpers},
    recording::{Mode, Recording},
    state::{redaction_key, token_key},
    watch::Plan,
};
use crate::{
    alert::{
        journal::Journal,
        metrics::{Blindness, Metrics},
    },
    canary::Canaries,
    capture::{CaptureOptions, CaptureWriter, ClockAnchor, Provenance, Ring, RingLimits},
    config::{JournalSection, Recipients},
    event::{Event, Source, Timestamp},
    loss::Losses,
    phi::{Form, Health, Identifier},
    pipeline::{Examiner, Note, Output},
    probe::{Signal, Verdicts, hook_names},
    redact::Redactor,
    rules,
    tracker::Catalog,
};

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
    let names = |items: &[Identifier]| items.iter().map(|item| item.as_str()).collect::<Vec<_>>();
    let health: Vec<_> = Health::ALL.iter().map(|class| class.as_str()).collect();
    let forms: Vec<_> = Form::ALL.iter().map(|form| form.as_str()).collect();
    Metrics::new(
        &trackers,
        &hook_names(),
        &names(Identifier::ALL),
        &health,
        &forms,
    )
    .or_fail(ExitStatus::Internal)
}

/// The time now.
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(since.as_nanos().try_into().unwrap_or(u64::MAX))
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

/// Everything behind the ring.
pub(super) struct Core {
    metrics: Arc<Metrics>,
    live: Option<Live>,
    journal: Option<Journal>,
    journal_broken: bool,
    recording: Option<Recording>,
    lost: Losses,
    journaled: Losses,
    /// To discovery, which may have to probe a process again.
    signals: Option<SyncSender<Signal>>,
}

impl Core {
    /// Opens the journal and the capture that the plan names.
    pub(super) fn new(
        plan: &Plan,
        recipients: Recipients,
        metrics: Arc<Metrics>,
        before: Arc<Mutex<Losses>>,
    ) -> Result<Self, Failure> {
        let started = now();
        metrics.config_loaded(true, started);
        let recording = match &plan.capture {
            Some(directory) => Some(recording(plan, directory, started, before)?),
            None => None,
        };
        let is_redacted = recording.is_some() && !plan.raw;
        let state = &plan.config.state.directory;
        let live = if plan.detect || is_redacted {
            let key = token_key(state).or_fail(ExitStatus::Io)?;
            let Recipients {
                catalog, services, ..
            } = recipients;
            let canaries = Canaries::new(&plan.config.canary).or_fail(ExitStatus::Config)?;
            let mut examiner = Examiner::new(catalog, key)
                .with_services(services)
                .with_canaries(canaries);
            if is_redacted {
                let key = redaction_key(state).or_fail(ExitStatus::Io)?;
                examiner = examiner.with_redactor(Redactor::new(key));
            }
            Some(Live::new(examiner, helpers()).or_fail(ExitStatus::Internal)?)
        } else {
            None
        };
        let journal = if plan.detect {
            Some(Journal::open(&plan.config.journal).or_fail(ExitStatus::Io)?)
        } else {
            None
        };
        Ok(Self {
            metrics,
            live,
            journal,
            journal_broken: false,
            recording,
            lost: Losses::default(),
            journaled: Losses::default(),
            signals: None,
        })
    }

    /// Signals to discovery which processes connect to trackers.
    pub(super) fn with_signals(mut self, signals: SyncSender<Signal>) -> Self {
        self.signals = Some(signals);
        self
    }

    /// Works until the ring thread has ended and all its events are processed.
    pub(super) fn run(
        mut self,
        batches: &Receiver<Vec<Event>>,
        requests: &Receiver<Request>,
        mut verdicts: Option<Verdicts>,
    ) {
        loop {
            let mut out = Output::default();
            let ended = match batches.recv_timeout(IDLE) {
                Ok(events) => {
                    for event in events {
                        self.event(event, &mut out);
                    }
                    false
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(live) = &mut self.live {
                        live.tick(arrived());
                    }
                    false
                }
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some(live) = &mut self.live {
                        live.finish();
                    }
                    true
                }
            };
            if let Some(live) = &mut self.live {
                live.settle(&mut out);
            }
            if let Some(recording) = &mut self.recording {
                recording.output(&mut out);
            }
            if self.journal.is_none() {
                // Only a record was asked for.
                out.findings.clear();
            }
            self.notes(&out, verdicts.as_mut());
            // At the end nothing gathered may remain unreported.
            let settled = if ended {
                Timestamp(u64::MAX)
            } else {
                arrived()
            };
            self.findings(&out, settled);
            while let Ok(Request::Reloaded(settings)) = requests.try_recv() {
                self.reloaded(settings.map(|settings| *settings));
            }
            self.keep_capture(ended);
            if ended {
                return;
            }
        }
    }

    fn event(&mut self, mut event: Event, out: &mut Output) {
        self.metrics.event_seen(event.time);
        if let Some(recording) = &mut self.recording {
            recording.event(&mut event);
        }
        if let Some(live) = &mut self.live {
            live.push(&event, out);
        }
    }

    fn notes(&self, out: &Output, mut verdicts: Option<&mut Verdicts>) {
        for note in &out.notes {
            match note {
                Note::Message(protocol, completeness) => {
                    self.metrics.message(*protocol, *completeness);
                }
                Note::TrackerRequest(tracker) => self.metrics.tracker_request(tracker),
                Note::Connection {
                    tracker,
                    readable: true,
                } => {
                    self.metrics.readable_connection(tracker);
                }
                Note::Connection {
                    tracker,
                    readable: false,
                } => {
                    self.metrics.blind_connection(tracker, Blindness::NotRead);
                }
                Note::Contact(pid) => {
                    if let Some(signals) = &self.signals {
                        // Discovery that is busy has no process backed off.
                        drop(signals.try_send(Signal::Tracker(*pid)));
                    }
                }
                Note::Unwanted(stream, source) => {
                    if let Some(verdicts) = &mut verdicts {
                        verdicts.unwanted(*stream, *source == Source::Socket);
                    }
                }
                Note::Wanted(stream, source) => {
                    if let Some(verdicts) = &mut verdicts {
                        verdicts.wanted(*stream, *source == Source::Socket);
                    }
                }
            }
        }
    }

    /// Counts the findings and journals them; all events before `settled` have
    /// arrived.
    fn findings(&mut self, out: &Output, settled: Timestamp) {
        let time = now();
        for finding in &out.findings {
            self.metrics.finding(finding, time);
        }
        let trackers = out
            .findings
            .iter()
            .map(|finding| &finding.recipient.tracker);
        for tracker in trackers.collect::<BTreeSet<_>>() {
            if let Some(live) = &self.live {
                self.metrics
                    .set_people(tracker, live.people(tracker).at_least);
            }
        }
        if let Some(journal) = &mut self.journal {
            if !out.findings.is_empty() || journal.is_due(settled) {
                match journal.write_batch(&out.findings, settled) {
                    Ok(()) => self.journal_broken = false,
                    // Logged once, not for every try: findings wait and are
                    // counted.
                    Err(error) if !std::mem::replace(&mut self.journal_broken, true) => {
                        tracing::error!("{:#}", anyhow::Error::from(error));
                    }
                    Err(_) => {}
                }
            }
            self.journaled.clone_from(journal.losses());
        }
        let losses = self.losses();
        self.metrics.follow_losses(&losses);
    }

    /// Takes the journal's limits and the recipients from a reloaded
    /// configuration. New entries of the operator have the label `other` in
    /// metrics until the next start, because label sets are closed.
    fn reloaded(&mut self, settings: Option<Reloaded>) {
        self.metrics.config_loaded(settings.is_some(), now());
        let Some(Reloaded {
            journal: limits,
            recipients,
        }) = settings
        else {
            return;
        };
        if let Some(journal) = &mut self.journal {
            journal.set_limits(&limits);
        }
        if let Some(live) = &mut self.live {
            live.set_recipients(recipients.catalog, recipients.services);
        }
    }

    /// The losses of the core and of all later stages.
    fn losses(&self) -> Losses {
        let mut losses = self.lost.clone();
        losses.merge(&self.journaled);
        if let Some(recording) = &self.recording {
            losses.merge(recording.losses());
        }
        if let Some(live) = &self.live {
            losses.merge(live.losses());
        }
        losses
    }

    fn keep_capture(&mut self, ended: bool) {
        let losses = self.losses();
        if ended {
            if let Some(recording) = self.recording.take() {
                recording.close(&losses);
            }
        } else if let Some(recording) = &mut self.recording {
            recording.keep(&losses);
        }
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
