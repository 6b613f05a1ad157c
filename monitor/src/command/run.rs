//! `phiwatch run`: the daemon.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{
    ExitStatus, Failure, OrFail as _,
    scope::{ScopeArgs, overlay},
    storage::{EncryptArgs, store_options},
    terminal::Terminal,
    watch::{KernelLog, Plan, watch},
};
use crate::{
    alert::journal::JournalForm,
    config::{Config, JournalTarget},
    store::StoreOptions,
};

/// How findings look on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people, a few lines a finding.
    Text,
    /// One JSON object a line.
    Jsonl,
}

/// `phiwatch run`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  Watch everything; a terminal shows findings for people:
    phiwatch run
  Give them to another program, one JSON object a line:
    phiwatch run | jq .why
  Keep what a terminal would show:
    phiwatch run --format text > findings.txt
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
    /// How findings look on standard output [default: text on a terminal, jsonl
    /// elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<OutputFormat>,
    /// Record captures in this folder as well
    #[arg(long, value_name = "DIR")]
    pub capture: Option<PathBuf>,
    /// Record payload as it is, encrypted to recipients
    #[arg(long)]
    pub raw: bool,
    /// Who can read it.
    #[command(flatten)]
    pub encrypt: EncryptArgs,
    /// Show what the kernel programs log, from this level on
    #[arg(long, value_name = "LEVEL", default_value = "off")]
    pub kernel_log: KernelLog,
    /// Which processes.
    #[command(flatten)]
    pub scope: ScopeArgs,
}

/// Watches the host until SIGTERM or SIGINT.
pub fn execute(args: &RunArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.as_deref()).or_fail(ExitStatus::Config)?;
    let loaded = config.clone();
    overlay(&mut config.scope, &args.scope);
    if let Some(journal) = &args.journal {
        config.journal.file = JournalTarget::from_argument(journal);
    }
    let form = form(args.format, &config.journal.file, Terminal::stdout())?;
    let capture = args
        .capture
        .clone()
        .or_else(|| config.capture.directory.clone());
    if args.raw && capture.is_none() {
        let message = "--raw is about what is recorded: name a folder with --capture DIR";
        return Err(Failure::message(ExitStatus::Usage, message));
    }
    let store = if capture.is_some() {
        store_options(&config.capture, args.raw, &args.encrypt)?
    } else {
        StoreOptions::default()
    };
    watch(&Plan {
        listen: Some(args.listen.unwrap_or(config.listen.address)),
        config,
        loaded,
        config_sha256: Config::digest(args.config.as_deref()),
        config_path: args.config.clone(),
        capture,
        raw: args.raw,
        store,
        detect: true,
        form,
        kernel_log: args.kernel_log != KernelLog::Off,
    })
}

/// How findings are written: as asked for, or else as suits standard output.
fn form(
    wanted: Option<OutputFormat>,
    target: &JournalTarget,
    stdout: Terminal,
) -> Result<JournalForm, Failure> {
    if let (Some(_), JournalTarget::File(path)) = (wanted, target) {
        let message = format!(
            "--format is about standard output, but findings go to {}: leave it out, or say \
             --journal -",
            path.display()
        );
        return Err(Failure::message(ExitStatus::Usage, message));
    }
    let default = match target {
        JournalTarget::Stdout if stdout.is_terminal => OutputFormat::Text,
        JournalTarget::Stdout | JournalTarget::File(_) => OutputFormat::Jsonl,
    };
    Ok(match wanted.unwrap_or(default) {
        OutputFormat::Text => JournalForm::Text {
            is_colored: stdout.is_colored,
        },
        OutputFormat::Jsonl => JournalForm::Json,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_text_and_programs_get_json() {
        use OutputFormat::{Jsonl, Text};
        let stdout = JournalTarget::Stdout;
        let file = JournalTarget::File(PathBuf::from("/var/log/findings.jsonl"));
        let (pipe, plain, colored) = ((false, false), (true, false), (true, true));
        let json = Ok(JournalForm::Json);
        let text = |is_colored| Ok(JournalForm::Text { is_colored });
        for (wanted, target, (is_terminal, is_colored), expected) in [
            (None, &stdout, pipe, json),
            (None, &stdout, plain, text(false)),
            (None, &stdout, colored, text(true)),
            (Some(Text), &stdout, pipe, text(false)),
            (Some(Text), &stdout, colored, text(true)),
            (Some(Jsonl), &stdout, pipe, json),
            (Some(Jsonl), &stdout, colored, json),
            (None, &file, pipe, json),
            (None, &file, colored, json),
            (Some(Text), &file, colored, Err(ExitStatus::Usage)),
            (Some(Jsonl), &file, pipe, Err(ExitStatus::Usage)),
        ] {
            let terminal = Terminal {
                is_terminal,
                is_colored,
            };
            let found = form(wanted, target, terminal).map_err(|failure| failure.code);
            assert_eq!(found, expected, "{wanted:?} {target:?} {terminal:?}");
        }
    }
}
