//! The binary: parses the arguments, starts the log, runs a command, prints an
//! error once.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use phiwatch::command::{self, Cli, ExitStatus};
use tracing_log::{AsLog as _, LogTracer};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// The environment variable that sets what is logged.
const LOG_VARIABLE: &str = "PHIWATCH_LOG";

/// Libraries whose logs contain what they read, which is payload: pages.
const PAYLOAD_LOGGERS: &[&str] = &["html5ever", "markup5ever", "tendril", "string_cache"];

fn main() -> ExitCode {
    let cli = Cli::from_process();
    start_log();
    match command::execute(&cli) {
        Ok(()) => ExitStatus::Success.into(),
        Err(failure) => {
            // If standard error is closed, nothing can be done.
            _ = writeln!(io::stderr().lock(), "phiwatch: {failure}");
            failure.code.into()
        }
    }
}

/// Messages go to standard error; standard output is for data.
fn start_log() {
    let wanted = env::var(LOG_VARIABLE).unwrap_or_default();
    let wanted = if wanted.is_empty() { "info" } else { &wanted };
    let parsed = EnvFilter::try_new(wanted);
    let refused = parsed.is_err();
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
    // Payload is never logged, whatever the variable asks for.
    let taken = LogTracer::builder()
        .ignore_all(PAYLOAD_LOGGERS.iter().copied())
        .with_max_level(
            filter
                .max_level_hint()
                .unwrap_or(LevelFilter::TRACE)
                .as_log(),
        )
        .init();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(command::is_colored(&io::stderr()))
        .finish();
    // This is the first thing that the program does, so there is no other log.
    if taken.is_err() || tracing::subscriber::set_global_default(subscriber).is_err() {
        return;
    }
    if refused {
        tracing::warn!("{LOG_VARIABLE} is not understood; logging from level info on");
    }
}
