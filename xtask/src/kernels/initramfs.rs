//! The contents of a guest's initramfs: phiwatch, busybox, clients and sinks in
//! C, and the libraries that they need.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use super::clients;
use crate::{process, workspace};

/// Programs of `tests/native`.
const NATIVE: &[&str] = &["sink", "exact", "crowd", "fibers"];

/// Everything is watched all the time: in a guest each probe costs so much that
/// the budget would be about QEMU.
const CONFIGURATION: &str = "[overhead]\nbudget = 0.0\n";

/// Makes the archive, and gives its path.
pub(super) fn make(home: &Path, phiwatch: &Path) -> Result<PathBuf> {
    let root = home.join("root");
    if root.is_dir() {
        fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))?;
    }
    for folder in ["bin", "etc/ssl", "proc", "sys", "dev", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let bin = root.join("bin");
    copy(&home.join("busybox/bin/busybox"), &bin.join("busybox"))?;
    // For doctor, which needs a program that maps the C library.
    copy(Path::new("/bin/true"), &bin.join("true"))?;
    let mut strip = process::command("strip");
    process::run(strip.arg("-o").arg(bin.join("phiwatch")).arg(phiwatch))?;
    for name in NATIVE {
        compile(name, &bin)?;
    }
    for program in ["phiwatch", "true"].iter().chain(NATIVE) {
        libraries(&bin.join(program), &root)?;
    }
    certificate(&root.join("etc/ssl"))?;
    let hosts = format!("127.0.0.1 localhost {}\n", clients::HOST);
    for (path, text, is_program) in [
        ("init", include_str!("guest.sh"), true),
        ("bin/answer", include_str!("answer.sh"), true),
        ("clients", &clients::lines(), false),
        (&clients::BODY[1..], include_str!("event.json"), false),
        ("etc/hosts", &hosts, false),
        ("etc/phiwatch.toml", CONFIGURATION, false),
    ] {
        let path = root.join(path);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        if is_program {
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        }
    }
    pack(&root, &home.join("initramfs"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    Ok(())
}

fn compile(name: &str, bin: &Path) -> Result<()> {
    let source = workspace::root().join(format!("tests/native/{name}.c"));
    let mut cc = process::command("cc");
    cc.arg("-O2").arg("-o").arg(bin.join(name)).arg(source);
    process::run(cc.args(["-lssl", "-lcrypto", "-lpthread"]))
}

/// Copies the libraries that a program loads to where it looks for them.
fn libraries(program: &Path, root: &Path) -> Result<()> {
    let listed = process::output(process::command("ldd").arg(program))?;
    let paths: BTreeSet<_> = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .collect();
    ensure!(!paths.is_empty(), "{} has no libraries", program.display());
    for path in paths {
        let to = root.join(&path[1..]);
        fs::create_dir_all(to.parent().context("a library is in a folder")?)?;
        copy(Path::new(path), &to)?;
    }
    Ok(())
}

/// A certificate that the clients trust and the sinks use.
fn certificate(folder: &Path) -> Result<()> {
    let mut openssl = process::command("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-subj", "/CN=phiwatch test sink", "-addext"]);
    openssl.arg(format!("subjectAltName=DNS:{}", clients::HOST));
    openssl.arg("-keyout").arg(folder.join("sink.key"));
    openssl.arg("-out").arg(folder.join("sink.pem"));
    let output = openssl.output().context("start openssl")?;
    ensure!(
        output.status.success(),
        "openssl ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn pack(root: &Path, archive: &Path) -> Result<PathBuf> {
    let create =
        |path: &Path| File::create(path).with_context(|| format!("create {}", path.display()));
    let list = archive.with_extension("list");
    let mut find = process::command("find");
    process::run(find.arg(".").current_dir(root).stdout(create(&list)?))?;
    let mut cpio = process::command("cpio");
    cpio.args(["--create", "--quiet", "--format=newc", "--owner=0:0"]);
    cpio.current_dir(root).stdin(File::open(&list)?);
    process::run(cpio.stdout(create(archive)?))?;
    Ok(archive.to_owned())
}
