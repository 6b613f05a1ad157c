//! Whatever a caller of `OpenSSL` does with a write, its bytes are captured
//! once: refused and repeated, from other memory, from another thread, in
//! parts, in early data, around new keys and new handshakes, and equal to the
//! previous write. Each mode of `native/exact.c` is run with `SSL_write` and
//! with `SSL_write_ex`.

mod recorded;

use anyhow::{Context as _, Result, ensure};
use recorded::check;
use tests::{
    Daemon, Sandbox, Side, Sink, client, kernel, native,
    patient::{self, META_PATH},
    sink::{Distance, Options},
};

const HOST: &str = "graph.facebook.com";
/// Ways to call: `SSL_write`, `SSL_write_ex`.
const CALLS: &[&str] = &["plain", "ex"];

/// The body of a request that a single write with a small buffer cannot take.
const LARGE: usize = 512 << 10;
/// The body of one of many requests: larger than a TLS record.
const MIDDLE: usize = 20_000;
/// The body of a request that is early data.
const SMALL: usize = 4_000;

const FAST: Options = Options {
    port: 443,
    tls: true,
    slow: false,
    native: false,
    distance: Distance::Far,
};
const SLOW: Options = Options { slow: true, ..FAST };
const NATIVE: Options = Options {
    native: true,
    ..FAST
};

/// Runs a mode, which makes `connections` connections with bodies of `length`.
/// Its special case must have occurred `least` times, or it shows nothing.
fn mode(name: &str, options: Options, connections: usize, length: usize, least: u64) -> Result<()> {
    check(options, connections * CALLS.len(), |sandbox| {
        let body = client::body(sandbox.folder(), length)?;
        for calls in CALLS {
            let times = exact(sandbox, &body, name, calls).context(*calls)?;
            ensure!(
                times >= least,
                "{name}, {calls}: only {times} times, this shows nothing"
            );
        }
        Ok(())
    })?;
    Ok(())
}

/// What `native/exact.c` prints in a mode.
fn exact(sandbox: &Sandbox, body: &std::path::Path, mode: &str, calls: &str) -> Result<u64> {
    let program = native::compile("exact", sandbox.folder())?;
    let mut command = sandbox.command(Side::Watched, program);
    command.args([HOST, "443", META_PATH]).arg(body);
    let output = sandbox.run(command.args([mode, calls]))?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

#[test]
fn a_refused_write_is_made_again_when_the_socket_is_ready() -> Result<()> {
    mode("again", SLOW, 1, LARGE, 10)
}

#[test]
fn a_refused_write_is_made_again_and_again() -> Result<()> {
    mode("storm", SLOW, 1, LARGE, 1_000)
}

#[test]
fn a_refused_write_is_made_again_from_other_memory() -> Result<()> {
    mode("moving", SLOW, 1, LARGE, 10)
}

#[test]
fn a_refused_write_is_made_again_after_reads() -> Result<()> {
    mode("reading", SLOW, 1, LARGE, 10)
}

#[test]
fn a_refused_write_is_made_again_from_another_thread() -> Result<()> {
    mode("migrating", SLOW, 1, LARGE, 10)
}

#[test]
fn a_refused_write_is_made_again_with_more() -> Result<()> {
    mode("growing", SLOW, 1, LARGE, 10)
}

#[test]
fn a_write_takes_a_part_and_the_rest_moves() -> Result<()> {
    mode("partial", SLOW, 1, LARGE, 10)
}

#[test]
fn keys_change_between_the_parts_of_a_write() -> Result<()> {
    mode("updating", SLOW, 1, LARGE, 10)
}

#[test]
fn keys_change_between_requests() -> Result<()> {
    mode("rekeying", FAST, 1, MIDDLE, 50)
}

#[test]
fn handshakes_are_made_within_a_request() -> Result<()> {
    mode("renegotiating", NATIVE, 1, MIDDLE, 10)
}

#[test]
fn a_request_is_early_data() -> Result<()> {
    mode("early", NATIVE, 2, SMALL, 1)
}

#[test]
fn nothing_is_written_in_between() -> Result<()> {
    mode("nothing", FAST, 1, MIDDLE, 1)
}

#[test]
fn equal_requests_are_pipelined() -> Result<()> {
    mode("pipelined", FAST, 1, MIDDLE, 50)
}

#[test]
fn equal_requests_follow_their_answers() -> Result<()> {
    mode("answered", FAST, 1, MIDDLE, 50)
}

#[test]
fn equal_requests_are_sent_between_reads_that_find_nothing() -> Result<()> {
    mode("polled", FAST, 1, MIDDLE, 50)
}

#[test]
fn equal_requests_are_refused_and_made_again() -> Result<()> {
    mode("refused", SLOW, 1, MIDDLE, 100)
}

#[test]
fn two_connections_share_a_buffer() -> Result<()> {
    mode("shared", SLOW, 2, MIDDLE, 100)
}

#[test]
fn a_patient_behind_two_gibibytes_is_found() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    sandbox.own_tls_library()?;
    let _sink = Sink::start(&sandbox, NATIVE)?;
    let _worker = sandbox.worker()?;
    let body = patient::event_file(&sandbox)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    for (calls, number) in CALLS.iter().zip(1..) {
        let mebibytes = exact(&sandbox, &body, "huge", calls)?;
        assert!(mebibytes > 2_048, "{mebibytes} MiB: this shows nothing");
        let found = daemon.findings(number)?;
        assert_eq!(found.len(), number, "once");
    }
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    Ok(())
}
