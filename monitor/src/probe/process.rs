//! What `/proc` says of a process, and whether the scope holds it.

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::event::Process;

/// How many processes are remembered.
const MAX_PROCESSES: usize = 65_536;

/// Which processes are watched.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only processes below this cgroup.
    pub cgroup: Option<Cgroup>,
    /// Only these processes.
    pub pids: BTreeSet<u32>,
    /// Only processes that run these executables.
    pub executables: Vec<PathBuf>,
}

/// A cgroup v2 directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// Where it is mounted.
    pub directory: PathBuf,
    /// Its path in the hierarchy, with a leading slash.
    pub path: String,
    /// Its id: the inode number of its directory.
    pub id: u64,
    /// Its level below the root.
    pub level: u32,
}

/// Why a cgroup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// No cgroup v2 hierarchy is mounted.
    #[error(
        "no cgroup v2 hierarchy is mounted; mount one with: mount -t cgroup2 none /sys/fs/cgroup"
    )]
    NotMounted,
    /// The mount table cannot be read.
    #[error("read /proc/self/mountinfo: {0}")]
    Mounts(#[source] io::Error),
    /// The directory cannot be read.
    #[error("cgroup {path}: {source}")]
    Missing {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Cgroup {
    /// The cgroup at `path`: a directory below the mount point, or a path in
    /// the hierarchy. `None` is the root.
    pub fn find(path: Option<&Path>) -> Result<Self, CgroupError> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(CgroupError::Mounts)?;
        let mount = mounts
            .lines()
            .find_map(|line| {
                let (left, right) = line.split_once(" - ")?;
                right
                    .starts_with("cgroup2 ")
                    .then(|| left.split(' ').nth(4))?
            })
            .map(PathBuf::from)
            .ok_or(CgroupError::NotMounted)?;
        let directory = match path {
            None => mount.clone(),
            Some(path) if path.starts_with(&mount) => path.to_owned(),
            Some(path) => mount.join(path.strip_prefix("/").unwrap_or(path)),
        };
        let metadata = fs::metadata(&directory).map_err(|source| CgroupError::Missing {
            path: directory.clone(),
            source,
        })?;
        let below = directory.strip_prefix(&mount).unwrap_or(Path::new(""));
        Ok(Self {
            path: format!("/{}", below.display()),
            id: metadata.ino(),
            level: below.components().count() as u32,
            directory,
        })
    }

    fn holds(&self, cgroup: &str) -> bool {
        self.path == "/"
            || cgroup == self.path
            || cgroup
                .strip_prefix(&self.path)
                .is_some_and(|rest| rest.starts_with('/'))
    }
}

impl Scope {
    /// Whether user space must list the processes for the kernel.
    pub fn is_listed(&self) -> bool {
        !self.pids.is_empty() || !self.executables.is_empty()
    }

    /// Whether the scope holds this process.
    pub fn holds(&self, process: &Process) -> bool {
        if process.pid == std::process::id() {
            return false;
        }
        if let Some(cgroup) = &self.cgroup
            && !process
                .cgroup
                .as_deref()
                .is_some_and(|path| cgroup.holds(path))
        {
            return false;
        }
        !self.is_listed() || self.lists(process)
    }

    /// Whether the list of processes and executables names this process.
    pub fn lists(&self, process: &Process) -> bool {
        self.pids.contains(&process.pid)
            || process.exe.as_deref().is_some_and(|exe| {
                self.executables.iter().any(|wanted| {
                    wanted == Path::new(exe)
                        || fs::canonicalize(wanted).is_ok_and(|path| path == Path::new(exe))
                })
            })
    }
}

/// Reads what `/proc` says of a process; `None` if it has gone.
pub(super) fn read(pid: u32) -> Option<Process> {
    let root = PathBuf::from(format!("/proc/{pid}"));
    let comm = fs::read_to_string(root.join("comm"))
        .ok()?
        .trim_end()
        .to_owned();
    let exe = fs::read_link(root.join("exe")).ok().map(|path| {
        path.to_string_lossy()
            .trim_end_matches(" (deleted)")
            .to_owned()
    });
    let cgroup = fs::read_to_string(root.join("cgroup"))
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("0::"))
                .map(str::to_owned)
        });
    let container = cgroup.as_deref().and_then(container);
    let unit = cgroup.as_deref().and_then(unit);
    Some(Process {
        pid,
        exe,
        comm: Some(comm),
        cgroup,
        container,
        unit,
        service: None,
    })
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
}

impl Processes {
    /// What is known of `pid`, reading `/proc` if it is new. A process that has
    /// gone is known by its id alone.
    pub(super) fn get(&mut self, pid: u32) -> Arc<Process> {
        if let Some(process) = self.known.get(&pid) {
            return Arc::clone(process);
        }
        match read(pid) {
            Some(process) => self.remember(process),
            None => Arc::new(Process {
                pid,
                ..Process::default()
            }),
        }
    }

    /// Reads `/proc` anew: the process called exec. `path` stands in where the
    /// process has gone already.
    pub(super) fn executed(&mut self, pid: u32, path: &str) -> Arc<Process> {
        let process = read(pid).unwrap_or_else(|| {
            let comm = path
                .rsplit('/')
                .next()
                .map(|name| name.chars().take(15).collect());
            Process {
                pid,
                exe: Some(path.to_owned()),
                comm,
                ..Process::default()
            }
        });
        self.remember(process)
    }

    /// Forgets a process that has ended.
    pub(super) fn ended(&mut self, pid: u32) {
        self.known.remove(&pid);
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
    fn a_scope_holds_what_is_below_its_cgroup() {
        let cgroup = |path: &str| Cgroup {
            directory: PathBuf::new(),
            path: path.to_owned(),
            id: 1,
            level: 1,
        };
        for (scope, path, expected) in [
            ("/", "/a/b", true),
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a", "/ab", false),
            ("/a/b", "/a", false),
        ] {
            assert_eq!(cgroup(scope).holds(path), expected, "{scope} {path}");
        }
    }

    #[test]
    fn this_process_is_read_and_never_held() {
        let process = read(std::process::id()).expect("this process exists");
        assert!(process.exe.is_some() && process.comm.is_some());
        assert!(!Scope::default().holds(&process));
    }
}
