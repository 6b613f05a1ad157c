//! `phiwatch run`: the daemon.

use super::{
    ExitStatus, Failure, OrFail as _,
    scope::overlay,
    storage::store_options,
    watch::{Plan, watch},
};
use crate::{
    capture::StoreOptions,
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
