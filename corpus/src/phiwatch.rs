//! The program that is measured, as an operator runs it.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::measure::Finding;

/// The binary.
pub struct Phiwatch {
    binary: PathBuf,
    state: PathBuf,
}

#[derive(Deserialize)]
struct Row {
    id: String,
}

impl Phiwatch {
    /// `binary`, which keeps its key in `state`.
    pub const fn new(binary: PathBuf, state: PathBuf) -> Self {
        Self { binary, state }
    }

    /// The ids of the catalog.
    pub fn catalog(&self) -> Result<Vec<String>> {
        self.rows(&["trackers", "--json"])
    }

    /// The id of the tracker that gets such a request.
    pub fn tracker(&self, method: &str, host: &str, target: &str) -> Result<Option<String>> {
        let path = target.split(['?', '#']).next().unwrap_or(target);
        let rows = self.rows(&["trackers", "--json", "--method", method, host, path])?;
        Ok(rows.into_iter().next())
    }

    fn rows(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let output = Command::new(&self.binary)
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("start {}", self.binary.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.trim().is_empty() {
            return Ok(vec![]);
        }
        let rows: Vec<Row> = serde_json::from_str(&text).context("read the catalog")?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The findings of a capture.
    pub fn replay(&self, capture: &Path) -> Result<Vec<Finding>> {
        let mut child = Command::new(&self.binary)
            .args(["replay", "--format", "jsonl", "--state"])
            .args([&self.state, capture])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", self.binary.display()))?;
        let stdout = child
            .stdout
            .take()
            .context("replay has no standard output")?;
        let mut findings = Vec::new();
        for line in BufReader::new(stdout).lines() {
            findings.push(serde_json::from_str(&line?).context("read a finding")?);
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("replay of {} ended with {status}", capture.display());
        }
        Ok(findings)
    }
}
