//! The verbs of the command line, one file each, and how they end.
//!
//! Input: the parsed command line. Output: data on standard output, and a
//! [`Failure`] that `main` prints once.

pub mod capture;
pub mod check;
mod core;
pub mod doctor;
pub mod explain;
pub mod export;
mod parallel;
mod recording;
pub mod replay;
pub mod run;
mod scope;
mod state;
mod storage;
pub mod trackers;
pub mod verify;
mod watch;

use std::{
    fmt,
    io::{self, Write as _},
};

use crate::{
    cli::{Cli, Command},
    config::{Config, Recipients},
};

/// The meaning of the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// All is well.
    Success = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// Wrong use of the command line.
    Usage = 2,
    /// Input that cannot be read.
    BadInput = 65,
    /// This kernel lacks something.
    Unsupported = 69,
    /// An error of phiwatch itself.
    Internal = 70,
    /// Reading or writing failed.
    Io = 74,
    /// Not permitted.
    NotPermitted = 77,
    /// The configuration is wrong.
    Config = 78,
}

impl ExitStatus {
    /// Every status.
    pub const ALL: &'static [Self] = &[
        Self::Success,
        Self::Findings,
        Self::Usage,
        Self::BadInput,
        Self::Unsupported,
        Self::Internal,
        Self::Io,
        Self::NotPermitted,
        Self::Config,
    ];
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why a verb failed: the exit code and the chain of causes.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: ExitStatus,
    /// What went wrong, to be printed once with all its causes.
    pub source: anyhow::Error,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(code: ExitStatus, source: impl Into<anyhow::Error>) -> Self {
        Self {
            code,
            source: source.into(),
        }
    }

    /// A failure with this exit code and message.
    pub fn message(code: ExitStatus, message: impl fmt::Display) -> Self {
        Self {
            code,
            source: anyhow::anyhow!("{message}"),
        }
    }
}

/// The message and its causes in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.source)
    }
}

/// Gives the error of a result its exit code.
pub trait OrFail<T> {
    /// The value, or a [`Failure`] with `code`.
    fn or_fail(self, code: ExitStatus) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_fail(self, code: ExitStatus) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(code, error))
    }
}

/// Prints to standard error. If that is closed, nothing can be done.
fn say(message: fmt::Arguments<'_>) {
    drop(writeln!(io::stderr().lock(), "{message}"));
}

/// Recipients and services according to `config` and its lists. List entries
/// that are not used are reported.
fn recipients(config: &Config) -> Result<Recipients, Failure> {
    let recipients = Recipients::load(config).or_fail(ExitStatus::Config)?;
    for (path, count) in recipients.skipped.iter().filter(|(_, count)| *count > 0) {
        say(format_args!(
            "phiwatch: {}: {count} lines name no host that phiwatch could use",
            path.display()
        ));
    }
    Ok(recipients)
}

/// Whether the reader of standard output went away, as `head` does.
fn is_closed_pipe(failure: &Failure) -> bool {
    failure.source.chain().any(|cause| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let kind = kind.or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind());
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

/// Carries out the command. A verb that prints and ends may stop when its
/// reader goes away; one that watches may not, because its findings would be
/// lost.
pub fn execute(cli: &Cli) -> Result<(), Failure> {
    let result = dispatch(cli);
    match (&cli.command, result) {
        (Command::Run(_) | Command::Capture(_), result) => result,
        (_, Err(failure)) if is_closed_pipe(&failure) => Ok(()),
        (_, result) => result,
    }
}

fn dispatch(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Run(args) => run::execute(args),
        Command::Capture(args) => capture::execute(args),
        Command::Replay(args) => replay::execute(args),
        Command::Doctor(args) => doctor::execute(args),
        Command::Check(args) => check::execute(args),
        Command::Explain(args) => explain::execute(args),
        Command::Trackers(args) => trackers::execute(args),
        Command::Verify(args) => verify::execute(args),
        Command::Export(args) => export::execute(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_other_failures() {
        let check = |kind: io::ErrorKind, expected: bool| {
            let plain = Failure::new(ExitStatus::Io, io::Error::from(kind));
            assert_eq!(is_closed_pipe(&plain), expected, "{kind:?}");
            let error = anyhow::Error::new(io::Error::from(kind)).context("print");
            assert_eq!(
                is_closed_pipe(&Failure::new(ExitStatus::Io, error)),
                expected
            );
            let error = <serde_json::Error as serde::ser::Error>::custom("x");
            assert!(!is_closed_pipe(&Failure::new(ExitStatus::Io, error)));
        };
        check(io::ErrorKind::BrokenPipe, true);
        check(io::ErrorKind::StorageFull, false);
    }

    #[test]
    fn a_failure_prints_its_causes_once_and_in_order() {
        let cause = std::io::Error::other("no room");
        let failure = Err::<(), _>(anyhow::Error::new(cause).context("write the journal"))
            .or_fail(ExitStatus::Io)
            .unwrap_err();
        assert_eq!(failure.to_string(), "write the journal: no room");
        assert_eq!(failure.code, ExitStatus::Io);
    }
}
