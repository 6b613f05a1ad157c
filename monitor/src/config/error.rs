//! What is wrong with a configuration file, and where.
//!
//! Input: the parser's error and the text. Output: `file:line:column`, the key,
//! the problem and, for an unknown key, the one that was probably meant. Values
//! of the file are not repeated.

use std::{
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use crate::select::nearest;

/// The most edits between a key and the suggested one.
const MAX_EDITS: usize = 2;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is wrong.
    #[error("{0}")]
    Invalid(Box<Problem>),
}

/// One problem in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key, as `section.key`; `None` where the text is no TOML.
    pub key: Option<String>,
    /// What is wrong.
    pub message: String,
    /// The key that was probably meant.
    pub suggestion: Option<String>,
}

impl Problem {
    /// What `error` says about `text`, which was read from `path`.
    pub(super) fn new(text: &str, path: &Path, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or_default();
        let (line, column) = position(text, span.start);
        let names = quoted(error.message());
        let unknown = error.message().starts_with("unknown field");
        let (message, suggestion) = match names.split_first() {
            Some((name, known)) if unknown => {
                let list = known.join(", ");
                (
                    format!("this key is not known here; known are: {list}"),
                    nearest(name, known.iter().copied(), MAX_EDITS).map(str::to_owned),
                )
            }
            _ => (without_values(error.message()), None),
        };
        Self {
            path: path.to_owned(),
            line,
            column,
            key: key_at(text, &span).map(|key| {
                // Below a canary, even a key may be a planted value.
                if unknown && key.starts_with("canary.") {
                    "canary".to_owned()
                } else {
                    key
                }
            }),
            message,
            suggestion,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.path.display(), self.line, self.column)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean {suggestion}?")?;
        }
        Ok(())
    }
}

/// Line and column, from 1, of the byte at `offset`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before
        .get(line_start..)
        .map_or(0, |line| line.chars().count());
    (
        before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column + 1,
    )
}

/// The dotted path of the key whose name or value covers `span`.
fn key_at(text: &str, span: &Range<usize>) -> Option<String> {
    let document = DeTable::parse(text).ok()?;
    let mut path = Vec::new();
    let mut table = document.get_ref();
    // Each round descends one table; the parser bounds their depth.
    loop {
        let covers = |range: Range<usize>| range.start <= span.start && span.end <= range.end;
        let (key, value) = table.iter().find(|(key, value)| {
            covers(key.span()) || covers(value.span()) || holds(value.get_ref(), &covers)
        })?;
        path.push(key.get_ref().as_ref());
        match value.get_ref() {
            DeValue::Table(inner) if !covers(key.span()) && holds(value.get_ref(), &covers) => {
                table = inner;
            }
            DeValue::Array(items) if !covers(key.span()) => {
                let inner = items.iter().find_map(|item| match item.get_ref() {
                    DeValue::Table(inner) if holds(item.get_ref(), &covers) => Some(inner),
                    _ => None,
                });
                match inner {
                    Some(inner) => table = inner,
                    None => return Some(path.join(".")),
                }
            }
            _ => return Some(path.join(".")),
        }
    }
}

/// Whether a table has a key or value that `covers`. The span of a table is
/// only its header, so its entries are checked.
fn holds(value: &DeValue<'_>, covers: &impl Fn(Range<usize>) -> bool) -> bool {
    match value {
        DeValue::Table(table) => table
            .iter()
            .any(|(key, value)| covers(key.span()) || covers(value.span())),
        DeValue::Array(items) => items.iter().any(|item| match item.get_ref() {
            DeValue::Table(table) => table
                .iter()
                .any(|(key, value)| covers(key.span()) || covers(value.span())),
            _ => false,
        }),
        _ => false,
    }
}

/// The words that `message` puts between backticks.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// `message` without the value that serde includes, in quotes or between
/// backticks.
fn without_values(message: &str) -> String {
    let is_about_value =
        message.starts_with("invalid type") || message.starts_with("invalid value");
    let start = if is_about_value {
        message.find(['"', '`'])
    } else {
        message.find('"')
    };
    let (Some(start), Some(end)) = (start, message.rfind(", expected")) else {
        return message.to_owned();
    };
    match (message.get(..start), message.get(end..)) {
        (Some(before), Some(after)) if start < end => format!("{}{after}", before.trim_end()),
        _ => message.to_owned(),
    }
}
