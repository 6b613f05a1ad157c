//! Loads the kernel programs and writes what they are to watch.

use std::{fs::File, io};

use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::{Array, CgroupArray, HashMap as BpfHashMap, MapData, MapError},
    programs::{Program, ProgramError, UProbe},
    util::KernelVersion,
};
use object::{Object as _, ObjectSection as _};
use phiwatch_ebpf::abi::{self, scope as bits};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

use super::{
    attach::ProbeConfig,
    cgroup::{Cgroup, CgroupError},
    multi::{self, MultiError},
    status::{State, Status},
    table::{Attachment, EXIT_PROGRAM, HOOKS},
    uprobes::Interface,
};

/// The kernel programs, as the build script built them.
static PROGRAMS: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/phiwatch-ebpf"));

/// The size of rings that nothing is sent through, bytes.
const MIN_RING: u32 = 64 << 10;

/// Why the kernel programs cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// This build carries no programs.
    #[error("this build carries no kernel programs (built with AYA_BUILD_SKIP)")]
    NotBuilt,
    /// The programs lay out their records otherwise than this build reads them.
    #[error(
        "the kernel programs have ABI version {programs}, not {}",
        abi::ABI_VERSION
    )]
    AbiVersion {
        /// Theirs; 0 if they do not say.
        programs: u32,
    },
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

/// Names the map in an error about it.
pub(super) fn map<T, E>(name: &'static str, result: Result<T, E>) -> Result<T, ProbeError>
where
    MapError: From<E>,
{
    result.map_err(|source| ProbeError::Map {
        name,
        source: Box::new(source.into()),
    })
}

/// Loads the programs and writes the scope; `status` learns what was refused.
pub(super) fn load(
    config: &ProbeConfig,
    cgroup: &Cgroup,
    layout: &abi::Layout,
    status: &Status,
) -> Result<(Ebpf, Interface), ProbeError> {
    if PROGRAMS.is_empty() {
        return Err(ProbeError::NotBuilt);
    }
    let programs = abi_version(PROGRAMS).unwrap_or(0);
    if programs != abi::ABI_VERSION {
        return Err(ProbeError::AbiVersion { programs });
    }
    let log_level = if config.kernel_log { u8::MAX } else { 0 };
    let mut ebpf = EbpfLoader::new()
        .map_max_entries("DATA_RING", config.data_ring_bytes)
        .map_max_entries("CONTROL_RING", config.control_ring_bytes)
        .override_global(aya_log::LEVEL, &log_level, false)
        .load(PROGRAMS)
        .map_err(|source| ProbeError::Load(Box::new(source)))?;
    write_scope(&mut ebpf, config, cgroup)?;
    write_layout(&mut ebpf, layout)?;
    let interface = load_uprobes(&mut ebpf, status);
    load_programs(&mut ebpf, status);
    Ok((ebpf, interface))
}

/// The version of the ABI that an object file was built with.
fn abi_version(programs: &[u8]) -> Option<u32> {
    let file = object::File::parse(programs).ok()?;
    let section = file.section_by_name(abi::ABI_SECTION)?;
    Some(u32::from_ne_bytes(section.data().ok()?.try_into().ok()?))
}

/// Loads the programs of TLS functions for the best interface that this kernel
/// has. What it refuses for a better one is no failure.
fn load_uprobes(ebpf: &mut Ebpf, status: &Status) -> Interface {
    match multi::load(PROGRAMS, ebpf, ["tls_call", "tls_exit"]) {
        Ok([call, exit]) => return Interface::Multi { call, exit },
        Err(error @ (MultiError::Load { .. } | MultiError::Link(_))) => {
            tracing::debug!(%error, "one link for each probe");
        }
        Err(error) => tracing::error!(%error, "one link for each probe"),
    }
    let mut load = |name| {
        let program: &mut UProbe = program(ebpf, name)?;
        program.load()
    };
    match load("tls_call").and_then(|()| load("tls_exit")) {
        Ok(()) => return Interface::Cookies,
        Err(error) if has_cookies() => {
            tracing::debug!(%error, "the verifier");
            let why = reason(&error);
            tracing::warn!(
                why,
                "the kernel refuses the better programs of TLS functions"
            );
        }
        Err(error) => tracing::debug!(why = reason(&error), "no cookies"),
    }
    for name in plain_programs() {
        if let Err(error) = load(name) {
            refused(name, &error, status);
        }
    }
    Interface::Plain
}

/// The programs of functions for kernels without attach cookies.
fn plain_programs() -> impl Iterator<Item = &'static str> {
    let programs = HOOKS.iter().filter_map(|hook| match hook.attachment {
        Attachment::Function { program, .. } => Some(program),
        _ => None,
    });
    programs.chain([EXIT_PROGRAM])
}

/// Whether the programs of TLS functions are told by a cookie which site they are at,
/// found out as [`load`] does. Who may not load them is told by the kernel's version.
pub(super) fn gives_cookies() -> bool {
    let mut loader = EbpfLoader::new();
    loader.map_max_entries("DATA_RING", MIN_RING);
    loader.map_max_entries("CONTROL_RING", MIN_RING);
    match loader.load(PROGRAMS) {
        Ok(mut ebpf) => load_uprobes(&mut ebpf, &Status::default()).has_cookies(),
        Err(error) => {
            tracing::debug!(%error, "no programs are loaded");
            has_cookies()
        }
    }
}

/// Whether the kernel gives programs the cookie of their link: Linux 5.15.
fn has_cookies() -> bool {
    KernelVersion::current().is_ok_and(|kernel| kernel >= KernelVersion::new(5, 15, 0))
}

/// Loads each program by itself, so that one which this kernel refuses does not
/// take the others with it; attaching it then fails with `NotLoaded`.
fn load_programs(ebpf: &mut Ebpf, status: &Status) {
    for (name, program) in ebpf.programs_mut() {
        let result = match program {
            // Loaded before, for the interface that the kernel has.
            Program::UProbe(_) => continue,
            Program::TracePoint(program) => program.load(),
            Program::CgroupSkb(program) => program.load(),
            Program::CgroupSockAddr(program) => program.load(),
            _ => Err(ProgramError::UnexpectedProgramType),
        };
        if let Err(error) = result {
            refused(name, &error, status);
        }
    }
}

fn refused(name: &str, error: &ProgramError, status: &Status) {
    let why = reason(error);
    tracing::warn!(program = name, why, "the kernel refuses a program");
    if let ProgramError::LoadError { verifier_log, .. } = error {
        tracing::debug!(program = name, "{verifier_log}");
    }
    for hook in HOOKS.iter().filter(|hook| hook.uses(name)) {
        status.set(hook.name, "load", State::Failed, &why);
    }
}

/// A program of the object, as what it is.
pub(super) fn program<'a, T>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut T, ProgramError>
where
    &'a mut T: TryFrom<&'a mut Program, Error = ProgramError>,
{
    ebpf.program_mut(name)
        .ok_or(ProgramError::NotLoaded)?
        .try_into()
}

/// An error of aya in one line: the verifier's log is for developers.
pub(super) fn reason(error: &ProgramError) -> String {
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
        write_cgroup(ebpf, cgroup)?;
    }
    if config.scope.is_listed() {
        flags |= bits::PROCESSES;
    }
    let wakeup = config.data_ring_bytes / 8;
    let mut bytes = [0; size_of::<abi::Scope>()];
    for (slot, word) in bytes
        .chunks_exact_mut(4)
        .zip([flags, std::process::id(), wakeup])
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

fn write_cgroup(ebpf: &mut Ebpf, cgroup: &Cgroup) -> Result<(), ProbeError> {
    let directory = File::open(&cgroup.directory).map_err(|source| CgroupError::Missing {
        path: cgroup.directory.clone(),
        source,
    })?;
    let scope = ebpf.map_mut("CGROUP").ok_or(ProbeError::Absent("CGROUP"))?;
    let mut scope: CgroupArray<&mut MapData> = map("CGROUP", CgroupArray::try_from(scope))?;
    map("CGROUP", scope.set(0, directory, 0))
}

fn write_layout(ebpf: &mut Ebpf, layout: &abi::Layout) -> Result<(), ProbeError> {
    let abi::Layout {
        new_pid,
        new_flags,
        exec_path,
        exit_group_dead,
        moved_pid,
        task_signal,
        signal_live,
    } = *layout;
    let mut bytes = [0; size_of::<abi::Layout>()];
    for (slot, word) in bytes.chunks_exact_mut(4).zip([
        new_pid,
        new_flags,
        exec_path,
        exit_group_dead,
        moved_pid,
        task_signal,
        signal_live,
    ]) {
        slot.copy_from_slice(&word.to_ne_bytes());
    }
    let slot = ebpf.map_mut("LAYOUT").ok_or(ProbeError::Absent("LAYOUT"))?;
    let mut slot: Array<&mut MapData, [u8; size_of::<abi::Layout>()]> =
        map("LAYOUT", Array::try_from(slot))?;
    map("LAYOUT", slot.set(0, bytes, 0))
}

/// Lets this process have as many descriptors as it may: every hook of every
/// library takes one.
pub(super) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// FNV-1a, as the exec program computes it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `CLOCK_MONOTONIC`, nanoseconds: the time of records.
pub(super) fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// `CLOCK_REALTIME` minus `CLOCK_MONOTONIC`, nanoseconds.
pub(super) fn anchor() -> u64 {
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
