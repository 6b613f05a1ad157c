//! The report for programs that read as it is written: one JSON object a line.
//!
//! In: findings. Out: lines, immediately.

use std::io::{self, Write};

use super::{Facts, Report};
use crate::finding::Finding;

/// Writes lines.
pub(super) struct Jsonl;

impl Report for Jsonl {
    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, finding)?;
        out.write_all(b"\n")
    }

    fn finish(&mut self, _facts: &Facts, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
