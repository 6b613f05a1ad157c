//! The program that is measured, run as an operator runs it.

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

#[derive(Deserialize)]
struct Answer {
    tracker: Option<Row>,
}

impl Phiwatch {
    /// `binary`, which keeps its key in `state`.
    pub const fn new(binary: PathBuf, state: PathBuf) -> Self {
        Self { binary, state }
    }

    /// The ids of the catalog.
    pub fn catalog(&self) -> Result<Vec<String>> {
        let rows: Vec<Row> = serde_json::from_slice(&self.output(&["trackers", "--json"])?)
            .context("read the catalog")?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The id of the tracker that gets such a request.
    pub fn tracker(&self, method: &str, host: &str, target: &str) -> Result<Option<String>> {
        let path = target.split(['?', '#']).next().unwrap_or(target);
        let output = self.output(&["trackers", "--json", "--method", method, host, path])?;
        let answer: Answer = serde_json::from_slice(&output).context("read a tracker")?;
        Ok(answer.tracker.map(|row| row.id))
    }

    fn output(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = Command::new(&self.binary)
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("start {}", self.binary.display()))?;
        Ok(output.stdout)
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
