//! The builds, each as it was packaged.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use tests::tool;

/// How a build is run.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Runtime {
    /// By a program of this host.
    Host,
    /// By the host's loader, with the C library that comes with the build.
    Newer,
    /// By a program of musl.
    Musl,
    /// It is a program: Node, in which OpenSSL is linked.
    Node,
}

pub(crate) struct Build {
    /// Its folder below `target/tools/libssl`; `None` for the host's own build.
    pub(crate) name: Option<&'static str>,
    pub(crate) runtime: Runtime,
    /// Whether it was compiled with a stack guard in `SSL_write` and `SSL_read`,
    /// so that the exit is cheap.
    pub(crate) guarded: bool,
}

const fn build(name: &'static str, runtime: Runtime, guarded: bool) -> Build {
    Build {
        name: Some(name),
        runtime,
        guarded,
    }
}

pub(crate) const BUILDS: &[Build] = &[
    Build {
        name: None,
        runtime: Runtime::Host,
        guarded: true,
    },
    build("debian-11", Runtime::Host, true),
    build("debian-13", Runtime::Newer, true),
    build("debian-sid", Runtime::Newer, true),
    build("psycopg2", Runtime::Host, false),
    build("psycopg", Runtime::Host, false),
    build("pycurl", Runtime::Host, false),
    build("pymssql", Runtime::Host, true),
    build("mysql", Runtime::Host, false),
    build("psycopg2-musl", Runtime::Musl, true),
    build("psycopg-musl", Runtime::Musl, true),
    build("node-22", Runtime::Node, false),
    build("node-24", Runtime::Node, false),
];

impl Build {
    pub(crate) fn shown(&self) -> &'static str {
        self.name.unwrap_or("this host")
    }

    /// The folder of the build. A missing one is a failure: `cargo xtask test`
    /// fetches them all.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let Some(name) = self.name else {
            return Ok(PathBuf::from("/usr/lib/x86_64-linux-gnu"));
        };
        let folder = tool("libssl").join(name);
        ensure!(
            folder.is_dir(),
            "{} is missing: cargo xtask test fetches it",
            folder.display()
        );
        Ok(folder)
    }

    /// The file that has the functions.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let folder = self.folder()?;
        match self.runtime {
            Runtime::Node => file_below(&folder, |name| name == "node"),
            _ => file_below(&folder, |name| is_library(name, "libssl")),
        }
    }
}

/// A file below `folder` with a matching name, the nearest one first.
pub(crate) fn file_below(folder: &Path, is_right: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let mut folders = VecDeque::from([folder.to_owned()]);
    while let Some(folder) = folders.pop_front() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push_back(entry.path());
            } else if kind.is_file() && is_right(&entry.file_name().to_string_lossy()) {
                return Ok(entry.path());
            }
        }
    }
    bail!("no such file below {}", folder.display());
}

/// A copy in `folder`.
pub(crate) fn copied(path: &Path, folder: &Path) -> Result<PathBuf> {
    let copy = folder.join(path.file_name().context("a name")?);
    fs::copy(path, &copy).with_context(|| format!("copy {}", path.display()))?;
    Ok(copy)
}

/// Whether a file has the name of a library whose soname has a version.
pub(crate) fn is_library(name: &str, library: &str) -> bool {
    name.strip_prefix(library)
        .is_some_and(|rest| rest.starts_with(['-', '.']) && rest.contains(".so."))
}
