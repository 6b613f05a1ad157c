//! The main job in one terminal: a server process posts a synthetic patient to
//! a tracker over TLS, and phiwatch reports it.
#![expect(clippy::print_stdout, reason = "it is a show")]

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tests::{
    Daemon, Sandbox, Sink, client,
    client::Job,
    file, kernel,
    patient::{self, META_PATH},
    phiwatch,
    sink::Options,
};

/// Metrics that the demo shows, where they are not zero.
const SHOWN: &[&str] = &[
    "phiwatch_findings_total",
    "phiwatch_phi_fields_total",
    "phiwatch_tracker_requests_total",
    "phiwatch_messages_total",
    "phiwatch_watched_processes",
    "phiwatch_lost_total",
];

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<()> {
    let sandbox = match Sandbox::new() {
        Ok(sandbox) => sandbox,
        Err(error) => return bundled(&format!("no namespace of its own: {error:#}")),
    };
    match kernel::refusal(&sandbox)? {
        Some(reason) => bundled(&reason),
        None => live(&sandbox),
    }
}

/// The main job, in this kernel.
fn live(sandbox: &Sandbox) -> Result<()> {
    heading("A sink plays graph.facebook.com, in a network from which no packet can leave.");
    let mut sink = Sink::start(sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let arguments = ["--capture".as_ref(), captures.as_os_str()];
    let mut daemon = Daemon::run(sandbox, &arguments)?;
    println!(
        "   phiwatch watches {} and serves {}.",
        sandbox.cgroup().display(),
        daemon.address()
    );

    heading("A real curl posts a synthetic patient, over TLS.");
    let body = patient::event_file(sandbox)?;
    let host = "graph.facebook.com";
    client::CURL.send(
        sandbox,
        Job {
            host,
            path: META_PATH,
            body: &body,
            count: 1,
        },
    )?;
    for request in sink.requests(1)? {
        let tests::sink::Request {
            method,
            host,
            path,
            length,
            ..
        } = request;
        println!("   The sink received: {method} https://{host}{path}, {length} bytes.");
    }

    heading("What phiwatch found, in its journal.");
    let found = daemon.findings(1)?;
    for finding in &found {
        show(finding);
    }

    heading("The same, as Prometheus sees it.");
    for line in daemon.metrics()?.lines() {
        let shown = SHOWN.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0");
        if shown {
            println!("   {line}");
        }
    }

    heading("The capture of it, replayed.");
    if !daemon.stop()?.success() {
        bail!(
            "phiwatch did not end well: {}",
            daemon.running.stderr()?.trim()
        );
    }
    let replayed = replay(&captures, Some(&sandbox.state()))?;
    for finding in &replayed {
        show(finding);
    }
    compare(&found, &replayed)
}

/// What can be shown where the kernel refuses.
fn bundled(reason: &str) -> Result<()> {
    heading("This kernel does not let phiwatch watch live; the reason, in its own words:");
    println!("   {reason}");
    heading("So this is a bundled synthetic capture, replayed.");
    let found = replay(&file("corpus/demo/meta.pcap"), None)?;
    for finding in &found {
        show(finding);
    }
    if found.is_empty() {
        bail!("the bundled capture gave no finding");
    }
    Ok(())
}

/// The findings in `captures`. With the `state` of the daemon that recorded
/// them, the same person has the same token.
fn replay(captures: &Path, state: Option<&Path>) -> Result<Vec<Value>> {
    let mut command = Command::new(phiwatch());
    command.args(["replay", "--format", "jsonl"]).arg(captures);
    if let Some(state) = state {
        command.arg("--state").arg(state);
    }
    println!("   $ phiwatch replay --format jsonl {}", captures.display());
    let output = command.output().context("start phiwatch replay")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("phiwatch replay ended with {}: {said}", output.status);
    }
    let text = String::from_utf8(output.stdout).context("read the findings")?;
    text.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

fn compare(live: &[Value], replayed: &[Value]) -> Result<()> {
    let ids = |findings: &[Value]| {
        findings
            .iter()
            .map(|finding| finding["id"].clone())
            .collect::<Vec<_>>()
    };
    let (live, replayed) = (ids(live), ids(replayed));
    if live != replayed {
        bail!("live and replay differ: {live:?} and {replayed:?}");
    }
    println!("\n   Live and replay gave the same finding: the ids are equal.");
    Ok(())
}

fn heading(text: &str) {
    println!("\n=> {text}");
}

/// One finding in the words of its record, without values of the patient.
fn show(finding: &Value) {
    let text = |value: &Value| match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    };
    let line = |name: &str, value: String| println!("   {name:<12} {value}");
    let (recipient, request) = (&finding["recipient"], &finding["request"]);
    println!(
        "   {} finding {}",
        text(&finding["severity"]).to_uppercase(),
        text(&finding["id"])
    );
    line(
        "to",
        format!(
            "{} ({})",
            text(&recipient["owner"]),
            text(&recipient["host"])
        ),
    );
    line("identifiers", text(&finding["identifiers"]));
    line("health", text(&finding["health"]));
    line(
        "request",
        format!(
            "{} {} -> status {}",
            text(&request["method"]),
            text(&request["path"]),
            text(&request["status"])
        ),
    );
    let process = &finding["process"];
    line(
        "process",
        format!("{} (pid {})", text(&process["exe"]), text(&process["pid"])),
    );
    for field in finding["fields"].as_array().into_iter().flatten() {
        let what = format!("{} ({})", text(&field["class"]), text(&field["form"]));
        let (path, masked) = (text(&field["path"]), text(&field["masked"]));
        line("", format!("{what:<22} {path:<42} {masked}"));
    }
}
