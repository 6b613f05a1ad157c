//! How long phiwatch takes to end, with few hooks and with many.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Daemon, Sandbox, copies::Copies};

use crate::{
    Plan,
    numbers::{descriptors, median, number, rounded},
};

/// Most seconds until the end.
const BAR: f64 = 2.0;
/// Then it is not waited for any more.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    let mut rows = vec![row(sandbox, plan, "no library", None)?];
    let copies = Copies::mapped(sandbox, plan.libraries)?;
    let name = format!("{} libraries", plan.libraries);
    rows.push(row(sandbox, plan, &name, Some(&copies))?);
    Ok(Value::Array(rows))
}

fn row(sandbox: &Sandbox, plan: &Plan, name: &str, copies: Option<&Copies>) -> Result<Value> {
    let (mut each, mut links) = (Vec::new(), 0);
    for _ in 0..plan.pairs {
        let mut daemon = Daemon::run_quietly::<&str>(sandbox, "", &[])?;
        if let Some(copies) = copies {
            copies.hooked(&daemon)?;
        }
        let held = descriptors(daemon.running.pid())?;
        links = held
            .iter()
            .filter(|text| number(text, "link_id:").is_some())
            .count();
        let began = Instant::now();
        daemon.running.signal(Signal::TERM)?;
        let status = daemon.running.ended(PATIENCE)?;
        each.push(began.elapsed().as_secs_f64());
        ensure!(status.success(), "it ended with {status}");
    }
    let most = each.iter().copied().fold(0.0, f64::max);
    Ok(json!({
        "name": name,
        "links": links,
        "seconds": rounded(median(&each), 2),
        "seconds_most": rounded(most, 2),
        "bar": BAR,
    }))
}
