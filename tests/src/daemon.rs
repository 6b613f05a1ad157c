//! phiwatch, watching a sandbox's cgroup.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use serde_json::Value;

use crate::{Running, Sandbox, Side, identity, phiwatch, wait};

/// How long it may take to attach, or until a finding is in the journal.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a terminated daemon may drain, as the design promises.
pub const DRAIN: Duration = Duration::from_secs(2);

/// What standard output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlet {
    /// A terminal, which has standard error as well.
    Terminal,
    /// A pipe.
    Pipe,
}

/// A running `phiwatch run` or `phiwatch capture`.
pub struct Daemon<'a> {
    /// The process.
    pub running: Running,
    sandbox: &'a Sandbox,
    address: String,
}

impl<'a> Daemon<'a> {
    /// `phiwatch run` with the journal [`Daemon::journal_path`] and `arguments`.
    pub fn run<S: AsRef<OsStr>>(sandbox: &'a Sandbox, arguments: &[S]) -> Result<Self> {
        Self::run_with(sandbox, "", arguments)
    }

    /// [`Daemon::run`], with tables of `configuration` besides those that keep
    /// its state in the sandbox.
    pub fn run_with<S: AsRef<OsStr>>(
        sandbox: &'a Sandbox,
        configuration: &str,
        arguments: &[S],
    ) -> Result<Self> {
        // The most verbose log: none of it may contain payload.
        Self::run_at("trace", sandbox, configuration, arguments)
    }

    /// [`Daemon::run_with`], with the default log level.
    pub fn run_quietly<S: AsRef<OsStr>>(
        sandbox: &'a Sandbox,
        configuration: &str,
        arguments: &[S],
    ) -> Result<Self> {
        Self::run_at("info", sandbox, configuration, arguments)
    }

    fn run_at<S: AsRef<OsStr>>(
        level: &str,
        sandbox: &'a Sandbox,
        configuration: &str,
        arguments: &[S],
    ) -> Result<Self> {
        let journal = sandbox.folder().join("journal.jsonl");
        let common = ["run".as_ref(), "--journal".as_ref(), journal.as_os_str()];
        Self::start(level, sandbox, configuration, &common, arguments)
    }

    /// `phiwatch run` with findings on standard output, which is a terminal or a
    /// pipe. What came out is in [`Running::stdout`] of `running`, which is a program
    /// around phiwatch: keys that it gets go to the terminal.
    pub fn shown(sandbox: &'a Sandbox, outlet: Outlet) -> Result<Self> {
        let path = configuration(sandbox, "")?;
        let words = [
            // Ends with the program around it.
            "setpriv --pdeathsig KILL".to_owned(),
            quoted(phiwatch())?,
            "run --config".to_owned(),
            quoted(path)?,
            "--cgroup".to_owned(),
            quoted(sandbox.cgroup())?,
        ];
        let line = words.join(" ");
        let mut command = match outlet {
            Outlet::Terminal => {
                let mut script = sandbox.command(Side::Outside, "script");
                script.args(["--quiet", "--flush", "--return", "--command"]);
                script.arg(format!("exec {line}")).arg("/dev/null");
                script.env_remove("NO_COLOR").env("TERM", "xterm");
                script
            }
            Outlet::Pipe => {
                let mut shell = sandbox.command(Side::Outside, "sh");
                shell.args(["-c", &format!("{line} | cat")]);
                shell
            }
        };
        command.env("PHIWATCH_LOG", "info");
        Self::ready(sandbox, command)
    }

    /// `phiwatch capture --raw`, readable with [`identity`], into the folder [`Daemon::capture_path`].
    pub fn capture(sandbox: &'a Sandbox) -> Result<Self> {
        let folder = sandbox.folder().join("capture");
        let common = ["capture".as_ref(), "-o".as_ref(), folder.as_os_str()];
        let arguments = [identity::RAW, &["--listen", "127.0.0.1:0"]].concat();
        Self::start("trace", sandbox, "", &common, &arguments)
    }

    /// Starts phiwatch with `common` and other arguments.
    fn start<S: AsRef<OsStr>>(
        level: &str,
        sandbox: &'a Sandbox,
        configuration: &str,
        common: &[&OsStr],
        arguments: &[S],
    ) -> Result<Self> {
        let path = self::configuration(sandbox, configuration)?;
        let mut command = sandbox.command(Side::Outside, phiwatch());
        command
            .args(common)
            .arg("--config")
            .arg(&path)
            .arg("--cgroup")
            .arg(sandbox.cgroup());
        command.env("PHIWATCH_LOG", level).args(arguments);
        Self::ready(sandbox, command)
    }

    /// Starts `command`, which is phiwatch, and waits until its probes are attached.
    fn ready(sandbox: &'a Sandbox, command: Command) -> Result<Self> {
        let mut running = sandbox.start("phiwatch", command)?;
        let address = running.wait_for("its address", |line| {
            line.split_once("listening on http://")
                .map(|(_, address)| address.trim().to_owned())
        })?;
        let mut daemon = Self {
            running,
            sandbox,
            address,
        };
        daemon.wait_until_ready()?;
        Ok(daemon)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let url = format!("http://{}/-/ready", self.address);
        let mut last = String::new();
        let ready = wait("phiwatch is ready", PATIENCE, || {
            if !self.running.is_alive()? {
                bail!("phiwatch ended: {}", self.running.stderr()?.trim());
            }
            let answer = self.sandbox.get(&url);
            last = answer
                .as_ref()
                .map_or_else(ToString::to_string, Clone::clone);
            Ok(answer.ok())
        });
        let log = self.running.stderr().unwrap_or_default();
        ready.with_context(|| format!("{last}: {log}"))?;
        // phiwatch does without a program, so nothing else would tell.
        ensure!(!log.contains("the kernel refuses"), "{log}");
        Ok(())
    }

    /// The address that it serves, `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> Result<String> {
        self.sandbox
            .get(&format!("http://{}/metrics", self.address))
    }

    /// The sum of all series of the metric `name` whose labels hold `label`
    /// (`severity="high"`, or the empty string).
    pub fn metric(&self, name: &str, label: &str) -> Result<f64> {
        sum(&self.metrics()?, name, label)
    }

    /// Where the journal of `run` is.
    pub fn journal_path(&self) -> PathBuf {
        self.sandbox.folder().join("journal.jsonl")
    }

    /// Where the files of `capture` are.
    pub fn capture_path(&self) -> PathBuf {
        self.sandbox.folder().join("capture")
    }

    /// The findings in the journal, once there are at least `count`.
    pub fn findings(&self, count: usize) -> Result<Vec<Value>> {
        let journal = self.journal_path();
        wait(&format!("{count} findings"), PATIENCE, || {
            let findings = findings(&journal)?;
            Ok((findings.len() >= count).then_some(findings))
        })
        .with_context(|| self.losses())
        .with_context(|| self.running.stderr().unwrap_or_default())
    }

    /// What it has lost so far: the lines of its metrics that are not zero.
    fn losses(&self) -> String {
        let metrics = self.metrics().unwrap_or_default();
        let lost = metrics
            .lines()
            .filter(|line| line.starts_with("phiwatch_lost_total") && !line.ends_with(" 0"));
        format!("lost: {}", lost.collect::<Vec<_>>().join(", "))
    }

    /// Terminates it, and returns its exit code once everything is drained.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.running.signal(Signal::TERM)?;
        self.running.ended(DRAIN)
    }
}

/// Writes a configuration with these tables besides those that keep phiwatch's
/// state in the sandbox, and returns its path.
fn configuration(sandbox: &Sandbox, tables: &str) -> Result<PathBuf> {
    let path = sandbox.folder().join("phiwatch.toml");
    let text = format!(
        "[listen]\naddress = \"127.0.0.1:0\"\n[state]\ndirectory = \"{}\"\n{tables}",
        sandbox.state().display()
    );
    fs::write(&path, text).context("write the configuration")?;
    Ok(path)
}

/// A path as a word of a shell.
fn quoted(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let text = path.to_str().context("a path is text")?;
    ensure!(!text.contains('\''), "{}", path.display());
    Ok(format!("'{text}'"))
}

/// The complete lines of a journal, which may not exist yet.
pub fn findings(journal: &Path) -> Result<Vec<Value>> {
    let text = match fs::read_to_string(journal) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context("read the journal"),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// The sum of all series of `name` whose labels hold `label`, in a text of metrics.
pub fn sum(metrics: &str, name: &str, label: &str) -> Result<f64> {
    let mut sum = 0.0;
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
        if metric == name && labels.contains(label) {
            sum += value
                .parse::<f64>()
                .with_context(|| format!("value of {series}"))?;
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_whole_name_and_label() {
        let text = "# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\",y=\"1\"} 3\na_total 5\nb 7\n";
        for (name, label, expected) in [
            ("a", "", "5"),
            ("a", "x=\"2\"", "3"),
            ("b", "", "7"),
            ("c", "", "0"),
        ] {
            assert_eq!(sum(text, name, label).unwrap().to_string(), expected);
        }
    }
}
