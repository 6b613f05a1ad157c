//! Reports: what was disclosed, to whom, about how many people, and how sure
//! that is.
//!
//! In: findings in the order of the capture, and at the end the [`Facts`] about
//! the inputs. Out: bytes of one of the formats. Pure: no clock and no file, so
//! the same findings and facts give the same bytes.

mod brief;
mod clock;
mod csv;
mod facts;
mod html;
mod json;
mod jsonl;
mod people;
mod plain;
mod sarif;
mod shade;
mod silence;
mod table;
mod tally;
mod text;
mod timeline;

use std::io::{self, Write};

use clap::ValueEnum;

pub(crate) use self::{
    brief::brief,
    text::{clean, cut},
};
use self::{csv::Csv, html::Html, json::Json, jsonl::Jsonl, sarif::Sarif, table::Table};
pub use self::{
    facts::{Facts, InputFacts, Readability, SectionFacts, Span},
    silence::LONG_SILENCE,
    table::TableOptions,
};
use crate::finding::Finding;

/// The formats of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document: findings, what they come to, where they come from.
    Json,
    /// One JSON object a line, and nothing else.
    Jsonl,
    /// For spreadsheets, one row a finding.
    Csv,
    /// SARIF 2.1.0, for code scanning and dashboards.
    Sarif,
    /// One page for people without tools: no scripts, no requests.
    Html,
}

impl Format {
    /// The names of all formats.
    pub fn names() -> impl Iterator<Item = String> {
        let values = Self::value_variants()
            .iter()
            .filter_map(Self::to_possible_value);
        values.map(|value| value.get_name().to_owned())
    }

    /// Whether the report says what its inputs are, which have to be read for
    /// that.
    pub const fn has_facts(self) -> bool {
        match self {
            Self::Json | Self::Sarif | Self::Html => true,
            Self::Table | Self::Jsonl | Self::Csv => false,
        }
    }

    /// A report in this format, with nothing in it yet. Tables look like `look`.
    pub fn report(self, look: TableOptions) -> Box<dyn Report> {
        match self {
            Self::Table => Box::new(Table::new(look)),
            Self::Json => Box::<Json>::default(),
            Self::Jsonl => Box::new(Jsonl),
            Self::Csv => Box::<Csv>::default(),
            Self::Sarif => Box::<Sarif>::default(),
            Self::Html => Box::<Html>::default(),
        }
    }
}

/// Turns findings into a report.
pub trait Report {
    /// Takes one finding. Output that is possible at once goes to `out`.
    ///
    /// # Errors
    /// Those of `out`.
    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()>;

    /// Says what is left, now that all `facts` are known.
    ///
    /// # Errors
    /// Those of `out`.
    fn finish(&mut self, facts: &Facts, out: &mut dyn Write) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
