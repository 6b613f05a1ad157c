//! Findings to standard output, in the format that was asked for.

use std::io::{self, IsTerminal as _, StdoutLock, Write};

use crate::{cli::Format, finding::Finding};

/// Prints findings.
pub(super) struct Printer {
    format: Format,
    out: io::BufWriter<StdoutLock<'static>>,
    /// Every finding is shown at once.
    is_terminal: bool,
    is_first: bool,
}

impl Printer {
    /// A printer to standard output.
    pub(super) fn new(format: Format) -> Self {
        let stdout = io::stdout();
        Self {
            format,
            is_terminal: stdout.is_terminal(),
            out: io::BufWriter::new(stdout.lock()),
            is_first: true,
        }
    }

    /// Prints one finding.
    pub(super) fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let is_first = std::mem::take(&mut self.is_first);
        print(&mut self.out, self.format, finding, is_first)?;
        if self.is_terminal {
            self.out.flush()?;
        }
        Ok(())
    }

    /// Prints what was held back.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn print(out: &mut impl Write, format: Format, finding: &Finding, first: bool) -> io::Result<()> {
    match format {
        Format::Jsonl => {
            serde_json::to_writer(&mut *out, finding)?;
            writeln!(out)
        }
        Format::Table => {
            if first {
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
    }
}

fn list(classes: &[&str]) -> String {
    if classes.is_empty() {
        "-".to_owned()
    } else {
        classes.join(",")
    }
}
