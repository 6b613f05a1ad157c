//! The report for spreadsheets: RFC 4180, one row for each finding.
//!
//! In: findings. Out: rows, immediately. A cell that a spreadsheet would take
//! for a formula is prefixed with an apostrophe.

use std::io::{self, Write};

use super::{Facts, Report, text};
use crate::{
    finding::{Finding, category_name, form_name, source_name, token_digits},
    name::joined,
};

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
    "reason",
    "connections",
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
pub(super) struct Csv {
    has_header: bool,
}

impl Report for Csv {
    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        row(out, &cells(finding))
    }

    fn finish(&mut self, _facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)
    }
}

impl Csv {
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
        contact,
        process,
        peer,
        source,
        completeness,
        person,
        people,
        evidence,
    } = finding;
    let (request, contact) = (request.as_ref(), contact.as_ref());
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            format!(
                "{} ({}) at {}: {} [{}]",
                field.class.as_str(),
                form_name(field.form),
                field.path,
                field.masked,
                field.rule
            )
        })
        .collect();
    vec![
        id.clone(),
        time.to_string(),
        kind.as_str().to_owned(),
        severity.as_str().to_owned(),
        recipient.tracker.to_string(),
        recipient.owner.to_string(),
        category_name(recipient.category).to_owned(),
        recipient.host.clone(),
        joined(identifiers, " "),
        joined(health, " "),
        states.join(" "),
        joined(labels, " "),
        why.clone(),
        request.map(|own| own.method.clone()).unwrap_or_default(),
        request.map(|own| own.path.clone()).unwrap_or_default(),
        request.map_or("", |own| own.protocol.as_str()).to_owned(),
        number(request.and_then(|own| own.status).map(u64::from)),
        number(request.map(|own| own.bytes)),
        contact.map_or("", |own| own.reason.as_str()).to_owned(),
        number(contact.map(|own| own.connections)),
        optional(&process.service),
        optional(&process.comm),
        optional(&process.exe),
        number(process.pid.map(u64::from)),
        optional(&process.unit),
        optional(&process.container),
        peer.addr.map(|own| own.to_string()).unwrap_or_default(),
        optional(&peer.sni),
        source_name(*source).to_owned(),
        completeness.as_str().to_owned(),
        token_digits(*person),
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
