//! Reports: what was disclosed, to whom, about how many people, and how sure
//! that is.
//!
//! In: findings in the order of the capture, and at the end the [`Facts`] about
//! the inputs. Out: bytes of one of the formats. Pure: no clock and no file, so
//! the same findings and facts give the same bytes.

mod clock;
mod csv;
mod facts;
mod html;
mod json;
mod people;
mod plain;
mod sarif;
mod silence;
mod table;
mod tally;
mod text;
mod timeline;

use std::io::{self, Write};

pub use self::facts::{Facts, InputFacts, Readability, SectionFacts, Span};
pub(crate) use self::text::{clean, cut};
pub use self::{
    csv::Csv,
    html::Html,
    json::Json,
    sarif::Sarif,
    silence::LONG_SILENCE,
    table::{Table, TableOptions},
};
use crate::finding::Finding;

/// Turns findings into a report.
pub enum Reporter {
    /// One JSON object a line, as soon as it is known.
    Jsonl,
    /// For people at a terminal.
    Table(Box<Table>),
    /// One JSON document with a summary and the facts.
    Json(Box<Json>),
    /// For spreadsheets.
    Csv(Csv),
    /// One page for people without tools.
    Html(Box<Html>),
    /// For code scanning and dashboards.
    Sarif(Box<Sarif>),
}

impl Reporter {
    /// A table for people that looks like this.
    pub fn table(look: TableOptions) -> Self {
        Self::Table(Box::new(Table::new(look)))
    }

    /// Takes one finding. Output that is possible at once goes to `out`.
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
            Self::Json(json) => json.finding(finding, out),
            Self::Csv(csv) => csv.finding(finding, out),
            Self::Sarif(sarif) => sarif.finding(finding, out),
            Self::Html(html) => {
                html.finding(finding);
                Ok(())
            }
        }
    }

    /// Says what is left, now that all `facts` are known.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(&mut self, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => Ok(()),
            Self::Table(table) => table.finish(out),
            Self::Json(json) => json.finish(facts, out),
            Self::Csv(csv) => csv.finish(out),
            Self::Sarif(sarif) => sarif.finish(facts, out),
            Self::Html(html) => html.finish(facts, out),
        }
    }
}

#[cfg(test)]
mod tests;
