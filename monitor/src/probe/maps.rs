//! The TLS libraries that a process maps, and its dynamic loader.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
};

use super::{
    library::{is_loader, is_tls_library},
    process,
};

/// How much of a process's maps is read, bytes: the longest that the kernel's
/// default limit of 65,530 mappings gives with ordinary paths.
const MAX_MAPS: u64 = 16 << 20;

/// How many TLS libraries of one process are looked at.
const MAX_MAPPED: usize = 256;

/// One TLS library in a process's maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    /// The address range, as `/proc/PID/map_files` names it.
    pub range: String,
    /// The device, as the maps name it.
    device: String,
    /// The inode number.
    pub inode: u64,
    /// The path, which may have been deleted since.
    pub path: PathBuf,
}

/// What libraries are called that move the stacks of green threads.
const STACK_MOVERS: &[&[u8]] = &[b"_greenlet"];

/// Whether a process maps a library that moves stacks.
pub(super) fn moves_stacks(pid: u32) -> bool {
    let maps = process::folder(pid).and_then(|folder| File::open(folder.join("maps")).ok());
    let mut text = Vec::new();
    let read = maps.map(|maps| maps.take(MAX_MAPS).read_to_end(&mut text));
    // A process that ends while its maps are read moves nothing any more.
    read.is_some_and(|read| read.is_ok())
        && STACK_MOVERS
            .iter()
            .any(|name| memchr::memmem::find(&text, name).is_some())
}

/// The TLS libraries that a process maps, each file once; none if it has gone.
pub(super) fn mapped_by(pid: u32) -> Vec<Mapped> {
    let maps = process::folder(pid).and_then(|folder| File::open(folder.join("maps")).ok());
    // A process that ends while its maps are read has none.
    maps.map_or_else(Vec::new, |maps| mapped(maps).unwrap_or_default())
}

/// The TLS libraries in the text of a `/proc/PID/maps`, each file once.
fn mapped(maps: impl io::Read) -> io::Result<Vec<Mapped>> {
    let mut found: Vec<Mapped> = Vec::new();
    let mut maps = BufReader::new(maps.take(MAX_MAPS));
    let mut line = Vec::new();
    while maps.read_until(b'\n', &mut line)? > 0 && found.len() < MAX_MAPPED {
        let entry = entry(line.strip_suffix(b"\n").unwrap_or(&line));
        let is_new = |new: &Mapped| {
            let same = |old: &Mapped| old.inode == new.inode && old.device == new.device;
            !found.iter().any(same)
        };
        found.extend(entry.filter(is_new));
        line.clear();
    }
    Ok(found)
}

/// The TLS library in one line of a `/proc/PID/maps`.
fn entry(line: &[u8]) -> Option<Mapped> {
    let path_at = memchr::memchr(b'/', line)?;
    let path = line.get(path_at..)?;
    let name = OsStr::from_bytes(without_deleted(path));
    if !is_tls_library(name) && !is_loader(name) {
        return None;
    }
    let columns = std::str::from_utf8(line.get(..path_at)?).ok()?;
    let mut columns = columns.split_ascii_whitespace();
    let range = columns.next()?.to_owned();
    let device = columns.nth(2)?.to_owned();
    Some(Mapped {
        range,
        device,
        inode: columns.next()?.parse().ok()?,
        path: PathBuf::from(OsString::from_vec(path.to_vec())),
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
    fn maps_name_each_library_once() {
        let maps = "\
55d0-55d1 r--p 00000000 fe:00 12 /usr/bin/curl
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
            .map(|mapped| (mapped.range.as_str(), mapped.inode))
            .collect();
        assert_eq!(
            shown,
            [("7f00-7f01", 77), ("7f10-7f12", 80), ("7f40-7f41", 77)]
        );
    }

    #[test]
    fn a_path_that_is_no_text_hides_no_library() {
        let maps = b"7f00-7f01 r-xp 00000000 fe:00 5       /opt/caf\xe9 (x)/libssl.so.3\n\
                     7f02-7f03 r-xp 00000000 fe:00 6       /opt/libssl.so.3 (deleted)\n";
        let found = mapped(&maps[..]).expect("bytes can be read");
        let paths: Vec<_> = found
            .iter()
            .map(|mapped| mapped.path.as_os_str().as_bytes())
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
