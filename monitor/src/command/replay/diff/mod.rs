//! `phiwatch replay --diff`: what another configuration would find.
//!
//! In: the events, once. Out: findings gained, lost and changed, message by
//! message, so that memory does not grow with the capture.

mod pair;
mod printer;
mod totals;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use self::{
    pair::{Change, Outcome, pair},
    printer::Printer,
    totals::{People, Totals},
};
use super::{
    Counter, examiner, input::open, judged, progress_bar::ReplayBar, selection::selection,
    unreadable,
};
use crate::{
    capture::{EventSource, Progress},
    cli::ReplayArgs,
    command::{ExitStatus, Failure, OrFail as _},
    finding::Severity,
    loss::Losses,
    pipeline::{Correlator, Examiner, MessageAssembler, Output, Step, WorkerCache},
    select::{Selection, Vocabulary},
};

/// Replays the files with `before` and with the configuration at `other`.
pub(super) fn execute(args: &ReplayArgs, before: &Examiner, other: &Path) -> Result<(), Failure> {
    let after = examiner(Some(other), args.state.as_deref())?;
    let vocabulary = Vocabulary::of([before.catalog(), after.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.files, &args.identity)?;
    let progress = Arc::<Progress>::default();
    let mut source = open(&args.files, &args.identity, &progress)?;
    let bar = ReplayBar::start(&progress, args.quiet);
    let mut comparison = Comparison::default();
    let (mut before, mut after) = (Side::new(before), Side::new(&after));
    let mut printer = Printer::new(args)?;
    let mut counter = Counter::new(args);
    let mut losses = Losses::default();
    let compared = compare(
        &mut *source,
        (&mut before, &mut after),
        &mut losses,
        |changes, unchanged| {
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
    );
    drop(bar);
    // A file that would not be whole does not appear.
    if let Err(failure) = compared
        && !counter.is_over
    {
        drop(printer.flush());
        return Err(failure);
    }
    losses.merge(&after.losses);
    let totals = comparison.totals(&before, &after, counter.is_over);
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

/// One configuration, with its state.
struct Side<'a> {
    examiner: &'a Examiner,
    correlator: Correlator,
    cache: WorkerCache,
    losses: Losses,
    out: Output,
    findings: u64,
}

impl<'a> Side<'a> {
    fn new(examiner: &'a Examiner) -> Self {
        Self {
            examiner,
            correlator: Correlator::default(),
            cache: WorkerCache::default(),
            losses: Losses::default(),
            out: Output::default(),
            findings: 0,
        }
    }

    fn take(&mut self, step: Step) {
        let Self {
            examiner,
            correlator,
            cache,
            losses,
            out,
            findings: _,
        } = self;
        out.notes.clear();
        match step {
            Step::Exchange(exchange, recorded) => {
                let examined = examiner.examine(cache, exchange, recorded);
                correlator.exchange(examiner, &examined, losses, out);
            }
            other => correlator.step(examiner, other, losses, out),
        }
        self.findings += self.out.findings.len() as u64;
    }
}

/// Passes every event through both sides, and the differences of each message
/// to `sink`.
fn compare(
    source: &mut dyn EventSource,
    (before, after): (&mut Side<'_>, &mut Side<'_>),
    losses: &mut Losses,
    mut sink: impl FnMut(Vec<Change>, u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut assembler = MessageAssembler::default();
    let mut steps = Vec::new();
    loop {
        let event = source.next(losses).map_err(unreadable)?;
        match &event {
            Some(event) => assembler.push(event, losses, &mut steps),
            None => assembler.finish(losses, &mut steps),
        }
        for step in steps.drain(..) {
            before.take(copy(&step));
            after.take(step);
            let one = std::mem::take(&mut before.out.findings);
            let other = std::mem::take(&mut after.out.findings);
            if !one.is_empty() || !other.is_empty() {
                let (changes, unchanged) = pair(one, other);
                sink(changes, unchanged)?;
            }
        }
        if event.is_none() {
            return Ok(());
        }
    }
}

/// A step again: payload is shared and not copied.
fn copy(step: &Step) -> Step {
    match step {
        Step::Time(now) => Step::Time(*now),
        Step::Hello {
            stream,
            name,
            facts,
            now,
        } => Step::Hello {
            stream: *stream,
            name: Arc::clone(name),
            facts: Arc::clone(facts),
            now: *now,
        },
        Step::Closed(stream) => Step::Closed(*stream),
        Step::Exchange(exchange, recorded) => Step::Exchange(exchange.clone(), recorded.clone()),
        Step::Page(page, recorded) => Step::Page(page.clone(), recorded.clone()),
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
    fn totals(&self, before: &Side<'_>, after: &Side<'_>, is_partial: bool) -> Totals {
        let people = self.trackers.iter().map(|tracker| People {
            tracker: tracker.to_string(),
            before: before.correlator.people(tracker),
            after: after.correlator.people(tracker),
        });
        Totals {
            before: before.findings,
            after: after.findings,
            gained: self.gained,
            lost: self.lost,
            changed: self.changed,
            unchanged: self.unchanged,
            people: people.filter(|own| own.before != own.after).collect(),
            is_partial,
        }
    }
}
