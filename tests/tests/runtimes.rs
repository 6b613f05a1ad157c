//! Clients whose TLS functions are not in the host's libssl are captured like any
//! other: byte for byte, exactly once.

mod recorded;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use phiwatch::event::Source;
use tests::{
    Daemon, Running, Sandbox, Side, Sink,
    client::{self, Client, Job},
    file, kernel, native,
    patient::{self, META_PATH},
    sink::Options,
    tool,
};

const HOST: &str = "graph.facebook.com";

/// One byte, more than a TLS record, and more than a socket holds.
const LENGTHS: &[usize] = &[1, 20_000, 1 << 20];

/// A process that has what the arguments of `python` load mapped, as any server has.
fn worker(sandbox: &Sandbox, python: &str, modules: &str) -> Result<Running> {
    let mut command = sandbox.command(Side::Watched, python);
    let wait = format!("import sys, {modules}; print('ready', flush=True); sys.stdin.read()");
    command.args(["-c", &wait]);
    started(sandbox, command)
}

fn started(sandbox: &Sandbox, command: std::process::Command) -> Result<Running> {
    let mut worker = sandbox.start("worker", command)?;
    worker.wait_for("its libraries", |line| (line == "ready").then_some(()))?;
    Ok(worker)
}

fn python(sandbox: &Sandbox, modules: &str) -> Result<Running> {
    worker(sandbox, &tool("venv/bin/python").to_string_lossy(), modules)
}

fn debian_python(sandbox: &Sandbox, modules: &str) -> Result<Running> {
    worker(sandbox, "/usr/bin/python3", modules)
}

fn node(sandbox: &Sandbox) -> Result<Running> {
    let mut command = sandbox.command(Side::Watched, tool("venv/bin/node"));
    command.arg(file("clients/hold_tls.js"));
    started(sandbox, command)
}

/// Sends bodies of all lengths, and small ones on one connection, to a sink that
/// reads at once, and the longest to one that reads slowly.
fn check(
    client: Client,
    source: Source,
    start: impl Fn(&Sandbox) -> Result<Running>,
) -> Result<()> {
    let send = |sandbox: &Sandbox, length: usize, count| {
        let body = client::body(sandbox.folder(), length)?;
        let job = Job {
            host: HOST,
            path: META_PATH,
            body: &body,
            count,
        };
        client.send(sandbox, job).context(client.name)
    };
    recorded::check_source(
        source,
        Options::default(),
        LENGTHS.len() + 1,
        &start,
        |sandbox| {
            for length in LENGTHS {
                send(sandbox, *length, 1)?;
            }
            send(sandbox, 300, 50)
        },
    )?;
    let slow = Options {
        slow: true,
        ..Options::default()
    };
    recorded::check_source(source, slow, 1, &start, |sandbox| send(sandbox, 1 << 20, 1))?;
    Ok(())
}

#[test]
fn openssl_inside_an_executable() -> Result<()> {
    check(client::NODE, Source::OpenSsl, node)
}

#[test]
fn openssl_inside_an_extension_module() -> Result<()> {
    check(client::PYOPENSSL, Source::OpenSsl, |sandbox| {
        python(sandbox, "OpenSSL.SSL")
    })
}

#[test]
fn openssl_beside_an_extension_module() -> Result<()> {
    check(client::PYCURL, Source::OpenSsl, |sandbox| {
        python(sandbox, "pycurl")
    })
}

#[test]
fn gnutls_on_a_socket_that_blocks() -> Result<()> {
    check(client::WGET, Source::GnuTls, |sandbox| {
        debian_python(sandbox, "pycurl")
    })
}

#[test]
fn gnutls_on_a_socket_that_does_not_block() -> Result<()> {
    check(client::PYCURL_GNUTLS, Source::GnuTls, |sandbox| {
        debian_python(sandbox, "pycurl")
    })
}

#[test]
fn gnutls_that_sends_when_it_is_uncorked() -> Result<()> {
    check(client::GNUTLS_CORKED, Source::GnuTls, |sandbox| {
        debian_python(sandbox, "pycurl")
    })
}

/// Both libraries have the function, and each call passes both.
#[test]
fn openssl_behind_a_library_that_wraps_it() -> Result<()> {
    let start = |sandbox: &Sandbox| {
        let wrapper = native::compile_library("wrap", sandbox.folder())?;
        let mut command = sandbox.command(Side::Watched, "/usr/bin/python3");
        let wait = "import sys, ssl; print('ready', flush=True); sys.stdin.read()";
        command.args(["-c", wait]).env("LD_PRELOAD", wrapper);
        started(sandbox, command)
    };
    recorded::check_source(Source::OpenSsl, Options::default(), 1, start, |sandbox| {
        let body = client::body(sandbox.folder(), 20_000)?;
        let program = native::compile("exact", sandbox.folder())?;
        let mut command = sandbox.command(Side::Watched, &program);
        command.args([HOST, "443", META_PATH]).arg(&body);
        command.args(["again", "plain"]);
        sandbox.run(command.env("LD_PRELOAD", sandbox.folder().join("wrap")))
    })?;
    Ok(())
}

#[test]
fn programs_written_in_go() -> Result<()> {
    for client in client::GO {
        check(*client, Source::Go, |sandbox| {
            let mut command = sandbox.command(Side::Watched, tool(client.name));
            command.arg("hold");
            started(sandbox, command)
        })?;
    }
    Ok(())
}

/// Compiles a program with OpenSSL inside.
type Compile = fn(&str, &Path) -> Result<PathBuf>;

/// Sends with both kinds of functions of a program that no library belongs to, to a sink
/// that reads slowly.
fn check_alone(compile: Compile) -> Result<()> {
    let slow = Options {
        slow: true,
        ..Options::default()
    };
    recorded::check(slow, 2, |sandbox| {
        let body = client::body(sandbox.folder(), 1 << 20)?;
        let program = compile("exact", sandbox.folder())?;
        for calls in ["plain", "ex"] {
            let mut command = sandbox.command(Side::Watched, &program);
            command.args([HOST, "443", META_PATH]).arg(&body);
            sandbox.run(command.args(["again", calls]))?;
        }
        Ok(())
    })?;
    Ok(())
}

#[test]
fn openssl_inside_a_stripped_program_with_packed_symbols() -> Result<()> {
    check_alone(native::compile_packed)
}

#[test]
fn openssl_inside_a_stripped_program_without_symbols() -> Result<()> {
    check_alone(native::compile_with_own_tls)
}

#[test]
fn a_finding_over_gnutls_has_the_status_and_the_server_name() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let _worker = debian_python(&sandbox, "pycurl")?;
    let daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    for (index, client) in [client::WGET, client::PYCURL_GNUTLS].iter().enumerate() {
        let job = Job {
            host: HOST,
            path: META_PATH,
            body: &body,
            count: 1,
        };
        client.send(&sandbox, job).context(client.name)?;
        let finding = &daemon.findings(index + 1)?[index];
        assert_eq!(finding["source"], "gnutls", "{}", client.name);
        assert_eq!(finding["request"]["status"], 200, "{}", client.name);
        // wget names the server within milliseconds, perhaps before it is hooked.
        if client.name != client::WGET.name {
            assert_eq!(finding["peer"]["sni"], HOST, "{}", client.name);
        }
    }
    Ok(())
}

/// Nobody has run the program before.
#[test]
fn a_program_is_read_from_its_first_request() -> Result<()> {
    recorded::check(Options::default(), 1, |sandbox| {
        let body = client::body(sandbox.folder(), 300)?;
        let job = Job {
            host: HOST,
            path: META_PATH,
            body: &body,
            count: 3,
        };
        client::NODE.send(sandbox, job)
    })?;
    Ok(())
}
