//! Whether the kernel lets phiwatch work.

use std::{
    io::{self, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, bail};

use crate::{Sandbox, Side, phiwatch};

/// Exit codes of `doctor` that mean a refusal: kernel cannot, not permitted.
const REFUSALS: &[i32] = &[69, 77];

/// A sandbox in which live tests can run, or `None` where the kernel refuses.
///
/// A refusal is reported with its reason on a line that `cargo xtask test`
/// counts as skipped. Where the kernel permits live tests, every failure
/// counts.
pub fn sandbox() -> Result<Option<Sandbox>> {
    let sandbox = Sandbox::new()?;
    match refusal(&sandbox)? {
        None => Ok(Some(sandbox)),
        Some(reason) => {
            if permits()? {
                bail!("the kernel makes a ring and knows uprobes, yet doctor refuses: {reason}");
            }
            let name = thread::current().name().unwrap_or("test").to_owned();
            // Bypasses the test runner's capture of output.
            writeln!(io::stdout(), "\nSKIPPED(kernel): {name}: {reason}")?;
            Ok(None)
        }
    }
}

/// `bpf(BPF_MAP_CREATE)` for a ring buffer of one page: exits with 0 if it works.
const MAKE_RING: &str = "\
import ctypes, sys
attributes = (ctypes.c_uint32 * 32)(27, 0, 0, 4096)
made = ctypes.CDLL(None).syscall(321, 0, ctypes.byref(attributes), ctypes.sizeof(attributes))
sys.exit(0 if made >= 0 else 1)";

/// Whether the kernel permits what live tests need, checked without phiwatch: a
/// doctor that refuses for no reason must not turn failures into skips.
fn permits() -> Result<bool> {
    let status = Command::new("python3")
        .args(["-c", MAKE_RING])
        .status()
        .context("start python3")?;
    let knows_uprobes = Path::new("/sys/bus/event_source/devices/uprobe/type").exists();
    Ok(status.success() && knows_uprobes && cfg!(target_arch = "x86_64"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doctor_and_the_kernel_agree() -> Result<()> {
        let sandbox = Sandbox::new()?;
        assert_eq!(refusal(&sandbox)?.is_none(), permits()?);
        Ok(())
    }
}
