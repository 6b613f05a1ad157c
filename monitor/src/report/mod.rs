//! Reports: what was disclosed, to whom, about how many people, and how sure
//! that is.
//!
//! In: findings in the order of the capture, and at the end the [`Facts`] about
//! the inputs. Out: bytes of one of the formats. Pure: no clock and no file, so
//! the same findings and facts give the same bytes.

mod facts;
mod table;

use std::io::{self, Write};

pub use self::facts::{Facts, InputFacts, Readability, SectionFacts, Span};
use self::table::Table;
use crate::finding::Finding;

/// Turns findings into a report.
pub enum Reporter {
    /// One JSON object a line, as soon as it is known.
    Jsonl,
    /// For people at a terminal.
    Table(Table),
}

impl Reporter {
    /// A table for people, at most `width` columns wide where that is possible.
    pub fn table(width: Option<u16>) -> Self {
        Self::Table(Table::new(width))
    }

    /// Takes one finding. What can be said at once goes to `out`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => {
                serde_json::to_writer(&mut *out, finding)?;
                out.write_all(b"\n")
            }
            Self::Table(table) => table.finding(finding, out),
        }
    }

    /// Says what is left, now that all `facts` are known.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(&mut self, _facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => Ok(()),
            Self::Table(table) => table.finish(out),
        }
    }
}
