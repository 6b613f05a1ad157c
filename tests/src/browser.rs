//! A real browser, driven over the two pipes of its debugging protocol.
//!
//! In: a file to open, and commands of the protocol. Out: their responses, the
//! browser's events, and pictures. It keeps its profile in a folder of its own
//! and ends with its guard.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{picture::Picture, wait};

/// How long any operation of the browser may take. It starts slowly on a busy
/// machine.
const LIMIT: Duration = Duration::from_mins(2);

/// Keeps the browser from talking to its maker.
const QUIET: &[&str] = &[
    "--headless=new",
    // Tests run as root in a container, where its sandbox does not work.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
];

/// A page in a running browser.
pub struct Browser {
    child: Child,
    commands: File,
    answers: Receiver<Value>,
    session: Option<String>,
    number: u64,
    events: Vec<Value>,
    folder: TempDir,
}

impl Browser {
    /// Starts a browser with an empty page.
    pub fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        for name in ["in", "out"] {
            let path = folder.path().join(name);
            mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                .with_context(|| format!("create {}", path.display()))?;
        }
        let profile = format!("--user-data-dir={}", folder.path().join("p").display());
        let log = format!("--log-net-log={}", folder.path().join("net.json").display());
        // The protocol uses descriptors 3 and 4, which the shell can provide.
        let mut child = Command::new("sh")
            .args(["-c", ALONE])
            .arg(folder.path())
            .args(QUIET)
            .args(["--remote-debugging-pipe", &profile, &log, "about:blank"])
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("stderr"))?)
            .process_group(0)
            .spawn()
            .context("start chromium")?;
        let opened = pipes(folder.path());
        let (commands, answers) = match opened {
            Ok(pipes) => pipes,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        let mut browser = Self {
            child,
            commands,
            answers,
            session: None,
            number: 0,
            events: Vec::new(),
            folder,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach)?;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.call(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(browser)
    }

    /// Opens a file in a window of this width.
    pub fn open(&mut self, path: &Path, width: u32) -> Result<()> {
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &metrics)?;
        self.events.clear();
        let url = format!("file://{}", path.display());
        let begun = self.call("Page.navigate", &json!({"url": url}))?;
        ensure!(begun.get("errorText").is_none(), "{begun}");
        let deadline = Instant::now() + LIMIT;
        while !self.has_event("Page.loadEventFired") {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.answers.recv_timeout(left).context("the page loads")?;
            self.events.push(event);
        }
        Ok(())
    }

    /// Does a command and gives its result.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.number += 1;
        let mut command = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands
            .write_all(&bytes)
            .context("the browser runs")?;
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut answer = self
                .answers
                .recv_timeout(left)
                .with_context(|| format!("an answer to {method}: {}", self.stderr()))?;
            if answer["id"] != self.number {
                self.events.push(answer);
                continue;
            }
            if let Some(error) = answer.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(answer["result"].take());
        }
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, expression: &str) -> Result<Value> {
        let parameters = json!({"expression": expression, "returnByValue": true});
        let mut result = self.call("Runtime.evaluate", &parameters)?;
        ensure!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        Ok(result["result"]["value"].take())
    }

    /// A picture of what the selector means.
    pub fn picture(&mut self, selector: &str) -> Result<Picture> {
        let place = self.value(&format!(
            "(() => {{ const box = document.querySelector('{selector}').getBoundingClientRect();
               return {{x: box.x + scrollX, y: box.y + scrollY, width: box.width,
                        height: box.height, scale: 1}}; }})()"
        ))?;
        let shot = json!({"clip": place, "captureBeyondViewport": true});
        let shot = self.call("Page.captureScreenshot", &shot)?;
        let data = shot["data"].as_str().context("a picture")?;
        Picture::decode(&STANDARD.decode(data)?)
    }

    /// The page as it would be printed.
    pub fn print(&mut self) -> Result<Vec<u8>> {
        let printed = self.call("Page.printToPDF", &json!({"printBackground": true}))?;
        let data = printed["data"].as_str().context("a document")?;
        Ok(STANDARD.decode(data)?)
    }

    /// The events since the page was opened whose name begins with `prefix`.
    pub fn told(&self, prefix: &str) -> Vec<&Value> {
        self.events
            .iter()
            .filter(|event| {
                let name = event["method"].as_str();
                name.is_some_and(|name| name.starts_with(prefix))
            })
            .collect()
    }

    fn has_event(&self, name: &str) -> bool {
        !self.told(name).is_empty()
    }

    /// Ends the browser, and returns the addresses that it requested since it
    /// was started, according to its network log.
    pub fn close(mut self) -> Result<Vec<String>> {
        self.session = None;
        self.call("Browser.close", &json!({}))?;
        wait("chromium ends", LIMIT, || Ok(self.child.try_wait()?))?;
        let log = fs::read_to_string(self.folder.path().join("net.json"))?;
        let log: Value = serde_json::from_str(&log).context("the network log")?;
        let events = log["events"].as_array().context("events")?;
        let mut urls: Vec<_> = events
            .iter()
            .filter_map(|event| event["params"]["url"].as_str())
            .map(str::to_owned)
            .collect();
        urls.sort_unstable();
        urls.dedup();
        Ok(urls)
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }
}

/// Starts chromium in a separate network, which nothing can leave.
const ALONE: &str = r#"exec unshare --net chromium "$@" 3<"$0/in" 4>"$0/out""#;

/// Opens both pipes, once the shell has opened its ends.
fn pipes(folder: &Path) -> Result<(File, Receiver<Value>)> {
    let (sender, opened) = mpsc::channel();
    let (into, out) = (folder.join("in"), folder.join("out"));
    thread::spawn(move || {
        let open = || -> Result<(File, File)> {
            let commands = File::options().write(true).open(into)?;
            Ok((commands, File::open(out)?))
        };
        // After a timeout nobody listens any more.
        sender.send(open()).ok()
    });
    let (commands, out) = opened.recv_timeout(LIMIT).context("the shell starts")??;
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut bytes = Vec::new();
        while out.read_until(0, &mut bytes).is_ok_and(|length| length > 0) {
            bytes.pop();
            let Ok(answer) = serde_json::from_slice(&bytes) else {
                return;
            };
            if sender.send(answer).is_err() {
                return;
            }
            bytes.clear();
        }
    });
    Ok((commands, answers))
}

impl Drop for Browser {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // Its helpers are in its process group.
        if let Ok(group) = i32::try_from(self.child.id())
            && let Some(group) = rustix::process::Pid::from_raw(group)
        {
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        self.child.wait().ok();
    }
}
