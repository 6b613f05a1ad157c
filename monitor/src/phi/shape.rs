//! What a text is made of, in one look at its bytes: which detectors may
//! recognize it without a key.

use std::sync::LazyLock;

use super::engine::{Detectors, Rules};

/// Kinds of bytes that a text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes(u16);

impl Bytes {
    pub(super) const NONE: Self = Self(0);
    /// `@`, or `%`, which may stand for one.
    pub(super) const AT: Self = Self(1);
    pub(super) const DIGIT: Self = Self(1 << 1);
    pub(super) const LETTER: Self = Self(1 << 2);
    /// `-`
    pub(super) const DASH: Self = Self(1 << 3);
    /// `.`
    pub(super) const POINT: Self = Self(1 << 4);
    /// `+`
    pub(super) const PLUS: Self = Self(1 << 5);
    /// `(`
    pub(super) const PARENTHESIS: Self = Self(1 << 6);
    /// Space.
    pub(super) const SPACE: Self = Self(1 << 7);
    /// What is not ASCII.
    pub(super) const OTHER: Self = Self(1 << 8);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has_all(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    const fn has_any(self, wanted: Self) -> bool {
        wanted.0 == 0 || self.0 & wanted.0 != 0
    }
}

/// What a text must be made of to be examined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Every one of these kinds of bytes.
    pub(super) all: Bytes,
    /// And one of these, if there are any.
    pub(super) any: Bytes,
    /// Lengths in bytes, both inclusive.
    pub(super) lengths: (usize, usize),
}

const fn kind(byte: u8) -> Bytes {
    match byte {
        b'@' | b'%' => Bytes::AT,
        b'0'..=b'9' => Bytes::DIGIT,
        b'a'..=b'z' | b'A'..=b'Z' => Bytes::LETTER,
        b'-' => Bytes::DASH,
        b'.' => Bytes::POINT,
        b'+' => Bytes::PLUS,
        b'(' => Bytes::PARENTHESIS,
        b' ' => Bytes::SPACE,
        0x80.. => Bytes::OTHER,
        _ => Bytes::NONE,
    }
}

static KINDS: [Bytes; 256] = {
    let mut kinds = [Bytes::NONE; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = kind(byte as u8);
        byte += 1;
    }
    kinds
};

/// Detectors by the kinds of bytes of a text; lengths are asked afterwards.
static WAKES: LazyLock<Vec<Detectors>> = LazyLock::new(|| {
    (0..1 << 9)
        .map(|bytes| {
            let bytes = Bytes(bytes);
            Detectors::which(|rules: &Rules| {
                (rules.shape)
                    .is_some_and(|shape| bytes.has_all(shape.all) && bytes.has_any(shape.any))
            })
        })
        .collect()
});

/// The detectors that may recognize `value` by its shape.
pub(super) fn wakes(value: &str) -> Detectors {
    if is_stamp(value.as_bytes()) {
        return Detectors::default();
    }
    let found = value
        .bytes()
        .fold(0, |found, byte| found | KINDS[byte as usize].0);
    let candidates = WAKES.get(found as usize).copied().unwrap_or_default();
    candidates.that(|rules| {
        rules.shape.is_some_and(|shape| {
            let (shortest, longest) = shape.lengths;
            (shortest..=longest).contains(&value.len()) && (rules.fits)(value)
        })
    })
}

/// Whether `value` is a moment (`2026-11-24T10:00:00…`) or a UUID: most of what
/// has digits and dashes is, and neither tells who someone is without a key.
fn is_stamp(value: &[u8]) -> bool {
    /// Length of a UUID.
    const UUID: usize = 36;
    match value {
        [
            _,
            _,
            _,
            _,
            b'-',
            _,
            _,
            b'-',
            _,
            _,
            b'T' | b' ',
            _,
            _,
            b':',
            _,
            _,
            b':',
            ..,
        ] => {
            value.len() <= UUID
                && (value.iter()).all(|byte| byte.is_ascii_digit() || b"-T :.+Z".contains(byte))
        }
        _ if value.len() == UUID => value.iter().enumerate().all(|(index, byte)| {
            if matches!(index, 8 | 13 | 18 | 23) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        }),
        _ => false,
    }
}
