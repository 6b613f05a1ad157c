//! A file that appears only once it is complete.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

use crate::command::{ExitStatus, Failure};

/// A file under a temporary name, which is removed unless it is published.
pub(super) struct Output {
    file: File,
    hash: Sha256,
    part: Part,
}

/// The temporary and the final path of the file.
struct Part {
    at: PathBuf,
    target: PathBuf,
    replaces: bool,
    is_published: bool,
}

/// A file that is complete and on disk.
pub(super) struct Written {
    part: Part,
    /// SHA-256 of its content, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Output {
    /// Begins the file at `target`, which must not exist unless it `replaces`.
    pub(super) fn create(target: &Path, replaces: bool) -> Result<Self, Failure> {
        if !replaces && fs::symlink_metadata(target).is_ok() {
            return Err(exists(target));
        }
        let (Some(name), true) = (target.file_name(), !target.is_dir()) else {
            return Err(Failure::message(
                ExitStatus::Usage,
                format!("{} is no name for a file", target.display()),
            ));
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let at = target.with_file_name(hidden);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&at)
            .map_err(|error| failed("create", &at, error))?;
        let part = Part {
            at,
            target: target.to_owned(),
            replaces,
            is_published: false,
        };
        Ok(Self {
            file,
            hash: Sha256::new(),
            part,
        })
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.hash.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(|error| failed("write", &self.part.at, error))
    }

    /// Brings everything to disk.
    pub(super) fn finish(self) -> Result<Written, Failure> {
        self.file
            .sync_all()
            .map_err(|error| failed("write", &self.part.at, error))?;
        Ok(Written {
            part: self.part,
            sha256: base16ct::lower::encode_string(&self.hash.finalize()),
        })
    }
}

impl Written {
    /// Gives the file its name.
    pub(super) fn publish(mut self) -> Result<(), Failure> {
        let Part {
            at,
            target,
            replaces,
            ..
        } = &self.part;
        let renamed = if *replaces {
            fs::rename(at, target)
        } else {
            match rustix::fs::renameat_with(CWD, at, CWD, target, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => return Err(exists(target)),
                // Some file systems cannot refuse; it was checked before that
                // there was no file.
                Err(Errno::INVAL | Errno::NOSYS) => fs::rename(at, target),
                other => other.map_err(io::Error::from),
            }
        };
        renamed.map_err(|error| failed("write", target, error))?;
        let folder = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        // The content is safe; its name should be as well.
        drop(File::open(folder).and_then(|folder| folder.sync_all()));
        self.part.is_published = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_published {
            drop(fs::remove_file(&self.at));
        }
    }
}

fn exists(target: &Path) -> Failure {
    Failure::message(
        ExitStatus::Io,
        format!("{} exists; --force replaces it", target.display()),
    )
}

fn failed(action: &str, path: &Path, error: io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => ExitStatus::NotPermitted,
        _ => ExitStatus::Io,
    };
    let source = anyhow::Error::new(error).context(format!("{action} {}", path.display()));
    Failure::new(code, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in `folder`, by name.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.har");
        let mut output = Output::create(&target, false).unwrap();
        output.write(b"one").unwrap();
        assert!(!target.exists());
        drop(output);
        assert!(names(folder.path()).is_empty());

        let mut output = Output::create(&target, false).unwrap();
        output.write(b"a").unwrap();
        output.write(b"bc").unwrap();
        let written = output.finish().unwrap();
        assert_eq!(
            written.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(!target.exists());
        written.publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abc");
        assert_eq!(names(folder.path()), ["a.har"]);
        let mode = fs::metadata(&target).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_is_only_replaced_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.har");
        let late = Output::create(&target, false).unwrap();
        fs::write(&target, "old").unwrap();
        assert_eq!(
            late.finish().unwrap().publish().unwrap_err().code,
            ExitStatus::Io
        );
        assert!(Output::create(&target, false).is_err());
        assert!(Output::create(folder.path(), true).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"old");
        let mut forced = Output::create(&target, true).unwrap();
        forced.write(b"new").unwrap();
        forced.finish().unwrap().publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.har"]);
    }
}
