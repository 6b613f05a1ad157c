//! The core thread: feeds events to the capture and the pipeline, and what
//! comes out to the journal and the metrics.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{ExitStatus, Failure, OrFail as _, state::token_key, watch::Plan};
use crate::{
    alert::{
        journal::Journal,
        metrics::{Blindness, Metrics},
    },
    canary::Canaries,
    capture::{CaptureOptions, CaptureWriter, Provenance},
    config::{JournalSection, Recipients},
    event::{Event, Source, Timestamp},
    loss::Losses,
    phi::{Form, Health, Identifier},
    pipeline::{Note, Output, Pipeline},
    probe::{Verdicts, hook_names},
    tracker::Catalog,
};

/// How long the core waits for events before it looks at the clock.
const IDLE: Duration = Duration::from_millis(100);
/// How long an event may be under way from the kernel to the core: only what is
/// older has surely arrived when the core lets time pass.
const SLACK: u64 = 1_000_000_000;
/// How often a capture is synced to disk, and its limits are looked at.
const SYNC: Duration = Duration::from_secs(1);

/// What the main thread asks of the core.
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

/// Everything behind the ring.
pub(super) struct Core {
    metrics: Arc<Metrics>,
    pipeline: Option<Pipeline>,
    journal: Option<Journal>,
    journal_broken: bool,
    capture: Option<CaptureWriter>,
    capture_broken: bool,
    lost: Losses,
    journaled: Losses,
    next_sync: Instant,
}

impl Core {
    /// Opens the journal and the capture that the plan names.
    pub(super) fn new(
        plan: &Plan,
        recipients: Recipients,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let started = now();
        metrics.config_loaded(true, started);
        let capture = match &plan.capture {
            None => None,
            Some(directory) => {
                let uname = rustix::system::uname();
                let options = CaptureOptions {
                    store: plan.store.clone(),
                    provenance: Provenance {
                        host: uname.nodename().to_string_lossy().into_owned(),
                        kernel: uname.release().to_string_lossy().into_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        ..Provenance::default()
                    },
                    started,
                };
                Some(CaptureWriter::create(directory, options).or_fail(ExitStatus::Io)?)
            }
        };
        let (pipeline, journal) = if plan.detect {
            let key = token_key(&plan.config.state.directory).or_fail(ExitStatus::Io)?;
            let journal = Journal::open(&plan.config.journal).or_fail(ExitStatus::Io)?;
            let Recipients {
                catalog, services, ..
            } = recipients;
            let canaries = Canaries::new(&plan.config.canary).or_fail(ExitStatus::Config)?;
            let pipeline = Pipeline::new(catalog, key)
                .with_services(services)
                .with_canaries(canaries);
            (Some(pipeline), Some(journal))
        } else {
            (None, None)
        };
        Ok(Self {
            metrics,
            pipeline,
            journal,
            journal_broken: false,
            capture,
            capture_broken: false,
            lost: Losses::default(),
            journaled: Losses::default(),
            next_sync: Instant::now() + SYNC,
        })
    }

    /// Works until the ring thread has gone and all it gave is done.
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
                    if let Some(pipeline) = &mut self.pipeline {
                        pipeline.tick(Timestamp(now().0.saturating_sub(SLACK)), &mut out);
                    }
                    false
                }
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some(pipeline) = &mut self.pipeline {
                        pipeline.finish(&mut out);
                    }
                    true
                }
            };
            self.report(&out, verdicts.as_mut());
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
        if let Some(capture) = &mut self.capture {
            match capture.write(&mut event) {
                Ok(()) => self.capture_broken = false,
                Err(error) => {
                    // Once, not for every event of a full disk; the writer
                    // counts them.
                    if !std::mem::replace(&mut self.capture_broken, true) {
                        tracing::error!("{:#}", anyhow::Error::from(error));
                    }
                }
            }
        }
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.push(&event, out);
        }
    }

    fn report(&mut self, out: &Output, mut verdicts: Option<&mut Verdicts>) {
        let time = now();
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
        for finding in &out.findings {
            self.metrics.finding(finding, time);
            let tracker = &finding.recipient.tracker;
            if let Some(pipeline) = &self.pipeline {
                self.metrics
                    .set_people(tracker, pipeline.people(tracker).at_least);
            }
        }
        if let Some(journal) = &mut self.journal {
            if !out.findings.is_empty() || journal.pending() > 0 {
                match journal.write_batch(&out.findings) {
                    Ok(()) => self.journal_broken = false,
                    // Once, not for every try: findings wait and are counted.
                    Err(error) if !std::mem::replace(&mut self.journal_broken, true) => {
                        tracing::error!("{:#}", anyhow::Error::from(error));
                    }
                    Err(_) => {}
                }
            }
            self.journaled.clone_from(journal.losses());
        }
        let mut losses = self.lost.clone();
        losses.merge(&self.journaled);
        if let Some(capture) = &self.capture {
            losses.merge(capture.losses());
        }
        if let Some(pipeline) = &self.pipeline {
            losses.merge(pipeline.losses());
        }
        self.metrics.follow_losses(&losses);
    }

    /// Takes the journal's limits and the recipients from a configuration that
    /// was loaded again. An entry of the operator's that is new has the label
    /// `other` in metrics until the next start: their sets are closed.
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
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.set_recipients(recipients.catalog, recipients.services);
        }
    }

    fn keep_capture(&mut self, ended: bool) {
        if ended {
            if let Some(mut capture) = self.capture.take() {
                capture.set_drops(&self.lost);
                if let Err(error) = capture.close() {
                    tracing::error!("{:#}", anyhow::Error::from(error));
                }
            }
        } else if let Some(capture) = &mut self.capture
            && Instant::now() >= self.next_sync
        {
            self.next_sync = Instant::now() + SYNC;
            if let Err(error) = capture.tick()
                && !std::mem::replace(&mut self.capture_broken, true)
            {
                tracing::error!("{:#}", anyhow::Error::from(error));
            }
        }
    }
}
