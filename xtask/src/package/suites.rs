//! Other suites of Debian than the host's. What comes from them is unpacked below
//! `target/` and never installed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::process;

/// Lets `unpack` fill the folder of this name, which is there whole or not at
/// all.
pub(crate) fn unpacked(
    home: &Path,
    name: &str,
    unpack: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let folder = home.join(name);
    if folder.is_dir() {
        return Ok(());
    }
    let part = home.join(format!("{name}.part"));
    if part.is_dir() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir(&part)?;
    unpack(&part).with_context(|| format!("fetch {name}"))?;
    fs::rename(&part, &folder).with_context(|| format!("keep {}", folder.display()))
}

/// A separate apt configuration with other suites of the same archive.
pub(crate) struct Suites {
    home: PathBuf,
}

impl Suites {
    /// Keeps all of its state in the folder `home`.
    pub(crate) fn new<'a>(home: &Path, suites: impl Iterator<Item = &'a str>) -> Result<Self> {
        fs::create_dir_all(home.join("lists/partial"))?;
        fs::create_dir_all(home.join("archives/partial"))?;
        let archive = archive()?;
        let suites: BTreeSet<_> = suites.collect();
        let lines = suites.into_iter();
        let lines: Vec<_> = lines
            .map(|suite| format!("deb {archive} {suite} main\n"))
            .collect();
        fs::write(home.join("sources.list"), lines.concat())?;
        fs::write(home.join("status"), "")?;
        let suites = Self {
            home: home.to_owned(),
        };
        process::run(suites.apt("apt-get").args(["update", "--quiet"]))?;
        Ok(suites)
    }

    /// A program of apt with its lists and its state below this folder.
    fn apt(&self, program: &str) -> Command {
        let mut apt = process::command(program);
        let path = |name: &str| self.home.join(name).display().to_string();
        for option in [
            format!("Dir::Etc::SourceList={}", path("sources.list")),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", path("lists")),
            format!("Dir::State::Status={}", path("status")),
            format!("Dir::Cache={}", path("")),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            // The user that apt drops to cannot write below target/.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            apt.arg("-o").arg(option);
        }
        apt
    }

    /// Unpacks the packages into `folder`.
    pub(crate) fn unpack<S: AsRef<str>>(
        &self,
        suite: &str,
        packages: &[S],
        folder: &Path,
    ) -> Result<()> {
        for package in packages {
            let package = format!("{}/{suite}", package.as_ref());
            let mut download = self.apt("apt-get");
            download.current_dir(&self.home);
            process::run(download.args(["download", "--quiet", &package]))?;
            for archive in files_with(&self.home, "deb")? {
                process::run(process::command("dpkg").arg("-x").args([&archive, folder]))?;
                fs::remove_file(archive)?;
            }
        }
        Ok(())
    }

    /// The packages that `package` depends on and whose names begin with one of
    /// `prefixes`.
    pub(crate) fn dependencies(
        &self,
        suite: &str,
        package: &str,
        prefixes: &[&str],
    ) -> Result<Vec<String>> {
        let mut show = self.apt("apt-cache");
        let shown = process::output(show.args(["show", &format!("{package}/{suite}")]))?;
        Ok(named(&shown, prefixes))
    }

    /// Forgets all of it.
    pub(crate) fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.home).with_context(|| format!("remove {}", self.home.display()))
    }
}

/// Which of these names the first record of `apt-cache show` depends on.
fn named(shown: &str, prefixes: &[&str]) -> Vec<String> {
    let record = shown.split("\n\n").next().unwrap_or_default();
    let depends = record
        .lines()
        .find_map(|line| line.strip_prefix("Depends:"));
    let words = depends.unwrap_or_default().split([',', '|']);
    words
        .filter_map(|word| word.split_whitespace().next())
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .map(str::to_owned)
        .collect()
}

/// Where this host has Debian from.
fn archive() -> Result<String> {
    let mut targets = process::command("apt-get");
    targets.args([
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
        "Origin: Debian",
        "Component: main",
    ]);
    let listed = process::output(&mut targets)?;
    // The security archive has no such suites.
    let found = listed.lines().find(|line| !line.contains("security"));
    found
        .map(str::to_owned)
        .context("apt knows no archive of Debian: run apt-get update")
}

/// The files of a folder whose names end so.
pub(crate) fn files_with(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_found_by_name() {
        let shown = "Package: a\nDepends: linux-base (>= 4), linux-image-7.2-x (= 7.2), y | linux-binary-7.2\n\n\
                     Package: b\nDepends: linux-image-6.1-x\n";
        for (prefixes, expected) in [
            (&["linux-image-"][..], &["linux-image-7.2-x"][..]),
            (
                &["linux-binary-", "linux-image-"],
                &["linux-image-7.2-x", "linux-binary-7.2"],
            ),
            (&["z"], &[]),
        ] {
            assert_eq!(named(shown, prefixes), expected);
        }
    }
}
