//! Whatever the bytes are: no panic, bounded work, and an answer that holds.

use std::collections::BTreeSet;

use super::{
    super::{Cost::Emulated, Exits, MAX_CODE, MAX_EXITS, Why, place, place_without_depth},
    ADDRESS, GUARDED, assembled,
};

/// A long function of branches and returns is no more work than its length.
#[test]
fn long_functions_are_bounded() {
    let mut returns: Vec<u8> = [0x75, 0x01, 0xc3].repeat(MAX_CODE / 3);
    // The last branch would leave it.
    let last = returns.len() - 3;
    returns[last..].copy_from_slice(&[0x90, 0x90, 0xc3]);
    let placement = place(&returns, ADDRESS, 0);
    assert_eq!(placement.exits, Exits::Unknown(Why::TooMany));
    let pushes = vec![0x50; MAX_CODE];
    assert_eq!(
        place(&pushes, u64::MAX - 5, 6).exits,
        Exits::Unknown(Why::Leaves)
    );
}

/// What holds for every answer, whatever the code.
fn check_sound(code: &[u8], arguments: u8) {
    for (placement, deepest) in [
        (place(code, ADDRESS, arguments), u32::MAX),
        (place_without_depth(code, ADDRESS, arguments), 0),
    ] {
        let entry = placement.entry;
        assert!(
            entry.offset == 0 || (entry.offset as usize) < code.len(),
            "{code:02x?}"
        );
        assert!(entry.depth <= deepest, "{code:02x?}");
        if entry.offset != 0 {
            assert_eq!(entry.cost, Emulated, "{code:02x?}");
        }
        if let Exits::At(points) = &placement.exits {
            assert!((1..=MAX_EXITS).contains(&points.len()), "{code:02x?}");
            let offsets: BTreeSet<_> = points.iter().map(|point| point.offset).collect();
            assert_eq!(offsets.len(), points.len(), "{code:02x?}");
            for point in points {
                assert!((point.offset as usize) < code.len(), "{code:02x?}");
                assert!(point.depth <= deepest && !point.is_call, "{code:02x?}");
            }
        }
    }
}

/// A truncated function is taken for one that runs on, so nothing is moved.
#[test]
fn every_prefix_of_a_function() {
    let code = assembled(GUARDED);
    for length in 0..code.len() {
        check_sound(&code[..length], 3);
        let placement = place(&code[..length], ADDRESS, 3);
        assert_eq!(placement.entry.offset, 0, "{length}");
        assert!(matches!(placement.exits, Exits::Unknown(_)), "{length}");
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn random_bytes() {
    let mut numbers = Numbers(1);
    for _ in 0..20_000 {
        let length = numbers.below(48);
        let code: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
        check_sound(&code, numbers.below(8) as u8);
    }
}

/// Random order of instructions that matter here, with branches between them.
#[test]
fn random_instructions() {
    const INSTRUCTIONS: &[&[u8]] = &[
        &[0x53],
        &[0x5b],
        &[0x55],
        &[0x5d],
        &[0x48, 0x89, 0xe5],
        &[0xc9],
        &[0x48, 0x83, 0xec, 0x08],
        &[0x48, 0x83, 0xc4, 0x08],
        &[0x48, 0x83, 0xe4, 0xf0],
        &[0x31, 0xc0],
        &[0x31, 0xff],
        &[0x85, 0xd2],
        &[0xff, 0xd0],
        &[0xff, 0xe0],
        &[0xc3],
        &[0xc3],
        &[0x64, 0x48, 0x2b, 0x14, 0x25, 0x28, 0, 0, 0],
    ];
    let mut numbers = Numbers(2);
    let mut placed = 0;
    for _ in 0..20_000 {
        let mut code = Vec::new();
        for _ in 0..numbers.below(24) {
            match numbers.below(INSTRUCTIONS.len() + 3) {
                0 => code.extend([0xeb, numbers.below(32) as u8]),
                1 => code.extend([0x75, (numbers.below(48) as u8).wrapping_sub(24)]),
                2 => code.extend([0xe8, 0, 1, 0, 0]),
                other => code.extend(INSTRUCTIONS[other - 3]),
            }
        }
        check_sound(&code, 3);
        let placement = place(&code, ADDRESS, 3);
        placed += usize::from(matches!(placement.exits, Exits::At(_)));
    }
    assert!(placed > 100, "{placed} functions with exits");
}

#[test]
fn mutations_of_a_function() {
    let original = assembled(GUARDED);
    let mut numbers = Numbers(3);
    for _ in 0..20_000 {
        let mut code = original.clone();
        for _ in 0..=numbers.below(3) {
            let position = numbers.below(code.len());
            code[position] = numbers.next() as u8;
        }
        check_sound(&code, 3);
    }
}
