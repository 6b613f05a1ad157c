//! `phiwatch doctor`: tries out whether phiwatch can work on this host.
//!
//! A kernel's version says little: distributions backport fixes, and
//! permissions depend on more than the user. So doctor loads the programs and
//! watches a child process of its own in a cgroup of its own. With `--processes` it
//! says instead which processes use TLS, and which of them phiwatch reads.

mod processes;

use std::{fmt::Write as _, io::Write as _};

use clap::Args;
use serde::Serialize;

use super::{ExitStatus, Failure, OrFail as _, scope::ScopeArgs};
use crate::probe::{Check, Outcome, examine};

/// `phiwatch doctor`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  Can this host do it?
    phiwatch doctor
  Which processes use TLS, and is it read?
    phiwatch doctor --processes
  Those of one service, for a program:
    phiwatch doctor --processes --json \\
        --cgroup /sys/fs/cgroup/system.slice/shop.service

With --processes exit code 3 says that a process has TLS that is not read, or of
which that is not known; 77 that processes may not be looked at.")]
pub struct DoctorArgs {
    /// List the processes that use TLS: with what, whether phiwatch reads it, and if
    /// not, why and what to do
    #[arg(long)]
    pub processes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Which processes.
    #[command(flatten)]
    pub scope: ScopeArgs,
}

#[derive(Serialize)]
struct Line {
    check: &'static str,
    outcome: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

/// Tries everything, prints the results, and fails if the main job cannot be
/// done.
pub fn execute(args: &DoctorArgs) -> Result<(), Failure> {
    if args.processes {
        return processes::execute(&args.scope, args.json);
    }
    if !args.scope.is_empty() {
        let message = "--cgroup, --pid and --exe choose processes: add --processes";
        return Err(Failure::message(ExitStatus::Usage, message));
    }
    let checks = examine();
    let lines: Vec<Line> = checks
        .iter()
        .map(|check| Line {
            check: check.name,
            outcome: check.outcome.as_str(),
            detail: check.detail.clone(),
            advice: (check.outcome != Outcome::Ok).then_some(check.advice),
        })
        .collect();
    let mut text = String::new();
    if args.json {
        text = serde_json::to_string_pretty(&lines).or_fail(ExitStatus::Internal)?;
        text.push('\n');
    } else {
        for line in &lines {
            writeln!(
                text,
                "{:<5} {:<12} {}",
                line.outcome, line.check, line.detail
            )
            .or_fail(ExitStatus::Internal)?;
            if let Some(advice) = line.advice {
                writeln!(text, "      {:<12} -> {advice}", "").or_fail(ExitStatus::Internal)?;
            }
        }
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .or_fail(ExitStatus::Io)?;
    verdict(&checks)
}

fn verdict(checks: &[Check]) -> Result<(), Failure> {
    let Some(failed) = checks.iter().find(|check| check.outcome == Outcome::Fail) else {
        return Ok(());
    };
    let (code, what) = if failed.is_permission {
        (ExitStatus::NotPermitted, "not permitted")
    } else {
        (ExitStatus::Unsupported, "not possible on this kernel")
    };
    Err(Failure::message(
        code,
        format!("{} is {what}: {}", failed.name, failed.detail),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_decides_the_exit_code() {
        let check = |outcome, is_permission| Check {
            name: "load",
            outcome,
            detail: "why".to_owned(),
            advice: "do",
            is_permission,
        };
        for (checks, expected) in [
            (
                vec![check(Outcome::Ok, false), check(Outcome::Warn, true)],
                None,
            ),
            (
                vec![check(Outcome::Fail, true)],
                Some(ExitStatus::NotPermitted),
            ),
            (
                vec![check(Outcome::Warn, true), check(Outcome::Fail, false)],
                Some(ExitStatus::Unsupported),
            ),
        ] {
            assert_eq!(verdict(&checks).err().map(|failure| failure.code), expected);
        }
    }
}
