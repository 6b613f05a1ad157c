//! What clients send is captured byte for byte, exactly once; losses are
//! marked.

mod recorded;

use std::{ffi::OsStr, fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use phiwatch::event::{Direction, Source};
use recorded::{check, received};
use tests::{
    Daemon, Side, Sink,
    client::{self, Job},
    identity, kernel, nginx,
    patient::META_PATH,
    sink::Options,
    wait,
};

const HOST: &str = "graph.facebook.com";

fn job(body: &Path, count: usize) -> Job<'_> {
    Job {
        host: HOST,
        path: META_PATH,
        body,
        count,
    }
}

fn every_client(length: usize) -> Result<()> {
    check(Options::default(), client::ALL.len(), |sandbox| {
        let body = client::body(sandbox.folder(), length)?;
        for client in client::ALL {
            client.send(sandbox, job(&body, 1)).context(client.name)?;
        }
        Ok(())
    })?;
    Ok(())
}

#[test]
fn bodies_of_one_byte() -> Result<()> {
    every_client(1)
}

#[test]
fn bodies_of_twenty_kilobytes() -> Result<()> {
    every_client(20_000)
}

#[test]
fn bodies_of_one_megabyte() -> Result<()> {
    every_client(1 << 20)
}

#[test]
fn a_thousand_requests_on_one_connection() -> Result<()> {
    check(Options::default(), 1, |sandbox| {
        let body = client::body(sandbox.folder(), 300)?;
        client::HTTP_CLIENT.send(sandbox, job(&body, 1_000))
    })?;
    Ok(())
}

#[test]
fn a_write_that_is_made_again_is_seen_once() -> Result<()> {
    let options = Options {
        slow: true,
        ..Options::default()
    };
    let printed = check(options, 1, |sandbox| {
        let body = client::body(sandbox.folder(), 1 << 20)?;
        client::NONBLOCKING.send(sandbox, job(&body, 1))
    })?;
    if let Some(printed) = printed {
        let waits: u32 = printed.trim().parse()?;
        assert!(
            waits > 10,
            "WANT_WRITE only {waits} times: this shows nothing"
        );
    }
    Ok(())
}

#[test]
fn nginx_before_a_plaintext_application() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(
        &sandbox,
        Options {
            port: 8080,
            tls: false,
            ..Options::default()
        },
    )?;
    let _nginx = nginx::start(&sandbox)?;
    let mut daemon = Daemon::capture(&sandbox)?;
    let body = client::body(sandbox.folder(), 20_000)?;
    let mut curl = sandbox.command(Side::Outside, "curl");
    curl.args([
        "--silent",
        "--show-error",
        "--include",
        "--http1.1",
        "--data-binary",
    ]);
    curl.arg(format!("@{}", body.display()))
        .arg(format!("https://{HOST}{META_PATH}"));
    let answer = sandbox.run(&mut curl)?.stdout;
    let expected = received(sink.connections(1)?);
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);

    let streams = recorded::streams(&daemon.capture_path())?;
    assert_eq!(
        recorded::sent(&streams, Source::Socket)?,
        expected,
        "nginx to the application"
    );
    // nginx is a server to the client: its responses are not recorded.
    assert_eq!(recorded::sent(&streams, Source::OpenSsl)?, []);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "the client was served");
    Ok(())
}

#[test]
fn a_small_ring_loses_with_a_count_and_never_splices() -> Result<()> {
    const LENGTH: usize = 4 << 20;
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let mut arguments = vec!["--capture".as_ref(), captures.as_os_str()];
    arguments.extend(identity::RAW.iter().map(OsStr::new));
    let mut daemon = Daemon::run_with(&sandbox, "[ring]\ndata_bytes = 65536\n", &arguments)?;
    let body = client::body(sandbox.folder(), LENGTH)?;
    client::ASYNCIO.send(
        &sandbox,
        Job {
            host: HOST,
            path: META_PATH,
            body: &body,
            count: 1,
        },
    )?;
    sink.connections(1)?;
    let lost = wait("a counted loss", Duration::from_secs(5), || {
        let lost = daemon.metric("phiwatch_lost_total", "stage=\"kernel\"")?;
        Ok((lost > 0.0).then_some(lost))
    });
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);

    // What clients/asyncio_client.py writes.
    let head =
        format!("POST {META_PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {LENGTH}\r\n\r\n");
    let sent = [head.as_bytes(), &fs::read(&body)?].concat();
    let streams = recorded::streams(&captures)?;
    let mut whole = 0;
    for stream in streams
        .iter()
        .filter(|stream| stream.source == Source::OpenSsl && stream.direction == Direction::Sent)
    {
        let mut seen = stream.missing();
        for (offset, chunk) in stream.chunks() {
            let offset = usize::try_from(*offset)?;
            let original = sent.get(offset..offset + chunk.len());
            assert!(
                original == Some(&chunk[..]),
                "the chunk at {offset} holds other bytes"
            );
            seen += chunk.len() as u64;
        }
        assert_eq!(seen, sent.len() as u64, "what is missing is marked");
        whole += usize::from(stream.missing() == 0);
    }
    assert_eq!(whole, 0, "64 KiB held 4 MiB: this shows nothing");
    lost?;
    Ok(())
}
