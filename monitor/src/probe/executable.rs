//! Which TLS library is compiled into an executable, as far as its bytes tell.
//!
//! In: the executable of a process. Out: whether rustls is in it. It leaves the names
//! of its functions, and in a stripped program the paths of its source files and its
//! modules. Each file is searched once, and only if a process that runs it greets a TLS
//! server and maps no library that is hooked.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
};

use super::process;

/// How much of a file is searched, bytes. Programs with an engine for JavaScript have
/// about 100 MiB.
const MAX_SEARCHED: u64 = 256 << 20;
/// How much is read at once, bytes.
const PIECE: usize = 1 << 20;
/// How many files are remembered.
const MAX_FILES: usize = 1_024;
/// What all marks of rustls have in common.
pub(super) const NAME: &[u8] = b"rustls";
/// How many bytes around the name make a mark.
const AROUND: usize = 2;

/// A file, as it was when it was searched.
#[derive(PartialEq, Eq, Hash)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// The executables that were searched.
#[derive(Default)]
pub(super) struct Executables(HashMap<Version, bool>);

impl Executables {
    /// Whether the executable of a process has rustls in it.
    pub(super) fn have_rustls(&mut self, pid: u32) -> bool {
        let exe = process::folder(pid).and_then(|folder| File::open(folder.join("exe")).ok());
        let Some((exe, found)) = exe.and_then(|exe| exe.metadata().ok().map(|own| (exe, own)))
        else {
            return false;
        };
        let version = Version {
            device: found.dev(),
            inode: found.ino(),
            size: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        };
        if let Some(known) = self.0.get(&version) {
            return *known;
        }
        // A file that cannot be read shows nothing.
        let has = has_rustls(exe.take(MAX_SEARCHED)).unwrap_or_default();
        if self.0.len() >= MAX_FILES {
            self.0.clear();
        }
        self.0.insert(version, has);
        has
    }
}

fn has_rustls(mut file: impl Read) -> io::Result<bool> {
    // Its first byte was judged with the piece before.
    let mut window = Vec::with_capacity(PIECE);
    window.push(0);
    loop {
        let kept = window.len();
        let wanted = (PIECE - kept) as u64;
        if file.by_ref().take(wanted).read_to_end(&mut window)? == 0 {
            return Ok(false);
        }
        if memchr::memmem::find_iter(&window, NAME).any(|at| is_mark(&window, at)) {
            return Ok(true);
        }
        // A mark may go on in the next piece.
        let rest = window.len().saturating_sub(NAME.len() + AROUND);
        window.drain(..rest);
    }
}

/// Whether the name at this place is that of the crate: `6rustls` of a function,
/// `/rustls-0.` of a source file, `rustls::` of a module. `hyper_rustls` is another's.
pub(super) fn is_mark(bytes: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| bytes.get(at)).copied() else {
        return false;
    };
    let behind = at + NAME.len();
    let after = bytes.get(behind..behind + AROUND).unwrap_or_default();
    let is_other = before == b'_' || before.is_ascii_alphabetic();
    before == b'6'
        || (before == b'/' && matches!(after, [b'-', digit] if digit.is_ascii_digit()))
        || (!is_other && after == b"::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: bool) {
        for before in [
            0,
            1,
            PIECE - 12,
            PIECE - 8,
            PIECE - 4,
            PIECE,
            3 * PIECE - 20,
        ] {
            let mut file = vec![0; before];
            file.extend_from_slice(text.as_bytes());
            file.extend([0; 100]);
            let found = has_rustls(file.as_slice()).unwrap();
            assert_eq!(found, expected, "{text} behind {before}");
        }
    }

    #[test]
    fn rustls_leaves_marks() {
        for (text, expected) in [
            ("_ZN6rustls6client2hs17start_handshake17h0E", true),
            ("_RNvNtNtCs_6rustls6client2hs15start_handshake", true),
            ("/src/index.crates.io-1949/rustls-0.23.12/src/conn.rs", true),
            ("norustls::client::tls13", false),
            ("\u{0}rustls::client::tls13", true),
            ("hyper_rustls::connector", false),
            ("_ZN12hyper_rustls9connector17h0E", false),
            ("/rustls-webpki", false),
            ("rustls", false),
            ("no such thing", false),
        ] {
            check(text, expected);
        }
    }
}
