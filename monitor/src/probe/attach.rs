//! Attaches the programs: to the scope's cgroup, to tracepoints,
//! and to every TLS library that a watched process maps.

use std::{
    collections::HashMap,
    fs::File,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    maps::{Array, HashMap as BpfHashMap, MapData, RingBuf},
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSockAddr, Program, ProgramError,
        TracePoint, UProbe,
        uprobe::{UProbeAttachLocation, UProbeScope},
    },
};

use super::{
    library::{self, FileId, Library, LibraryError},
    load::{ProbeError, anchor, load, map, reason},
    process::{self, Cgroup, Scope},
    reader::{Reader, Verdicts},
    status::{State, Status},
    table::{Attachment, HOOKS, Hook},
    translate::{Signal, Translator},
};

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

/// The loaded programs. Dropping it detaches everything.
pub struct Probes {
    ebpf: Ebpf,
    config: ProbeConfig,
    cgroup: Cgroup,
    status: Status,
    watched: BpfHashMap<MapData, u32, u32>,
    libraries: HashMap<FileId, PathBuf>,
}

impl Probes {
    /// Loads the programs and writes the scope. Nothing is attached yet.
    pub fn load(config: ProbeConfig) -> Result<Self, ProbeError> {
        let cgroup = match &config.scope.cgroup {
            Some(cgroup) => cgroup.clone(),
            None => Cgroup::find(None)?,
        };
        let status = Status::default();
        let mut ebpf = load(&config, &cgroup, &status)?;
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

    /// The maps of verdicts, once.
    pub fn verdicts(&mut self) -> Result<Verdicts, ProbeError> {
        let mut take = |name| self.ebpf.take_map(name).ok_or(ProbeError::Absent(name));
        let (tls, sockets) = (take("VERDICTS")?, take("SOCKET_VERDICTS")?);
        Ok(Verdicts {
            tls: map("VERDICTS", BpfHashMap::try_from(tls))?,
            sockets: map("SOCKET_VERDICTS", BpfHashMap::try_from(sockets))?,
        })
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
                    if library::is_tls_library(&path) {
                        self.attach_library(library::open_in_root(pid, &path));
                    }
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
        if self.libraries.contains_key(&library.id) {
            return;
        }
        if self.libraries.len() >= MAX_LIBRARIES {
            let why = format!("{MAX_LIBRARIES} libraries are watched already");
            self.status
                .set("ssl_write", "further libraries", State::Failed, why);
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
