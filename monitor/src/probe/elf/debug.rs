//! Symbols that were taken out of a file and kept elsewhere: packed into a section of
//! it, as Fedora does, or in a file that is named after the build, as debuggers find
//! it.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    ops::Range,
    path::Path,
};

use lzma_rust2::XzReader;
use memchr::memmem;

use super::{Content, Elf, ElfError, Tables, stream};

/// The name of the section with packed symbols, with its final zero.
pub(super) const PACKED: &[u8] = b".gnu_debugdata\0";

/// Where distributions put files with the symbols of others.
const FOLDER: &str = "/usr/lib/debug";

/// The most that is unpacked, bytes. Node's functions take about 8 MiB.
const MAX_UNPACKED: u64 = 16 << 20;

/// How much memory unpacking may take, KiB: files are packed with dictionaries of up
/// to 8 MiB.
const MAX_MEMORY: u32 = 32 << 10;

/// How much of a packed section is read, bytes.
const MAX_PACKED: u64 = 4 << 20;

/// How much of a file's constants is searched, bytes.
const MAX_CONSTANTS: u64 = 64 << 20;

/// What the constants of every program with OpenSSL, `BoringSSL` or AWS-LC inside hold:
/// the name of a source file, for messages.
const TRACE: &[u8] = b"ssl_lib.c";

impl Elf<'_> {
    /// Takes in symbols that are kept apart from the file's own. Returns whether there
    /// are any.
    pub(in super::super) fn add_debug_symbols(&mut self) -> Result<bool, ElfError> {
        self.add_debug_symbols_of(Path::new(FOLDER))
    }

    pub(super) fn add_debug_symbols_of(&mut self, folder: &Path) -> Result<bool, ElfError> {
        let build_id = self.build_id()?;
        if let Some(file) = build_id.and_then(|id| opened(&folder.join(id.path()))) {
            return self.take_in(Content::Apart(file));
        }
        // All programs of some distributions have packed symbols, and unpacking takes
        // a while.
        let Some(packed) = self.packed.clone() else {
            return Ok(false);
        };
        if !self.has_trace()? {
            return Ok(false);
        }
        match self.unpacked(&packed) {
            Ok(bytes) => self.take_in(Content::Unpacked(bytes)),
            Err(_) => Err(ElfError::Broken("packed table of symbols")),
        }
    }

    fn take_in(&mut self, content: Content<'static>) -> Result<bool, ElfError> {
        let tables = Tables::read(&content, self.contents.len())?;
        let is_any = !tables.symbols.is_empty();
        self.contents.push(content);
        self.symbols.extend(tables.symbols);
        Ok(is_any)
    }

    /// Whether the constants show that OpenSSL or a relative is in the file.
    fn has_trace(&self) -> Result<bool, ElfError> {
        let finder = memmem::Finder::new(TRACE);
        let mut is_found = false;
        for range in self.loaded(true, MAX_CONSTANTS) {
            stream(self.file(), &range, TRACE.len() - 1, |_, piece| {
                is_found = is_found || finder.find(piece).is_some();
                Ok(())
            })?;
        }
        Ok(is_found)
    }

    /// What it may cost to read packed symbols, bytes.
    pub(super) fn packed_weight(&self) -> u64 {
        let loaded = self.loaded(true, MAX_CONSTANTS);
        loaded.map(|range| range.end - range.start).sum()
    }

    fn unpacked(&self, packed: &Range<u64>) -> io::Result<Vec<u8>> {
        let length = (packed.end - packed.start).min(MAX_PACKED);
        let packed = self.file().read(packed.start, length as usize)?;
        let mut bytes = Vec::new();
        XzReader::new_mem_limit(&packed[..], false, MAX_MEMORY)
            .take(MAX_UNPACKED)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A regular file of the host, if it is there.
fn opened(path: &Path) -> Option<File> {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| File::open(path).ok())?
}
