//! The debugger, `native/step.c`, and what it says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use object::{Object as _, ObjectKind};
use tempfile::TempDir;
use tests::{file, tool};

use crate::{
    build::{Build, Runtime, copied, file_below, is_library},
    function::{FUNCTIONS, Function},
};

/// The dynamic loader of glibc, which runs a program with its own libc.
const LOADER: &str = "ld-linux-x86-64.so.2";

/// The debugger, compiled for each C library.
pub(crate) struct Debuggers {
    host: PathBuf,
    musl: PathBuf,
}

impl Debuggers {
    /// Compiles them in `folder`.
    pub(crate) fn compiled(folder: &Path) -> Result<Self> {
        let source = file("native/step.c");
        let host = folder.join("step");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"]);
        succeed(compiler.arg(&host).arg(&source).arg("-ldl"))?;

        let root = tool("libssl").join("musl/usr");
        ensure!(
            root.is_dir(),
            "musl is missing: cargo xtask test fetches it"
        );
        let libraries = root.join("lib/x86_64-linux-musl");
        let libc = libraries.join("libc.so");
        let musl = folder.join("step-musl");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-nostdinc", "-nostdlib", "-no-pie", "-isystem"]);
        compiler.arg(root.join("include/x86_64-linux-musl"));
        compiler.arg("-o").arg(&musl);
        for object in ["crt1.o", "crti.o"] {
            compiler.arg(libraries.join(object));
        }
        compiler
            .arg(&source)
            .arg(&libc)
            .arg(libraries.join("crtn.o"));
        compiler.arg(format!("-Wl,--dynamic-linker={}", libc.display()));
        succeed(&mut compiler)?;
        Ok(Self { host, musl })
    }

    /// Runs a build and follows these functions of it.
    pub(crate) fn run(
        &self,
        build: &Build,
        functions: &BTreeMap<&str, Function>,
    ) -> Result<Vec<Call>> {
        let mut path = build.path()?;
        let described = functions.iter().map(|(name, function)| {
            format!("{name}:{:x}:{:x}", function.address, function.code.len())
        });
        let mut step = match build.runtime {
            Runtime::Host | Runtime::Node => Command::new(&self.host),
            Runtime::Musl => Command::new(&self.musl),
            Runtime::Newer => {
                let loader = file_below(&build.folder()?, |name| name == LOADER)?;
                let mut step = Command::new(loader);
                step.arg(&self.host);
                step
            }
        };
        step.env("OPENSSL_CONF", "/dev/null");
        let folder = TempDir::new()?;
        if build.runtime == Runtime::Node {
            let bytes = fs::read(&path)?;
            let kind = object::File::parse(bytes.as_slice())?.kind();
            ensure!(kind == ObjectKind::Executable, "node is {kind:?}");
            step.arg("program").args(described).arg("--").arg(&path);
            step.arg(file("clients/tls_echo.js"));
            step.arg(folder.path().join("socket"));
        } else {
            let beside = path.parent().context("a folder")?;
            let mut crypto = file_below(beside, |name| is_library(name, "libcrypto"))?;
            step.env("LD_LIBRARY_PATH", beside).arg("library");
            if build.name.is_none() {
                // Others may watch the host's own files, and their probes would
                // appear in the memory of this process, too.
                path = copied(&path, folder.path())?;
                crypto = copied(&crypto, folder.path())?;
            }
            step.arg(crypto).arg(&path);
            step.args(described);
        }
        let output = step.output().context("start the debugger")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {stderr}", output.status);
        let calls = parsed(&String::from_utf8(output.stdout)?)?;
        check_coverage(build.runtime, &calls)?;
        Ok(calls)
    }
}

/// Every function was called, and those with a result both failed and
/// succeeded.
fn check_coverage(runtime: Runtime, calls: &[Call]) -> Result<()> {
    for (name, _) in FUNCTIONS {
        // Node has no use for the newer two.
        if runtime == Runtime::Node && name.ends_with("_ex") {
            continue;
        }
        let mut results: Vec<_> = calls
            .iter()
            .filter(|call| call.first.name == *name)
            .map(|call| (call.returned as u32).cast_signed() > 0)
            .collect();
        ensure!(!results.is_empty(), "{name} was not called");
        results.sort_unstable();
        results.dedup();
        ensure!(
            results.len() == 2 || matches!(*name, "SSL_ctrl" | "SSL_free"),
            "{name} did not both fail and succeed"
        );
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("start {command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {stderr}");
    Ok(())
}

/// The registers before one instruction.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) offset: u64,
    /// In the order of the calling convention.
    pub(crate) arguments: [u64; 6],
    pub(crate) stack: u64,
    pub(crate) result: u64,
}

/// The steps of a call within one function.
pub(crate) struct Steps {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One call.
pub(crate) struct Call {
    pub(crate) first: Steps,
    /// Where it jumped at its end, relative to the first instruction.
    pub(crate) away: Option<u64>,
    /// Its steps there, if that is one of the probed functions.
    pub(crate) inner: Option<Steps>,
    pub(crate) returned: u64,
}

/// Reads what the debugger says.
fn parsed(text: &str) -> Result<Vec<Call>> {
    let mut calls: Vec<Call> = Vec::new();
    let steps = |name: &str| Steps {
        name: name.to_owned(),
        steps: Vec::new(),
    };
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').context("a word")?;
        if word == "call" {
            calls.push(Call {
                first: steps(rest),
                away: None,
                inner: None,
                returned: 0,
            });
            continue;
        }
        let call = calls.last_mut().context("a call comes first")?;
        if word == "into" {
            call.inner = Some(steps(rest));
            continue;
        }
        let numbers: Vec<u64> = rest
            .split(' ')
            .map(|number| u64::from_str_radix(number, 16))
            .collect::<Result<_, _>>()?;
        match (word, numbers.as_slice()) {
            ("at", &[offset, rdi, rsi, rdx, rcx, r8, r9, stack, result]) => {
                let within = call.inner.as_mut().unwrap_or(&mut call.first);
                within.steps.push(Step {
                    offset,
                    arguments: [rdi, rsi, rdx, rcx, r8, r9],
                    stack,
                    result,
                });
            }
            ("away", &[offset]) => call.away = Some(offset),
            ("returned", &[result]) => call.returned = result,
            _ => bail!("the debugger says {line}"),
        }
    }
    Ok(calls)
}
