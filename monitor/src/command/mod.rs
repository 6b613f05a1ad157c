//! The verbs of the command line: a file each, with its arguments and help and
//! with what it does.
//!
//! Input: the arguments of the process. Output: data on standard output, and a
//! [`Failure`] that `main` prints once.

pub mod capture;
pub mod check;
mod core;
pub mod doctor;
pub mod explain;
pub mod export;
mod failure;
mod recording;
pub mod replay;
pub mod run;
mod scope;
mod state;
mod storage;
mod terminal;
pub mod trackers;
pub mod verify;
mod watch;

use std::{
    ffi::OsString,
    fmt,
    io::{self, Write as _},
};

use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};

use self::{
    capture::CaptureArgs, check::CheckArgs, doctor::DoctorArgs, explain::ExplainArgs,
    export::ExportArgs, replay::ReplayArgs, run::RunArgs, trackers::TrackersArgs,
    verify::VerifyArgs,
};
pub use self::{
    failure::{ExitStatus, Failure, OrFail},
    terminal::is_colored,
};
use crate::config::{Config, Recipients};

/// Sees the HTTP that server processes send before it is encrypted, and reports
/// protected health information on its way to advertising and analytics
/// platforms.
#[derive(Debug, Parser)]
#[command(name = "phiwatch", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   all is well
  1   findings at or above --fail-on
  2   wrong use of the command line
  3   doctor --processes: a process whose TLS is not read, or not known to be
  65  input that cannot be read
  69  this kernel lacks something
  70  an error of phiwatch itself
  74  reading or writing failed
  77  not permitted
  78  the configuration is wrong

Data goes to standard output, messages to standard error. PHIWATCH_LOG sets
the level of the messages (error, warn, info, debug, trace), NO_COLOR removes
colors.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch this host and report findings
    Run(RunArgs),
    /// Record what processes send, without looking for findings
    Capture(CaptureArgs),
    /// Look for findings in captures
    Replay(ReplayArgs),
    /// Write messages of captures for other tools
    Export(ExportArgs),
    /// Check that captures are as they were written
    Verify(VerifyArgs),
    /// Say what this host allows phiwatch to see, and what not
    Doctor(DoctorArgs),
    /// Check a configuration file
    Check(CheckArgs),
    /// Explain a rule of the detectors, or how severities come about
    Explain(ExplainArgs),
    /// List the trackers of the catalog, or say which one a host is
    Trackers(TrackersArgs),
}

impl Cli {
    /// Parses the arguments of this process, and exits with help or a usage
    /// error where there is nothing to do.
    pub fn from_process() -> Self {
        Self::from_arguments(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Parses `arguments`, the first of which is the program's name.
    pub fn from_arguments(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(arguments)?;
        if let Command::Replay(args) = &cli.command
            && args.files.is_empty()
            && !args.wants_filter_help()
        {
            return Err(Self::command().error(
                ErrorKind::MissingRequiredArgument,
                "replay needs captures: phiwatch replay FILE...",
            ));
        }
        Ok(cli)
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
    use std::path::PathBuf;

    use super::{watch::KernelLog, *};
    use crate::finding::Severity;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_arguments(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_readme_shows_every_verb() {
        let readme = include_str!("../../../README.md");
        for verb in Cli::command().get_subcommands() {
            let line = format!("    phiwatch {} ", verb.get_name());
            assert!(readme.contains(&line), "{line}");
        }
    }

    #[test]
    fn scope_flags_repeat() {
        let cli = parse("phiwatch run --pid 1 --pid 2 --exe /a --exe /b --cgroup /c").unwrap();
        let Command::Run(args) = cli.command else {
            panic!("not run")
        };
        assert_eq!(args.scope.pid, [1, 2]);
        assert_eq!(args.scope.exe, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(args.scope.cgroup, Some(PathBuf::from("/c")));
        assert_eq!(args.kernel_log, KernelLog::Off);
    }

    #[test]
    fn severities_are_parsed_by_their_names() {
        for severity in Severity::ALL {
            let cli = parse(&format!(
                "phiwatch replay a --fail-on {}",
                severity.as_str()
            ))
            .unwrap();
            let Command::Replay(args) = cli.command else {
                panic!("not replay")
            };
            assert_eq!(args.fail_on, Some(*severity));
        }
        for wrong in [
            "replay a --fail-on awful",
            "replay",
            "run --pid 0",
            "trackers --json a b c",
        ] {
            assert_eq!(
                parse(&format!("phiwatch {wrong}")).unwrap_err().exit_code(),
                2,
                "{wrong}"
            );
        }
    }

    #[test]
    fn help_names_every_exit_code() {
        for status in ExitStatus::ALL {
            let number = format!("\n  {:<3} ", *status as u8);
            assert!(EXIT_CODES.contains(&number), "{status:?}");
        }
    }

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
}
