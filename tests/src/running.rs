//! A child process that ends with its guard.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// How long a process may take to report that it is ready.
const START: Duration = Duration::from_secs(20);

/// A child process, its outputs in files. Dropping it kills it.
pub struct Running {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts `command`; its outputs go to files in `folder` that begin with
    /// `name`. Its standard input stays open for [`Running::stdin`].
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let (stdout, stderr) = (
            folder.join(format!("{name}.stdout")),
            folder.join(format!("{name}.stderr")),
        );
        let create =
            |path: &Path| File::create(path).with_context(|| format!("create {}", path.display()));
        command
            .stdin(Stdio::piped())
            .stdout(create(&stdout)?)
            .stderr(create(&stderr)?);
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            stdout,
            stderr,
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> Result<String> {
        read(&self.stdout)
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> Result<String> {
        read(&self.stderr)
    }

    /// Its standard input.
    pub fn stdin(&mut self) -> Result<&mut impl std::io::Write> {
        self.child
            .stdin
            .as_mut()
            .with_context(|| format!("{} has no input", self.name))
    }

    /// Waits until standard output or error contains a line that `found`
    /// accepts. Fails at once if the process ends.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        wait(&format!("{}: {what}", self.name), START, || {
            for output in [self.stdout()?, self.stderr()?] {
                // A line may come in parts.
                let whole = output.rfind('\n').map_or("", |end| &output[..end]);
                if let Some(value) = whole.lines().find_map(&mut found) {
                    return Ok(Some(value));
                }
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended with {status}: {}",
                    self.name,
                    self.stderr()?.trim()
                );
            }
            Ok(None)
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a child has a pid")?, signal)
            .with_context(|| format!("signal {}", self.name))
    }

    /// Waits until it has ended.
    pub fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        wait(&format!("end of {}", self.name), limit, || {
            Ok(self.child.try_wait()?)
        })
    }

    /// Whether it is still there.
    pub fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
