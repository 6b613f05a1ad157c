//! `phiwatch replay`: what the daemon would have reported about a capture.
//!
//! In: captures, filters, optionally a second configuration. Out: findings, or
//! the differences under the two, on standard output or in a file; what was
//! lost on standard error.

mod diff;
mod facts;
mod input;
mod printer;
mod progress_bar;
mod selection;
mod setup;
mod summary;

use std::{
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

use self::{
    facts::FactCollector, input::Surveying, printer::Printer, progress_bar::ReplayBar,
    summary::Summary,
};
pub(crate) use self::{
    input::open,
    selection::selection,
    setup::{examiner, unreadable},
};
use super::{ExitStatus, Failure, OrFail as _, parallel};
use crate::{
    capture::Progress,
    cli::ReplayArgs,
    finding::Severity,
    pipeline::Examiner,
    select::{self, Selection, Vocabulary},
};

/// Replays the files; findings go to standard output or into a file, what was
/// lost to standard error.
pub fn execute(args: &ReplayArgs) -> Result<(), Failure> {
    if args.wants_filter_help() {
        return io::stdout()
            .write_all(select::help().as_bytes())
            .or_fail(ExitStatus::Io);
    }
    let examiner = examiner(args.config.as_deref(), args.state.as_deref())?;
    if let Some(other) = &args.diff {
        return diff::execute(args, &examiner, other);
    }
    let vocabulary = Vocabulary::of([examiner.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.files, &args.identity)?;
    let worst = show(args, &examiner, &selection)?;
    judged(args.fail_on, worst, "findings")
}

/// The result of a replay whose worst finding was this bad.
fn judged(limit: Option<Severity>, worst: Option<Severity>, what: &str) -> Result<(), Failure> {
    match (limit, worst) {
        (Some(limit), Some(worst)) if worst >= limit => Err(Failure::message(
            ExitStatus::Findings,
            format!("there are {what} of severity {} or worse", limit.as_str()),
        )),
        _ => Ok(()),
    }
}

/// Shows what is selected, and returns the worst severity of it.
fn show(
    args: &ReplayArgs,
    examiner: &Examiner,
    selection: &Selection,
) -> Result<Option<Severity>, Failure> {
    let progress = Arc::<Progress>::default();
    let mut source = open(&args.files, &args.identity, &progress)?;
    let bar = ReplayBar::start(&progress, args.quiet);
    let threads = args.threads.unwrap_or_else(parallel::all_cores);
    let output = args
        .output
        .as_deref()
        .filter(|path| *path != Path::new("-"));
    let mut printer = Printer::new(args.format, output).or_fail(ExitStatus::Io)?;
    let surveying = args
        .format
        .has_facts()
        .then(|| Surveying::start(&args.files, &args.identity));
    let config = args.config.as_deref();
    let mut collector = FactCollector::new(args.select.description(), config, examiner.catalog());
    let mut summary = Summary::default();
    let mut counter = Counter::new(args);
    let replayed = parallel::replay(&mut *source, examiner, threads, unreadable, |out| {
        collector.notes(&out.notes);
        for finding in out.findings.drain(..) {
            summary.found();
            if !selection.matches(&finding) {
                continue;
            }
            summary.add(&finding);
            let print = || bar.aside(|| printer.finding(&finding));
            counter.take(Some(finding.severity), print)?;
        }
        Ok(())
    });
    drop(bar);
    if let Some(surveying) = surveying {
        collector.inputs(surveying.end());
    }
    // What was found before an error stays found.
    let facts = collector.close(replayed.as_ref().map_err(|failure| {
        if counter.is_over {
            "no more findings were asked for".to_owned()
        } else {
            failure.to_string()
        }
    }));
    let finished = printer.finish(&facts);
    let finished = finished.or_else(|error| counter.closed(error));
    match replayed {
        Ok(replayed) => {
            finished.or_fail(ExitStatus::Io)?;
            if !args.quiet {
                summary.print(&replayed, !selection.is_empty());
            }
        }
        Err(_) if counter.is_over => {
            finished.or_fail(ExitStatus::Io)?;
            if !args.quiet && !counter.is_closed {
                summary.print_limit();
            }
        }
        Err(failure) => return Err(failure),
    }
    Ok(summary.worst)
}

/// Decides when enough was shown.
struct Counter {
    limit: Option<u64>,
    fail_on: Option<Severity>,
    worst: Option<Severity>,
    shown: u64,
    /// Nobody reads standard output any more.
    is_closed: bool,
    /// Nothing more needs to be read.
    is_over: bool,
}

impl Counter {
    fn new(args: &ReplayArgs) -> Self {
        Self {
            limit: args.limit.map(std::num::NonZero::get),
            fail_on: args.fail_on,
            worst: None,
            shown: 0,
            is_closed: false,
            is_over: false,
        }
    }

    /// Shows something of this severity, unless enough was shown.
    ///
    /// # Errors Printing failed; or [`Counter::is_over`], and nothing more is
    /// needed.
    fn take(
        &mut self,
        severity: Option<Severity>,
        show: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.worst = self.worst.max(severity);
        if !self.is_full() {
            self.shown += 1;
            show()
                .or_else(|error| self.closed(error))
                .or_fail(ExitStatus::Io)?;
        }
        // The exit code of --fail-on may still depend on the rest.
        let is_settled = self.fail_on.is_none_or(|limit| self.worst >= Some(limit));
        if self.is_full() && is_settled {
            self.is_over = true;
            return Err(Failure::message(ExitStatus::Internal, "enough"));
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.is_closed || self.limit.is_some_and(|limit| self.shown >= limit)
    }

    /// A reader that went away is no error.
    fn closed(&mut self, error: io::Error) -> io::Result<()> {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.is_closed = true;
            return Ok(());
        }
        Err(error)
    }
}
