//! Whether the kernel lets phiwatch work.

use std::{
    io::{self, Write as _},
    process::Stdio,
    thread,
};

use anyhow::{Context as _, Result, bail};

use crate::{Sandbox, Side, phiwatch};

/// Exit codes of `doctor` that mean a refusal: kernel cannot, not permitted.
const REFUSALS: &[i32] = &[69, 77];

/// A sandbox in which live tests can run, or `None` where the kernel refuses.
///
/// A refusal is reported with its reason on a line that `cargo xtask test`
/// counts as skipped. Where the kernel permits, whatever fails is a failure.
pub fn sandbox() -> Result<Option<Sandbox>> {
    let sandbox = Sandbox::new()?;
    match refusal(&sandbox)? {
        None => Ok(Some(sandbox)),
        Some(reason) => {
            let name = thread::current().name().unwrap_or("test").to_owned();
            // Past the test runner's capture of what tests print.
            writeln!(io::stdout(), "\nSKIPPED(kernel): {name}: {reason}")?;
            Ok(None)
        }
    }
}

/// Why phiwatch cannot work in this kernel, in its own words.
pub fn refusal(sandbox: &Sandbox) -> Result<Option<String>> {
    let mut doctor = sandbox.command(Side::Outside, phiwatch());
    doctor.arg("doctor");
    let output = doctor
        .stdin(Stdio::null())
        .output()
        .context("start phiwatch doctor")?;
    let said = || {
        let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        String::from_utf8_lossy(&text)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    match output.status.code() {
        Some(0) => Ok(None),
        Some(code) if REFUSALS.contains(&code) => Ok(Some(format!("exit {code}: {}", said()))),
        _ => bail!("phiwatch doctor ended with {}: {}", output.status, said()),
    }
}
