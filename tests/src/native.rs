//! Programs in C, for what no stock client does.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::file;

/// Compiles `native/NAME.c` against the host's `OpenSSL` into `folder`.
pub fn compile(name: &str, folder: &Path) -> Result<PathBuf> {
    let program = folder.join(name);
    let output = Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(file(&format!("native/{name}.c")))
        .args(["-lssl", "-lcrypto", "-lpthread"])
        .output()
        .context("start cc")?;
    if !output.status.success() {
        bail!(
            "cc does not take {name}.c: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(program)
}
