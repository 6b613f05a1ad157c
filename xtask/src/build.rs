//! `build`: a release build of phiwatch, kernel programs included.

use anyhow::Result;

use crate::{
    process,
    setup::{self, Toolchain},
};

/// Leaves `target/release/phiwatch`.
pub(crate) fn build() -> Result<Toolchain> {
    let toolchain = setup::setup()?;
    process::run(
        toolchain
            .cargo()
            .args(["build", "--release", "--package", "phiwatch"]),
    )?;
    Ok(toolchain)
}
