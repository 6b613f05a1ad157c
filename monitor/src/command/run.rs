//! `phiwatch run`: the daemon.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{
    ExitStatus, Failure, OrFail as _,
    scope::{ScopeArgs, overlay},
    storage::{EncryptArgs, store_options},
    watch::{KernelLog, Plan, watch},
};
use crate::{
    config::{Config, JournalTarget},
    store::StoreOptions,
};

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

/// Watches the host until SIGTERM or SIGINT.
pub fn execute(args: &RunArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.as_deref()).or_fail(ExitStatus::Config)?;
    let loaded = config.clone();
    overlay(&mut config.scope, &args.scope);
    if let Some(journal) = &args.journal {
        config.journal.file = JournalTarget::from_argument(journal);
    }
    let capture = args
        .capture
        .clone()
        .or_else(|| config.capture.directory.clone());
    if args.raw && capture.is_none() {
        let message = "--raw is about what is recorded: name a folder with --capture DIR";
        return Err(Failure::message(ExitStatus::Usage, message));
    }
    let store = if capture.is_some() {
        store_options(&config.capture, args.raw, &args.encrypt)?
    } else {
        StoreOptions::default()
    };
    watch(&Plan {
        listen: Some(args.listen.unwrap_or(config.listen.address)),
        config,
        loaded,
        config_sha256: Config::digest(args.config.as_deref()),
        config_path: args.config.clone(),
        capture,
        raw: args.raw,
        store,
        detect: true,
        kernel_log: args.kernel_log != KernelLog::Off,
    })
}
