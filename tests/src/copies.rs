//! Many copies of the TLS library, each a file of its own, and the processes that
//! map them.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};

use crate::{Daemon, Running, Sandbox, wait};

/// How many files one owner brings: fewer than phiwatch lets one have.
const EACH: usize = 50;

/// How long it may take until all are hooked.
const HOOKED: Duration = Duration::from_mins(1);

/// The processes, which do nothing but map the copies.
pub struct Copies {
    processes: Vec<Running>,
    count: usize,
}

impl Copies {
    /// Makes `count` copies and maps them: 50 in each process, and each process in a
    /// container of its own.
    pub fn mapped(sandbox: &Sandbox, count: usize) -> Result<Self> {
        let library = sandbox.host_tls_library()?;
        let paths: Vec<PathBuf> = (0..count)
            .map(|number| {
                let folder = sandbox.folder().join(format!("copies/{number}"));
                fs::create_dir_all(&folder)?;
                let path = folder.join("libssl.so.3");
                fs::copy(&library, &path)?;
                Ok(path)
            })
            .collect::<Result<_>>()
            .context("copy libssl.so.3")?;
        let mut processes = Vec::new();
        for (number, paths) in paths.chunks(EACH).enumerate() {
            let name = format!("copies-{number}");
            let container = sandbox.container(&name)?;
            let mut command = sandbox.command_in(&container, "/usr/bin/python3");
            command.arg(crate::file("clients/hold_tls.py")).args(paths);
            processes.push(sandbox.start(&name, command)?);
        }
        for process in &mut processes {
            process.wait_for("its libraries", |line| (line == "ready").then_some(()))?;
        }
        Ok(Self { processes, count })
    }

    /// Waits until phiwatch has hooked all of them.
    pub fn hooked(&self, daemon: &Daemon<'_>) -> Result<()> {
        wait("hooks in all copies", HOOKED, || {
            let hooked = daemon.metric("phiwatch_tls_libraries", "hooked=\"true\"")?;
            Ok((hooked >= self.count as f64).then_some(()))
        })
    }

    /// Whether all processes are still there.
    pub fn are_mapped(&mut self) -> Result<bool> {
        for process in &mut self.processes {
            if !process.is_alive()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
