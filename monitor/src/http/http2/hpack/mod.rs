//! HPACK, the compression of header fields (RFC 7541).
//!
//! In: the header blocks of one direction of a connection, in order. Out: their
//! fields. After blocks that were not seen, a field whose table entry came in one of
//! them is unknown: it is never guessed. What is inserted afterwards is known again.

mod huffman;
mod table;

use bytes::Bytes;

use table::Table;

/// Largest integer that is accepted: longer than any string or table.
const MAX_INTEGER: usize = 1 << 28;

/// A header field. What is `None` is unknown.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: Option<Bytes>,
    pub(super) value: Option<Bytes>,
}

impl Field {
    /// Bytes of its name and its value.
    pub(super) fn length(&self) -> usize {
        let length = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len);
        length(&self.name) + length(&self.value)
    }
}

/// A header block that is no HPACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The decoder of one direction of a connection.
#[derive(Default)]
pub(super) struct Decoder {
    table: Table,
}

impl Decoder {
    /// A decoder for a connection whose beginning was not seen.
    pub(super) fn late() -> Self {
        let mut decoder = Self::default();
        decoder.forget();
        decoder
    }

    /// Header blocks were not seen.
    pub(super) fn forget(&mut self) {
        self.table.forget();
    }

    /// Bytes of memory that it holds, about.
    pub(super) fn memory(&self) -> usize {
        self.table.memory()
    }

    /// Decodes a header block; each field goes to `visit`. Behind a malformed one the
    /// table is unknown.
    pub(super) fn decode(
        &mut self,
        block: &[u8],
        mut visit: impl FnMut(Field),
    ) -> Result<(), Malformed> {
        let mut rest = block;
        // Only in front of the fields the size may change.
        let mut is_first = true;
        while !rest.is_empty() {
            match self.field(&mut rest, is_first) {
                Ok(Some(field)) => {
                    is_first = false;
                    visit(field);
                }
                Ok(None) => {}
                Err(malformed) => {
                    self.forget();
                    return Err(malformed);
                }
            }
        }
        Ok(())
    }

    /// The next field, or `None` for a change of the table's size.
    fn field(&mut self, rest: &mut &[u8], is_first: bool) -> Result<Option<Field>, Malformed> {
        let first = *rest.first().ok_or(Malformed)?;
        match first {
            0x80.. => {
                let index = integer(rest, 7)?;
                self.table.get(index).map(Some)
            }
            0x40.. => {
                let field = self.literal(rest, 6)?;
                self.table.insert(field.clone());
                Ok(Some(field))
            }
            0x20.. if is_first => {
                let size = integer(rest, 5)?;
                self.table.resize(size);
                Ok(None)
            }
            0x20.. => Err(Malformed),
            // Not to be indexed, or never.
            _ => self.literal(rest, 4).map(Some),
        }
    }

    /// A field whose value is not in the table, and its name perhaps.
    fn literal(&self, rest: &mut &[u8], prefix: u32) -> Result<Field, Malformed> {
        let index = integer(rest, prefix)?;
        let name = if index == 0 {
            Some(string(rest)?)
        } else {
            self.table.get(index)?.name
        };
        let value = Some(string(rest)?);
        Ok(Field { name, value })
    }
}

/// An integer that begins in the low `prefix` bits of the next byte.
fn integer(rest: &mut &[u8], prefix: u32) -> Result<usize, Malformed> {
    let mask = (1_usize << prefix) - 1;
    let mut next = || {
        let (first, behind) = rest.split_first().ok_or(Malformed)?;
        *rest = behind;
        Ok(usize::from(*first))
    };
    let mut value = next()? & mask;
    if value < mask {
        return Ok(value);
    }
    let mut shift = 0;
    loop {
        let byte = next()?;
        value += (byte & 0x7f) << shift;
        shift += 7;
        if value > MAX_INTEGER || shift > 28 {
            return Err(Malformed);
        }
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
}

/// A string of which all bytes are there.
fn string(rest: &mut &[u8]) -> Result<Bytes, Malformed> {
    let is_coded = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer(rest, 7)?;
    let (string, behind) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = behind;
    if !is_coded {
        return Ok(Bytes::copy_from_slice(string));
    }
    // No code is shorter than five bits.
    let mut text = Vec::with_capacity(length * 8 / 5);
    huffman::decode(string, &mut text).ok_or(Malformed)?;
    // What stays in the table must not hold more than it counts.
    text.shrink_to_fit();
    Ok(text.into())
}

#[cfg(test)]
mod tests;
