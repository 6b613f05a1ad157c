//! What `run` and `capture` watch and `doctor` looks at, checked before anything is
//! attached.
//!
//! In: the configuration, overlaid by the command line. Out: a [`Scope`]; an
//! error if it could match nothing, which the operator would mistake for the
//! absence of findings.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use clap::Args;

use super::{ExitStatus, Failure, OrFail as _};
use crate::{
    config::ScopeSection,
    probe::{Cgroup, Scope},
};

/// Which processes it is about; without any of these, all of them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Scope")]
pub struct ScopeArgs {
    /// Only this cgroup v2 folder and those below it
    #[arg(long, value_name = "PATH")]
    pub cgroup: Option<PathBuf>,
    /// Only this process, not those that it starts; may be repeated
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Vec<u32>,
    /// Only processes of this executable or script, with all that they fork; may
    /// be repeated
    #[arg(long, value_name = "FILE")]
    pub exe: Vec<PathBuf>,
}

impl ScopeArgs {
    /// Whether none is given.
    pub(super) fn is_empty(&self) -> bool {
        self.cgroup.is_none() && self.pid.is_empty() && self.exe.is_empty()
    }
}

/// Overlays the scope of the configuration by that of the command line.
pub(super) fn overlay(section: &mut ScopeSection, args: &ScopeArgs) {
    if args.cgroup.is_some() {
        section.cgroup.clone_from(&args.cgroup);
    }
    if !args.pid.is_empty() {
        section.pid.clone_from(&args.pid);
    }
    if !args.exe.is_empty() {
        section.exe.clone_from(&args.exe);
    }
}

/// The scope that a configuration names.
///
/// # Errors [`ExitStatus::Config`] for a process that does not exist or is not
/// in the cgroup, for an executable that is no file and that no process runs,
/// and for something that is no cgroup. An executable that no process runs yet
/// is only mentioned: it may be started later.
pub(super) fn scope(section: &ScopeSection) -> Result<Scope, Failure> {
    let cgroup = match section.cgroup.as_deref() {
        Some(path) => Some(cgroup(path)?),
        None => None,
    };
    let pids: BTreeSet<u32> = section.pid.iter().copied().collect();
    for pid in &pids {
        check_process(*pid, cgroup.as_ref())?;
    }
    for path in &section.exe {
        check_executable(path)?;
    }
    Ok(Scope {
        cgroup,
        pids,
        executables: section.exe.clone(),
        ..Scope::default()
    })
}

/// An empty path would be the root of the hierarchy, and so the whole host.
fn cgroup(path: &Path) -> Result<Cgroup, Failure> {
    let named = path.display();
    let is_plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
    if path.as_os_str().is_empty() || !path.components().all(is_plain) {
        let message = format!("cgroup \"{named}\": name a folder of the cgroup v2 hierarchy");
        return Err(Failure::message(ExitStatus::Config, message));
    }
    let cgroup = Cgroup::find(Some(path)).or_fail(ExitStatus::Config)?;
    if !cgroup.directory.join("cgroup.procs").is_file() {
        let message = format!("cgroup {}: not a cgroup", cgroup.directory.display());
        return Err(Failure::message(ExitStatus::Config, message));
    }
    Ok(cgroup)
}

fn check_process(pid: u32, cgroup: Option<&Cgroup>) -> Result<(), Failure> {
    let wrong = |why: String| {
        let message = format!("process {pid} cannot be watched: {why}");
        Err(Failure::message(ExitStatus::Config, message))
    };
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return wrong("there is no such process".to_owned());
    };
    // A thread has a folder in `/proc` too, which no listing shows.
    let group = status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .and_then(|text| text.trim().parse::<u32>().ok());
    if let Some(group) = group.filter(|group| *group != pid) {
        return wrong(format!("it is a thread of process {group}"));
    }
    let Some(cgroup) = cgroup else { return Ok(()) };
    let is_in = |path: &str| {
        let rest = path.strip_prefix(cgroup.path.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::"));
    if own.is_some_and(|own| !is_in(own)) {
        return wrong(format!("it is not in the cgroup {}", cgroup.path));
    }
    Ok(())
}

fn check_executable(path: &Path) -> Result<(), Failure> {
    let named = path.display();
    if is_run(path) {
        return Ok(());
    }
    let why = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            tracing::warn!(executable = %named, "no process runs it yet");
            return Ok(());
        }
        Ok(_) => "not a file".to_owned(),
        Err(error) => error.to_string(),
    };
    let message = format!("executable {named} cannot be watched: {why}");
    Err(Failure::message(ExitStatus::Config, message))
}

/// Whether any process runs the executable. In a container its path may be one
/// of another mount namespace.
fn is_run(path: &Path) -> bool {
    let resolved = fs::canonicalize(path);
    let Ok(processes) = fs::read_dir("/proc") else {
        return false;
    };
    let mut executables = processes
        .flatten()
        .filter_map(|process| fs::read_link(process.path().join("exe")).ok());
    executables.any(|exe| exe == path || resolved.as_ref().is_ok_and(|path| exe == *path))
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, process::id};

    use super::*;

    #[test]
    fn a_scope_that_could_match_nothing_is_an_error() {
        let own = fs::read_link("/proc/self/exe").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let idle = folder.path().join("idle");
        fs::write(&idle, "").unwrap();
        let thread = std::thread::spawn(|| {
            let id = rustix::thread::gettid().as_raw_nonzero().get();
            let section = ScopeSection {
                pid: vec![id.try_into().unwrap()],
                ..ScopeSection::default()
            };
            scope(&section).unwrap_err().to_string()
        });
        let of_thread = thread.join().unwrap();
        assert!(
            of_thread.contains("it is a thread of process"),
            "{of_thread}"
        );
        for (pid, exe, expected) in [
            (vec![], vec![], None),
            (vec![id()], vec![], None),
            (vec![], vec![own], None),
            (vec![], vec![idle], None),
            (
                vec![id(), 4_194_305],
                vec![],
                Some("process 4194305 cannot be watched: there is no such process"),
            ),
            (
                vec![],
                vec![PathBuf::from("/nope")],
                Some("executable /nope cannot be watched: No such file"),
            ),
            (
                vec![],
                vec![PathBuf::from("/usr")],
                Some("executable /usr cannot be watched: not a file"),
            ),
        ] {
            let section = ScopeSection {
                cgroup: None,
                pid,
                exe,
            };
            match (scope(&section), expected) {
                (Ok(_), None) => {}
                (Err(failure), Some(expected)) => {
                    assert_eq!(failure.code, ExitStatus::Config);
                    let message = failure.to_string();
                    assert!(message.starts_with(expected), "{message}");
                }
                (result, _) => panic!("{section:?}: {:?}", result.err()),
            }
        }
    }

    #[test]
    fn no_cgroup_is_the_whole_host_by_accident() {
        for path in ["", ".", "..", "a/../..", "/no/such/cgroup", "cgroup.procs"] {
            let section = ScopeSection {
                cgroup: Some(PathBuf::from(path)),
                ..ScopeSection::default()
            };
            let failure = scope(&section).unwrap_err();
            assert_eq!(failure.code, ExitStatus::Config, "{path}: {failure}");
        }
    }
}
