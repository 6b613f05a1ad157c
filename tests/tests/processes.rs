//! Processes and files that are hard to follow, and hostile ones.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, Permissions},
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde_json::Value;
use tests::{
    Daemon, Running, Sandbox, Side, Sink, daemon, kernel, native,
    patient::{self, META_PATH},
    sink::Options,
    tool, wait,
};

const HOST: &str = "graph.facebook.com";
const PYTHON: &str = "/usr/bin/python3";
const CLIENT: &str = "clients/scope_client.py";

/// How long a library may take to be found.
const DISCOVERY: Duration = Duration::from_secs(10);

/// How much memory files of any size may cost, bytes.
const MAX_GROWTH: u64 = 32 << 20;

/// How long phiwatch may take to end.
const END: Duration = Duration::from_secs(30);

/// A client in a mode, which has printed `started`. `program` is a Python, or a
/// script that is the client itself.
fn client(sandbox: &Sandbox, program: &Path, mode: &str, count: usize) -> Result<Running> {
    client_at(sandbox, Side::Watched, program, mode, count)
}

fn client_at(
    sandbox: &Sandbox,
    side: Side,
    program: &Path,
    mode: &str,
    count: usize,
) -> Result<Running> {
    let body = patient::event_file(sandbox)?;
    let mut command = sandbox.command(side, program);
    command.env("PYTHONHOME", "/usr");
    if program.extension().is_none() {
        command.arg(tests::file(CLIENT));
    }
    command
        .args([mode, HOST, META_PATH])
        .arg(&body)
        .arg(count.to_string());
    let mut client = sandbox.start(mode, command)?;
    client.wait_for("its start", |line| (line == "started").then_some(()))?;
    Ok(client)
}

/// Lets the client go on, until it says `said`.
fn go_on(client: &mut Running, said: &str) -> Result<()> {
    writeln!(client.stdin()?)?;
    client.wait_for(said, |line| (line == said).then_some(()))
}

/// Ends phiwatch, so that excess findings are seen as well. How long that takes
/// with many hooks is tested elsewhere.
fn end(daemon: &mut Daemon<'_>) -> Result<()> {
    daemon.running.signal(Signal::TERM)?;
    let status = daemon.running.ended(END)?;
    assert!(status.success(), "{}", daemon.running.stderr()?);
    Ok(())
}

/// The processes of all findings, once phiwatch has ended.
fn processes(daemon: &mut Daemon<'_>) -> Result<Vec<Value>> {
    end(daemon)?;
    let findings = daemon::findings(&daemon.journal_path())?;
    for finding in &findings {
        assert_eq!(finding["completeness"], "complete", "{finding}");
    }
    Ok(findings
        .into_iter()
        .map(|mut finding| finding["process"].take())
        .collect())
}

fn pids(processes: &[Value]) -> Vec<u64> {
    processes
        .iter()
        .filter_map(|process| process["pid"].as_u64())
        .collect()
}

/// The executable of a process, as `/proc` shows it.
fn executable(path: impl AsRef<Path>) -> Result<String> {
    Ok(fs::canonicalize(path)?.display().to_string())
}

#[test]
fn forked_workers_are_watched_as_their_master() -> Result<()> {
    // The master starts before phiwatch, or after; the scope names a program,
    // or a script, as for gunicorn and celery.
    for (is_first, is_script) in [(true, false), (false, false), (true, true), (false, true)] {
        let Some(sandbox) = kernel::sandbox()? else {
            return Ok(());
        };
        let mut sink = Sink::start(&sandbox, Options::default())?;
        let mut program = PathBuf::from(PYTHON);
        if is_script {
            program = sandbox.folder().join("client.py");
            let text = fs::read_to_string(tests::file(CLIENT))?;
            fs::write(&program, format!("#!{PYTHON}\n{text}"))?;
            fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        }
        let start = || client(&sandbox, &program, "forks", 5);
        let early = is_first.then(start).transpose()?;
        let mut daemon = Daemon::run(&sandbox, &[OsStr::new("--exe"), program.as_os_str()])?;
        let mut master = early.map_or_else(start, Ok)?;
        go_on(&mut master, "forked")?;
        // Five workers, and one that a worker forked.
        sink.requests(6)?;
        daemon.findings(6)?;
        let processes = processes(&mut daemon)?;
        let mut pids = pids(&processes);
        pids.sort_unstable();
        pids.dedup();
        assert_eq!(pids.len(), 6, "{processes:?}");
        assert!(!pids.contains(&u64::from(master.pid())));
        for process in &processes {
            assert_eq!(process["exe"], executable(PYTHON)?);
        }
    }
    Ok(())
}

#[test]
fn another_program_leaves_the_scope() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let mut client = client(&sandbox, Path::new(PYTHON), "execs", 0)?;
    let mut daemon = Daemon::run(&sandbox, &["--exe", PYTHON])?;
    go_on(&mut client, "replaced")?;
    sink.requests(5)?;
    // Sent after all others, so they have been seen or never will be.
    let mut last = self::client(&sandbox, Path::new(PYTHON), "named", 0)?;
    go_on(&mut last, "posted")?;
    daemon.findings(3)?;
    let processes = processes(&mut daemon)?;
    let expected = [client.pid(), client.pid(), last.pid()].map(u64::from);
    assert_eq!(pids(&processes), expected, "{processes:?}");
    Ok(())
}

#[test]
fn a_listed_process_stays_watched_when_it_calls_exec() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let mut client = client(&sandbox, Path::new(PYTHON), "execs", 0)?;
    let pid = client.pid().to_string();
    let mut daemon = Daemon::run(&sandbox, &["--pid", &pid])?;
    go_on(&mut client, "ran")?;
    client.wait_for("replaced", |line| (line == "replaced").then_some(()))?;
    sink.requests(5)?;
    daemon.findings(2)?;
    // Its own two; its children, and what the shell runs, are not listed.
    let processes = processes(&mut daemon)?;
    assert_eq!(pids(&processes), [u64::from(client.pid()); 2]);
    Ok(())
}

/// Moves a process into a cgroup.
fn move_to(sandbox: &Sandbox, cgroup: &Path, pid: u32) -> Result<()> {
    let members = cgroup.join("cgroup.procs");
    let mut shell = sandbox.command(Side::Outside, "sh");
    let moved = format!("echo {pid} > {}", members.display());
    sandbox.run(shell.arg("-c").arg(moved))?;
    Ok(())
}

#[test]
fn a_process_is_watched_from_its_move_into_the_cgroup_to_that_out_of_it() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let mut client = client_at(&sandbox, Side::Outside, Path::new(PYTHON), "moved", 0)?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    move_to(&sandbox, sandbox.cgroup(), client.pid())?;
    // Long before the next scan would find it.
    daemon.running.wait_for("its library", |line| {
        let is_found = line.contains("library is found") && line.contains("libssl");
        is_found.then_some(())
    })?;
    go_on(&mut client, "posted")?;
    daemon.findings(1)?;
    let outside = sandbox.cgroup().parent().context("a cgroup has a parent")?;
    move_to(&sandbox, outside, client.pid())?;
    go_on(&mut client, "again")?;
    sink.requests(2)?;
    // Sent after the others, so they have been seen or never will be.
    let mut last = self::client(&sandbox, Path::new(PYTHON), "named", 0)?;
    go_on(&mut last, "posted")?;
    daemon.findings(2)?;
    let processes = processes(&mut daemon)?;
    let expected = [client.pid(), last.pid()].map(u64::from);
    assert_eq!(pids(&processes), expected, "{processes:?}");
    Ok(())
}

#[test]
fn a_process_without_a_main_thread_is_watched() -> Result<()> {
    // phiwatch is there before the main thread ends, or comes after.
    for is_first in [true, false] {
        let Some(sandbox) = kernel::sandbox()? else {
            return Ok(());
        };
        let mut sink = Sink::start(&sandbox, Options::default())?;
        let watch = || Daemon::run(&sandbox, &["--exe", PYTHON]);
        let mut client = client(&sandbox, Path::new(PYTHON), "headless", 0)?;
        let early = is_first.then(watch).transpose()?;
        go_on(&mut client, "posted")?;
        let status = PathBuf::from(format!("/proc/{}/stat", client.pid()));
        wait("end of the main thread", Duration::from_secs(5), || {
            Ok(fs::read_to_string(&status)?.contains(") Z ").then_some(()))
        })?;
        let mut daemon = early.map_or_else(watch, Ok)?;
        go_on(&mut client, "again")?;
        go_on(&mut client, "forked")?;
        sink.requests(3)?;
        let count = if is_first { 3 } else { 2 };
        let findings = daemon.findings(count)?;
        for finding in &findings {
            assert_eq!(finding["process"]["exe"], executable(PYTHON)?, "{finding}");
        }
        end(&mut daemon)?;
        let findings = daemon::findings(&daemon.journal_path())?;
        assert_eq!(findings.len(), count, "{findings:?}");
    }
    Ok(())
}

#[test]
fn a_process_whose_names_are_no_text_is_watched() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let folder = sandbox.folder().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder)?;
    let program = folder.join("app");
    fs::copy(fs::canonicalize(PYTHON)?, &program).context("copy Python")?;
    let mut client = client(&sandbox, &program, "named", 0)?;
    let mut daemon = Daemon::run(&sandbox, &[OsString::from("--exe"), program.into()])?;
    go_on(&mut client, "posted")?;
    daemon.findings(1)?;
    let processes = processes(&mut daemon)?;
    assert_eq!(pids(&processes), [u64::from(client.pid())]);
    Ok(())
}

#[test]
fn a_client_that_reads_no_answer_is_reported_at_once() -> Result<()> {
    /// Half of what a request waits for its answer where one can be seen.
    const AT_ONCE: Duration = Duration::from_secs(5);
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let body = patient::event_file(&sandbox)?;
    let mut command = sandbox.command(Side::Watched, tool("venv/bin/python"));
    command
        .arg(tests::file("clients/unread_client.py"))
        .args([HOST, META_PATH])
        .arg(&body);
    let mut client = sandbox.start("unread", command)?;
    client.wait_for("its start", |line| (line == "started").then_some(()))?;
    // It comes later, so that it sees at once that greenlet moves stacks here.
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    go_on(&mut client, "posted")?;
    let posted = Instant::now();
    sink.requests(1)?;
    let findings = daemon.findings(1)?;
    let passed = posted.elapsed();
    assert!(passed < AT_ONCE, "only after {passed:?}");
    assert_eq!(findings[0]["completeness"], "complete", "{findings:?}");
    assert_eq!(findings[0]["process"]["pid"], client.pid());
    assert!(client.is_alive()?, "its connection has ended");
    end(&mut daemon)
}

/// The most memory that a process has had, bytes.
fn peak(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let amount = line.context("a process has memory")?.trim();
    let kibibytes: u64 = amount.trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// The mode in which so many processes map a library that it is hooked for all:
/// only then can another name of the same file be recognized.
const CROWDED: &str = "layers";

/// The mode in which a program of musl loads the library.
const MUSL: &str = "musl";

/// A client that loads files in a folder, in a mode.
fn loader(sandbox: &Sandbox, mode: &str, folder: &Path) -> Result<Command> {
    if mode != MUSL {
        let mut command = sandbox.command(Side::Watched, PYTHON);
        command.arg(tests::file("clients/files_client.py"));
        command.arg(mode).arg(folder);
        return Ok(command);
    }
    let program = native::compile_for_musl("musl", sandbox.folder())?;
    // A build of Alpine, with all that it wants to find beside it.
    for entry in fs::read_dir(tool("libssl/psycopg-musl/psycopg_binary.libs"))? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names: Vec<OsString> = names.collect::<Result<_>>()?;
    let name = names
        .iter()
        .find(|name| name.as_bytes().starts_with(b"libssl"));
    let library = folder.join("libssl.so.3");
    fs::rename(
        folder.join(name.context("the wheel has a libssl")?),
        &library,
    )?;
    let mut command = sandbox.command(Side::Watched, program);
    command.arg(library);
    Ok(command)
}

/// Runs a client that loads files, and waits until phiwatch watches the one
/// whose path ends with `last`. Returns the lines that name the watched files,
/// and by how many bytes phiwatch's memory grew meanwhile at most.
fn loads(mode: &str, last: &str) -> Result<Option<(Vec<String>, u64)>> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(None);
    };
    let folder = sandbox.folder().join("files");
    fs::create_dir(&folder)?;
    let command = loader(&sandbox, mode, &folder)?;
    let mut client = sandbox.start(mode, command)?;
    client.wait_for("its start", |line| (line == "started").then_some(()))?;
    let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let before = peak(daemon.running.pid())?;
    if mode == CROWDED {
        go_on(&mut client, "crowded")?;
        daemon.running.wait_for("a hook for all", |line| {
            line.contains("it is hooked for all").then_some(())
        })?;
    }
    go_on(&mut client, "done")?;
    let watched = |daemon: &Daemon<'_>| -> Result<Vec<String>> {
        let text = daemon.running.stderr()?;
        Ok(text
            .lines()
            .filter(|line| line.contains("library is found"))
            .filter(|line| line.contains("/files/"))
            .map(str::to_owned)
            .collect())
    };
    // Less than the time between two scans, which would find everything.
    let lines = wait(last, DISCOVERY, || {
        let lines = watched(&daemon)?;
        let is_there = lines.iter().any(|line| line.contains(last));
        Ok(is_there.then_some(lines))
    })
    .with_context(|| daemon.running.stderr().unwrap_or_default())?;
    let growth = peak(daemon.running.pid())?.saturating_sub(before);
    end(&mut daemon)?;
    Ok(Some((lines, growth)))
}

#[test]
fn a_library_is_found_when_it_is_loaded_late() -> Result<()> {
    let Some((lines, _)) = loads("late", "/files/late/libssl.so.3")? else {
        return Ok(());
    };
    assert_eq!(lines.len(), 1, "{lines:?}");
    Ok(())
}

#[test]
fn a_library_is_found_when_the_loader_of_musl_loads_it_late() -> Result<()> {
    let Some((lines, _)) = loads(MUSL, "/files/libssl.so.3")? else {
        return Ok(());
    };
    assert_eq!(lines.len(), 1, "{lines:?}");
    Ok(())
}

#[test]
fn files_that_mean_harm_do_not_hide_a_library() -> Result<()> {
    let Some((lines, growth)) = loads("hostile", "/files/good/libssl.so.3")? else {
        return Ok(());
    };
    // The large one is a library as well.
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(growth < MAX_GROWTH, "{growth} bytes");
    Ok(())
}

#[test]
fn a_file_seen_through_two_layers_is_hooked_once() -> Result<()> {
    let Some((lines, _)) = loads(CROWDED, "/files/last/libssl.so.3")? else {
        return Ok(());
    };
    assert_eq!(lines.len(), 2, "{lines:?}");
    Ok(())
}
