//! nginx over TLS, saturated by wrk: a file of 64 bytes, connections kept alive.

use std::{fs, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Running, Sandbox, Side, wait};

use crate::{
    Plan,
    numbers::{cpu, median, rounded},
    observer::{Observer, Watching},
};

/// Bytes of the file.
const LENGTH: usize = 64;
/// How long a server is loaded until phiwatch has settled.
const WARM_UP: Duration = Duration::from_secs(2);
/// Connections of wrk.
const CONNECTIONS: &str = "32";

/// The observer, the server under load, and the share of its throughput that it
/// should keep.
struct Case {
    name: &'static str,
    observer: Observer,
    side: Side,
    bar: Option<f64>,
}

const CASES: &[Case] = &[
    Case {
        name: "phiwatch",
        observer: Observer::Default,
        side: Side::Watched,
        bar: Some(0.90),
    },
    Case {
        name: "phiwatch, with a budget that it stays within",
        observer: Observer::Within,
        side: Side::Watched,
        bar: Some(0.90),
    },
    Case {
        name: "phiwatch, after its budget backed off",
        observer: Observer::BackedOff,
        side: Side::Watched,
        bar: Some(0.97),
    },
    Case {
        name: "phiwatch, recording everything, without a budget",
        observer: Observer::Everything,
        side: Side::Watched,
        bar: Some(0.75),
    },
    Case {
        name: "phiwatch, server out of scope",
        observer: Observer::Default,
        side: Side::Outside,
        bar: Some(0.98),
    },
    Case {
        name: "bpftrace, copying at SSL_write",
        observer: Observer::Bpftrace,
        side: Side::Watched,
        bar: None,
    },
    Case {
        name: "bcc sslsniff",
        observer: Observer::Sslsniff,
        side: Side::Watched,
        bar: None,
    },
];

/// A server of one process.
struct Server {
    running: Running,
    port: u16,
}

/// What one run gave.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Requests a second.
    rate: f64,
    /// CPU time of the server for one, in microseconds.
    cpu: f64,
}

pub(crate) fn measure(sandbox: &Sandbox, plan: &Plan) -> Result<Value> {
    let folder = sandbox.folder().join("www");
    fs::create_dir(&folder)?;
    fs::write(folder.join("file"), vec![b'x'; LENGTH])?;
    // Keeps the library mapped, so that phiwatch attaches to it in every case.
    let _worker = sandbox.worker()?;
    let watched = start(sandbox, Side::Watched, 443)?;
    let outside = start(sandbox, Side::Outside, 8443)?;
    CASES
        .iter()
        .map(|case| {
            let server = match case.side {
                Side::Watched => &watched,
                Side::Outside => &outside,
            };
            // A tool that does not run here is reported, and is no failure.
            case.compare(sandbox, plan, server).or_else(|error| {
                ensure!(case.bar.is_none(), error);
                Ok(json!({"name": case.name, "failed": format!("{error:#}")}))
            })
        })
        .collect()
}

impl Case {
    fn compare(&self, sandbox: &Sandbox, plan: &Plan, server: &Server) -> Result<Value> {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        let mut backed_off = true;
        for _ in 0..plan.pairs {
            without.push(server.load(sandbox, plan.duration)?);
            let watching = self.observer.start(sandbox, server.running.pid())?;
            // If it did not back off once, it is not waited for again.
            if self.observer == Observer::BackedOff && backed_off {
                backed_off = back_off(sandbox, plan, server, &watching)?;
            }
            if matches!(self.observer, Observer::Default | Observer::Within) {
                // The first second is not representative.
                server.load(sandbox, WARM_UP)?;
            }
            with.push(server.load(sandbox, plan.duration)?);
            watching.stop()?;
        }
        let rates = |runs: &[Run]| runs.iter().map(|run| run.rate).collect::<Vec<_>>();
        let cpus = |runs: &[Run]| runs.iter().map(|run| run.cpu).collect::<Vec<_>>();
        let kept: Vec<_> = without
            .iter()
            .zip(&with)
            .map(|(without, with)| with.rate / without.rate)
            .collect();
        let mut row = json!({
            "name": self.name,
            "without": rounded(median(&rates(&without)), 0),
            "with": rounded(median(&rates(&with)), 0),
            "kept": rounded(median(&kept), 3),
            "kept_each": kept.iter().map(|kept| rounded(*kept, 3)).collect::<Vec<_>>(),
            "cpu_without_us": rounded(median(&cpus(&without)), 1),
            "cpu_with_us": rounded(median(&cpus(&with)), 1),
            "bar": self.bar,
        });
        if !backed_off {
            row["note"] = json!("the budget never backed off");
        }
        Ok(row)
    }
}

/// Loads the server until phiwatch reports that it has backed off.
fn back_off(
    sandbox: &Sandbox,
    plan: &Plan,
    server: &Server,
    watching: &Watching<'_>,
) -> Result<bool> {
    let mut left = plan.patience;
    let turn = Duration::from_secs(1);
    while !left.is_zero() {
        server.load(sandbox, turn)?;
        if watching.backed_off()? {
            return Ok(true);
        }
        left = left.saturating_sub(turn);
    }
    Ok(false)
}

impl Server {
    /// Saturates it.
    fn load(&self, sandbox: &Sandbox, duration: Duration) -> Result<Run> {
        let before = cpu(self.running.pid())?;
        let mut wrk = sandbox.command(Side::Outside, "wrk");
        wrk.args(["--threads", "1", "--connections", CONNECTIONS]);
        wrk.args(["--duration", &format!("{}s", duration.as_secs())]);
        wrk.arg(format!("https://localhost:{}/file", self.port));
        let output = sandbox.run(&mut wrk)?.stdout;
        let spent = cpu(self.running.pid())?.saturating_sub(before);
        let text = String::from_utf8(output)?;
        ensure!(!text.contains("Non-2xx"), "the server failed: {text}");
        let number = |name: &str| -> Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let line = line.with_context(|| format!("wrk does not say {name}: {text}"))?;
            Ok(line.trim().parse()?)
        };
        let rate = number("Requests/sec:")?;
        let requests = rate * duration.as_secs_f64();
        Ok(Run {
            rate,
            cpu: spent.as_secs_f64() / requests * 1e6,
        })
    }
}

fn start(sandbox: &Sandbox, side: Side, port: u16) -> Result<Server> {
    let folder = sandbox.folder().display();
    let configuration = format!(
        "user root; daemon off; master_process off; pid {folder}/nginx-{port}.pid; error_log stderr;
         events {{ worker_connections 256; }}
         http {{
             access_log off; keepalive_requests 1000000000; open_file_cache max=16;
             client_body_temp_path {folder}/body-{port}; proxy_temp_path {folder}/proxy-{port};
             fastcgi_temp_path {folder}/fastcgi-{port}; uwsgi_temp_path {folder}/uwsgi-{port};
             scgi_temp_path {folder}/scgi-{port};
             server {{
                 listen 127.0.0.1:{port} ssl; root {folder}/www;
                 ssl_certificate {}; ssl_certificate_key {};
             }}
         }}",
        sandbox.authority.certificate.display(),
        sandbox.authority.key.display(),
    );
    let path = sandbox.folder().join(format!("nginx-{port}.conf"));
    fs::write(&path, configuration).context("write nginx.conf")?;
    let mut command: Command = sandbox.command(side, "nginx");
    command.args(["-e", "stderr", "-c"]).arg(path);
    let running = sandbox.start(&format!("nginx-{port}"), command)?;
    let url = format!("https://localhost:{port}/file");
    wait("nginx serves", Duration::from_secs(10), || {
        Ok(sandbox.get(&url).ok())
    })?;
    Ok(Server { running, port })
}
