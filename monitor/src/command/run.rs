//! `phiwatch run`: the daemon.

use super::{
    ExitStatus, Failure, OrFail as _,
    watch::{Plan, overlay, watch},
};
use crate::{
    cli::{KernelLog, RunArgs},
    config::{Config, JournalTarget},
};

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
    watch(&Plan {
        listen: Some(args.listen.unwrap_or(config.listen.address)),
        config,
        loaded,
        config_path: args.config.clone(),
        capture,
        raw: args.raw,
        detect: true,
        kernel_log: args.kernel_log != KernelLog::Off,
    })
}
