//! The files that attest segments: the manifest, the sums, the signature, the
//! custody log.

use std::path::Path;

use super::{FileCheck, FileState};
use crate::store::{
    CheckingKey, StoreError,
    chain::NO_HASH,
    custody::{CUSTODY_FILE, Custody, CustodyError},
    entry::{Entry, SegmentIndex},
    manifest::{Reading, text},
    name::{MANIFEST, SIGNATURE, SUMS, draft_name},
};

/// How many entries the sums or the signature may lag behind: those of one
/// update of a writer that was stopped in the middle.
const MAX_BEHIND: usize = 64;

const BEHIND: &str = "one update behind the manifest: the writer was stopped or is writing";

/// The manifest and its earlier parts.
pub(super) fn manifest(reading: &Reading) -> Vec<FileCheck> {
    let mut checks = Vec::new();
    for name in reading
        .archives
        .iter()
        .map(String::as_str)
        .chain([MANIFEST])
    {
        let check = match &reading.problem {
            Some((file, problem)) if file == name => {
                FileCheck::new(name, FileState::Changed, problem)
            }
            _ if name == MANIFEST => FileCheck::new(
                name,
                FileState::Ok,
                format!("{} entries, chained", reading.entries.len()),
            ),
            _ => FileCheck::new(name, FileState::Ok, "an earlier part of the manifest"),
        };
        checks.push(check);
    }
    // A missing part is not among those that were read.
    if let Some((file, problem)) = &reading.problem
        && checks.iter().all(|check| check.name != *file)
    {
        checks.insert(0, FileCheck::new(file, FileState::Changed, problem));
    }
    checks
}

/// The sums and the chain after each of the last entries, the latest first.
fn history(reading: &Reading) -> Vec<(String, String)> {
    let mut index = SegmentIndex::default();
    let from = reading.entries.len().saturating_sub(MAX_BEHIND);
    let mut states = Vec::new();
    if from == 0 {
        states.push((String::new(), NO_HASH.to_owned()));
    }
    for (number, (entry, hash)) in reading.entries.iter().enumerate() {
        // They were applied once before.
        drop(index.apply(entry));
        if number >= from {
            states.push((index.sums(), hash.clone()));
        }
    }
    states.reverse();
    states
}

/// Whether `name` may lag behind the manifest: its writer is at work, or was
/// stopped after it had renamed the manifest and left the draft.
fn may_be_behind(directory: &Path, name: &str, is_being_written: bool) -> bool {
    is_being_written || directory.join(draft_name(name)).exists()
}

/// `SHA256SUMS`.
pub(super) fn sums(
    directory: &Path,
    reading: &Reading,
    is_being_written: bool,
) -> Result<Option<FileCheck>, StoreError> {
    let found = text(directory, SUMS)?;
    let expected = reading.index.sums();
    let check = |state, detail: &str| Ok(Some(FileCheck::new(SUMS, state, detail)));
    match found {
        None if expected.is_empty() => Ok(None),
        Some(found) if found == expected => check(FileState::Ok, "says what the manifest says"),
        found => {
            let is_missing = found.is_none();
            let found = found.unwrap_or_default();
            if may_be_behind(directory, SUMS, is_being_written)
                && history(reading).iter().any(|(sums, _)| *sums == found)
            {
                check(FileState::Behind, BEHIND)
            } else if is_missing {
                check(FileState::Missing, "the manifest has sealed segments")
            } else {
                check(FileState::Changed, &difference(&found, &expected))
            }
        }
    }
}

/// The first line that is not as it should be.
fn difference(found: &str, expected: &str) -> String {
    let number = found
        .lines()
        .zip(expected.lines())
        .take_while(|(found, expected)| found == expected)
        .count();
    match expected
        .lines()
        .nth(number)
        .and_then(|line| line.split("  ").nth(1))
    {
        Some(segment) => format!("line {} should be that of {segment}", number + 1),
        None => format!("line {} should not be there", number + 1),
    }
}

/// `SHA256SUMS.minisig`.
pub(super) fn signature(
    directory: &Path,
    reading: &Reading,
    key: Option<&CheckingKey>,
    is_being_written: bool,
) -> Result<Option<FileCheck>, StoreError> {
    let may_be_behind = may_be_behind(directory, SIGNATURE, is_being_written);
    let named = reading
        .entries
        .iter()
        .rev()
        .find_map(|(entry, _)| match entry {
            Entry::Capture(header) => Some(header.public_key.as_deref()),
            _ => None,
        });
    let named = named.flatten();
    let check = |state, detail: String| Ok(Some(FileCheck::new(SIGNATURE, state, detail)));
    let Some(found) = text(directory, SIGNATURE)? else {
        if reading.index.sums().is_empty() {
            return match key {
                Some(_) => check(FileState::NotSealed, "nothing is signed yet".into()),
                None => Ok(None),
            };
        }
        return match (key, named) {
            (_, Some(_)) if may_be_behind => check(FileState::Behind, BEHIND.into()),
            (Some(_), _) => check(FileState::Missing, "a signature is asked for".into()),
            (None, Some(_)) => check(
                FileState::Missing,
                "the manifest names a key that signs".into(),
            ),
            (None, None) => Ok(None),
        };
    };
    let own = named.and_then(CheckingKey::from_base64);
    let Some(checking) = key.or(own.as_ref()) else {
        return check(
            FileState::Unchecked,
            "the manifest names no key; give --public-key".into(),
        );
    };
    let states = history(reading);
    let by = checking.base64();
    let who = if key.is_some() {
        format!("by the key that was given, {by}")
    } else {
        format!("by the key that the manifest names, {by}; --public-key tells whether it is yours")
    };
    let matching = states
        .iter()
        .position(|(sums, head)| checking.check(&found, sums).as_ref() == Some(head));
    match matching {
        Some(0) => check(FileState::Ok, who),
        Some(_) if may_be_behind => check(FileState::Behind, format!("{BEHIND}; {who}")),
        _ => check(
            FileState::Changed,
            format!("no signature of this manifest {who}"),
        ),
    }
}

/// The custody log.
pub(super) fn custody(directory: &Path) -> Result<Option<FileCheck>, StoreError> {
    let check = |state, detail| Ok(Some(FileCheck::new(CUSTODY_FILE, state, detail)));
    match Custody::read(directory) {
        Ok(None) => Ok(None),
        Ok(Some(log)) => match log.problem {
            Some(problem) => check(FileState::Changed, problem),
            None => check(
                FileState::Ok,
                format!("{} entries, chained", log.entries.len()),
            ),
        },
        Err(CustodyError::Io { path, source, .. }) => Err(StoreError::Read { path, source }),
        Err(error) => check(FileState::Changed, error.to_string()),
    }
}
