//! Clients that post to a tracker and do nothing else, one request after
//! another on a connection, to a sink that is faster than they are.

use std::{
    ffi::OsString, fs, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{
    Daemon, Sandbox, Side, Sink, file,
    patient::{self, META_PATH},
    sink::Options,
};

use crate::{
    HOST, Plan,
    numbers::{median, rounded},
};

/// The share of its requests a second that a client should keep.
const BAR: f64 = 0.95;
/// How long a client may take besides the measurement.
const PATIENCE: Duration = Duration::from_secs(30);

/// Name, program and script.
type Client = (&'static str, OsString, &'static str);

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    let _sink = Sink::start(
        sandbox,
        Options {
            native: true,
            ..Options::default()
        },
    )?;
    let body = patient::event_file(sandbox)?;
    let clients: [Client; 2] = [
        (
            "Python, http.client",
            "/usr/bin/python3".into(),
            "clients/timed_client.py",
        ),
        ("Node, https", node(sandbox)?, "clients/timed_client.js"),
    ];
    clients
        .iter()
        .map(|client| compare(sandbox, plan, client, &body))
        .collect()
}

/// Node's binary has its own TLS library, of which no other process may be
/// probed.
fn node(sandbox: &Sandbox) -> Result<OsString> {
    let copy = sandbox.folder().join("node");
    let mut which = sandbox.command(Side::Outside, "sh");
    let path = sandbox
        .run(which.args(["-c", "command -v node"]))
        .context("find node")?
        .stdout;
    fs::copy(String::from_utf8(path)?.trim(), &copy).context("copy node")?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(copy.into_os_string())
}

fn compare(sandbox: &Sandbox, plan: &Plan, client: &Client, body: &Path) -> Result<Value> {
    let (mut without, mut with, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    let mut unseen = false;
    for _ in 0..plan.pairs {
        let before = post(sandbox, plan, client, body, |_| Ok(()))?;
        let mut daemon = None;
        let after = post(sandbox, plan, client, body, |sandbox| {
            // Started once the client runs: its library must be seen before its
            // requests.
            daemon = Some(Daemon::run_quietly::<&str>(sandbox, "", &[])?);
            Ok(())
        })?;
        let daemon = daemon.context("phiwatch was started")?;
        let seen = daemon.metric("phiwatch_tracker_requests_total", "")?;
        unseen |= seen <= 0.0;
        kept.push(after.rate / before.rate);
        without.push(before);
        with.push(after);
    }
    let rates = |runs: &[Run]| {
        let values: Vec<_> = runs.iter().map(|run| run.rate).collect();
        rounded(median(&values), 0)
    };
    let p99s = |runs: &[Run]| {
        let values: Vec<_> = runs.iter().map(|run| run.p99).collect();
        rounded(median(&values), 0)
    };
    let mut row = json!({
        "name": client.0,
        "without": rates(&without),
        "with": rates(&with),
        "kept": rounded(median(&kept), 3),
        "kept_each": kept.iter().map(|kept| rounded(*kept, 3)).collect::<Vec<_>>(),
        "p99_without_us": p99s(&without),
        "p99_with_us": p99s(&with),
        "bar": BAR,
    });
    if unseen {
        row["note"] = json!("phiwatch saw no request of it, so this is no measurement");
    }
    Ok(row)
}

/// What a client printed.
struct Run {
    /// Requests a second.
    rate: f64,
    /// 99th percentile of their times, microseconds.
    p99: f64,
}

/// Starts the client, then calls `prepare`, then lets the client begin.
fn post<'a>(
    sandbox: &'a Sandbox,
    plan: &Plan,
    (name, program, script): &Client,
    body: &Path,
    prepare: impl FnOnce(&'a Sandbox) -> Result<()>,
) -> Result<Run> {
    let mut command = sandbox.command(Side::Watched, program);
    command
        .arg(file(script))
        .args([HOST, META_PATH])
        .arg(body)
        .arg(plan.duration.as_secs().to_string());
    let mut client = sandbox.start("client", command)?;
    prepare(sandbox)?;
    writeln!(client.stdin()?)?;
    let status = client.ended(plan.duration + PATIENCE)?;
    ensure!(
        status.success(),
        "{name} ended with {status}: {}",
        client.stderr()?
    );
    let printed: Value = serde_json::from_str(&client.stdout()?)?;
    let number = |key: &str| printed[key].as_f64().context("a number");
    Ok(Run {
        rate: number("rate")?,
        p99: number("p99")?,
    })
}
