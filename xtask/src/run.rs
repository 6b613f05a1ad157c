//! `run`: build, then become phiwatch.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, Result};

use crate::{build, workspace};

/// Replaces this process by phiwatch, so that signals and the exit code are its
/// own. Returns only if that fails.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    build::build()?;
    let binary = workspace::phiwatch();
    let error = Command::new(&binary).args(arguments).exec();
    Err(error).with_context(|| format!("start {}", binary.display()))
}
