//! The report for people at a terminal.
//!
//! In: findings. Out: tables of at most [`BLOCK`] rows, as wide as the
//! terminal. Foreign names are shown without control characters.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, Color, ContentArrangement, LineStyle, Table as Grid, TableStyle,
    presets::NOTHING,
};

use super::{Facts, Report, shade::Shade, tally::sender, text::cut};
use crate::{
    finding::Finding,
    name::{Named, joined},
};

/// Rows that are laid out together.
const BLOCK: usize = 500;

/// Characters of one cell.
const MAX_CELL: usize = 120;

/// How tables are drawn: a line below the header, nothing else.
const STYLE: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// On narrower terminals ids are shortened.
const WIDE: u16 = 150;

/// Narrower tables cannot be read.
const MIN_WIDTH: u16 = 60;

/// How a table looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions {
    /// Columns of the terminal, if it is one.
    pub width: Option<u16>,
    /// Severities are colored.
    pub is_colored: bool,
}

/// Prints findings as rows.
pub(super) struct Table {
    look: TableOptions,
    grid: Grid,
}

impl Table {
    pub(super) fn new(look: TableOptions) -> Self {
        Self {
            look,
            grid: grid(look),
        }
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let full = std::mem::replace(&mut self.grid, grid(self.look));
        for line in full.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Report for Table {
    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        self.grid.add_row(row(finding, self.look));
        if self.grid.row_count() >= BLOCK {
            self.flush(out)?;
        }
        Ok(())
    }

    fn finish(&mut self, _facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        if self.grid.row_count() > 0 {
            self.flush(out)?;
        }
        Ok(())
    }
}

fn grid(look: TableOptions) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(STYLE).set_header([
        "TIME",
        "SEVERITY",
        "RECIPIENT",
        "IDENTIFIERS",
        "HEALTH",
        "PROCESS",
        "ID",
    ]);
    // For other programs a finding is one line, however long.
    if let Some(width) = look.width {
        grid.set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.max(MIN_WIDTH));
    }
    if look.is_colored {
        grid.enforce_styling();
    } else {
        grid.force_no_tty();
    }
    grid
}

fn row(finding: &Finding, look: TableOptions) -> Vec<Cell> {
    let time = finding.time.to_string();
    let time = time.get(..19).unwrap_or(&time);
    let severity = Cell::new(finding.severity.as_str());
    let severity = match Shade::of(finding.severity) {
        _ if !look.is_colored => severity,
        Shade::BoldRed => severity.fg(Color::Red).add_attribute(Attribute::Bold),
        Shade::Red => severity.fg(Color::Red),
        Shade::Yellow => severity.fg(Color::Yellow),
        Shade::Blue => severity.fg(Color::Blue),
    };
    let recipient = format!("{} {}", finding.recipient.tracker, finding.recipient.host);
    let id = if look.width.is_some_and(|width| width < WIDE) {
        finding.id.get(..12).unwrap_or(&finding.id)
    } else {
        &finding.id
    };
    vec![
        Cell::new(format!("{}Z", time.replace('T', " "))),
        severity,
        Cell::new(cut(&recipient, MAX_CELL)),
        Cell::new(finding.contact.as_ref().map_or_else(
            || list(&finding.identifiers),
            |contact| format!("not read: {}", contact.reason.as_str()),
        )),
        Cell::new(list(&finding.health)),
        Cell::new(cut(&sender(finding), MAX_CELL)),
        Cell::new(id),
    ]
}

fn list<T: Named>(classes: &[T]) -> String {
    if classes.is_empty() {
        "-".to_owned()
    } else {
        joined(classes, ", ")
    }
}
