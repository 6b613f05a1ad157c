//! Real builds whose symbols tell the truth, and the same ones cut and changed.

use std::{
    env, fs,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{Elf, find};

/// How long a search of a broken file may take in a build without optimisation. It is
/// there to find a search without bounds, not a slow one.
const MAX_SEARCH: Duration = Duration::from_secs(20);

/// Where distributions keep OpenSSL's library.
const HOST: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/libssl.so.3",
    "/usr/lib64/libssl.so.3",
    "/usr/lib/libssl.so.3",
];

/// Other builds, below the folder of the tests' tools.
const BUILDS: &[&str] = &[
    "libssl/debian-11/usr/lib/x86_64-linux-gnu/libssl.so.1.1",
    "libssl/debian-13/usr/lib/x86_64-linux-gnu/libssl.so.3",
    "libssl/debian-sid/usr/lib/x86_64-linux-gnu/libssl.so.3",
    "libssl/mysql/mysql/vendor/libssl.so.3",
    "libssl/psycopg/psycopg_binary.libs/libssl-6a9b88ec.so.3",
    "libssl/psycopg-musl/psycopg_binary.libs/libssl-cd6b6ac0.so.3",
    "libssl/psycopg2/psycopg2_binary.libs/libssl-3e69114b.so.1.1",
    "libssl/psycopg2-musl/psycopg2_binary.libs/libssl-0cc6e7db.so.3",
    "libssl/pycurl/pycurl.libs/libssl-8b66dd34.so.3",
    "libssl/pymssql/pymssql.libs/libssl-7f59e8e2.so.1.1.1k",
    "venv/bin/node",
    "venv/lib/python3.11/site-packages/cryptography/hazmat/bindings/_rust.abi3.so",
    "venv/lib/python3.11/site-packages/curl_cffi/_wrapper.abi3.so",
];

/// The builds that are here.
fn builds() -> Vec<PathBuf> {
    let tools = env::var_os("PHIWATCH_TOOLS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools"),
        PathBuf::from,
    );
    let host = HOST.iter().map(PathBuf::from);
    let others = BUILDS.iter().map(|build| tools.join(build));
    host.chain(others).filter(|path| path.is_file()).collect()
}

/// Compares what is found in a file with its symbols; returns how many functions are
/// found.
fn check(path: &Path) -> usize {
    let file = File::open(path).expect("a file that is there");
    let elf = Elf::read(&file).expect("headers");
    let found = find(&elf).expect("a search");
    let names: Vec<&str> = found.iter().map(|own| own.name).collect();
    let symbols = elf.functions(&names).expect("symbols");
    for (own, symbol) in found.iter().zip(symbols) {
        let address = own.function.address;
        // The only one of them that no library exports.
        if let ("ssl3_ctrl", None) = (own.name, &symbol) {
            continue;
        }
        let expected = symbol.map(|function| function.address);
        assert_eq!(
            Some(address),
            expected,
            "{} in {}",
            own.name,
            path.display()
        );
    }
    found.len()
}

#[test]
fn functions_are_where_the_symbols_say() {
    for path in builds() {
        let found = check(&path);
        eprintln!("{}: {found} functions", path.display());
        // Every one has at least what sends and what names the server.
        assert!(found >= 2, "{}: {found}", path.display());
    }
}

/// Nothing is found in a file that has none of the functions.
#[test]
fn other_files_have_none() {
    for path in [
        "/bin/sh",
        "/usr/bin/env",
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
    ] {
        let Ok(file) = File::open(path) else { continue };
        let found = Elf::read(&file).and_then(|elf| find(&elf));
        assert_eq!(found.expect("a search"), Vec::new(), "{path}");
    }
    for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0xff; 4096]] {
        assert!(Elf::read(&stored(bytes)).is_err());
    }
}

fn stored(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

/// Searches a broken file; whatever is found lies in it.
fn check_broken(bytes: &[u8], how: &str) {
    let file = stored(bytes);
    let began = Instant::now();
    let found = Elf::read(&file).and_then(|elf| find(&elf));
    assert!(began.elapsed() < MAX_SEARCH, "{how}: {:?}", began.elapsed());
    for own in found.unwrap_or_default() {
        let end = own.function.offset + own.function.code.len() as u64;
        assert!(end <= bytes.len() as u64, "{how}: {}", own.name);
    }
}

/// A sequence that is the same whenever it runs.
fn numbers(mut seed: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    })
}

#[test]
fn broken_files_are_searched_with_bounds() {
    // The smallest, as each is searched many times.
    let smallest = builds().into_iter().min_by_key(|path| {
        let metadata = fs::metadata(path);
        metadata.map_or(u64::MAX, |metadata| metadata.len())
    });
    let Some(path) = smallest else { return };
    let whole = fs::read(path).expect("a file that is there");
    for part in 0..16 {
        check_broken(&whole[..whole.len() / 16 * part], &format!("{part}/16"));
    }
    let mut numbers = numbers(0x9e37_79b9_7f4a_7c15);
    let mut next = |below: usize| numbers.next().map_or(0, |own| own as usize % below.max(1));
    for round in 0..48 {
        let mut bytes = whole.clone();
        // The headers, then all of it.
        let (flips, below) = match round % 3 {
            0 => (4, 1024),
            1 => (64, bytes.len()),
            _ => (20_000, bytes.len()),
        };
        for _ in 0..flips {
            let at = next(below);
            // Without its magic number it is not searched at all.
            if at >= 20 {
                bytes[at] ^= 1 << next(8);
            }
        }
        check_broken(&bytes, &format!("round {round}"));
    }
}
