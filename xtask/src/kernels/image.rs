//! The images of kernels, from Debian.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::Kernel;
use crate::package::suites::{Suites, unpacked};

/// The package that depends on the newest kernel of its suite.
const META: &str = "linux-image-cloud-amd64";

/// The suite of the host, for what a guest runs.
const HOST: &str = "bookworm";

/// Fetches what is missing: each kernel below the folder of its name, and a
/// static busybox.
pub(super) fn fetch(home: &Path, kernels: &[Kernel], renew: bool) -> Result<()> {
    let folders = kernels.iter().map(|kernel| home.join(kernel.name));
    if renew {
        for folder in folders.clone().filter(|folder| folder.is_dir()) {
            fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        }
    }
    let mut wanted = folders
        .map(|folder| image_folder(&folder))
        .chain([home.join("busybox")]);
    if wanted.all(|folder| folder.is_dir()) {
        return Ok(());
    }
    let suites = kernels.iter().map(|kernel| kernel.suite).chain([HOST]);
    let suites = Suites::new(&home.join("apt"), suites)?;
    unpacked(home, "busybox", |folder| {
        suites.unpack(HOST, &["busybox-static"], folder)
    })?;
    for kernel in kernels {
        let folder = home.join(kernel.name);
        fs::create_dir_all(&folder)?;
        unpacked(&folder, "image", |folder| {
            // Of late the package of an image only depends on that with the file.
            let prefixes = &["linux-image-", "linux-binary-"];
            let mut packages = suites.dependencies(kernel.suite, META, prefixes)?;
            if let Some(package) = packages.first().cloned() {
                packages.extend(suites.dependencies(kernel.suite, &package, prefixes)?);
            }
            suites.unpack(kernel.suite, &packages, folder)
        })?;
    }
    suites.remove()
}

fn image_folder(folder: &Path) -> PathBuf {
    folder.join("image")
}

/// The image among what was unpacked for a kernel.
pub(super) fn find(folder: &Path) -> Result<PathBuf> {
    let mut folders = vec![image_folder(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let entry = entry?;
            // Modules have links to where their source would be.
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with("vmlinuz") {
                return Ok(entry.path());
            }
        }
    }
    bail!("no kernel was unpacked below {}", folder.display())
}
