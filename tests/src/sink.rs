//! The server that plays the trackers.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{Running, Sandbox, Side, file, native, wait};

/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// What the sink does besides responding with JSON.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The port on `127.0.0.1` and `::1`.
    pub port: u16,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether it reads slowly, so that its clients have to wait.
    pub slow: bool,
    /// Whether it is the one in C: TLS only, logs connections but no requests,
    /// and accepts early data and renegotiation.
    pub native: bool,
    /// How far away the native one is.
    pub distance: Distance,
}

/// How far a sink is from its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// No network: it answers at once, for measuring.
    Near,
    /// Across a network, as trackers are: it waits before each handshake.
    Far,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 443,
            tls: true,
            slow: false,
            native: false,
            distance: Distance::Far,
        }
    }
}

/// What the sink reports as received.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Record {
    /// A whole request.
    Request(Request),
    /// A connection that has ended.
    Connection(Connection),
}

/// One request, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// Number of the connection, from 0.
    pub connection: u64,
    /// Number on the connection, from 0.
    pub ordinal: u64,
    /// Its method.
    pub method: String,
    /// Its target.
    pub path: String,
    /// Its Host.
    pub host: String,
    /// Bytes of head and body.
    pub length: u64,
    /// SHA-256 of head and body, hexadecimal.
    pub sha256: String,
    /// Bytes of the body, chunking removed.
    pub body_length: u64,
    /// SHA-256 of the body, chunking removed, hexadecimal.
    pub body_sha256: String,
    /// When the last byte had arrived, nanoseconds since the Unix epoch.
    pub time: u64,
}

/// All bytes of one connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Connection {
    /// Number of the connection, from 0.
    pub connection: u64,
    /// Bytes of everything that the client sent.
    pub length: u64,
    /// SHA-256 of everything that the client sent, hexadecimal.
    pub sha256: String,
}

/// The running sink.
pub struct Sink {
    running: Running,
    log: PathBuf,
}

impl Sink {
    /// Starts a sink in the sandbox, not watched.
    pub fn start(sandbox: &Sandbox, options: Options) -> Result<Self> {
        let Options {
            port,
            tls,
            slow,
            native,
            distance,
        } = options;
        let mut command = if native {
            sandbox.command(Side::Outside, native::compile("sink", sandbox.folder())?)
        } else {
            let mut python = sandbox.command(Side::Outside, "/usr/bin/python3");
            python.arg(file("sink/sink.py"));
            python
        };
        if slow {
            command.arg("--slow");
        }
        if distance == Distance::Near {
            command.args(["--distance", "0"]);
        }
        Self::launch(sandbox, command, port, tls)
    }

    /// Starts the sink of `command`, told where to listen and where to log.
    pub(crate) fn launch(
        sandbox: &Sandbox,
        mut command: Command,
        port: u16,
        tls: bool,
    ) -> Result<Self> {
        let log = sandbox.folder().join(format!("sink-{port}.jsonl"));
        fs::write(&log, "").with_context(|| format!("create {}", log.display()))?;
        command
            .args(["--port", &port.to_string(), "--log"])
            .arg(&log);
        if tls {
            command
                .arg("--certificate")
                .arg(&sandbox.authority.certificate);
            command.arg("--key").arg(&sandbox.authority.key);
        }
        let mut running = sandbox.start(&format!("sink-{port}"), command)?;
        running.wait_for("listening", |line| (line == "ready").then_some(()))?;
        Ok(Self { running, log })
    }

    /// Everything that was logged so far.
    pub fn records(&self) -> Result<Vec<Record>> {
        let text = fs::read_to_string(&self.log).context("read the sink's log")?;
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// The requests, once there are at least `count`.
    pub fn requests(&mut self, count: usize) -> Result<Vec<Request>> {
        wait(&format!("{count} requests at the sink"), ARRIVAL, || {
            let records = self.records()?.into_iter();
            let requests: Vec<_> = records
                .filter_map(|record| match record {
                    Record::Request(request) => Some(request),
                    Record::Connection(_) => None,
                })
                .collect();
            Ok((requests.len() >= count).then_some(requests))
        })
        .with_context(|| self.running.stderr().unwrap_or_default())
    }

    /// The ended connections that received anything, once there are `count`.
    pub fn connections(&mut self, count: usize) -> Result<Vec<Connection>> {
        wait(&format!("{count} connections at the sink"), ARRIVAL, || {
            let records = self.records()?.into_iter();
            let connections: Vec<_> = records
                .filter_map(|record| match record {
                    Record::Connection(connection) => Some(connection),
                    Record::Request(_) => None,
                })
                .filter(|connection| connection.length > 0)
                .collect();
            Ok((connections.len() >= count).then_some(connections))
        })
        .with_context(|| self.running.stderr().unwrap_or_default())
    }
}
