//! `uprobe_multi` links (Linux 6.6): one link holds any number of probes in one
//! file, each with a cookie, for every process or for one.
//!
//! What each kernel gives:
//!
//! | | Linux |
//! |---|---|
//! | perf probes, one link each, for all processes or for one | 4.17 |
//! | cookies, without which every function needs a program of its own | 5.15 |
//! | this link | 6.6 |
//!
//! Both kinds of link for one process put breakpoints only into the memory of
//! that process; all others run unprobed code, whatever they map. Linking the
//! first of several probes takes a grace period (8 to 20 ms here), the ones that
//! follow at once take microseconds; taking a link away takes 25 to 50 ms.
//!
//! aya 0.14 can neither load programs for these links nor make them, so this
//! module does it by the system call.

use std::{
    collections::HashSet,
    ffi::{CString, OsStr},
    io,
    os::{
        fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use aya::{
    Ebpf,
    maps::{Map, MapData},
};
use aya_obj::{Object, generated::bpf_insn};

/// `enum bpf_cmd` of the kernel's `uapi/linux/bpf.h`.
const BPF_PROG_LOAD: libc::c_long = 5;
/// See [`BPF_PROG_LOAD`].
const BPF_LINK_CREATE: libc::c_long = 28;
/// `enum bpf_prog_type`.
const BPF_PROG_TYPE_KPROBE: u32 = 2;
/// `enum bpf_attach_type`.
const BPF_TRACE_UPROBE_MULTI: u32 = 48;

/// The part of `union bpf_attr` that loading a program uses.
#[repr(C)]
#[derive(Default)]
struct LoadAttributes {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    expected_attach_type: u32,
}

const _: () = assert!(size_of::<LoadAttributes>() == 72);

/// The part of `union bpf_attr` that making a `uprobe_multi` link uses.
#[repr(C)]
#[derive(Default)]
struct LinkAttributes {
    program: u32,
    target: u32,
    attach_type: u32,
    flags: u32,
    path: u64,
    offsets: u64,
    reference_counters: u64,
    cookies: u64,
    count: u32,
    multi_flags: u32,
    pid: u32,
    padding: u32,
}

const _: () = assert!(size_of::<LinkAttributes>() == 64);

/// Why a program cannot be loaded for these links.
#[derive(Debug, thiserror::Error)]
pub(super) enum MultiError {
    /// The object file is not what the build script built.
    #[error("the object file: {0}")]
    Object(String),
    /// The kernel refuses the program.
    #[error("load {program} for uprobe_multi: {source}")]
    Load {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The kernel takes the programs, as some do that never look at what they are
    /// for, but does not know the link.
    #[error("link for uprobe_multi: {0}")]
    Link(#[source] io::Error),
}

/// A program that was loaded for these links.
pub(super) struct MultiProgram(OwnedFd);

/// Loads `names` from the object, with the maps that `ebpf` made for it.
pub(super) fn load<const N: usize>(
    object: &[u8],
    ebpf: &Ebpf,
    names: [&'static str; N],
) -> Result<[MultiProgram; N], MultiError> {
    let broken = |error: &dyn std::fmt::Display| MultiError::Object(error.to_string());
    let mut object = Object::parse(object).map_err(|error| broken(&error))?;
    let declared = object.maps.clone();
    let maps: Vec<(&str, RawFd, &aya_obj::Map)> = ebpf
        .maps()
        .filter_map(|(name, map)| {
            let descriptor = data(map).fd().as_fd().as_raw_fd();
            Some((name, descriptor, declared.get(name)?))
        })
        .collect();
    let text: HashSet<usize> = object
        .functions
        .keys()
        .map(|(section, _)| *section)
        .collect();
    object
        .relocate_maps(maps.into_iter(), &text)
        .map_err(|error| broken(&error))?;
    object
        .relocate_calls(&text)
        .map_err(|error| broken(&error))?;
    let mut loaded = Vec::with_capacity(N);
    for name in names {
        let program = object
            .programs
            .get(name)
            .ok_or_else(|| MultiError::Object(format!("no program {name}")))?;
        let function = object
            .functions
            .get(&program.function_key())
            .ok_or_else(|| MultiError::Object(format!("no function {name}")))?;
        let program =
            load_one(name, &function.instructions, &program.license).map_err(|source| {
                MultiError::Load {
                    program: name,
                    source,
                }
            })?;
        loaded.push(program);
    }
    if let Some(program) = loaded.first() {
        tried(program)?;
    }
    let count = loaded.len();
    loaded
        .try_into()
        .map_err(|_surplus: Vec<_>| MultiError::Object(format!("{count} programs instead of {N}")))
}

/// Whether the kernel knows the link, found out with a file that it must refuse.
fn tried(program: &MultiProgram) -> Result<(), MultiError> {
    let nowhere = Probe {
        offset: 0,
        cookie: 0,
    };
    match program.link(Path::new("/"), None, &[nowhere]) {
        Err(error) if error.raw_os_error() != Some(libc::EBADF) => Err(MultiError::Link(error)),
        _ => Ok(()),
    }
}

/// What is behind a map of any kind.
fn data(map: &Map) -> &MapData {
    let (Map::Array(data)
    | Map::ArrayOfMaps(data)
    | Map::BloomFilter(data)
    | Map::CgroupArray(data)
    | Map::CgroupStorage(data)
    | Map::CgrpStorage(data)
    | Map::CpuMap(data)
    | Map::DevMap(data)
    | Map::DevMapHash(data)
    | Map::HashMap(data)
    | Map::HashOfMaps(data)
    | Map::InodeStorage(data)
    | Map::LpmTrie(data)
    | Map::LruHashMap(data)
    | Map::PerCpuArray(data)
    | Map::PerCpuCgroupStorage(data)
    | Map::PerCpuHashMap(data)
    | Map::PerCpuLruHashMap(data)
    | Map::PerfEventArray(data)
    | Map::ProgramArray(data)
    | Map::Queue(data)
    | Map::ReusePortSockArray(data)
    | Map::RingBuf(data)
    | Map::SockHash(data)
    | Map::SockMap(data)
    | Map::SkStorage(data)
    | Map::Stack(data)
    | Map::StackTraceMap(data)
    | Map::Unsupported(data)
    | Map::XskMap(data)) = map;
    data
}

fn load_one(name: &str, instructions: &[bpf_insn], license: &CString) -> io::Result<MultiProgram> {
    let mut attributes = LoadAttributes {
        program_type: BPF_PROG_TYPE_KPROBE,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        expected_attach_type: BPF_TRACE_UPROBE_MULTI,
        ..LoadAttributes::default()
    };
    // The last byte stays zero.
    for (slot, byte) in attributes.name.iter_mut().take(15).zip(name.bytes()) {
        *slot = byte;
    }
    // SAFETY: the attributes are valid for their size, and what they point to
    // lives until the call returns.
    let descriptor = unsafe { bpf(BPF_PROG_LOAD, &attributes) }?;
    Ok(MultiProgram(descriptor))
}

/// One probe of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    /// Where it is in the file, bytes.
    pub offset: u64,
    /// What its program is told.
    pub cookie: u64,
}

impl MultiProgram {
    /// Links the program to `probes` in the file at `path`, for one process or
    /// for all. Closing the link takes them away again.
    ///
    /// # Errors
    /// That of the system call: `ESRCH` where the process has gone, `ENOTSUPP`
    /// (524) where an instruction cannot be probed.
    pub(super) fn link(
        &self,
        path: &Path,
        pid: Option<u32>,
        probes: &[Probe],
    ) -> io::Result<OwnedFd> {
        let path = CString::new(OsStr::as_bytes(path.as_os_str()))?;
        let offsets: Vec<u64> = probes.iter().map(|probe| probe.offset).collect();
        let cookies: Vec<u64> = probes.iter().map(|probe| probe.cookie).collect();
        let attributes = LinkAttributes {
            program: self.0.as_raw_fd().cast_unsigned(),
            attach_type: BPF_TRACE_UPROBE_MULTI,
            path: path.as_ptr() as u64,
            offsets: offsets.as_ptr() as u64,
            cookies: cookies.as_ptr() as u64,
            count: probes.len() as u32,
            pid: pid.unwrap_or(0),
            ..LinkAttributes::default()
        };
        // SAFETY: the attributes are valid for their size, and what they point to
        // lives until the call returns.
        unsafe { bpf(BPF_LINK_CREATE, &attributes) }
    }
}

/// The system call `bpf(2)`, for commands that return a descriptor.
///
/// # Safety
/// `attributes` is what `command` takes, and its pointers are valid.
unsafe fn bpf<T>(command: libc::c_long, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: that of the caller.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    match i32::try_from(result) {
        // SAFETY: a command that succeeds gives a new descriptor.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}
