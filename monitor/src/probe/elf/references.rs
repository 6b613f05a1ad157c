//! Functions that no symbol names, by the strings that they refer to.
//!
//! A stripped program keeps its constants, and the code of a library that raises
//! errors refers to them: to the path of its source file, and in OpenSSL 3 to the name
//! of the function itself. So the strings are searched first, then the code for
//! instructions that load their addresses, and then it is asked which functions these
//! are in:
//!
//! - The table for unwinding (`.eh_frame_hdr`), which stripped programs keep, has the
//!   beginning and the length of every function, and tells a function from a part of
//!   one that a compiler has moved away.
//! - Without it a function begins at the last address before that others call and from
//!   which the instruction can be reached.
//!
//! Only instructions of x86-64 are understood. What is found is a guess until its user
//! has compared it with what the function must have; but it always begins where an
//! instruction does.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use memchr::{memchr_iter, memmem};
use object::elf;

use super::{Elf, ElfError, Function, MAX_CODE, Segment, number, stream, word};

/// How much of a file is searched, bytes. Programs with an engine for JavaScript have
/// about 120 MiB.
const MAX_SEARCHED: u64 = 256 << 20;
/// How many places may hold the strings.
const MAX_PLACES: usize = 256;
/// How many instructions may refer to them.
const MAX_REFERENCES: usize = 4_096;
/// How far before a path ends the string may begin, bytes.
const MAX_PATH: usize = 512;
/// How much of a function that nothing tells the length of is followed, bytes.
const MAX_BODY: u64 = 16 << 10;
/// How many of its instructions.
const MAX_INSTRUCTIONS: usize = 8_192;
/// How many called addresses are kept.
const MAX_TARGETS: usize = 65_536;
/// How many of them are tried as the beginning of one function.
const MAX_TRIED: usize = 16;
/// How many bytes of functions that refer to strings are decoded.
const MAX_DECODED: usize = 16 << 20;
/// How many instructions are followed in all.
const MAX_FOLLOWED: usize = 4 << 20;
/// How many strings one function hands over.
const MAX_RAISED: usize = 256;
/// How many calls of one function are looked at.
const MAX_CALLS: usize = 1_024;
/// Functions that are called begin at multiples of this, where compilers align them.
const ALIGNMENT: u64 = 16;
/// The longest instruction that refers to a string, bytes.
const REFERENCE: usize = 7;
/// What is read of a description of a function for unwinding, bytes.
const DESCRIPTION: usize = 64;

/// A string that functions refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Text {
    /// This one, or what another one ends with: linkers store that once.
    Name(&'static str),
    /// A path that ends so.
    Path(&'static str),
}

impl Text {
    /// With its final zero.
    fn needle(self) -> Vec<u8> {
        let (Self::Name(text) | Self::Path(text)) = self;
        [text.as_bytes(), &[0]].concat()
    }
}

/// What a function hands to another one together with a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Raised {
    /// Which of the texts it is.
    pub text: usize,
    /// The constants in the registers of the first five arguments.
    pub arguments: [Option<u32>; 5],
}

/// A function that refers to strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Referrer {
    /// The function.
    pub function: Function,
    /// To which of the texts it refers.
    pub texts: BTreeSet<usize>,
    /// What it hands over with them.
    pub raised: Vec<Raised>,
}

/// Where a string lies: from its beginning to the last address that counts.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    last: u64,
    text: usize,
}

/// An instruction that refers to a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    address: u64,
    text: usize,
}

/// The places of all strings.
struct Places {
    all: Vec<Place>,
    /// What they cover, in order and apart, from first to last address: almost no
    /// address that an instruction loads is in it.
    covered: Vec<(u64, u64)>,
}

impl Places {
    fn new(all: Vec<Place>) -> Self {
        let mut ranges: Vec<(u64, u64)> = all.iter().map(|own| (own.start, own.last)).collect();
        ranges.sort_unstable();
        let mut covered: Vec<(u64, u64)> = Vec::new();
        for (start, last) in ranges {
            match covered.last_mut() {
                Some(before) if start <= before.1 => before.1 = before.1.max(last),
                _ => covered.push((start, last)),
            }
        }
        Self { all, covered }
    }

    fn covers(&self, address: u64) -> bool {
        let next = self.covered.partition_point(|(_, last)| *last < address);
        self.covered
            .get(next)
            .is_some_and(|(start, _)| *start <= address)
    }

    fn of(&self, address: u64) -> impl Iterator<Item = usize> {
        let is_any = self.covers(address);
        let places = self.all.iter().filter(move |_| is_any);
        places
            .filter(move |place| (place.start..=place.last).contains(&address))
            .map(|place| place.text)
    }
}

/// The table for unwinding.
struct Frames {
    /// Where it is loaded.
    address: u64,
    entries: u64,
}

/// What a function is made of that begins at an address.
struct Body {
    instructions: BTreeMap<u64, Instruction>,
    end: u64,
}

impl Elf<'_> {
    /// Whether the file is a program that is started by itself.
    pub(in super::super) fn is_program(&self) -> bool {
        let mut kinds = self.segments.iter().map(|segment| segment.kind);
        self.is_fixed || kinds.any(|kind| kind == elf::PT_INTERP)
    }

    /// How many bytes of constants it has.
    pub(in super::super) fn constants(&self) -> u64 {
        let loaded = self.loaded(false, MAX_SEARCHED);
        loaded.map(|range| range.end - range.start).sum()
    }

    /// How many bytes a search for references reads.
    pub(in super::super) fn loaded_weight(&self) -> u64 {
        let loaded = self.loaded(true, MAX_SEARCHED);
        loaded.map(|range| range.end - range.start).sum()
    }

    /// The functions that refer to any of `texts`, of which the first ones, `marks`,
    /// show whether it is worth to look for the others. Sorted by address.
    pub(in super::super) fn referrers(
        &self,
        texts: &[Text],
        marks: usize,
    ) -> Result<Vec<Referrer>, ElfError> {
        if cfg!(target_arch = "aarch64") {
            return Ok(Vec::new());
        }
        let mut places = self.places_of(texts.get(..marks).unwrap_or(texts), false)?;
        // Constants may lie among the code.
        let is_mixed = places.is_empty();
        if is_mixed && self.is_small() {
            places = self.places_of(texts.get(..marks).unwrap_or(texts), true)?;
        }
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let places = Places::new(self.places_of(texts, is_mixed)?);
        let references = self.references(&places)?;
        match self.frames()? {
            Some(frames) => self.framed(&frames, &references, &places),
            None => self.called(&references, &places),
        }
    }

    /// The functions that call the one at an address, or go on in it, and lie at most
    /// `near` bytes from it. None if nothing tells where functions begin.
    pub(in super::super) fn callers(
        &self,
        target: u64,
        near: u64,
    ) -> Result<Vec<Function>, ElfError> {
        let Some(frames) = self.frames()? else {
            return Ok(Vec::new());
        };
        let from = target.saturating_sub(near);
        let Some(segment) = self.searched(true).find(|own| {
            let into = target.checked_sub(own.address);
            into.is_some_and(|into| into < own.size)
        }) else {
            return Ok(Vec::new());
        };
        let into = from.saturating_sub(segment.address);
        let end = segment
            .size
            .min(into.saturating_add(near.saturating_mul(2)));
        let offset = segment.offset.saturating_add(into);
        let range = offset..segment.offset.saturating_add(end);
        let here = segment.address + into;
        let mut starts = BTreeMap::new();
        let mut calls = 0;
        stream(self.file(), &range, 4, |at, piece| {
            for index in memchr::memchr2_iter(0xe8, 0xe9, piece) {
                let Some(distance) = number(piece, index + 1) else {
                    continue;
                };
                let address = here.wrapping_add(at + index as u64);
                let distance = i64::from(i32::from_le_bytes(distance));
                if address.wrapping_add(5).wrapping_add_signed(distance) != target {
                    continue;
                }
                calls += 1;
                if calls > MAX_CALLS {
                    return Err(ElfError::Broken("number of calls"));
                }
                if let Some((start, size)) = self.frame_of(&frames, address) {
                    starts.insert(start, size);
                }
            }
            Ok(())
        })?;
        let functions = starts.into_iter().filter(|(start, _)| *start != target);
        functions
            .filter_map(|(start, size)| self.sized(start, size).transpose())
            .collect()
    }

    /// The function of this length.
    fn sized(&self, address: u64, size: u64) -> Result<Option<Function>, ElfError> {
        let Some((offset, room)) = self.place_of(address, true) else {
            return Ok(None);
        };
        let length = size.min(room).min(MAX_CODE) as usize;
        Ok(Some(Function {
            offset,
            address,
            code: self.file().read(offset, length)?,
        }))
    }

    /// Whether its code is as soon searched as the constants of others.
    fn is_small(&self) -> bool {
        const SMALL: u64 = 16 << 20;
        self.loaded_weight() <= SMALL
    }

    fn searched(&self, is_code: bool) -> impl Iterator<Item = Segment> {
        let mut room = MAX_SEARCHED;
        let all = self.segments.iter().copied();
        all.filter(move |segment| segment.kind == elf::PT_LOAD && segment.is_code == is_code)
            .map(move |mut segment| {
                segment.size = segment.size.min(room);
                room -= segment.size;
                segment
            })
    }

    fn places_of(&self, texts: &[Text], is_code: bool) -> Result<Vec<Place>, ElfError> {
        let needles: Vec<Vec<u8>> = texts.iter().map(|text| text.needle()).collect();
        let finders: Vec<_> = needles.iter().map(memmem::Finder::new).collect();
        let longest = needles.iter().map(Vec::len).max().unwrap_or(1);
        let mut places: Vec<Place> = Vec::new();
        for segment in self.searched(is_code) {
            let known = places.len();
            let range = segment.offset..segment.offset.saturating_add(segment.size);
            stream(self.file(), &range, longest - 1, |at, piece| {
                for (text, finder) in finders.iter().enumerate() {
                    for found in finder.find_iter(piece) {
                        let last = segment.address.saturating_add(at + found as u64);
                        // The overlap is seen twice.
                        if !places
                            .iter()
                            .any(|own| (own.last, own.text) == (last, text))
                        {
                            let start = last;
                            places.push(Place { start, last, text });
                        }
                        if places.len() > MAX_PLACES {
                            return Err(ElfError::Broken("number of strings"));
                        }
                    }
                }
                Ok(())
            })?;
            for place in places.iter_mut().skip(known) {
                if matches!(texts.get(place.text), Some(Text::Path(_))) {
                    place.start = self.start_of(place.last, &segment);
                }
            }
        }
        Ok(places)
    }

    /// Where the string begins that goes on at an address of a segment.
    fn start_of(&self, address: u64, segment: &Segment) -> u64 {
        let from = address.saturating_sub(MAX_PATH as u64).max(segment.address);
        let before = self.bytes_at(from, (address - from) as usize);
        let before = before.unwrap_or_default();
        let length = before.iter().rev().take_while(|byte| **byte != 0).count();
        if length == MAX_PATH {
            return address;
        }
        address - length as u64
    }

    /// The instructions that load the address of a string.
    fn references(&self, places: &Places) -> Result<Vec<Reference>, ElfError> {
        let mut found = BTreeSet::new();
        for segment in self.searched(true) {
            let range = segment.offset..segment.offset.saturating_add(segment.size);
            stream(self.file(), &range, REFERENCE - 1, |at, piece| {
                let here = segment.address.wrapping_add(at);
                let mut note = |index: usize, target: u64| {
                    let address = here.wrapping_add(index as u64);
                    let texts = places.of(target);
                    found.extend(texts.map(|text| Reference { address, text }));
                };
                // lea reg, [rip + distance]
                for index in memchr_iter(0x8d, piece).filter(|index| *index > 0) {
                    let (prefix, operands) = (piece[index - 1], piece.get(index + 1));
                    let is_load =
                        prefix & 0xfb == 0x48 && operands.is_some_and(|byte| byte & 0xc7 == 5);
                    if let (true, Some(distance)) = (is_load, number(piece, index + 2)) {
                        let end = here.wrapping_add(index as u64 + 6);
                        let distance = i64::from(i32::from_le_bytes(distance));
                        note(index - 1, end.wrapping_add_signed(distance));
                    }
                }
                // mov reg, address
                if self.is_fixed {
                    for (index, window) in piece.windows(5).enumerate() {
                        if let [0xb8..=0xbf, address @ ..] = window {
                            note(index, u64::from(word(address, 0)));
                        }
                    }
                }
                if found.len() > MAX_REFERENCES {
                    return Err(ElfError::Broken("number of references"));
                }
                Ok(())
            })?;
        }
        Ok(found.into_iter().collect())
    }

    fn frames(&self) -> Result<Option<Frames>, ElfError> {
        let mut segments = self.segments.iter();
        let Some(segment) = segments.find(|own| own.kind == elf::PT_GNU_EH_FRAME) else {
            return Ok(None);
        };
        let header = self.file().read(segment.offset, 12)?;
        // Numbers of four bytes; those of the table are relative to where it begins.
        let is_known = matches!(header.as_slice(), [1, pointer, 0x03, 0x3b, ..]
            if matches!(pointer & 0x0f, 0x03 | 0x0b));
        let entries = u64::from(word(&header, 8));
        let is_known = is_known && entries > 0 && entries.saturating_mul(8) <= segment.size;
        Ok(is_known.then_some(Frames {
            address: segment.address,
            entries,
        }))
    }

    /// Where the function that has an address begins, and how long it is.
    fn frame_of(&self, frames: &Frames, address: u64) -> Option<(u64, u64)> {
        let entry = |index: u64| {
            let bytes = self.bytes_at(frames.address.wrapping_add(12 + index * 8), 8)?;
            let at = |place| {
                let distance = i64::from(i32::from_le_bytes(number(&bytes, place)?));
                Some(frames.address.wrapping_add_signed(distance))
            };
            Some((at(0)?, at(4)?))
        };
        let (mut low, mut high) = (0, frames.entries);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if entry(middle)?.0 <= address {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (start, description) = entry(low)?;
        let size = self.size_of(start, description)?;
        (start..start.checked_add(size)?)
            .contains(&address)
            .then_some((start, size))
    }

    /// The length of the function at `start` by its description; `None` if that is of
    /// a part of a function, at whose beginning the stack has grown already.
    fn size_of(&self, start: u64, description: u64) -> Option<u64> {
        let bytes = self.bytes_at(description, DESCRIPTION)?;
        let length = word(&bytes, 0) as usize;
        let common = description.wrapping_add(4);
        let common = common.checked_sub(u64::from(word(&bytes, 4)))?;
        let has_length = self.bytes_at(common.wrapping_add(9), 1)? == b"z";
        let distance = i64::from(i32::from_le_bytes(number(&bytes, 8)?));
        let begins = description.wrapping_add(8).wrapping_add_signed(distance);
        // Of more than 127 bytes none of the compilers says anything here.
        let further = usize::from(*bytes.get(16)?);
        if length < 13 || !has_length || begins != start || further > 0x7f {
            return None;
        }
        let first = 17 + further;
        let is_whole = first >= length + 4 || matches!(bytes.get(first)?, 0 | 2..=4 | 0x40..=0x7f);
        is_whole.then(|| u64::from(word(&bytes, 12)))
    }

    /// The functions that the table for unwinding tells of.
    fn framed(
        &self,
        frames: &Frames,
        references: &[Reference],
        places: &Places,
    ) -> Result<Vec<Referrer>, ElfError> {
        let mut starts = BTreeMap::new();
        for reference in references {
            if let Some((start, size)) = self.frame_of(frames, reference.address) {
                starts.insert(start, size);
            }
        }
        let mut found = Vec::new();
        let mut length = 0;
        for (start, size) in starts {
            let Some(function) = self.sized(start, size)? else {
                continue;
            };
            length += function.code.len();
            if length > MAX_DECODED {
                return Err(ElfError::Broken("length of functions"));
            }
            let decoder = Decoder::with_ip(64, &function.code, start, DecoderOptions::NONE);
            let (texts, raised) = evidence(decoder, places);
            found.push(Referrer {
                function,
                texts,
                raised,
            });
        }
        Ok(found)
    }

    /// The functions that begin where others call them.
    fn called(&self, references: &[Reference], places: &Places) -> Result<Vec<Referrer>, ElfError> {
        let targets = self.targets(references)?;
        let mut found: BTreeMap<u64, Referrer> = BTreeMap::new();
        let mut followed = 0;
        for Reference { address, .. } in references {
            let before = targets.range(..=*address).rev();
            for start in before.take(MAX_TRIED).copied() {
                if address - start > MAX_BODY || found.contains_key(&start) {
                    break;
                }
                let Some(mut function) = self.function_at(start) else {
                    continue;
                };
                let body = body(&function, &targets);
                followed += body.instructions.len();
                if followed > MAX_FOLLOWED {
                    return Err(ElfError::Broken("number of instructions"));
                }
                if !body.instructions.contains_key(address) {
                    continue;
                }
                function.code.truncate((body.end - start) as usize);
                let (texts, raised) = evidence(body.instructions.into_values(), places);
                let referrer = Referrer {
                    function,
                    texts,
                    raised,
                };
                found.insert(start, referrer);
                break;
            }
        }
        Ok(found.into_values().collect())
    }

    /// The addresses not far before references that something calls and at which a
    /// function may begin.
    fn targets(&self, references: &[Reference]) -> Result<BTreeSet<u64>, ElfError> {
        let is_near = |target: u64| {
            let next = references.partition_point(|own| own.address < target);
            let next = references.get(next);
            next.is_some_and(|own| own.address - target < MAX_BODY)
        };
        let mut called = BTreeSet::new();
        for segment in self.searched(true) {
            let range = segment.offset..segment.offset.saturating_add(segment.size);
            let end = segment.address.saturating_add(segment.size);
            stream(self.file(), &range, 4, |at, piece| {
                for index in memchr_iter(0xe8, piece) {
                    let Some(distance) = number(piece, index + 1) else {
                        continue;
                    };
                    let next = segment.address.wrapping_add(at + index as u64 + 5);
                    let distance = i64::from(i32::from_le_bytes(distance));
                    let target = next.wrapping_add_signed(distance);
                    if target.is_multiple_of(ALIGNMENT)
                        && (segment.address..end).contains(&target)
                        && is_near(target)
                    {
                        called.insert(target);
                    }
                }
                if called.len() > MAX_TARGETS {
                    return Err(ElfError::Broken("number of calls"));
                }
                Ok(())
            })?;
        }
        // What compilers fill the room before a function with, or a function ends with.
        called.retain(|target| {
            let before = self.bytes_at(target.wrapping_sub(1), 1);
            matches!(before.as_deref(), Some([0xcc | 0x90 | 0x00 | 0xc3]))
        });
        Ok(called)
    }
}

/// The instructions that can be reached from the first one of a function, but for
/// those of functions that it goes on in.
fn body(function: &Function, targets: &BTreeSet<u64>) -> Body {
    let start = function.address;
    let mut body = Body {
        instructions: BTreeMap::new(),
        end: start,
    };
    let mut open = vec![start];
    let mut decoder = Decoder::with_ip(64, &function.code, start, DecoderOptions::NONE);
    while let Some(mut address) = open.pop() {
        loop {
            let into = address.wrapping_sub(start) as usize;
            if into >= function.code.len()
                || body.instructions.contains_key(&address)
                || body.instructions.len() >= MAX_INSTRUCTIONS
                || decoder.set_position(into).is_err()
            {
                break;
            }
            decoder.set_ip(address);
            let instruction = decoder.decode();
            if instruction.is_invalid() {
                break;
            }
            body.instructions.insert(address, instruction);
            body.end = body.end.max(instruction.next_ip());
            let target = instruction.near_branch_target();
            match instruction.flow_control() {
                FlowControl::Next | FlowControl::Call | FlowControl::IndirectCall => {}
                FlowControl::ConditionalBranch => open.push(target),
                FlowControl::UnconditionalBranch if !targets.contains(&target) => {
                    address = target;
                    continue;
                }
                _ => break,
            }
            address = instruction.next_ip();
        }
    }
    body
}

/// What instructions refer to, and what they hand over with it.
fn evidence(
    instructions: impl IntoIterator<Item = Instruction>,
    places: &Places,
) -> (BTreeSet<usize>, Vec<Raised>) {
    const ARGUMENTS: [Register; 5] = [
        Register::RDI,
        Register::RSI,
        Register::RDX,
        Register::RCX,
        Register::R8,
    ];
    let (mut texts, mut raised) = (BTreeSet::new(), Vec::new());
    let mut arguments = [None; 5];
    let mut handed: Vec<usize> = Vec::new();
    for instruction in instructions {
        let address = match instruction.mnemonic() {
            Mnemonic::Lea if instruction.is_ip_rel_memory_operand() => {
                Some(instruction.ip_rel_memory_address())
            }
            Mnemonic::Mov => constant(&instruction).map(u64::from),
            _ => None,
        };
        for text in address.into_iter().flat_map(|address| places.of(address)) {
            texts.insert(text);
            if handed.len() + raised.len() < MAX_RAISED {
                handed.push(text);
            }
        }
        if instruction.op0_kind() == OpKind::Register {
            let register = instruction.op0_register().full_register();
            if let Some(index) = ARGUMENTS.iter().position(|own| *own == register) {
                arguments[index] = constant(&instruction);
            }
        }
        // A conditional jump leads away from an error as often as to it.
        if !matches!(
            instruction.flow_control(),
            FlowControl::Next | FlowControl::ConditionalBranch
        ) {
            raised.extend(handed.drain(..).map(|text| Raised { text, arguments }));
            arguments = [None; 5];
        }
    }
    (texts, raised)
}

/// The constant that an instruction puts into a register.
fn constant(instruction: &Instruction) -> Option<u32> {
    if instruction.op0_kind() != OpKind::Register {
        return None;
    }
    match (instruction.mnemonic(), instruction.op1_kind()) {
        (Mnemonic::Mov, OpKind::Immediate32) => Some(instruction.immediate32()),
        (Mnemonic::Xor, OpKind::Register)
            if instruction.op0_register() == instruction.op1_register() =>
        {
            Some(0)
        }
        _ => None,
    }
}
