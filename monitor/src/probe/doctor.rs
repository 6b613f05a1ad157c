//! Tries, by doing, whether the kernel lets the programs work: load them, attach
//! a uprobe, a tracepoint and the cgroup programs, and receive a record.
//!
//! All of it in a cgroup that holds nothing but one child process of ours.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    Cgroup, Library, ProbeConfig, Probes, Reader, Scope, Signal, library::is_libc, status::State,
};
use crate::loss::Losses;

/// How long the child's record may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Ok,
    /// It does not, and phiwatch sees less.
    Warn,
    /// It does not, and phiwatch cannot do its main job.
    Fail,
}

impl Outcome {
    /// The word that is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// What was seen.
    pub detail: String,
    /// What to do if it does not work.
    pub advice: &'static str,
    /// Whether a permission was missing, rather than something in the kernel.
    pub is_permission: bool,
}

impl Check {
    fn new(
        name: &'static str,
        outcome: Outcome,
        detail: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        let detail = detail.into();
        let is_permission = detail.contains("not permitted") || detail.contains("ermission denied");
        Self {
            name,
            outcome,
            detail,
            advice,
            is_permission,
        }
    }
}

const AS_ROOT: &str = "run as root, or with CAP_SYS_ADMIN (uprobes need it since the kernels of \
                       mid-2025), CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_PTRACE";

/// A cgroup that is removed again.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A cgroup that still holds a process stays, empty of meaning.
        drop(fs::remove_dir(&self.0));
    }
}

/// Tries everything, in the order in which it is needed.
pub fn examine() -> Vec<Check> {
    let mut checks = Vec::new();
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    checks.push(Check::new(
        "kernel",
        Outcome::Ok,
        format!("Linux {release}"),
        "",
    ));
    let root = match Cgroup::find(None) {
        Ok(root) => root,
        Err(error) => {
            let advice = "mount it: mount -t cgroup2 none /sys/fs/cgroup";
            checks.push(Check::new(
                "cgroup",
                Outcome::Fail,
                error.to_string(),
                advice,
            ));
            return checks;
        }
    };
    let directory = root
        .directory
        .join(format!("phiwatch-doctor-{}", std::process::id()));
    if let Err(error) = fs::create_dir(&directory) {
        let detail = format!("create {}: {error}", directory.display());
        checks.push(Check::new("cgroup", Outcome::Fail, detail, AS_ROOT));
        return checks;
    }
    let folder = Folder(directory);
    let detail = format!("cgroup v2 at {}", root.directory.display());
    checks.push(Check::new("cgroup", Outcome::Ok, detail, ""));
    match Cgroup::find(Some(&folder.0)) {
        Ok(cgroup) => try_probes(cgroup, &folder.0, &mut checks),
        Err(error) => {
            checks.push(Check::new(
                "cgroup",
                Outcome::Fail,
                error.to_string(),
                AS_ROOT,
            ));
        }
    }
    checks
}

fn try_probes(cgroup: Cgroup, folder: &Path, checks: &mut Vec<Check>) {
    let config = ProbeConfig {
        scope: Scope {
            cgroup: Some(cgroup),
            ..Scope::default()
        },
        data_ring_bytes: 64 << 10,
        control_ring_bytes: 64 << 10,
        kernel_log: false,
        budget: 0.0,
    };
    let loaded = Probes::load(config).and_then(|mut probes| {
        let reader = probes.reader()?;
        Ok((probes, reader))
    });
    let (mut probes, mut reader) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let detail = format!("{:#}", anyhow::Error::from(error));
            checks.push(Check::new("load", Outcome::Fail, detail, AS_ROOT));
            return;
        }
    };
    let refused: Vec<String> = failures(&probes, &[]);
    checks.push(if refused.is_empty() {
        Check::new("load", Outcome::Ok, "the kernel accepts every program", "")
    } else {
        // Without the programs of the TLS functions there is nothing to see.
        let is_core = refused.iter().any(|hook| hook.starts_with("ssl_write"));
        let outcome = if is_core {
            Outcome::Fail
        } else {
            Outcome::Warn
        };
        Check::new("load", outcome, refused.join("; "), AS_ROOT)
    });
    // Nothing runs in the cgroup yet, so nothing but the fixed hooks and the
    // libraries of the host is attached to.
    drop(probes.attach());
    for (name, hooks, without) in [
        (
            "socket",
            &["egress", "ingress", "connect"][..],
            "plaintext and blind connections are not seen",
        ),
        (
            "quic",
            &["egress_udp", "sendmsg"][..],
            "QUIC connections, which cannot be read, are not said to be blind, or not with \
             their process",
        ),
        (
            "tracepoint",
            &[
                "process_new",
                "process_exec",
                "process_moved",
                "process_exit",
            ][..],
            "new processes and TLS libraries are found by scanning, every 30 seconds: the first \
             requests of each are not seen; mount tracefs at /sys/kernel/tracing, or let phiwatch \
             mount one of its own (CAP_SYS_ADMIN, Linux 5.2)",
        ),
    ] {
        let failed = failures(&probes, hooks);
        checks.push(if failed.is_empty() {
            Check::new(
                name,
                Outcome::Ok,
                format!("{} attached", hooks.join(", ")),
                "",
            )
        } else {
            Check::new(name, Outcome::Warn, failed.join("; "), without)
        });
    }
    try_child(&mut probes, &mut reader, folder, checks);
    let libraries = probes.libraries();
    checks.push(if libraries.is_empty() {
        let advice = "TLS libraries inside containers and static binaries are found when they run";
        Check::new(
            "libssl",
            Outcome::Warn,
            "none in the host's standard folders",
            advice,
        )
    } else {
        Check::new("libssl", Outcome::Ok, libraries.join(", "), "")
    });
    for placement in probes.placements() {
        checks.push(Check::new("placement", Outcome::Ok, placement, ""));
    }
}

/// Lets a child hit a uprobe and send a record through the ring.
fn try_child(probes: &mut Probes, reader: &mut Reader, folder: &Path, checks: &mut Vec<Check>) {
    let attached = libc().map_or_else(
        || Err("no libc in this process's maps".to_owned()),
        |libc| probes.attach_for_test(&libc, "_exit"),
    );
    let _link = match attached {
        Ok(link) => link,
        Err(detail) => {
            checks.push(Check::new("uprobe", Outcome::Fail, detail, AS_ROOT));
            return;
        }
    };
    let before = probes.hits();
    if let Err(error) = run_child(folder) {
        checks.push(Check::new(
            "child",
            Outcome::Fail,
            error.to_string(),
            AS_ROOT,
        ));
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    let (mut executed, mut hits) = (false, 0);
    while Instant::now() < deadline && !(executed && hits > 0) {
        let (mut events, mut signals) = (Vec::new(), Vec::new());
        reader.read(&mut Losses::default(), &mut events, &mut signals);
        executed |= signals
            .iter()
            .any(|signal| matches!(signal, Signal::Exec(_)));
        hits = hits.max(probes.hits().saturating_sub(before));
        if reader.wait(Duration::from_millis(10)).is_err() {
            break;
        }
    }
    checks.push(if hits > 0 {
        Check::new(
            "uprobe",
            Outcome::Ok,
            format!(
                "attached, and hit by a child process; {}",
                probes.interface()
            ),
            "",
        )
    } else {
        Check::new("uprobe", Outcome::Fail, "attached, but never hit", AS_ROOT)
    });
    checks.push(if executed {
        Check::new("ring", Outcome::Ok, "a record arrived", "")
    } else {
        let advice = "the tracepoint that this check listens to is not available; see above";
        Check::new("ring", Outcome::Warn, "no record arrived", advice)
    });
}

/// What failed among `hooks`, or among all of them.
fn failures(probes: &Probes, hooks: &[&str]) -> Vec<String> {
    let mut failed = Vec::new();
    for (name, status) in probes.status().snapshot() {
        for (place, state, why) in status.places() {
            if state == State::Failed && (hooks.is_empty() || hooks.contains(&name)) {
                failed.push(format!("{name} at {place}: {why}"));
            }
        }
    }
    failed
}

/// The C library that this process maps, which a child will map as well.
fn libc() -> Option<Library> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| {
        let path = line.split_whitespace().nth(5)?;
        is_libc(path).then(|| PathBuf::from(path))
    })?;
    Library::open(&path, &path).ok()
}

/// Runs a child that joins the cgroup and then calls exec and exit.
fn run_child(folder: &Path) -> std::io::Result<()> {
    let script = r#"echo $$ > "$0/cgroup.procs" && exec /bin/true"#;
    let status = Command::new("/bin/sh")
        .args(["-c", script])
        .arg(folder)
        .arg0("sh")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(std::io::Error::other(format!("child: {status}")))
    }
}
