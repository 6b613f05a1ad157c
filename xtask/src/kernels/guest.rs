//! One guest, from its boot to its results.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::process;

/// How often a guest is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// How many lines of the console tell why a guest has failed.
const TOLD: usize = 20;

/// Two processors alternating on one thread: on two threads, one may still
/// execute code that the other has just patched in the kernel, which is then an
/// unexpected `int3`.
const ACCELERATOR: &str = "tcg,thread=single";

/// No watchdog: a guest that others keep from running has not hung.
const KERNEL: &str =
    "console=ttyS0 panic=-1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1 random.trust_cpu=on";

/// The files that a guest has left, by name.
pub(super) struct Results(pub(super) BTreeMap<String, String>);

impl Results {
    /// The text of a file; empty if it left none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// What a guest is made of.
pub(super) struct Guest<'a> {
    /// Its kernel.
    pub(super) image: PathBuf,
    /// Its processor, in QEMU's words.
    pub(super) processor: &'a str,
    /// What it finds when it boots.
    pub(super) initramfs: &'a Path,
    /// Where its output is kept.
    pub(super) folder: &'a Path,
    /// How long it may live.
    pub(super) patience: Duration,
}

/// Boots a guest, waits for its end and reads what it left.
pub(super) fn run(guest: &Guest<'_>) -> Result<Results> {
    let Guest {
        image,
        processor,
        initramfs,
        folder,
        patience,
    } = guest;
    let console = folder.join("console");
    let archive = folder.join("results.tar.gz");
    let results = folder.join("results");
    if results.is_dir() {
        fs::remove_dir_all(&results).with_context(|| format!("remove {}", results.display()))?;
    }
    fs::create_dir(&results).with_context(|| format!("create {}", results.display()))?;
    let mut qemu = process::command("qemu-system-x86_64");
    qemu.args(["-machine", "q35", "-accel", ACCELERATOR, "-cpu", processor]);
    qemu.args(["-m", "1G", "-smp", "2", "-nodefaults", "-no-reboot"]);
    qemu.args(["-display", "none", "-append", KERNEL]);
    qemu.arg("-kernel").arg(image).arg("-initrd").arg(initramfs);
    for path in [&console, &archive] {
        qemu.arg("-serial").arg(format!("file:{}", path.display()));
    }
    let mut child = qemu
        .stdin(Stdio::null())
        .spawn()
        .context("start qemu-system-x86_64")?;
    let deadline = Instant::now() + *patience;
    let status = loop {
        if let Some(status) = child.try_wait().context("wait for QEMU")? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().context("end QEMU")?;
            child.wait().context("wait for QEMU")?;
            bail!("not within {patience:?}: {}", end_of(&console));
        }
        thread::sleep(PERIOD);
    };
    if !status.success() {
        bail!("QEMU ended with {status}");
    }
    let mut tar = process::command("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(&results);
    if !process::succeeds(&mut tar) {
        bail!("it left no results: {}", end_of(&console));
    }
    read(&results)
}

fn read(folder: &Path) -> Result<Results> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let entry = entry?;
        let bytes = fs::read(entry.path()).context("read what a guest left")?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        files.insert(entry.file_name().to_string_lossy().into_owned(), text);
    }
    Ok(Results(files))
}

fn end_of(console: &Path) -> String {
    let bytes = fs::read(console).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TOLD)..].join("\n")
}
