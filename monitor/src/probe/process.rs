//! What `/proc` says of a process, and whether the scope holds it.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::cgroup::Cgroup;
use crate::event::Process;

/// How many processes are remembered.
const MAX_PROCESSES: usize = 65_536;
/// How many threads are asked for what an ended main thread no longer shows.
const MAX_THREADS: usize = 4_096;
/// The most that is read of a file of `/proc`, bytes: the longest, `cgroup`, has
/// one path of at most 4 KiB for each of at most 14 hierarchies.
const MAX_READ: u64 = 64 << 10;
/// What the kernel appends to the path of a file that has been deleted.
const DELETED: &[u8] = b" (deleted)";

/// Which processes are watched.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only processes below this cgroup.
    pub cgroup: Option<Cgroup>,
    /// Only these processes.
    pub pids: BTreeSet<u32>,
    /// Those of `pids` that have ended: their numbers may be given to others.
    pub ended: BTreeSet<u32>,
    /// Only processes that run these executables, or scripts.
    pub executables: Vec<PathBuf>,
}

impl Scope {
    /// Whether the scope is a part of the host.
    pub fn is_narrow(&self) -> bool {
        self.cgroup.as_ref().is_some_and(|cgroup| cgroup.level > 0) || self.is_listed()
    }

    /// Whether user space must list the processes for the kernel.
    pub fn is_listed(&self) -> bool {
        !self.pids.is_empty() || !self.executables.is_empty()
    }

    /// Whether the scope's cgroup holds this process, whatever its lists say.
    pub(super) fn reaches(&self, process: &Process) -> bool {
        if process.pid == std::process::id() {
            return false;
        }
        self.cgroup.as_ref().is_none_or(|cgroup| {
            let path = process.cgroup.as_deref();
            path.is_some_and(|path| cgroup.holds(path))
        })
    }

    /// Whether the list of processes or that of executables names this process.
    pub(super) fn lists(&self, seen: &Seen) -> bool {
        let Seen {
            process,
            exe,
            script,
            started: _,
        } = seen;
        let pid = process.pid;
        if self.pids.contains(&pid) && !self.ended.contains(&pid) {
            return true;
        }
        let runs: Vec<&Path> = [exe, script]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
        self.executables.iter().any(|wanted| {
            runs.contains(&wanted.as_path())
                || fs::canonicalize(wanted).is_ok_and(|path| runs.contains(&path.as_path()))
        })
    }

    /// Notes that a process has ended.
    pub(super) fn ended(&mut self, pid: u32) {
        if self.pids.contains(&pid) {
            self.ended.insert(pid);
        }
    }
}

/// What `/proc` says of a process: for people, and exactly, for comparison.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// What is told of it. Bytes that are not UTF-8 are replaced.
    pub process: Process,
    /// Its executable.
    pub exe: Option<PathBuf>,
    /// The absolute path among its first arguments: the script, where the
    /// executable is an interpreter.
    pub script: Option<PathBuf>,
    /// When it started, clock ticks since the start of the host: with the id it
    /// names a process for good.
    pub started: u64,
}

/// The folder of `/proc` that shows what a process has open and mapped: that of
/// its main thread, or once that has ended (`pthread_exit`) of another one.
/// `None` if the process has gone.
pub(super) fn folder(pid: u32) -> Option<PathBuf> {
    let main = PathBuf::from(format!("/proc/{pid}"));
    let shows = |folder: &Path| fs::read_link(folder.join("exe")).is_ok();
    if shows(&main) {
        return Some(main);
    }
    let threads = fs::read_dir(main.join("task")).ok()?;
    let living = threads
        .take(MAX_THREADS)
        .filter_map(|thread| Some(thread.ok()?.path()))
        .find(|thread| shows(thread));
    // A thread of the kernel has no executable, and a process may have none for
    // a moment.
    living.or(Some(main))
}

/// A living thread of a process whose main thread has ended.
pub(super) fn thread_without_main(pid: u32) -> Option<u32> {
    let folder = folder(pid)?;
    let (parent, name) = (folder.parent()?, folder.file_name()?);
    parent
        .ends_with("task")
        .then(|| name.to_str()?.parse().ok())?
}

/// Reads a file of `/proc`, not more of it than is of use.
fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads what `/proc` says of a process; `None` if it has gone.
pub(super) fn read(pid: u32) -> Option<Seen> {
    let folder = folder(pid)?;
    let comm = contents(&PathBuf::from(format!("/proc/{pid}/comm"))).ok()?;
    let comm = String::from_utf8_lossy(comm.strip_suffix(b"\n").unwrap_or(&comm)).into_owned();
    let exe = fs::read_link(folder.join("exe")).ok().map(|path| {
        let mut path = path.into_os_string().into_vec();
        if path.ends_with(DELETED) {
            path.truncate(path.len() - DELETED.len());
        }
        PathBuf::from(OsString::from_vec(path))
    });
    let cgroup = contents(&folder.join("cgroup"))
        .ok()
        .and_then(|text| unified(&text));
    let arguments = contents(&folder.join("cmdline")).unwrap_or_default();
    let started = contents(&PathBuf::from(format!("/proc/{pid}/stat")))
        .ok()
        .and_then(|text| start(&text));
    let container = cgroup.as_deref().and_then(container);
    let unit = cgroup.as_deref().and_then(unit);
    Some(Seen {
        process: Process {
            pid,
            exe: exe.as_ref().map(|path| path.to_string_lossy().into_owned()),
            comm: Some(comm),
            cgroup,
            container,
            unit,
            service: None,
        },
        exe,
        script: script(&arguments),
        started: started.unwrap_or(0),
    })
}

/// The path in the cgroup v2 hierarchy, in the text of a `/proc/PID/cgroup`.
fn unified(text: &[u8]) -> Option<String> {
    text.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"0::"))
        .map(|path| String::from_utf8_lossy(path).into_owned())
}

/// The script in the text of a `/proc/PID/cmdline`: the kernel puts it behind
/// the interpreter and at most one argument of that.
fn script(arguments: &[u8]) -> Option<PathBuf> {
    let mut arguments = arguments.split(|byte| *byte == 0).skip(1);
    let mut candidate = arguments.next()?;
    if candidate.starts_with(b"-") {
        candidate = arguments.next()?;
    }
    candidate
        .starts_with(b"/")
        .then(|| PathBuf::from(OsString::from_vec(candidate.to_vec())))
}

/// The start time in the text of a `/proc/PID/stat`: the 22nd column. The second
/// is a name in brackets that may hold anything.
fn start(text: &[u8]) -> Option<u64> {
    let behind = text.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = std::str::from_utf8(text.get(behind..)?).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The processes that a process has forked and not waited for, where the kernel
/// lists them.
pub(super) fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .take(MAX_THREADS)
        .filter_map(|thread| contents(&thread.ok()?.path().join("children")).ok())
        .flat_map(|text| {
            let text = String::from_utf8_lossy(&text);
            let ids: Vec<u32> = text
                .split_ascii_whitespace()
                .filter_map(|id| id.parse().ok())
                .collect();
            ids
        })
        .collect()
}

/// The container id in a cgroup path: 64 hexadecimal digits, perhaps between
/// the runtime's prefix and `.scope`.
fn container(cgroup: &str) -> Option<String> {
    cgroup.rsplit('/').find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = part.rsplit('-').next().unwrap_or(part);
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
    })
}

/// The systemd unit in a cgroup path.
fn unit(cgroup: &str) -> Option<String> {
    cgroup
        .rsplit('/')
        .find(|part| part.ends_with(".service"))
        .map(str::to_owned)
}

/// The processes that were seen, by thread-group id.
#[derive(Debug, Default)]
pub(super) struct Processes {
    known: HashMap<u32, Arc<Process>>,
    /// What was known of the process that forked this one.
    inherited: HashMap<u32, Arc<Process>>,
}

impl Processes {
    /// What is known of `pid`, reading `/proc` if it is new. What that no longer
    /// shows is taken from the process that forked it.
    pub(super) fn get(&mut self, pid: u32) -> Arc<Process> {
        if let Some(process) = self.known.get(&pid) {
            return Arc::clone(process);
        }
        let parent = self.inherited.get(&pid).cloned().unwrap_or_default();
        match read(pid) {
            Some(seen) => {
                let mut process = seen.process;
                // Of a process that has ended but was not waited for.
                process.exe = process.exe.or_else(|| parent.exe.clone());
                self.remember(process)
            }
            None => Arc::new(Process {
                pid,
                ..Process::clone(&parent)
            }),
        }
    }

    /// Reads `/proc` anew: the process called exec. `path` stands in where the
    /// process has gone already.
    pub(super) fn executed(&mut self, pid: u32, path: &str) -> Arc<Process> {
        self.inherited.remove(&pid);
        let mut process = read(pid).map_or_else(Process::default, |seen| seen.process);
        process.pid = pid;
        process.exe = process.exe.or_else(|| Some(path.to_owned()));
        process.comm = process.comm.or_else(|| {
            let name = path.rsplit('/').next()?;
            Some(name.chars().take(15).collect())
        });
        self.remember(process)
    }

    /// Remembers what is known of the process that forked `child`, for the case
    /// that the child has gone before anyone reads `/proc`.
    pub(super) fn forked(&mut self, parent: u32, child: u32) {
        let process = self.get(parent);
        if process.comm.is_some() {
            if self.inherited.len() >= MAX_PROCESSES {
                self.inherited.clear();
            }
            self.inherited.insert(child, process);
        }
    }

    /// Forgets a process that has ended.
    pub(super) fn ended(&mut self, pid: u32) {
        self.known.remove(&pid);
        self.inherited.remove(&pid);
    }

    fn remember(&mut self, process: Process) -> Arc<Process> {
        if self.known.len() >= MAX_PROCESSES {
            // Whoever is still there is read again.
            self.known.clear();
        }
        let process = Arc::new(process);
        self.known.insert(process.pid, Arc::clone(&process));
        process
    }
}

/// The process that a thread belongs to; of its main thread that is its own id.
pub(super) fn of_thread(thread: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let process = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    process.trim().parse().ok()
}

/// The ids of all processes.
pub(super) fn all() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup_paths_name_containers_and_units() {
        let id = "4f".repeat(32);
        for (path, expected) in [
            (format!("/docker/{id}"), Some(id.clone())),
            (format!("/system.slice/docker-{id}.scope"), Some(id.clone())),
            (
                format!("/kubepods.slice/x.slice/cri-containerd-{id}.scope/init"),
                Some(id.clone()),
            ),
            ("/user.slice/session-1.scope".to_owned(), None),
        ] {
            assert_eq!(container(&path), expected, "{path}");
        }
        assert_eq!(
            unit("/system.slice/app.service/worker").as_deref(),
            Some("app.service")
        );
        assert_eq!(unit("/user.slice"), None);
    }

    #[test]
    fn this_process_is_read_and_never_held() {
        let seen = read(std::process::id()).expect("this process exists");
        assert!(seen.exe.is_some() && seen.process.comm.is_some());
        assert!(seen.started > 0);
        assert!(!Scope::default().reaches(&seen.process));
    }

    #[test]
    fn a_scope_lists_ids_until_they_end_and_executables_byte_by_byte() {
        let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
        let mut scope = Scope {
            pids: [70, 71].into(),
            executables: vec![path(b"/opt/caf\xe9/app"), path(b"/opt/bin/gunicorn")],
            ..Scope::default()
        };
        scope.ended(71);
        scope.ended(72);
        for (pid, exe, script, expected) in [
            (70, "/bin/other".as_bytes(), None, true),
            (71, b"/bin/other", None, false),
            (72, b"/bin/other", None, false),
            (72, b"/opt/caf\xe9/app", None, true),
            (72, b"/opt/caf\xe8/app", None, false),
            (72, "/opt/caf\u{fffd}/app".as_bytes(), None, false),
            (72, b"/usr/bin/python3", Some("/opt/bin/gunicorn"), true),
            (72, b"/usr/bin/python3", Some("/opt/bin/celery"), false),
        ] {
            let seen = Seen {
                process: Process {
                    pid,
                    ..Process::default()
                },
                exe: Some(path(exe)),
                script: script.map(PathBuf::from),
                started: 1,
            };
            let shown = String::from_utf8_lossy(exe);
            assert_eq!(scope.lists(&seen), expected, "{pid} {shown} {script:?}");
        }
    }

    #[test]
    fn arguments_name_a_script() {
        for (arguments, expected) in [
            (
                &b"/usr/bin/python3\0/opt/bin/gunicorn\0app:main\0"[..],
                Some("/opt/bin/gunicorn"),
            ),
            (b"/bin/sh\0-e\0/opt/run\0", Some("/opt/run")),
            (b"python3\0-m\0gunicorn\0/opt/run\0", None),
            (b"nginx: master process /usr/sbin/nginx\0", None),
            (b"curl\0https://example.com\0", None),
            (b"", None),
        ] {
            let found = script(arguments);
            assert_eq!(found.as_deref(), expected.map(Path::new));
        }
    }

    #[test]
    fn a_name_hides_nothing() {
        for (text, expected) in [
            (
                &b"7 (a) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8123 9 9"[..],
                Some(8123),
            ),
            (
                b"7 (\xff) 1 2) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8124 9 9",
                Some(8124),
            ),
            (b"7 (a) S 1", None),
            (b"", None),
        ] {
            assert_eq!(start(text), expected, "{}", String::from_utf8_lossy(text));
        }
        for (text, expected) in [
            (
                &b"4:memory:/x\n0::/system.slice/a.service\n"[..],
                Some("/system.slice/a.service"),
            ),
            (b"0::/caf\xe9\n", Some("/caf\u{fffd}")),
            (b"4:memory:/x\n", None),
        ] {
            assert_eq!(unified(text).as_deref(), expected);
        }
    }
}
