//! Common tools read what phiwatch records and exports: tshark, capinfos,
//! mergecap and mitmproxy agree with phiwatch.

mod exports;
mod traffic;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{phiwatch, tool};

use self::traffic::{Asked, Traffic, http2, long, traffic};

/// Warnings of tshark that are justified: plaintext on the port of HTTPS, and
/// bytes that are not in the capture.
const KNOWN: &[&str] = &[
    "Unencrypted HTTP protocol detected over encrypted port",
    "ACKed segment that wasn't captured",
    "Previous segment(s) not captured",
];

/// What a tool writes to standard output.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("start {command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).context("not text")
}

/// The values of `fields` in the packets that `filter` selects; repeated values
/// within a packet are separated by bars.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Result<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-n", "-Y", filter]);
    command.args(["-T", "fields", "-E", "aggregator=|"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let text = output(&mut command)?;
    let lines = text.lines();
    Ok(lines
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect())
}

/// The requests that tshark lists, sorted.
fn listed(file: &Path) -> Result<Vec<Asked>> {
    let fields = [
        "http.request.method",
        "http.host",
        "http.request.uri",
        "http.content_length",
        "http.chunk_size",
    ];
    let mut all = Vec::new();
    for row in tshark(file, "http.request", &fields)? {
        let [methods, hosts, targets, lengths, chunks] = &row[..] else {
            anyhow::bail!("{} columns", row.len())
        };
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        let mut lengths = lengths.split('|').map(number);
        let requests = methods
            .split('|')
            .zip(hosts.split('|'))
            .zip(targets.split('|'));
        for ((method, host), target) in requests {
            let length = match method {
                "POST" | "PUT" if chunks.is_empty() => lengths.next().unwrap_or_default(),
                _ => chunks.split('|').map(number).sum(),
            };
            all.push(Asked {
                method: method.to_owned(),
                host: host.to_owned(),
                target: target.to_owned(),
                length,
            });
        }
    }
    all.sort();
    Ok(all)
}

/// What tshark cannot read or warns about.
fn faults(file: &Path) -> Result<Vec<Vec<String>>> {
    let rows = tshark(
        file,
        "_ws.malformed or _ws.short or _ws.expert.severity >= 6291456",
        &["frame.number", "_ws.expert.message", "_ws.col.Info"],
    )?;
    let is_fault = |row: &Vec<String>| {
        let known = KNOWN.iter();
        !row.get(1)
            .is_some_and(|said| known.clone().any(|own| said.contains(own)))
    };
    Ok(rows.into_iter().filter(is_fault).collect())
}

fn export(input: &Path, to: &str, target: &Path, more: &[&str]) -> Result<()> {
    output(
        Command::new(phiwatch())
            .arg("export")
            .arg(input)
            .args(["--to", to, "--state"])
            .arg(target.with_file_name("state"))
            .arg("-o")
            .arg(target)
            .args(more),
    )?;
    Ok(())
}

/// The findings in a capture.
fn findings(file: &Path) -> Result<Vec<Value>> {
    let text = output(
        Command::new(phiwatch())
            .args(["replay", "--format", "jsonl", "--state"])
            .arg(file.with_file_name("state"))
            .arg(file),
    )?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("a finding"))
        .collect()
}

/// The requests of findings, sorted.
fn found(findings: &[Value]) -> Vec<Asked> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let requests = findings.iter().map(|finding| Asked {
        method: text(&finding["request"]["method"]),
        host: text(&finding["recipient"]["host"]),
        target: text(&finding["request"]["path"]),
        length: finding["request"]["body_bytes"]
            .as_u64()
            .unwrap_or(u64::MAX),
    });
    let mut all: Vec<_> = requests.collect();
    all.sort();
    all
}

/// A folder with a capture of all traffic in it.
struct Setting {
    folder: tempfile::TempDir,
    asked: Vec<Asked>,
}

impl Setting {
    fn new(traffic: Traffic) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        traffic.write(&folder.path().join("raw.pcapng"))?;
        let mut asked = traffic.asked;
        asked.sort();
        Ok(Self { folder, asked })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn tshark_lists_what_replay_lists() -> Result<()> {
    let setting = Setting::new(long(traffic()?))?;
    let raw = setting.path("raw.pcapng");
    assert_eq!(listed(&raw)?, setting.asked);
    assert_eq!(faults(&raw)?, Vec::<Vec<String>>::new());

    let findings = findings(&raw)?;
    assert!(findings.len() > 20, "{}", findings.len());
    let mut known = setting.asked.clone();
    for own in &mut known {
        // Findings show the template of a path.
        own.target = own.target.replace("100000000000001", "{id}");
    }
    known.sort();
    for own in found(&findings) {
        let place = known.iter().position(|other| *other == own);
        let place = place.with_context(|| format!("tshark does not list {own:?}"))?;
        known.remove(place);
    }
    // Everything sent to a tracker is a finding, except requests without data.
    let rest: Vec<_> = known
        .iter()
        .filter(|own| own.length > 0 && own.host != "billing.example.com")
        .collect();
    assert!(rest.is_empty(), "{rest:?}");
    Ok(())
}

#[test]
fn tools_take_captures_apart_and_put_them_together() -> Result<()> {
    let setting = Setting::new(traffic()?)?;
    let raw = setting.path("raw.pcapng");
    export(&raw, "pcapng", &setting.path("redacted.pcapng"), &[])?;
    export(&raw, "pdu", &setting.path("pdu.pcapng"), &[])?;
    for name in ["raw.pcapng", "redacted.pcapng", "pdu.pcapng"] {
        let path = setting.path(name);
        let about = output(Command::new("capinfos").arg(&path))?;
        assert!(about.contains("phiwatch"), "{about}");
        let merged = setting.path("merged.pcapng");
        output(
            Command::new("mergecap")
                .arg("-w")
                .arg(&merged)
                .args([&path, &path]),
        )?;
        let cut = setting.path("cut.pcapng");
        output(Command::new("editcap").args([
            "-r".as_ref(),
            path.as_os_str(),
            cut.as_os_str(),
            "1-3".as_ref(),
        ]))?;
        let count = |path: &Path| -> Result<u64> {
            let text = output(
                Command::new("capinfos")
                    .args(["-M", "-T", "-c", "-r"])
                    .arg(path),
            )?;
            let number = text.trim().rsplit('\t').next().context("no number")?;
            Ok(number.parse()?)
        };
        assert_eq!(count(&merged)?, 2 * count(&path)?, "{name}");
        assert_eq!(count(&cut)?, 3, "{name}");
    }
    // Segments that are merged are read as well.
    let merged = setting.path("both.pcapng");
    output(
        Command::new("mergecap")
            .arg("-a")
            .arg("-w")
            .arg(&merged)
            .arg(&raw),
    )?;
    assert_eq!(listed(&merged)?, setting.asked);
    Ok(())
}

#[test]
fn a_redacted_export_is_listed_and_replays() -> Result<()> {
    let setting = Setting::new(traffic()?)?;
    let raw = setting.path("raw.pcapng");
    let redacted = setting.path("redacted.pcapng");
    export(&raw, "pcapng", &redacted, &[])?;
    assert_eq!(faults(&redacted)?, Vec::<Vec<String>>::new());
    let names = |asked: &[Asked]| -> Vec<(String, String)> {
        let names = asked
            .iter()
            .map(|own| (own.method.clone(), own.host.clone()));
        names.collect()
    };
    assert_eq!(names(&listed(&redacted)?), names(&setting.asked));
    let strip = |mut findings: Vec<Value>| {
        for finding in &mut findings {
            if let Some(finding) = finding.as_object_mut() {
                finding.remove("evidence");
            }
        }
        findings
    };
    assert_eq!(strip(findings(&redacted)?), strip(findings(&raw)?));
    Ok(())
}

#[test]
fn exported_pdus_are_http_on_any_port() -> Result<()> {
    let setting = Setting::new(long(traffic()?))?;
    let pdu = setting.path("pdu.pcapng");
    export(
        &setting.path("raw.pcapng"),
        "pdu",
        &pdu,
        &["--raw", "--reason", "test"],
    )?;
    let listed = listed(&pdu)?;
    // Codings are removed, so lengths are those of the decoded bodies.
    let names = |asked: &[Asked]| -> Vec<_> {
        let names = asked.iter();
        let names = names.map(|own| (own.method.clone(), own.host.clone(), own.target.clone()));
        names.collect()
    };
    assert_eq!(names(&listed), names(&setting.asked));
    let others = tshark(&pdu, "not http", &["frame.number", "_ws.col.Info"])?;
    assert_eq!(others, Vec::<Vec<String>>::new());
    let comments = tshark(&pdu, "http.request", &["frame.comment"])?;
    for comment in comments.iter().flatten() {
        let comment: Value = serde_json::from_str(comment).context("a comment")?;
        assert_eq!(comment["process"]["comm"], "shop");
    }
    Ok(())
}

#[test]
fn exported_frames_are_http2_on_any_port() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let raw = folder.path().join("raw.pcapng");
    let pdu = folder.path().join("pdu.pcapng");
    http2().write(&raw)?;
    export(&raw, "pdu", &pdu, &["--raw", "--reason", "test"])?;
    assert_eq!(faults(&pdu)?, Vec::<Vec<String>>::new());
    let fields = [
        "http2.headers.method",
        "http2.headers.authority",
        "frame.packet_flags_direction",
    ];
    let asked = tshark(&pdu, "http2.headers.method", &fields)?;
    assert_eq!(asked, vec![["GET", "www.example.com", "0x00000002"]; 2]);
    let answers = tshark(&pdu, "http2.headers.status", &["http2.headers.status"])?;
    assert_eq!(answers, vec![["200"]; 2]);
    let bodies = tshark(&pdu, "http2.data.data", &["http2.length"])?;
    assert_eq!(bodies, vec![["38"]]);
    Ok(())
}

#[test]
fn mitmproxy_reads_archives() -> Result<()> {
    let setting = Setting::new(traffic()?)?;
    let raw = setting.path("raw.pcapng");
    let addon = setting.path("list.py");
    fs::write(
        &addon,
        "def response(flow):\n    r = flow.request\n    print('\\t'.join(['flow', r.method, \
         r.host, r.path, str(len(r.raw_content)), str(flow.response.status_code)]))\n",
    )?;
    for more in [&[][..], &["--raw", "--reason", "test"]] {
        let archive = setting.path("all.har");
        let mut arguments = vec!["--force"];
        arguments.extend(more);
        export(&raw, "har", &archive, &arguments)?;
        let text = output(
            Command::new(tool("venv/bin/mitmdump"))
                .args(["-q", "-n", "-s"])
                .arg(&addon)
                .arg("-r")
                .arg(&archive)
                .env("HOME", setting.folder.path()),
        )?;
        let mut listed: Vec<Asked> = Vec::new();
        for line in text.lines().filter(|line| line.starts_with("flow\t")) {
            let columns: Vec<_> = line.split('\t').collect();
            let [_, method, host, target, length, status] = &columns[..] else {
                anyhow::bail!("{line}")
            };
            assert_eq!(*status, "200");
            listed.push(Asked {
                method: (*method).to_owned(),
                host: (*host).to_owned(),
                target: (*target).to_owned(),
                length: length.parse()?,
            });
        }
        assert_eq!(listed.len(), setting.asked.len());
        if !more.is_empty() {
            listed.sort();
            let names = |asked: &[Asked]| -> Vec<_> {
                let names = asked
                    .iter()
                    .map(|own| (own.method.clone(), own.host.clone(), own.target.clone()));
                names.collect()
            };
            assert_eq!(names(&listed), names(&setting.asked));
        }
    }
    Ok(())
}
