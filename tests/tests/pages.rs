//! Pages that servers send are examined for the trackers that they load.
//!
//! nginx and a Python server, each in plaintext and over TLS, send the same
//! pages on persistent connections, among files that are no pages.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::{Daemon, Running, Sandbox, Side, daemon, file, kernel, phiwatch};

/// Whose pages they are.
const HOST: &str = "shop.example.com";
/// Occurs in every page, and must not reach anything that phiwatch writes.
const MARK: &str = "Quillonbrandt";

const META: &str = "<script>!function(f,b,e,v){}(window,document,'script',\
    'https://connect.facebook.net/en_US/fbevents.js');fbq('init','100000000000001');\
    fbq('track','PageView');</script>\
    <noscript><img src=\"https://www.facebook.com/tr?id=1&amp;ev=PageView\"></noscript>";
const GTM: &str = "<script>(function(w,d,s,l,i){w[l]=w[l]||[];var j=d.createElement(s);\
    j.src='https://www.googletagmanager.com/gtm.js?id='+i})\
    (window,document,'script','dataLayer','GTM-AB12CD3');</script>";
const TIKTOK: &str = "<script>!function(w,d,t){}(window,document,'ttq');\
    ttq.load('C0000000000000000001');ttq.page();</script>";

/// A server and its origin.
struct Server {
    origin: String,
    _running: Running,
}

fn page(folder: &Path, name: &str, head: &str, body: &str) -> Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).context("create a folder of pages")?;
    }
    // Longer than one packet, and than the head that is inspected first.
    let filler = format!("<p>{MARK}</p>\n").repeat(400);
    let markup =
        format!("<!doctype html><html><head>{head}</head><body>{body}{filler}</body></html>");
    fs::write(&path, markup).with_context(|| format!("write {name}"))
}

fn write_pages(folder: &Path) -> Result<()> {
    page(folder, "clean.html", "<title>Depression</title>", "")?;
    page(
        folder,
        "conditions/depression.html",
        &format!("<title>Depression</title>{META}{GTM}"),
        "",
    )?;
    page(
        folder,
        "start.html",
        &format!("<title>Anxiety treatment</title>{TIKTOK}"),
        "<form><label>Date of birth <input name=dob></label><input type=tel name=phone></form>",
    )?;
    fs::write(
        folder.join("app.js"),
        format!("const mark = '{MARK}';").repeat(500),
    )
    .context("write app.js")
}

fn nginx(sandbox: &Sandbox, folder: &Path) -> Result<Running> {
    let base = sandbox.folder().display();
    let configuration = format!(
        "user root; worker_processes 1; daemon off; pid {base}/pages-nginx.pid; error_log stderr;
         events {{ worker_connections 64; }}
         http {{
             types {{ text/html html; text/javascript js; }}
             access_log off; gzip on; gzip_min_length 100; sendfile on; root {};
             client_body_temp_path {base}/p-body; proxy_temp_path {base}/p-proxy;
             fastcgi_temp_path {base}/p-fastcgi; uwsgi_temp_path {base}/p-uwsgi;
             scgi_temp_path {base}/p-scgi;
             server {{ listen 127.0.0.1:8081; }}
             server {{
                 listen 127.0.0.1:8443 ssl;
                 ssl_certificate {}; ssl_certificate_key {};
             }}
         }}",
        folder.display(),
        sandbox.authority.certificate.display(),
        sandbox.authority.key.display(),
    );
    let path = sandbox.folder().join("pages-nginx.conf");
    fs::write(&path, configuration).context("write the configuration of nginx")?;
    let mut command = sandbox.command(Side::Watched, "nginx");
    command.args(["-e", "stderr", "-c"]).arg(path);
    let running = sandbox.start("pages-nginx", command)?;
    tests::wait("nginx listens", std::time::Duration::from_secs(10), || {
        let mut probe = sandbox.command(Side::Outside, "curl");
        probe.args([
            "--silent",
            "--output",
            "/dev/null",
            "http://127.0.0.1:8081/app.js",
        ]);
        Ok(sandbox.run(&mut probe).ok())
    })?;
    Ok(running)
}

fn python(sandbox: &Sandbox, folder: &Path, port: u16, tls: bool) -> Result<Server> {
    let mut command = sandbox.command(Side::Watched, "/usr/bin/python3");
    command
        .arg(file("servers/pages_server.py"))
        .arg(port.to_string())
        .arg(folder);
    if tls {
        command
            .arg(&sandbox.authority.certificate)
            .arg(&sandbox.authority.key);
    }
    let mut running = sandbox.start(&format!("pages-python-{port}"), command)?;
    running.wait_for("its port", |line| (line == "listening").then_some(()))?;
    let scheme = if tls { "https" } else { "http" };
    Ok(Server {
        origin: format!("{scheme}://{HOST}:{port}"),
        _running: running,
    })
}

/// Requests the targets one after the other on one connection.
fn get(sandbox: &Sandbox, origin: &str, targets: &[&str], compressed: bool) -> Result<()> {
    let mut curl = sandbox.command(Side::Outside, "curl");
    curl.args(["--silent", "--show-error", "--fail", "--http1.1"]);
    if compressed {
        curl.arg("--compressed");
    }
    for target in targets {
        curl.args(["--output", "/dev/null"])
            .arg(format!("{origin}{target}"));
    }
    sandbox.run(&mut curl)?;
    Ok(())
}

/// `TRACKER PATH SEVERITY COMPLETENESS`, sorted.
fn shown(findings: &[Value]) -> Vec<String> {
    let mut lines: Vec<_> = findings
        .iter()
        .map(|finding| {
            assert_eq!(finding["kind"], "page", "{finding}");
            assert_eq!(finding["request"]["host"], HOST, "{finding}");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            [
                text(&finding["recipient"]["tracker"]),
                text(&finding["request"]["path"]),
                text(&finding["severity"]),
                text(&finding["completeness"]),
            ]
            .join(" ")
        })
        .collect();
    lines.sort();
    lines
}

const TARGETS: &[&str] = &[
    "/app.js",
    "/clean.html",
    "/conditions/depression.html?email=avery.testcase@example.com",
    "/app.js",
    "/start.html",
];
const EXPECTED: &[&str] = &[
    "google_tag_manager /conditions/depression.html high complete",
    "meta /conditions/depression.html critical complete",
    "tiktok /start.html high complete",
];

fn check(server: impl FnOnce(&Sandbox, &Path) -> Result<Server>) -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let folder = sandbox.folder().join("www");
    write_pages(&folder)?;
    let server = server(&sandbox, &folder)?;
    let _worker = sandbox.worker()?;
    let captures = sandbox.folder().join("evidence");
    let arguments = ["--capture".as_ref(), captures.as_os_str()];
    let mut daemon = Daemon::run(&sandbox, &arguments)?;
    get(&sandbox, &server.origin, TARGETS, false)?;
    let first = daemon.findings(EXPECTED.len())?;
    assert_eq!(shown(&first), EXPECTED);
    // The same pages, compressed: nothing new. Then one with another tracker.
    get(&sandbox, &server.origin, TARGETS, true)?;
    page(
        &folder,
        "start.html",
        &format!("<title>Anxiety treatment</title>{TIKTOK}{META}"),
        "<input name=dob><input type=tel name=phone>",
    )?;
    get(
        &sandbox,
        &server.origin,
        &["/clean.html", "/start.html?x=2"],
        true,
    )?;
    let all = daemon.findings(EXPECTED.len() + 1)?;
    assert_eq!(
        shown(all.get(EXPECTED.len()..).unwrap_or_default()),
        ["meta /start.html high complete"]
    );
    let page_findings = daemon.metric("phiwatch_findings_total", "kind=\"page\"")?;
    assert!((page_findings - 4.0).abs() < 0.1, "{page_findings}");
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let all = daemon::findings(&daemon.journal_path())?;
    assert_eq!(all.len(), EXPECTED.len() + 1, "{all:#?}");
    let written = [
        daemon.running.stdout()?,
        daemon.running.stderr()?,
        fs::read_to_string(daemon.journal_path())?,
    ]
    .concat();
    for value in [MARK, "avery", "fbevents"] {
        assert!(!written.contains(value), "{value} was written");
    }
    assert_eq!(shown(&replay(&sandbox, &captures)?), shown(&all));
    Ok(())
}

/// The findings of a replay of what was captured.
fn replay(sandbox: &Sandbox, captures: &Path) -> Result<Vec<Value>> {
    let output = Command::new(phiwatch())
        .args(["replay", "--format", "jsonl", "--state"])
        .args([sandbox.state().as_path(), captures])
        .output()
        .context("start phiwatch replay")?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)?
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

#[test]
fn nginx_in_plaintext() -> Result<()> {
    check(|sandbox, folder| {
        Ok(Server {
            _running: nginx(sandbox, folder)?,
            origin: format!("http://{HOST}:8081"),
        })
    })
}

#[test]
fn nginx_by_tls() -> Result<()> {
    check(|sandbox, folder| {
        Ok(Server {
            _running: nginx(sandbox, folder)?,
            origin: format!("https://{HOST}:8443"),
        })
    })
}

#[test]
fn python_in_plaintext() -> Result<()> {
    check(|sandbox, folder| python(sandbox, folder, 9080, false))
}

#[test]
fn python_by_tls() -> Result<()> {
    check(|sandbox, folder| python(sandbox, folder, 9443, true))
}

/// A page that exceeds what is handed over, and one in chunks that are written
/// separately.
#[test]
fn long_and_chunked_pages() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let folder = sandbox.folder().join("www");
    write_pages(&folder)?;
    let long = format!("<p>{MARK}</p>\n").repeat(40_000);
    page(&folder, "about.html", META, &long)?;
    for (port, tls) in [(9080, false), (9443, true)] {
        let server = python(&sandbox, &folder, port, tls)?;
        let mut daemon = Daemon::run::<&str>(&sandbox, &[])?;
        let targets = ["/about.html", "/app.js", "/chunked/start.html"];
        get(&sandbox, &server.origin, &targets, false)?;
        let found = daemon.findings(2)?;
        assert_eq!(
            shown(&found),
            [
                "meta /about.html info gap",
                "tiktok /chunked/start.html high complete"
            ]
        );
        assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
        fs::remove_file(daemon.journal_path()).context("remove the journal")?;
    }
    Ok(())
}
