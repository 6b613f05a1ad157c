//! `phiwatch capture`: records what the watched processes send, and looks for
//! nothing.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{
    ExitStatus, Failure, OrFail as _,
    scope::{ScopeArgs, overlay},
    storage::{EncryptArgs, store_options},
    watch::{KernelLog, Plan, watch},
};
use crate::{alert::journal::JournalForm, config::Config};

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

/// Records until SIGTERM or SIGINT.
pub fn execute(args: &CaptureArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.as_deref()).or_fail(ExitStatus::Config)?;
    let loaded = config.clone();
    overlay(&mut config.scope, &args.scope);
    let store = store_options(&config.capture, args.raw, &args.encrypt)?;
    watch(&Plan {
        config,
        loaded,
        config_sha256: Config::digest(args.config.as_deref()),
        config_path: args.config.clone(),
        listen: args.listen,
        capture: Some(args.output.clone()),
        raw: args.raw,
        store,
        detect: false,
        form: JournalForm::default(),
        kernel_log: args.kernel_log != KernelLog::Off,
    })
}
