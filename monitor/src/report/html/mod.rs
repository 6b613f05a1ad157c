//! The report for people without tools: one self-contained HTML file.
//!
//! In: findings, of which the worst are kept up to a limit and all are counted,
//! and facts. Out: a page without scripts that loads nothing, which its content
//! security policy enforces. The template escapes all foreign text.

mod evidence;
mod flow;
mod gaps;
mod kept;
mod label;
mod matrix;
mod origin;
mod overview;
mod plot;
mod residents;

use std::io::{self, Write};

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use self::{
    evidence::Evidence, flow::Diagram, gaps::Gaps, kept::Kept, matrix::Matrix, origin::Origin,
    overview::Overview, plot::Plot, residents::Residents,
};
use super::{Report, facts::Facts, tally::Tally, text::grouped};
use crate::finding::{Finding, Severity};

/// How the page looks.
const STYLE: &str = include_str!("../../../templates/report/style.css");

/// Collects findings for the page.
#[derive(Default)]
pub(super) struct Html {
    tally: Tally,
    kept: Kept,
}

/// What the page shows.
#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    style: &'static str,
    style_hash: String,
    version: &'a str,
    has_findings: bool,
    /// Those that occur, worst first: name, label, count.
    severities: Vec<(&'static str, &'static str, String)>,
    overview: Overview,
    matrix: Matrix,
    residents: Residents,
    plot: Plot,
    diagram: Diagram,
    evidence: Evidence<'a>,
    gaps: Gaps,
    origin: Origin,
}

impl Report for Html {
    fn finding(&mut self, finding: &Finding, _out: &mut dyn Write) -> io::Result<()> {
        self.tally.add(finding);
        self.kept.add(finding);
        Ok(())
    }

    fn finish(&mut self, facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
        let tally = &self.tally;
        let kept = self.kept.in_order();
        let style = STYLE.trim();
        let page = Page {
            style,
            style_hash: STANDARD.encode(Sha256::digest(style.as_bytes())),
            version: &facts.version,
            has_findings: tally.findings > 0,
            severities: severities(tally),
            overview: Overview::new(tally, facts, self.kept.worst()),
            matrix: Matrix::new(tally),
            residents: Residents::new(tally, facts),
            plot: Plot::new(tally),
            diagram: Diagram::new(tally),
            evidence: Evidence::new(kept, tally, facts),
            gaps: Gaps::new(tally, facts),
            origin: Origin::new(tally, facts),
        };
        let mut out = out;
        page.write_into(&mut out)?;
        out.write_all(b"\n")
    }
}

fn severities(tally: &Tally) -> Vec<(&'static str, &'static str, String)> {
    let worst_first = Severity::ALL.iter().rev();
    worst_first
        .map(|severity| (severity, tally.severity(*severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            (
                severity.as_str(),
                label::severity(*severity),
                grouped(count),
            )
        })
        .collect()
}
