//! Files made by hand, whole, cut and changed.

use std::io::Write as _;

use super::*;

/// A symbol: name, kind, section, address, size.
type Row<'a> = (&'a str, u8, u16, u64, u64);

/// One executable segment at 0x1000 with `code`, one table of symbols with
/// one of names, one note.
fn file(symbols: &[Row<'_>], code: &[u8]) -> Vec<u8> {
    let mut names = vec![0];
    let mut entries = vec![0; SYMBOL];
    for (name, kind, section, address, size) in symbols {
        entries.extend((names.len() as u32).to_le_bytes());
        entries.extend([*kind, 0]);
        entries.extend(section.to_le_bytes());
        entries.extend(address.to_le_bytes());
        entries.extend(size.to_le_bytes());
        names.extend(name.bytes());
        names.push(0);
    }
    let mut note = Vec::new();
    for word in [4_u32, 3, elf::NT_GNU_BUILD_ID] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"GNU\0\xab\xcd\xef\0");
    let (code_at, note_at) = (0x400, 0x400 + code.len());
    let entries_at = note_at + note.len();
    let names_at = entries_at + entries.len();
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let machine = if cfg!(target_arch = "aarch64") {
        183_u16
    } else {
        62
    };
    bytes.extend(3_u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    for long in [0_u64, 64, 64 + 2 * 56] {
        bytes.extend(long.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 64, 3, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for (kind, flags, offset, address, size) in [
        (1_u32, 5_u32, code_at, 0x1000_u64, code.len()),
        (4, 4, note_at, 0, note.len()),
    ] {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        for long in [offset as u64, address, address, size as u64, size as u64, 4] {
            bytes.extend(long.to_le_bytes());
        }
    }
    for (kind, offset, size, link) in [
        (0_u32, 0, 0, 0_u32),
        (11, entries_at, entries.len(), 2),
        (3, names_at, names.len(), 0),
    ] {
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        for long in [0, 0, offset as u64, size as u64] {
            bytes.extend(long.to_le_bytes());
        }
        bytes.extend(link.to_le_bytes());
        bytes.extend([0; 20]);
    }
    bytes.resize(code_at, 0);
    for part in [code, &note, &entries, &names] {
        bytes.extend(part);
    }
    bytes
}

fn stored(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

#[test]
fn functions_are_found_by_name_with_their_code() {
    let code: Vec<u8> = (0..=255).collect();
    let bytes = file(
        &[
            ("BIO_SSL_write", 0x12, 1, 0x1010, 4),
            ("SSL_write", 0x12, 1, 0x1020, 8),
            ("SSL_write_ex", 0x12, 0, 0x1030, 8),
            ("SSL_read", 0x10, 1, 0x1040, 0),
            ("SSL_free", 0x11, 1, 0x1050, 8),
            ("SSL_ctrl", 0x12, 1, 0x9000, 8),
            ("SSL_clear", 0x12, 1, 0x10f0, 1 << 40),
        ],
        &code,
    );
    let file = stored(&bytes);
    let elf = Elf::read(&file).expect("an ELF file");
    for (name, expected) in [
        ("SSL_write", Some((0x420, 0x1020, 0x20..0x28))),
        // Not defined here.
        ("SSL_write_ex", None),
        // Its size is not told: up to the next one.
        ("SSL_read", Some((0x440, 0x1040, 0x40..0xf0))),
        // Data.
        ("SSL_free", None),
        // Outside of the code.
        ("SSL_ctrl", None),
        // Longer than the code: up to its end.
        ("SSL_clear", Some((0x4f0, 0x10f0, 0xf0..0x100))),
        ("SSL", None),
    ] {
        let expected = expected.map(|(offset, address, range)| Function {
            offset,
            address,
            code: code[range].to_vec(),
        });
        let found = elf.functions(&[name, "SSL_write"]).expect("readable");
        assert_eq!(found[0], expected, "{name}");
        assert!(found[1].is_some(), "{name}");
    }
    let id = elf.build_id().expect("readable").expect("it has one");
    assert_eq!(id.to_string(), "abcdef");
}

#[test]
fn whatever_is_cut_or_changed_is_an_outcome() {
    let whole = file(&[("SSL_write", 0x12, 1, 0x1000, 8)], &[0x90; 64]);
    let look = |bytes: &[u8]| {
        let file = stored(bytes);
        let elf = Elf::read(&file)?;
        drop(elf.build_id()?);
        elf.functions(&["SSL_write"])
    };
    assert!(look(&whole).is_ok_and(|found| found[0].is_some()));
    for end in 0..whole.len() {
        if let Ok(found) = look(&whole[..end]) {
            let code = found[0].as_ref().map_or(0, |function| function.code.len());
            assert!(code <= 8, "{end}");
        }
    }
    for index in 0..0x400 {
        let mut broken = whole.clone();
        broken[index] = 0xff;
        // Any outcome but a panic.
        drop(look(&broken));
    }
}

#[test]
fn a_file_of_another_machine_is_refused() {
    let whole = file(&[], &[]);
    for (index, value) in [(4, 1), (5, 2), (18, 3)] {
        let mut other = whole.clone();
        other[index] = value;
        let file = stored(&other);
        assert!(
            matches!(Elf::read(&file), Err(ElfError::Foreign)),
            "{index}"
        );
    }
    assert!(matches!(
        Elf::read(&stored(b"#!/bin/sh")),
        Err(ElfError::NotElf)
    ));
}

#[test]
fn a_name_across_two_pieces_is_found() {
    let padding = "x".repeat(PIECE - 6);
    let bytes = file(
        &[
            (&padding, 0x12, 1, 0x1008, 8),
            ("SSL_write", 0x12, 1, 0x1010, 8),
        ],
        &[0x90; 64],
    );
    let file = stored(&bytes);
    let found = Elf::read(&file).and_then(|elf| elf.functions(&["SSL_write"]));
    assert_eq!(
        found.expect("readable")[0]
            .as_ref()
            .map(|found| found.address),
        Some(0x1010)
    );
}

#[test]
fn symbols_are_found_beside_the_file_by_its_build() {
    let bytes = file(&[], &[0x90; 64]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(".build-id/ab/cdef.debug");
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
    let stripped = stored(&bytes);
    let look = |expected: bool| {
        let mut elf = Elf::read(&stripped).expect("an ELF file");
        assert_eq!(elf.mentions(&["SSL_write"]).expect("readable"), [false]);
        let found = elf.add_debug_symbols_of(folder.path()).expect("readable");
        assert_eq!(found, expected);
        assert_eq!(elf.mentions(&["SSL_write"]).expect("readable"), [expected]);
        let found = elf.functions(&["SSL_write"]).expect("readable");
        let address = found[0].as_ref().map(|found| found.address);
        assert_eq!(address, expected.then_some(0x1010));
    };
    look(false);
    let symbols = file(&[("SSL_write", 0x12, 1, 0x1010, 8)], &[]);
    std::fs::write(&path, symbols).expect("a file");
    look(true);
}

/// With a further section in which `packed` is.
fn with_packed(mut bytes: Vec<u8>, packed: &[u8]) -> Vec<u8> {
    let packed_at = bytes.len() as u64;
    bytes.extend(packed);
    let names_at = bytes.len() as u64;
    bytes.extend(b"\0.gnu_debugdata\0");
    let sections_at = bytes.len() as u64;
    let before = long(&bytes, 40) as usize;
    bytes.extend_from_within(before..before + 3 * 64);
    for (name, kind, offset, size) in [
        (1_u32, 1_u32, packed_at, packed.len() as u64),
        (0, 3, names_at, sections_at - names_at),
    ] {
        let mut section = vec![0; 64];
        section[..4].copy_from_slice(&name.to_le_bytes());
        section[4..8].copy_from_slice(&kind.to_le_bytes());
        section[24..32].copy_from_slice(&offset.to_le_bytes());
        section[32..40].copy_from_slice(&size.to_le_bytes());
        bytes.extend(section);
    }
    bytes[40..48].copy_from_slice(&sections_at.to_le_bytes());
    bytes[60..62].copy_from_slice(&5_u16.to_le_bytes());
    bytes[62..64].copy_from_slice(&4_u16.to_le_bytes());
    bytes
}

#[test]
fn symbols_are_unpacked_where_openssl_may_be_in_the_file() {
    let symbols = file(&[("SSL_write", 0x12, 1, 0x1010, 8)], &[]);
    let options = lzma_rust2::XzOptions::with_preset(0);
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("a packer");
    writer.write_all(&symbols).expect("memory");
    let packed = writer.finish().expect("memory");
    let empty = tempfile::tempdir().expect("a temporary folder");
    let look = |code: &[u8], packed: &[u8]| {
        let stripped = stored(&with_packed(file(&[], code), packed));
        let mut elf = Elf::read(&stripped)?;
        assert!(elf.weight() >= code.len() as u64, "constants are searched");
        elf.add_debug_symbols_of(empty.path())?;
        let found = elf.functions(&["SSL_write"])?;
        Ok::<_, ElfError>(found[0].is_some())
    };
    let traced = [&[0x90; 64][..], b"ssl/ssl_lib.c\0"].concat();
    assert!(look(&traced, &packed).expect("readable"));
    assert!(!look(&[0x90; 64], &packed).expect("readable"));
    for end in 0..packed.len() {
        assert!(!look(&traced, &packed[..end]).unwrap_or(false), "{end}");
    }
}
