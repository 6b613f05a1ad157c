//! Builds the kernel programs, which the binary carries inside itself.
use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};

fn main() -> Result<()> {
    // aya-build watches the package's own files; a new aya-ebpf must rebuild
    // the programs as well.
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-env-changed=AYA_BUILD_SKIP");
    if env::var_os("AYA_BUILD_SKIP").is_some() {
        // For work on the core alone, where neither the nightly nor bpf-linker
        // is at hand: probes then fail to load and say so.
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
