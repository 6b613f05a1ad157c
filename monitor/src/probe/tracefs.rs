//! Tracepoints: their ids and the layout of their records, from tracefs, and how
//! programs are attached to them.
//!
//! Where tracefs is mounted it is used as it is. Where it is not, which is the
//! rule in containers and on hosts without systemd, the kernel makes a mount
//! that is attached nowhere (`fsopen`, `fsmount`, Linux 5.2): only this process
//! has it, as a descriptor, and it ends with it. Nothing appears in any mount
//! namespace, and no thread of phiwatch leaves its own, as it would have to for
//! a private mount (`unshare`). aya finds tracepoints by path alone, so the
//! programs are attached here, as aya does it.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
    path::Path,
};

use phiwatch_ebpf::abi::{Layout, MAX_OFFSET};
use rustix::{
    fs::{Mode, OFlags, open, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
};

use super::btf::Btf;

/// Where distributions mount it.
const PLACES: &[&str] = &["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// The tracepoint that every kernel has which phiwatch runs on.
const ALWAYS: (&str, &str) = ("sched", "sched_process_exec");
/// The longest description of a tracepoint, bytes.
const MAX_FORMAT: u64 = 64 << 10;

/// Why tracepoints cannot be used: phiwatch then learns of new processes and
/// libraries by its scans only.
#[derive(Debug, thiserror::Error)]
pub enum TracefsError {
    /// tracefs is not mounted, and the kernel refuses a mount.
    #[error("tracefs is not mounted, and cannot be: {0}")]
    Mount(#[source] io::Error),
    /// tracefs knows no tracepoints of the scheduler.
    #[error("tracefs has no {category}:{name}: {source}")]
    NoTracepoint {
        /// The category.
        category: String,
        /// The name.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// What it says of a tracepoint is not what kernels say.
    #[error("tracefs: the id of {category}:{name} is no number")]
    Unreadable {
        /// The category.
        category: String,
        /// The name.
        name: String,
    },
}

impl TracefsError {
    /// Whether this kernel has no such tracepoint, which may be no fault: some
    /// came with later kernels.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::NoTracepoint { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// tracefs, open.
#[derive(Debug)]
pub(super) struct Tracefs {
    /// Its folder `events`.
    events: OwnedFd,
}

/// A tracepoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tracepoint {
    /// Its number, for `perf_event_open`.
    id: u64,
    /// The offset of every field in its records, bytes.
    fields: HashMap<String, u32>,
}

impl Tracefs {
    /// Finds tracefs, or mounts it for this process alone.
    pub(super) fn open() -> Result<Self, TracefsError> {
        for place in PLACES {
            if let Ok(events) = open(Path::new(place).join("events"), FOLDER, Mode::empty()) {
                let tracefs = Self { events };
                // An empty folder is where it would be mounted.
                if tracefs.tracepoint(ALWAYS.0, ALWAYS.1).is_ok() {
                    return Ok(tracefs);
                }
            }
        }
        let tracefs = Self::mount().map_err(TracefsError::Mount)?;
        tracefs.tracepoint(ALWAYS.0, ALWAYS.1)?;
        tracing::info!("tracefs is not mounted: phiwatch uses a mount of its own");
        Ok(tracefs)
    }

    /// A mount of our own, attached nowhere.
    fn mount() -> io::Result<Self> {
        let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&context)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        let events = openat(&mount, "events", FOLDER, Mode::empty())?;
        Ok(Self { events })
    }

    /// Reads what tracefs says of a tracepoint.
    pub(super) fn tracepoint(
        &self,
        category: &str,
        name: &str,
    ) -> Result<Tracepoint, TracefsError> {
        let read = |what| {
            let path = format!("{category}/{name}/{what}");
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let mut text = String::new();
            openat(&self.events, path, flags, Mode::empty())
                .map_err(io::Error::from)
                .and_then(|file| File::from(file).take(MAX_FORMAT).read_to_string(&mut text))
                .map_err(|source| TracefsError::NoTracepoint {
                    category: category.to_owned(),
                    name: name.to_owned(),
                    source,
                })?;
            Ok(text)
        };
        let id = read("id")?.trim().parse().ok();
        Ok(Tracepoint {
            id: id.ok_or_else(|| TracefsError::Unreadable {
                category: category.to_owned(),
                name: name.to_owned(),
            })?,
            fields: fields(&read("format")?),
        })
    }

    /// Where this kernel keeps what the programs read. What it does not have
    /// stays 0, and the programs that need it do nothing.
    pub(super) fn layout(&self) -> Layout {
        let field = |category, name, field: &str| {
            let tracepoint = self.tracepoint(category, name).unwrap_or_default();
            let offset = tracepoint.fields.get(field).copied();
            offset.filter(|offset| *offset <= MAX_OFFSET).unwrap_or(0)
        };
        let mut layout = Layout {
            new_pid: field("task", "task_newtask", "pid"),
            new_flags: field("task", "task_newtask", "clone_flags"),
            exec_path: field("sched", "sched_process_exec", "filename"),
            exit_group_dead: field("sched", "sched_process_exit", "group_dead"),
            moved_pid: field("cgroup", "cgroup_attach_task", "pid"),
            task_signal: 0,
            signal_live: 0,
        };
        // Before Linux 6.16 no record says which thread is the last.
        if layout.exit_group_dead == 0
            && let Ok(types) = Btf::read()
        {
            let offset = |name, member| types.offset(name, member).unwrap_or(0);
            layout.task_signal = offset("task_struct", "signal");
            layout.signal_live = offset("signal_struct", "live");
        }
        layout
    }
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The fields in the text of a `format`: `field:const char * filename; offset:24;`.
fn fields(format: &str) -> HashMap<String, u32> {
    format
        .lines()
        .filter_map(|line| {
            let mut parts = line.trim().split(';').map(str::trim);
            let declaration = parts.next()?.strip_prefix("field:")?;
            let offset = parts.next()?.strip_prefix("offset:")?.parse().ok()?;
            let name = declaration.rsplit([' ', '*']).next()?;
            let name = name.split('[').next()?;
            Some((name.to_owned(), offset))
        })
        .collect()
}

/// `PERF_TYPE_TRACEPOINT`.
const TRACEPOINT: u32 = 2;
/// `PERF_FLAG_FD_CLOEXEC`.
const CLOSE_ON_EXEC: libc::c_ulong = 8;
/// `PERF_EVENT_IOC_SET_BPF`.
const SET_PROGRAM: libc::Ioctl = 0x4004_2408;
/// `PERF_EVENT_IOC_ENABLE`.
const ENABLE: libc::Ioctl = 0x2400;

/// The first version of `struct perf_event_attr`.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_kind: u32,
    breakpoint_address: u64,
}

const _: () = assert!(size_of::<Attributes>() == 64);

/// Attaches a program, which must be one for tracepoints, on every processor,
/// until what is given back is closed.
pub(super) fn attach(program: BorrowedFd<'_>, tracepoint: &Tracepoint) -> io::Result<OwnedFd> {
    let attributes = Attributes {
        kind: TRACEPOINT,
        size: size_of::<Attributes>() as u32,
        config: tracepoint.id,
        sample_period: 1,
        ..Attributes::default()
    };
    // For all processes. The processor does not matter: a program belongs to the
    // tracepoint and runs wherever that is hit.
    let (process, processor, group) = (-1, 0, -1);
    // SAFETY: the attributes are as long as they say, and live longer than the
    // call, which reads them only.
    let event = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            process,
            processor,
            group,
            CLOSE_ON_EXEC,
        )
    };
    let event = i32::try_from(event).ok().filter(|event| *event >= 0);
    let event = event.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just given this descriptor to nobody else.
    let event = unsafe { OwnedFd::from_raw_fd(event) };
    for (request, argument) in [(SET_PROGRAM, program.as_raw_fd()), (ENABLE, 0)] {
        // SAFETY: both requests take a number and no pointer.
        if unsafe { libc::ioctl(event.as_raw_fd(), request, argument) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_each_kernel_says() {
        for (format, name, expected) in [
            (
                "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n",
                "filename",
                Some(8),
            ),
            (
                "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\
                 \tfield:bool group_dead;\toffset:32;\tsize:1;\tsigned:0;\n",
                "group_dead",
                Some(32),
            ),
            (
                "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n",
                "comm",
                Some(8),
            ),
            (
                "\tfield:unsigned long clone_flags;\toffset:32;\tsize:8;\tsigned:0;\n",
                "clone_flags",
                Some(32),
            ),
            (
                "\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n",
                "filename",
                Some(24),
            ),
            (
                "\tfield:const char *filename;\toffset:16;\tsize:8;\tsigned:0;\n",
                "filename",
                Some(16),
            ),
            ("print fmt: \"field:x;offset:1;\"\n", "x", None),
            ("", "filename", None),
        ] {
            assert_eq!(fields(format).get(name).copied(), expected, "{format}");
        }
    }
}
