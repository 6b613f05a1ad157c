//! A network and mount namespace, and a cgroup, that end with their guard.
//!
//! One process holds the namespaces; all others enter them. It ends when its
//! standard input closes, so that even a killed test leaves no namespace
//! behind.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::{OTHERS, Running, TRACKERS, authority::Authority, wait};

/// Prepares the namespaces; `$1` is the sandbox's folder, `$2` the mount point
/// of cgroup v2.
const HOLD: &str = r#"
set -e
ip link set lo up
mount --bind "$1/hosts" /etc/hosts
if [ ! -e "$2/cgroup.procs" ]; then
    mkdir -p "$2"
    mount -t cgroup2 cgroup2 "$2"
fi
echo ready
exec cat
"#;

/// Enters the cgroup `$1` if there is one, and executes the rest.
const ENTER: &str = r#"
if [ -n "$1" ]; then echo $$ > "$1/cgroup.procs" || exit 125; fi
shift
exec "$@"
"#;

/// Numbers the sandboxes of this process.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Where a process of the sandbox runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the cgroup that phiwatch watches.
    Watched,
    /// In the same network, but not watched: the sink, phiwatch itself.
    Outside,
}

/// The namespaces, the cgroup and a folder for all output.
pub struct Sandbox {
    // In the order in which they must end.
    holder: Running,
    cgroup: PathBuf,
    /// Certificates for the hosts.
    pub authority: Authority,
    folder: TempDir,
}

impl Sandbox {
    /// Makes a sandbox. Needs root.
    pub fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("phiwatch-test-").context("create a folder")?;
        let hosts = || TRACKERS.iter().chain(OTHERS).copied().chain(["localhost"]);
        let lines: Vec<_> = hosts().map(|host| format!("127.0.0.1 {host}\n")).collect();
        fs::write(folder.path().join("hosts"), lines.concat()).context("write hosts")?;
        let authority = Authority::new(folder.path(), hosts())?;
        let mount = cgroup_mount()?.unwrap_or_else(|| folder.path().join("cgroup"));

        let mut hold = Command::new("unshare");
        hold.args([
            "--net",
            "--mount",
            "--propagation",
            "private",
            "--",
            "sh",
            "-c",
            HOLD,
            "sh",
        ]);
        hold.arg(folder.path()).arg(&mount);
        let mut holder = Running::start("holder", hold, folder.path())?;
        holder.wait_for("namespaces", |line| (line == "ready").then_some(()))?;

        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("phiwatch-test-{}-{number}", std::process::id());
        let sandbox = Self {
            holder,
            cgroup: mount.join(name),
            authority,
            folder,
        };
        fs::create_dir(sandbox.seen_from_here(&sandbox.cgroup))
            .with_context(|| format!("create {}", sandbox.cgroup.display()))?;
        Ok(sandbox)
    }

    /// The watched cgroup, as processes of the sandbox see it.
    pub fn cgroup(&self) -> &Path {
        &self.cgroup
    }

    /// A cgroup below the watched one, as a container has. phiwatch takes what its
    /// processes map for that of another owner. Returns its path as
    /// [`Sandbox::command_in`] takes it.
    pub fn container(&self, name: &str) -> Result<PathBuf> {
        let cgroup = self.cgroup.join(name);
        fs::create_dir(self.seen_from_here(&cgroup))
            .with_context(|| format!("create {}", cgroup.display()))?;
        Ok(cgroup)
    }

    /// The folder for everything that the sandbox's processes write.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where phiwatch keeps the key of its tokens.
    pub fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    /// `program` in the namespaces, on the given side, with a small environment
    /// that makes clients trust the sink.
    pub fn command(&self, side: Side, program: impl AsRef<OsStr>) -> Command {
        let cgroup = (side == Side::Watched).then_some(self.cgroup.as_path());
        self.entering(cgroup, program)
    }

    /// [`Sandbox::command`] in a cgroup of [`Sandbox::container`].
    pub fn command_in(&self, container: &Path, program: impl AsRef<OsStr>) -> Command {
        self.entering(Some(container), program)
    }

    fn entering(&self, cgroup: Option<&Path>, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args([
            "--target",
            &self.holder.pid().to_string(),
            "--net",
            "--mount",
            "--",
        ]);
        // Ends with the thread that started it, in case that is killed.
        command.args(["setpriv", "--pdeathsig", "KILL", "sh", "-c", ENTER, "sh"]);
        command.arg(cgroup.map_or(OsStr::new(""), Path::as_os_str));
        command.arg(program).env_clear();
        for name in ["PATH", "HOME"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_COLOR", "1");
        for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
            command.env(name, &self.authority.root);
        }
        command
    }

    /// Starts a background process. `name` names the files of its outputs.
    pub fn start(&self, name: &str, command: Command) -> Result<Running> {
        Running::start(name, command, self.folder())
    }

    /// Runs a command of this sandbox to its end; it must succeed.
    pub fn run(&self, command: &mut Command) -> Result<Output> {
        let output = command
            .stdin(Stdio::null())
            .output()
            .context("start a client")?;
        if !output.status.success() {
            bail!(
                "{:?} ended with {}: {}",
                command.get_args().collect::<Vec<_>>(),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(output)
    }

    /// Gives the sandbox a TLS library of its own, a copy of the host's under
    /// the same name: probes of others on the host's file do not reach
    /// processes here, and probes from here reach nobody there. Returns the
    /// file's path.
    pub fn own_tls_library(&self) -> Result<PathBuf> {
        let path = self.host_tls_library()?;
        let copy = self.folder().join("libssl.so.3");
        fs::copy(&path, &copy).context("copy libssl.so.3")?;
        let mut mount = self.command(Side::Outside, "mount");
        self.run(mount.arg("--bind").arg(copy).arg(&path))?;
        Ok(path)
    }

    /// The host's TLS library.
    pub fn host_tls_library(&self) -> Result<PathBuf> {
        let mut list = self.command(Side::Outside, "/sbin/ldconfig");
        let list = self.run(list.arg("-p"))?.stdout;
        let list = String::from_utf8_lossy(&list);
        let path = list
            .lines()
            .find(|line| line.trim_start().starts_with("libssl.so.3 "))
            .and_then(|line| line.split_once(" => "))
            .context("ldconfig knows no libssl.so.3")?;
        fs::canonicalize(path.1.trim()).context("find libssl.so.3")
    }

    /// A watched process that has the TLS library mapped, as any server has, so
    /// that clients that live for milliseconds are no race.
    pub fn worker(&self) -> Result<Running> {
        let mut command = self.command(Side::Watched, "/usr/bin/python3");
        command.arg(crate::file("clients/hold_tls.py"));
        let mut worker = self.start("worker", command)?;
        worker.wait_for("the TLS library", |line| (line == "ready").then_some(()))?;
        Ok(worker)
    }

    /// The body of the response to `url` inside the sandbox's network.
    pub fn get(&self, url: &str) -> Result<String> {
        let mut curl = self.command(Side::Outside, "curl");
        let output = self.run(curl.args(["--silent", "--show-error", "--fail", url]))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A path of the sandbox's mount namespace, as seen from the test's own.
    fn seen_from_here(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.pid()));
        root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let cgroup = self.seen_from_here(&self.cgroup);
        // Only processes that this sandbox started can be in its cgroup.
        drop(fs::write(cgroup.join("cgroup.kill"), "1"));
        let gone = wait("removal of the cgroup", Duration::from_secs(5), || {
            // One that is not empty goes once its containers have gone.
            for container in fs::read_dir(&cgroup).into_iter().flatten().flatten() {
                drop(fs::remove_dir(container.path()));
            }
            Ok(fs::remove_dir(&cgroup).is_ok().then_some(()))
        });
        if let Err(error) = gone {
            warn(&format!("{}: {error:#}", self.cgroup.display()));
        }
    }
}

/// A destructor cannot fail, but it can say so.
#[expect(clippy::print_stderr, reason = "the test's own output")]
fn warn(message: &str) {
    eprintln!("{message}");
}

/// Where cgroup v2 is mounted on this host.
fn cgroup_mount() -> Result<Option<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("read mountinfo")?;
    Ok(mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let path = before.split(' ').nth(4)?;
        after.starts_with("cgroup2 ").then(|| PathBuf::from(path))
    }))
}
