//! The files that a process may have its TLS functions in, and its dynamic loader.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
};

use super::{library::object, load::monotonic, obstacle::Engine, process};

/// How much of a process's maps is read, bytes: the longest that the kernel's
/// default limit of 65,530 mappings gives with ordinary paths.
const MAX_MAPS: u64 = 16 << 20;

/// How many TLS libraries of one process are looked at.
const MAX_NAMED: usize = 256;

/// How many files of other names. Browsers map about 200.
const MAX_OTHERS: usize = 1_024;

/// One file in a process's maps that may be hooked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    /// The address range, as `/proc/PID/map_files` names it.
    pub range: String,
    /// What it is called.
    pub name: Name,
    /// Whether it is called as a TLS library or a loader is. Any other file that is
    /// mapped as code may have a TLS library linked into it.
    pub is_named: bool,
}

/// What maps say of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// The device. All subvolumes of a btrfs share one, and have inodes of the same
    /// number.
    device: String,
    /// The inode number.
    inode: u64,
    /// The path, which may have been deleted since.
    pub path: PathBuf,
}

/// What libraries are called that move the stacks of green threads.
const STACK_MOVERS: &[&[u8]] = &[b"_greenlet"];

/// What a library is called that is a Java virtual machine.
const JAVA: &[u8] = b"/libjvm.so";

/// The memory map of a process.
pub(super) struct Maps {
    text: Vec<u8>,
    time: u64,
}

impl Maps {
    /// Reads the map of a process; it is empty if that has gone.
    pub(super) fn read(pid: u32) -> Self {
        let time = monotonic();
        let maps = process::folder(pid).and_then(|folder| File::open(folder.join("maps")).ok());
        let mut text = Vec::new();
        let read = maps.map(|maps| maps.take(MAX_MAPS).read_to_end(&mut text));
        // Of a process that ends while its map is read nothing is known.
        if read.is_none_or(|read| read.is_err()) {
            text.clear();
        }
        Self { text, time }
    }

    /// When it was read, nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) const fn time(&self) -> u64 {
        self.time
    }

    /// Whether the process maps a library that moves stacks.
    pub(super) fn moves_stacks(&self) -> bool {
        STACK_MOVERS
            .iter()
            .any(|name| memchr::memmem::find(&self.text, name).is_some())
    }

    /// The files that the process maps and that may be hooked, each once, those with a
    /// fitting name before the others.
    pub(super) fn files(&self) -> Vec<Mapped> {
        mapped(self.text.as_slice()).unwrap_or_default()
    }

    /// What the process encrypts with; `None` if its map says nothing. Any file may be a
    /// TLS library, which shows where it `is_hooked`.
    pub(super) fn engine(&self, is_hooked: bool) -> Option<Engine> {
        if self.text.is_empty() {
            return None;
        }
        let is_tls = |mapped: &Mapped| {
            let path = mapped.name.path.as_os_str().as_bytes();
            let object = object(OsStr::from_bytes(without_deleted(path)));
            object.is_some_and(|object| object.source().is_some())
        };
        Some(if memchr::memmem::find(&self.text, JAVA).is_some() {
            Engine::Java
        } else if is_hooked || self.files().iter().any(is_tls) {
            Engine::Library
        } else {
            Engine::Hidden
        })
    }
}

/// The files in the text of a `/proc/PID/maps` that may be hooked, each once, those
/// with a fitting name before the others.
fn mapped(maps: impl io::Read) -> io::Result<Vec<Mapped>> {
    let (mut named, mut others) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    let mut maps = BufReader::new(maps.take(MAX_MAPS));
    let mut line = Vec::new();
    // However many others there are, they keep none with a fitting name from being
    // found.
    while maps.read_until(b'\n', &mut line)? > 0 && named.len() < MAX_NAMED {
        let entry = entry(line.strip_suffix(b"\n").unwrap_or(&line));
        line.clear();
        let Some(entry) = entry else { continue };
        if !entry.is_named && others.len() >= MAX_OTHERS {
            continue;
        }
        if seen.insert(entry.name.clone()) {
            let list = if entry.is_named {
                &mut named
            } else {
                &mut others
            };
            list.push(entry);
        }
    }
    named.append(&mut others);
    Ok(named)
}

/// The file in one line of a `/proc/PID/maps`, if it may be hooked.
fn entry(line: &[u8]) -> Option<Mapped> {
    let path_at = memchr::memchr(b'/', line)?;
    let path = line.get(path_at..)?;
    let columns = std::str::from_utf8(line.get(..path_at)?).ok()?;
    let mut columns = columns.split_ascii_whitespace();
    let range = columns.next()?;
    let is_code = columns.next()?.as_bytes().get(2) == Some(&b'x');
    let is_named = object(OsStr::from_bytes(without_deleted(path))).is_some();
    if !is_code && !is_named {
        return None;
    }
    let device = columns.nth(1)?.to_owned();
    Some(Mapped {
        range: range.to_owned(),
        name: Name {
            device,
            inode: columns.next()?.parse().ok()?,
            path: PathBuf::from(OsString::from_vec(path.to_vec())),
        },
        is_named,
    })
}

/// A path without what the kernel appends to that of a deleted file.
pub(super) fn without_deleted(path: &[u8]) -> &[u8] {
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_name_each_file_once() {
        let maps = "\
55d0-55d1 r--p 00000000 fe:00 12 /usr/bin/curl
55d1-55d2 r-xp 00001000 fe:00 12 /usr/bin/curl
7f00-7f01 r--p 00000000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libssl.so.3
7f01-7f02 r-xp 00001000 fe:00 77                         /usr/lib/x86_64-linux-gnu/libssl.so.3
7f10-7f12 r-xp 00001000 fe:00 80                         /opt/app/libssl.so.1.1 (deleted)
7f20-7f21 rw-p 00000000 00:00 0 
7f30-7f31 r-xp 00000000 fe:00 90                         /usr/lib/libsslcommon
7f40-7f41 r-xp 00000000 00:28 77                         /usr/lib/x86_64-linux-gnu/libssl.so.3
";
        let found = mapped(maps.as_bytes()).expect("bytes can be read");
        let shown: Vec<_> = found
            .iter()
            .map(|mapped| (mapped.range.as_str(), mapped.name.inode, mapped.is_named))
            .collect();
        assert_eq!(
            shown,
            [
                ("7f00-7f01", 77, true),
                ("7f10-7f12", 80, true),
                ("7f40-7f41", 77, true),
                ("55d1-55d2", 12, false),
                ("7f30-7f31", 90, false),
            ]
        );
    }

    #[test]
    fn maps_show_what_encrypts() {
        let loader = "7f00-7f01 r-xp 00000000 fe:00 5 /usr/lib/ld-linux-x86-64.so.2\n";
        for (lines, expected) in [
            ("", None),
            (
                "55d0-55d1 r--p 00000000 fe:00 12 /opt/app\n",
                Some(Engine::Hidden),
            ),
            (loader, Some(Engine::Hidden)),
            (
                "7f10-7f12 r-xp 00001000 fe:00 80 /opt/libssl.so.3 (deleted)\n",
                Some(Engine::Library),
            ),
            (
                "7f10-7f12 r-xp 00001000 fe:00 80 /opt/jdk/lib/server/libjvm.so\n\
                 7f20-7f22 r-xp 00001000 fe:00 81 /opt/libssl.so.3\n",
                Some(Engine::Java),
            ),
        ] {
            let maps = Maps {
                text: lines.as_bytes().to_vec(),
                time: 0,
            };
            assert_eq!(maps.engine(false), expected, "{lines}");
            let hooked = maps.engine(true);
            let expected = expected.map(|own| match own {
                Engine::Java => Engine::Java,
                Engine::Library | Engine::Hidden => Engine::Library,
            });
            assert_eq!(hooked, expected, "{lines}");
        }
    }

    #[test]
    fn no_number_of_files_hides_a_library() {
        let other = |inode| format!("7f00-7f01 r-xp 00000000 fe:00 {inode} /tmp/{inode}\n");
        let mut maps: String = (1..=2 * MAX_OTHERS).map(other).collect();
        maps += "7f00-7f01 r-xp 00000000 fe:00 9999 /opt/libgnutls.so.30\n";
        let found = mapped(maps.as_bytes()).expect("bytes can be read");
        assert_eq!(found.len(), MAX_OTHERS + 1);
        assert_eq!(found[0].name.inode, 9_999);
    }

    #[test]
    fn a_path_that_is_no_text_hides_no_library() {
        let maps = b"7f00-7f01 r-xp 00000000 fe:00 5       /opt/caf\xe9 (x)/libssl.so.3\n\
                     7f02-7f03 r-xp 00000000 fe:00 6       /opt/libssl.so.3 (deleted)\n";
        let found = mapped(&maps[..]).expect("bytes can be read");
        let paths: Vec<_> = found
            .iter()
            .map(|mapped| mapped.name.path.as_os_str().as_bytes())
            .collect();
        assert_eq!(
            paths,
            [
                &b"/opt/caf\xe9 (x)/libssl.so.3"[..],
                b"/opt/libssl.so.3 (deleted)"
            ]
        );
    }
}
