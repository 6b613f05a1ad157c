//! Clients of the support matrix that no other test needs.

use anyhow::Result;

use super::Debian;
use crate::{process, setup::Toolchain, workspace};

/// From Debian.
pub(super) const DEBIAN: &[Debian] = &[
    Debian {
        name: "ruby",
        present: || process::exists("ruby"),
    },
    Debian {
        name: "liblwp-protocol-https-perl",
        present: || {
            process::succeeds(process::command("perl").args(["-MLWP::Protocol::https", "-e1"]))
        },
    },
    Debian {
        name: "npm",
        present: || process::exists("npm"),
    },
    Debian {
        name: "haproxy",
        present: || process::exists("haproxy"),
    },
];

/// From `PyPI`, beside those of all tests, in versions that agree with them.
const PYTHON: &[&str] = &[
    "httpx==0.28.1",
    "httpcore==1.0.7",
    "h11==0.14.0",
    "aiohttp==3.14.5",
    "curl_cffi==0.17.0",
];

/// From npm. The first two are runtimes of their own, as built for this platform.
const NODE: &[&str] = &[
    "@oven/bun-linux-x64@1.4.5",
    "@deno/linux-x64-glibc@2.9.6",
    "axios@1.21.1",
];

/// The features with which the client in Rust is built.
const RUST: &[&str] = &["native", "rustls"];

/// Fetches and builds what is missing.
pub(super) fn fetch(toolchain: &Toolchain) -> Result<()> {
    let tools = workspace::tools();
    let python = tools.join("venv/bin/python");
    let imports = ["-c", "import httpx, h2, aiohttp, curl_cffi"];
    if !process::succeeds(process::command(&python).args(imports)) {
        let mut install = process::command(&python);
        install.args(["-m", "pip", "install", "--quiet"]);
        process::run(install.args(PYTHON))?;
    }
    let npm = tools.join("npm");
    if !npm.join("node_modules/axios").is_dir() {
        let mut install = process::command("npm");
        install.args(["install", "--silent", "--no-save", "--prefix"]);
        process::run(install.arg(&npm).args(NODE))?;
    }
    for feature in RUST {
        let target = tools.join("rust");
        let mut compile = toolchain.cargo();
        compile.args(["build", "--release", "--locked", "--quiet"]);
        compile.args(["--manifest-path", "tests/clients/rust/Cargo.toml"]);
        compile
            .args(["--features", feature])
            .arg("--target-dir")
            .arg(&target);
        process::run(&mut compile)?;
        let program = target.join("release/client");
        std::fs::copy(program, target.join(format!("client-{feature}")))?;
    }
    Ok(())
}
