//! `demo`: the whole main job in one terminal. The program `demo` of the
//! package `tests`, which has the sandbox and the sink, does the work.

use anyhow::Result;

use crate::{build, package, process, workspace};

/// Installs, builds and shows.
pub(crate) fn demo() -> Result<()> {
    package::debian(package::DEMO)?;
    let toolchain = build::build()?;
    let mut demo = toolchain.cargo();
    demo.args(["run", "--quiet", "--package", "tests", "--bin", "demo"]);
    process::run(demo.env("PHIWATCH", workspace::phiwatch()))
}
