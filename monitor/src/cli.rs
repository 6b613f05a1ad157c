//! The command line: types and help texts, no behavior.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{
    Args, CommandFactory as _, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
    error::ErrorKind,
};

use crate::finding::Severity;

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
    /// Say what this host allows phiwatch to see, and what not
    Doctor(DoctorArgs),
    /// Check a configuration file
    Check(CheckArgs),
    /// Explain a rule of the detectors, or how severities come about
    Explain(ExplainArgs),
    /// List the trackers of the catalog, or say which one a host is
    Trackers(TrackersArgs),
}

/// Which processes are watched; without any of these, all of them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Scope")]
pub struct ScopeArgs {
    /// Watch only this cgroup v2 folder and those below it
    #[arg(long, value_name = "PATH")]
    pub cgroup: Option<PathBuf>,
    /// Watch only this process; may be repeated
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Vec<u32>,
    /// Watch only processes of this executable; may be repeated
    #[arg(long, value_name = "FILE")]
    pub exe: Vec<PathBuf>,
}

/// The level of what the kernel programs log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum KernelLog {
    /// Nothing; costs nothing.
    #[default]
    Off,
    /// Errors.
    Error,
    /// And warnings.
    Warn,
    /// And what happens rarely.
    Info,
    /// And what happens often.
    Debug,
    /// Everything.
    Trace,
}

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
    /// Record payload as it is, readable by whoever can read the file
    #[arg(long)]
    pub raw: bool,
    /// Show what the kernel programs log, from this level on
    #[arg(long, value_name = "LEVEL", default_value = "off")]
    pub kernel_log: KernelLog,
    /// Which processes.
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// `phiwatch capture`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  phiwatch capture -o /var/tmp/evidence --raw --pid 4711

The files are pcapng and open in any tool that reads it. Stop with Ctrl-C.")]
pub struct CaptureArgs {
    /// The folder for the capture files
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Record payload as it is, readable by whoever can read the file
    #[arg(long)]
    pub raw: bool,
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

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON object a line, and nothing else.
    Jsonl,
}

/// `phiwatch replay`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch replay evidence.pcapng
  phiwatch replay --format jsonl --fail-on high evidence/ > findings.jsonl

Files are recognized by content: pcapng, pcap or HAR.")]
pub struct ReplayArgs {
    /// Captures, or folders of captures
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Exit with 1 if there is a finding of at least this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    pub fail_on: Option<Severity>,
    /// The folder with the key of the tokens, for tokens equal to those of the
    /// daemon that used it
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// `phiwatch doctor`
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `phiwatch check`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  phiwatch check /etc/phiwatch/phiwatch.toml && systemctl reload phiwatch")]
pub struct CheckArgs {
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml]
    #[arg(value_name = "CONFIG")]
    pub config: Option<PathBuf>,
}

/// `phiwatch trackers`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch trackers
  phiwatch trackers graph.facebook.com /v26.0/1234/events")]
pub struct TrackersArgs {
    /// A host name to look up
    #[arg(value_name = "HOST")]
    pub host: Option<String>,
    /// The path of a request to it
    #[arg(value_name = "PATH", requires = "host")]
    pub path: Option<String>,
    /// The method of the request
    #[arg(long, value_name = "METHOD", default_value = "POST", requires = "host")]
    pub method: String,
    /// The configuration, whose lists and policy count [default:
    /// /etc/phiwatch/phiwatch.toml if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `phiwatch explain`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch explain
  phiwatch explain email.key.hash
  phiwatch explain severity
  phiwatch explain 5d41402abc4b2a76b9719d911017c592 --journal /var/log/phiwatch/findings.jsonl

The rule of a field is in fields[].rule of a finding.")]
pub struct ExplainArgs {
    /// A rule, a class of data, `severity`, or the id of a finding; without it,
    /// all rules are listed
    #[arg(value_name = "RULE|ID")]
    pub what: Option<String>,
    /// The journal with the finding
    #[arg(long, value_name = "FILE", requires = "what")]
    pub journal: Option<PathBuf>,
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
        let unredacted = match &cli.command {
            Command::Capture(args) => !args.raw,
            Command::Run(args) => args.capture.is_some() && !args.raw,
            _ => false,
        };
        if unredacted {
            return Err(Self::command().error(
                ErrorKind::MissingRequiredArgument,
                "captures need --raw: this release records payload as it is, readable by whoever \
                 can read the file; redacted captures come with a later release",
            ));
        }
        Ok(cli)
    }
}

fn severity_parser() -> impl clap::builder::TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.iter().map(|severity| severity.as_str())).try_map(
        |name| {
            Severity::ALL
                .iter()
                .copied()
                .find(|severity| severity.as_str() == name)
                .ok_or("not a severity")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_arguments(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn captures_need_raw_and_the_error_says_why() {
        for line in ["phiwatch capture -o /c", "phiwatch run --capture /c"] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(
                error
                    .to_string()
                    .contains("redacted captures come with a later"),
                "{error}"
            );
            parse(&format!("{line} --raw")).unwrap();
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
        for status in crate::command::ExitStatus::ALL {
            let number = format!("\n  {:<3} ", *status as u8);
            assert!(EXIT_CODES.contains(&number), "{status:?}");
        }
    }
}
