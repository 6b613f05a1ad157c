//! The little of an ELF file that hooks need: where functions are, their code,
//! and the build id.
//!
//! The file may be anyone's and may change while it is read. So it is read piece
//! by piece and not mapped (a mapped file that is cut short kills its reader),
//! tables are searched as they stream by, and every number in it has a bound:
//! however large the file says it is, memory stays below a megabyte, or, while packed
//! symbols are read, below what [`debug`] allows.

use std::{fmt, fs::File, io, ops::Range, os::unix::fs::FileExt as _, path::PathBuf};

mod debug;
mod go;
mod references;

pub(super) use references::{Raised, Referrer, Text};

use memchr::memmem;
use object::elf;

/// How much of a table is held at a time, bytes. A multiple of [`SYMBOL`].
const PIECE: usize = 96 << 10;
/// The longest table that is searched, bytes. That of all names in Node, among
/// the largest programs with a TLS library inside, has about 30 MiB.
const MAX_TABLE: u64 = 64 << 20;
/// How many sections are looked at. Object files have many, libraries dozens.
const MAX_SECTIONS: u64 = 4_096;
/// How much of the names of sections is looked at, bytes.
const MAX_SECTION_NAMES: usize = 64 << 10;
/// How many segments are looked at. Libraries have about ten.
const MAX_SEGMENTS: u64 = 256;
/// How much of a segment of notes is looked at, bytes.
const MAX_NOTES: u64 = 64 << 10;
/// How many places of a table of names may hold the names that are asked for.
const MAX_NAMES: usize = 256;
/// The most code of one function, bytes.
const MAX_CODE: u64 = 64 << 10;
/// How much of a function whose size nobody tells, bytes.
const UNSIZED_CODE: u64 = 4 << 10;
/// How much of a function that has no symbol, bytes.
const UNNAMED_CODE: u64 = 16 << 10;
/// The longest build id, bytes: SHA-512 is the longest that linkers make.
const MAX_BUILD_ID: usize = 64;
/// Bytes of one symbol (ELF-64).
const SYMBOL: usize = 24;

/// Why an ELF file gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum ElfError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("not an ELF file")]
    NotElf,
    /// Its code is not that of this machine: no process can run it.
    #[error("not for this machine")]
    Foreign,
    /// What it says of itself cannot be.
    #[error("its {0} cannot be")]
    Broken(&'static str),
}

/// One function of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Where it begins in the file, bytes.
    pub offset: u64,
    /// Where it begins in memory, relative to where the file is loaded.
    pub address: u64,
    /// Its instructions: as many as its symbol says, at most 64 KiB; where the
    /// symbol says nothing, up to the next function or 4 KiB.
    pub code: Vec<u8>,
}

/// What the linker made of everything that went into a file: the same build has
/// the same id wherever it lies.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuildId(Vec<u8>);

impl BuildId {
    /// Where a file with the symbols of this build lies, below a folder of such files.
    fn path(&self) -> PathBuf {
        let text = self.to_string();
        let (start, rest) = text.split_at(2);
        [".build-id", start, &format!("{rest}.debug")]
            .iter()
            .collect()
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    kind: u32,
    is_code: bool,
    offset: u64,
    address: u64,
    size: u64,
}

/// What can be read piece by piece.
#[derive(Debug)]
enum Content<'a> {
    /// The file itself.
    File(&'a File),
    /// Another file, with the symbols of this one.
    Apart(File),
    /// What was packed into the file.
    Unpacked(Vec<u8>),
}

/// A table of symbols and that of their names, as ranges of a content.
#[derive(Clone, Debug)]
struct Symbols {
    /// Which of [`Elf::contents`].
    content: usize,
    entries: Range<u64>,
    names: Range<u64>,
}

/// A symbol that names code.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    name: u64,
    address: u64,
    size: u64,
}

/// An ELF file of this machine.
#[derive(Debug)]
pub(super) struct Elf<'a> {
    /// The file before all others.
    contents: Vec<Content<'a>>,
    segments: Vec<Segment>,
    /// The exported symbols before all the others.
    symbols: Vec<Symbols>,
    /// What is packed into the file with further symbols.
    packed: Option<Range<u64>>,
    /// What shows that the file is a program written in Go.
    go: Option<go::Marks>,
    /// Whether it is loaded at the addresses that it names.
    is_fixed: bool,
}

/// The tables of an ELF file.
struct Tables {
    segments: Vec<Segment>,
    symbols: Vec<Symbols>,
    packed: Option<Range<u64>>,
    go: Option<go::Marks>,
    is_fixed: bool,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn half(bytes: &[u8], at: usize) -> u64 {
    number(bytes, at).map_or(0, |bytes| u64::from(u16::from_le_bytes(bytes)))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    number(bytes, at).map_or(0, u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    number(bytes, at).map_or(0, u64::from_le_bytes)
}

impl Content<'_> {
    /// Reads `length` bytes at `offset`, or fewer where it ends.
    fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = match self {
            Self::File(file) => file,
            Self::Apart(file) => file,
            Self::Unpacked(bytes) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let end = start.saturating_add(length).min(bytes.len());
                return Ok(bytes[start..end].to_vec());
            }
        };
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match file.read_at(&mut bytes[filled..], offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// Hands `range` of `content` to `look` piece by piece, each with its offset in
/// the range, and each beginning `overlap` bytes before the end of the last.
fn stream(
    content: &Content<'_>,
    range: &Range<u64>,
    overlap: usize,
    mut look: impl FnMut(u64, &[u8]) -> Result<(), ElfError>,
) -> Result<(), ElfError> {
    let length = range.end - range.start;
    let mut at = 0;
    while at < length {
        let wanted = (length - at).min(PIECE as u64) as usize;
        let piece = content.read(range.start + at, wanted)?;
        look(at, &piece)?;
        if piece.len() < wanted || at + wanted as u64 == length {
            break;
        }
        at += (wanted - overlap) as u64;
    }
    Ok(())
}

/// Where in the file what a section header describes lies.
fn content_of(section: &[u8]) -> Range<u64> {
    let start = long(section, 24);
    start..start.saturating_add(long(section, 32))
}

impl Tables {
    /// Reads those of the content with this index.
    fn read(content: &Content<'_>, index: usize) -> Result<Self, ElfError> {
        let header = content.read(0, 64)?;
        if !header.starts_with(&elf::ELFMAG) || header.len() < 64 {
            return Err(ElfError::NotElf);
        }
        let machine = if cfg!(target_arch = "aarch64") {
            elf::EM_AARCH64
        } else {
            elf::EM_X86_64
        };
        let is_ours = header[4] == elf::ELFCLASS64
            && header[5] == elf::ELFDATA2LSB
            && half(&header, 18) == u64::from(machine);
        if !is_ours {
            return Err(ElfError::Foreign);
        }
        let table = |at, size_at, count_at, size: u64, most, what| {
            let (offset, count) = (long(&header, at), half(&header, count_at));
            if count > 0 && half(&header, size_at) != size || count > most {
                return Err(ElfError::Broken(what));
            }
            Ok(content.read(offset, (count * size) as usize)?)
        };
        let segments = table(32, 54, 56, 56, MAX_SEGMENTS, "number of segments")?;
        let segments = segments
            .chunks_exact(56)
            .map(|entry| Segment {
                kind: word(entry, 0),
                is_code: word(entry, 4) & elf::PF_X != 0,
                offset: long(entry, 8),
                address: long(entry, 16),
                size: long(entry, 32),
            })
            .collect();
        let sections = table(40, 58, 60, 64, MAX_SECTIONS, "number of sections")?;
        let sections: Vec<&[u8]> = sections.chunks_exact(64).collect();
        let mut symbols = Vec::new();
        for kind in [elf::SHT_DYNSYM, elf::SHT_SYMTAB] {
            let found = sections.iter().find(|section| word(section, 4) == kind);
            let Some(section) = found else { continue };
            let names = sections.get(word(section, 40) as usize);
            let names = names.ok_or(ElfError::Broken("table of names"))?;
            symbols.push(Symbols {
                content: index,
                entries: content_of(section),
                names: content_of(names),
            });
        }
        let names = sections.get(half(&header, 62) as usize);
        let names = match names.map(|names| content_of(names)) {
            Some(names) => content.read(names.start, MAX_SECTION_NAMES)?,
            None => Vec::new(),
        };
        let section_of = |wanted: &[u8]| {
            let mut all = sections.iter().copied();
            all.find(|section| {
                let name = names.get(word(section, 0) as usize..);
                name.is_some_and(|name| name.starts_with(wanted))
            })
        };
        Ok(Self {
            segments,
            symbols,
            packed: section_of(debug::PACKED).map(content_of),
            go: go::Marks::of(&sections, section_of),
            is_fixed: half(&header, 16) == u64::from(elf::ET_EXEC),
        })
    }
}

impl<'a> Elf<'a> {
    /// Reads the headers.
    pub(super) fn read(file: &'a File) -> Result<Self, ElfError> {
        let content = Content::File(file);
        let Tables {
            segments,
            symbols,
            packed,
            go,
            is_fixed,
        } = Tables::read(&content, 0)?;
        Ok(Self {
            contents: vec![content],
            segments,
            symbols,
            packed,
            go,
            is_fixed,
        })
    }

    fn file(&self) -> &Content<'a> {
        &self.contents[0]
    }

    /// Where in the file what is loaded into memory lies, at most `most` bytes of it in
    /// all.
    fn loaded(&self, has_code: bool, most: u64) -> impl Iterator<Item = Range<u64>> {
        let mut room = most;
        let wanted = self
            .segments
            .iter()
            .filter(move |segment| segment.kind == elf::PT_LOAD && (has_code || !segment.is_code));
        wanted.map(move |segment| {
            let length = segment.size.min(room);
            room -= length;
            segment.offset..segment.offset.saturating_add(length)
        })
    }

    /// How many bytes may have to be searched: the tables of names and, where symbols
    /// are packed, the constants as well.
    pub(super) fn weight(&self) -> u64 {
        let names = self.symbols.iter().map(|table| &table.names);
        let names: u64 = names
            .map(|names| (names.end - names.start).min(MAX_TABLE))
            .sum();
        names + self.packed.as_ref().map_or(0, |_| self.packed_weight()) + self.go_weight()
    }

    /// Which of `strings` stand somewhere in the tables of names, in their order.
    pub(super) fn mentions(&self, strings: &[&str]) -> Result<Vec<bool>, ElfError> {
        let finders: Vec<_> = strings.iter().map(memmem::Finder::new).collect();
        let longest = strings.iter().map(|string| string.len()).max();
        let overlap = longest.unwrap_or(1).saturating_sub(1);
        let mut found = vec![false; strings.len()];
        for Symbols { names, content, .. } in &self.symbols {
            if names.end - names.start > MAX_TABLE {
                return Err(ElfError::Broken("table of symbols"));
            }
            stream(&self.contents[*content], names, overlap, |_, piece| {
                for (found, finder) in found.iter_mut().zip(&finders) {
                    *found = *found || finder.find(piece).is_some();
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The functions of these names, in their order.
    pub(super) fn functions(&self, names: &[&str]) -> Result<Vec<Option<Function>>, ElfError> {
        let mut found: Vec<Option<Function>> = vec![None; names.len()];
        for table in &self.symbols {
            if found.iter().all(Option::is_some) {
                break;
            }
            // Only a file that exports everything needs no other table.
            for range in [&table.entries, &table.names] {
                if range.end - range.start > MAX_TABLE {
                    return Err(ElfError::Broken("table of symbols"));
                }
            }
            let places = self.places(table, names)?;
            if places.is_empty() {
                continue;
            }
            let mut symbols: Vec<Option<Symbol>> = vec![None; names.len()];
            self.each(table, |symbol| {
                for (_, index) in places.iter().filter(|(place, _)| *place == symbol.name) {
                    symbols[*index].get_or_insert(symbol);
                }
            })?;
            for (slot, symbol) in found.iter_mut().zip(symbols) {
                if let (None, Some(symbol)) = (&slot, symbol) {
                    *slot = self.function(table, symbol)?;
                }
            }
        }
        let missing = |index: &usize| found[*index].is_none() && go::is_name(names[*index]);
        let missing: Vec<usize> = (0..names.len()).filter(missing).collect();
        let wanted: Vec<&str> = missing.iter().map(|index| names[*index]).collect();
        // A table that is not understood takes nothing from what the symbols gave.
        if let Ok(functions) = self.go_functions(&wanted) {
            for (index, function) in missing.into_iter().zip(functions) {
                found[index] = function;
            }
        }
        Ok(found)
    }

    /// Where in the table of names each name stands, with its index. A name may
    /// be the end of another.
    fn places(&self, table: &Symbols, names: &[&str]) -> Result<Vec<(u64, usize)>, ElfError> {
        let terminated: Vec<Vec<u8>> = names
            .iter()
            .map(|name| [name.as_bytes(), &[0]].concat())
            .collect();
        let longest = terminated.iter().map(Vec::len).max().unwrap_or(1);
        let mut places = Vec::new();
        stream(
            &self.contents[table.content],
            &table.names,
            longest - 1,
            |at, piece| {
                for (index, name) in terminated.iter().enumerate() {
                    for place in memmem::find_iter(piece, name) {
                        let place = at + place as u64;
                        // The overlap is seen twice.
                        if !places.contains(&(place, index)) {
                            places.push((place, index));
                        }
                        if places.len() > MAX_NAMES {
                            return Err(ElfError::Broken("table of names"));
                        }
                    }
                }
                Ok(())
            },
        )?;
        Ok(places)
    }

    /// Shows `look` every symbol that names code.
    fn each(&self, table: &Symbols, mut look: impl FnMut(Symbol)) -> Result<(), ElfError> {
        stream(
            &self.contents[table.content],
            &table.entries,
            0,
            |_, piece| {
                for entry in piece.chunks_exact(SYMBOL) {
                    let kind = entry[4] & 0xf;
                    let is_defined = half(entry, 6) != u64::from(elf::SHN_UNDEF);
                    if is_defined && (kind == elf::STT_FUNC || kind == elf::STT_NOTYPE) {
                        look(Symbol {
                            name: u64::from(word(entry, 0)),
                            address: long(entry, 8),
                            size: long(entry, 16),
                        });
                    }
                }
                Ok(())
            },
        )
    }

    fn function(&self, table: &Symbols, symbol: Symbol) -> Result<Option<Function>, ElfError> {
        let Symbol { address, .. } = symbol;
        let Some((offset, room)) = self.place_of(address, true) else {
            return Ok(None);
        };
        let mut size = symbol.size.min(MAX_CODE);
        if size == 0 {
            let mut next = address.saturating_add(UNSIZED_CODE);
            self.each(table, |other| {
                if other.address > address {
                    next = next.min(other.address);
                }
            })?;
            size = next - address;
        }
        let code = self.file().read(offset, size.min(room) as usize)?;
        Ok(Some(Function {
            offset,
            address,
            code,
        }))
    }

    /// Where in the file what is loaded at an address lies, and how many bytes of its
    /// segment follow.
    fn place_of(&self, address: u64, is_code: bool) -> Option<(u64, u64)> {
        self.segments.iter().find_map(|segment| {
            let into = address.checked_sub(segment.address)?;
            let is_inside = segment.kind == elf::PT_LOAD
                && (segment.is_code || !is_code)
                && into < segment.size;
            let offset = segment.offset.checked_add(into)?;
            is_inside.then(|| (offset, segment.size - into))
        })
    }

    /// Up to `length` bytes of what is loaded at an address.
    pub(super) fn bytes_at(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let (offset, room) = self.place_of(address, false)?;
        let length = (length as u64).min(room).min(MAX_CODE);
        self.file().read(offset, length as usize).ok()
    }

    /// The code at an address, with some of what follows: nothing says where the
    /// function ends.
    pub(super) fn function_at(&self, address: u64) -> Option<Function> {
        let (offset, room) = self.place_of(address, true)?;
        let code = self
            .file()
            .read(offset, room.min(UNNAMED_CODE) as usize)
            .ok()?;
        Some(Function {
            offset,
            address,
            code,
        })
    }

    /// The build id, if the linker left one.
    pub(super) fn build_id(&self) -> Result<Option<BuildId>, ElfError> {
        for segment in &self.segments {
            if segment.kind != elf::PT_NOTE {
                continue;
            }
            let length = segment.size.min(MAX_NOTES) as usize;
            let notes = self.file().read(segment.offset, length)?;
            if let Some(id) = build_id(&notes) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// The build id among notes: each a size of the name, one of the content, a
/// kind, the name and the content, both filled up to four bytes.
fn build_id(mut notes: &[u8]) -> Option<BuildId> {
    while notes.len() >= 12 {
        let (name, content) = (word(notes, 0) as usize, word(notes, 4) as usize);
        let kind = word(notes, 8);
        let content_at = 12 + name.checked_next_multiple_of(4)?;
        let end = content_at.checked_add(content)?;
        if kind == elf::NT_GNU_BUILD_ID && notes.get(12..12 + name)? == b"GNU\0" {
            let id = notes.get(content_at..end)?;
            return (!id.is_empty() && id.len() <= MAX_BUILD_ID).then(|| BuildId(id.to_vec()));
        }
        notes = notes.get(end.checked_next_multiple_of(4)?..)?;
    }
    None
}

#[cfg(test)]
mod tests;
