//! What an interrupted writer left behind.
//!
//! In: a folder and its manifest. Out: every segment that was begun and not
//! sealed is cut after its last whole block and sealed as recovered, pending
//! deletions are carried out, and drafts are removed. Nothing else in the
//! folder is touched.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{
    digest::sha256_of,
    disk::Disk,
    entry::{Entry, Recovered, Sealed, State},
    error::StoreError,
    manifest::Manifest,
    name::{self, FileKind, HOLD, draft_name, is_encrypted},
    structure::{self, Fault, Structure},
};

/// Why a segment was recovered at a start.
const INTERRUPTED: &str = "its writer was interrupted";

/// Puts the folder in order. What could not be done is left for the next start
/// and described in the returned lines.
pub(super) fn recover(
    directory: &Path,
    disk: &dyn Disk,
    manifest: &mut Manifest,
) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    let mut open = Vec::new();
    let mut deleted = Vec::new();
    for (segment, state) in manifest.index().segments() {
        match state {
            State::Open => open.push(segment.to_owned()),
            State::Deleted(entry) => deleted.push((segment.to_owned(), entry.bytes)),
            State::Sealed(_) | State::Lost(_) => {}
        }
    }
    for segment in open {
        match adopt(directory, &segment, disk, INTERRUPTED) {
            Ok(Some(sealed)) => {
                notes.push(described(&sealed));
                manifest.note(Entry::Sealed(Box::new(sealed)));
            }
            Ok(None) => {
                notes.push(format!("{segment} was begun and is not there"));
                manifest.note(Entry::Lost {
                    segment,
                    time: disk.now().to_string(),
                });
            }
            Err(error) => notes.push(format!("{segment} could not be recovered: {error}")),
        }
    }
    for (segment, bytes) in deleted {
        let path = directory.join(&segment);
        let is_the_same =
            fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == bytes);
        if is_the_same && !is_held(directory) {
            drop(fs::remove_file(path));
        }
    }
    manifest.prune();
    remove_drafts(directory)?;
    Ok(notes)
}

/// Whether nothing may be deleted.
pub(super) fn is_held(directory: &Path) -> bool {
    // If that is not known, nothing is deleted.
    !matches!(
        fs::symlink_metadata(directory.join(HOLD)),
        Err(error) if error.kind() == io::ErrorKind::NotFound
    )
}

fn described(sealed: &Sealed) -> String {
    let cut = sealed
        .recovered
        .as_ref()
        .map_or(0, |recovered| recovered.cut_bytes);
    let reason = sealed
        .recovered
        .as_ref()
        .map_or(INTERRUPTED, |recovered| &recovered.reason);
    format!(
        "{} was recovered: {reason}; {cut} bytes of an incomplete block were cut off",
        sealed.segment
    )
}

/// Makes the file of `segment` end after a whole block, and describes it.
/// `None` if there is no such file.
pub(super) fn adopt(
    directory: &Path,
    segment: &str,
    disk: &dyn Disk,
    reason: &str,
) -> io::Result<Option<Sealed>> {
    let path = directory.join(segment);
    let draft = directory.join(draft_name(segment));
    if !path.exists() && draft.exists() {
        // Its writer was interrupted before it could rename the draft.
        fs::rename(&draft, &path)?;
    }
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let found = if is_encrypted(segment) {
        structure::age(&file)?
    } else {
        structure::pcapng(&file)?
    };
    let mut reason = reason.to_owned();
    let cut_bytes = match found.fault {
        // An encrypted file is left as it is: without the key its last chunk
        // cannot be told from a part of one, and decryption yields what is
        // whole.
        Some(Fault::Torn) if !is_encrypted(segment) => cut(&file, &found)?,
        Some(Fault::Broken) if is_blank(&mut file, found.whole)? => cut(&file, &found)?,
        Some(Fault::Broken) => {
            reason = format!("{reason}; what follows byte {} is no block", found.whole);
            0
        }
        Some(Fault::Torn) | None => 0,
    };
    disk.sync(&file)?;
    file.seek(SeekFrom::Start(0))?;
    let (bytes, sha256) = sha256_of(&mut file)?;
    Ok(Some(Sealed {
        segment: segment.to_owned(),
        time: disk.now().to_string(),
        bytes,
        sha256,
        first: found.span.map(|(first, _)| first.to_string()),
        last: found.span.map(|(_, last)| last.to_string()),
        packets: found.packets,
        recovered: Some(Recovered { cut_bytes, reason }),
        ..Sealed::default()
    }))
}

fn cut(file: &File, found: &Structure) -> io::Result<u64> {
    file.set_len(found.whole)?;
    Ok(found.length.saturating_sub(found.whole))
}

/// Whether everything from `from` on is zero: space that was allocated and
/// never written, as some file systems leave it after a power failure.
fn is_blank(file: &mut File, from: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(from))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(true);
        }
        if buffer.iter().take(read).any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
}

/// Removes drafts that will not be completed.
fn remove_drafts(directory: &Path) -> Result<(), StoreError> {
    let refused = |source| StoreError::Read {
        path: directory.to_owned(),
        source,
    };
    for entry in fs::read_dir(directory).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let is_draft = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name::FileKind::of(name) == FileKind::Draft);
        if is_draft && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            drop(fs::remove_file(entry.path()));
        }
    }
    Ok(())
}
