//! Programs made by hand, in every layout, whole, cut and changed. Those of real
//! compilers are in the live tests.

use std::io::Write as _;

use super::*;

const CODE: u64 = 0x1000;
const DATA: u64 = 0x9000;
/// Where the code of Go begins, behind some of C's.
const TEXT: u64 = CODE + 0x40;
const NAMES: &[&str] = &["runtime.text", "a.(*T).Read", "a.(*T).ReadAll", "b.f"];
const LENGTH: u64 = 0x20;

/// Where a program says that Go's code begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Header,
    HeaderRelocated,
    Module,
    ModuleRelocated,
    /// Nowhere but in each entry.
    Entries,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    magic: [u8; 8],
    text: Text,
    /// Whether the table is a section.
    is_section: bool,
}

const CASES: &[Case] = &[
    case(MAGIC_1_16, Text::Entries, true),
    case(MAGIC_1_18, Text::Header, true),
    case(MAGIC_1_20, Text::Header, false),
    case(MAGIC_1_20, Text::HeaderRelocated, true),
    case(MAGIC_1_20, Text::HeaderRelocated, false),
    case(MAGIC_1_20, Text::Module, true),
    case(MAGIC_1_20, Text::ModuleRelocated, true),
];

const fn case(magic: [u8; 8], text: Text, is_section: bool) -> Case {
    Case {
        magic,
        text,
        is_section,
    }
}

fn longs(bytes: &mut Vec<u8>, all: &[u64]) {
    bytes.extend(all.iter().flat_map(|long| long.to_le_bytes()));
}

/// The table, as it lies in a file.
fn table(case: Case) -> Vec<u8> {
    let is_wide = case.text == Text::Entries;
    let mut names = vec![0];
    let mut places = Vec::new();
    for name in NAMES {
        places.push(names.len() as u32);
        names.extend(name.bytes());
        names.push(0);
    }
    names.resize(names.len().next_multiple_of(8), 0);
    let header = if is_wide { 64 } else { 72 };
    let functions_at = header + names.len();
    let mut bytes = case.magic.to_vec();
    longs(&mut bytes, &[NAMES.len() as u64, 1]);
    if !is_wide {
        let text = if case.text == Text::Header { TEXT } else { 0 };
        longs(&mut bytes, &[text]);
    }
    for at in [
        header,
        functions_at,
        functions_at,
        functions_at,
        functions_at,
    ] {
        longs(&mut bytes, &[at as u64]);
    }
    bytes.extend(&names);
    let entry = if is_wide { 16 } else { 8 };
    let mut described = (NAMES.len() + 1) * entry;
    for index in 0..=NAMES.len() as u64 {
        let begin = index * LENGTH;
        if is_wide {
            longs(&mut bytes, &[TEXT + begin, described as u64]);
        } else {
            bytes.extend((begin as u32).to_le_bytes());
            bytes.extend((described as u32).to_le_bytes());
        }
        described += 16;
    }
    for place in places {
        let mut description = vec![0; if is_wide { 8 } else { 4 }];
        description.extend(place.to_le_bytes());
        description.resize(16, 0);
        bytes.extend(description);
    }
    bytes
}

/// A segment of code, one of data with table and module, and their sections.
fn program(case: Case) -> Vec<u8> {
    let code: Vec<u8> = (0..0x100_u32).map(|byte| byte as u8).collect();
    // Something before the table, as in a section that it shares.
    let mut data = vec![0; 0x30];
    let table_at = data.len() as u64;
    data.extend(table(case));
    let table_end = data.len() as u64;
    data.resize(data.len().next_multiple_of(8), 0);
    let module_at = data.len() as u64;
    data.resize(data.len() + 0x100, 0);
    if case.text == Text::Module {
        let at = (module_at + MODULE_TEXT) as usize;
        data[at..at + 8].copy_from_slice(&TEXT.to_le_bytes());
    }
    let mut relocations = Vec::new();
    let relocated = match case.text {
        Text::HeaderRelocated => DATA + table_at + 24,
        _ => DATA + module_at + MODULE_TEXT,
    };
    longs(&mut relocations, &[DATA, 8, 1]);
    if matches!(case.text, Text::HeaderRelocated | Text::ModuleRelocated) {
        longs(&mut relocations, &[relocated, 8, TEXT]);
    }
    let (code_at, data_at) = (0x400, 0x400 + code.len() as u64);
    let relocations_at = data_at + data.len() as u64;
    let mut rows = vec![
        ("", 0, 0, 0, 0),
        (".text", 1, CODE, code_at, code.len() as u64),
        (".go.buildinfo", 1, DATA, data_at, 16),
        (".rela.dyn", 4, 0, relocations_at, relocations.len() as u64),
    ];
    if case.is_section {
        let (address, offset) = (DATA + table_at, data_at + table_at);
        rows.push((".gopclntab", 1, address, offset, table_end - table_at));
    }
    if matches!(case.text, Text::Module | Text::ModuleRelocated) {
        let (address, offset) = (DATA + module_at, data_at + module_at);
        rows.push((".go.module", 1, address, offset, 0x100));
    }
    let mut names = Vec::new();
    let mut sections = Vec::new();
    let names_at = relocations_at + relocations.len() as u64;
    rows.push((".shstrtab", 3, 0, names_at, 0x80));
    for (name, kind, address, offset, size) in &rows {
        sections.extend((names.len() as u32).to_le_bytes());
        sections.extend(u32::to_le_bytes(*kind));
        longs(&mut sections, &[0, *address, *offset, *size, 0, 0, 0]);
        names.extend(name.bytes());
        names.push(0);
    }
    names.resize(0x80, 0);
    let sections_at = names_at + names.len() as u64;
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let machine = if cfg!(target_arch = "aarch64") {
        183_u16
    } else {
        62
    };
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    longs(&mut bytes, &[0, 64, sections_at]);
    bytes.extend(0_u32.to_le_bytes());
    for half in [64, 56, 2, 64, rows.len() as u16, rows.len() as u16 - 1] {
        bytes.extend(u16::to_le_bytes(half));
    }
    for (flags, offset, address, size) in [
        (5_u32, code_at, CODE, code.len()),
        (4, data_at, DATA, data.len()),
    ] {
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        let size = size as u64;
        longs(&mut bytes, &[offset, address, address, size, size, 8]);
    }
    bytes.resize(code_at as usize, 0);
    for part in [code, data, relocations, names, sections] {
        bytes.extend(part);
    }
    bytes
}

fn search(bytes: &[u8]) -> Result<Vec<Option<Function>>, ElfError> {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    Elf::read(&file)?.functions(&["a.(*T).Read", "b.f", "a.(*T)", "b.g"])
}

#[test]
fn functions_are_found_in_every_layout() {
    for case in CASES {
        let found = search(&program(*case)).expect("a sound file");
        let expected = [Some(TEXT + LENGTH), Some(TEXT + 3 * LENGTH), None, None];
        let addresses = |function: &Option<Function>| function.as_ref().map(|own| own.address);
        let all: Vec<_> = found.iter().map(addresses).collect();
        assert_eq!(all, expected, "{case:?}");
        let first = found[0].as_ref().expect("the first");
        assert_eq!(first.offset, 0x400 + TEXT + LENGTH - CODE, "{case:?}");
        assert_eq!(first.code.len() as u64, LENGTH, "{case:?}");
    }
}

/// Nothing is found where there is not what it takes, and nothing else is.
#[test]
fn a_program_cut_anywhere_gives_nothing_else() {
    for case in CASES {
        let whole = program(*case);
        let expected = search(&whole).expect("a sound file");
        for length in 0..whole.len() {
            for (index, found) in search(&whole[..length]).into_iter().flatten().enumerate() {
                assert!(
                    found.is_none() || found == expected[index],
                    "{case:?} {length}"
                );
            }
        }
    }
}

#[test]
fn changed_numbers_do_no_harm() {
    for case in CASES {
        let whole = program(*case);
        for index in (0..whole.len() - 8).step_by(4) {
            for value in [0, 1 << 31, u64::MAX >> 1, u64::MAX - 3, u64::MAX] {
                for length in [1, 4, 8] {
                    let mut changed = whole.clone();
                    changed[index..index + length].copy_from_slice(&value.to_le_bytes()[..length]);
                    _ = search(&changed);
                }
            }
        }
    }
}

/// What a program says that it was built with, the version in it or behind a pointer.
#[test]
fn a_program_says_which_go_built_it() {
    const INFO_AT: usize = 0x500;
    const TEXT_AT: usize = 0x400;
    for (flags, text, length, expected) in [
        (INFO_INLINE, "go1.24.3", 8, Some("1.24.3")),
        (INFO_INLINE, "go1.24.3 X:a", 12, Some("1.24.3")),
        (INFO_INLINE, "go1.24.3", 200, None),
        (INFO_INLINE, "devel", 5, None),
        (INFO_INLINE, "go1.\u{1b}[2J", 8, None),
        (0, "go1.16.15", 9, Some("1.16.15")),
        (0, "go1.16.15", 1 << 40, None),
        (0, "", 0, None),
    ] {
        let mut bytes = program(CASES[1]);
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(INFO_AT, INFO_MAGIC);
        put(INFO_AT + INFO_MAGIC.len(), &[8, flags]);
        if flags == INFO_INLINE {
            put(INFO_AT + INFO_VERSION, &[length as u8]);
            put(INFO_AT + INFO_VERSION + 1, text.as_bytes());
        } else {
            put(INFO_AT + INFO_POINTER, &(DATA + 0x20).to_le_bytes());
            put(INFO_AT + 0x20, &CODE.to_le_bytes());
            put(INFO_AT + 0x28, &u64::to_le_bytes(length));
            put(TEXT_AT, text.as_bytes());
        }
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&bytes).expect("room for it");
        let found = Elf::read(&file).expect("a sound file").go_version();
        assert_eq!(found.as_deref(), expected, "{flags} {text} {length}");
    }
}
