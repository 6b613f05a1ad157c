//! The verbs that tell and touch nothing: `doctor`, `check`, `trackers`,
//! `explain`.

use std::path::PathBuf;

use clap::Args;

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
  phiwatch explain 5d4140 evidence/
  phiwatch explain 5d4140 evidence/ --identity key.txt --reveal --reason 'case 4711'

The rule of a field is in fields[].rule of a finding. Of the id of a finding
its beginning is enough, from 6 digits on, where no other begins so.

--reveal shows the values themselves, on standard output and nowhere else. Who
did it and why is written to custody.jsonl beside the capture first; if that
cannot be written, nothing is shown. Redacted captures do not hold the values.

Exit codes: 0 well, 2 wrong use, 65 no such finding, or the values are not
there, 74 reading or writing failed, 77 encrypted and no identity fits.")]
pub struct ExplainArgs {
    /// A rule, a class of data, `severity`, or the id of a finding; without it,
    /// all rules are listed
    #[arg(value_name = "RULE|ID")]
    pub what: Option<String>,
    /// Captures with the finding, or folders of captures
    #[arg(value_name = "CAPTURE", requires = "what")]
    pub captures: Vec<PathBuf>,
    /// The journal with the finding
    #[arg(long, value_name = "FILE", requires = "what")]
    pub journal: Option<PathBuf>,
    /// The configuration file, for captures [default:
    /// /etc/phiwatch/phiwatch.toml, if it exists]
    #[arg(long, value_name = "FILE", requires = "captures")]
    pub config: Option<PathBuf>,
    /// The folder with the key of the tokens
    #[arg(long, value_name = "DIR", requires = "captures")]
    pub state: Option<PathBuf>,
    /// A file with age identities, for encrypted captures; may be repeated
    #[arg(long, value_name = "FILE", requires = "captures")]
    pub identity: Vec<PathBuf>,
    /// Show the values of the finding, which are protected health information
    #[arg(long, requires_all = ["captures", "reason"])]
    pub reveal: bool,
    /// Why the values are looked at, for the custody log
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    pub reason: Option<String>,
}
