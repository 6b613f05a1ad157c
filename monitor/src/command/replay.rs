//! `phiwatch replay`: what the daemon would have said about a capture.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
};

use super::{ExitStatus, Failure, OrFail as _, crew, recipients, state::token_key};
use crate::{
    canary::Canaries,
    capture::{CaptureError, open_all},
    cli::{Format, ReplayArgs},
    config::{Config, Recipients},
    finding::{Finding, PeopleCount, Severity},
    loss::Losses,
    pipeline::Desk,
};

/// Replays the files; findings go to standard output, what was lost to
/// standard error.
pub fn execute(args: &ReplayArgs) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref()).or_fail(ExitStatus::Config)?;
    let recipients = recipients(&config)?;
    let mut source = open_all(&args.files).map_err(unreadable)?;
    let directory = args
        .state
        .clone()
        .unwrap_or_else(|| state_directory(&config));
    let key = token_key(&directory).or_fail(ExitStatus::Io)?;
    let Recipients {
        catalog, services, ..
    } = recipients;
    let canaries = Canaries::new(&config.canary).or_fail(ExitStatus::Config)?;
    let desk = Desk::new(catalog, key)
        .with_services(services)
        .with_canaries(canaries);
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    let mut stdout = io::BufWriter::new(stdout.lock());
    let mut summary = Summary::default();
    let threads = args.threads.unwrap_or_else(crew::all_cores);
    let replayed = crew::replay(&mut *source, &desk, threads, unreadable, |out| {
        for finding in out.findings.drain(..) {
            summary.add(&finding);
            print(&mut stdout, args.format, &finding, summary.findings == 1)
                .or_fail(ExitStatus::Io)?;
            if is_terminal {
                stdout.flush().or_fail(ExitStatus::Io)?;
            }
        }
        Ok(())
    });
    // What was found before an error stays found.
    stdout.flush().or_fail(ExitStatus::Io)?;
    let replayed = replayed?;
    summary.events = replayed.events;
    summary.print(&replayed.losses, |tracker| replayed.people(tracker));
    match (args.fail_on, summary.worst) {
        (Some(limit), Some(worst)) if worst >= limit => Err(Failure::message(
            ExitStatus::Findings,
            format!("there are findings of severity {} or worse", limit.as_str()),
        )),
        _ => Ok(()),
    }
}

/// The configured state folder if this user can use it, else the user's own.
fn state_directory(config: &Config) -> PathBuf {
    let configured = config.state.directory.clone();
    if rustix::process::geteuid().is_root() {
        return configured;
    }
    let own = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    own.map_or(configured, |folder| folder.join("phiwatch"))
}

fn unreadable(error: CaptureError) -> Failure {
    let code = match &error {
        CaptureError::Unrecognized { .. } | CaptureError::Identity { .. } => ExitStatus::BadInput,
        CaptureError::Encrypted { .. } => ExitStatus::NotPermitted,
        CaptureError::Read { .. } | CaptureError::Write { .. } => ExitStatus::Io,
    };
    Failure::new(code, error)
}

#[derive(Default)]
struct Summary {
    events: u64,
    findings: u64,
    worst: Option<Severity>,
    trackers: BTreeSet<String>,
}

impl Summary {
    fn add(&mut self, finding: &Finding) {
        self.findings += 1;
        self.worst = self.worst.max(Some(finding.severity));
        self.trackers.insert(finding.recipient.tracker.to_string());
    }

    fn print(&self, losses: &Losses, people: impl Fn(&str) -> PeopleCount) {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        super::say(format_args!(
            "phiwatch: {} event{}, {} finding{}",
            self.events,
            plural(self.events),
            self.findings,
            plural(self.findings)
        ));
        for tracker in &self.trackers {
            let PeopleCount { at_least, at_most } = people(tracker);
            if at_most > 0 {
                let plural = if at_most == 1 { "person" } else { "people" };
                let number = if at_least == at_most {
                    at_least.to_string()
                } else {
                    format!("{at_least} to {at_most}")
                };
                super::say(format_args!("phiwatch: {tracker}: {number} {plural}"));
            }
        }
        for (loss, count) in losses.iter() {
            let (stage, reason) = loss.labels();
            super::say(format_args!(
                "phiwatch: lost in stage {stage}, {reason}: {count}"
            ));
        }
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
