//! Programs in C, for what no stock client does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{file, tool};

/// Compiles `native/NAME.c` against the host's `OpenSSL` into `folder`.
pub fn compile(name: &str, folder: &Path) -> Result<PathBuf> {
    compiled(name, folder, |cc| {
        cc.args(["-lssl", "-lcrypto", "-lpthread"]);
    })
}

/// Compiles `native/NAME.c` against musl into `folder`, where its loader is then
/// under the name that Alpine gives it.
pub fn compile_for_musl(name: &str, folder: &Path) -> Result<PathBuf> {
    let musl = tool("libssl/musl/usr/lib/x86_64-linux-musl");
    let loader = folder.join("ld-musl-x86_64.so.1");
    fs::copy(musl.join("libc.so"), &loader).context("copy musl")?;
    compiled(name, folder, |cc| {
        cc.args(["-nostdlib", "-fno-stack-protector"]);
        cc.args(["Scrt1.o", "crti.o"].map(|name| musl.join(name)));
        cc.arg(&loader).arg(musl.join("crtn.o"));
        cc.arg(format!("-Wl,--dynamic-linker={}", loader.display()));
    })
}

/// Compiles a program with further arguments.
fn compiled(name: &str, folder: &Path, told: impl FnOnce(&mut Command)) -> Result<PathBuf> {
    let program = folder.join(name);
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(file(&format!("native/{name}.c")));
    told(&mut cc);
    let output = cc.output().context("start cc")?;
    if !output.status.success() {
        bail!(
            "cc does not take {name}.c: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(program)
}
