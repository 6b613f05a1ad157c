//! HTTP/2: a sink and a client, which make many requests on one connection.

use std::process::Command;

use anyhow::Result;

use crate::{Sandbox, Side, Sink, client::Job, file, tool};

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Over TLS, by ALPN.
    Tls,
    /// In cleartext, with prior knowledge.
    Plain,
    /// In cleartext, with a request in HTTP/1.1 that asks for it.
    Upgrade,
}

impl Begin {
    /// The port of its sink.
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 443,
            Self::Plain | Self::Upgrade => 80,
        }
    }
}

/// Starts a sink that speaks HTTP/2, not watched.
pub fn sink(sandbox: &Sandbox, begin: Begin) -> Result<Sink> {
    let mut command = sandbox.command(Side::Outside, tool("venv/bin/python"));
    command.arg(file("sink/multiplexed_sink.py"));
    Sink::launch(sandbox, command, begin.port(), begin == Begin::Tls)
}

/// The client that interleaves its bodies. `options` follow the mode.
pub fn client(sandbox: &Sandbox, begin: Begin, options: &str, job: Job<'_>) -> Command {
    let mode = match begin {
        Begin::Tls => "tls",
        Begin::Plain => "plain",
        Begin::Upgrade => "upgrade",
    };
    let mut command = sandbox.command(Side::Watched, tool("venv/bin/python"));
    command
        .arg(file("clients/multiplexed_client.py"))
        .args([job.host, job.path])
        .arg(job.body)
        .args([&job.count.to_string(), &format!("{mode}{options}")])
        .arg(begin.port().to_string());
    command
}

/// curl, which makes its requests at once.
pub fn curl(sandbox: &Sandbox, begin: Begin, job: Job<'_>) -> Command {
    let mut command = sandbox.command(Side::Watched, "curl");
    command.args(["--silent", "--show-error", "--fail", "--parallel"]);
    let (version, scheme) = match begin {
        Begin::Tls => ("--http2", "https"),
        Begin::Plain => ("--http2-prior-knowledge", "http"),
        Begin::Upgrade => ("--http2", "http"),
    };
    command.args([version, "--header", "Content-Type: application/json"]);
    command.arg("--data-binary");
    command.arg(format!("@{}", job.body.display()));
    let url = format!("{scheme}://{}{}", job.host, job.path);
    command.args(std::iter::repeat_n(url, job.count));
    command
}
