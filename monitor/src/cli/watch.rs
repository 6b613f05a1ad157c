//! The verbs that watch: `run` and `capture`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// Which processes are watched; without any of these, all of them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Scope")]
pub struct ScopeArgs {
    /// Watch only this cgroup v2 folder and those below it
    #[arg(long, value_name = "PATH")]
    pub cgroup: Option<PathBuf>,
    /// Watch only this process, not those that it starts; may be repeated
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Vec<u32>,
    /// Watch only processes of this executable or script, with all that they
    /// fork; may be repeated
    #[arg(long, value_name = "FILE")]
    pub exe: Vec<PathBuf>,
}

/// Who can read raw captures.
#[derive(Clone, Debug, Default, Args)]
pub struct EncryptArgs {
    /// The age recipient who can read what --raw records; may be repeated
    /// [default: capture.recipients of the configuration]
    #[arg(long, value_name = "AGE1…", requires = "raw")]
    pub recipient: Vec<String>,
    /// A file with one recipient a line
    #[arg(long, value_name = "FILE", requires = "raw")]
    pub recipients_file: Option<PathBuf>,
}

/// The level of what the kernel programs log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum KernelLog {
    /// Nothing; costs nothing.
    #[default]
    Off,
    /// Errors.
    Error,
    /// And warnings.
    Warn,
    /// And what happens rarely.
    Info,
    /// And what happens often.
    Debug,
    /// Everything.
    Trace,
}

/// `phiwatch run`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  Watch everything, findings on standard output:
    phiwatch run
  Watch one service, findings in a file:
    phiwatch run --cgroup /sys/fs/cgroup/system.slice/shop.service \\
        --journal /var/log/phiwatch/findings.jsonl
  Let the kernel choose the port; it is printed:
    phiwatch run --listen 127.0.0.1:0

Options of the command line override the configuration file.")]
pub struct RunArgs {
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where /metrics is served [default: 127.0.0.1:9765]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Where findings go; - is standard output [default: -]
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Record captures in this folder as well
    #[arg(long, value_name = "DIR")]
    pub capture: Option<PathBuf>,
    /// Record payload as it is, encrypted to recipients
    #[arg(long)]
    pub raw: bool,
    /// Who can read it.
    #[command(flatten)]
    pub encrypt: EncryptArgs,
    /// Show what the kernel programs log, from this level on
    #[arg(long, value_name = "LEVEL", default_value = "off")]
    pub kernel_log: KernelLog,
    /// Which processes.
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// `phiwatch capture`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  phiwatch capture -o /var/tmp/evidence --pid 4711 --raw --recipient age1…

The files are pcapng and open in any tool that reads it, once `age -d` has
decrypted them. `phiwatch verify` checks them. Stop with Ctrl-C.")]
pub struct CaptureArgs {
    /// The folder for the capture files
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Record payload as it is, encrypted to recipients
    #[arg(long)]
    pub raw: bool,
    /// Who can read it.
    #[command(flatten)]
    pub encrypt: EncryptArgs,
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which processes.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Serve /metrics there as well
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Show what the kernel programs log, from this level on
    #[arg(long, value_name = "LEVEL", default_value = "off")]
    pub kernel_log: KernelLog,
}
