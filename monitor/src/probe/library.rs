//! Files with TLS functions: those that processes map, and the libraries in the
//! host's standard folders.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, AsRawFd as _, OwnedFd},
        unix::{
            ffi::OsStrExt as _,
            fs::{FileExt as _, MetadataExt as _},
        },
    },
    path::{Component, Path, PathBuf},
    ptr,
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, open, openat2},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use super::{
    elf::{BuildId, Elf, ElfError, Function},
    maps::{Mapped, without_deleted},
    process,
    table::Object,
};

/// Folders where distributions put TLS libraries. A process that starts later finds
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

/// How many bytes the kernel replaces by a breakpoint.
const BREAKPOINT: usize = if cfg!(target_arch = "aarch64") { 4 } else { 1 };

/// Names a file whatever its path: probes are attached to files. The layers of
/// container images show one file under many device numbers; see
/// [`Library::is_hooked_at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

impl FileId {
    /// How much a file of this id and `stamp` looks as if `other` were another name
    /// of it: layers keep the number, the size and the time of the file behind them.
    pub(super) fn likeness(self, stamp: Stamp, other: &Library) -> u8 {
        u8::from(self.inode == other.id.inode) * 2 + u8::from(stamp == other.stamp)
    }
}

/// Tells a file from what it was before: when either differs it has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was last written, nanoseconds since the Unix epoch.
    pub modified: i128,
}

/// A TLS library, held open so that it can be attached to after its path has
/// gone.
#[derive(Debug)]
pub struct Library {
    /// Which file it is.
    pub id: FileId,
    /// What it looked like when it was opened.
    pub stamp: Stamp,
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
    /// It is not opened: a folder, a device, a pipe or a socket.
    #[error("{path} is no regular file")]
    Special {
        /// The path that was tried.
        path: PathBuf,
    },
    /// It is not read.
    #[error("{path} has {size} bytes; no TLS library is that large")]
    TooLarge {
        /// The path that was tried.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// It is no ELF file, or a broken one.
    #[error("read {path}: {source}")]
    Elf {
        /// The path it was found at.
        path: PathBuf,
        /// Why.
        source: ElfError,
    },
}

impl Library {
    /// Opens the library at `path`, known to people as `shown`.
    pub fn open(path: &Path, shown: &Path) -> Result<Self, LibraryError> {
        let handle = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let handle = handle.map_err(|error| LibraryError::Open {
            path: path.to_owned(),
            source: error.into(),
        })?;
        Self::opened(&handle, shown)
    }

    /// Opens the library at `path` as the processes below `root` see it: links
    /// lead nowhere else, so that no container names a file of the host.
    fn open_below(root: &Path, path: &Path, shown: &Path) -> Result<Self, LibraryError> {
        let failed = |source: rustix::io::Errno| LibraryError::Open {
            path: root.join(path),
            source: source.into(),
        };
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root_handle = open(root, folder, Mode::empty()).map_err(failed)?;
        let handle = openat2(
            &root_handle,
            path,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            // What a process has open is no library of its file system.
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        );
        Self::opened(&handle.map_err(failed)?, shown)
    }

    /// Looks at what was found before it is opened in earnest: opening a pipe
    /// waits for its other end, and opening a device may do anything.
    fn opened(handle: &OwnedFd, shown: &Path) -> Result<Self, LibraryError> {
        let failed = |source| LibraryError::Open {
            path: shown.to_owned(),
            source,
        };
        let itself = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let metadata = fs::metadata(&itself).map_err(failed)?;
        if !metadata.is_file() {
            return Err(LibraryError::Special {
                path: shown.to_owned(),
            });
        }
        if metadata.len() > MAX_SIZE {
            return Err(LibraryError::TooLarge {
                path: shown.to_owned(),
                size: metadata.len(),
            });
        }
        // Not blocking, because a process may hold a lease on its file.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(&itself, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let (id, stamp) = identity(&metadata);
        Ok(Self {
            id,
            stamp,
            path: shown.to_owned(),
            file: File::from(file),
        })
    }

    /// The file itself.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// A path to the very file, valid while this value lives, deleted or not.
    pub fn attach_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// The functions of these names, exported or not, in the order of `symbols`.
    pub fn functions(&self, symbols: &[&str]) -> Result<Vec<Option<Function>>, LibraryError> {
        Elf::read(&self.file)
            .and_then(|elf| elf.functions(symbols))
            .map_err(|source| self.broken(source))
    }

    /// What its headers say, for whoever asks more than one thing of it.
    pub(super) fn elf(&self) -> Result<Elf<'_>, LibraryError> {
        Elf::read(&self.file).map_err(|source| self.broken(source))
    }

    /// The build id, if the linker left one.
    pub fn build_id(&self) -> Result<Option<BuildId>, LibraryError> {
        Elf::read(&self.file)
            .and_then(|elf| elf.build_id())
            .map_err(|source| self.broken(source))
    }

    pub(super) fn broken(&self, source: ElfError) -> LibraryError {
        LibraryError::Elf {
            path: self.path.clone(),
            source,
        }
    }

    /// Whether a breakpoint for all processes, ours or another tool's, is set at
    /// this offset of the file.
    ///
    /// Containers of one image see one file under many device numbers, and the
    /// kernel sets breakpoints in the file behind them all. It sets them in every
    /// mapping that could be executed, so also in one of our own, and there they
    /// can be compared with the file itself. Breakpoints that another tool set
    /// cannot be told apart: ask for every offset that phiwatch would use. Where
    /// a file system forbids execution the answer is no, and no process runs the
    /// library from there either.
    pub fn is_hooked_at(&self, offset: u64) -> io::Result<bool> {
        let page = rustix::param::page_size();
        let (start, into) = (
            offset / page as u64 * page as u64,
            (offset % page as u64) as usize,
        );
        // A breakpoint that reaches into the next page cannot be: instructions
        // of that length are aligned.
        let mut original = [0; BREAKPOINT];
        self.file.read_exact_at(&mut original, offset)?;
        let mapping = Mapping::new(&self.file, start, page)?;
        // Read as a file and not through the pointer: should the file have been
        // cut short that is an error here, and a signal there.
        let memory = File::open("/proc/self/mem")?;
        let mut mapped = [0; BREAKPOINT];
        memory.read_exact_at(&mut mapped, (mapping.address() + into) as u64)?;
        Ok(mapped != original)
    }
}

/// Which file it is, and what it looks like.
fn identity(metadata: &fs::Metadata) -> (FileId, Stamp) {
    let id = FileId {
        device: metadata.dev(),
        inode: metadata.ino(),
    };
    let stamp = Stamp {
        size: metadata.len(),
        modified: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
    };
    (id, stamp)
}

/// Some pages of a file in this process's memory, which nothing points to.
struct Mapping {
    start: *mut std::ffi::c_void,
    length: usize,
}

impl Mapping {
    fn new(file: impl AsFd, offset: u64, length: usize) -> io::Result<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses touches no
        // memory that anything refers to.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                length,
                ProtFlags::READ,
                MapFlags::PRIVATE,
                file,
                offset,
            )
        }?;
        Ok(Self { start, length })
    }

    fn address(&self) -> usize {
        self.start.addr()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and no reference into it was
        // ever made.
        let unmapped = unsafe { munmap(self.start, self.length) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    }
}

/// The last part of a path.
fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// The kind of file that a path names, if its functions are probed.
pub(super) fn object(path: impl AsRef<OsStr>) -> Option<Object> {
    Object::of_name(name(path.as_ref().as_bytes()))
}

/// Whether a path is that of the C library.
pub(super) fn is_libc(path: impl AsRef<OsStr>) -> bool {
    let name = name(path.as_ref().as_bytes());
    name == b"libc.so.6" || name.starts_with(b"ld-musl-") || name.starts_with(b"libc.musl-")
}

/// The TLS libraries and dynamic loaders in the host's standard folders.
pub(super) fn standard() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in STANDARD_FOLDERS {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if object(&name).is_some() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Which file a process maps and what it looks like, without opening it.
pub(super) fn identify(pid: u32, mapped: &Mapped) -> Option<(FileId, Stamp)> {
    let by_mapping = format!("/proc/{pid}/map_files/{}", mapped.range);
    fs::metadata(by_mapping)
        .ok()
        .map(|metadata| identity(&metadata))
}

/// Opens a library that a process maps: by its mapping, which outlives its
/// path; else by its path in the process's own file system.
pub(super) fn open_mapped(pid: u32, mapped: &Mapped) -> Result<Library, LibraryError> {
    let by_mapping = PathBuf::from(format!("/proc/{pid}/map_files/{}", mapped.range));
    Library::open(&by_mapping, &mapped.name.path).or_else(|_| open_in_root(pid, &mapped.name.path))
}

/// Opens the library at `path` of a process's own file system.
pub(super) fn open_in_root(pid: u32, path: &Path) -> Result<Library, LibraryError> {
    let shown = Path::new(OsStr::from_bytes(without_deleted(
        path.as_os_str().as_bytes(),
    )));
    let failed = |source| LibraryError::Open {
        path: shown.to_owned(),
        source,
    };
    let gone = || failed(io::ErrorKind::NotFound.into());
    let folder = process::folder(pid).ok_or_else(gone)?;
    let root = folder.join("root");
    let path = if shown.is_absolute() {
        shown.to_owned()
    } else {
        let link = |name| fs::read_link(folder.join(name)).map_err(failed);
        below(&link("root")?, &link("cwd")?)
            .ok_or_else(gone)?
            .join(shown)
    };
    let path = path.strip_prefix("/").unwrap_or(&path);
    Library::open_below(&root, path, shown)
}

/// The working folder `cwd` as the process whose root is `root` sees it, of
/// which phiwatch sees both.
fn below(root: &Path, cwd: &Path) -> Option<PathBuf> {
    let is_plain = |path: &Path| {
        let mut components = path.components();
        components.next() == Some(Component::RootDir)
            && components.all(|component| matches!(component, Component::Normal(_)))
    };
    let below = cwd.strip_prefix(root).ok()?;
    is_plain(cwd).then(|| Path::new("/").join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_working_folder_is_seen_from_the_root() {
        for (root, cwd, expected) in [
            ("/", "/app", Some("/app")),
            ("/", "/", Some("/")),
            ("/srv/jail", "/srv/jail/app", Some("/app")),
            ("/srv/jail", "/elsewhere", None),
            ("/", "(unreachable)/app", None),
        ] {
            let found = below(Path::new(root), Path::new(cwd));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{root} {cwd}");
        }
    }

    #[test]
    fn only_regular_files_of_some_size_are_opened() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let create = |name: &str, size| {
            let file = File::create(path(name)).expect("a file");
            file.set_len(size).expect("a sparse file takes no room");
        };
        create("libssl.so.1", 0);
        create("libssl.so.2", MAX_SIZE + 1);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("libssl.so.3"),
            rustix::fs::FileType::Fifo,
            Mode::RWXU,
            0,
        )
        .expect("a pipe");
        std::os::unix::fs::symlink("libssl.so.3", path("libssl.so.4")).expect("a link");
        std::os::unix::fs::symlink("/libssl.so.1", path("libssl.so.5")).expect("a link");
        fs::create_dir(path("libssl.so.6")).expect("a folder");
        for (name, by_path, below_root) in [
            ("libssl.so.1", "ok", "ok"),
            ("libssl.so.2", "large", "large"),
            ("libssl.so.3", "special", "special"),
            ("libssl.so.4", "special", "special"),
            // A link to the root: to that of the process.
            ("libssl.so.5", "open", "ok"),
            ("libssl.so.6", "special", "special"),
            ("libssl.so.7", "open", "open"),
        ] {
            let tell = |opened: Result<Library, LibraryError>| match opened {
                Ok(library) => {
                    // Empty: no ELF file.
                    assert!(library.functions(&["SSL_write"]).is_err(), "{name}");
                    "ok"
                }
                Err(LibraryError::Open { .. }) => "open",
                Err(LibraryError::Special { .. }) => "special",
                Err(LibraryError::TooLarge { .. }) => "large",
                Err(LibraryError::Elf { .. }) => "elf",
            };
            let opened = Library::open(&path(name), Path::new(name));
            assert_eq!(tell(opened), by_path, "{name}");
            let opened = Library::open_below(folder.path(), Path::new(name), Path::new(name));
            assert_eq!(tell(opened), below_root, "{name}");
        }
    }

    #[test]
    fn a_file_that_nothing_hooks_is_not_hooked() {
        let path = std::env::current_exe().expect("this test is a file");
        let library = Library::open(&path, &path).expect("and can be opened");
        for offset in [0, 4_096, 4_100] {
            assert!(!library.is_hooked_at(offset).expect("readable"), "{offset}");
        }
        assert!(library.is_hooked_at(library.stamp.size).is_err());
    }

    #[test]
    fn an_alias_belongs_to_the_copy_whose_inode_number_it_has() {
        let path = std::env::current_exe().expect("this test is a file");
        let seen = Library::open(&path, &path).expect("and can be opened");
        // What a hooked file has in common with it, the least likely first.
        let mut before = None;
        for (inode, is_as_old) in [(0, false), (0, true), (1, false), (1, true)] {
            let hooked = FileId {
                device: 9,
                inode: seen.id.inode.wrapping_add(1 - inode),
            };
            let stamp = if is_as_old {
                seen.stamp
            } else {
                Stamp::default()
            };
            let likeness = Some(hooked.likeness(stamp, &seen));
            assert!(likeness > before, "{inode} {is_as_old}");
            before = likeness;
        }
    }

    #[test]
    fn library_names() {
        for (path, expected) in [
            ("/usr/lib/libssl.so", Some(Object::OpenSsl)),
            ("/usr/lib/libssl.so.3", Some(Object::OpenSsl)),
            ("libssl-1a2b3c.so.1.1", Some(Object::OpenSsl)),
            ("/usr/lib/libgnutls.so.30", Some(Object::GnuTls)),
            ("libgnutls-1a2b3c.so.30.34.3", Some(Object::GnuTls)),
            ("/usr/lib/libgnutlsxx.so.30", None),
            ("/usr/lib/libcurl-gnutls.so.4", None),
            ("/lib64/ld-linux-x86-64.so.2", Some(Object::Loader)),
            ("/lib/ld-musl-x86_64.so.1", Some(Object::Loader)),
            ("/usr/lib/libcrypto.so.3", None),
            ("/usr/lib/libssl.a", None),
            ("/usr/lib/libssl3.so", None),
            ("/srv/libssl.so.d/readme", None),
        ] {
            assert_eq!(object(path), expected, "{path}");
        }
    }
}
