//! A journal file: appended to, synced, rotated by size.
//!
//! Input: lines. Output: `name`, and the older `name.1` to `name.KEEP`.

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::JournalError;

/// Findings are about people, even if tokens stand for them: only the owner may
/// read them.
const FILE_MODE: u32 = 0o600;
/// For folders that the journal has to create.
const FOLDER_MODE: u32 = 0o700;

/// An open journal file.
pub(super) struct JournalFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u32,
    /// `None` after an error that left no usable file; reopened with the next
    /// batch.
    open: Option<Open>,
}

struct Open {
    file: File,
    /// Bytes that are known to be on disk, all of them whole lines.
    safe: u64,
    /// Whether an incomplete line may stand at the end.
    torn: bool,
}

impl JournalFile {
    /// Opens or creates the file at `path`. It is rotated before it would grow
    /// beyond `max_bytes`; `keep` rotated files stay.
    pub(super) fn open(path: &Path, max_bytes: u64, keep: u32) -> Result<Self, JournalError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(folder)
                .map_err(|source| failed("create the folder", folder, source))?;
        }
        let open = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            max_bytes,
            keep,
            open: Some(open),
        })
    }

    /// Appends all `lines` and syncs. Only lines that are safely on disk are
    /// removed from `lines`.
    pub(super) fn append(&mut self, lines: &mut VecDeque<Vec<u8>>) -> Result<(), JournalError> {
        while !lines.is_empty() {
            let mut open = self.current()?;
            // An empty file takes any line, or a very long one would never be
            // written.
            let first = lines.front().map_or(0, |line| line.len() as u64);
            let room = match open.safe {
                0 => self.max_bytes.max(first),
                safe => self.max_bytes.saturating_sub(safe),
            };
            let (chunk, count) = next_chunk(lines, room);
            if count == 0 {
                drop(open);
                self.rotate()?;
                continue;
            }
            let written = open.append(&chunk);
            // Whatever state the file is in, the next batch continues from
            // there.
            self.open = Some(open);
            written.map_err(|source| failed("write", &self.path, source))?;
            lines.drain(..count);
        }
        Ok(())
    }

    /// The open file, reopened if it was moved or deleted.
    fn current(&mut self) -> Result<Open, JournalError> {
        if let Some(mut open) = self.open.take()
            && let Ok(held) = open.file.metadata()
            && let Ok(named) = fs::metadata(&self.path)
            && (held.dev(), held.ino()) == (named.dev(), named.ino())
        {
            // Someone may have emptied it in place.
            open.safe = open.safe.min(held.len());
            return Ok(open);
        }
        open(&self.path)
    }

    /// Takes new limits, which apply from the next batch on.
    pub(super) const fn set_limits(&mut self, max_bytes: u64, keep: u32) {
        self.max_bytes = max_bytes;
        self.keep = keep;
    }

    /// Renames `name.1` to `name.2` and so on up to the first free number, then
    /// `name` to `name.1`. Each rename is atomic, and stopping at a free number
    /// means that a retry after a failure pushes nothing out.
    fn rotate(&self) -> Result<(), JournalError> {
        let free = (1..self.keep).find(|number| !self.numbered(*number).exists());
        for number in (1..free.unwrap_or(self.keep)).rev() {
            rename(&self.numbered(number), &self.numbered(number + 1))?;
        }
        rename(&self.path, &self.numbered(1))?;
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| failed("sync the folder", folder, source))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Open {
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.torn {
            // A reader must not see half a line joined to the next one.
            self.file.set_len(self.safe)?;
            self.torn = false;
        }
        self.torn = true;
        self.file.write_all(chunk)?;
        self.file.sync_data()?;
        self.torn = false;
        self.safe = self.safe.saturating_add(chunk.len() as u64);
        Ok(())
    }
}

/// As many lines as fit into `room` bytes, joined, and how many they are.
fn next_chunk(lines: &VecDeque<Vec<u8>>, room: u64) -> (Vec<u8>, usize) {
    let mut chunk = Vec::new();
    let mut count = 0;
    for line in lines {
        if (chunk.len() as u64).saturating_add(line.len() as u64) > room {
            break;
        }
        chunk.extend_from_slice(line);
        count += 1;
    }
    (chunk, count)
}

fn open(path: &Path) -> Result<Open, JournalError> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        .open(path)
        .map_err(|source| failed("open", path, source))?;
    let metadata = file
        .metadata()
        .map_err(|source| failed("examine", path, source))?;
    if !metadata.is_file() {
        return Err(JournalError::NotAFile {
            path: path.to_owned(),
        });
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(JournalError::InUse {
                path: path.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed("lock", path, source)),
    }
    let safe = finish_last_line(&mut file, metadata.len())
        .map_err(|source| failed("finish the last line of", path, source))?;
    Ok(Open {
        file,
        safe,
        torn: false,
    })
}

/// Terminates a line that a crash cut short, so that the next one is separate.
/// Returns the length of the file.
fn finish_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    let Some(last) = length.checked_sub(1) else {
        return Ok(0);
    };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    if byte == *b"\n" {
        return Ok(length);
    }
    file.write_all(b"\n")?;
    Ok(length.saturating_add(1))
}

/// Renames, and takes a missing `from` as done.
fn rename(from: &Path, to: &Path) -> Result<(), JournalError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("rename", from, error)),
        _ => Ok(()),
    }
}

fn failed(attempt: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        attempt,
        path: path.to_owned(),
        source,
    }
}
