//! The verb that writes messages for other tools: `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::select::SelectArgs;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// An HTTP archive, for browsers and mitmproxy
    Har,
    /// Packets, for every tool that reads captures
    Pcapng,
    /// Whole messages as exported PDUs, which Wireshark reads on any port
    Pdu,
}

impl ExportFormat {
    /// The name in options and in custody logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Har => "har",
            Self::Pcapng => "pcapng",
            Self::Pdu => "pdu",
        }
    }
}

/// `phiwatch export`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch export /var/tmp/evidence --to har -o evidence.har
  phiwatch export evidence/ --to pdu --only-findings --reason 'case 4711' -o findings.pcapng
  phiwatch export evidence/ --to har --finding 5d41402abc4b2a76b9719d911017c592 -o one.har
  phiwatch export evidence/ --to pcapng --raw --reason 'court order 12/26' \\
      --identity key.txt -o raw.pcapng

Values that could identify someone are replaced by tokens, equal ones by equal
ones, unless --raw is given. Who took what out of a capture, when and why, is
entered into custody.jsonl in its folder: always with --raw or --reason, else
where there is such a log. The file appears only once it is complete.

Filters choose messages by their findings; --since and --until alone keep
messages without findings as well.")]
pub struct ExportArgs {
    /// Captures, or folders of captures
    #[arg(required = true, value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
    /// What is written
    #[arg(long, value_name = "FORMAT")]
    pub to: ExportFormat,
    /// The file that is written; only its owner can read it
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
    /// Write values as they were sent
    #[arg(long, requires = "reason")]
    pub raw: bool,
    /// Why, for the custody log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only messages with findings
    #[arg(long)]
    pub only_findings: bool,
    /// Only the message with this finding; may be repeated
    #[arg(long, value_name = "ID")]
    pub finding: Vec<String>,
    /// A file with age identities, for encrypted captures; may be repeated
    #[arg(long, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder with the key of the tokens, for tokens equal to those of the
    /// daemon that used it
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Which messages.
    #[command(flatten)]
    pub select: SelectArgs,
}
