//! Programs in C, for what no stock client does.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{file, tool};

/// Compiles `native/NAME.c` against the host's `OpenSSL` into `folder`.
pub fn compile(name: &str, folder: &Path) -> Result<PathBuf> {
    compiled(name, folder, |cc| {
        cc.args(["-lssl", "-lcrypto", "-lpthread"]);
    })
}

/// As [`compile_with_own_tls`], and takes out of the program what its TLS functions are
/// recognized by then: the folder in the paths of source files that they raise errors
/// with.
pub fn compile_with_hidden_tls(name: &str, folder: &Path) -> Result<PathBuf> {
    let program = compile_with_own_tls(name, folder)?;
    let mut bytes = fs::read(&program).context("read the program")?;
    let path = b"ssl/ssl_lib.c";
    let windows = bytes.windows(path.len()).enumerate();
    let found: Vec<usize> = windows
        .filter_map(|(at, window)| (window == path).then_some(at))
        .collect();
    ensure!(!found.is_empty(), "{name} has no path of a source file");
    for at in found {
        bytes[at..at + "ssl".len()].fill(b'-');
    }
    fs::write(&program, bytes).context("write the program")?;
    Ok(program)
}

/// Compiles `native/NAME.c` with a copy of `OpenSSL` in the program, and strips it: no
/// symbol tells its functions.
pub fn compile_with_own_tls(name: &str, folder: &Path) -> Result<PathBuf> {
    compiled(name, folder, |cc| {
        cc.args(["-s", "-l:libssl.a", "-l:libcrypto.a", "-lpthread", "-ldl"]);
    })
}

/// Compiles `native/NAME.c` into a library.
pub fn compile_library(name: &str, folder: &Path) -> Result<PathBuf> {
    compiled(name, folder, |cc| {
        cc.args(["-shared", "-fPIC", "-ldl"]);
    })
}

/// Compiles `native/NAME.c` with `OpenSSL` linked into it, and strips it; its symbols
/// are packed into a section, as Fedora does with every program.
pub fn compile_packed(name: &str, folder: &Path) -> Result<PathBuf> {
    let program = compiled(name, folder, |cc| {
        cc.args(["-Wl,-Bstatic", "-lssl", "-lcrypto"]);
        cc.args(["-Wl,-Bdynamic", "-lpthread"]);
    })?;
    let symbols = folder.join("symbols");
    let run = |tool: &str, arguments: &[&OsStr]| {
        let output = Command::new(tool).args(arguments).output();
        let output = output.with_context(|| format!("start {tool}"))?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{tool}: {error}");
        Ok(())
    };
    let (path, symbols) = (program.as_os_str(), symbols.as_os_str());
    run("objcopy", &["--only-keep-debug".as_ref(), path, symbols])?;
    run("xz", &["--force".as_ref(), symbols])?;
    let mut section = OsString::from(".gnu_debugdata=");
    section.push(symbols);
    section.push(".xz");
    run("strip", &["--strip-all".as_ref(), path])?;
    run("objcopy", &["--add-section".as_ref(), &section, path])?;
    Ok(program)
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
