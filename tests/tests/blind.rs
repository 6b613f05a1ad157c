//! What cannot be read is said to be blind, with its process and the reason; what
//! is read is not.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{
    Daemon, Running, Sandbox, Side, Sink,
    client::{self, Client, Job},
    daemon, kernel, native,
    patient::{self, META_PATH},
    sink::Options,
    wait,
};

const HOST: &str = "graph.facebook.com";
/// How soon a blind connection is to be said.
const LIMIT: Duration = Duration::from_secs(5);
/// How soon it is known of each connection whether it was read.
const SETTLED: Duration = Duration::from_secs(5);

/// Clients that are read.
const READ: &[Client] = &[client::CURL, client::HTTP_CLIENT, client::ASYNCIO];
/// Connections of the client that is not.
const HIDDEN: usize = 3;

/// On which port the proxy listens.
const PROXY: u16 = 3128;

/// A proxy that takes some seconds to grant a tunnel.
fn proxy(sandbox: &Sandbox, seconds: f64) -> Result<Running> {
    let mut command = sandbox.command(Side::Watched, "/usr/bin/python3");
    command
        .arg(tests::file("clients/connect_proxy.py"))
        .args([PROXY.to_string(), seconds.to_string()]);
    let mut running = sandbox.start("proxy", command)?;
    running.wait_for("its socket", |line| (line == "ready").then_some(()))?;
    Ok(running)
}

/// A client with TLS of its own that nothing tells, once it has made its requests,
/// through the proxy on this port if one is given.
fn hidden(sandbox: &Sandbox, body: &Path, proxy: Option<u16>) -> Result<Running> {
    let program = native::compile_with_hidden_tls("hidden", sandbox.folder())?;
    let mut command = sandbox.command(Side::Watched, program);
    command
        .args([HOST, "443", META_PATH])
        .arg(body)
        .arg(HIDDEN.to_string())
        .args(proxy.map(|port| port.to_string()));
    let mut running = sandbox.start("hidden", command)?;
    running.wait_for("its requests", |line| (line == "posted").then_some(()))?;
    Ok(running)
}

/// The contacts in a journal: executable, reason and number of connections.
fn contacts(journal: &Path) -> Result<Vec<Value>> {
    let findings = daemon::findings(journal)?;
    let contacts = findings.iter().filter(|own| own["kind"] == "contact");
    Ok(contacts
        .map(|own| {
            let exe = own["process"]["exe"].as_str().unwrap_or_default();
            let name = exe.rsplit('/').next();
            let contact = &own["contact"];
            json!([
                name,
                own["recipient"]["host"],
                contact["reason"],
                contact["connections"]
            ])
        })
        .collect())
}

#[test]
fn a_program_with_its_own_tls_is_said_to_be_blind_and_others_are_not() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    for client in READ {
        let job = Job {
            host: HOST,
            path: META_PATH,
            body: &body,
            count: 1,
        };
        client.send(&sandbox, job).context(client.name)?;
    }
    let client = hidden(&sandbox, &body, None)?;
    let posted = Instant::now();
    sink.requests(READ.len() + HIDDEN)?;
    let journal = daemon.journal_path();
    let first = json!(["hidden", HOST, "no_symbols", 1]);
    wait("a contact", LIMIT, || {
        let contacts = contacts(&journal)?;
        Ok((!contacts.is_empty()).then_some(()))
    })
    .with_context(|| daemon.running.stderr().unwrap_or_default())?;
    ensure!(posted.elapsed() <= LIMIT, "{:?}", posted.elapsed());
    assert_eq!(contacts(&journal)?, std::slice::from_ref(&first));
    drop(client);

    let connections = READ.len() + HIDDEN;
    wait("what became of all connections", SETTLED, || {
        let settled = daemon.metric("phiwatch_tracker_connections_total", "")?;
        Ok((settled >= connections as f64).then_some(()))
    })?;
    for (metric, label, expected) in [
        (
            "phiwatch_tracker_connections_total",
            "readable=\"true\"",
            READ.len() as f64,
        ),
        ("phiwatch_blind_connections_total", "", HIDDEN as f64),
        (
            "phiwatch_blind_connections_total",
            "reason=\"no_symbols\",tracker=\"meta\"",
            HIDDEN as f64,
        ),
        (
            "phiwatch_plaintext_coverage_ratio",
            "",
            READ.len() as f64 / connections as f64,
        ),
    ] {
        let found = daemon.metric(metric, label)?;
        assert!(
            (found - expected).abs() < 1e-9,
            "{metric} {label}: {found}, not {expected}"
        );
    }
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let more = json!(["hidden", HOST, "no_symbols", HIDDEN - 1]);
    assert_eq!(contacts(&journal)?, [first, more]);
    Ok(())
}

/// Java's own TLS.
fn java(sandbox: &Sandbox, body: &Path) -> Result<Command> {
    let mut compile = Command::new("javac");
    compile.arg("-d").arg(sandbox.folder());
    sandbox.run(compile.arg(tests::file("clients/BlindClient.java")))?;
    let mut command = sandbox.command(Side::Watched, "java");
    command.arg("-cp").arg(sandbox.folder());
    command.args(["BlindClient", HOST, META_PATH]);
    command.arg(body).arg("1");
    Ok(command)
}

/// uv asks for a package, over rustls, and takes the answer for none. It has to live
/// long enough to be looked at, and waits for a proxy.
fn rustls(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command(Side::Watched, tests::tool("venv/bin/uv"));
    command.env("HTTPS_PROXY", format!("http://127.0.0.1:{PROXY}"));
    command.args(["pip", "install", "--no-cache", "--no-config", "--dry-run"]);
    command.args(["--target", "nowhere", "--index-url"]);
    command.args([&format!("https://{HOST}/simple"), "nothing"]);
    command
}

#[test]
fn each_runtime_that_is_not_read_has_its_reason() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    let journal = daemon.journal_path();
    let _proxy = proxy(&sandbox, 1.0)?;
    let mut expected = Vec::new();
    for (mut command, program, reason, must_succeed) in [
        (java(&sandbox, &body)?, "java", "java", true),
        (rustls(&sandbox), "uv", "rustls", false),
    ] {
        let output = command.output().with_context(|| format!("run {program}"))?;
        let ended = Instant::now();
        ensure!(
            output.status.success() || !must_succeed,
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        expected.push(json!([program, HOST, reason, 1]));
        wait(&format!("a contact of {program}"), LIMIT, || {
            let contacts = contacts(&journal)?;
            Ok((contacts.len() >= expected.len()).then_some(()))
        })
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        ensure!(ended.elapsed() <= LIMIT, "{:?}", ended.elapsed());
        assert_eq!(contacts(&journal)?, expected);
    }
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

/// A client of HTTP/3 whose sockets are of this kind, and whom it posts to.
fn quic(sandbox: &Sandbox, way: &str, body: &Path, hosts: &[&str]) -> Result<()> {
    let mut command = sandbox.command(Side::Watched, tests::tool("venv/bin/python"));
    command.arg(tests::file("clients/quic_client.py"));
    command.args([way, META_PATH]).arg(body).args(hosts);
    sandbox.run(&mut command).context(way.to_owned())?;
    Ok(())
}

#[test]
fn each_quic_connection_to_a_tracker_is_said_to_be_blind() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut server = sandbox.command(Side::Outside, tests::tool("venv/bin/python"));
    server.arg(tests::file("servers/quic_server.py"));
    server.arg("443").arg(&sandbox.authority.certificate);
    server.arg(&sandbox.authority.key);
    let mut server = sandbox.start("server", server)?;
    server.wait_for("its socket", |line| (line == "ready").then_some(()))?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    let journal = daemon.journal_path();
    let other = "business-api.tiktok.com";
    let hosts = [HOST, "ehr.example.com", other, HOST];
    let ways = ["connected", "named", "mapped", "shared"];
    let mut expected = Vec::new();
    for way in ways {
        quic(&sandbox, way, &body, &hosts)?;
        let ended = Instant::now();
        // The first of each at once, the second to the same host with the hour.
        for host in [HOST, other] {
            expected.push(json!(["python3.11", host, "quic", 1]));
        }
        wait(&format!("contacts of a {way} socket"), LIMIT, || {
            let contacts = contacts(&journal)?;
            Ok((contacts.len() >= expected.len()).then_some(()))
        })
        .with_context(|| daemon.running.stderr().unwrap_or_default())?;
        ensure!(ended.elapsed() <= LIMIT, "{:?}", ended.elapsed());
        assert_eq!(contacts(&journal)?, expected);
    }
    let blind = |tracker: &str| {
        let labels = format!("reason=\"quic\",tracker=\"{tracker}\"");
        daemon.metric("phiwatch_blind_connections_total", &labels)
    };
    let all = daemon.metric("phiwatch_tracker_connections_total", "")?;
    let counts = format!("{} {} of {all}", blind("meta")?, blind("tiktok")?);
    let one = ways.len();
    assert_eq!(counts, format!("{} {one} of {}", 2 * one, 3 * one));
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    expected.extend(ways.map(|_| json!(["python3.11", HOST, "quic", 1])));
    assert_eq!(contacts(&journal)?, expected);
    Ok(())
}

#[test]
fn a_tunnel_is_its_clients_and_a_handshake_that_fails_is_no_connection() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    let _proxy = proxy(&sandbox, 0.0)?;

    // Nobody trusts the sink who was not told of its authority.
    for version in ["-tls1_2", "-tls1_3"] {
        let mut distrusting = sandbox.command(Side::Watched, "openssl");
        distrusting.env_remove("SSL_CERT_FILE");
        distrusting.args(["s_client", "-verify_return_error", version]);
        distrusting.args(["-servername", HOST, "-connect", &format!("{HOST}:443")]);
        let output = distrusting.stdin(Stdio::null()).output();
        ensure!(!output.context("start openssl")?.status.success());
    }
    let mut curl = sandbox.command(Side::Watched, "curl");
    curl.args(["--silent", "--show-error", "--fail", "--http1.1", "--proxy"]);
    curl.arg(format!("http://127.0.0.1:{PROXY}"));
    curl.arg("--data-binary")
        .arg(format!("@{}", body.display()));
    sandbox.run(curl.arg(format!("https://{HOST}{META_PATH}")))?;
    let client = hidden(&sandbox, &body, Some(PROXY))?;
    sink.requests(1 + HIDDEN)?;

    let connections = 1 + HIDDEN;
    wait("what became of all connections", SETTLED, || {
        let settled = daemon.metric("phiwatch_tracker_connections_total", "")?;
        Ok((settled >= connections as f64).then_some(()))
    })?;
    drop(client);
    // More would be settled by now.
    thread::sleep(LIMIT);
    let settled = daemon.metric("phiwatch_tracker_connections_total", "")?;
    let blind = daemon.metric("phiwatch_blind_connections_total", "")?;
    let expected = format!("{connections} of which {HIDDEN} blind");
    assert_eq!(format!("{settled} of which {blind} blind"), expected);
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let own = |count: usize| json!(["hidden", HOST, "no_symbols", count]);
    assert_eq!(contacts(&daemon.journal_path())?, [own(1), own(HIDDEN - 1)]);
    Ok(())
}
