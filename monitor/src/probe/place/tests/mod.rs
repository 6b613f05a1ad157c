//! Small functions, as bytes beside what they say.

use super::{Cost, Exits, Point, place};

mod any_code;
mod entries;
mod exits;
mod go;

/// Where the functions of these tests begin, and `far` is.
const ADDRESS: u64 = 0x1000;
const FAR: u64 = 0x2000;

/// The bytes of a listing, which two spaces part from the instruction's name.
fn assembled(listing: &str) -> Vec<u8> {
    let bytes = listing.lines().filter_map(|line| {
        let (bytes, _) = line.trim().split_once("  ")?;
        Some(bytes.split(' '))
    });
    bytes
        .flatten()
        .map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal"))
        .collect()
}

/// An offset, a depth and a cost.
type Expected = (u64, u32, Cost);

fn at(expected: &[Expected]) -> Exits {
    Exits::At(points(expected))
}

fn points(expected: &[Expected]) -> Vec<Point> {
    let point = |&(offset, depth, cost): &Expected| Point {
        offset,
        depth,
        cost,
        is_call: false,
    };
    expected.iter().map(point).collect()
}

fn check(listing: &str, arguments: u8, entry: Expected, exits: &Exits) {
    let placement = place(&assembled(listing), ADDRESS, arguments);
    let found = placement.entry;
    assert_eq!((found.offset, found.depth, found.cost), entry, "{listing}");
    assert_eq!(&placement.exits, exits, "{listing}");
}

/// As compilers write `SSL_write`: the failing side of the guard never returns.
const GUARDED: &str = "
    48 83 ec 18                 sub rsp,0x18
    64 48 8b 04 25 28 00 00 00  mov rax,fs:0x28
    48 89 44 24 08              mov [rsp+0x8],rax
    31 c0                       xor eax,eax
    85 d2                       test edx,edx
    78 1d                       js 0x35
    48 89 e1                    mov rcx,rsp
    e8 e0 0f 00 00              call far
    48 8b 54 24 08              mov rdx,[rsp+0x8]
    64 48 2b 14 25 28 00 00 00  sub rdx,fs:0x28
    75 0c                       jne 0x3c
    48 83 c4 18                 add rsp,0x18
    c3                          ret
    b8 ff ff ff ff              mov eax,0xffffffff
    eb e4                       jmp 0x20
    e8 bf 0f 00 00              call far";
