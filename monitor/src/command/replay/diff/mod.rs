//! `phiwatch replay --diff`: what another configuration would find.
//!
//! In: the events, once. Out: findings gained, lost and changed, message by
//! message, so that memory does not grow with the capture.

mod pair;

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, StdoutLock, Write},
    path::Path,
    sync::Arc,
};

use self::pair::{Change, Outcome, pair};
use super::{
    Counter, bar::Bar, desk, input::open, judged, selection::selection, summary::plural, unreadable,
};
use crate::{
    capture::{EventSource, Progress},
    cli::{Format, ReplayArgs},
    command::{ExitStatus, Failure, OrFail as _, say},
    finding::{PeopleCount, Severity},
    loss::Losses,
    pipeline::{Back, Desk, Front, Output, Practice, Step},
    select::{Selection, Vocabulary},
};

/// Replays the files with `before` and with the configuration at `other`.
pub(super) fn execute(args: &ReplayArgs, before: &Desk, other: &Path) -> Result<(), Failure> {
    let is_written = matches!(args.format, Format::Table | Format::Jsonl) && args.output.is_none();
    if !is_written {
        let message = "differences are printed to standard output, as table or jsonl";
        return Err(Failure::message(ExitStatus::Usage, message));
    }
    let after = desk(Some(other), args.state.as_deref())?;
    let vocabulary = Vocabulary::of([before.catalog(), after.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.files, &args.identity)?;
    let progress = Arc::<Progress>::default();
    let mut source = open(&args.files, &args.identity, &progress)?;
    let bar = Bar::start(&progress, args.quiet);
    let mut comparison = Comparison::default();
    let (mut before, mut after) = (Side::new(before), Side::new(&after));
    let mut printer = Printer::new(args.format);
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
    let finished = printer.out.flush().or_else(|error| counter.closed(error));
    match compared {
        Ok(events) => {
            finished.or_fail(ExitStatus::Io)?;
            if !args.quiet {
                losses.merge(&after.losses);
                comparison.print(events, &before, &after, &losses);
            }
        }
        Err(_) if counter.is_over => finished.or_fail(ExitStatus::Io)?,
        Err(failure) => return Err(failure),
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

/// One configuration, with what it remembers.
struct Side<'a> {
    desk: &'a Desk,
    back: Back,
    practice: Practice,
    losses: Losses,
    out: Output,
    findings: u64,
}

impl<'a> Side<'a> {
    fn new(desk: &'a Desk) -> Self {
        Self {
            desk,
            back: Back::default(),
            practice: Practice::default(),
            losses: Losses::default(),
            out: Output::default(),
            findings: 0,
        }
    }

    fn take(&mut self, step: Step) {
        let Self {
            desk,
            back,
            practice,
            losses,
            out,
            findings: _,
        } = self;
        out.notes.clear();
        match step {
            Step::Exchange(exchange, recorded) => {
                let examined = desk.examine(practice, exchange, recorded);
                back.exchange(desk, &examined, losses, out);
            }
            other => back.step(desk, other, losses, out),
        }
        self.findings += self.out.findings.len() as u64;
    }
}

/// Takes every event through both sides, and hands `sink` the differences of each
/// message. Gives the number of events.
fn compare(
    source: &mut dyn EventSource,
    (before, after): (&mut Side<'_>, &mut Side<'_>),
    losses: &mut Losses,
    mut sink: impl FnMut(Vec<Change>, u64) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut front = Front::default();
    let mut steps = Vec::new();
    let mut events = 0;
    loop {
        let event = source.next(losses).map_err(unreadable)?;
        match &event {
            Some(event) => {
                events += 1;
                front.push(event, losses, &mut steps);
            }
            None => front.finish(losses, &mut steps),
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
            return Ok(events);
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

/// What came out, in numbers.
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
    /// Takes a difference that is shown, and gives the severity that is new in
    /// it.
    fn add(&mut self, change: &Change, limit: Option<Severity>) -> Option<Severity> {
        match change.change {
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
        // What was as bad before is nothing new.
        let severity = after.filter(|after| match (before, limit) {
            (Some(before), Some(limit)) => before < limit && *after >= limit,
            (Some(before), None) => *after > before,
            (None, _) => true,
        });
        self.worst = self.worst.max(severity);
        severity
    }

    fn print(&self, events: u64, before: &Side<'_>, after: &Side<'_>, losses: &Losses) {
        say(format_args!(
            "phiwatch: {events} event{}, {} finding{} before, {} after: {} gained, {} lost, {} \
             changed, {} the same",
            plural(events),
            before.findings,
            plural(before.findings),
            after.findings,
            self.gained,
            self.lost,
            self.changed,
            self.unchanged
        ));
        for tracker in &self.trackers {
            let (one, other) = (before.back.people(tracker), after.back.people(tracker));
            if one != other {
                say(format_args!(
                    "phiwatch: {tracker}: people {} before, {} after",
                    range(one),
                    range(other)
                ));
            }
        }
        for (loss, count) in losses.iter() {
            let (stage, reason) = loss.labels();
            say(format_args!(
                "phiwatch: lost in stage {stage}, {reason}: {count}"
            ));
        }
    }
}

fn range(count: PeopleCount) -> String {
    let PeopleCount { at_least, at_most } = count;
    if at_least == at_most {
        at_least.to_string()
    } else {
        format!("{at_least} to {at_most}")
    }
}

/// Prints differences.
struct Printer {
    format: Format,
    out: io::BufWriter<StdoutLock<'static>>,
    is_terminal: bool,
    is_first: bool,
}

impl Printer {
    fn new(format: Format) -> Self {
        let stdout = io::stdout();
        Self {
            format,
            is_terminal: stdout.is_terminal(),
            out: io::BufWriter::new(stdout.lock()),
            is_first: true,
        }
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        match self.format {
            Format::Jsonl => {
                serde_json::to_writer(&mut self.out, change)?;
                writeln!(self.out)?;
            }
            // No other format comes here.
            _ => {
                if std::mem::take(&mut self.is_first) {
                    row(
                        &mut self.out,
                        ["CHANGE", "TIME", "SEVERITY", "TRACKER", "WHAT"],
                    )?;
                }
                table(&mut self.out, change)?;
            }
        }
        if self.is_terminal {
            self.out.flush()?;
        }
        Ok(())
    }
}

fn row(out: &mut impl Write, cells: [&str; 5]) -> io::Result<()> {
    let [change, time, severity, tracker, what] = cells;
    writeln!(
        out,
        "{change:<8} {time:<30} {severity:<19} {tracker:<24} {what}"
    )
}

fn table(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let Some(latest) = change.latest() else {
        return Ok(());
    };
    let both = |of: fn(&crate::finding::Finding) -> &str| match (&change.before, &change.after) {
        (Some(before), Some(after)) if of(before) != of(after) => {
            format!("{} → {}", of(before), of(after))
        }
        _ => of(latest).to_owned(),
    };
    let severity = both(|finding| finding.severity.as_str());
    let tracker = both(|finding| &finding.recipient.tracker);
    let what = if change.change == Outcome::Changed {
        change.words()
    } else {
        let classes: Vec<&str> = latest
            .identifiers
            .iter()
            .chain(&latest.health)
            .copied()
            .collect();
        let process = latest.process.comm.as_deref().unwrap_or("-");
        format!("{} by {process}", classes.join(","))
    };
    row(
        out,
        [
            change.change.as_str(),
            &latest.time,
            &severity,
            &tracker,
            &what,
        ],
    )
}
