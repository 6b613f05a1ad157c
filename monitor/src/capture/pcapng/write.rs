//! Blocks of a pcapng file, encoded little-endian into a byte vector.
//!
//! A block is its type, its length, a body padded to four bytes, and its length
//! again, so that a reader can skip a block that it does not know.

/// Section header block.
pub(crate) const SECTION_HEADER: u32 = 0x0A0D_0D0A;
/// Interface description block.
pub(crate) const INTERFACE_DESCRIPTION: u32 = 1;
/// Interface statistics block.
pub(crate) const INTERFACE_STATISTICS: u32 = 5;
/// Enhanced packet block.
pub(crate) const ENHANCED_PACKET: u32 = 6;

/// Option `opt_comment` of every block.
pub(crate) const OPTION_COMMENT: u16 = 1;
/// The longest value that an option can carry, in bytes.
pub(crate) const MAX_OPTION: usize = 65_535;

/// A block under construction at the end of a byte vector.
pub(crate) struct Block<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Block<'a> {
    /// Begins a block of type `kind` at the end of `out`.
    pub(crate) fn begin(out: &'a mut Vec<u8>, kind: u32) -> Self {
        let start = out.len();
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        Self { out, start }
    }

    /// Appends a 16-bit integer.
    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.out.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Appends a 32-bit integer.
    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.out.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Appends a time as two 32-bit integers, the high one first.
    pub(crate) fn time(&mut self, nanoseconds: u64) -> &mut Self {
        self.u32((nanoseconds >> 32) as u32).u32(nanoseconds as u32)
    }

    /// Appends bytes and pads them to four bytes.
    pub(crate) fn padded(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self
    }

    /// Appends an option. A value longer than [`MAX_OPTION`] is left out.
    pub(crate) fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        match u16::try_from(value.len()) {
            Ok(length) => self.u16(code).u16(length).padded(value),
            Err(_) => self,
        }
    }

    /// Ends the options and the block.
    pub(crate) fn finish(&mut self) {
        self.u32(0);
        let length = (self.out.len() - self.start + 4) as u32;
        if let Some(field) = self.out.get_mut(self.start + 4..self.start + 8) {
            field.copy_from_slice(&length.to_le_bytes());
        }
        self.u32(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_padded_and_carries_its_length_twice() {
        let mut out = vec![0xff; 4];
        Block::begin(&mut out, ENHANCED_PACKET)
            .padded(b"abcde")
            .option(OPTION_COMMENT, b"x")
            .finish();
        assert_eq!(
            &out[4..],
            [
                6, 0, 0, 0, 32, 0, 0, 0, b'a', b'b', b'c', b'd', b'e', 0, 0, 0, 1, 0, 1, 0, b'x',
                0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0
            ]
        );
    }
}
