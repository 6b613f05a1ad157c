//! A real Prometheus scrapes phiwatch, and its alert fires in time.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tests::{
    Daemon, Side, Sink,
    client::{self, Job},
    file, kernel,
    patient::{self, META_PATH},
    sink::Options,
    tool, wait,
};

/// Both the scrape and the evaluation interval of this Prometheus.
const INTERVAL: Duration = Duration::from_secs(1);

const ADDRESS: &str = "127.0.0.1:9090";

fn promtool() -> Command {
    Command::new(tool("prometheus/usr/bin/promtool"))
}

fn check(command: &mut Command) -> Result<()> {
    let output = command.output().context("start promtool")?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!(
            "promtool ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&text)
        );
    }
    Ok(())
}

#[test]
fn promtool_accepts_the_rules() -> Result<()> {
    let folder = file("../packaging/prometheus");
    check(
        promtool()
            .args(["check", "rules"])
            .arg(folder.join("phiwatch.rules.yml")),
    )?;
    check(
        promtool()
            .args(["test", "rules"])
            .arg(folder.join("phiwatch.rules.test.yml")),
    )
}

#[test]
fn promtool_accepts_the_metrics() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let path = sandbox.folder().join("metrics");
    fs::write(&path, daemon.metrics()?)?;
    check(
        promtool()
            .args(["check", "metrics"])
            .stdin(Stdio::from(fs::File::open(&path)?)),
    )
}

#[test]
fn the_alert_fires_within_two_evaluation_intervals() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let daemon = Daemon::run::<&str>(&sandbox, &[])?;

    let configuration = sandbox.folder().join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: [{}]\n\
         scrape_configs:\n  - job_name: phiwatch\n    static_configs: [{{targets: ['{}']}}]\n",
        file("../packaging/prometheus/phiwatch.rules.yml").display(),
        daemon.address(),
    );
    fs::write(&configuration, text).context("write prometheus.yml")?;
    let mut command = sandbox.command(Side::Outside, tool("prometheus/usr/bin/prometheus"));
    command.arg(format!("--config.file={}", configuration.display()));
    command.arg(format!(
        "--storage.tsdb.path={}",
        sandbox.folder().join("tsdb").display()
    ));
    command.arg(format!("--web.listen-address={ADDRESS}"));
    let _prometheus = sandbox.start("prometheus", command)?;
    let query = |path: &str| -> Result<Value> {
        Ok(serde_json::from_str(
            &sandbox.get(&format!("http://{ADDRESS}/api/v1/{path}"))?,
        )?)
    };
    let scrape_count = "query?query=count_over_time(phiwatch_build_info%5B1m%5D)";
    wait("two scrapes", Duration::from_secs(30), || {
        let Ok(answer) = query(scrape_count) else {
            return Ok(None);
        };
        let scrapes = answer
            .pointer("/data/result/0/value/1")
            .and_then(Value::as_str);
        Ok(scrapes
            .and_then(|count| count.parse::<u32>().ok())
            .filter(|count| *count >= 2))
    })?;

    let body = patient::event_file(&sandbox)?;
    let host = "graph.facebook.com";
    client::CURL.send(
        &sandbox,
        Job {
            host,
            path: META_PATH,
            body: &body,
            count: 1,
        },
    )?;
    let found = daemon.findings(1)?;
    let since = Instant::now();
    let severity = found[0]["severity"]
        .as_str()
        .context("a finding has a severity")?;
    let name = format!("PhiwatchFinding{severity}").to_lowercase();
    let alert = wait("the alert fires", Duration::from_secs(30), || {
        let answer = query("alerts")?;
        let alerts = answer.pointer("/data/alerts").and_then(Value::as_array);
        Ok(alerts
            .into_iter()
            .flatten()
            .find(|alert| {
                let is = alert.pointer("/labels/alertname").and_then(Value::as_str);
                alert["state"] == "firing" && is.is_some_and(|is| is.to_lowercase() == name)
            })
            .cloned())
    })?;
    // The evaluation that sees the finding follows the scrape that delivers it;
    // a quarter of a second is for polling.
    let limit = INTERVAL * 2 + Duration::from_millis(250);
    assert!(
        since.elapsed() <= INTERVAL + limit,
        "after {:?}",
        since.elapsed()
    );
    assert_eq!(
        alert.pointer("/labels/tracker").and_then(Value::as_str),
        Some("meta")
    );
    Ok(())
}
