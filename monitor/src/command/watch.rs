//! What `run` and `capture` have in common: the probes, the threads, the HTTP
//! server, the signals.
//!
//! ```text
//! ring thread ─ batches of events ─▶ core thread ─▶ capture, journal, metrics
//!      │                               └─ messages ─▶ helpers ─▶ core thread
//!      └─────── signals ──▶ discovery thread (attaches to what appears)
//! ```
//!
//! The queues between them are bounded. If the core is slow, the ring thread
//! waits, and the kernel counts what its ring has no room for.

use std::{
    io::{self, IsTerminal as _},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, SyncSender, channel, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use phiwatch_ebpf::abi::counter;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot},
};

use super::{
    ExitStatus, Failure, OrFail as _,
    core::{Live, Reloaded, Request, pipeline},
    recipients,
    scope::scope,
};
use crate::{
    alert::{
        journal::JournalForm,
        metrics::{HookCounts, Metrics},
        server::{self, ReloadRequest, State as ServerState},
    },
    config::Config,
    event::{Event, Source},
    loss::{Loss, Losses},
    probe::{ProbeConfig, ProbeError, Probes, Reader, Sight, Signal, State, Status, WatchState},
    store::StoreOptions,
};

/// How long the ring thread sleeps at most while records arrive. The kernel
/// wakes it when much is waiting; a single record waits until then.
const POLL: Duration = Duration::from_millis(10);
/// The sleep after a time without records: long enough to cost nothing, short
/// enough that the first request after a pause is journaled at once.
const POLL_IDLE: Duration = Duration::from_millis(80);
/// How often the kernel's counters and the states of the hooks are published as
/// metrics.
const REPORT: Duration = Duration::from_millis(250);
/// How often they do while no records come.
const REPORT_IDLE: Duration = Duration::from_secs(1);
/// How long the HTTP server may take to end.
const MAX_SERVER_END: Duration = Duration::from_millis(10);
/// How many batches of at most 4 MiB wait for the core: one, to read the next
/// while it works. More waits in the kernel's ring, which exists for that.
const MAX_BATCHES_WAITING: usize = 1;
/// How many processes and libraries wait for discovery; the next scan finds
/// those for which there is no room.
const MAX_SIGNALS: usize = 4_096;
/// How long the rings are drained at the end, however much comes in.
const MAX_DRAIN: Duration = Duration::from_millis(800);
/// The ring thread and the core thread, the first two, end by themselves.
const DRAINING: usize = 2;
/// How long the threads may take to end.
const MAX_JOIN: Duration = Duration::from_millis(1_700);

/// The level of what the kernel programs log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum KernelLog {
    /// Nothing; costs nothing.
    #[default]
    Off,
    /// Errors.
    Error,
    /// And warnings.
    Warn,
    /// And what happens rarely.
    Info,
    /// And what happens often.
    Debug,
    /// Everything.
    Trace,
}

/// What to watch, and what to do with it.
pub(super) struct Plan {
    /// The configuration, overlaid by the command line.
    pub config: Config,
    /// The configuration as it was loaded.
    pub loaded: Config,
    /// Where it came from, to load it again.
    pub config_path: Option<PathBuf>,
    /// SHA-256 of that file, in hexadecimal digits, if there is one.
    pub config_sha256: Option<String>,
    /// Where to serve, if anywhere.
    pub listen: Option<SocketAddr>,
    /// Where to record, if anywhere.
    pub capture: Option<PathBuf>,
    /// Whether payload is recorded as it is.
    pub raw: bool,
    /// How it is stored.
    pub store: StoreOptions,
    /// Whether to look for findings.
    pub detect: bool,
    /// How findings are written.
    pub form: JournalForm,
    /// Whether the kernel programs' diagnostics are wanted.
    pub kernel_log: bool,
}

impl Plan {
    /// Whether messages are examined, for findings or to be redacted.
    pub(super) const fn is_examining(&self) -> bool {
        self.detect || self.capture.is_some() && !self.raw
    }
}

/// The exit code of a probe error.
fn probe_failure(error: &ProbeError) -> Failure {
    let code = match error {
        ProbeError::Cgroup(_) => ExitStatus::Config,
        error if error.is_permission() => ExitStatus::NotPermitted,
        _ => ExitStatus::Unsupported,
    };
    let advice = match code {
        ExitStatus::NotPermitted => "; run as root, and see what phiwatch doctor says",
        ExitStatus::Unsupported => "; see what phiwatch doctor says",
        _ => "",
    };
    Failure::message(code, format!("{}{advice}", chain(error)))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Watches until a signal says to stop.
pub(super) fn watch(plan: &Plan) -> Result<(), Failure> {
    // Everything that can be wrong is checked before anything is attached.
    let scope = scope(&plan.config.scope)?;
    let recipients = recipients(&plan.config)?;
    let metrics = Arc::new(super::core::metrics(&recipients.catalog)?);
    let listener = plan.listen.map(bind).transpose()?;
    let before = Arc::new(Mutex::new(Losses::default()));
    let (signals_in, signals) = sync_channel(MAX_SIGNALS);
    let (batches_in, batches) = sync_channel(MAX_BATCHES_WAITING);
    let (requests_in, requests) = channel();
    let queues = (batches, requests);
    let core = pipeline(plan, recipients)?;
    let live = Live::new(plan, &metrics, queues, &before, &signals_in)?;
    let mut probes = Probes::load(ProbeConfig {
        scope,
        data_ring_bytes: plan.config.ring.data_bytes,
        control_ring_bytes: plan.config.ring.control_bytes,
        kernel_log: plan.kernel_log,
        budget: plan.config.overhead.budget.as_f64(),
    })
    .map_err(|error| probe_failure(&error))?;
    let reader = probes.reader().map_err(|error| probe_failure(&error))?;
    // Where whole streams are recorded, none is unwanted.
    let is_whole = plan.capture.is_some() && (plan.raw || !plan.detect);
    let verdicts = if is_whole {
        None
    } else {
        Some(probes.verdicts().map_err(|error| probe_failure(&error))?)
    };
    let status = probes.status();
    let sight = status.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let watching = Arc::new(Mutex::new(WatchState::default()));

    let mut threads = vec![
        spawn("phiwatch-ring", {
            let stop = Arc::clone(&stop);
            let targets = ReportTargets {
                metrics: Arc::clone(&metrics),
                status: status.clone(),
                watching: Arc::clone(&watching),
                losses: before,
            };
            move || ring(reader, &stop, &batches_in, &signals_in, &targets)
        })?,
        spawn("phiwatch-core", move || live.run(core, verdicts))?,
    ];
    let mut kernel_log = probes.logger();
    let count = probes.attach().map_err(|error| probe_failure(&error))?;
    tell(
        &watching,
        WatchState {
            watched: count,
            ..WatchState::default()
        },
    );
    tracing::info!(processes = count, "{status}; {}", status.sight());
    threads.push(spawn("phiwatch-discover", {
        let stop = Arc::clone(&stop);
        move || probes.discover(&signals, &stop, |seen| tell(&watching, seen))
    })?);

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_fail(ExitStatus::Internal)?;
    let ended = runtime.block_on(async {
        let (reload_in, reload) = mpsc::channel(4);
        let state = Arc::new(ServerState::new(Arc::clone(&metrics), reload_in));
        let (quit, quitted) = oneshot::channel::<()>();
        let server = match listener {
            Some(listener) => Some(tokio::spawn(server::serve(
                tokio::net::TcpListener::from_std(listener).or_fail(ExitStatus::Io)?,
                Arc::clone(&state),
                async move {
                    // Either way the server is to end.
                    drop(quitted.await);
                },
            ))),
            None => None,
        };
        let mut readiness = Readiness {
            state: &state,
            metrics: &metrics,
            last: None,
        };
        let ended = until_stopped(plan, &threads, reload, &requests_in, || {
            readiness.follow(sight.sight());
            if let Some(logger) = &mut kernel_log {
                logger.flush();
            }
        })
        .await;
        state.set_not_ready("stopping");
        drop(quit);
        if let Some(server) = server {
            // A server that panicked has nothing left to close.
            drop(tokio::time::timeout(MAX_SERVER_END, server).await);
        }
        ended
    });
    stop.store(true, Ordering::Relaxed);
    drained(threads)?;
    ended
}

/// Reports whether phiwatch can see what it exists for.
struct Readiness<'a> {
    state: &'a ServerState,
    metrics: &'a Metrics,
    last: Option<Sight>,
}

impl Readiness<'_> {
    /// Takes the current view of TLS. Sockets are no substitute: requests to
    /// trackers are encrypted.
    fn follow(&mut self, sight: Sight) {
        if self.last.as_ref() == Some(&sight) {
            return;
        }
        self.metrics
            .set_tls_libraries(sight.hooked as u64, sight.unhooked as u64);
        if sight.is_blind() {
            tracing::warn!("not ready: {sight}");
            self.state.set_not_ready(sight.to_string());
        } else {
            if self.last.as_ref().is_some_and(Sight::is_blind) {
                tracing::info!("ready: {sight}");
            }
            self.state.set_ready(sight.to_string());
        }
        self.last = Some(sight);
    }
}

/// Waits for the threads that drain their queues, within their time limit.
fn drained(threads: Vec<JoinHandle<()>>) -> Result<(), Failure> {
    // The ring thread drains and drops its queue; then the core ends.
    let deadline = Instant::now() + MAX_JOIN;
    let done = |threads: &[JoinHandle<()>]| threads.iter().all(JoinHandle::is_finished);
    while !done(&threads) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Attachments that discovery has not removed by now disappear with the
    // process.
    if !done(threads.get(..DRAINING).unwrap_or(&threads)) {
        let message = "stopped before all findings were written; is the journal's reader stuck?";
        return Err(Failure::message(ExitStatus::Io, message));
    }
    for thread in threads.into_iter().filter(JoinHandle::is_finished) {
        if thread.join().is_err() {
            return Err(Failure::message(
                ExitStatus::Internal,
                "a thread of phiwatch panicked",
            ));
        }
    }
    Ok(())
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| {
            Failure::message(ExitStatus::Io, format!("listen on {address}: {error}"))
        })?;
    let address = listener.local_addr().or_fail(ExitStatus::Io)?;
    super::say(format_args!("phiwatch: listening on http://{address}"));
    Ok(listener)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .or_fail(ExitStatus::Internal)
}

/// Reads the rings until told to stop, and then until they are empty.
fn ring(
    mut reader: Reader,
    stop: &AtomicBool,
    batches: &SyncSender<Vec<Event>>,
    signals: &SyncSender<Signal>,
    targets: &ReportTargets,
) {
    let mut losses = Losses::default();
    let (mut last_report, mut is_news) = (None::<Instant>, true);
    let mut pause = POLL;
    let mut deadline = None;
    loop {
        let stopping = stop.load(Ordering::Relaxed);
        if stopping && *deadline.get_or_insert(Instant::now() + MAX_DRAIN) <= Instant::now() {
            tracing::warn!("stopped with records still in the kernel's rings");
            return;
        }
        let (mut events, mut found) = (Vec::new(), Vec::new());
        let more = reader.read(&mut losses, &mut events, &mut found);
        if events.is_empty() && found.is_empty() {
            pause = (pause * 2).min(POLL_IDLE);
        } else {
            (pause, is_news) = (POLL, true);
        }
        for signal in found {
            // If discovery is busy, the next scan finds it.
            drop(signals.try_send(signal));
        }
        if !events.is_empty() && batches.send(events).is_err() {
            return;
        }
        let interval = if is_news { REPORT } else { REPORT_IDLE };
        if stopping || last_report.is_none_or(|last| last.elapsed() >= interval) {
            report(&reader, &losses, targets);
            (last_report, is_news) = (Some(Instant::now()), false);
        }
        if more {
            continue;
        }
        if stopping {
            return;
        }
        if let Err(error) = reader.wait(pause) {
            tracing::error!(%error, "waiting for the kernel's rings failed");
            std::thread::sleep(POLL);
        }
    }
}

/// Where the ring thread publishes its counts.
struct ReportTargets {
    metrics: Arc<Metrics>,
    status: Status,
    watching: Arc<Mutex<WatchState>>,
    /// For the capture, which records what was lost before it.
    losses: Arc<Mutex<Losses>>,
}

fn report(reader: &Reader, losses: &Losses, targets: &ReportTargets) {
    let counters = reader.counters();
    let ReportTargets {
        metrics,
        status,
        watching,
        ..
    } = targets;
    let watching = *watching.lock().unwrap_or_else(PoisonError::into_inner);
    let mut before = losses.clone();
    for (loss, total) in counters.losses() {
        before.add(loss, total);
    }
    before.add(Loss::ProbeBudget, watching.back_offs);
    before.add(Loss::ProbeSampled, watching.samplings);
    *targets
        .losses
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = before;
    for (loss, total) in counters.losses() {
        metrics.follow_loss(loss, total);
    }
    metrics.follow_losses(losses);
    metrics.follow_probe_hits(Source::OpenSsl, watching.hits);
    metrics.follow_probe_hits(Source::Socket, counters.get(counter::HITS_SOCKET));
    for (source, bytes) in reader.bytes() {
        metrics.follow_bytes(source, bytes);
    }
    for (hook, places) in status.snapshot() {
        metrics.set_hook(
            hook,
            HookCounts {
                active: places.count(State::Active) as u64,
                disabled: places.count(State::Disabled) as u64,
                failed: places.count(State::Failed) as u64,
            },
        );
    }
    metrics.set_watched_processes(watching.watched as u64);
    metrics.set_overhead(watching.overhead, watching.backed_off as u64);
    metrics.follow_loss(Loss::ProbeBudget, watching.back_offs);
    metrics.follow_loss(Loss::ProbeSampled, watching.samplings);
}

fn tell(watching: &Mutex<WatchState>, seen: WatchState) {
    *watching.lock().unwrap_or_else(PoisonError::into_inner) = seen;
}

/// Waits for SIGTERM or SIGINT, and handles reloads meanwhile.
async fn until_stopped<T>(
    plan: &Plan,
    threads: &[JoinHandle<T>],
    mut reload: mpsc::Receiver<ReloadRequest>,
    core: &Sender<Request>,
    mut every_tick: impl FnMut(),
) -> Result<(), Failure> {
    let listen = |kind| signal(kind).or_fail(ExitStatus::Internal);
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut tick = tokio::time::interval(REPORT);
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => {
                // A terminal shows the key: what is still to come begins a line.
                if io::stderr().is_terminal() {
                    super::say(format_args!("\nphiwatch: stopping"));
                }
                return Ok(());
            }
            _ = hangup.recv() => {
                if let Err(error) = reloaded(plan, core) {
                    tracing::error!("{error}");
                }
            }
            Some(answer) = reload.recv() => {
                // The client may be gone; the reload has happened anyway.
                drop(answer.send(reloaded(plan, core)));
            }
            _ = tick.tick() => {
                every_tick();
                if let Some(thread) = threads.iter().find(|thread| thread.is_finished()) {
                    let name = thread.thread().name().unwrap_or("a thread").to_owned();
                    let message = format!("{name} ended unexpectedly");
                    return Err(Failure::message(ExitStatus::Internal, message));
                }
            }
        }
    }
}

/// Loads the configuration again. An invalid file changes nothing.
fn reloaded(plan: &Plan, core: &Sender<Request>) -> Result<(), String> {
    let result = Config::load(plan.config_path.as_deref())
        .or_fail(ExitStatus::Config)
        .and_then(|config| Ok((recipients(&config)?, config)));
    let outcome = match &result {
        Ok((_, config)) => {
            for (section, changed) in [
                ("scope", config.scope != plan.loaded.scope),
                ("listen", config.listen != plan.loaded.listen),
                (
                    "journal (file)",
                    config.journal.file != plan.loaded.journal.file,
                ),
                ("capture", config.capture != plan.loaded.capture),
                ("ring", config.ring != plan.loaded.ring),
                ("state", config.state != plan.loaded.state),
            ] {
                if changed {
                    tracing::warn!("[{section}] has changed; that takes effect at the next start");
                }
            }
            tracing::info!("configuration loaded again");
            Ok(())
        }
        Err(error) => Err(format!(
            "the configuration is invalid, the old one stays: {error}"
        )),
    };
    // A core that has ended is noticed by the next tick.
    drop(core.send(Request::Reloaded(result.ok().map(
        |(recipients, config)| {
            Box::new(Reloaded {
                journal: config.journal,
                recipients,
            })
        },
    ))));
    outcome
}
