//! Memory of the daemon while processes and libraries come and go.

use anyhow::Result;
use serde_json::{Value, json};
use tests::{Daemon, Sandbox, Sink, churn, sink::Options};

use crate::{Plan, numbers::rounded};

/// By how many MiB memory may grow after the first third.
const BAR: f64 = 2.0;

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    let _sink = Sink::start(
        sandbox,
        Options {
            native: true,
            ..Options::default()
        },
    )?;
    let _worker = sandbox.worker()?;
    let daemon = Daemon::run_quietly::<&str>(sandbox, "", &[])?;
    let churned = churn::churn(sandbox, &daemon, plan.churn, 0)?;
    let mebibytes = |bytes: u64| rounded(bytes as f64 / f64::from(1 << 20), 1);
    Ok(json!([{
        "name": format!("{} minutes", rounded(plan.churn.as_secs_f64() / 60.0, 1)),
        "processes": churned.processes,
        "connections": churned.connections,
        "first_third_mib": mebibytes(churned.first_third),
        "last_third_mib": mebibytes(churned.last_third),
        "growth_mib": mebibytes(churned.growth()),
        "bar": BAR,
    }]))
}
