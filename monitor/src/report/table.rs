//! The report for people at a terminal.
//!
//! In: findings. Out: a line for each.

use std::io::{self, Write};

use crate::finding::Finding;

/// Prints findings as lines.
pub struct Table {
    _width: Option<u16>,
    has_header: bool,
}

impl Table {
    pub(super) const fn new(width: Option<u16>) -> Self {
        Self {
            _width: width,
            has_header: false,
        }
    }

    pub(super) fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        if !self.has_header {
            self.has_header = true;
            writeln!(
                out,
                "{:<30} {:<8} {:<12} {:<28} {:<28} PROCESS",
                "TIME", "SEVERITY", "TRACKER", "IDENTIFIERS", "HEALTH"
            )?;
        }
        let process = finding.process.comm.as_deref().unwrap_or("-");
        let pid = finding
            .process
            .pid
            .map(|pid| format!(" ({pid})"))
            .unwrap_or_default();
        writeln!(
            out,
            "{:<30} {:<8} {:<12} {:<28} {:<28} {process}{pid}",
            finding.time,
            finding.severity.as_str(),
            finding.recipient.tracker,
            list(&finding.identifiers),
            list(&finding.health),
        )
    }

    pub(super) fn finish(&mut self, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn list(classes: &[&str]) -> String {
    if classes.is_empty() {
        "-".to_owned()
    } else {
        classes.join(",")
    }
}
