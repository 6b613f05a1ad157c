//! `doctor --processes` says of real processes which TLS engine they have, of which
//! version, and whether it is read. The versions are those that the processes, or stock
//! tools, tell of themselves.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Running, Sandbox, Side, client, file, kernel, native, phiwatch, tool};

/// Exit codes.
const BLIND: i32 = 3;
const USAGE: i32 = 2;
const NOT_PERMITTED: i32 = 77;

/// Who may look at nobody else's processes.
const NOBODY: &str = "65534";

/// An engine: what it is, its version, whether it is read.
type Row = (String, Option<String>, String);

fn row(engine: &str, version: &str, state: &str) -> Row {
    (
        engine.to_owned(),
        Some(version.to_owned()),
        state.to_owned(),
    )
}

/// Compiles a program with OpenSSL inside.
type Compile = fn(&str, &Path) -> Result<PathBuf>;

/// A process at rest, and what it printed behind `ready`.
fn held(sandbox: &Sandbox, name: &str, command: Command) -> Result<(Running, String)> {
    let mut running = sandbox.start(name, command)?;
    let told = running.wait_for("its engine", |line| {
        Some(line.strip_prefix("ready")?.trim().to_owned())
    })?;
    Ok((running, told))
}

/// A process of Python that has run `code`, which gives `told`.
fn python(sandbox: &Sandbox, program: &str, code: &str) -> Result<(Running, String)> {
    let mut command = sandbox.command(Side::Watched, program);
    let code = format!("import sys\n{code}\nprint('ready', told, flush=True)\nsys.stdin.read()");
    command.args(["-c", &code]);
    held(sandbox, "python", command)
}

fn java(sandbox: &Sandbox) -> Result<(Running, String)> {
    let mut compile = Command::new("javac");
    compile.arg("-d").arg(sandbox.folder());
    sandbox.run(compile.arg(file("clients/Held.java")))?;
    let mut command = sandbox.command(Side::Watched, "java");
    command.arg("-cp").arg(sandbox.folder()).arg("Held");
    held(sandbox, "java", command)
}

/// The version in the output of a tool: its only word that `is_it`.
fn said(command: &mut Command, is_it: impl Fn(&str) -> Option<String>) -> Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("start {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found: Vec<String> = text.split_whitespace().filter_map(is_it).collect();
    found.sort();
    found.dedup();
    ensure!(found.len() == 1, "{command:?}: {text}");
    Ok(found.remove(0))
}

/// The second word of `OpenSSL 3.0.19 27 Jan 2026`.
fn number(text: &str) -> Result<&str> {
    text.split_whitespace().nth(1).context("a version")
}

fn doctor(sandbox: &Sandbox, arguments: &[&str]) -> Result<Output> {
    let mut command = sandbox.command(Side::Outside, phiwatch());
    command.args(["doctor", "--processes"]).args(arguments);
    command
        .stdin(Stdio::null())
        .output()
        .context("start phiwatch")
}

fn code(output: &Output) -> Result<i32> {
    output.status.code().context("phiwatch exits")
}

fn json(output: &Output) -> Result<Value> {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).with_context(|| error)
}

/// The engines of each process.
fn rows(document: &Value) -> BTreeMap<u64, Vec<Row>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let processes = document["processes"].as_array();
    processes
        .into_iter()
        .flatten()
        .map(|own| {
            let engines = own["engines"].as_array().into_iter().flatten();
            let mut rows: Vec<Row> = engines
                .map(|engine| {
                    let state = text(&engine["state"]).unwrap_or_default();
                    let name = text(&engine["engine"]).unwrap_or_default();
                    (name, text(&engine["version"]), state)
                })
                .collect();
            rows.sort();
            (own["pid"].as_u64().unwrap_or(0), rows)
        })
        .collect()
}

/// All processes at rest, and the rows that are expected of them.
struct Zoo {
    processes: Vec<Running>,
    expected: BTreeMap<u64, Vec<Row>>,
}

impl Zoo {
    fn add(&mut self, process: Running, mut rows: Vec<Row>) -> u32 {
        let pid = process.pid();
        rows.sort();
        self.expected.insert(u64::from(pid), rows);
        self.processes.push(process);
        pid
    }
}

const OPENSSL: &str = "import ssl; told = ssl.OPENSSL_VERSION";
const CRYPTOGRAPHY: &str = "\
import ssl, OpenSSL.SSL
from cryptography.hazmat.backends.openssl import backend
told = backend.openssl_version_text()";
const GNUTLS: &str = "\
import ctypes
library = ctypes.CDLL('libgnutls.so.30')
library.gnutls_check_version.restype = ctypes.c_char_p
told = library.gnutls_check_version(None).decode()";

fn start_others(sandbox: &Sandbox, zoo: &mut Zoo, openssl: &str) -> Result<()> {
    let venv = tool("venv/bin/python");
    let (process, told) = python(sandbox, &venv.to_string_lossy(), CRYPTOGRAPHY)?;
    let rows = [openssl, number(&told)?].map(|version| row("OpenSSL", version, "read"));
    zoo.add(process, rows.to_vec());

    let (process, told) = python(sandbox, "/usr/bin/python3", GNUTLS)?;
    zoo.add(process, vec![row("GnuTLS", &told, "read")]);

    let mut command = sandbox.command(Side::Watched, tool("venv/bin/node"));
    command.args([
        "-e",
        "console.log('ready', process.versions.openssl); process.stdin.resume()",
    ]);
    let (process, told) = held(sandbox, "node", command)?;
    zoo.add(process, vec![row("OpenSSL", &told, "read")]);

    for client in client::GO {
        let program = tool(client.name);
        let mut version = Command::new(tool("go/1.27/go/bin/go"));
        version.arg("version").arg(&program);
        version
            .env("GOTOOLCHAIN", "local")
            .env("HOME", sandbox.folder());
        let version = said(&mut version, |word| {
            Some(word.strip_prefix("go1.")?.to_owned())
        })?;
        let mut command = sandbox.command(Side::Watched, program);
        let (process, _) = held(sandbox, "go", {
            command.arg("hold");
            command
        })?;
        zoo.add(
            process,
            vec![row("Go crypto/tls", &format!("1.{version}"), "read")],
        );
    }

    let (process, told) = java(sandbox)?;
    zoo.add(process, vec![row("Java", &told, "blind")]);

    let stripped: [(Compile, _); 2] = [
        (native::compile_with_own_tls, "read"),
        (native::compile_with_hidden_tls, "blind"),
    ];
    for (compile, state) in stripped {
        let folder = sandbox.folder().join(state);
        fs::create_dir(&folder)?;
        let program = compile("held", &folder)?;
        let (process, told) = held(sandbox, "held", sandbox.command(Side::Watched, program))?;
        zoo.add(process, vec![row("OpenSSL", number(&told)?, state)]);
    }

    // It reads what it is to do from its input.
    let uv = tool("venv/bin/uv");
    let mut version = Command::new("grep");
    version.args(["-aoE", "/rustls-[0-9][0-9.]*/"]).arg(&uv);
    let version = said(&mut version, |word| {
        Some(
            word.strip_prefix("/rustls-")?
                .trim_end_matches('/')
                .to_owned(),
        )
    })?;
    let mut command = sandbox.command(Side::Watched, uv);
    command.args(["pip", "compile", "--no-config", "-"]);
    zoo.add(
        sandbox.start("uv", command)?,
        vec![row("rustls", &version, "blind")],
    );

    // Neither mentions an engine.
    for _ in 0..2 {
        let mut command = sandbox.command(Side::Watched, "sh");
        command.args(["-c", "echo ready; read line"]);
        zoo.processes.push(held(sandbox, "sh", command)?.0);
    }
    Ok(())
}

#[test]
fn every_process_with_tls_is_listed_with_its_engine_version_and_sight() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut zoo = Zoo {
        processes: Vec::new(),
        expected: BTreeMap::new(),
    };
    let (process, told) = python(&sandbox, "/usr/bin/python3", OPENSSL)?;
    let openssl = number(&told)?.to_owned();
    let tool_says = said(Command::new("openssl").args(["version", "-v"]), |word| {
        let is_it = word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.');
        is_it.then(|| word.to_owned())
    })?;
    assert_eq!(openssl, tool_says);
    let readable = zoo.add(process, vec![row("OpenSSL", &openssl, "read")]);
    start_others(&sandbox, &mut zoo, &openssl)?;

    let cgroup = sandbox.cgroup().to_string_lossy().into_owned();
    let output = doctor(&sandbox, &["--json", "--cgroup", &cgroup])?;
    let document = json(&output)?;
    assert_eq!(rows(&document), zoo.expected, "{document:#}");
    assert_eq!(document["others"], 2, "{document:#}");
    assert_eq!(document["unseen"], serde_json::json!([]));
    assert_eq!(code(&output)?, BLIND);
    for own in document["processes"].as_array().into_iter().flatten() {
        for engine in own["engines"].as_array().into_iter().flatten() {
            let is_read = engine["state"] == "read";
            assert_eq!(engine["reason"].is_string(), !is_read, "{engine}");
            assert_eq!(engine["advice"].is_string(), !is_read, "{engine}");
        }
    }

    let readable = readable.to_string();
    let output = doctor(&sandbox, &["--cgroup", &cgroup, "--pid", &readable])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output)?, 0, "{text}");
    let words: Vec<&str> = text
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert!(
        matches!(words.as_slice(), [pid, _, "OpenSSL", version, "yes"]
            if *pid == readable && *version == openssl),
        "{text}"
    );
    assert!(text.contains("1 process with TLS: 1 read, 0 not"), "{text}");

    let node = fs::canonicalize(format!("/proc/{}/exe", zoo.processes[3].pid()))?;
    let node = node.to_string_lossy();
    let output = doctor(&sandbox, &["--json", "--cgroup", &cgroup, "--exe", &node])?;
    assert_eq!(rows(&json(&output)?).len(), 1);
    Ok(())
}

#[test]
fn a_process_that_may_not_be_looked_at_is_said() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let (process, _) = python(&sandbox, "/usr/bin/python3", OPENSSL)?;
    // Where anybody may run it.
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let program = folder.path().join("phiwatch");
    fs::copy(phiwatch(), &program)?;
    let pid = process.pid();
    let output = as_nobody(&sandbox, &program, pid)?;
    let document = json(&output)?;
    assert_eq!(rows(&document), BTreeMap::new());
    assert_eq!(document["others"], 0);
    assert_eq!(document["unseen"][0]["pid"], pid, "{document:#}");
    assert_eq!(code(&output)?, NOT_PERMITTED);
    Ok(())
}

fn as_nobody(sandbox: &Sandbox, program: &Path, pid: u32) -> Result<Output> {
    let mut command = sandbox.command(Side::Outside, "setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    command
        .arg(program)
        .args(["doctor", "--processes", "--json", "--pid"]);
    command.arg(pid.to_string());
    command
        .stdin(Stdio::null())
        .output()
        .context("start phiwatch")
}

#[test]
fn a_scope_is_one_of_processes() -> Result<()> {
    for arguments in [["--pid", "1"], ["--exe", "/bin/sh"], ["--cgroup", "/"]] {
        let output = Command::new(phiwatch())
            .arg("doctor")
            .args(arguments)
            .output()?;
        assert_eq!(code(&output)?, USAGE, "{arguments:?}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("add --processes"), "{error}");
    }
    Ok(())
}
