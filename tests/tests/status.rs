//! The finding contains the status of the tracker's response.

use anyhow::Result;
use tests::{
    Daemon, Side, Sink, kernel,
    patient::{self, META_PATH},
    sink::Options,
};

#[test]
fn the_sinks_status_is_in_the_finding() -> Result<()> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(());
    };
    let _sink = Sink::start(&sandbox, Options::default())?;
    let _worker = sandbox.worker()?;
    let daemon = Daemon::run::<&str>(&sandbox, &[])?;
    let body = patient::event_file(&sandbox)?;
    let statuses = [200_u64, 204, 400, 403, 429, 500, 503];
    for (index, status) in statuses.iter().enumerate() {
        let mut curl = sandbox.command(Side::Watched, "curl");
        curl.args([
            "--silent",
            "--http1.1",
            "--header",
            &format!("X-Sink-Status: {status}"),
        ]);
        curl.arg("--data-binary")
            .arg(format!("@{}", body.display()));
        sandbox.run(curl.arg(format!("https://graph.facebook.com{META_PATH}")))?;
        let findings = daemon.findings(index + 1)?;
        assert_eq!(findings[index]["request"]["status"].as_u64(), Some(*status));
    }
    Ok(())
}
