//! Memory and idle CPU of the daemon: at rest, with many connections, and after
//! twice as many have come and gone.

use std::{collections::BTreeMap, io::Write as _, thread, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};
use tests::{
    Daemon, Running, Sandbox, Side, Sink, native,
    patient::{self, META_PATH},
    sink::{Distance, Options},
    wait,
};

use crate::{
    HOST, Plan,
    numbers::{cpu, descriptors, mebibytes, number, rounded},
};

/// Most memory at [`crate::WHOLE`]'s connections, in MiB.
const BAR: f64 = 64.0;
/// Most CPU at rest, in percent of a core.
const IDLE_BAR: f64 = 0.3;
/// How long opening and churning may take.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    let program = native::compile("crowd", sandbox.folder())?;
    let _sink = Sink::start(
        sandbox,
        Options {
            native: true,
            distance: Distance::Near,
            ..Options::default()
        },
    )?;
    let _worker = sandbox.worker()?;
    let body = patient::event_file(sandbox)?;
    let daemon = Daemon::run_quietly::<&str>(sandbox, "", &[])?;
    let pid = daemon.running.pid();

    let before = cpu(pid)?;
    // Nothing is awaited: the passing time is what is measured.
    thread::sleep(plan.idle);
    let idle = cpu(pid)?.saturating_sub(before).as_secs_f64() / plan.idle.as_secs_f64();
    let mut rows = vec![row("at rest", pid)?];
    rows[0]["idle_cpu_percent"] = json!(rounded(idle * 100.0, 2));
    rows[0]["idle_cpu_bar"] = json!(IDLE_BAR);

    let churn = plan.connections * 2;
    let mut command = sandbox.command(Side::Watched, program);
    command
        .args([HOST, "443", META_PATH])
        .arg(body)
        .args([plan.connections.to_string(), churn.to_string()]);
    let mut crowd = sandbox.start("crowd", command)?;
    said(&mut crowd, "open")?;
    rows.push(row(&format!("{} connections", plan.connections), pid)?);
    writeln!(crowd.stdin()?)?;
    said(&mut crowd, "churned")?;
    rows.push(row(&format!("after {churn} more came and went"), pid)?);
    for row in &mut rows {
        row["bar"] = json!(BAR);
    }
    Ok(Value::Array(rows))
}

fn said(crowd: &mut Running, word: &str) -> Result<()> {
    wait(word, PATIENCE, || {
        anyhow::ensure!(crowd.is_alive()?, "the crowd ended: {}", crowd.stderr()?);
        let printed = crowd.stdout()?;
        Ok(printed.lines().any(|line| line == word).then_some(()))
    })
}

fn row(name: &str, pid: u32) -> Result<Value> {
    Ok(json!({
        "name": name,
        "rss_mib": mebibytes(pid, "VmRSS")?,
        "anonymous_mib": mebibytes(pid, "RssAnon")?,
        "file_mib": mebibytes(pid, "RssFile")?,
        "shared_mib": mebibytes(pid, "RssShmem")?,
        "peak_mib": mebibytes(pid, "VmHWM")?,
        "kernel_mib": maps(pid)?,
    }))
}

/// What the maps of a process take in the kernel, in MiB. Of the rings it is in
/// what is resident as well, where each page counts twice, as it is mapped.
fn maps(pid: u32) -> Result<f64> {
    let mut maps = BTreeMap::new();
    for text in descriptors(pid)? {
        if let (Some(id), Some(bytes)) = (number(&text, "map_id:"), number(&text, "memlock:")) {
            maps.insert(id, bytes);
        }
    }
    let bytes: u64 = maps.values().sum();
    Ok(rounded(bytes as f64 / f64::from(1 << 20), 1))
}
