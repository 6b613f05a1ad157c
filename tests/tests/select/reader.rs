//! Readers of standard output that go away, as `head` does.

use std::{
    fs,
    io::Read as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use tests::phiwatch;

use super::{Workspace, archive, entry, meta};

#[test]
fn a_reader_that_goes_away_ends_it_quietly() -> Result<()> {
    let workspace = Workspace::new()?;
    let many: Vec<_> = (0..600)
        .map(|number| {
            let body = meta(&format!("person{number}@example.com"));
            let time = format!("2026-11-24T01:{:02}:{:02}Z", number / 60, number % 60);
            entry(
                &time,
                "graph.facebook.com",
                "/v26.0/1234/events",
                &body,
                200,
            )
        })
        .collect();
    archive(&workspace.path("many.har"), &many)?;
    fs::write(
        workspace.path("agreed.toml"),
        "[policy]\nbaa = [\"meta\"]\n",
    )?;
    for (arguments, code) in [
        (&["replay", "many.har", "--format", "jsonl"][..], 0),
        (
            &[
                "replay",
                "many.har",
                "--format",
                "jsonl",
                "--fail-on",
                "high",
            ],
            1,
        ),
        (&["replay", "many.har", "--diff", "agreed.toml"], 0),
        (&["explain"], 0),
        (&["trackers"], 0),
        (&["trackers", "--json"], 0),
    ] {
        let mut command = match arguments {
            ["explain"] => {
                let mut command = Command::new(phiwatch());
                command.arg("explain");
                command
            }
            _ => workspace.command(arguments),
        };
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdout = child.stdout.take().context("standard output")?;
        stdout.read_exact(&mut [0; 1])?;
        drop(stdout);
        let output = child.wait_with_output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(!error.contains("roken pipe"), "{error}");
    }
    Ok(())
}
