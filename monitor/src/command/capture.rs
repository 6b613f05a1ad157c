//! `phiwatch capture`: records what the watched processes send, and looks for
//! nothing.

use super::{
    ExitStatus, Failure, OrFail as _,
    scope::overlay,
    storage::store_options,
    watch::{Plan, watch},
};
use crate::{
    cli::{CaptureArgs, KernelLog},
    config::Config,
};

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
        kernel_log: args.kernel_log != KernelLog::Off,
    })
}
