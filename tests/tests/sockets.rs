//! Sockets: many that their peer resets, packets of more than 64 KiB, and
//! connections whose sides end one after the other.

#[expect(dead_code, reason = "other tests look at the pieces of a stream")]
mod recorded;

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use phiwatch::event::Source;
use tests::{
    Daemon, OTHERS, Running, Sandbox, Side, Sink, client, daemon, file, kernel,
    patient::{self, META_PATH},
    sink::Options,
    wait,
};

const HOST: &str = "graph.facebook.com";
/// Where the sink speaks plaintext.
const PORT: u16 = 80;
/// Where connections are reset.
const RESETS: u16 = 9000;

fn sink(sandbox: &Sandbox) -> Result<Sink> {
    let options = Options {
        port: PORT,
        tls: false,
        slow: false,
        ..Options::default()
    };
    Sink::start(sandbox, options)
}

/// What `socket_client.py` sends in `mode` to `address`.
fn send(sandbox: &Sandbox, mode: &str, address: &str, port: u16, body: &PathBuf) -> Result<()> {
    let mut client = sandbox.command(Side::Watched, "/usr/bin/python3");
    client
        .arg(file("clients/socket_client.py"))
        .args([mode, address, &port.to_string(), HOST, META_PATH])
        .arg(body);
    sandbox.run(&mut client)?;
    Ok(())
}

/// The server of [`reset`].
fn resetting(sandbox: &Sandbox) -> Result<Running> {
    let mut command = sandbox.command(Side::Outside, env!("CARGO_BIN_EXE_resets"));
    command.args(["serve", &RESETS.to_string()]);
    let mut server = sandbox.start("resets", command)?;
    server.wait_for("its port", |line| (line == "listening").then_some(()))?;
    Ok(server)
}

/// Makes `count` connections, each of which its server resets.
fn reset(sandbox: &Sandbox, count: u32) -> Result<()> {
    let mut command = sandbox.command(Side::Watched, env!("CARGO_BIN_EXE_resets"));
    command.args(["connect", &RESETS.to_string(), &count.to_string()]);
    sandbox.run(&mut command)?;
    Ok(())
}

/// More streams than user space remembers. A stream that its peer resets has
/// ended: it takes neither room nor time from later ones.
#[test]
fn a_finding_behind_160_000_resets_is_not_late() -> Result<()> {
    const LIMIT: Duration = Duration::from_millis(200);
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = sink(&sandbox)?;
    let _server = resetting(&sandbox)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    reset(&sandbox, 160_000)?;
    send(&sandbox, "whole", "127.0.0.1", PORT, &body)?;
    let requests = sink.requests(1)?;
    let findings = daemon.findings(1)?;
    // The time at which the journal was written, rather than found written.
    let written: SystemTime = fs::metadata(daemon.journal_path())?.modified()?;
    let received = UNIX_EPOCH + Duration::from_nanos(requests[0].time);
    let late = written.duration_since(received).unwrap_or_default();
    assert_eq!(findings[0]["completeness"], "complete");
    let lost = |reason: &str| daemon.metric("phiwatch_lost_total", &format!("reason=\"{reason}\""));
    // A busy machine may be too slow to learn of every end.
    let (evicted, unheard) = (lost("evicted")?, lost("control_ring_full")?);
    assert!(
        evicted <= unheard,
        "{evicted} evicted, {unheard} ends unheard"
    );
    assert!(lost("table_full")? < 0.5, "{}", daemon.metrics()?);
    assert!(late < LIMIT, "the finding came {late:?} after the request");
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

/// More sockets than any kernel table holds, between the head of a request and
/// its body.
#[test]
fn seventy_thousand_sockets_do_not_crowd_out_a_stream_of_tls() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let _server = resetting(&sandbox)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let mut command = sandbox.command(Side::Watched, "/usr/bin/python3");
    command
        .arg(file("clients/paused_client.py"))
        .args([HOST, META_PATH])
        .arg(patient::event_file(&sandbox)?);
    let mut client = sandbox.start("paused", command)?;
    client.wait_for("its head", |line| (line == "head").then_some(()))?;
    reset(&sandbox, 70_000)?;
    writeln!(client.stdin()?)?;
    client.wait_for("its answer", |line| (line == "sent").then_some(()))?;
    sink.requests(1)?;
    let findings = daemon.findings(1)?;
    assert_eq!(findings[0]["completeness"], "complete");
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

/// A packet of more than 64 KiB has no length in its IP header; in IPv6 it has
/// a header of options before that of TCP.
#[test]
fn packets_of_more_than_64_kib_are_captured_whole() -> Result<()> {
    // The first is the kernel's initial size: a payload of 64 KiB exceeds what
    // IPv6 can express by some bytes.
    for (address, size) in [("::1", 65_536), ("::1", 524_280), ("127.0.0.1", 524_280)] {
        let Some(sandbox) = kernel::sandbox()? else {
            return Ok(());
        };
        let mut limit = sandbox.command(Side::Outside, "/usr/bin/python3");
        limit.arg(file("clients/big_tcp.py")).arg(size.to_string());
        sandbox.run(&mut limit)?;
        let mut sink = sink(&sandbox)?;
        let mut daemon = Daemon::capture(&sandbox)?;
        let body = client::body(sandbox.folder(), 480_000)?;
        send(&sandbox, "whole", address, PORT, &body)?;
        let expected: Vec<_> = sink
            .connections(1)?
            .into_iter()
            .map(|connection| (connection.length, connection.sha256))
            .collect();
        assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
        let streams = recorded::streams(&daemon.capture_path())?;
        let sent = recorded::sent(&streams, Source::Socket)
            .with_context(|| format!("{address}, packets of {size} bytes"))?;
        assert_eq!(sent, expected, "{address}, packets of {size} bytes");
    }
    Ok(())
}

/// The body of an unwanted request is left out, which is reported with the
/// response and not only with the next request. The next request is wanted
/// again.
#[test]
fn a_body_that_was_left_out_is_told_when_it_is_answered() -> Result<()> {
    /// Less than the ten seconds for which user space waits for a response.
    const SOON: Duration = Duration::from_secs(5);
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = sink(&sandbox)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let mut command = sandbox.command(Side::Watched, "/usr/bin/python3");
    command
        .arg(file("clients/turns_client.py"))
        .arg(PORT.to_string())
        .arg(patient::event_file(&sandbox)?);
    let mut client = sandbox.start("turns", command)?;
    client.wait_for("its start", |line| (line == "connected").then_some(()))?;
    let mut ask = |turn: u32, host: &str| -> Result<()> {
        writeln!(client.stdin()?, "{host} {META_PATH}")?;
        let answered = format!("answered {turn}");
        client.wait_for("its answer", |line| (line == answered).then_some(()))
    };
    let seen = |metric: &str| {
        wait(metric, SOON, || {
            Ok((daemon.metric(metric, "")? > 0.5).then_some(()))
        })
    };
    ask(0, OTHERS[0])?;
    seen("phiwatch_messages_total")?;
    // Its head shows that it is wanted, but its body is gone.
    ask(1, HOST)?;
    seen("phiwatch_tracker_requests_total")?;
    assert_eq!(daemon::findings(&daemon.journal_path())?.len(), 0);
    ask(2, HOST)?;
    assert_eq!(daemon.findings(1)?[0]["completeness"], "complete");
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

#[test]
fn an_answer_to_a_client_that_has_sent_its_last_is_seen() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = sink(&sandbox)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    send(&sandbox, "half", "127.0.0.1", PORT, &body)?;
    let findings = daemon.findings(1)?;
    assert_eq!(findings[0]["completeness"], "complete");
    assert_eq!(findings[0]["request"]["status"], 200, "{}", findings[0]);
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

#[test]
fn what_a_client_sends_after_its_peers_last_is_captured() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut command = sandbox.command(Side::Outside, "/usr/bin/python3");
    command
        .arg(file("servers/hasty_server.py"))
        .arg(PORT.to_string());
    let mut server = sandbox.start("hasty", command)?;
    server.wait_for("its port", |line| (line == "listening").then_some(()))?;
    let mut daemon = Daemon::capture(&sandbox)?;
    let body = client::body(sandbox.folder(), 100_000)?;
    send(&sandbox, "after", "127.0.0.1", PORT, &body)?;
    let expected = server.wait_for("what came", |line| {
        let (length, hash) = line.split_once(' ')?;
        Some((length.parse::<u64>().ok()?, hash.to_owned()))
    })?;
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let streams = recorded::streams(&daemon.capture_path())?;
    assert_eq!(recorded::sent(&streams, Source::Socket)?, [expected]);
    Ok(())
}

#[test]
fn a_page_for_a_client_that_has_sent_its_last_is_seen() -> Result<()> {
    const PAGES: u16 = 9080;
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let folder = sandbox.folder().join("www");
    fs::create_dir(&folder).context("create a folder of pages")?;
    let filler = "<p>text</p>\n".repeat(1_000);
    let page = format!(
        "<!doctype html><title>Depression</title>\
         <script>ttq.load('C0000000000000000001');ttq.page();</script>{filler}"
    );
    fs::write(folder.join("start.html"), page).context("write the page")?;
    let mut command = sandbox.command(Side::Watched, "/usr/bin/python3");
    command
        .arg(file("servers/pages_server.py"))
        .arg(PAGES.to_string())
        .arg(&folder);
    let mut server = sandbox.start("pages", command)?;
    server.wait_for("its port", |line| (line == "listening").then_some(()))?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let mut get = sandbox.command(Side::Outside, "/usr/bin/python3");
    get.args(["-c", GET_AND_END, &PAGES.to_string()]);
    sandbox.run(&mut get)?;
    let findings = daemon.findings(1)?;
    assert_eq!(findings[0]["kind"], "page");
    assert_eq!(findings[0]["completeness"], "complete");
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

/// Requests a page and closes its sending side before it reads.
const GET_AND_END: &str = r#"
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"GET /start.html HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n")
sock.shutdown(socket.SHUT_WR)
answer = b""
while piece := sock.recv(65536):
    answer += piece
assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
"#;
