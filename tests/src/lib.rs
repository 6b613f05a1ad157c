//! The harness of the end-to-end tests: real clients, real TLS, real kernel.
//!
//! A [`Sandbox`] is a network and mount namespace with a cgroup of its own, in
//! which the names of trackers resolve to 127.0.0.1. A [`Sink`] acts as the
//! trackers and hashes what it receives, a [`Daemon`] is the built phiwatch
//! watching the sandbox's cgroup, and no packet can leave. A guard holds
//! everything that a test starts and ends it.

use std::{
    env,
    fmt::Write as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use sha2::{Digest as _, Sha256};

pub mod authority;
pub mod browser;
pub mod churn;
pub mod client;
pub mod copies;
pub mod daemon;
pub mod disclosure;
pub mod haproxy;
pub mod identity;
pub mod kernel;
pub mod multiplexed;
pub mod native;
pub mod nginx;
pub mod patient;
pub mod picture;
pub mod running;
pub mod sandbox;
pub mod sink;
pub mod support;

pub use crate::{
    daemon::Daemon,
    running::Running,
    sandbox::{Sandbox, Side},
    sink::Sink,
};

/// Host names of trackers, which resolve to the sink inside a sandbox.
pub const TRACKERS: &[&str] = &[
    "graph.facebook.com",
    "business-api.tiktok.com",
    "www.google-analytics.com",
    "api.segment.io",
    "api.mixpanel.com",
    "api2.amplitude.com",
];

/// Other host names, which resolve to the sink as well.
pub const OTHERS: &[&str] = &[
    "ehr.example.com",
    "shop.example.com",
    "payer.example.org",
    "mail.example.net",
];

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Polls until `found` returns something, and fails with `what` after `limit`.
pub fn wait<T>(
    what: &str,
    limit: Duration,
    mut found: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = found()? {
            return Ok(value);
        }
        if Instant::now() > deadline {
            bail!("{what}: not within {limit:?}");
        }
        thread::sleep(POLL);
    }
}

/// SHA-256 in hexadecimal, as the sink writes it.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

/// A file of this package.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The phiwatch binary under test: `PHIWATCH`, else the release build.
pub fn phiwatch() -> PathBuf {
    env::var_os("PHIWATCH").map_or_else(|| target().join("release/phiwatch"), PathBuf::from)
}

/// A tool that `cargo xtask test` installed, by its path below `target/tools`.
pub fn tool(path: &str) -> PathBuf {
    env::var_os("PHIWATCH_TOOLS")
        .map_or_else(|| target().join("tools"), PathBuf::from)
        .join(path)
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| file("../target"), PathBuf::from)
}
