//! Whether captures are as they were written.
//!
//! In: a folder of captures or a single one, and optionally the key that must
//! have signed. Out: one line for every segment and for every file that attests
//! them. Nothing is changed, and no packet is parsed.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::FlockOperation;
use serde::Serialize;

use super::{
    CheckingKey, StoreError,
    manifest::{self, Reading},
    name::{FileKind, MANIFEST},
};

mod attestation;
mod segment;
#[cfg(test)]
mod tests;
mod unlisted;

/// How often a folder is checked again if it was written to meanwhile.
const MAX_TRIES: usize = 5;

/// The result for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// As it was written.
    Ok,
    /// As it was when it was recovered after an interruption of its writer.
    Recovered,
    /// Begun, and not complete: nothing attests it yet.
    NotSealed,
    /// Deleted, and the manifest says why.
    Deleted,
    /// One update behind the manifest: the writer was stopped, or is at work.
    Behind,
    /// Complete by its structure; nothing attests its content.
    Complete,
    /// Not looked into.
    Unchecked,
    /// Not a file of phiwatch.
    Extra,
    /// Not as it was written.
    Changed,
    /// Not there.
    Missing,
    /// Ends inside a block.
    Torn,
    /// Named as a segment and in no manifest.
    Unlisted,
}

impl FileState {
    /// Whether it means that something is wrong.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Changed | Self::Missing | Self::Torn | Self::Unlisted
        )
    }

    /// The state in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Recovered => "recovered",
            Self::NotSealed => "not sealed",
            Self::Deleted => "deleted",
            Self::Behind => "behind",
            Self::Complete => "complete",
            Self::Unchecked => "unchecked",
            Self::Extra => "extra",
            Self::Changed => "CHANGED",
            Self::Missing => "MISSING",
            Self::Torn => "TORN",
            Self::Unlisted => "UNLISTED",
        }
    }
}

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileCheck {
    /// Its name in the folder.
    pub name: String,
    /// What it is found to be.
    pub state: FileState,
    /// More about it, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Length of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// SHA-256 as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Packets, where they can be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    /// Time of the earliest packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Time of the latest packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl FileCheck {
    pub(super) fn new(name: &str, state: FileState, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state,
            detail: detail.into(),
            bytes: None,
            sha256: None,
            packets: None,
            first: None,
            last: None,
        }
    }
}

/// What was found in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The folder or file.
    pub path: PathBuf,
    /// Whether there is a manifest.
    pub has_manifest: bool,
    /// Whether a phiwatch records there at this moment.
    pub is_being_written: bool,
    /// Hash of the last entry of the manifest. A copy kept elsewhere proves
    /// later that no entry was removed from the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_head: Option<String>,
    /// The files, segments first.
    pub files: Vec<FileCheck>,
}

impl Verification {
    /// Whether anything is wrong.
    pub fn is_failure(&self) -> bool {
        self.files.iter().any(|file| file.state.is_failure())
    }
}

/// Checks the folder or file at `path`.
///
/// # Errors The folder or file cannot be read at all. Wrong content is part of
/// the result.
pub fn verify(path: &Path, key: Option<&CheckingKey>) -> Result<Verification, StoreError> {
    let refused = |source| StoreError::Read {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(refused)?.is_dir() {
        return folder(path, key, None);
    }
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    if let Some(name) = name
        && FileKind::of(name) == FileKind::Segment
        && parent.join(MANIFEST).exists()
    {
        return folder(parent, key, Some(name));
    }
    let file = File::open(path).map_err(refused)?;
    let shown = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    Ok(Verification {
        path: path.to_owned(),
        has_manifest: false,
        is_being_written: false,
        chain_head: None,
        files: vec![unlisted::check(path, &shown, file).map_err(refused)?],
    })
}

/// Checks `directory`, or only the segment `only`.
fn folder(
    directory: &Path,
    key: Option<&CheckingKey>,
    only: Option<&str>,
) -> Result<Verification, StoreError> {
    let mut tries = 0;
    loop {
        let (found, head) = look(directory, key, only)?;
        tries += 1;
        // A concurrent writer looks like a contradiction.
        if !found.is_failure() || !found.is_being_written || tries >= MAX_TRIES {
            return Ok(found);
        }
        if manifest::read(directory)?.map(|reading| reading.head) == head {
            return Ok(found);
        }
    }
}

fn look(
    directory: &Path,
    key: Option<&CheckingKey>,
    only: Option<&str>,
) -> Result<(Verification, Option<String>), StoreError> {
    let is_being_written = is_being_written(directory);
    let Some(reading) = manifest::read(directory)? else {
        let files = unlisted::folder(directory, key)?;
        let found = Verification {
            path: directory.to_owned(),
            has_manifest: false,
            is_being_written,
            chain_head: None,
            files,
        };
        return Ok((found, None));
    };
    let mut files = Vec::new();
    for (segment, state) in reading.index.segments() {
        if only.is_none_or(|only| only == segment) {
            files.push(segment::check(directory, segment, state, is_being_written)?);
        }
    }
    others(directory, &reading, only, &mut files)?;
    files.extend(attestation::manifest(&reading));
    let sums = attestation::sums(directory, &reading, is_being_written)?;
    files.extend(sums);
    files.extend(attestation::signature(
        directory,
        &reading,
        key,
        is_being_written,
    )?);
    files.extend(attestation::custody(directory)?);
    let found = Verification {
        path: directory.to_owned(),
        has_manifest: true,
        is_being_written,
        chain_head: Some(reading.head.clone()),
        files,
    };
    Ok((found, Some(reading.head)))
}

/// What lies in the folder and is in no manifest.
fn others(
    directory: &Path,
    reading: &Reading,
    only: Option<&str>,
    files: &mut Vec<FileCheck>,
) -> Result<(), StoreError> {
    for name in names(directory)? {
        let is_wanted = only.is_none_or(|only| only == name);
        let check = match FileKind::of(&name) {
            FileKind::Segment if is_wanted && reading.index.state(&name).is_none() => {
                let detail = if reading.problem.is_some() {
                    "not in the part of the manifest that is as it was written"
                } else {
                    "in no manifest"
                };
                FileCheck::new(&name, FileState::Unlisted, detail)
            }
            FileKind::Broken => FileCheck::new(
                &name,
                FileState::Changed,
                "set aside at a start, because it was not as it was written",
            ),
            FileKind::Foreign if only.is_none() => {
                FileCheck::new(&name, FileState::Extra, "not a file of phiwatch")
            }
            _ => continue,
        };
        files.push(check);
    }
    Ok(())
}

/// The names in a folder, in order. A name that is not text is shown as well as
/// possible, and is not one of ours.
fn names(directory: &Path) -> Result<Vec<String>, StoreError> {
    let listed = fs::read_dir(directory).and_then(|entries| {
        entries
            .map(|entry| Ok(shown(&entry?.file_name().to_string_lossy())))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut names = listed.map_err(|source| StoreError::Read {
        path: directory.to_owned(),
        source,
    })?;
    names.sort();
    Ok(names)
}

/// `name` without what a terminal would obey.
fn shown(name: &str) -> String {
    let is_harmless = |character: &char| !character.is_control();
    name.chars()
        .map(|character| {
            if is_harmless(&character) {
                character
            } else {
                '\u{fffd}'
            }
        })
        .collect()
}

/// Whether a writer has locked the folder.
fn is_being_written(directory: &Path) -> bool {
    File::open(directory).is_ok_and(|folder| {
        rustix::fs::flock(&folder, FlockOperation::NonBlockingLockShared)
            == Err(rustix::io::Errno::WOULDBLOCK)
    })
}
