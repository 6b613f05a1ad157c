//! Being watched changes nothing in a process, nor in any other that maps the
//! same library: no return address is replaced, and a stack may be left in the
//! middle of a call.

mod recorded;

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use recorded::check;
use tests::{
    Daemon, Sandbox, Side, Sink, client, file, kernel, native, patient::META_PATH, sink::Options,
    tool,
};

const HOST: &str = "graph.facebook.com";
/// The port to which unwatched processes send.
const ELSEWHERE: u16 = 8443;
/// Fibers of a process, each with a connection.
const FIBERS: usize = 8;
/// How often a stack is left inside a call of the library.
const SWITCHES: u64 = 10_000;
/// The second argument of `native/fibers.c`, for [`SWITCHES`] and some more.
const REQUESTS: usize = 200;

/// Lets processes leave their stacks inside the library, first outside of the
/// scope and then in it. Each must end well, and what the watched ones sent
/// must be captured exactly once. `started` starts the process for a variant, a
/// side and a port.
fn survive<V>(
    variants: &[V],
    started: impl Fn(&Sandbox, &V, Side, u16) -> Result<Command>,
) -> Result<()> {
    check(Options::default(), FIBERS * variants.len(), |sandbox| {
        let port = ELSEWHERE;
        let options = Options {
            port,
            ..Options::default()
        };
        let _elsewhere = Sink::start(sandbox, options)?;
        for (side, port) in [(Side::Outside, ELSEWHERE), (Side::Watched, 443)] {
            for variant in variants {
                let mut command = started(sandbox, variant, side, port)?;
                let output = sandbox.run(&mut command).context(format!("{side:?}"))?;
                let switches: u64 = String::from_utf8(output.stdout)?.trim().parse()?;
                ensure!(
                    switches >= SWITCHES,
                    "{switches} switches: this shows nothing"
                );
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Numbers of threads that run the fibers, and the calls that these make.
const FIBER_VARIANTS: &[(&str, &str)] = &[("1", "plain"), ("1", "ex"), ("2", "plain"), ("2", "ex")];

/// `native/fibers.c` with a way of switching.
fn fibers(
    sandbox: &Sandbox,
    (switch, look): (&str, &str),
    (threads, calls): (&str, &str),
    side: Side,
    port: u16,
) -> Result<Command> {
    let program = native::compile("fibers", sandbox.folder())?;
    let body = client::body(sandbox.folder(), 300)?;
    let mut command = sandbox.command(side, program);
    command
        .args([HOST, &port.to_string(), META_PATH])
        .arg(body)
        .args([switch, &FIBERS.to_string(), threads])
        .args([&REQUESTS.to_string(), calls, look]);
    Ok(command)
}

#[test]
fn stacks_are_switched_by_swapcontext() -> Result<()> {
    survive(FIBER_VARIANTS, |sandbox, variant, side, port| {
        fibers(sandbox, ("ucontext", "-"), *variant, side, port)
    })
}

#[test]
fn stacks_are_switched_by_hand() -> Result<()> {
    survive(FIBER_VARIANTS, |sandbox, variant, side, port| {
        fibers(sandbox, ("assembly", "-"), *variant, side, port)
    })
}

#[test]
fn return_addresses_stay_what_they_are() -> Result<()> {
    survive(FIBER_VARIANTS, |sandbox, variant, side, port| {
        fibers(sandbox, ("assembly", "look"), *variant, side, port)
    })
}

#[test]
fn stacks_are_moved_by_greenlet() -> Result<()> {
    survive(&["gevent", "eventlet"], |sandbox, runtime, side, port| {
        let body = client::body(sandbox.folder(), 300)?;
        let mut command = sandbox.command(side, tool("venv/bin/python"));
        command
            .arg(file("clients/green_client.py"))
            .args([runtime, HOST, &port.to_string(), META_PATH])
            .arg(body)
            .args([REQUESTS.to_string(), FIBERS.to_string()]);
        Ok(command)
    })
}

/// The kernel's description of every link that a process holds.
fn links_of(pid: u32) -> Result<Vec<String>> {
    let mut links = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor may be closed between listing and reading.
        let Ok(text) = fs::read_to_string(entry?.path()) else {
            continue;
        };
        if text.contains("link_type:") {
            links.push(text);
        }
    }
    Ok(links)
}

/// The value of a line `name:\tvalue`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// Whether a link is a probe in an application, according to `fdinfo` since
/// Linux 6.17: `perf` with its `event_type`, or a multi link with its own type.
/// A session probe is called `uprobe_multi` too;
/// [`return_addresses_stay_what_they_are`] detects those.
fn probe(link: &str) -> Option<&str> {
    let kind = match value(link, "link_type")? {
        "perf" => value(link, "event_type")?,
        other => other,
    };
    kind.starts_with('u').then_some(kind)
}

#[test]
fn no_probe_is_a_return_probe() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    sandbox.own_tls_library()?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let everything = ["--capture".as_ref(), captures.as_os_str()];
    for arguments in [&[][..], &everything] {
        let mut daemon = Daemon::run(&sandbox, arguments)?;
        let links = links_of(daemon.running.pid())?;
        let mut probes: Vec<_> = links.iter().filter_map(|link| probe(link)).collect();
        assert!(!probes.is_empty(), "no probe is attached: {links:?}");
        probes.retain(|kind| !matches!(*kind, "uprobe" | "uprobe_multi"));
        assert!(probes.is_empty(), "{probes:?} of {links:?}");
        assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    }
    Ok(())
}
