//! A short form of the support matrix: each request is read, or said to be unread with
//! its process. `cargo xtask test runtimes` measures the whole of it.

use anyhow::Result;
use tests::{
    kernel,
    support::{self, Protocol, Row},
};

/// More than a TLS record.
const LENGTHS: &[usize] = &[20_000];

fn check(protocol: Protocol) -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let rows = support::measure(&sandbox, protocol, support::SHORT, LENGTHS, |_| ())?;
    let wrong: Vec<&Row> = rows
        .iter()
        .filter(|row| {
            let is_said = row.said.keys().eq(["java"]) && row.found == 0 && row.wrong == 0;
            row.failed.is_some()
                || row.requests == 0
                || row.silent() > 0
                || !(row.is_read() || is_said && row.runtime == "Java")
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn each_request_over_http1_is_read_or_said() -> Result<()> {
    check(Protocol::Http1)
}

#[test]
fn each_request_over_http2_is_read_or_said() -> Result<()> {
    check(Protocol::Http2)
}
