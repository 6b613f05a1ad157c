//! Which findings are wanted: filter expressions and the filters of the command
//! line.
//!
//! In: text, once; then findings. Out: whether a finding is wanted. Pure: no
//! clock and no file, so times are absolute. Filters select what is shown; they
//! never affect detection, or who is counted.

mod duration;
mod error;
mod expression;
mod glob;
mod lexer;
mod literal;
mod near;
mod parser;
mod selection;
mod subject;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

pub(crate) use self::near::nearest;
pub use self::{
    duration::parse_duration, error::FilterError, lexer::MAX_LENGTH, parser::MAX_DEPTH,
    selection::Selection, subject::Vocabulary,
};
use self::{expression::Expression, near::advice, subject::SUBJECTS};
pub use crate::event::{Span, parse_time};
use crate::finding::Finding;

/// A parsed filter expression.
#[derive(Debug)]
pub struct Filter(Expression);

impl Filter {
    /// Reads `text`, at most [`MAX_LENGTH`] bytes and [`MAX_DEPTH`] levels deep.
    ///
    /// # Errors
    /// What is wrong, where, and what to do about it.
    pub fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Self, FilterError> {
        parser::parse(text, vocabulary).map(Self)
    }

    /// Whether `finding` fits.
    pub fn matches(&self, finding: &Finding) -> bool {
        self.0.matches(finding)
    }
}

/// Advice for a `name` that is no id of a tracker.
pub fn tracker_advice(name: &str, vocabulary: &Vocabulary) -> String {
    advice(name, vocabulary.trackers())
}

/// The language of filters, in words.
pub fn help() -> String {
    const ACCEPTS: &str = "a String accepts every write";
    let mut text = String::from(INTRODUCTION);
    for subject in SUBJECTS {
        let of_type = subject.of_type.article().trim_start_matches("a ");
        let (name, about) = (subject.name, subject.about);
        writeln!(text, "  {name:<13} {of_type:<10} {about}").expect(ACCEPTS);
    }
    text.push_str(VALUES);
    let vocabulary = Vocabulary::default();
    for name in LISTED {
        let values = subject::find(name).and_then(|subject| vocabulary.values(subject));
        let mut line = format!("  {name:<13}");
        for value in values.unwrap_or_default() {
            if line.len() + value.len() >= WIDTH {
                writeln!(text, "{line}").expect(ACCEPTS);
                line = format!("  {:<13}", "");
            }
            write!(line, " {value}").expect(ACCEPTS);
        }
        writeln!(text, "{line}").expect(ACCEPTS);
    }
    text
}

/// Width of the help, in characters.
const WIDTH: usize = 98;
/// Fields whose values are listed in the help.
const LISTED: &[&str] = &[
    "kind",
    "category",
    "identifiers",
    "health",
    "form",
    "completeness",
];

const INTRODUCTION: &str = "\
A filter is tests of fields, joined with and, or, not (&&, ||, !) and parentheses:

  severity >= high and tracker in [meta, tiktok]
  class has email and not (status >= 400 or host =~ *.example.com)
  time >= 2026-11-24T02:00Z and time < 2026-11-24T02:00Z + 2h
  identifiers has any [ssn, mrn] or kind == canary
  health has all [medication, condition] and container != none

Operators:
  == !=            equal or not; none stands for what is not there
  < <= > >=        severities, numbers, times
  in [a, b]        one of these; also: not in
  =~ !~            a pattern: * stands for any characters, ? for one
  contains         a part of a text; also: not contains
  has              a member of a set; also: has any [a, b], has all [a, b], not has

A value with spaces or signs in it stands in quotes. Case does not matter.
A date is that whole day, a time without seconds that whole minute and so on;
without an offset it is UTC. A test of what is not there fails.

Fields:
";

const VALUES: &str = "
Values:
";
