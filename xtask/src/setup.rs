//! `setup`: what a build of the kernel programs needs, and nothing else.

use std::{env, ffi::OsString, process::Command};

use anyhow::{Context as _, Result};

use crate::{process, workspace};

/// The linker that turns LLVM bitcode into BPF objects; later versions need a
/// newer LLVM than the pinned toolchain's.
const BPF_LINKER: &str = "0.10.3";

/// Components of the nightly: the source of `core` for the bpf target, and
/// clippy for the checks on it.
const COMPONENTS: &[&str] = &["rust-src", "clippy"];

/// Provides cargo processes with the tools and the environment that they need.
pub(crate) struct Toolchain {
    /// The search path, tools first.
    path: OsString,
}

impl Toolchain {
    fn new() -> Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let tools = workspace::tools().join("bin");
        let folders = std::iter::once(tools).chain(env::split_paths(&path));
        Ok(Self {
            path: env::join_paths(folders).context("put target/tools on the path")?,
        })
    }

    /// The stable cargo that runs this command.
    pub(crate) fn cargo(&self) -> Command {
        self.prepared("cargo")
    }

    /// The nightly's cargo.
    pub(crate) fn nightly_cargo(&self) -> Command {
        let mut command = self.prepared("rustup");
        command.args(["run", "nightly", "cargo"]);
        command
    }

    /// `program` with the tools first on its path, without the environment that
    /// `cargo run` set for this command alone, and without the variable that
    /// would prevent building the kernel programs.
    fn prepared(&self, program: &str) -> Command {
        let mut command = process::command(program);
        command.env("PATH", &self.path);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let left_over = text.starts_with("CARGO_PKG_")
                || text.starts_with("CARGO_MANIFEST_")
                || matches!(&*text, "CARGO" | "LD_LIBRARY_PATH" | "AYA_BUILD_SKIP");
            if left_over {
                command.env_remove(&name);
            }
        }
        command
    }
}

/// Installs what is missing.
pub(crate) fn setup() -> Result<Toolchain> {
    let toolchain = Toolchain::new()?;
    nightly()?;
    linker(&toolchain)?;
    Ok(toolchain)
}

fn nightly() -> Result<()> {
    let listed = process::output(process::command("rustup").args(["toolchain", "list"]))
        .context("phiwatch builds its kernel programs with rustup's nightly")?;
    if !listed
        .lines()
        .any(|line| line.starts_with("nightly-") || line == "nightly")
    {
        let mut install = process::command("rustup");
        install.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
        for component in COMPONENTS {
            install.args(["--component", component]);
        }
        return process::run(&mut install);
    }
    let mut list = process::command("rustup");
    let installed =
        process::output(list.args(["component", "list", "--toolchain", "nightly", "--installed"]))?;
    for component in COMPONENTS {
        if !installed.lines().any(|line| line.starts_with(component)) {
            let mut add = process::command("rustup");
            process::run(add.args(["component", "add", "--toolchain", "nightly", component]))?;
        }
    }
    Ok(())
}

fn linker(toolchain: &Toolchain) -> Result<()> {
    if workspace::tools().join("bin/bpf-linker").is_file() {
        return Ok(());
    }
    eprintln!("xtask: installing bpf-linker {BPF_LINKER} under target/tools (about a minute)");
    let mut install = toolchain.cargo();
    install.args([
        "install",
        "bpf-linker",
        "--version",
        BPF_LINKER,
        "--locked",
        "--root",
    ]);
    process::run(install.arg(workspace::tools()))
}
