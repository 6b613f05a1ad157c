//! Attaches the programs: to the scope's cgroup, to tracepoints,
//! and to every TLS library that a watched process maps.

use std::{
    collections::HashMap,
    fs::File,
    ops::ControlFlow,
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    maps::{Array, HashMap as BpfHashMap, MapData, RingBuf},
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSockAddr, Program, ProgramError,
        TracePoint, UProbe,
        uprobe::{UProbeAttachLocation, UProbeLinkId, UProbeScope},
    },
};
use phiwatch_ebpf::abi::{self, mark};

use super::{
    cgroup::Cgroup,
    elf::{BuildId, Function},
    libraries::{Admission, Full, Libraries, Owner},
    library::{self, FileId, Library, LibraryError},
    load::{ProbeError, anchor, load, map, raise_descriptors, reason},
    maps,
    process::{self, Scope},
    reader::{Reader, Verdicts},
    status::{State, Status},
    table::{Attachment, HOOKS, Hook, Tracepoint},
    tracefs::{self, Tracefs, TracefsError},
    translate::{Signal, Translator},
};

/// A link to a cgroup always shares it with others and takes no flags.
const LINK_MODE: CgroupAttachMode = CgroupAttachMode::Single;

/// How often everything is scanned, in case an event was missed.
const RESCAN: Duration = Duration::from_secs(30);
/// How often a library that was just opened is looked for in the maps.
const FOLLOW_UP: Duration = Duration::from_millis(50);
/// How many processes wait to be looked at again.
const MAX_FOLLOW_UPS: usize = 1_024;
/// How many processes are looked at because one that was let in had forked them.
const MAX_DESCENDANTS: usize = 4_096;

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
    watched: BpfHashMap<MapData, u32, abi::Mark>,
    tracefs: Result<Tracefs, TracefsError>,
    /// Open as long as the tracepoints' programs are to run.
    tracepoints: Vec<OwnedFd>,
    libraries: Libraries,
    hooked: HashMap<FileId, HookedLibrary>,
}

/// A library that is attached to.
struct HookedLibrary {
    path: PathBuf,
    build_id: Option<BuildId>,
    /// Every link, with the program that it belongs to.
    links: Vec<(&'static str, UProbeLinkId)>,
}

impl Probes {
    /// Loads the programs and writes the scope. Nothing is attached yet.
    pub fn load(config: ProbeConfig) -> Result<Self, ProbeError> {
        let cgroup = match &config.scope.cgroup {
            Some(cgroup) => cgroup.clone(),
            None => Cgroup::find(None)?,
        };
        raise_descriptors();
        let status = Status::default();
        let tracefs = Tracefs::open();
        let layout = tracefs.as_ref().map(Tracefs::layout).unwrap_or_default();
        if let Err(error) = &tracefs {
            tracing::warn!(%error, "new processes and libraries are found by scans alone");
        }
        let mut ebpf = load(&config, &cgroup, &layout, &status)?;
        let watched = ebpf
            .take_map("WATCHED")
            .ok_or(ProbeError::Absent("WATCHED"))?;
        let mut watched: BpfHashMap<MapData, u32, abi::Mark> =
            map("WATCHED", BpfHashMap::try_from(watched))?;
        for pid in &config.scope.pids {
            map("WATCHED", watched.insert(pid, mark::LISTED, 0))?;
        }
        Ok(Self {
            ebpf,
            config,
            cgroup,
            status,
            watched,
            tracefs,
            tracepoints: Vec::new(),
            libraries: Libraries::default(),
            hooked: HashMap::new(),
        })
    }

    /// Why phiwatch learns of new processes and libraries by its scans only;
    /// `None` where tracepoints tell it.
    pub fn without_tracepoints(&self) -> Option<&TracefsError> {
        self.tracefs.as_ref().err()
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
                Attachment::Tracepoints(all) => {
                    for tracepoint in all {
                        self.attach_tracepoint(hook, *tracepoint);
                    }
                }
            }
        }
        for path in library::standard() {
            self.attach_library(Library::open(&path, &path), &Owner::Host);
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
        let all = process::all();
        for id in self.libraries.sweep(|pid| all.contains(&pid)) {
            self.release(id);
        }
        all.into_iter().filter(|pid| self.look_at(*pid)).count()
    }

    /// Follows signals until their sender has gone, scanning now and then.
    /// `watched` is told how many processes the scope holds.
    pub fn discover(&mut self, signals: &Receiver<Signal>, mut watched: impl FnMut(usize)) {
        let mut next_scan = Instant::now() + RESCAN;
        let mut follow_ups: Vec<(Instant, u32)> = Vec::new();
        loop {
            let now = Instant::now();
            let due: Vec<_> = follow_ups.extract_if(.., |(due, _)| *due <= now).collect();
            for (_, pid) in due {
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
                Ok(Signal::Fork { parent, child }) => self.libraries.forked(parent, child),
                Ok(Signal::Library(pid, path)) => {
                    // The file is opened before it is mapped: attach to it by
                    // its path now, and look at the maps a little later in case
                    // that was another file.
                    if library::is_tls_library(&path) {
                        let owner = process::read(pid).map_or(Owner::of(None), |seen| {
                            Owner::of(seen.process.cgroup.as_deref())
                        });
                        self.attach_library(library::open_in_root(pid, &path), &owner);
                    }
                    // A look that is due sooner may come before it is mapped.
                    let is_waiting = follow_ups
                        .iter()
                        .any(|(due, waiting)| *waiting == pid && *due > now + FOLLOW_UP / 2);
                    if follow_ups.len() < MAX_FOLLOW_UPS && !is_waiting {
                        follow_ups.push((now + FOLLOW_UP, pid));
                    }
                }
                Ok(Signal::Exit(pid)) => {
                    self.libraries.ended(pid);
                    self.config.scope.ended(pid);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks at one process: whether it is watched, and which libraries it maps.
    fn look_at(&mut self, pid: u32) -> bool {
        let mut descendants = Vec::new();
        let is_held = self.look_at_one(pid, &mut descendants);
        // Before a process was let in the kernel watched none that it forked.
        for index in 0.. {
            let Some(child) = descendants.get(index).copied() else {
                break;
            };
            self.look_at_one(child, &mut descendants);
            descendants.truncate(MAX_DESCENDANTS);
        }
        is_held
    }

    /// The same, without what the process has forked: that goes to `forked` if
    /// the process is let in now.
    fn look_at_one(&mut self, pid: u32, forked: &mut Vec<u32>) -> bool {
        let Some(seen) = process::read(pid) else {
            return false;
        };
        if !self.config.scope.reaches(&seen.process) {
            return false;
        }
        if self.config.scope.is_listed() {
            let before = self.watched.get(&pid, 0).unwrap_or(0);
            let is_named = self.config.scope.lists(&seen);
            // The kernel saw the path of a script, which may be gone from what
            // `/proc` shows.
            if !is_named && before & mark::BY_PATH == 0 {
                if before != 0 {
                    // It may have gone meanwhile, and then so has its mark.
                    drop(self.watched.remove(&pid));
                }
                self.libraries.maps(pid, &[]);
                return false;
            }
            if is_named && before & (mark::LISTED | mark::CONFIRMED) == 0 {
                // A full map leaves the process unwatched; the kernel counts
                // that.
                drop(self.watched.insert(pid, before | mark::CONFIRMED, 0));
                forked.extend(process::children(pid));
                // It may have called exec between the two: then the kernel has
                // taken away the mark that was just set again.
                let is_still = process::read(pid)
                    .is_some_and(|now| now.exe == seen.exe && now.started == seen.started);
                if !is_still {
                    drop(self.watched.remove(&pid));
                    return false;
                }
            }
        }
        let owner = Owner::of(seen.process.cgroup.as_deref());
        let files: Vec<FileId> = maps::mapped_by(pid)
            .iter()
            .filter_map(|mapped| self.attach_library(library::open_mapped(pid, mapped), &owner))
            .collect();
        self.libraries.maps(pid, &files);
        true
    }

    /// Attaches to a library that `owner` brings, if it is one, and says which
    /// file it is.
    fn attach_library(
        &mut self,
        opened: Result<Library, LibraryError>,
        owner: &Owner,
    ) -> Option<FileId> {
        let library = match opened {
            Ok(library) => library,
            Err(error) => {
                // Often a relative or wrong path that a process merely tried to
                // open.
                tracing::debug!(%error, "file is not looked at");
                return None;
            }
        };
        let id = match self.admit(&library, owner) {
            ControlFlow::Continue(id) => id,
            ControlFlow::Break(known) => return known,
        };
        let hooks: Vec<(&Hook, &'static str, &'static str, Option<&'static str>)> = HOOKS
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
        let functions = match library.functions(&symbols) {
            Ok(functions) => functions,
            Err(error) => {
                tracing::info!(%error, "file is no TLS library");
                let why = "it is no ELF file of this machine";
                self.libraries.refused(id, library.stamp, why);
                return None;
            }
        };
        if functions.iter().all(Option::is_none) {
            let why = "it has none of the functions";
            self.libraries.refused(id, library.stamp, why);
            return None;
        }
        let build_id = library.build_id().ok().flatten();
        if let Some(principal) = self.hooked_as(&library, build_id.as_ref(), &functions) {
            self.libraries.same(id, principal);
            return Some(id);
        }
        let is_kept = *owner == Owner::Host;
        self.libraries
            .hooked(id, library.stamp, owner.clone(), is_kept);
        let place = place(&library.path, id);
        let mut links = Vec::new();
        let mut attach = |probes: &mut Self, program: &'static str, function: &Function| {
            let link = probes.attach_uprobe(program, function.offset, &library)?;
            links.push((program, link));
            Ok(())
        };
        // Returns before entries: a return without an entry is ignored, while an
        // entry without a return would linger.
        let mut results = Vec::new();
        for ((_, _, _, leave), function) in hooks.iter().zip(&functions) {
            results.push(match (leave, function) {
                (Some(leave), Some(function)) => attach(self, leave, function),
                _ => Ok(()),
            });
        }
        for (((hook, symbol, enter, _), function), returned) in
            hooks.iter().zip(&functions).zip(results)
        {
            let Some(function) = function else {
                let why = format!("{symbol} is not exported");
                self.status.set(hook.name, &place, State::Disabled, why);
                continue;
            };
            let result = returned.and_then(|()| attach(self, enter, function));
            self.note(hook, &place, result);
        }
        self.hooked.insert(
            id,
            HookedLibrary {
                path: library.path.clone(),
                build_id,
                links,
            },
        );
        tracing::info!(library = %place, "TLS library is watched");
        Some(id)
    }

    /// Whether a library is to be examined, and under which id; if not, its id
    /// where it is hooked already.
    fn admit(&mut self, library: &Library, owner: &Owner) -> ControlFlow<Option<FileId>, FileId> {
        match self.libraries.admit(library.id, library.stamp, owner) {
            Admission::New => ControlFlow::Continue(library.id),
            Admission::Instead(other) => {
                self.release(other);
                ControlFlow::Continue(library.id)
            }
            Admission::Hooked(id) => ControlFlow::Break(Some(id)),
            Admission::Changed(id) => {
                self.release(id);
                if self.libraries.changed(id, library.stamp) {
                    return ControlFlow::Continue(id);
                }
                let why = "it changes too often";
                self.libraries.refused(id, library.stamp, why);
                ControlFlow::Break(None)
            }
            Admission::Refused(why) => {
                tracing::trace!(path = %library.path.display(), why, "file is not hooked");
                ControlFlow::Break(None)
            }
            Admission::Full(full) => {
                let why = match full {
                    Full::Everyone => "too many libraries are hooked",
                    Full::Owner => "too many libraries of one container or unit are hooked",
                };
                self.status
                    .set("ssl_write", "further libraries", State::Failed, why);
                ControlFlow::Break(None)
            }
        }
    }

    /// The hooked file that this one is, seen through another layer of a
    /// container's file system.
    fn hooked_as(
        &self,
        library: &Library,
        build_id: Option<&BuildId>,
        functions: &[Option<Function>],
    ) -> Option<FileId> {
        let (id, _) = self
            .hooked
            .iter()
            .find(|(_, other)| build_id.is_some() && other.build_id.as_ref() == build_id)?;
        // All of them: another tool may have set a breakpoint, too.
        let is_hooked = functions
            .iter()
            .flatten()
            .all(|function| library.is_hooked_at(function.offset).unwrap_or(false));
        is_hooked.then_some(*id)
    }

    /// Detaches from a library that nobody maps any more.
    fn release(&mut self, id: FileId) {
        let Some(HookedLibrary {
            path,
            build_id: _,
            links,
        }) = self.hooked.remove(&id)
        else {
            return;
        };
        let place = place(&path, id);
        for (name, link) in links {
            let detached =
                program(&mut self.ebpf, name).and_then(|program: &mut UProbe| program.detach(link));
            if let Err(error) = detached {
                tracing::warn!(library = %place, why = reason(&error), "probe is not detached");
            }
        }
        for hook in HOOKS {
            if matches!(hook.attachment, Attachment::Library { .. }) {
                self.status.forget(hook.name, &place);
            }
        }
        tracing::info!(library = %place, "TLS library is no longer watched");
    }

    /// Attaches the program that counts calls to any function, for `doctor`.
    pub(super) fn attach_for_test(
        &mut self,
        library: &Library,
        symbol: &str,
    ) -> Result<(), String> {
        let functions = library
            .functions(&[symbol])
            .map_err(|error| error.to_string())?;
        let function = functions.into_iter().flatten().next();
        let function = function.ok_or_else(|| format!("{symbol} is not exported"))?;
        self.attach_uprobe("ssl_write_enter", function.offset, library)
            .map(drop)
            .map_err(|error| reason(&error))
    }

    /// The paths of the libraries that are attached to, sorted.
    pub fn libraries(&self) -> Vec<String> {
        let mut paths: Vec<_> = self
            .hooked
            .values()
            .map(|library| library.path.display().to_string())
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
    ) -> Result<UProbeLinkId, ProgramError> {
        let program: &mut UProbe = program(&mut self.ebpf, name)?;
        let location = UProbeAttachLocation::AbsoluteOffset(offset);
        // For all processes: per-process probes are slower, and the scope is
        // decided in the program.
        program.attach(location, library.attach_path(), UProbeScope::AllProcesses)
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

    fn attach_tracepoint(&mut self, hook: &Hook, tracepoint: Tracepoint) {
        let Tracepoint {
            program: name,
            category,
            name: event,
        } = tracepoint;
        let place = format!("{category}:{event}");
        let found = match &self.tracefs {
            Ok(tracefs) => tracefs.tracepoint(category, event),
            Err(error) => {
                self.status.set(hook.name, &place, State::Failed, error);
                return;
            }
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let state = if error.is_absent() {
                    State::Disabled
                } else {
                    State::Failed
                };
                self.status.set(hook.name, &place, state, error);
                return;
            }
        };
        let attached = program(&mut self.ebpf, name)
            .and_then(|program: &mut TracePoint| {
                let attached = tracefs::attach(program.fd()?.as_fd(), &found);
                attached.map_err(ProgramError::IOError)
            })
            .map(|event| self.tracepoints.push(event));
        self.note(hook, &place, attached);
    }
}

/// A library, in the states of its hooks.
fn place(path: &Path, id: FileId) -> String {
    format!("{} (inode {})", path.display(), id.inode)
}

fn program<'a, T>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut T, ProgramError>
where
    &'a mut T: TryFrom<&'a mut Program, Error = ProgramError>,
{
    ebpf.program_mut(name)
        .ok_or(ProgramError::NotLoaded)?
        .try_into()
}
