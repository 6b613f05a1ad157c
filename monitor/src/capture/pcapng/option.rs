//! Options of pcapng blocks.
//!
//! In: the bytes behind the fixed part of a block. Out: codes and values, up to
//! the end of the list or to the first inconsistency.

/// Integers of a section, in the byte order of its writer.
#[derive(Clone, Copy, Default)]
pub(super) struct ByteOrder {
    pub(super) is_big_endian: bool,
}

impl ByteOrder {
    /// The integer at `at`, 0 where the bytes end before it.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let bytes = array(bytes, at);
        if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    /// The integer at `at`, 0 where the bytes end before it.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = array(bytes, at);
        if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    /// The integer at `at`, 0 where the bytes end before it.
    pub(super) fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let bytes = array(bytes, at);
        if self.is_big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        }
    }

    /// The options in `list`.
    pub(super) fn options(self, list: &[u8]) -> Options<'_> {
        Options { order: self, list }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

/// The options of one block.
#[derive(Clone)]
pub(in crate::capture) struct Options<'b> {
    order: ByteOrder,
    list: &'b [u8],
}

impl<'b> Options<'b> {
    /// The first option with this code.
    pub(in crate::capture) fn find_code(mut self, wanted: u16) -> Option<&'b [u8]> {
        self.find_map(|(code, value)| (code == wanted).then_some(value))
    }
}

impl<'b> Iterator for Options<'b> {
    type Item = (u16, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.list.split_at_checked(4)?;
        let code = self.order.u16(head, 0);
        let length = usize::from(self.order.u16(head, 2));
        if code == 0 {
            return None;
        }
        let value = rest.get(..length)?;
        self.list = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}
