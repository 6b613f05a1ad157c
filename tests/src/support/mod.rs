//! The support matrix: which runtimes are read, over which protocol, and whether
//! what is not read is said.
//!
//! Each [`Runtime`] makes the same requests with a patient's data in every
//! [`Combination`] that it knows, one process for each. A daemon watches all of them;
//! a [`Row`] compares what the sink received from a process with what the journal says
//! of it: as many findings with bodies of that length, or contacts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    Daemon, Running, Sandbox, Side, Sink, daemon, file, multiplexed, patient,
    sink::{Options, Record, Request},
};

mod page;
mod runtime;

pub use page::page;
pub use runtime::{ALL, How, Runtime, SHORT};

/// Where all requests go.
pub const HOST: &str = "graph.facebook.com";
/// On which port the proxy listens.
pub const PROXY: u16 = 3128;
/// On which port a server takes what it passes on.
const FRONT: u16 = 8081;
/// How many requests a process makes on one connection that it keeps.
const KEPT: usize = 3;
/// How long a client may take.
const END: Duration = Duration::from_mins(1);
/// How soon each connection that was not read is said.
const SETTLED: Duration = Duration::from_secs(8);
/// A ring in which a burst of bodies has room.
const RING: &str = "[ring]\ndata_bytes = 134217728\n";

/// The protocol of a connection, which the sink decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, by ALPN.
    Http2,
}

impl Protocol {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// How a connection gets to the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// Without anything between.
    Direct,
    /// Through a tunnel of a proxy.
    Connect,
}

/// What one process sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Combination {
    /// Over which protocol.
    pub protocol: Protocol,
    /// How long each body is, bytes.
    pub length: usize,
    /// How many requests, on one connection.
    pub count: usize,
    /// On which way.
    pub route: Route,
}

/// The lengths of bodies of the whole matrix: a byte, more than a TLS record, and more
/// than a socket takes at once.
pub const LENGTHS: &[usize] = &[1, 20_000, 300_000];

/// What became of the requests of one process.
#[derive(Clone, Debug)]
pub struct Row {
    /// Whose.
    pub runtime: &'static str,
    /// What they were.
    pub combination: Combination,
    /// How many arrived.
    pub requests: usize,
    /// On how many connections.
    pub connections: usize,
    /// How many were found whole.
    pub found: usize,
    /// Findings that are not whole, or too many.
    pub wrong: usize,
    /// Connections that were said to be unread, by reason.
    pub said: BTreeMap<String, u64>,
    /// Why the client did not do what it should have.
    pub failed: Option<String>,
}

impl Row {
    /// Requests that are neither found nor on a connection that was said to be unread.
    pub fn silent(&self) -> usize {
        let said: u64 = self.said.values().sum();
        // A connection that was read carries what was found of it.
        let is_said = said >= self.connections as u64 || (said > 0 && self.found == 0);
        if is_said {
            0
        } else {
            self.requests.saturating_sub(self.found)
        }
    }

    /// Whether all that was sent was found, and nothing was said to be unread.
    pub fn is_read(&self) -> bool {
        self.found == self.requests && self.wrong == 0 && self.said.is_empty()
    }
}

/// What a process was, to find it again in the journal.
struct Sent {
    runtime: &'static str,
    combination: Combination,
    processes: Vec<u32>,
    requests: Vec<Request>,
    failed: Option<String>,
}

/// Lets each runtime send each combination of this protocol, and says what became of
/// all.
pub fn measure(
    sandbox: &Sandbox,
    protocol: Protocol,
    runtimes: &[Runtime],
    lengths: &[usize],
    mut progress: impl FnMut(&str),
) -> Result<Vec<Row>> {
    let sink = match protocol {
        Protocol::Http1 => Sink::start(sandbox, Options::default())?,
        Protocol::Http2 => multiplexed::sink(sandbox, multiplexed::Begin::Tls)?,
    };
    let _proxy = proxy(sandbox)?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run_quietly::<&str>(sandbox, RING, &[])?;
    let mut sent = Vec::new();
    for runtime in runtimes {
        for combination in runtime.combinations(protocol, lengths) {
            let own = send(sandbox, &sink, runtime, combination)
                .with_context(|| format!("{} {combination:?}", runtime.name))?;
            progress(&format!(
                "{} {} {} bytes x {} {:?}: {} requests{}",
                runtime.name,
                protocol.name(),
                combination.length,
                combination.count,
                combination.route,
                own.requests.len(),
                own.failed
                    .as_deref()
                    .map_or(String::new(), |why| format!(", {why}")),
            ));
            sent.push(own);
        }
    }
    thread::sleep(SETTLED);
    ensure!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let findings = daemon::findings(&daemon.journal_path())?;
    Ok(sent.into_iter().map(|own| row(own, &findings)).collect())
}

/// A proxy that grants every tunnel at once.
fn proxy(sandbox: &Sandbox) -> Result<Running> {
    let mut command = sandbox.command(Side::Outside, "/usr/bin/python3");
    command.arg(file("clients/connect_proxy.py"));
    let mut running = sandbox.start("proxy", {
        command.arg(PROXY.to_string());
        command
    })?;
    running.wait_for("its socket", |line| (line == "ready").then_some(()))?;
    Ok(running)
}

/// Where a request with a body of this length goes, and the file with the body. What is
/// too short for her data has them in its query.
fn request(sandbox: &Sandbox, length: usize) -> Result<(String, PathBuf)> {
    let mut event = patient::meta_event();
    let path = sandbox.folder().join(format!("event-{length}.json"));
    let least = event.to_string().len();
    if length <= least {
        let mut query = String::new();
        for byte in event.to_string().bytes() {
            _ = write!(query, "%{byte:02X}");
        }
        fs::write(&path, "1".repeat(length)).context("write a body")?;
        return Ok((format!("{}?data={query}", patient::META_PATH), path));
    }
    event["data"][0]["custom_data"]["note"] = json!("");
    let fixed = event.to_string().len();
    let mut filler = String::new();
    for number in 0..length / 8 {
        _ = write!(filler, "{number:08}");
    }
    let rest = length
        .checked_sub(fixed)
        .context("a body has room for its event")?;
    event["data"][0]["custom_data"]["note"] = json!(filler.get(..rest).unwrap_or(&filler));
    fs::write(&path, event.to_string()).context("write a body")?;
    Ok((patient::META_PATH.to_owned(), path))
}

fn requests(sink: &Sink) -> Result<Vec<Request>> {
    let records = sink.records()?.into_iter();
    Ok(records
        .filter_map(|record| match record {
            Record::Request(request) => Some(request),
            Record::Connection(_) => None,
        })
        .collect())
}

fn send(
    sandbox: &Sandbox,
    sink: &Sink,
    runtime: &Runtime,
    combination: Combination,
) -> Result<Sent> {
    let before = requests(sink)?.len();
    let (path, body) = request(sandbox, combination.length)?;
    let outcome = run(sandbox, runtime, combination, &path, &body);
    let arrived = requests(sink)?.split_off(before);
    let (processes, failed) = match outcome {
        Ok((processes, failed)) => (processes, failed),
        Err(error) => (Vec::new(), Some(format!("{error:#}"))),
    };
    let hash = crate::sha256(&fs::read(&body)?);
    for request in &arrived {
        ensure!(
            request.body_sha256 == hash,
            "another body arrived: {request:?}"
        );
    }
    Ok(Sent {
        runtime: runtime.name,
        combination,
        processes,
        requests: arrived,
        failed,
    })
}

/// Runs a client to its end. Gives its processes, and why it failed.
fn run(
    sandbox: &Sandbox,
    runtime: &Runtime,
    combination: Combination,
    path: &str,
    body: &Path,
) -> Result<(Vec<u32>, Option<String>)> {
    if let How::Front(front) = runtime.how {
        let mut server = front(sandbox, FRONT, HOST)?;
        // Whoever asks it is not watched: what counts is what it sends on.
        let mut curl = sandbox.command(Side::Outside, "curl");
        curl.args(["--silent", "--show-error", "--fail", "--http1.1"]);
        curl.args(["--header", "Content-Type: application/json", "--header"]);
        curl.arg(format!("Host: {HOST}")).arg("--data-binary");
        curl.arg(format!("@{}", body.display()));
        let url = format!("http://127.0.0.1:{FRONT}{path}");
        curl.args(std::iter::repeat_n(url, combination.count));
        let failed = sandbox
            .run(&mut curl)
            .err()
            .map(|error| format!("{error:#}"));
        let pid = server.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_ascii_whitespace();
        let processes = children.filter_map(|pid| pid.parse().ok()).chain([pid]);
        let processes = processes.collect();
        // Workers outlive a master that is killed.
        server.signal(Signal::TERM)?;
        server.ended(END)?;
        return Ok((processes, failed));
    }
    let mut command = runtime.command(sandbox, combination, path, body);
    let log = sandbox.folder().join("client.log");
    let output = fs::File::create(&log).context("create a log")?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let mut child = command.spawn().context("start a client")?;
    let pid = child.id();
    let ended = crate::wait("the client's end", END, || Ok(child.try_wait()?));
    let failed = match ended {
        Ok(status) if status.success() => None,
        outcome => {
            // It may have ended in the meantime.
            drop(child.kill());
            child.wait()?;
            let log = fs::read(&log).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let last = log.lines().rfind(|line| !line.trim().is_empty());
            let why = match outcome {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            Some(format!("{why}: {}", last.unwrap_or_default()))
        }
    };
    Ok((vec![pid], failed))
}

fn row(sent: Sent, findings: &[Value]) -> Row {
    let length = sent.combination.length as u64;
    let own: Vec<&Value> = findings
        .iter()
        .filter(|finding| {
            let pid = finding["process"]["pid"].as_u64();
            let pid = pid.and_then(|pid| u32::try_from(pid).ok());
            pid.is_some_and(|pid| sent.processes.contains(&pid))
        })
        .collect();
    let (mut found, mut wrong) = (0, 0);
    let mut said = BTreeMap::new();
    for finding in own {
        if finding["kind"] == "contact" {
            let contact = &finding["contact"];
            let reason = contact["reason"].as_str().unwrap_or("?").to_owned();
            *said.entry(reason).or_default() += contact["connections"].as_u64().unwrap_or(0);
            continue;
        }
        let request = &finding["request"];
        let repeated = finding["repeated"]["count"].as_u64().unwrap_or(0);
        if finding["completeness"] == "complete" && request["body_bytes"] == length && repeated == 0
        {
            found += 1;
        } else {
            wrong += 1;
        }
    }
    let requests = sent.requests.len();
    let connections: BTreeSet<u64> = sent.requests.iter().map(|own| own.connection).collect();
    Row {
        runtime: sent.runtime,
        combination: sent.combination,
        requests,
        connections: connections.len(),
        found: found.min(requests),
        wrong: wrong + found.saturating_sub(requests),
        said,
        failed: sent.failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a process is said to have sent: found, not whole, said with its reason.
    fn check(requests: usize, found: usize, said: &[(&str, u64)], silent: usize, is_read: bool) {
        let row = Row {
            runtime: "one",
            combination: Combination {
                protocol: Protocol::Http1,
                length: 1,
                count: requests,
                route: Route::Direct,
            },
            requests,
            connections: 1,
            found,
            wrong: 0,
            said: said
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), *count))
                .collect(),
            failed: None,
        };
        let outcome = (row.silent(), row.is_read());
        assert_eq!(outcome, (silent, is_read), "{requests} {found} {said:?}");
    }

    #[test]
    fn what_is_neither_found_nor_said_is_silent() {
        for (requests, found, said, silent, is_read) in [
            (3, 3, &[][..], 0, true),
            (3, 2, &[], 1, false),
            (3, 0, &[], 3, false),
            (3, 0, &[("java", 1)], 0, false),
            (3, 3, &[("unknown", 1)], 0, false),
        ] {
            check(requests, found, said, silent, is_read);
        }
    }

    #[test]
    fn findings_belong_to_their_process() {
        let combination = Combination {
            protocol: Protocol::Http1,
            length: 20,
            count: 2,
            route: Route::Direct,
        };
        let request = |connection| Request {
            connection,
            ordinal: 0,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            host: HOST.to_owned(),
            length: 20,
            sha256: String::new(),
            body_length: 20,
            body_sha256: String::new(),
            time: 0,
        };
        let finding = |pid, bytes, completeness| {
            json!({"kind": "request", "process": {"pid": pid}, "completeness": completeness,
                   "request": {"body_bytes": bytes}})
        };
        let contact = |pid| {
            json!({"kind": "contact", "process": {"pid": pid},
                   "contact": {"reason": "java", "connections": 2}})
        };
        let findings = [
            finding(7, 20, "complete"),
            finding(8, 20, "complete"),
            finding(7, 20, "truncated"),
            contact(7),
            contact(9),
        ];
        let sent = Sent {
            runtime: "one",
            combination,
            processes: vec![7],
            requests: vec![request(0), request(1)],
            failed: None,
        };
        let row = row(sent, &findings);
        assert_eq!((row.requests, row.connections), (2, 2));
        assert_eq!((row.found, row.wrong), (1, 1));
        assert_eq!(row.said, BTreeMap::from([("java".to_owned(), 2)]));
    }
}
