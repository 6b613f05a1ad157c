//! Reports of a replay: their content, and that the page for people opens in a
//! real browser, requests nothing, and shows its plots.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use phiwatch::{
    capture::Provenance,
    event::{Data, Direction, Event, EventKind, Origin, Process, Source, StreamId, Timestamp},
    loss::Losses,
    record::Encoder,
    report::Format,
    secret::Secret,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    browser::Browser,
    disclosure::found_in,
    patient::{META_PATH, PLANTED, meta_event},
    phiwatch,
};

/// 2026-11-24T02:41:03Z.
const START: u64 = 1_795_488_063_000_000_000;

/// Names that would be active if they were not escaped.
const HOSTILE: &[&str] = &[
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=\"document.title='owned'\">",
    "\u{1b}]0;owned\u{7}\u{202e}gnp.exe",
    "</style><svg onload=document.title='owned'>",
];

/// Captures in a folder, and a state folder.
struct Case {
    folder: TempDir,
    captures: Vec<PathBuf>,
}

/// Requests of one process to trackers.
struct Sender<'a> {
    process: &'a str,
    host: &'a str,
    path: &'a str,
    bodies: Vec<Value>,
}

/// A capture of ours in which `senders` send a request a minute from `start` on.
fn capture(senders: &[Sender<'_>], start: u64) -> Vec<u8> {
    let mut encoder = Encoder::new(Provenance {
        host: "web-1.example.com".to_owned(),
        kernel: "6.1.0".to_owned(),
        version: "0.1.0".to_owned(),
        ..Provenance::default()
    });
    let mut out = Vec::new();
    encoder.begin_segment(&mut out);
    let mut time = start;
    for (number, sender) in (1..).zip(senders) {
        let process = Process {
            pid: number,
            exe: Some(format!("/usr/bin/{}", sender.process)),
            comm: Some(sender.process.to_owned()),
            unit: Some(sender.process.to_owned()),
            ..Process::default()
        };
        let stream = StreamId {
            owner: number,
            handle: u64::from(number),
            born: start,
        };
        let origin = Origin {
            source: Source::OpenSsl,
            process: Some(Arc::new(process)),
            local: None,
            peer: None,
            one_way: false,
            blindness: None,
        };
        let mut record = |time: u64, kind: EventKind| {
            let event = Event {
                time: Timestamp(time),
                stream,
                place: None,
                kind,
            };
            encoder.event(&event, &mut out);
        };
        record(time, EventKind::Opened(Arc::new(origin)));
        let (mut sent, mut received) = (0, 0);
        for body in &sender.bodies {
            let body = body.to_string();
            let request = format!(
                "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                sender.path,
                sender.host,
                body.len()
            );
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            for (direction, text, offset) in [
                (Direction::Sent, &*request, &mut sent),
                (Direction::Received, answer, &mut received),
            ] {
                let bytes = Secret::new(Bytes::from(text.to_owned()));
                let data = Data {
                    direction,
                    offset: *offset,
                    bytes,
                };
                record(time, EventKind::Data(data));
                *offset += text.len() as u64;
            }
            time += 60_000_000_000;
        }
        record(time, EventKind::Closed);
    }
    encoder.end_segment(&Losses::default(), &mut out);
    out
}

fn tiktok(number: usize) -> Value {
    json!({
        "event": "SubmitForm",
        "context": {
            "user": {"email": format!("reader{number}@example.com"), "state": "CA"},
            "page": {"url": "https://clinic.example.com/anxiety-test"},
        },
    })
}

impl Case {
    fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let first = [
            Sender {
                process: "php-fpm",
                host: "graph.facebook.com",
                path: META_PATH,
                bodies: vec![meta_event(); 12],
            },
            Sender {
                process: "worker",
                host: "business-api.tiktok.com",
                path: "/open_api/v1.3/event/track/",
                bodies: (0..20).map(tiktok).collect(),
            },
        ];
        let hostile: Vec<_> = HOSTILE
            .iter()
            .map(|name| Sender {
                process: name,
                host: "graph.facebook.com",
                path: META_PATH,
                bodies: vec![meta_event()],
            })
            .collect();
        let day = 86_400_000_000_000;
        let mut captures = Vec::new();
        for (name, bytes) in [
            ("a.pcapng", capture(&first, START)),
            (
                "b<img src=x onerror=alert(1)>.pcapng",
                capture(&hostile, START + day),
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, bytes)?;
            captures.push(path);
        }
        Ok(Self { folder, captures })
    }

    /// The report in this format of these captures.
    fn report<'a>(
        &self,
        format: &str,
        captures: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<Vec<u8>> {
        let path = self.folder.path().join(format!("report.{format}"));
        let output = Command::new(phiwatch())
            .args(["replay", "--quiet", "--format", format, "--state"])
            .arg(self.folder.path().join("state"))
            .arg("--output")
            .arg(&path)
            .args(captures)
            .output()
            .context("start phiwatch replay")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{format}: {error}");
        ensure!(output.stdout.is_empty(), "{format}: standard output");
        fs::read(&path).context("read the report")
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).context("text")
}

#[test]
fn formats_agree_and_hold_no_value_and_no_folder() -> Result<()> {
    let case = Case::new()?;
    let folder = case.folder.path().to_string_lossy().into_owned();
    for format in Format::names() {
        let one = case.report(&format, &case.captures)?;
        let other = case.report(&format, case.captures.iter().rev())?;
        assert!(one == other, "{format}: the order of the inputs shows");
        assert_eq!(found_in(&one, PLANTED), Vec::<String>::new(), "in {format}");
        assert_eq!(
            found_in(&one, &["reader7@example.com"]),
            Vec::<String>::new()
        );
        assert!(!text(one)?.contains(&folder), "{format}: a folder");
    }
    let lines = text(case.report("jsonl", &case.captures)?)?;
    let lines: Vec<Value> = lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let document: Value = serde_json::from_slice(&case.report("json", &case.captures)?)?;
    assert_eq!(document["findings"], Value::from(lines.clone()));
    assert_eq!(document["summary"]["findings"], lines.len());
    assert_eq!(document["facts"]["inputs"][0]["name"], "a.pcapng");
    let bytes = fs::read(&case.captures[0])?;
    assert_eq!(
        document["facts"]["inputs"][0]["sha256"],
        tests::sha256(&bytes)
    );
    assert_eq!(
        document["facts"]["inputs"][0]["sections"][0]["host"],
        "web-1.example.com"
    );
    assert_eq!(document["summary"]["states"][0]["state"], "CA");
    assert_eq!(document["summary"]["states"][0]["people"]["at_most"], 20);
    assert_eq!(document["facts"]["silences"][0]["recording"], false);
    let sarif: Value = serde_json::from_slice(&case.report("sarif", &case.captures)?)?;
    let results = sarif["runs"][0]["results"].as_array().context("results")?;
    let ids = |values: &[Value], pointer: &str| -> BTreeSet<String> {
        let ids = values
            .iter()
            .filter_map(|value| value.pointer(pointer)?.as_str());
        ids.map(str::to_owned).collect()
    };
    assert_eq!(
        ids(results, "/partialFingerprints/phiwatchFinding~1v1"),
        ids(&lines, "/id")
    );
    let csv = text(case.report("csv", &case.captures)?)?;
    assert_eq!(csv.matches("\r\n").count(), lines.len() + 1);
    Ok(())
}

#[test]
fn a_report_appears_whole_or_not_at_all() -> Result<()> {
    let case = Case::new()?;
    let folder = case.folder.path().join("out");
    fs::create_dir(&folder)?;
    let path = folder.join("report.html");
    fs::write(&path, "the one before")?;
    let output = Command::new(phiwatch())
        .args(["replay", "--format", "html", "--state"])
        .arg(case.folder.path().join("state"))
        .arg("--output")
        .arg(&path)
        .arg(case.folder.path().join("missing.pcapng"))
        .output()?;
    assert_eq!(output.status.code(), Some(74));
    let left: Vec<_> = fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
    assert_eq!(left.len(), 1);
    assert_eq!(fs::read_to_string(&path)?, "the one before");
    Ok(())
}

/// Messages of the browser that should not have occurred.
fn complaints(browser: &Browser) -> Vec<String> {
    [
        "Log.entryAdded",
        "Runtime.consoleAPICalled",
        "Runtime.exceptionThrown",
    ]
    .iter()
    .flat_map(|name| browser.told(name))
    .map(ToString::to_string)
    .collect()
}

/// What the browser requested, besides the page itself.
fn requests(browser: &Browser, page: &Path) -> Vec<String> {
    let page = format!("file://{}", page.display());
    browser
        .told("Network.requestWillBeSent")
        .iter()
        .filter_map(|event| event["params"]["request"]["url"].as_str())
        .filter(|url| *url != page)
        .map(str::to_owned)
        .collect()
}

/// Whether the browser requests this on its own: the time, updates, accounts.
fn is_of_the_maker(url: &str) -> bool {
    let host = url.split('/').nth(2).unwrap_or_default();
    [".google.com", ".googleapis.com", ".gvt1.com"]
        .iter()
        .any(|maker| host.ends_with(maker))
}

/// Both plots are shown, in the light or dark color scheme.
fn plots(browser: &mut Browser, critical: [u8; 3], is_dark: bool) -> Result<()> {
    let timeline = browser.picture("#timeline")?;
    ensure!(
        timeline.width > 600 && timeline.height > 150,
        "a small plot"
    );
    let bars = timeline.count(critical);
    ensure!(bars > 100, "{bars} pixels of bars");
    let flows = browser.picture("#flows")?;
    // Bands are translucent, so the paper shows none of their colors.
    let paper = flows.pixels().next().context("a pixel")?;
    let bands = flows
        .pixels()
        .filter(|[red, green, _]| red.abs_diff(*green) > 24)
        .count();
    ensure!(bands > 5_000, "{bands} pixels of bands");
    let brightness = flows.brightness();
    ensure!(
        (brightness < 100) == is_dark,
        "brightness {brightness}, paper {paper:?}"
    );
    Ok(())
}

#[test]
fn the_page_opens_in_a_browser_and_does_nothing() -> Result<()> {
    let case = Case::new()?;
    let html = case.report("html", &case.captures)?;
    let page = case.folder.path().join("page.html");
    fs::write(&page, html)?;
    let mut browser = Browser::start()?;
    browser.open(&page, 1_200)?;
    let title = browser.value("document.title")?;
    ensure!(
        title
            .as_str()
            .is_some_and(|title| title.starts_with("Disclosure report")),
        "{title}"
    );
    let active = "[...document.querySelectorAll('*')].filter(own =>
        ['SCRIPT', 'IMG', 'IFRAME', 'OBJECT', 'EMBED', 'LINK', 'FORM'].includes(own.tagName)
        || [...own.attributes].some(one => one.name.startsWith('on') || one.name === 'style'))
        .length";
    assert_eq!(browser.value(active)?, 0, "active elements");
    // Hostile names are there, as text.
    let shown = browser.value("document.body.textContent.includes('onerror=')")?;
    assert_eq!(shown, true);
    for (question, answer) in [
        ("document.documentElement.lang", json!("en")),
        (
            "document.querySelectorAll('table:not(:has(th))').length",
            json!(0),
        ),
        (
            "document.querySelectorAll('svg[role=img]:not(:has(> title))').length",
            json!(0),
        ),
        (
            "document.querySelectorAll('tbody.finding').length",
            json!(36),
        ),
        (
            "[...document.querySelectorAll('a')].every(own =>
                document.getElementById(own.getAttribute('href').slice(1)))",
            json!(true),
        ),
        (
            "document.documentElement.scrollWidth <= innerWidth",
            json!(true),
        ),
    ] {
        assert_eq!(browser.value(question)?, answer, "{question}");
    }
    plots(&mut browser, [0x96, 0x18, 0x4a], false)?;
    let tab = json!({"type": "keyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9});
    browser.call("Input.dispatchKeyEvent", &tab)?;
    assert_eq!(browser.value("document.activeElement.className")?, "skip");
    let media = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    browser.call("Emulation.setEmulatedMedia", &media)?;
    plots(&mut browser, [0xea, 0x5d, 0x8c], true)?;
    // Printed it is light, whatever the screen is.
    let media = json!({"media": "print", "features": [
        {"name": "prefers-color-scheme", "value": "dark"}]});
    browser.call("Emulation.setEmulatedMedia", &media)?;
    plots(&mut browser, [0x96, 0x18, 0x4a], false)?;
    let printed = browser.print()?;
    assert!(printed.starts_with(b"%PDF") && printed.len() > 20_000);
    assert_eq!(complaints(&browser), Vec::<String>::new());
    assert_eq!(requests(&browser, &page), Vec::<String>::new());
    // Even injected content would not run or load.
    browser.value(
        "(() => { const own = document.createElement('script');
            own.textContent = 'window.owned = 1'; document.body.append(own);
            new Image().src = 'http://127.0.0.1:9/x.png';
            const sheet = document.createElement('style');
            sheet.textContent = 'body { display: none }'; document.body.append(sheet); })()",
    )?;
    assert_eq!(browser.value("String(window.owned)")?, "undefined");
    assert_eq!(
        browser.value("getComputedStyle(document.body).display")?,
        "block"
    );
    ensure!(!complaints(&browser).is_empty(), "the policy is in force");
    // Of everything that left the browser, also below the protocol, only
    // requests to its maker remain.
    let asked: Vec<_> = browser
        .close()?
        .into_iter()
        .filter(|url| url.starts_with("http") && !is_of_the_maker(url))
        .collect();
    assert_eq!(asked, Vec::<String>::new());
    Ok(())
}
