//! Builds the kernel programs, which are embedded in the binary, compiles the data of
//! detection, and computes the fingerprint of the rules.

#![expect(
    clippy::print_stdout,
    reason = "standard output is how a build script speaks to cargo"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

#[path = "../src/phi/stem.rs"]
mod stem;
mod tables;
mod words;

/// What determines the evidence that a message gives: captures name the rules
/// that they were recorded with.
const RULES: &[&str] = &["data", "src/class.rs", "src/field", "src/phi"];

fn main() -> Result<()> {
    tables::compile()?;
    // aya-build watches the package's own files; a new aya-ebpf must rebuild
    // the programs as well.
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-env-changed=AYA_BUILD_SKIP");
    println!("cargo::rustc-env=PHIWATCH_RULES={}", fingerprint()?);
    if env::var_os("AYA_BUILD_SKIP").is_some() {
        // For work on the core alone, without the nightly toolchain and
        // bpf-linker: probes then fail to load and say so.
        let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);
        return fs::write(out.join("phiwatch-ebpf"), []).context("write the empty program file");
    }
    aya_build::build_ebpf(
        [aya_build::Package {
            name: "phiwatch-ebpf",
            root_dir: concat!(env!("CARGO_MANIFEST_DIR"), "/../monitor-ebpf"),
            ..Default::default()
        }],
        aya_build::Toolchain::Nightly,
    )
}

/// The first 16 digits of the SHA-256 of the rules' source, file by file in the
/// order of their names, without their tests.
fn fingerprint() -> Result<String> {
    let mut files = Vec::new();
    for path in RULES {
        println!("cargo::rerun-if-changed={path}");
        list(Path::new(path), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(&content);
    }
    let digits = hash
        .finalize()
        .iter()
        .take(8)
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Ok(digits)
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("list {}", path.display()))?;
    for entry in entries {
        let path = entry.context("list the rules")?.path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if !is_test {
            list(&path, files)?;
        }
    }
    Ok(())
}
