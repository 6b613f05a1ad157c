//! Processes that come and go, each with connections and a TLS library of its own
//! that goes with it, and what phiwatch's memory does meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use crate::{
    Daemon, Sandbox, Side,
    patient::{self, META_PATH},
};

/// Where the requests go.
const HOST: &str = "graph.facebook.com";
/// Connections of a process, with a request each.
const CONNECTIONS: usize = 3;

/// What came and went, and the memory of phiwatch. All sizes are bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Churned {
    /// Processes, each with a library of its own.
    pub processes: usize,
    /// Their connections.
    pub connections: usize,
    /// The most resident memory during the first third of the processes.
    pub first_third: u64,
    /// The most in the last third.
    pub last_third: u64,
}

impl Churned {
    /// By how much memory grew after the first third.
    pub fn growth(&self) -> u64 {
        self.last_third.saturating_sub(self.first_third)
    }
}

/// Lets at least `least` processes come and go, one after another, for at least
/// `duration`, watched by `daemon`. There must be a sink.
pub fn churn(
    sandbox: &Sandbox,
    daemon: &Daemon<'_>,
    duration: Duration,
    least: usize,
) -> Result<Churned> {
    let library = sandbox.host_tls_library()?;
    let body = patient::event_file(sandbox)?;
    let mut memory = Vec::new();
    let began = Instant::now();
    while began.elapsed() < duration || memory.len() < least {
        one(sandbox, &library, &body, memory.len())?;
        memory.push(resident(daemon.running.pid())?);
    }
    let third = memory.len() / 3;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
    Ok(Churned {
        processes: memory.len(),
        connections: memory.len() * CONNECTIONS,
        first_third: most(&memory[..third]),
        last_third: most(&memory[memory.len() - third..]),
    })
}

/// One process, and the library that is there for it alone.
fn one(sandbox: &Sandbox, library: &Path, body: &Path, number: usize) -> Result<()> {
    let folder: PathBuf = sandbox.folder().join(format!("churn-{number}"));
    fs::create_dir(&folder).context("create a folder")?;
    fs::copy(library, folder.join("libssl.so.3")).context("copy libssl.so.3")?;
    let mut curl = sandbox.command(Side::Watched, "curl");
    curl.env("LD_LIBRARY_PATH", &folder);
    curl.args(["--silent", "--show-error", "--fail", "--http1.1"]);
    // A connection for each request.
    curl.args(["--parallel", "--parallel-immediate", "--data-binary"]);
    curl.arg(format!("@{}", body.display()));
    curl.args(std::iter::repeat_n(
        format!("https://{HOST}{META_PATH}"),
        CONNECTIONS,
    ));
    sandbox.run(&mut curl)?;
    fs::remove_dir_all(&folder).context("remove a folder")
}

/// The resident memory of a process.
fn resident(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let amount = line.context("a process has memory")?.trim();
    let kibibytes: u64 = amount.trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
