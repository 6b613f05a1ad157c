//! Tables that the build script writes (`build/tables.rs`), searched by hash.

/// The value of `hash` in a table of slots, whose number is a power of two: each the hash
/// (8 bytes, little-endian, 0: empty) and `N` bytes of value. A hash that finds its slot
/// taken stands in the next one that is free.
pub(super) fn look<const N: usize>(table: &[u8], hash: u64) -> Option<[u8; N]> {
    let width = 8 + N;
    let slots = table.len() / width;
    let mut at = hash as usize & slots.wrapping_sub(1);
    for _ in 0..slots {
        let (own, value) = table
            .get(at * width..(at + 1) * width)?
            .split_first_chunk()?;
        match u64::from_le_bytes(*own) {
            own if own == hash => return value.try_into().ok(),
            0 => return None,
            _ => at = (at + 1) & (slots - 1),
        }
    }
    None
}
