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
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use self::{
    facts::FactCollector, input::Surveying, printer::Printer, progress_bar::ReplayBar,
    selection::severity_parser, summary::Summary,
};
pub(crate) use self::{
    input::{Captures, Replay, all_cores},
    selection::{SelectArgs, selection},
    setup::{core, examiner, unreadable},
};
use super::{ExitStatus, Failure, OrFail as _};
use crate::{
    capture::Progress,
    finding::Severity,
    pipeline::{Examiner, Output, drive},
    report::Format,
    select::{self, Selection, Vocabulary},
};

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
        return diff::execute(args, examiner, other);
    }
    let vocabulary = Vocabulary::of([examiner.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.files, &args.identity)?;
    let worst = show(args, examiner, &selection)?;
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
    examiner: Examiner,
    selection: &Selection,
) -> Result<Option<Severity>, Failure> {
    let progress = Arc::<Progress>::default();
    let threads = args.threads.unwrap_or_else(all_cores);
    let captures = Captures::open(&args.files, &args.identity, &progress, threads)?;
    let bar = ReplayBar::start(&progress, args.quiet);
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
    let mut core = core(examiner, threads)?;
    let take = |out: &mut Output| {
        let mut findings = out.findings.drain(..);
        let (mut found, mut noted) = (0, 0);
        // Step by step, so that what is counted before the last finding that was
        // asked for does not depend on how the steps arrive.
        for end in &out.step_ends {
            collector.notes(out.notes.get(noted..end.notes).unwrap_or_default());
            for finding in findings.by_ref().take(end.findings - found) {
                summary.found();
                if !selection.matches(&finding) {
                    continue;
                }
                summary.add(&finding);
                let print = || bar.aside(|| printer.finding(&finding));
                counter.take(Some(finding.severity), print)?;
            }
            (found, noted) = (end.findings, end.notes);
        }
        Ok(())
    };
    let replayed = drive(&mut Replay { captures, take }, &mut core);
    drop(bar);
    if let Some(surveying) = surveying {
        collector.inputs(surveying.end());
    }
    // What was found before an error stays found.
    let facts = collector.close(replayed.as_ref().map(|()| &core).map_err(|failure| {
        if counter.is_over {
            "no more findings were asked for".to_owned()
        } else {
            failure.to_string()
        }
    }));
    let finished = printer.finish(&facts);
    let finished = finished.or_else(|error| counter.closed(error));
    match replayed {
        Ok(()) => {
            finished.or_fail(ExitStatus::Io)?;
            if !args.quiet {
                summary.print(&core, !selection.is_empty());
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
            limit: args.limit.map(NonZero::get),
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
