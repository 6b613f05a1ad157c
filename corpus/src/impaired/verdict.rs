//! Whether the findings of an impaired capture are those of the clean one.

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Impairment, Known, Written};

/// The output of a replay.
pub struct Replayed {
    /// Findings by the address of the tracker, in their order.
    findings: HashMap<String, Vec<Value>>,
    /// Losses by `stage, reason`.
    pub losses: BTreeMap<String, u64>,
    /// How long it took.
    pub took: Duration,
}

impl Replayed {
    /// Replays `capture` with `binary`, which keeps its key in `state`.
    pub fn new(binary: &Path, state: &Path, capture: &Path) -> Result<Self> {
        let began = Instant::now();
        let mut child = Command::new(binary)
            .args(["replay", "--format", "jsonl", "--state"])
            .args([state, capture])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", binary.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut findings: HashMap<String, Vec<Value>> = HashMap::new();
        for line in BufReader::new(stdout).lines() {
            let finding: Value = serde_json::from_str(&line?).context("read a finding")?;
            let server = finding["peer"]["addr"].as_str().unwrap_or_default();
            findings.entry(server.to_owned()).or_default().push(finding);
        }
        let output = child.wait_with_output()?;
        let messages = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("replay ended with {}: {messages}", output.status);
        }
        let losses = messages
            .lines()
            .filter_map(|line| {
                let line = line.strip_prefix("phiwatch: lost in stage ")?;
                let (name, count) = line.rsplit_once(": ")?;
                Some((name.to_owned(), count.parse().ok()?))
            })
            .collect();
        Ok(Self {
            findings,
            losses,
            took: began.elapsed(),
        })
    }

    fn of(&self, known: &Known) -> &[Value] {
        self.findings.get(&known.server).map_or(&[], Vec::as_slice)
    }
}

/// The result of the comparison.
#[derive(Default)]
pub struct Verdict {
    /// Findings of the clean capture.
    pub clean: usize,
    /// Requests of which bytes are missing for good.
    pub touched: usize,
    /// Of these, how many are found nevertheless, marked.
    pub marked: usize,
    /// What is wrong, one line each.
    pub faults: Vec<String>,
}

/// Compares what was found in both captures.
pub fn judge(written: &Written, clean: &Replayed, impaired: &Replayed) -> Verdict {
    let mut verdict = Verdict::default();
    let mut silent_gaps = 0;
    for known in &written.conversations {
        let (expected, found) = (clean.of(known), impaired.of(known));
        verdict.clean += expected.len();
        if expected.len() != known.requests.len() {
            let (requests, findings) = (known.requests.len(), expected.len());
            let fault = format!(
                "clean {}: {requests} requests, {findings} findings",
                known.server
            );
            verdict.faults.push(fault);
            continue;
        }
        compare(known, expected, found, &mut verdict, &mut silent_gaps);
    }
    let said = impaired.losses.get("stream, gap").copied().unwrap_or(0);
    if said < silent_gaps {
        let fault = format!("{silent_gaps} gaps that no finding tells, {said} counted");
        verdict.faults.push(fault);
    }
    verdict
}

fn compare(
    known: &Known,
    expected: &[Value],
    found: &[Value],
    verdict: &mut Verdict,
    silent_gaps: &mut u64,
) {
    let mut fault = |what: &str, finding: &Value| {
        let (server, impairment, id) = (&known.server, known.impairment, &finding["id"]);
        let line = format!("{impairment:?} {server}: {what} {id}");
        verdict.faults.push(line);
    };
    let completeness = |finding: &Value| finding["completeness"].as_str().map(str::to_owned);
    let mut left: Vec<(String, &Value)> = found
        .iter()
        .map(|finding| (signature(finding, known.impairment), finding))
        .collect();
    let mut is_first = true;
    let mut tells_gap = false;
    for (clean, range) in expected.iter().zip(&known.requests) {
        let wanted = signature(clean, known.impairment);
        let at = left.iter().position(|(signature, _)| *signature == wanted);
        let same = at.map(|at| left.remove(at).1);
        let is_touched = range.start < known.missing.end && known.missing.start < range.end;
        if is_touched {
            verdict.touched += 1;
            if same.is_some_and(|same| completeness(same).as_deref() == Some("complete")) {
                fault("complete although bytes are missing:", clean);
            }
            tells_gap |= same.is_some();
            continue;
        }
        let told = same.and_then(completeness);
        // The first one after a late start says so.
        let is_right = match told.as_deref() {
            Some("complete") => known.impairment != Impairment::Late || !is_first,
            Some("late") => known.impairment == Impairment::Late && is_first,
            _ => false,
        };
        if !is_right {
            fault(&format!("{told:?}:"), clean);
        }
        is_first = false;
    }
    // What remains belongs to requests with missing bytes.
    for (_, finding) in left {
        tells_gap = true;
        verdict.marked += 1;
        if known.missing.is_empty() || completeness(finding).as_deref() == Some("complete") {
            fault("not in the clean capture:", finding);
        }
    }
    *silent_gaps += u64::from(known.impairment == Impairment::Missing && !tells_gap);
}

/// A finding without what differs between captures of the same bytes.
fn signature(finding: &Value, impairment: Impairment) -> String {
    let mut finding = finding.clone();
    if let Some(record) = finding.as_object_mut() {
        for name in ["id", "time", "evidence", "completeness", "person"] {
            record.remove(name);
        }
        // Without answers there is no status.
        if impairment == Impairment::OneDirection {
            record.remove("why");
            if let Some(request) = record.get_mut("request").and_then(Value::as_object_mut) {
                request.remove("status");
            }
        }
    }
    finding.to_string()
}
