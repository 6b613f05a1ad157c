//! Whether the current process is watched: the first question of every program.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use phiwatch_ebpf::abi::{Scope, Stream, StreamKey, scope};

use crate::maps::{CGROUP, SCOPE, VERDICTS, WATCHED};

/// The current thread-group id if it is watched.
#[inline(always)]
pub(crate) fn watched_process() -> Option<u32> {
    let tgid = in_cgroup()?;
    is_watched(SCOPE.get(0)?, tgid).then_some(tgid)
}

/// Whether the scope's list of processes lets `tgid` in.
#[inline(always)]
pub(crate) fn is_watched(settings: &Scope, tgid: u32) -> bool {
    if tgid == settings.ignored {
        return false;
    }
    settings.flags & scope::PROCESSES == 0 || WATCHED.get_ptr(tgid).is_some()
}

/// The current thread-group id if the scope's cgroup holds it, whatever the
/// list of processes says.
#[inline(always)]
pub(crate) fn in_cgroup() -> Option<u32> {
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let settings = SCOPE.get(0)?;
    if settings.flags & scope::CGROUP != 0 && CGROUP.current_task_under_cgroup(0) != Ok(true) {
        return None;
    }
    (tgid != settings.ignored).then_some(tgid)
}

/// Whether user space wants only the heads of this stream's requests.
#[inline(always)]
pub(crate) fn is_unwanted(key: &StreamKey, stream: &Stream) -> bool {
    match VERDICTS.get_ptr(key) {
        // SAFETY: the pointer is that of a map value, which stays mapped.
        Some(born) => unsafe { *born == stream.born },
        None => false,
    }
}
