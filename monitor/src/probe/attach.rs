//! Loads the programs and attaches them: to the scope's cgroup, to tracepoints,
//! and to every TLS library that a watched process maps.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::{Array, HashMap as BpfHashMap, MapData, MapError, RingBuf},
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSockAddr, Program, ProgramError,
        TracePoint, UProbe,
        uprobe::{UProbeAttachLocation, UProbeScope},
    },
};
use phiwatch_ebpf::abi::{self, scope as bits};
use rustix::time::{ClockId, clock_gettime};

use super::{
    library::{self, FileId, Library, LibraryError},
    process::{self, Cgroup, CgroupError, Scope},
    reader::{Reader, Verdicts},
    status::{State, Status},
    table::{Attachment, HOOKS, Hook},
    translate::{Signal, Translator},
};

/// The kernel programs, as the build script built them.
static PROGRAMS: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/phiwatch-ebpf"));

/// A link to a cgroup always shares it with others and takes no flags.
const LINK_MODE: CgroupAttachMode = CgroupAttachMode::Single;

/// How often everything is scanned, in case an event was missed.
const RESCAN: Duration = Duration::from_secs(30);
/// How often a library that was just opened is looked for in the maps.
const FOLLOW_UP: Duration = Duration::from_millis(50);
/// How many libraries are attached to.
const MAX_LIBRARIES: usize = 1_024;

/// What to load and watch.
#[derive(Clone, Debug, Default)]
pub struct ProbeConfig {
    /// Which processes.
    pub scope: Scope,
    /// Size of the data ring in bytes, a power of two.
    pub data_ring_bytes: u32,
    /// Size of the control ring in bytes, a power of two.
    pub control_ring_bytes: u32,
    /// Whether the programs' own diagnostics are wanted.
    pub kernel_log: bool,
}

/// Why the kernel programs cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// This build carries no programs.
    #[error("this build carries no kernel programs (built with AYA_BUILD_SKIP)")]
    NotBuilt,
    /// The kernel refused the maps.
    #[error("load the kernel programs: {0}")]
    Load(#[source] Box<EbpfError>),
    /// A map is not what it should be.
    #[error("kernel map {name}: {source}")]
    Map {
        /// The map.
        name: &'static str,
        /// Why.
        source: Box<MapError>,
    },
    /// A map or program is missing from the object.
    #[error("the object file has no {0}")]
    Absent(&'static str),
    /// The scope's cgroup cannot be used.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// No hook could be attached.
    #[error("no hook could be attached: {0}")]
    NothingAttached(String),
}

impl ProbeError {
    /// Whether the reason is a missing permission rather than the kernel.
    pub fn is_permission(&self) -> bool {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = source {
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
            {
                return true;
            }
            source = error.source();
        }
        false
    }
}

/// The loaded programs. Dropping it detaches everything.
pub struct Probes {
    ebpf: Ebpf,
    config: ProbeConfig,
    cgroup: Cgroup,
    status: Status,
    watched: BpfHashMap<MapData, u32, u32>,
    libraries: HashMap<FileId, PathBuf>,
}

fn map<T, E>(name: &'static str, result: Result<T, E>) -> Result<T, ProbeError>
where
    MapError: From<E>,
{
    result.map_err(|source| ProbeError::Map {
        name,
        source: Box::new(source.into()),
    })
}

impl Probes {
    /// Loads the programs and writes the scope. Nothing is attached yet.
    pub fn load(config: ProbeConfig) -> Result<Self, ProbeError> {
        if PROGRAMS.is_empty() {
            return Err(ProbeError::NotBuilt);
        }
        let cgroup = match &config.scope.cgroup {
            Some(cgroup) => cgroup.clone(),
            None => Cgroup::find(None)?,
        };
        let log_level = if config.kernel_log { u8::MAX } else { 0 };
        let mut ebpf = EbpfLoader::new()
            .map_max_entries("DATA_RING", config.data_ring_bytes)
            .map_max_entries("CONTROL_RING", config.control_ring_bytes)
            .override_global(aya_log::LEVEL, &log_level, false)
            .load(PROGRAMS)
            .map_err(|source| ProbeError::Load(Box::new(source)))?;
        write_scope(&mut ebpf, &config, &cgroup)?;
        let status = Status::default();
        load_programs(&mut ebpf, &status);
        let watched = ebpf
            .take_map("WATCHED")
            .ok_or(ProbeError::Absent("WATCHED"))?;
        let mut watched: BpfHashMap<MapData, u32, u32> =
            map("WATCHED", BpfHashMap::try_from(watched))?;
        for pid in &config.scope.pids {
            map("WATCHED", watched.insert(pid, 1, 0))?;
        }
        Ok(Self {
            ebpf,
            config,
            cgroup,
            status,
            watched,
            libraries: HashMap::new(),
        })
    }

    /// The state of every hook.
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// The programs' diagnostics, for whoever forwards them; `None` where they
    /// are off.
    pub fn logger(&mut self) -> Option<aya_log::EbpfLogger<&'static dyn log::Log>> {
        if !self.config.kernel_log {
            return None;
        }
        match aya_log::EbpfLogger::init_with_logger(&mut self.ebpf, log::logger()) {
            Ok(logger) => Some(logger),
            Err(error) => {
                tracing::warn!(%error, "the kernel programs' diagnostics are not available");
                None
            }
        }
    }

    /// The consumer of the rings, once.
    pub fn reader(&mut self) -> Result<Reader, ProbeError> {
        let mut take = |name| self.ebpf.take_map(name).ok_or(ProbeError::Absent(name));
        let (control, data) = (take("CONTROL_RING")?, take("DATA_RING")?);
        let (counters, streams) = (take("COUNTERS")?, take("STREAMS")?);
        Ok(Reader::new(
            map("CONTROL_RING", RingBuf::try_from(control))?,
            map("DATA_RING", RingBuf::try_from(data))?,
            map("COUNTERS", Array::try_from(counters))?,
            map("STREAMS", BpfHashMap::try_from(streams))?,
            Translator::new(anchor()),
        ))
    }

    /// The map of verdicts, once.
    pub fn verdicts(&mut self) -> Result<Verdicts, ProbeError> {
        let verdicts = self
            .ebpf
            .take_map("VERDICTS")
            .ok_or(ProbeError::Absent("VERDICTS"))?;
        Ok(Verdicts(map("VERDICTS", BpfHashMap::try_from(verdicts))?))
    }

    /// Attaches every hook that has something to be attached to now, and scans
    /// the processes of the scope.
    ///
    /// # Errors
    /// [`ProbeError::NothingAttached`] with all reasons if no hook is active.
    pub fn attach(&mut self) -> Result<usize, ProbeError> {
        for hook in HOOKS {
            match hook.attachment {
                Attachment::Library { .. } => {}
                Attachment::Egress(name) => {
                    self.attach_skb(hook, name, CgroupSkbAttachType::Egress);
                }
                Attachment::Ingress(name) => {
                    self.attach_skb(hook, name, CgroupSkbAttachType::Ingress);
                }
                Attachment::Connect { v4, v6 } => {
                    for name in [v4, v6] {
                        let place = self.cgroup.path.clone();
                        let result = self.attach_connect(name);
                        self.note(hook, &format!("{place} {name}"), result);
                    }
                }
                Attachment::Tracepoint {
                    program,
                    category,
                    name,
                } => {
                    let result = self.attach_tracepoint(program, category, name);
                    self.note(hook, &format!("{category}:{name}"), result);
                }
            }
        }
        for path in library::standard() {
            self.attach_library(Library::open(&path, &path));
        }
        let watched = self.scan();
        let active = self
            .status
            .snapshot()
            .iter()
            .any(|(_, status)| status.count(State::Active) > 0);
        if active {
            Ok(watched)
        } else {
            Err(ProbeError::NothingAttached(self.status.to_string()))
        }
    }

    /// Looks at every process of the scope. Returns how many there are.
    pub fn scan(&mut self) -> usize {
        process::all()
            .into_iter()
            .filter(|pid| self.look_at(*pid))
            .count()
    }

    /// Follows signals until their sender has gone, scanning now and then.
    /// `watched` is told how many processes the scope holds.
    pub fn discover(&mut self, signals: &Receiver<Signal>, mut watched: impl FnMut(usize)) {
        let mut next_scan = Instant::now() + RESCAN;
        let mut follow_ups: Vec<(Instant, u32)> = Vec::new();
        loop {
            let now = Instant::now();
            for (_, pid) in follow_ups.extract_if(.., |(due, _)| *due <= now) {
                self.look_at(pid);
            }
            if now >= next_scan {
                watched(self.scan());
                next_scan = now + RESCAN;
            }
            let due = follow_ups
                .iter()
                .map(|(due, _)| *due)
                .chain([next_scan])
                .min();
            let wait = due.unwrap_or(next_scan).saturating_duration_since(now);
            match signals.recv_timeout(wait.max(Duration::from_millis(1))) {
                Ok(Signal::Exec(pid)) => {
                    self.look_at(pid);
                }
                Ok(Signal::Library(pid, path)) => {
                    // The file is opened before it is mapped: attach to it by
                    // its path now, and look at the maps a little later in case
                    // that was another file.
                    self.attach_library(library::open_in_root(pid, &path));
                    if follow_ups.len() < MAX_LIBRARIES {
                        follow_ups.push((now + FOLLOW_UP, pid));
                    }
                }
                Ok(Signal::Exit(_)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks at one process: whether it is watched, and which libraries it maps.
    fn look_at(&mut self, pid: u32) -> bool {
        let Some(process) = process::read(pid) else {
            return false;
        };
        if !self.config.scope.holds(&process) {
            return false;
        }
        if self.config.scope.is_listed() {
            // A full map leaves the process unwatched; the kernel counts that.
            drop(self.watched.insert(pid, 1, 0));
        }
        let Ok(maps) = std::fs::read_to_string(format!("/proc/{pid}/maps")) else {
            return true;
        };
        for mapped in library::mapped(&maps) {
            self.attach_library(library::open_mapped(pid, &mapped));
        }
        true
    }

    fn attach_library(&mut self, opened: Result<Library, LibraryError>) {
        let library = match opened {
            Ok(library) => library,
            // A relative or wrong path that a process merely tried to open.
            Err(LibraryError::Open { .. }) => return,
            Err(error) => {
                tracing::warn!(%error, "TLS library is not watched");
                return;
            }
        };
        if self.libraries.contains_key(&library.id) || self.libraries.len() >= MAX_LIBRARIES {
            return;
        }
        self.libraries.insert(library.id, library.path.clone());
        let place = format!("{} (inode {})", library.path.display(), library.id.inode);
        let hooks: Vec<(&Hook, &str, &str, Option<&str>)> = HOOKS
            .iter()
            .filter_map(|hook| match hook.attachment {
                Attachment::Library {
                    symbol,
                    enter,
                    leave,
                } => Some((hook, symbol, enter, leave)),
                _ => None,
            })
            .collect();
        let symbols: Vec<&str> = hooks.iter().map(|(_, symbol, ..)| *symbol).collect();
        let offsets = match library.offsets(&symbols) {
            Ok(offsets) => offsets,
            Err(error) => {
                for (hook, ..) in hooks {
                    self.status.set(hook.name, &place, State::Failed, &error);
                }
                return;
            }
        };
        // Returns before entries: a return without an entry is ignored, while an
        // entry without a return would linger.
        let mut results = Vec::new();
        for ((_, _, _, leave), offset) in hooks.iter().zip(&offsets) {
            results.push(match (leave, offset) {
                (Some(leave), Some(offset)) => self.attach_uprobe(leave, *offset, &library),
                _ => Ok(()),
            });
        }
        for (((hook, symbol, enter, _), offset), returned) in
            hooks.iter().zip(&offsets).zip(results)
        {
            let Some(offset) = offset else {
                let why = format!("{symbol} is not exported");
                self.status.set(hook.name, &place, State::Disabled, why);
                continue;
            };
            let result = returned.and_then(|()| self.attach_uprobe(enter, *offset, &library));
            self.note(hook, &place, result);
        }
        tracing::info!(library = %place, "TLS library is watched");
    }

    /// Attaches the program that counts calls to any function, for `doctor`.
    pub(super) fn attach_for_test(
        &mut self,
        library: &Library,
        symbol: &str,
    ) -> Result<(), String> {
        let offsets = library
            .offsets(&[symbol])
            .map_err(|error| error.to_string())?;
        let offset = offsets.first().copied().flatten();
        let offset = offset.ok_or_else(|| format!("{symbol} is not exported"))?;
        self.attach_uprobe("ssl_write_enter", offset, library)
            .map_err(|error| reason(&error))
    }

    /// The paths of the libraries that are attached to, sorted.
    pub fn libraries(&self) -> Vec<String> {
        let mut paths: Vec<_> = self
            .libraries
            .values()
            .map(|path| path.display().to_string())
            .collect();
        paths.sort();
        paths
    }

    fn note(&self, hook: &Hook, place: &str, result: Result<(), ProgramError>) {
        match result {
            Ok(()) => self.status.set(hook.name, place, State::Active, ""),
            Err(error) => {
                let why = reason(&error);
                tracing::warn!(
                    hook = hook.name,
                    place,
                    why,
                    without = hook.without,
                    "hook failed"
                );
                self.status.set(hook.name, place, State::Failed, why);
            }
        }
    }

    fn attach_uprobe(
        &mut self,
        name: &str,
        offset: u64,
        library: &Library,
    ) -> Result<(), ProgramError> {
        let program: &mut UProbe = program(&mut self.ebpf, name)?;
        let location = UProbeAttachLocation::AbsoluteOffset(offset);
        // For all processes: per-process probes are slower, and the scope is
        // decided in the program.
        program
            .attach(location, library.attach_path(), UProbeScope::AllProcesses)
            .map(drop)
    }

    fn attach_skb(&mut self, hook: &Hook, name: &str, direction: CgroupSkbAttachType) {
        let result = File::open(&self.cgroup.directory)
            .map_err(ProgramError::IOError)
            .and_then(|cgroup| {
                let program: &mut CgroupSkb = program(&mut self.ebpf, name)?;
                program.attach(cgroup, direction, LINK_MODE).map(drop)
            });
        let place = self.cgroup.path.clone();
        self.note(hook, &place, result);
    }

    fn attach_connect(&mut self, name: &str) -> Result<(), ProgramError> {
        let cgroup = File::open(&self.cgroup.directory).map_err(ProgramError::IOError)?;
        let program: &mut CgroupSockAddr = program(&mut self.ebpf, name)?;
        program.attach(cgroup, LINK_MODE).map(drop)
    }

    fn attach_tracepoint(
        &mut self,
        name: &str,
        category: &str,
        tracepoint: &str,
    ) -> Result<(), ProgramError> {
        let program: &mut TracePoint = program(&mut self.ebpf, name)?;
        program.attach(category, tracepoint).map(drop)
    }
}

fn program<'a, T>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut T, ProgramError>
where
    &'a mut T: TryFrom<&'a mut Program, Error = ProgramError>,
{
    ebpf.program_mut(name)
        .ok_or(ProgramError::NotLoaded)?
        .try_into()
}

/// Loads each program by itself, so that one which this kernel refuses does not
/// take the others with it; attaching it then fails with `NotLoaded`.
fn load_programs(ebpf: &mut Ebpf, status: &Status) {
    for (name, program) in ebpf.programs_mut() {
        let result = match program {
            Program::UProbe(program) => program.load(),
            Program::TracePoint(program) => program.load(),
            Program::CgroupSkb(program) => program.load(),
            Program::CgroupSockAddr(program) => program.load(),
            _ => Err(ProgramError::UnexpectedProgramType),
        };
        if let Err(error) = result {
            let why = reason(&error);
            tracing::warn!(program = name, why, "the kernel refuses a program");
            for hook in HOOKS.iter().filter(|hook| hook.uses(name)) {
                status.set(hook.name, "load", State::Failed, &why);
            }
        }
    }
}

/// An error of aya in one line: the verifier's log is for developers.
fn reason(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError { io_error, .. } => format!("load: {io_error}"),
        other => {
            let mut text = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            text
        }
    }
}

fn write_scope(ebpf: &mut Ebpf, config: &ProbeConfig, cgroup: &Cgroup) -> Result<(), ProbeError> {
    let mut flags = 0;
    if config.scope.cgroup.is_some() && cgroup.level > 0 {
        flags |= bits::CGROUP;
    }
    if config.scope.is_listed() {
        flags |= bits::PROCESSES;
    }
    let wakeup = config.data_ring_bytes / 8;
    let mut bytes = [0; size_of::<abi::Scope>()];
    bytes[..8].copy_from_slice(&cgroup.id.to_ne_bytes());
    for (slot, word) in
        bytes[8..]
            .chunks_exact_mut(4)
            .zip([cgroup.level, flags, std::process::id(), wakeup])
    {
        slot.copy_from_slice(&word.to_ne_bytes());
    }
    let settings = ebpf.map_mut("SCOPE").ok_or(ProbeError::Absent("SCOPE"))?;
    let mut settings: Array<&mut MapData, [u8; size_of::<abi::Scope>()]> =
        map("SCOPE", Array::try_from(settings))?;
    map("SCOPE", settings.set(0, bytes, 0))?;
    let executables = ebpf
        .map_mut("EXECUTABLES")
        .ok_or(ProbeError::Absent("EXECUTABLES"))?;
    let mut executables: BpfHashMap<&mut MapData, u64, u32> =
        map("EXECUTABLES", BpfHashMap::try_from(executables))?;
    for path in &config.scope.executables {
        let resolved = std::fs::canonicalize(path).ok();
        for path in [Some(path), resolved.as_ref()].into_iter().flatten() {
            let hash = fnv1a(path.as_os_str().as_encoded_bytes());
            map("EXECUTABLES", executables.insert(hash, 1, 0))?;
        }
    }
    Ok(())
}

/// FNV-1a, as the exec program computes it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `CLOCK_REALTIME` minus `CLOCK_MONOTONIC`, nanoseconds.
fn anchor() -> u64 {
    let nanoseconds = |clock| {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
    };
    let before = nanoseconds(ClockId::Monotonic);
    let wall = nanoseconds(ClockId::Realtime);
    let after = nanoseconds(ClockId::Monotonic);
    wall.saturating_sub(before.midpoint(after))
}
