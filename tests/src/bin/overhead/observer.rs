//! What observes during a measurement: phiwatch in several modes, and other
//! tools.

use std::{ffi::OsStr, fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail};
use tests::{Daemon, Running, Sandbox, Side, identity};

/// The observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observer {
    /// phiwatch as it comes.
    Default,
    /// phiwatch with a budget that it keeps: a busy server keeps one probe.
    Within,
    /// phiwatch, once its budget has made it back off.
    BackedOff,
    /// phiwatch, recording everything.
    Everything,
    /// bpftrace, copying what `SSL_write` is given.
    Bpftrace,
    /// sslsniff of bcc.
    Sslsniff,
}

/// A running observer, until it is dropped.
pub(crate) enum Watching<'a> {
    /// phiwatch.
    Phiwatch(Box<Daemon<'a>>),
    /// Another.
    Other(Running),
}

/// bpftrace 0.17 copies 200 bytes of a buffer at most.
const BPFTRACE_LENGTH: usize = 200;

/// Where Debian installs kernel headers: sslsniff is compiled against some,
/// though it only uses what is the same in every version.
const HEADERS: &str = "/usr/src";

impl Observer {
    /// Starts it. `pid` is the process to watch, if it watches only one.
    pub(crate) fn start<'a>(self, sandbox: &'a Sandbox, pid: u32) -> Result<Watching<'a>> {
        let quiet = |configuration: &str, arguments: &[&OsStr]| -> Result<Watching<'a>> {
            let daemon = Daemon::run_quietly(sandbox, configuration, arguments)?;
            Ok(Watching::Phiwatch(Box::new(daemon)))
        };
        match self {
            Self::Default | Self::BackedOff => quiet("", &[]),
            Self::Within => quiet("[overhead]\nbudget = 0.5\n", &[]),
            Self::Everything => {
                let folder = sandbox.folder().join("evidence");
                let mut arguments = vec!["--capture".as_ref(), folder.as_os_str()];
                arguments.extend(identity::RAW.iter().map(OsStr::new));
                // Without a limit nothing is sampled or backed off.
                quiet("[overhead]\nbudget = 0.0\n", &arguments)
            }
            Self::Bpftrace => bpftrace(sandbox).map(Watching::Other),
            Self::Sslsniff => sslsniff(sandbox, pid).map(Watching::Other),
        }
    }
}

impl Watching<'_> {
    /// Ends it as it is meant to end.
    pub(crate) fn stop(self) -> Result<()> {
        match self {
            Self::Phiwatch(mut daemon) => {
                // How long the end takes is for the tests to judge.
                daemon.running.signal(rustix::process::Signal::TERM)?;
                daemon.running.ended(Duration::from_secs(30))?;
            }
            Self::Other(mut running) => {
                running.signal(rustix::process::Signal::INT)?;
                running.ended(Duration::from_secs(30))?;
            }
        }
        Ok(())
    }

    /// Whether phiwatch's metrics report a back-off.
    pub(crate) fn backed_off(&self) -> Result<bool> {
        let Self::Phiwatch(daemon) = self else {
            bail!("only phiwatch backs off");
        };
        Ok(daemon.metrics()?.lines().any(|line| {
            line.starts_with("phiwatch_lost_total{reason=\"budget\"") && !line.ends_with(" 0")
        }))
    }
}

/// The library that everything in the sandbox maps.
fn library(sandbox: &Sandbox) -> PathBuf {
    sandbox.folder().join("libssl.so.3")
}

fn bpftrace(sandbox: &Sandbox) -> Result<Running> {
    let program = format!(
        "uprobe:{}:SSL_write {{ printf(\"%r\\n\", buf(arg1, arg2 < {BPFTRACE_LENGTH} ? arg2 : {BPFTRACE_LENGTH})); }}
         interval:ms:200 {{ printf(\"ready\\n\"); }}",
        library(sandbox).display()
    );
    let mut command = sandbox.command(Side::Outside, "bpftrace");
    command
        .env("BPFTRACE_STRLEN", BPFTRACE_LENGTH.to_string())
        .args(["-e", &program]);
    let mut running = sandbox.start("bpftrace", command)?;
    running.wait_for("its probe", |line| (line == "ready").then_some(()))?;
    Ok(running)
}

/// Debian's sslsniff, for one process only, with one expression replaced that
/// bcc's compiler no longer accepts since the kernel's `min` became stricter.
fn sslsniff(sandbox: &Sandbox, pid: u32) -> Result<Running> {
    let script = fs::read_to_string("/usr/sbin/sslsniff-bpfcc").context("read sslsniff")?;
    let script = script.replace(
        "min((size_t)MAX_BUF_SIZE, (size_t)len)",
        "(size_t)len < MAX_BUF_SIZE ? (size_t)len : MAX_BUF_SIZE",
    );
    let path = sandbox.folder().join("sslsniff.py");
    fs::write(&path, script).context("write sslsniff")?;
    let headers = headers(sandbox)?;
    let mut command = sandbox.command(Side::Outside, "/usr/bin/python3");
    command
        .env("BCC_KERNEL_SOURCE", headers)
        .arg("-u")
        .arg(path)
        .args(["--no-gnutls", "--no-nss", "--pid", &pid.to_string()]);
    let mut running = sandbox.start("sslsniff", command)?;
    running.wait_for("its probes", |line| line.starts_with("FUNC").then_some(()))?;
    Ok(running)
}

/// Both of Debian's header packages merged: bcc expects one folder.
fn headers(sandbox: &Sandbox) -> Result<PathBuf> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(HEADERS).with_context(|| format!("list {HEADERS}"))? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if name.contains("linux-headers-") && (name.ends_with("64") || name.ends_with("-common")) {
            folders.push(name.into_owned());
        }
    }
    folders.sort();
    if folders.is_empty() {
        bail!("{HEADERS} has no headers of a kernel");
    }
    let merged = sandbox.folder().join("headers");
    if !merged.exists() {
        fs::create_dir(&merged)?;
        let mut mount: Command = sandbox.command(Side::Outside, "mount");
        mount.args(["-t", "overlay", "overlay", "-o"]);
        mount.arg(format!("lowerdir={}", folders.join(":")));
        sandbox.run(mount.arg(&merged))?;
    }
    Ok(merged)
}
