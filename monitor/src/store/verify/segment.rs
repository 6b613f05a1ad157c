//! One segment against what the manifest says of it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{FileCheck, FileState};
use crate::store::{
    StoreError,
    digest::sha256_of,
    entry::{Sealed, State},
    name::{draft_name, is_encrypted},
    structure::{self, Fault, Structure},
};

/// Checks the file of `segment`, whose state in the manifest is `state`.
pub(super) fn check(
    directory: &Path,
    segment: &str,
    state: &State,
    is_being_written: bool,
) -> Result<FileCheck, StoreError> {
    let path = directory.join(segment);
    let refused = |source| StoreError::Read {
        path: path.clone(),
        source,
    };
    let file = match state {
        State::Deleted(deleted) => {
            let detail = format!(
                "by retention at {} (capture.{})",
                deleted.time, deleted.reason
            );
            return Ok(FileCheck {
                bytes: Some(deleted.bytes),
                sha256: Some(deleted.sha256.clone()),
                ..FileCheck::new(segment, FileState::Deleted, detail)
            });
        }
        State::Lost(time) => {
            let detail =
                format!("it had not been sealed, and was not there at the start at {time}");
            return Ok(FileCheck::new(segment, FileState::Missing, detail));
        }
        State::Open | State::Sealed(_) => open(&path).map_err(refused)?,
    };
    match (state, file) {
        (State::Sealed(sealed), Some(file)) => against(sealed, file).map_err(refused),
        (State::Sealed(sealed), None) => Ok(FileCheck {
            sha256: Some(sealed.sha256.clone()),
            ..FileCheck::new(segment, FileState::Missing, "it is in the manifest")
        }),
        (_, Some(file)) => not_sealed(segment, &file, is_being_written).map_err(refused),
        (_, None) if directory.join(draft_name(segment)).exists() => Ok(FileCheck::new(
            segment,
            FileState::NotSealed,
            "the writer was stopped as it began it; nothing is lost",
        )),
        (_, None) => Ok(FileCheck::new(
            segment,
            FileState::Missing,
            "it was begun, not sealed, and is not there",
        )),
    }
}

/// The file at `path`, `None` if there is none. A link is no segment.
fn open(path: &Path) -> io::Result<Option<File>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn against(sealed: &Sealed, mut file: File) -> io::Result<FileCheck> {
    let (bytes, sha256) = sha256_of(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    let found = structure(&sealed.segment, &file)?;
    let mut check = FileCheck {
        bytes: Some(bytes),
        sha256: Some(sealed.sha256.clone()),
        packets: found.packets,
        first: sealed.first.clone(),
        last: sealed.last.clone(),
        ..FileCheck::new(&sealed.segment, FileState::Ok, "")
    };
    if sha256 != sealed.sha256 || bytes != sealed.bytes {
        check.state = FileState::Changed;
        check.detail = match bytes.cmp(&sealed.bytes) {
            std::cmp::Ordering::Less => format!(
                "it is shorter by {} than the {} that were written",
                bytes_of(sealed.bytes - bytes),
                bytes_of(sealed.bytes)
            ),
            std::cmp::Ordering::Greater => {
                format!(
                    "it is longer by {} than it was written",
                    bytes_of(bytes - sealed.bytes)
                )
            }
            std::cmp::Ordering::Equal => "its content is not what was written".to_owned(),
        };
        if let Some(fault) = described(&found) {
            check.detail = format!("{}; {fault}", check.detail);
        }
    } else if let Some(recovered) = &sealed.recovered {
        check.state = FileState::Recovered;
        check.detail = format!(
            "{}; {} bytes of an incomplete block were cut off",
            recovered.reason, recovered.cut_bytes
        );
    } else if let Some(fault) = described(&found) {
        check.state = FileState::Torn;
        check.detail = fault;
    } else if is_encrypted(&sealed.segment) {
        "encrypted: what is in it was not looked at".clone_into(&mut check.detail);
    }
    Ok(check)
}

fn not_sealed(segment: &str, file: &File, is_being_written: bool) -> io::Result<FileCheck> {
    let found = structure(segment, file)?;
    let why = if is_being_written {
        "it is being written"
    } else {
        "the writer was stopped; the next start seals it"
    };
    let state = match found.fault {
        Some(Fault::Broken) => FileState::Torn,
        _ => FileState::NotSealed,
    };
    let detail = match described(&found) {
        Some(fault) => format!("{why}; {fault}"),
        None => why.to_owned(),
    };
    Ok(FileCheck {
        bytes: Some(found.length),
        packets: found.packets,
        first: found.span.map(|(first, _)| first.to_string()),
        last: found.span.map(|(_, last)| last.to_string()),
        ..FileCheck::new(segment, state, detail)
    })
}

fn structure(segment: &str, file: &File) -> io::Result<Structure> {
    if is_encrypted(segment) {
        structure::age(file)
    } else {
        structure::pcapng(file)
    }
}

/// What is wrong with the structure, in words.
pub(super) fn described(found: &Structure) -> Option<String> {
    let rest = bytes_of(found.length.saturating_sub(found.whole));
    let before = match found.packets {
        Some(1) => "; the packet before it is whole".to_owned(),
        Some(packets) => format!("; the {packets} packets before it are whole"),
        None => String::new(),
    };
    let what = match found.fault? {
        Fault::Torn => "torn at byte",
        Fault::Broken => "no longer a capture from byte",
    };
    Some(format!(
        "{what} {}, so that the last {rest} cannot be read{before}",
        found.whole
    ))
}

fn bytes_of(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        count => format!("{count} bytes"),
    }
}
