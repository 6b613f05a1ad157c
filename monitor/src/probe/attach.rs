//! Attaches the programs to the scope's cgroup and to tracepoints, and hooks
//! the TLS libraries that are there at the start; [`super::discover`] follows
//! what comes later.

use std::{
    collections::HashSet,
    fs::File,
    os::fd::{AsFd as _, OwnedFd},
};

use aya::{
    Ebpf,
    maps::{Array, HashMap as BpfHashMap, MapData, RingBuf},
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSockAddr, ProgramError, TracePoint,
    },
};
use phiwatch_ebpf::abi::{self, mark};

use super::{
    budget::Budget,
    calibrate,
    cgroup::Cgroup,
    executable::Executables,
    hooks::{Hooks, TargetMaps},
    libraries::{Libraries, Owner},
    library::{self, Library},
    load::{ProbeError, anchor, load, map, program, raise_descriptors, reason},
    maps::Name,
    process::Scope,
    reader::{Reader, Verdicts},
    sites::Effort,
    status::{State, Status},
    table::{Attachment, HOOKS, Hook, Tracepoint},
    tracefs::{self, Tracefs, TracefsError},
    translate::Translator,
    uprobes::Link,
    usage::UsageMap,
};

/// A link to a cgroup always shares it with others and takes no flags.
const LINK_MODE: CgroupAttachMode = CgroupAttachMode::Single;

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
    /// The share of the host's processors that hooks and phiwatch may take; 0
    /// for no limit.
    pub budget: f64,
}

/// The loaded programs. Dropping it detaches everything.
pub struct Probes {
    pub(super) ebpf: Ebpf,
    pub(super) config: ProbeConfig,
    cgroup: Cgroup,
    pub(super) status: Status,
    pub(super) watched: BpfHashMap<MapData, u32, abi::Mark>,
    tracefs: Result<Tracefs, TracefsError>,
    /// Open as long as the tracepoints' programs are to run.
    pub(super) tracepoints: Vec<OwnedFd>,
    pub(super) libraries: Libraries,
    pub(super) hooks: Hooks,
    pub(super) budget: Budget,
    pub(super) executables: Executables,
    /// During a scan, the files that need not be looked at again in it, by who brought
    /// them: to one owner a file may be refused for what others cost it.
    pub(super) passed: Option<HashSet<(Owner, Name)>>,
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
        let (mut ebpf, interface) = load(&config, &cgroup, &layout, &status)?;
        let watched = ebpf
            .take_map("WATCHED")
            .ok_or(ProbeError::Absent("WATCHED"))?;
        let mut watched: BpfHashMap<MapData, u32, abi::Mark> =
            map("WATCHED", BpfHashMap::try_from(watched))?;
        for pid in &config.scope.pids {
            map("WATCHED", watched.insert(pid, mark::LISTED, 0))?;
        }
        let mut take = |name| ebpf.take_map(name).ok_or(ProbeError::Absent(name));
        let maps = TargetMaps {
            targets: map("TARGETS", Array::try_from(take("TARGETS")?))?,
            usage: UsageMap::new(
                map("USAGE", BpfHashMap::try_from(take("USAGE")?))?,
                map("OTHER_USAGE", Array::try_from(take("OTHER_USAGE")?))?,
            ),
        };
        let is_narrow = config.scope.is_narrow();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let budget = Budget::new(config.budget, processors, calibrate::hit_cost(&interface));
        Ok(Self {
            hooks: Hooks::new(is_narrow, interface, maps, status.clone()),
            ebpf,
            config,
            cgroup,
            status,
            watched,
            tracefs,
            tracepoints: Vec::new(),
            libraries: Libraries::default(),
            budget,
            executables: Executables::default(),
            passed: None,
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
            self.hooks.known(),
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
                Attachment::Function { .. } => {}
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
            self.hook(Library::open(&path, &path), &Owner::Host, Effort::Usual);
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

    /// Attaches a program to any function, for `doctor`.
    pub(super) fn attach_for_test(
        &mut self,
        library: &Library,
        symbol: &str,
    ) -> Result<Link, String> {
        let functions = library
            .functions(&[symbol])
            .map_err(|error| error.to_string())?;
        let function = functions.into_iter().flatten().next();
        let function = function.ok_or_else(|| format!("{symbol} is not exported"))?;
        let path = library.attach_path();
        self.hooks
            .interface()
            .link_for_test(&mut self.ebpf, function.offset, &path)
    }

    /// How often programs on functions were run so far.
    pub(super) fn hits(&mut self) -> u64 {
        let usage = self.hooks.usage();
        usage
            .all()
            .map(|(_, own)| own.emulated + own.single_stepped)
            .sum()
    }

    /// How programs are linked to functions.
    pub(super) fn interface(&self) -> &'static str {
        self.hooks.interface().describe()
    }

    /// Where in each library the probes sit, or would, a line each.
    pub(super) fn placements(&self) -> Vec<String> {
        let decisions = self.hooks.decisions();
        let mut lines: Vec<_> = decisions
            .filter(|(_, decision)| decision.state == State::Active)
            .map(|(place, decision)| format!("{place}: {}", decision.detail))
            .collect();
        lines.sort();
        lines
    }

    /// The hooked libraries, sorted.
    pub fn libraries(&self) -> Vec<String> {
        self.hooks.places()
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
