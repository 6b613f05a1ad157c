//! `phiwatch replay --diff`: what another configuration would find.
//!
//! In: the events, once. Out: findings gained, lost and changed, message by
//! message, so that memory does not grow with the capture.

mod pair;
mod printer;
mod totals;

use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
    sync::Arc,
};

use self::{
    pair::{Change, Outcome, pair},
    printer::Printer,
    totals::{People, Totals},
};
use super::{
    Captures, Counter, ReplayArgs, all_cores, core, examiner, judged, progress_bar::ReplayBar,
    selection::selection,
};
use crate::{
    capture::Progress,
    command::{ExitStatus, Failure, OrFail as _},
    event::Timestamp,
    finding::{Finding, Severity},
    loss::Losses,
    pipeline::{Examiner, Feed, Input, Output, Pipeline, Sink, drive},
    select::{Selection, Vocabulary},
};

/// Replays the files with `before` and with the configuration at `other`.
pub(super) fn execute(args: &ReplayArgs, before: Examiner, other: &Path) -> Result<(), Failure> {
    let after = examiner(Some(other), args.state.as_deref())?;
    let vocabulary = Vocabulary::of([before.catalog(), after.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.files, &args.identity)?;
    let progress = Arc::<Progress>::default();
    let threads = args.threads.unwrap_or_else(all_cores);
    let captures = Captures::open(&args.files, &args.identity, &progress, threads)?;
    let bar = ReplayBar::start(&progress, args.quiet);
    let mut comparison = Comparison::default();
    let mut printer = Printer::new(args)?;
    let mut counter = Counter::new(args);
    let mut before = core(before, threads)?;
    let mut both = Both {
        captures,
        after: core(after, threads)?,
        read: Losses::default(),
        out: Output::default(),
        sides: [Side::default(), Side::default()],
        take: |(changes, unchanged)| {
            comparison.unchanged += unchanged;
            for change in changes {
                if !is_shown(&selection, &change) {
                    continue;
                }
                let severity = comparison.add(&change, args.fail_on);
                counter.take(severity, || bar.aside(|| printer.change(&change)))?;
            }
            Ok(())
        },
    };
    let compared = drive(&mut both, &mut before);
    let Both {
        after, read, sides, ..
    } = both;
    drop(bar);
    // A file that would not be whole does not appear.
    if let Err(failure) = compared
        && !counter.is_over
    {
        drop(printer.flush());
        return Err(failure);
    }
    let mut losses = read;
    losses.merge(after.losses());
    let totals = comparison.totals((&before, &after), &sides, counter.is_over);
    let finished = printer.finish(&totals);
    let finished = finished.or_else(|error| counter.closed(error));
    finished.or_fail(ExitStatus::Io)?;
    if !args.quiet && !counter.is_closed {
        totals.say(&losses);
    }
    judged(
        args.fail_on,
        comparison.worst,
        "findings gained, or raised to it,",
    )
}

fn is_shown(selection: &Selection, change: &Change) -> bool {
    let mut both = change.before.iter().chain(&change.after);
    both.any(|finding| selection.matches(finding))
}

/// Feeds the cores of both configurations, and compares their results.
struct Both<F> {
    captures: Captures,
    after: Pipeline,
    /// What could not be read.
    read: Losses,
    /// Results of the other core.
    out: Output,
    sides: [Side; 2],
    take: F,
}

/// What one configuration leads to.
#[derive(Default)]
struct Side {
    findings: u64,
    /// The findings of each step, as far as the other side has not come to it.
    steps: VecDeque<Vec<Finding>>,
}

impl Side {
    /// Takes results.
    fn add(&mut self, out: &mut Output) {
        let mut findings = out.findings.drain(..);
        let mut last = 0;
        for end in out.step_ends.drain(..) {
            self.steps
                .push_back(findings.by_ref().take(end.findings - last).collect());
            last = end.findings;
        }
    }

    /// The findings of the next step.
    fn next(&mut self) -> Vec<Finding> {
        let findings = self.steps.pop_front().unwrap_or_default();
        self.findings += findings.len() as u64;
        findings
    }
}

impl<F> Feed for Both<F> {
    type Error = Failure;

    fn next(&mut self, _losses: &mut Losses) -> Result<Input, Failure> {
        let input = self.captures.next(&mut self.read);
        match &input {
            Ok(Input::Event(event)) => self.after.push(event, &mut self.out),
            Ok(Input::Message(message)) => self.after.message(message, &mut self.out),
            Ok(Input::End) => self.after.finish(&mut self.out),
            // What was found before an error stays found.
            _ => self.after.tick(Timestamp(0), &mut self.out),
        }
        input
    }
}

impl<F> Sink for Both<F>
where
    F: FnMut((Vec<Change>, u64)) -> Result<(), Failure>,
{
    fn take(&mut self, out: &mut Output, _core: &Pipeline) -> Result<(), Failure> {
        let [before, after] = &mut self.sides;
        before.add(out);
        after.add(&mut self.out);
        self.out = Output::default();
        while !before.steps.is_empty() && !after.steps.is_empty() {
            let (one, other) = (before.next(), after.next());
            if !one.is_empty() || !other.is_empty() {
                (self.take)(pair(one, other))?;
            }
        }
        Ok(())
    }
}

/// The comparison in numbers.
#[derive(Default)]
struct Comparison {
    gained: u64,
    lost: u64,
    changed: u64,
    unchanged: u64,
    trackers: BTreeSet<Arc<str>>,
    /// The worst severity that is new.
    worst: Option<Severity>,
}

impl Comparison {
    /// Counts a difference that is shown, and returns the severity that is new
    /// in it.
    fn add(&mut self, change: &Change, limit: Option<Severity>) -> Option<Severity> {
        match change.outcome {
            Outcome::Gained => self.gained += 1,
            Outcome::Lost => self.lost += 1,
            Outcome::Changed => self.changed += 1,
        }
        for finding in change.before.iter().chain(&change.after) {
            if !self.trackers.contains(&finding.recipient.tracker) {
                self.trackers.insert(Arc::clone(&finding.recipient.tracker));
            }
        }
        let before = change.before.as_ref().map(|finding| finding.severity);
        let after = change.after.as_ref().map(|finding| finding.severity);
        // A finding that was as bad before is not new.
        let severity = after.filter(|after| match (before, limit) {
            (Some(before), Some(limit)) => before < limit && *after >= limit,
            (Some(before), None) => *after > before,
            (None, _) => true,
        });
        self.worst = self.worst.max(severity);
        severity
    }

    /// All numbers, once the sides are finished, or stopped early.
    fn totals(
        &self,
        (before, after): (&Pipeline, &Pipeline),
        [one, other]: &[Side; 2],
        is_partial: bool,
    ) -> Totals {
        let people = self.trackers.iter().map(|tracker| People {
            tracker: tracker.to_string(),
            before: before.people(tracker),
            after: after.people(tracker),
        });
        Totals {
            before: one.findings,
            after: other.findings,
            gained: self.gained,
            lost: self.lost,
            changed: self.changed,
            unchanged: self.unchanged,
            // How far either side came before it stopped is chance.
            people: people
                .filter(|own| !is_partial && own.before != own.after)
                .collect(),
            is_partial,
        }
    }
}
