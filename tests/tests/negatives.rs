//! The same data sent to hosts that are no trackers is no finding.

use anyhow::Result;
use tests::{
    Daemon, OTHERS, Sink,
    client::{self, Job},
    kernel,
    patient::{self, META_PATH},
    sink::Options,
};

#[test]
fn two_hundred_requests_to_others_are_no_finding() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let mut sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    for host in OTHERS {
        let job = Job {
            host,
            path: "/api/patients",
            body: &body,
            count: 25,
        };
        client::CURL.send(&sandbox, job)?;
        client::HTTP_CLIENT.send(&sandbox, job)?;
    }
    sink.requests(OTHERS.len() * 50)?;
    // The last request must be the only finding; when it is reported, all
    // others have been examined.
    let host = "graph.facebook.com";
    client::CURL.send(
        &sandbox,
        Job {
            host,
            path: META_PATH,
            body: &body,
            count: 1,
        },
    )?;
    let findings = daemon.findings(1)?;
    let hosts: Vec<_> = findings
        .iter()
        .map(|finding| &finding["recipient"]["host"])
        .collect();
    assert_eq!(hosts, [host]);
    assert_eq!(
        daemon.metric("phiwatch_findings_total", "")?.to_string(),
        "1"
    );
    Ok(())
}
