//! Prints differences as a table, a JSON document, or one JSON object a line.

use std::{
    io::{self, Write},
    path::Path,
};

use super::{
    pair::{Change, Outcome},
    totals::Totals,
};
use crate::{
    command::{
        ExitStatus, Failure, OrFail as _,
        replay::{ReplayArgs, printer::Destination},
    },
    finding::Finding,
    phi::Class,
    report::{Format, clean},
};

/// How differences are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Table,
    Json,
    Jsonl,
}

/// Prints differences.
pub(super) struct Printer {
    shape: Shape,
    out: Destination,
    is_terminal: bool,
    is_first: bool,
}

impl Printer {
    /// A printer as `args` want it.
    ///
    /// # Errors The format cannot show differences, or the operating system
    /// refuses the file.
    pub(super) fn new(args: &ReplayArgs) -> Result<Self, Failure> {
        let shape = match args.format {
            Format::Table => Shape::Table,
            Format::Json => Shape::Json,
            Format::Jsonl => Shape::Jsonl,
            _ => {
                return Err(Failure::message(
                    ExitStatus::Usage,
                    "differences are printed as table, json or jsonl",
                ));
            }
        };
        let file = args.output.as_deref();
        let file = file.filter(|path| *path != Path::new("-"));
        let (out, is_terminal) = Destination::open(file).or_fail(ExitStatus::Io)?;
        Ok(Self {
            shape,
            out,
            is_terminal,
            is_first: true,
        })
    }

    /// Prints one difference.
    pub(super) fn change(&mut self, change: &Change) -> io::Result<()> {
        let is_first = std::mem::take(&mut self.is_first);
        let out = self.out.writer();
        match self.shape {
            Shape::Jsonl => {
                serde_json::to_writer(&mut *out, change)?;
                writeln!(out)?;
            }
            Shape::Json => {
                out.write_all(if is_first { OPENING } else { b",\n" })?;
                serde_json::to_writer(&mut *out, change)?;
            }
            Shape::Table => {
                if is_first {
                    row(out, ["CHANGE", "TIME", "SEVERITY", "TRACKER", "WHAT"])?;
                }
                table(out, change)?;
            }
        }
        if self.is_terminal {
            out.flush()?;
        }
        Ok(())
    }

    /// Prints what was held back.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.writer().flush()
    }

    /// Prints the end.
    pub(super) fn finish(mut self, totals: &Totals) -> io::Result<()> {
        if self.shape == Shape::Json {
            let out = self.out.writer();
            if self.is_first {
                out.write_all(OPENING)?;
            }
            out.write_all(b"\n],\"summary\":")?;
            serde_json::to_writer(&mut *out, &totals.value())?;
            out.write_all(b"}\n")?;
        }
        self.out.finish()
    }
}

const OPENING: &[u8] = b"{\"schema\":\"phiwatch.diff/1\",\"changes\":[\n";

fn row(out: &mut dyn Write, cells: [&str; 5]) -> io::Result<()> {
    let [change, time, severity, tracker, what] = cells;
    writeln!(
        out,
        "{change:<8} {time:<30} {severity:<19} {tracker:<24} {what}"
    )
}

fn table(out: &mut dyn Write, change: &Change) -> io::Result<()> {
    let Some(latest) = change.latest() else {
        return Ok(());
    };
    let both = |of: fn(&Finding) -> &str| match (&change.before, &change.after) {
        (Some(before), Some(after)) if of(before) != of(after) => {
            format!("{} → {}", of(before), of(after))
        }
        _ => of(latest).to_owned(),
    };
    let severity = both(|finding| finding.severity.as_str());
    let tracker = both(|finding| &finding.recipient.tracker);
    let what = if change.outcome == Outcome::Changed {
        change.words()
    } else {
        let classes: Vec<_> = latest.classes().map(Class::as_str).collect();
        let process = latest.process.comm.as_deref().unwrap_or("-");
        format!("{} by {process}", classes.join(","))
    };
    let cells = [
        change.outcome.as_str(),
        &latest.time.to_string(),
        &severity,
        &clean(&tracker),
        &clean(&what),
    ];
    row(out, cells)
}
