//! The verb that reads captures: `replay`.

use std::{num::NonZero, path::PathBuf};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use crate::finding::Severity;

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document: findings, what they come to, where they come from.
    Json,
    /// One JSON object a line, and nothing else.
    Jsonl,
    /// For spreadsheets, one row a finding.
    Csv,
    /// SARIF 2.1.0, for code scanning and dashboards.
    Sarif,
    /// One page for people without tools: no scripts, no requests.
    Html,
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
    /// Write into this file, which appears when it is whole; - is standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
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
    /// Work with this many threads [default: one for each core]
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZero<usize>>,
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
