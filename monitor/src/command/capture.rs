//! `phiwatch capture`: records what the watched processes send, and looks for
//! nothing.

use super::{
    ExitStatus, Failure, OrFail as _,
    watch::{Plan, overlay, watch},
};
use crate::{
    cli::{CaptureArgs, KernelLog},
    config::Config,
};

/// Why a capture needs `--raw` for now.
pub(super) fn needs_raw() -> Failure {
    Failure::message(
        ExitStatus::Usage,
        "this release records captures only as they are, with every payload value in them \
         (redaction comes with a later one); say --raw if that is what you want",
    )
}

/// Records until SIGTERM or SIGINT.
pub fn execute(args: &CaptureArgs) -> Result<(), Failure> {
    if !args.raw {
        return Err(needs_raw());
    }
    let mut config = Config::load(args.config.as_deref()).or_fail(ExitStatus::Config)?;
    overlay(&mut config.scope, &args.scope);
    super::say(format_args!(
        "phiwatch: capturing unredacted plaintext into {}, readable by its owner only",
        args.output.display()
    ));
    watch(&Plan {
        config,
        config_path: args.config.clone(),
        listen: args.listen,
        capture: Some(args.output.clone()),
        detect: false,
        kernel_log: args.kernel_log != KernelLog::Off,
    })
}
