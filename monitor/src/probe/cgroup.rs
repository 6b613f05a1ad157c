//! The cgroup below which processes are watched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A cgroup v2 directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// Where it is mounted.
    pub directory: PathBuf,
    /// Its path in the hierarchy, with a leading slash.
    pub path: String,
    /// Its level below the root.
    pub level: u32,
}

/// Why a cgroup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// No cgroup v2 hierarchy is mounted.
    #[error(
        "no cgroup v2 hierarchy is mounted; mount one with: mount -t cgroup2 none /sys/fs/cgroup"
    )]
    NotMounted,
    /// The mount table cannot be read.
    #[error("read /proc/self/mountinfo: {0}")]
    Mounts(#[source] io::Error),
    /// The directory cannot be read.
    #[error("cgroup {path}: {source}")]
    Missing {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Cgroup {
    /// The cgroup at `path`: a directory below the mount point, or a path in
    /// the hierarchy. `None` is the root.
    pub fn find(path: Option<&Path>) -> Result<Self, CgroupError> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(CgroupError::Mounts)?;
        let mount = mounts
            .lines()
            .find_map(|line| {
                let (left, right) = line.split_once(" - ")?;
                right
                    .starts_with("cgroup2 ")
                    .then(|| left.split(' ').nth(4))?
            })
            .map(PathBuf::from)
            .ok_or(CgroupError::NotMounted)?;
        let directory = match path {
            None => mount.clone(),
            Some(path) if path.starts_with(&mount) => path.to_owned(),
            Some(path) => mount.join(path.strip_prefix("/").unwrap_or(path)),
        };
        fs::metadata(&directory).map_err(|source| CgroupError::Missing {
            path: directory.clone(),
            source,
        })?;
        let below = directory.strip_prefix(&mount).unwrap_or(Path::new(""));
        Ok(Self {
            path: format!("/{}", below.display()),
            level: below.components().count() as u32,
            directory,
        })
    }

    /// Whether the path of a process's cgroup is this one or below it.
    pub(super) fn holds(&self, cgroup: &str) -> bool {
        self.path == "/"
            || cgroup == self.path
            || cgroup
                .strip_prefix(&self.path)
                .is_some_and(|rest| rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_holds_what_is_below_its_cgroup() {
        let cgroup = |path: &str| Cgroup {
            directory: PathBuf::new(),
            path: path.to_owned(),
            level: 1,
        };
        for (scope, path, expected) in [
            ("/", "/a/b", true),
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a", "/ab", false),
            ("/a/b", "/a", false),
        ] {
            assert_eq!(cgroup(scope).holds(path), expected, "{scope} {path}");
        }
    }
}
