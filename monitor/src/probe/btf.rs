//! Where the members of the kernel's structures lie, from its own description of
//! its types (BTF).

use std::{fs, io};

/// Where the kernel shows it.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";
/// Begins every description, in the byte order of the machine.
const MAGIC: u16 = 0xeb9f;
/// Bytes of a type, without what follows it.
const TYPE: usize = 12;
/// Bytes of a member of a structure.
const MEMBER: usize = 12;
/// The kind of a structure.
const STRUCT: u32 = 4;

/// The kernel's description of its types.
pub(super) struct Btf(Vec<u8>);

impl Btf {
    /// Reads that of the running kernel, about 5 MB.
    pub(super) fn read() -> io::Result<Self> {
        fs::read(VMLINUX).map(Self)
    }

    /// The offset in bytes of `member` in the structure `name`; `None` where
    /// there is no such thing.
    pub(super) fn offset(&self, name: &str, member: &str) -> Option<u32> {
        let bytes = &self.0;
        if bytes.get(..2)? != MAGIC.to_ne_bytes() {
            return None;
        }
        let header = word(bytes, 4)?;
        let section = |at| {
            let (start, length) = (word(bytes, at)?, word(bytes, at + 4)?);
            bytes.get(header.checked_add(start)?..)?.get(..length)
        };
        let (mut types, strings) = (section(8)?, section(16)?);
        let is = |offset: usize, wanted: &str| {
            let text = strings.get(offset..);
            text.and_then(|text| text.strip_prefix(wanted.as_bytes()))
                .is_some_and(|rest| rest.first() == Some(&0))
        };
        while types.len() >= TYPE {
            let info = u32::try_from(word(types, 4)?).ok()?;
            let (kind, count) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
            let behind = match kind {
                // Integers, variables and tags of declarations have a word.
                1 | 14 | 17 => 4,
                3 => 12,
                4 | 5 | 15 | 19 => count * MEMBER,
                6 | 13 => count * 8,
                2 | 7..=12 | 16 | 18 => 0,
                _ => return None,
            };
            if kind == STRUCT && is(word(types, 0)?, name) {
                // With bit fields the upper byte is the size of the field.
                let mask = if info >> 31 == 1 {
                    0xff_ffff
                } else {
                    usize::MAX
                };
                let members = types.get(TYPE..TYPE + behind)?;
                return members.chunks_exact(MEMBER).find_map(|found| {
                    let bits = word(found, 8)? & mask;
                    (is(word(found, 0)?, member)).then(|| u32::try_from(bits / 8).ok())?
                });
            }
            types = types.get(TYPE + behind..)?;
        }
        None
    }
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk().copied()?;
    usize::try_from(u32::from_ne_bytes(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An integer, an array, and two structures of which the second has bit
    /// fields.
    fn example() -> Vec<u8> {
        let strings = b"\0int\0task\0signal\0live\0";
        let mut words: Vec<u32> = Vec::new();
        words.extend([1, 1 << 24, 4, 32]);
        words.extend([0, 3 << 24, 0, 1, 1, 8]);
        words.extend([5, 4 << 24 | 1, 16, 17, 1, 64]);
        words.extend([10, 1 << 31 | 4 << 24 | 2, 32, 5, 1, 0]);
        words.extend([17, 1, 8 << 24 | 128]);
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let length = (words.len() * 4) as u32;
        for word in [24, 0, length, length, strings.len() as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        for word in words {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn members_are_found_by_name() {
        let btf = Btf(example());
        for (name, member, expected) in [
            ("task", "live", Some(8)),
            ("signal", "live", Some(16)),
            ("signal", "task", Some(0)),
            ("task", "signal", None),
            ("int", "live", None),
            ("tas", "live", None),
        ] {
            assert_eq!(btf.offset(name, member), expected, "{name}.{member}");
        }
    }

    #[test]
    fn whatever_is_cut_gives_nothing() {
        let whole = example();
        for end in 0..whole.len() {
            assert_eq!(
                Btf(whole[..end].to_vec()).offset("signal", "live"),
                None,
                "{end}"
            );
        }
    }
}
