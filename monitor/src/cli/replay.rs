//! The verb that reads captures: `replay`.

use std::{num::NonZero, path::PathBuf};

use clap::{Args, ValueEnum};

use super::select::{SelectArgs, severity_parser};
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

impl Format {
    /// Whether the report says what its inputs are, which have to be read for
    /// that.
    pub const fn has_facts(self) -> bool {
        match self {
            Self::Json | Self::Sarif | Self::Html => true,
            Self::Table | Self::Jsonl | Self::Csv => false,
        }
    }
}

/// `phiwatch replay`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch replay evidence.pcapng
  phiwatch replay --format jsonl --fail-on high evidence/ > findings.jsonl
  phiwatch replay --since 2026-11-24 --until 2026-11-24T06:00Z --process php-fpm evidence/
  phiwatch replay --filter 'class has email and tracker in [meta, tiktok]' evidence/
  phiwatch replay --identity key.txt evidence/*.pcapng.age
What would another configuration have found in old captures?
  phiwatch replay --diff new.toml --fail-on high evidence/

Files are recognized by content: pcapng, pcap or HAR, plain or within zstd or
age. Folders are searched with all that is below them.

Filters choose what is shown, reported and looked at by --fail-on. Detection
always sees everything, so neither ids nor persons nor the numbers of people
depend on them. Times without an offset are UTC.

Exit codes: 0 well, 1 findings at or above --fail-on (with --diff: findings
gained), 2 wrong use, 65 input that cannot be read, 74 reading or writing
failed, 77 encrypted and no identity fits, 78 the configuration is wrong.")]
pub struct ReplayArgs {
    /// Captures, or folders of captures
    #[arg(value_name = "FILE")]
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
    /// Show what another configuration would find instead: findings gained, lost
    /// and changed
    #[arg(long, value_name = "OTHER_CONFIG")]
    pub diff: Option<PathBuf>,
    /// Exit with 1 if there is a finding of at least this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    pub fail_on: Option<Severity>,
    /// Stop after this many findings that are shown
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<NonZero<u64>>,
    /// A file with age identities, for encrypted captures; may be repeated
    #[arg(long, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// The folder with the key of the tokens, for tokens equal to those of the
    /// daemon that used it
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Examine messages with this many threads; 1 does everything on one thread
    /// [default: one for each core]
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZero<usize>>,
    /// Neither a progress bar nor a summary
    #[arg(long, short)]
    pub quiet: bool,
    /// Which findings.
    #[command(flatten)]
    pub select: SelectArgs,
}

impl ReplayArgs {
    /// Whether the language of filters is to be explained.
    pub fn wants_filter_help(&self) -> bool {
        self.select.filter.as_deref() == Some("help")
    }
}
