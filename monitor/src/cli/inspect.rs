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
