//! Where things are in the source tree and below `target/`.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The root of the source tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}

/// Where the verbs install tools, separate from the host.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// The release build of phiwatch.
pub(crate) fn phiwatch() -> PathBuf {
    target().join("release/phiwatch")
}
