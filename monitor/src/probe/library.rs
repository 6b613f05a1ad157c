//! Where TLS libraries are: in the maps of processes, at paths that processes
//! open, and in the host's standard folders.

use std::{
    fs::{self, File},
    io,
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use object::{Object as _, ObjectSegment as _, ObjectSymbol as _};

/// Folders where distributions put libssl. A process that starts later finds
/// its library hooked already.
const STANDARD_FOLDERS: &[&str] = &[
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/lib64",
];

/// A larger file is no TLS library.
const MAX_SIZE: u64 = 512 * 1024 * 1024;

/// Names a file whatever its path: probes are attached to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

/// A TLS library, held open so that it can be attached to after its path has
/// gone.
#[derive(Debug)]
pub struct Library {
    /// Which file it is.
    pub id: FileId,
    /// The path it was found at, for people.
    pub path: PathBuf,
    file: File,
}

/// Why a library cannot be attached to.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It cannot be opened.
    #[error("open {path}: {source}")]
    Open {
        /// The path that was tried.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read, or is too large.
    #[error("read {path}: {source}")]
    Read {
        /// The path it was found at.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no ELF file.
    #[error("{path} is no ELF file: {source}")]
    Elf {
        /// The path it was found at.
        path: PathBuf,
        /// Why.
        source: object::Error,
    },
}

impl Library {
    /// Opens the library at `path`, known to people as `shown`.
    pub fn open(path: &Path, shown: &Path) -> Result<Self, LibraryError> {
        let open = |source| LibraryError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(open)?;
        let metadata = file.metadata().map_err(open)?;
        if !metadata.is_file() || metadata.len() > MAX_SIZE {
            return Err(open(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let id = FileId {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        Ok(Self {
            id,
            path: shown.to_owned(),
            file,
        })
    }

    /// A path to the very file, valid while this value lives, deleted or not.
    pub fn attach_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// File offsets of the exported functions, in the order of `symbols`.
    pub fn offsets(&self, symbols: &[&str]) -> Result<Vec<Option<u64>>, LibraryError> {
        let bytes = fs::read(self.attach_path()).map_err(|source| LibraryError::Read {
            path: self.path.clone(),
            source,
        })?;
        let elf = object::File::parse(bytes.as_slice()).map_err(|source| LibraryError::Elf {
            path: self.path.clone(),
            source,
        })?;
        let mut offsets = vec![None; symbols.len()];
        for symbol in elf.dynamic_symbols().chain(elf.symbols()) {
            let Ok(name) = symbol.name() else { continue };
            if !symbol.is_definition() {
                continue;
            }
            if let Some(index) = symbols.iter().position(|wanted| *wanted == name)
                && offsets[index].is_none()
            {
                offsets[index] = elf.segments().find_map(|segment| {
                    let (start, size) = segment.file_range();
                    let into = symbol.address().checked_sub(segment.address())?;
                    (into < size).then(|| start + into)
                });
            }
        }
        Ok(offsets)
    }
}

/// Whether a path is that of a libssl of OpenSSL or a relative. `libssl3.so` is
/// NSS, which has another interface.
pub(super) fn is_tls_library(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| {
        name.strip_prefix("libssl").is_some_and(|rest| {
            rest.starts_with(".so") || rest.starts_with(['-', '_']) && rest.contains(".so")
        })
    })
}

/// Whether a path is that of the C library.
pub(super) fn is_libc(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| {
        name == "libc.so.6" || name.starts_with("ld-musl-") || name.starts_with("libc.musl-")
    })
}

/// The TLS libraries in the host's standard folders.
pub(super) fn standard() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in STANDARD_FOLDERS {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(is_tls_library) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// One TLS library in a process's maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    /// The address range, as `/proc/PID/map_files` names it.
    pub range: String,
    /// The inode number.
    pub inode: u64,
    /// The path, which may have been deleted since.
    pub path: String,
}

/// The TLS libraries in the text of a `/proc/PID/maps`, each file once.
pub(super) fn mapped(maps: &str) -> Vec<Mapped> {
    let mut found: Vec<Mapped> = Vec::new();
    for line in maps.lines() {
        let mut columns = line.splitn(6, ' ');
        let (Some(range), Some(_), Some(_), Some(_), Some(inode), Some(path)) = (
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
        ) else {
            continue;
        };
        let path = path.trim_start();
        let Ok(inode) = inode.parse() else { continue };
        if is_tls_library(path.trim_end_matches(" (deleted)"))
            && !found.iter().any(|mapped| mapped.inode == inode)
        {
            found.push(Mapped {
                range: range.to_owned(),
                inode,
                path: path.to_owned(),
            });
        }
    }
    found
}

/// Opens a library that a process maps: by its mapping, which outlives its
/// path; else by its path in the process's own file system.
pub(super) fn open_mapped(pid: u32, mapped: &Mapped) -> Result<Library, LibraryError> {
    let shown = Path::new(&mapped.path);
    let by_mapping = PathBuf::from(format!("/proc/{pid}/map_files/{}", mapped.range));
    Library::open(&by_mapping, shown).or_else(|_| open_in_root(pid, &mapped.path))
}

/// Opens the library at `path` of a process's own file system.
pub(super) fn open_in_root(pid: u32, path: &str) -> Result<Library, LibraryError> {
    let path = path.trim_end_matches(" (deleted)");
    let below = path.trim_start_matches('/');
    let full = if path.starts_with('/') {
        PathBuf::from(format!("/proc/{pid}/root/{below}"))
    } else {
        PathBuf::from(format!("/proc/{pid}/cwd/{below}"))
    };
    Library::open(&full, Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_name_each_library_once() {
        let maps = "\
55d0-55d1 r--p 00000000 fe:00 12 /usr/bin/curl
7f00-7f01 r--p 00000000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libssl.so.3
7f01-7f02 r-xp 00001000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libssl.so.3
7f10-7f12 r-xp 00001000 fe:00 80                         /opt/app/libssl.so.1.1 (deleted)
7f20-7f21 rw-p 00000000 00:00 0 
7f30-7f31 r-xp 00000000 fe:00 90                         /usr/lib/libsslcommon
";
        let found = mapped(maps);
        let shown: Vec<_> = found
            .iter()
            .map(|mapped| (mapped.range.as_str(), mapped.inode))
            .collect();
        assert_eq!(shown, [("7f00-7f01", 77), ("7f10-7f12", 80)]);
    }

    #[test]
    fn library_names() {
        for (path, expected) in [
            ("/usr/lib/libssl.so", true),
            ("/usr/lib/libssl.so.3", true),
            ("libssl-1a2b3c.so.1.1", true),
            ("/usr/lib/libcrypto.so.3", false),
            ("/usr/lib/libssl.a", false),
            ("/usr/lib/libssl3.so", false),
            ("/srv/libssl.so.d/readme", false),
        ] {
            assert_eq!(is_tls_library(path), expected, "{path}");
        }
    }
}
