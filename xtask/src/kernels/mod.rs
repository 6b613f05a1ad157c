//! `kernels`: phiwatch under other kernels than the host's, in QEMU.
//!
//! A guest has one program, `guest.sh`: it starts phiwatch, sinks, and the
//! native clients of the tests, and returns the results. KVM is not needed, so
//! that it runs in a virtual machine as well.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{build, package, workspace};

mod clients;
mod guest;
mod image;
mod initramfs;
mod verdict;

/// How long a guest may live.
const PATIENCE: Duration = Duration::from_mins(15);

/// A kernel of Debian for cloud machines, which has all drivers of QEMU's built in.
struct Kernel {
    /// What it is called here.
    name: &'static str,
    /// The suite of Debian that has it.
    suite: &'static str,
    /// The processor that it finds, in QEMU's words.
    processor: &'static str,
}

/// QEMU 7.2 leaves garbage in the flags behind `cmpxchg16b`, of which a kernel may
/// die: 6.12 does.
const WITHOUT_CMPXCHG16B: &str = "max,-cx16";

/// The newest kernels have no memory for socket storage without `cmpxchg16b`, and
/// hardly use it otherwise.
const WHOLE: &str = "max";

/// One for each way of attaching programs, and the newest there is.
const KERNELS: &[Kernel] = &[
    Kernel {
        name: "5.10",
        suite: "bullseye",
        processor: WITHOUT_CMPXCHG16B,
    },
    Kernel {
        name: "6.1",
        suite: "bookworm",
        processor: WITHOUT_CMPXCHG16B,
    },
    Kernel {
        name: "6.12",
        suite: "bookworm-backports",
        processor: WITHOUT_CMPXCHG16B,
    },
    Kernel {
        name: "newest",
        suite: "sid",
        processor: WHOLE,
    },
];

/// Arguments of the verb.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Only these: 5.10, 6.1, 6.12, newest
    names: Vec<String>,
    /// Fetch the kernels again: Debian may have newer builds
    #[arg(long)]
    renew: bool,
    /// Boot with this phiwatch instead of a release build of the tree
    #[arg(long, value_name = "FILE")]
    phiwatch: Option<PathBuf>,
}

/// Boots each kernel and shows what phiwatch saw there. Fails where anything did
/// not go well.
pub(crate) fn kernels(arguments: &Arguments) -> Result<()> {
    let chosen = chosen(&arguments.names)?;
    package::debian(package::KERNELS)?;
    let phiwatch = if let Some(path) = &arguments.phiwatch {
        fs::canonicalize(path).with_context(|| format!("find {}", path.display()))?
    } else {
        build::build()?;
        workspace::phiwatch()
    };
    let home = workspace::target().join("kernels");
    fs::create_dir_all(&home).with_context(|| format!("create {}", home.display()))?;
    image::fetch(&home, KERNELS, arguments.renew)?;
    let initramfs = initramfs::make(&home, &phiwatch)?;
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for kernel in chosen {
        eprintln!("xtask: booting {}", kernel.name);
        let folder = home.join(kernel.name);
        let seen = image::find(&folder)
            .and_then(|image| {
                guest::run(&guest::Guest {
                    image,
                    processor: kernel.processor,
                    initramfs: &initramfs,
                    folder: &folder,
                    patience: PATIENCE,
                })
            })
            .and_then(|results| verdict::judge(&results));
        match seen {
            Ok(verdict) => {
                for fault in &verdict.faults {
                    faults.push(format!("{}: {fault}", kernel.name));
                }
                rows.push(verdict);
            }
            Err(error) => faults.push(format!("{}: {error:#}", kernel.name)),
        }
    }
    println!("{}", verdict::markdown(&rows));
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        println!("{fault}");
    }
    bail!(
        "{} faults; what the guests said is in {}",
        faults.len(),
        home.display()
    )
}

fn chosen(names: &[String]) -> Result<Vec<&'static Kernel>> {
    if let Some(name) = names
        .iter()
        .find(|name| !KERNELS.iter().any(|kernel| kernel.name == *name))
    {
        bail!("no kernel is called {name}");
    }
    let is_chosen =
        |kernel: &&Kernel| names.is_empty() || names.iter().any(|name| name == kernel.name);
    Ok(KERNELS.iter().filter(is_chosen).collect())
}
