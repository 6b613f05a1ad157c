//! The report for spreadsheets: RFC 4180, one row for each finding.
//!
//! In: findings. Out: rows, immediately. A cell that a spreadsheet would take
//! for a formula is prefixed with an apostrophe.

use std::io::{self, Write};

use super::text;
use crate::finding::Finding;

const HEADER: &[&str] = &[
    "id",
    "time",
    "kind",
    "severity",
    "tracker",
    "owner",
    "category",
    "host",
    "identifiers",
    "health",
    "states",
    "labels",
    "why",
    "method",
    "path",
    "protocol",
    "status",
    "bytes",
    "service",
    "comm",
    "exe",
    "pid",
    "unit",
    "container",
    "peer",
    "sni",
    "source",
    "completeness",
    "person",
    "people",
    "file",
    "packet",
    "fields",
];

/// The longest cell, in characters, that spreadsheets accept.
const MAX_CELL: usize = 32_000;

/// Writes rows.
#[derive(Default)]
pub struct Csv {
    has_header: bool,
}

impl Csv {
    pub(super) fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        row(out, &cells(finding))
    }

    pub(super) fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::replace(&mut self.has_header, true) {
            return Ok(());
        }
        row(out, HEADER)
    }
}

fn row<T: AsRef<str>>(out: &mut dyn Write, cells: &[T]) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    let cells = cells.iter().map(|cell| harmless(cell.as_ref()));
    writer.write_record(cells).map_err(io::Error::from)?;
    writer.flush()
}

fn cells(finding: &Finding) -> Vec<String> {
    let Finding {
        schema: _,
        id,
        time,
        kind,
        severity,
        why,
        labels,
        recipient,
        identifiers,
        health,
        fields,
        states,
        request,
        process,
        peer,
        source,
        completeness,
        person,
        people,
        evidence,
    } = finding;
    let request = request.as_ref();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            format!(
                "{} ({}) at {}: {} [{}]",
                field.class, field.form, field.path, field.masked, field.rule
            )
        })
        .collect();
    vec![
        id.clone(),
        time.clone(),
        kind.as_str().to_owned(),
        severity.as_str().to_owned(),
        recipient.tracker.to_string(),
        recipient.owner.to_string(),
        recipient.category.to_owned(),
        recipient.host.clone(),
        identifiers.join(" "),
        health.join(" "),
        states.join(" "),
        labels.join(" "),
        why.clone(),
        request.map(|own| own.method.clone()).unwrap_or_default(),
        request.map(|own| own.path.clone()).unwrap_or_default(),
        request.map_or("", |own| own.protocol).to_owned(),
        number(request.and_then(|own| own.status).map(u64::from)),
        number(request.map(|own| own.bytes)),
        optional(&process.service),
        optional(&process.comm),
        optional(&process.exe),
        number(process.pid.map(u64::from)),
        optional(&process.unit),
        optional(&process.container),
        optional(&peer.addr),
        optional(&peer.sni),
        (*source).to_owned(),
        (*completeness).to_owned(),
        optional(person),
        number(*people),
        evidence
            .as_ref()
            .map(|own| own.file.clone())
            .unwrap_or_default(),
        number(evidence.as_ref().map(|own| own.packet)),
        fields.join("; "),
    ]
}

/// The cell, prefixed with an apostrophe if a spreadsheet could take it for a
/// formula, also behind white space, quotes or another apostrophe.
fn harmless(cell: &str) -> String {
    let begins_formula = cell.starts_with(['\t', '\r', '\n'])
        || cell
            .trim_start_matches(|char: char| {
                char.is_whitespace() || char.is_control() || matches!(char, '\'' | '"' | '`')
            })
            .starts_with([
                '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
            ]);
    let cell = text::cut(cell, MAX_CELL);
    if begins_formula {
        format!("'{cell}")
    } else {
        cell.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for (cell, written) in [
            ("plain", "plain"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\u{9}=1"),
            ("\r=1", "'\\u{d}=1"),
            ("\tx", "'\\u{9}x"),
            ("  =1", "'  =1"),
            ("\"=1", "'\"=1"),
            ("'=1", "''=1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a=1", "a=1"),
            ("2026-11-24", "2026-11-24"),
        ] {
            assert_eq!(harmless(cell), written, "{cell:?}");
        }
    }
}
