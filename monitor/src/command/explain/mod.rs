//! `phiwatch explain`: what a rule, a severity or a finding means.
//!
//! Input: the id of a rule, a class, `severity`, or the id of a finding with
//! its journal or its captures. Output: text without payload, unless the values
//! are asked for with a reason.

mod reveal;
mod rule;
mod search;
mod show;
#[cfg(test)]
mod tests;

use std::{io, path::PathBuf};

use clap::Args;

use super::{ExitStatus, Failure, OrFail as _};
use crate::rules;

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

/// Explains what `args` names.
pub fn execute(args: &ExplainArgs) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let Some(what) = args.what.as_deref() else {
        return rule::list(&mut out).or_fail(ExitStatus::Io);
    };
    if what == "severity" {
        return rule::matrix(&mut out).or_fail(ExitStatus::Io);
    }
    if let Some((topic, matches)) = rules::find(what) {
        return rule::rule(&mut out, what, topic, matches).or_fail(ExitStatus::Io);
    }
    if let Some(topic) = rules::topics().find(|topic| topic.class == what) {
        return rule::class(&mut out, topic).or_fail(ExitStatus::Io);
    }
    let usage = |message: String| Failure::message(ExitStatus::Usage, message);
    if !search::is_id(what) {
        return Err(usage(format!(
            "there is no rule, class or id of a finding `{}`; `phiwatch explain` lists the rules, \
             and an id has at least {} of its digits",
            what.escape_debug(),
            search::MIN_DIGITS
        )));
    }
    if !args.captures.is_empty() {
        return search::in_captures(&mut out, args, what);
    }
    match &args.journal {
        Some(journal) => {
            let record = search::in_journal(journal, what)?.ok_or_else(|| search::none(what))?;
            show::show(&mut out, &record, None).or_fail(ExitStatus::Io)
        }
        None => Err(usage(
            "the id of a finding needs what has it: --journal FILE, or captures behind the id"
                .to_owned(),
        )),
    }
}
