//! Filters, comparisons of configurations, and single findings with their
//! values, tested with the built binary on captures that are made here.

mod reader;
mod values;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{disclosure, phiwatch};

/// Values that no output may contain unless they are asked for.
const PLANTED: &[&str] = &[
    "ada.lovelace@example.com",
    "bob.miller@example.com",
    "carol.jones@example.com",
    "eve.adams@example.com",
];

/// A folder with a capture `a.har`, two configurations and a state folder.
struct Workspace {
    folder: TempDir,
}

/// One request of an archive.
fn entry(time: &str, host: &str, path: &str, body: &Value, status: u16) -> Value {
    let body = body.to_string();
    json!({
        "startedDateTime": time,
        "request": {
            "method": "POST",
            "url": format!("https://{host}{path}"),
            "httpVersion": "HTTP/1.1",
            "headers": [
                {"name": "Host", "value": host},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "postData": {"mimeType": "application/json", "text": body},
        },
        "response": {"status": status, "httpVersion": "HTTP/1.1", "headers": [], "content": {}},
    })
}

fn meta(email: &str) -> Value {
    json!({"data": [{
        "event_name": "Lead",
        "user_data": {"em": email},
        "custom_data": {"diagnosis": "Major depressive disorder"},
    }]})
}

fn entries() -> Vec<Value> {
    let tiktok = json!({
        "event": "SubmitForm",
        "context": {
            "user": {"email": "bob.miller@example.com"},
            "page": {"url": "https://clinic.example.com/anxiety-test"},
        },
    });
    let unknown = json!({"email": "dan.brown@example.com", "diagnosis": "asthma"});
    let segment = json!({
        "userId": "u1",
        "event": "Appointment Booked",
        "properties": {"email": "eve.adams@example.com", "specialty": "oncology"},
    });
    let facebook = ("graph.facebook.com", "/v26.0/1234/events");
    let first = meta("ada.lovelace@example.com");
    let third = meta("carol.jones@example.com");
    vec![
        entry(
            "2026-11-24T01:00:00.000Z",
            facebook.0,
            facebook.1,
            &first,
            200,
        ),
        entry(
            "2026-11-24T02:00:00.500Z",
            "business-api.tiktok.com",
            "/open_api/v1.3/event/track/",
            &tiktok,
            200,
        ),
        entry(
            "2026-11-24T03:00:00.000Z",
            facebook.0,
            facebook.1,
            &third,
            400,
        ),
        entry(
            "2026-11-24T04:00:00.000Z",
            "collect.example.net",
            "/c",
            &unknown,
            200,
        ),
        entry(
            "2026-11-25T04:00:00.000Z",
            "api.segment.io",
            "/v1/track",
            &segment,
            200,
        ),
    ]
}

fn archive(path: &Path, entries: &[Value]) -> Result<()> {
    let log = json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"},
        "entries": entries}});
    fs::write(path, log.to_string()).context("write the archive")
}

impl Workspace {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let workspace = Self { folder };
        archive(&workspace.path("a.har"), &entries())?;
        fs::write(workspace.path("list.txt"), "collect.example.net\n")?;
        fs::write(workspace.path("base.toml"), "")?;
        let list = workspace.path("list.txt");
        let other = format!(
            "[trackers]\nlists = [{:?}]\n[policy]\nbaa = [\"segment\"]\nfirst_parties = \
             [\"business-api.tiktok.com\"]\n",
            list.display().to_string()
        );
        fs::write(workspace.path("other.toml"), other)?;
        Ok(workspace)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// phiwatch in the folder, with its state there.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(phiwatch());
        command.current_dir(self.folder.path()).args(arguments);
        if matches!(arguments.first(), Some(&("replay" | "explain"))) {
            let state = self.path("state");
            command
                .args(["--config", "base.toml", "--state"])
                .arg(state);
        }
        command
    }

    fn run(&self, arguments: &[&str], code: i32) -> Result<Output> {
        let output = self.command(arguments).output().context("start phiwatch")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(code),
            "{arguments:?}: {:?}: {error}",
            output.status
        );
        ensure!(
            !error.contains('\u{1b}') && !error.contains('\r'),
            "a bar: {error}"
        );
        ensure!(
            disclosure::found_in(&output.stderr, PLANTED).is_empty(),
            "{error}"
        );
        Ok(output)
    }

    /// The findings that `arguments` select.
    fn findings(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let all = [&["replay", "a.har", "--format", "jsonl"], arguments].concat();
        lines(&self.run(&all, 0)?.stdout)
    }
}

fn lines(stdout: &[u8]) -> Result<Vec<Value>> {
    let text = std::str::from_utf8(stdout)?;
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).context("a line"));
    lines.collect()
}

/// `tracker day hour` of each finding.
fn names(findings: &[Value]) -> Vec<String> {
    let name = |finding: &Value| {
        let tracker = finding["recipient"]["tracker"].as_str().unwrap_or_default();
        let time = finding["time"].as_str().unwrap_or_default();
        let hour = time.get(8..13).unwrap_or_default();
        format!("{tracker} {hour}")
    };
    findings.iter().map(name).collect()
}

#[test]
fn filters_select_and_change_nothing() -> Result<()> {
    let workspace = Workspace::new()?;
    let all = workspace.findings(&[])?;
    let everything = ["meta 24T01", "tiktok 24T02", "meta 24T03", "segment 25T04"];
    assert_eq!(names(&all), everything);
    for (arguments, expected) in [
        (
            &["--tracker", "meta"][..],
            &["meta 24T01", "meta 24T03"][..],
        ),
        (
            &["--tracker", "meta", "--tracker", "segment"],
            &["meta 24T01", "meta 24T03", "segment 25T04"],
        ),
        (
            &["--severity", "critical"],
            &["meta 24T01", "tiktok 24T02", "segment 25T04"],
        ),
        (&["--class", "external_id"], &["segment 25T04"]),
        (&["--host", "facebook.com"], &["meta 24T01", "meta 24T03"]),
        (&["--host", "example.com"], &[]),
        (&["--process", "nginx"], &[]),
        (&["--since", "2026-11-25"], &["segment 25T04"]),
        (&["--until", "2026-11-24"], &everything[..3]),
        (
            &[
                "--since",
                "2026-11-24T02:00:00.5Z",
                "--until",
                "2026-11-24T04:00+01:00",
            ],
            &["tiktok 24T02", "meta 24T03"],
        ),
        (
            &["--since", "2026-11-24T02:00:00.500000001Z"],
            &["meta 24T03", "segment 25T04"],
        ),
        (&["--since", "25h"], &["meta 24T03", "segment 25T04"]),
        (&["--since", "-7d", "--until", "-1d"], &everything[..3]),
        (&["--filter", "status >= 400"], &["meta 24T03"]),
        (
            &[
                "--filter",
                "tracker in [meta, tiktok] and not status == 400",
            ],
            &everything[..2],
        ),
        (
            &[
                "--filter",
                "class has any [external_id] or label has attempted",
            ],
            &everything[2..],
        ),
        (
            &["--filter", "path =~ /v*/{id}/events"],
            &["meta 24T01", "meta 24T03"],
        ),
        (
            &["--tracker", "meta", "--filter", "time == 2026-11-24T03:00Z"],
            &["meta 24T03"],
        ),
        (&["--limit", "2"], &everything[..2]),
        (
            &["--limit", "1", "--tracker", "segment"],
            &["segment 25T04"],
        ),
    ] {
        let found = workspace.findings(arguments)?;
        assert_eq!(names(&found), expected, "{arguments:?}");
        // Neither ids nor persons depend on what is shown.
        assert!(
            found.iter().all(|finding| all.contains(finding)),
            "{arguments:?}"
        );
    }
    let output = workspace.run(&["replay", "a.har", "--tracker", "meta"], 0)?;
    let summary = String::from_utf8(output.stderr)?;
    assert!(summary.contains("4 findings, 2 shown"), "{summary}");
    assert!(summary.contains("meta: 2 people"), "{summary}");
    let quiet = workspace.run(&["replay", "-q", "a.har"], 0)?;
    assert_eq!(String::from_utf8(quiet.stderr)?, "");
    let table = String::from_utf8(output.stdout)?;
    assert_eq!(table.matches(" meta ").count(), 2, "{table}");
    Ok(())
}

#[test]
fn what_cannot_be_selected_is_said() -> Result<()> {
    let workspace = Workspace::new()?;
    for (arguments, code, part) in [
        (
            &["--filter", "severtiy >= high"][..],
            2,
            "did you mean `severity`?",
        ),
        (&["--filter", "tracker == mtea"], 2, "did you mean `meta`?"),
        (&["--filter", ""], 2, "is empty"),
        (&["--tracker", "mtea"], 2, "did you mean `meta`?"),
        (&["--class", "emial"], 2, "email"),
        (&["--severity", "awful"], 2, "critical"),
        (&["--since", "yesterday"], 2, "2026-11-24T02:41Z"),
        (
            &["--since", "2026-11-25", "--until", "2026-11-24"],
            2,
            "later than --until",
        ),
        (&["--limit", "0"], 2, "--limit"),
        (
            &["--fail-on", "high", "--tracker", "segment"],
            1,
            "of severity high or worse",
        ),
        (&["--fail-on", "high", "--process", "nginx"], 0, "0 shown"),
        (
            &["--fail-on", "critical", "--limit", "1"],
            1,
            "critical or worse",
        ),
        (
            &[
                "--fail-on",
                "critical",
                "--limit",
                "1",
                "--filter",
                "severity == high",
            ],
            0,
            "1 shown",
        ),
        (&["list.txt"], 65, "list.txt"),
        (&["no-such-file"], 74, "no-such-file"),
        (&["--diff", "no-such.toml"], 78, "no-such.toml"),
        (&["--identity", "list.txt"], 65, "list.txt"),
    ] {
        let all = [&["replay", "a.har"], arguments].concat();
        let output = workspace.run(&all, code)?;
        let error = String::from_utf8(output.stderr)?;
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
    let piped = Command::new(phiwatch())
        .args(["replay", "/dev/stdin", "--since", "2h", "--state"])
        .arg(workspace.path("state"))
        .stdin(Stdio::piped())
        .output()?;
    let error = String::from_utf8_lossy(&piped.stderr);
    assert_eq!(piped.status.code(), Some(2), "{error}");
    assert!(error.contains("read twice"), "{error}");
    let help = Command::new(phiwatch())
        .args(["replay", "--filter", "help"])
        .output()?;
    let help = String::from_utf8(help.stdout)?;
    assert!(
        help.contains("severity >= high and tracker in [meta, tiktok]"),
        "{help}"
    );
    let alone = Command::new(phiwatch()).arg("replay").output()?;
    assert_eq!(alone.status.code(), Some(2));
    Ok(())
}

#[test]
fn two_configurations_are_compared() -> Result<()> {
    let workspace = Workspace::new()?;
    let compared = |arguments: &[&str], code| -> Result<Vec<Value>> {
        let start = [
            "replay",
            "a.har",
            "--diff",
            "other.toml",
            "--format",
            "jsonl",
        ];
        lines(&workspace.run(&[&start, arguments].concat(), code)?.stdout)
    };
    let changes = compared(&[], 0)?;
    let shown: Vec<_> = changes
        .iter()
        .map(|change| {
            let tracker = |side: &str| change[side]["recipient"]["tracker"].as_str();
            (
                change["change"].as_str(),
                tracker("before"),
                tracker("after"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (Some("lost"), Some("tiktok"), None),
            (Some("gained"), None, Some("imported")),
            (Some("changed"), Some("segment"), Some("segment")),
        ]
    );
    let differs: Vec<_> = changes[2]["differs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|difference| difference["what"].as_str())
        .collect();
    assert_eq!(differs, ["severity", "labels"]);
    // The lines of a comparison are findings of either configuration.
    let before = workspace.findings(&[])?;
    assert!(before.contains(&changes[0]["before"]) && before.contains(&changes[2]["before"]));
    for (arguments, code, expected) in [
        (&["--tracker", "imported"][..], 0, 1),
        (&["--severity", "critical"], 0, 3),
        (&["--filter", "severity == medium"], 0, 1),
        (&["--limit", "2"], 0, 2),
        (&["--fail-on", "high"], 1, 3),
        (&["--fail-on", "high", "--tracker", "segment"], 0, 1),
        (&["--fail-on", "high", "--limit", "1"], 1, 1),
    ] {
        assert_eq!(compared(arguments, code)?.len(), expected, "{arguments:?}");
    }
    let table = workspace.run(&["replay", "a.har", "--diff", "other.toml"], 0)?;
    let summary = String::from_utf8(table.stderr)?;
    assert!(
        summary.contains("4 findings before, 4 after: 1 gained, 1 lost, 1 changed, 2 the same"),
        "{summary}"
    );
    let table = String::from_utf8(table.stdout)?;
    assert!(
        table.contains("severity critical → medium; labels +agreement"),
        "{table}"
    );
    let same = workspace.run(&["replay", "a.har", "--diff", "base.toml"], 0)?;
    assert!(same.stdout.is_empty());
    let document = [
        "replay",
        "a.har",
        "--diff",
        "other.toml",
        "--format",
        "json",
    ];
    let output = workspace.run(&[&document[..], &["-o", "diff.json"]].concat(), 0)?;
    assert!(output.stdout.is_empty());
    let document: Value = serde_json::from_slice(&fs::read(workspace.path("diff.json"))?)?;
    assert_eq!(document["changes"], json!(changes));
    let summary = &document["summary"];
    assert_eq!(
        (&summary["gained"], &summary["unchanged"]),
        (&json!(1), &json!(2))
    );
    workspace.run(
        &["replay", "a.har", "--diff", "other.toml", "--format", "csv"],
        2,
    )?;
    Ok(())
}
