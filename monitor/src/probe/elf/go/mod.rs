//! Functions of a program written in Go, also of one whose symbols were stripped.
//!
//! Every such program carries a table of its functions, with which it unwinds its
//! stacks: `pclntab`, see `internal/abi/symtab.go` and `debug/gosym/pclntab.go` of
//! Go's library. Of its layouts those of Go 1.16 and 1.17, of 1.18 and 1.19, and of
//! 1.20 and later are read:
//!
//! | part | what it holds |
//! |---|---|
//! | header | magic number, number of functions, distances from it to the other parts |
//! | names | one after the other, each with a final zero |
//! | functions | address and distance of the description of each, by address; then where the last one ends |
//! | descriptions | address and place among the names, then what is not needed here |
//!
//! Addresses are relative to where the code begins. What that address is, the header
//! says until Go 1.25, and a table of the linker's since then.

use std::{io, ops::Range};

use memchr::memmem;
use object::elf;

use super::{
    Content, Elf, ElfError, Function, MAX_CODE, MAX_TABLE, PIECE, content_of, long, stream, word,
};

/// The sections by any of which a program written in Go is recognised. Linkers leave
/// the first two where symbols are stripped.
const MARKS: &[&[u8]] = &[INFO, b".note.go.buildid\0", b".gopclntab\0"];

/// The section with what the program was built with.
const INFO: &[u8] = b".go.buildinfo\0";

/// How it begins; then come the length of an address and flags.
const INFO_MAGIC: &[u8] = b"\xff Go buildinf:";

/// The flag of its version standing in it: since Go 1.18.
const INFO_INLINE: u8 = 2;

/// Where in it the version stands, or the address of the version.
const INFO_VERSION: usize = 32;
const INFO_POINTER: usize = 16;

/// The longest version, bytes.
const MAX_VERSION: usize = 64;

/// The sections that are the table of functions alone. In some programs it is part of
/// a larger one.
const TABLES: &[&[u8]] = &[b".gopclntab\0", b".data.rel.ro.gopclntab\0"];

/// The section with the linker's `runtime.moduledata`, since Go 1.26.
const MODULE: &[u8] = b".go.module\0";

/// Where in it the address of the code is, bytes.
const MODULE_TEXT: u64 = 22 * 8;

/// Where in the header it is, bytes.
const HEADER_TEXT: u64 = 24;

/// How the header begins: magic number of the layout, two zeros, the least length of
/// an instruction, the length of an address.
const MAGIC_1_16: [u8; 8] = [0xfa, 0xff, 0xff, 0xff, 0, 0, QUANTUM, 8];
const MAGIC_1_18: [u8; 8] = [0xf0, 0xff, 0xff, 0xff, 0, 0, QUANTUM, 8];
const MAGIC_1_20: [u8; 8] = [0xf1, 0xff, 0xff, 0xff, 0, 0, QUANTUM, 8];

/// The least length of an instruction of this machine.
const QUANTUM: u8 = if cfg!(target_arch = "aarch64") { 4 } else { 1 };

/// Bytes of the longest header.
const HEADER: usize = 72;

/// How many functions a program may have. Kubernetes' largest have 200,000.
const MAX_FUNCTIONS: u64 = 1 << 22;

/// How many places with a magic number are looked at.
const MAX_CANDIDATES: usize = 64;

/// How many relocations are searched for an address, bytes.
const MAX_RELOCATIONS: u64 = 64 << 20;

/// Whether a symbol may be one of Go's: of their names each has its package.
pub(super) fn is_name(symbol: &str) -> bool {
    symbol.contains('.')
}

/// What the sections of a file say of it as a program written in Go.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// The table of functions, where it is a section.
    table: Option<Range<u64>>,
    /// Where what the program was built with lies.
    info: Option<Range<u64>>,
    /// The address of the section with the module.
    module: Option<u64>,
    /// The address of the section with the code.
    text: u64,
    /// Where relocations lie.
    relocations: Vec<Range<u64>>,
}

impl Marks {
    /// `named` gives the section header of a name, which ends in a zero.
    pub(super) fn of<'a>(
        sections: &[&'a [u8]],
        named: impl Fn(&[u8]) -> Option<&'a [u8]>,
    ) -> Option<Self> {
        MARKS.iter().find_map(|name| named(name))?;
        let address = |section: &[u8]| long(section, 16);
        let relocations = sections
            .iter()
            .filter(|section| word(section, 4) == elf::SHT_RELA)
            .map(|section| content_of(section));
        Some(Self {
            table: TABLES.iter().find_map(|name| named(name)).map(content_of),
            info: named(INFO).map(content_of),
            module: named(MODULE).map(address),
            text: named(b".text\0").map(address)?,
            relocations: relocations.collect(),
        })
    }
}

/// Where the parts of the table lie: offsets in the file.
#[derive(Debug)]
struct Table {
    names: Range<u64>,
    functions: u64,
    count: u64,
    end: u64,
    /// Where the code begins, according to the header, which does not always say it.
    /// `None` where addresses are absolute, as until Go 1.17.
    text: Option<u64>,
    header: u64,
}

impl Table {
    /// Understands the header of a table at `start`, in what ends at `end`.
    fn read(content: &Content<'_>, start: u64, end: u64) -> io::Result<Option<Self>> {
        let header = content.read(start, HEADER)?;
        let Some((magic, words)) = header.split_first_chunk() else {
            return Ok(None);
        };
        Ok(match *magic {
            MAGIC_1_16 => Self::understood(words, start, end, true),
            MAGIC_1_18 | MAGIC_1_20 => Self::understood(words, start, end, false),
            _ => None,
        })
    }

    fn understood(words: &[u8], start: u64, end: u64, is_wide: bool) -> Option<Self> {
        let field = |index: usize| long(words, index * 8);
        // Number of functions and of files; where the code begins, but for Go 1.16;
        // then the distances of five parts.
        let first = if is_wide { 2 } else { 3 };
        let distance = |index: usize| {
            let at = start.checked_add(field(first + index))?;
            (at < end).then_some(at)
        };
        let (names, after_names, functions) = (distance(0)?, distance(1)?, distance(4)?);
        let count = field(0);
        let is_sound =
            names < after_names && after_names <= functions && (1..=MAX_FUNCTIONS).contains(&count);
        is_sound.then_some(Self {
            names: names..after_names,
            functions,
            count,
            end,
            text: if is_wide { None } else { Some(field(2)) },
            header: start,
        })
    }

    /// Whether addresses are absolute and eight bytes long.
    fn is_wide(&self) -> bool {
        self.text.is_none()
    }

    /// Bytes of an entry of the functions.
    fn entry(&self) -> u64 {
        if self.is_wide() { 16 } else { 8 }
    }

    /// The two numbers of an entry.
    fn pair(&self, entry: &[u8]) -> (u64, u64) {
        if self.is_wide() {
            (long(entry, 0), long(entry, 8))
        } else {
            (u64::from(word(entry, 0)), u64::from(word(entry, 4)))
        }
    }
}

/// A version as Go tells it, without what experiments it was built with.
fn version(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix("go")?.split(' ').next()?;
    let is_version = text.starts_with(|first: char| first.is_ascii_digit())
        && text.len() <= MAX_VERSION
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    is_version.then(|| text.to_owned())
}

impl Elf<'_> {
    /// Whether the file is a program written in Go.
    pub(in super::super) fn is_go(&self) -> bool {
        self.go.is_some()
    }

    /// The version of Go that the program was built with, such as `1.24.3`, if it says.
    pub(in super::super) fn go_version(&self) -> Option<String> {
        let info = self.go.as_ref()?.info.as_ref()?;
        let info = self.file().read(info.start, INFO_VERSION + 1 + MAX_VERSION);
        let info = info.ok().filter(|info| info.starts_with(INFO_MAGIC))?;
        if info.get(INFO_MAGIC.len() + 1)? & INFO_INLINE != 0 {
            let (length, text) = info.get(INFO_VERSION..)?.split_first()?;
            return version(text.get(..usize::from(*length))?);
        }
        let header = self.bytes_at(long(&info, INFO_POINTER), 16)?;
        let length = usize::try_from(long(&header, 8)).ok()?;
        if length > MAX_VERSION {
            return None;
        }
        version(&self.bytes_at(long(&header, 0), length)?)
    }

    /// How many bytes there may be to search for functions of Go's.
    pub(super) fn go_weight(&self) -> u64 {
        let Some(marks) = &self.go else {
            return 0;
        };
        let length = |range: Range<u64>| range.end - range.start;
        let table = match &marks.table {
            Some(table) => length(table.clone()),
            // It has to be found first.
            None => self.loaded(false, MAX_TABLE).map(length).sum(),
        };
        let relocations = marks.relocations.iter();
        let relocations = relocations
            .map(|range| range.end - range.start)
            .fold(0, u64::saturating_add);
        // Names, functions and descriptions.
        let table = table.min(MAX_TABLE).saturating_mul(2);
        table + relocations.min(MAX_RELOCATIONS)
    }

    /// The functions of these names according to Go's own table, in their order.
    pub(super) fn go_functions(&self, names: &[&str]) -> Result<Vec<Option<Function>>, ElfError> {
        let mut found = vec![None; names.len()];
        let Some(marks) = self.go.as_ref().filter(|_| !names.is_empty()) else {
            return Ok(found);
        };
        let Some(table) = self.go_table(marks)? else {
            return Ok(found);
        };
        let places = self.go_places(&table, names)?;
        if places.iter().all(Option::is_none) {
            return Ok(found);
        }
        let begin = if table.is_wide() {
            0
        } else {
            self.go_text(marks, &table)?
        };
        for (index, entry, next) in self.go_entries(&table, &places)? {
            let address = begin.wrapping_add(entry);
            if let Some((offset, room)) = self.place_of(address, true) {
                let length = next.saturating_sub(entry).min(room).min(MAX_CODE);
                let code = self.file().read(offset, length as usize)?;
                found[index] = Some(Function {
                    offset,
                    address,
                    code,
                });
            }
        }
        Ok(found)
    }

    /// The table of functions: a section, or else somewhere in what is no code.
    fn go_table(&self, marks: &Marks) -> Result<Option<Table>, ElfError> {
        if let Some(range) = &marks.table {
            return Ok(Table::read(self.file(), range.start, range.end)?);
        }
        let finders = [MAGIC_1_16, MAGIC_1_18, MAGIC_1_20].map(|magic| {
            let finder = memmem::Finder::new(&magic);
            finder.into_owned()
        });
        let mut found = None;
        for range in self.loaded(false, MAX_TABLE) {
            let mut places: Vec<u64> = Vec::new();
            stream(self.file(), &range, HEADER, |at, piece| {
                for finder in &finders {
                    let all = finder.find_iter(piece).take(MAX_CANDIDATES);
                    places.extend(all.map(|place| range.start.saturating_add(at + place as u64)));
                }
                places.truncate(MAX_CANDIDATES);
                Ok(())
            })?;
            for place in places {
                // Another program that this one carries along is a constant, and those
                // come before what the loader changes, as this one's own table.
                found = Table::read(self.file(), place, range.end)?.or(found);
            }
        }
        Ok(found)
    }

    /// Where among the names of the table each of `names` stands.
    fn go_places(&self, table: &Table, names: &[&str]) -> Result<Vec<Option<u64>>, ElfError> {
        if table.names.end - table.names.start > MAX_TABLE {
            return Err(ElfError::Broken("table of functions"));
        }
        // Each follows the zero of the one before; the first is never one of ours.
        let wanted: Vec<_> = names
            .iter()
            .map(|name| memmem::Finder::new(&[&[0], name.as_bytes(), &[0]].concat()).into_owned())
            .collect();
        let longest = wanted.iter().map(|own| own.needle().len()).max();
        let overlap = longest.unwrap_or(1) - 1;
        let mut places = vec![None; names.len()];
        stream(self.file(), &table.names, overlap, |at, piece| {
            for (place, name) in places.iter_mut().zip(&wanted) {
                if place.is_none() {
                    *place = name.find(piece).map(|found| at + found as u64 + 1);
                }
            }
            Ok(())
        })?;
        Ok(places)
    }

    /// Which functions have their names at `places`: the index there, where each
    /// begins and where the next one does.
    fn go_entries(
        &self,
        table: &Table,
        places: &[Option<u64>],
    ) -> Result<Vec<(usize, u64, u64)>, ElfError> {
        let size = table.entry();
        let end = table.functions.saturating_add((table.count + 1) * size);
        let entries = table.functions..end.min(table.end);
        // Where the name of a function stands in its description.
        let name_at = if table.is_wide() { 8 } else { 4 };
        let mut descriptions = Window {
            content: self.file(),
            start: 0,
            bytes: Vec::new(),
            // Each place is read once, and some of them twice.
            left: 2 * ((table.end - table.functions) / PIECE as u64) + 64,
        };
        let mut before: Option<(u64, u64)> = None;
        let mut found = Vec::new();
        let mut left = places.iter().filter(|place| place.is_some()).count();
        stream(self.file(), &entries, 0, |_, piece| {
            for entry in piece.chunks_exact(size as usize) {
                let (address, description) = table.pair(entry);
                if let Some((begin, description)) = before.replace((address, description))
                    && left > 0
                {
                    let at = table.functions.checked_add(description);
                    let at = at.and_then(|at| at.checked_add(name_at));
                    let Some(at) = at.filter(|at| *at < table.end) else {
                        continue;
                    };
                    let place = descriptions.word(at)?;
                    if let Some(index) = places
                        .iter()
                        .position(|wanted| *wanted == Some(u64::from(place)))
                    {
                        left -= 1;
                        found.push((index, begin, address));
                    }
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Where the code of a program begins, from which its table counts.
    fn go_text(&self, marks: &Marks, table: &Table) -> Result<u64, ElfError> {
        match table.text {
            Some(text) if text != 0 => return Ok(text),
            _ => {}
        }
        let header = self.segments.iter().find_map(|segment| {
            let into = table.header.checked_sub(segment.offset)?;
            let is_inside = segment.kind == elf::PT_LOAD && into < segment.size;
            let address = segment.address.checked_add(into)?;
            is_inside.then_some(address)
        });
        let places = [(header, HEADER_TEXT), (marks.module, MODULE_TEXT)]
            .map(|(table, at)| table.and_then(|table| table.checked_add(at)));
        for place in places.into_iter().flatten() {
            if let Some(text) = self.pointer_at(marks, place)? {
                return Ok(text);
            }
        }
        Ok(marks.text)
    }

    /// The address that is stored at an address, or will be once the program is
    /// loaded.
    fn pointer_at(&self, marks: &Marks, address: u64) -> Result<Option<u64>, ElfError> {
        let stored = self.bytes_at(address, 8).map_or(0, |bytes| long(&bytes, 0));
        if stored != 0 {
            return Ok(Some(stored));
        }
        let mut room = MAX_RELOCATIONS;
        for range in &marks.relocations {
            let left = room.checked_sub(range.end - range.start);
            room = left.ok_or(ElfError::Broken("table of relocations"))?;
            let mut found = None;
            stream(self.file(), range, 0, |_, piece| {
                // Address, kind and symbol, addend.
                let mut all = piece.chunks_exact(24);
                if let Some(entry) = all.find(|entry| long(entry, 0) == address) {
                    found.get_or_insert(long(entry, 16));
                }
                Ok(())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// What is read of a file at places that mostly follow one another.
struct Window<'a> {
    content: &'a Content<'a>,
    start: u64,
    bytes: Vec<u8>,
    /// How often it may be read on.
    left: u64,
}

impl Window<'_> {
    /// The number at `at`; 0 behind the end.
    fn word(&mut self, at: u64) -> Result<u32, ElfError> {
        let into = at.checked_sub(self.start);
        let is_inside = into.is_some_and(|into| into.saturating_add(4) <= self.bytes.len() as u64);
        if !is_inside {
            let left = self.left.checked_sub(1);
            self.left = left.ok_or(ElfError::Broken("table of functions"))?;
            self.bytes = self.content.read(at, PIECE)?;
            self.start = at;
        }
        Ok(word(&self.bytes, (at - self.start) as usize))
    }
}

#[cfg(test)]
mod tests;
