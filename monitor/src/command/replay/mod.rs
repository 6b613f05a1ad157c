//! `phiwatch replay`: what the daemon would have said about a capture.
//!
//! In: captures. Out: findings on standard output, what was lost on standard
//! error.

mod printer;
mod setup;
mod summary;

pub(crate) use self::setup::{desk, unreadable};
use self::{printer::Printer, summary::Summary};
use super::{ExitStatus, Failure, OrFail as _, crew};
use crate::{capture::open_all, cli::ReplayArgs};

/// Replays the files; findings go to standard output, what was lost to
/// standard error.
pub fn execute(args: &ReplayArgs) -> Result<(), Failure> {
    let desk = desk(args.config.as_deref(), args.state.as_deref())?;
    let mut source = open_all(&args.files).map_err(unreadable)?;
    let threads = args.threads.unwrap_or_else(crew::all_cores);
    let mut printer = Printer::new(args.format);
    let mut summary = Summary::default();
    let replayed = crew::replay(&mut *source, &desk, threads, unreadable, |out| {
        for finding in out.findings.drain(..) {
            summary.add(&finding);
            printer.finding(&finding).or_fail(ExitStatus::Io)?;
        }
        Ok(())
    });
    // What was found before an error stays found.
    printer.finish().or_fail(ExitStatus::Io)?;
    summary.print(&replayed?);
    match (args.fail_on, summary.worst) {
        (Some(limit), Some(worst)) if worst >= limit => Err(Failure::message(
            ExitStatus::Findings,
            format!("there are findings of severity {} or worse", limit.as_str()),
        )),
        _ => Ok(()),
    }
}
