//! The command line: types and help texts, no behavior.

mod captures;
mod export;
mod inspect;
mod replay;
mod select;
mod watch;

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};

pub use self::{
    captures::VerifyArgs,
    export::{ExportArgs, ExportFormat},
    inspect::{CheckArgs, DoctorArgs, ExplainArgs, TrackersArgs},
    replay::{Format, ReplayArgs},
    select::SelectArgs,
    watch::{CaptureArgs, EncryptArgs, KernelLog, RunArgs, ScopeArgs},
};

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
  65  input that cannot be read
  69  this kernel lacks something
  70  an error of phiwatch itself
  74  reading or writing failed
  77  not permitted
  78  the configuration is wrong

Data goes to standard output, messages to standard error. PHIWATCH_LOG sets
the level of the messages (error, warn, info, debug, trace), NO_COLOR removes
their color.";

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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::finding::Severity;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_arguments(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
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
        for status in crate::command::ExitStatus::ALL {
            let number = format!("\n  {:<3} ", *status as u8);
            assert!(EXIT_CODES.contains(&number), "{status:?}");
        }
    }
}
