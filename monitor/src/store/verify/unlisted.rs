//! Captures that nothing attests: only their structure can be checked.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::{FileCheck, FileState, names, segment::described};
use crate::{
    capture::{CaptureError, CaptureSource, open},
    loss::{Loss, Losses},
    store::{
        CheckingKey, StoreError,
        name::{FileKind, MANIFEST, SIGNATURE},
        structure::{self, Container},
    },
};

const NO_MANIFEST: &str = "there is no manifest beside it, so only its structure was checked";

/// Checks the structure of `file`.
pub(super) fn check(path: &Path, name: &str, mut file: File) -> io::Result<FileCheck> {
    let mut head = Vec::new();
    (&mut file).take(64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let (found, no_look) = match Container::of(&head) {
        Container::Pcapng => (structure::pcapng(&file)?, ""),
        Container::Age => (
            structure::age(&file)?,
            "; it is encrypted, and what is in it was not looked at",
        ),
        Container::Other => return read_through(path, name),
    };
    let (state, detail) = match described(&found) {
        Some(fault) => (FileState::Torn, format!("{NO_MANIFEST}; {fault}")),
        None => (FileState::Complete, format!("{NO_MANIFEST}{no_look}")),
    };
    Ok(FileCheck {
        bytes: Some(found.length),
        packets: found.packets,
        ..FileCheck::new(name, state, detail)
    })
}

/// Reads a capture of another format to its end and describes what could not be
/// read.
fn read_through(path: &Path, name: &str) -> io::Result<FileCheck> {
    let mut losses = Losses::default();
    let result = open(path).and_then(|mut source: Box<dyn CaptureSource>| {
        while source.next(&mut losses)?.is_some() {}
        Ok(())
    });
    let (state, detail) = match result {
        Err(CaptureError::Read { source, .. }) => return Err(source),
        Err(error) => (FileState::Torn, error.to_string()),
        Ok(()) => {
            let broken = losses.get(Loss::CaptureMalformed);
            let torn = losses.get(Loss::CaptureTruncated);
            match (broken, torn) {
                (0, 0) => (FileState::Complete, NO_MANIFEST.to_owned()),
                (0, _) => (FileState::Torn, format!("{NO_MANIFEST}; it is cut")),
                _ => (
                    FileState::Torn,
                    format!("{NO_MANIFEST}; {broken} parts of it can not be read"),
                ),
            }
        }
    };
    Ok(FileCheck::new(name, state, detail))
}

/// Checks the structure of every segment in a folder without a manifest.
pub(super) fn folder(
    directory: &Path,
    key: Option<&CheckingKey>,
) -> Result<Vec<FileCheck>, StoreError> {
    let mut files = Vec::new();
    let mut is_ours = false;
    for name in names(directory)? {
        let path = directory.join(&name);
        let kind = FileKind::of(&name);
        is_ours |= !matches!(kind, FileKind::Foreign | FileKind::Draft);
        let is_capture = kind == FileKind::Segment || looks_like_a_capture(&name);
        if !is_capture || !path.is_file() {
            continue;
        }
        let checked = File::open(&path).and_then(|file| check(&path, &name, file));
        files.push(checked.map_err(|source| StoreError::Read { path, source })?);
    }
    if is_ours {
        let detail = "a folder of captures has one, and nothing vouches for these without it";
        files.push(FileCheck::new(MANIFEST, FileState::Missing, detail));
    }
    if key.is_some() {
        let detail = "a signature is asked for";
        files.push(FileCheck::new(SIGNATURE, FileState::Missing, detail));
    }
    if files.is_empty() {
        return Err(StoreError::NoCapture {
            path: directory.to_owned(),
        });
    }
    Ok(files)
}

fn looks_like_a_capture(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = [".zst", ".age"]
        .iter()
        .find_map(|wrap| name.strip_suffix(wrap))
        .unwrap_or(&name);
    [".pcapng", ".pcap", ".cap", ".har"]
        .iter()
        .any(|extension| plain.ends_with(extension))
}
