//! Broken input gives a clear error or a counted loss, never a panic.
//!
//! These need no kernel: they are about files.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tests::{file, phiwatch, wait};

/// Memory that phiwatch may use for any file, in KiB. A decompression bomb
/// needs more.
const MEMORY: u64 = 1 << 20;

/// How long phiwatch may take over a file.
const LIMIT: Duration = Duration::from_mins(1);

/// Runs phiwatch with bounded memory and time.
fn run(arguments: &[&str], path: &Path) -> Result<Output> {
    let script = format!("ulimit -v {MEMORY}; exec \"$@\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, "sh"])
        .arg(phiwatch())
        .args(arguments)
        .arg(path);
    // Files rather than pipes, so that a process with much output need not wait
    // for this one.
    let folder = TempDir::new()?;
    let (stdout, stderr) = (folder.path().join("out"), folder.path().join("err"));
    command.stdin(Stdio::null());
    command
        .stdout(fs::File::create(&stdout)?)
        .stderr(fs::File::create(&stderr)?);
    let mut child = command.spawn().context("start phiwatch")?;
    let ended = wait("phiwatch ends", LIMIT, || Ok(child.try_wait()?));
    if ended.is_err() {
        child.kill()?;
        child.wait()?;
    }
    Ok(Output {
        status: ended?,
        stdout: fs::read(&stdout)?,
        stderr: fs::read(&stderr)?,
    })
}

/// Replays `bytes`; the exit code must be one of `codes`, and never a panic.
fn check(name: &str, bytes: &[u8], codes: &[i32]) -> Result<Output> {
    let folder = TempDir::new()?;
    let path = folder.path().join(name);
    fs::File::create(&path)?.write_all(bytes)?;
    let output = run(&["replay", "--format", "jsonl"], &path)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output
        .status
        .code()
        .with_context(|| format!("{name}: killed: {stderr}"))?;
    assert!(codes.contains(&code), "{name}: exit {code}: {stderr}");
    assert!(!stderr.contains("panicked"), "{name}: {stderr}");
    assert!(
        code == 0 || !stderr.trim().is_empty(),
        "{name}: exit {code} without a word"
    );
    Ok(output)
}

fn capture() -> Result<Vec<u8>> {
    fs::read(file("corpus/demo/meta.pcap")).context("read the bundled capture")
}

/// The bundled capture's request with another payload in one segment.
fn http(payload: &[u8]) -> Vec<u8> {
    let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    for field in [0x0004_0002, 0, 0, 0x0004_0000, 1_u32] {
        bytes.extend(field.to_le_bytes());
    }
    for (index, piece) in payload.chunks(1_400).enumerate() {
        let sequence = 1 + u32::try_from(index * 1_400).expect("payloads are small");
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
        frame.extend(
            u16::try_from(40 + piece.len())
                .expect("a piece is small")
                .to_be_bytes(),
        );
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 10, 198, 51, 100, 20]);
        frame.extend([0x9c, 0x40, 0, 80]);
        frame.extend(sequence.to_be_bytes());
        frame.extend([0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(piece);
        let length = u32::try_from(frame.len()).expect("a frame is small");
        for field in [1_764_038_463, 0, length, length] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(frame);
    }
    bytes
}

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST /v26.0/1/events HTTP/1.1\r\nHost: graph.facebook.com\r\n{headers}\r\n");
    http(&[head.as_bytes(), body].concat())
}

#[test]
fn the_bundled_capture_gives_a_finding() -> Result<()> {
    let output = check("whole.pcap", &capture()?, &[0])?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(text.lines().count(), 1, "{text}");
    let finding: serde_json::Value = serde_json::from_str(&text)?;
    assert_eq!(finding["recipient"]["tracker"], "meta");
    assert_eq!(finding["request"]["status"].as_u64(), Some(200));
    Ok(())
}

#[test]
fn a_truncated_capture_gives_what_is_there() -> Result<()> {
    let bytes = capture()?;
    for length in (0..bytes.len()).step_by(97) {
        check("truncated.pcap", &bytes[..length], &[0, 65])?;
    }
    Ok(())
}

#[test]
fn garbage_is_unreadable() -> Result<()> {
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let random: Vec<u8> = (0..100_000).map(|_| noise()).collect();
    let zeros = vec![0; 100_000];
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"hello"),
        ("random", &random),
        ("zeros", &zeros),
    ] {
        check(name, bytes, &[65])?;
    }
    Ok(())
}

#[test]
fn broken_blocks_of_pcapng_are_errors_or_losses() -> Result<()> {
    let section: &[u8] = &[
        0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0,
    ];
    check("section.pcapng", section, &[0])?;
    for length in [0_u32, 1, 11, 13, 1 << 20, u32::MAX] {
        let mut bytes = section.to_vec();
        bytes.extend(6_u32.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend([0; 64]);
        check("block.pcapng", &bytes, &[0, 65])?;
    }
    Ok(())
}

#[test]
fn broken_har_is_unreadable() -> Result<()> {
    for text in [
        "{\"log\":",
        "{\"log\":{\"entries\":7}}",
        "{\"log\":{\"version\":\"1.2\"}}",
    ] {
        check("broken.har", text.as_bytes(), &[0, 65])?;
    }
    Ok(())
}

#[test]
fn broken_http_is_a_loss() -> Result<()> {
    let many: String = (0..100_000)
        .map(|n| format!("x-{n}: {n}\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let deep = "[".repeat(200_000);
    let bomb = zeros_gzipped()?;
    for (name, bytes) in [
        (
            "chunks",
            post("Transfer-Encoding: chunked\r\n", b"zz\r\nabc\r\n0\r\n\r\n"),
        ),
        (
            "huge chunk",
            post(
                "Transfer-Encoding: chunked\r\n",
                b"ffffffffffffffffff\r\nabc",
            ),
        ),
        (
            "lengths",
            post("Content-Length: 5\r\nContent-Length: 9\r\n", b"abcde"),
        ),
        (
            "endless",
            post("Content-Length: 99999999999999999999\r\n", b"abc"),
        ),
        ("headers", post(&many, b"")),
        (
            "deep",
            post(
                &format!("Content-Length: {}\r\n", deep.len()),
                deep.as_bytes(),
            ),
        ),
        (
            "bomb",
            post(
                &format!(
                    "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
                    bomb.len()
                ),
                &bomb,
            ),
        ),
        (
            "nul",
            post("Content-Length: 14\r\n", b"{\"em\":\"\0\0\0\0\"}\0"),
        ),
        (
            "utf-8",
            post("Content-Length: 12\r\n", b"{\"em\":\"\xff\xfe\"}"),
        ),
    ] {
        check(name, &bytes, &[0])?;
    }
    Ok(())
}

/// A hundred MiB of zeros, as gzip has them.
fn zeros_gzipped() -> Result<Vec<u8>> {
    let script = "head -c 104857600 /dev/zero | gzip -9";
    let output = Command::new("sh")
        .args(["-c", script])
        .output()
        .context("start gzip")?;
    assert!(output.status.success() && output.stdout.len() > 50_000);
    Ok(output.stdout)
}

#[test]
fn an_unknown_key_is_named_with_its_place() -> Result<()> {
    let folder = TempDir::new()?;
    let path = folder.path().join("phiwatch.toml");
    fs::write(&path, "[journal]\nkeep = 3\nkeap = 4\n")?;
    let output = run(&["check"], &path)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{stderr}");
    assert!(
        stderr.contains(":3:1") && stderr.contains("keap"),
        "{stderr}"
    );
    Ok(())
}

#[test]
fn the_shipped_configuration_is_valid() -> Result<()> {
    let output = run(&["check"], &file("../packaging/phiwatch.toml"))?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Starts a verb that watches with arguments that it must refuse, without any
/// capability, so that it attaches to nothing even if it does not refuse.
fn check_refused(arguments: &[&str], code: i32, expected: &str) -> Result<()> {
    let folder = TempDir::new()?;
    let config = folder.path().join("phiwatch.toml");
    let journal = folder.path().join("journal");
    let text = format!(
        "[listen]\naddress = \"127.0.0.1:0\"\n[state]\ndirectory = \"{}\"\n\
         [journal]\nfile = \"{}\"\n",
        folder.path().join("state").display(),
        journal.display()
    );
    fs::write(&config, text)?;
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set=-all", "--inh-caps=-all"])
        .arg(phiwatch())
        .args(arguments)
        .arg("--config")
        .arg(&config);
    let output = command.output().context("start phiwatch")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    assert_eq!(journal.exists(), code == 77, "{arguments:?}");
    Ok(())
}

#[test]
fn what_would_watch_nothing_or_everything_by_accident_is_refused() -> Result<()> {
    // Larger than any process id of Linux.
    let gone = "process 4194305 cannot be watched: there is no such process";
    let missing = "executable /nope cannot be watched: No such file or directory";
    for (arguments, code, expected) in [
        (&["run", "--pid", "4194305"][..], 78, gone),
        (&["run", "--pid", "1", "--pid", "4194305"], 78, gone),
        (&["capture", "-o", "/nope", "--pid", "4194305"], 78, gone),
        (&["run", "--pid", "0"], 2, "--pid"),
        (&["run", "--exe", "/nope"], 78, missing),
        (
            &["run", "--exe", "/usr"],
            78,
            "executable /usr cannot be watched: not a file",
        ),
        (&["run", "--exe", ""], 2, "--exe"),
        (&["run", "--cgroup", ""], 2, "--cgroup"),
        (
            &["run", "--cgroup", ".."],
            78,
            "cgroup \"..\": name a folder",
        ),
        (&["run", "--cgroup", "/no/such/cgroup"], 78, "cgroup"),
        (&["run", "--raw"], 2, "--capture DIR"),
        // These arguments are valid, so it gets as far as the kernel.
        (&["run", "--exe", "/bin/sh"], 77, "not permitted"),
    ] {
        check_refused(arguments, code, expected)?;
    }
    Ok(())
}
