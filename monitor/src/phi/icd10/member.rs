//! A code to whether it is on the ICD-10-CM list of the federal government.
//!
//! The list is a tree by characters in which equal branches are stored once;
//! `cargo xtask codes` writes it. A node is a count and as many edges: the
//! character, with [`ENDS`] where a code ends, and the place of the next node in
//! three bytes, low first. The last three bytes are the place of the root.

/// The list.
static LIST: &[u8] = include_bytes!("../../../data/icd10cm.bin");

/// Marks an edge on which a code ends.
const ENDS: u8 = 0x80;

/// Bytes of an edge.
const EDGE: usize = 4;

/// Longest code without its point.
const MAX_LENGTH: usize = 7;

/// Whether `code` is on the list, with or without the point after its third
/// character, in either case.
pub(crate) fn is_icd10cm(code: &str) -> bool {
    let bytes = code.as_bytes();
    let has_point = bytes.get(3) == Some(&b'.');
    if bytes.len() > MAX_LENGTH + 1 || (has_point && bytes.len() == 4) {
        return false;
    }
    let mut node = root();
    let mut ends = false;
    for (index, byte) in bytes.iter().enumerate() {
        if has_point && index == 3 {
            continue;
        }
        match step(node, byte.to_ascii_uppercase()) {
            Some((next, is_end)) => (node, ends) = (next, is_end),
            None => return false,
        }
    }
    ends
}

fn root() -> usize {
    LIST.last_chunk::<3>()
        .map_or(usize::MAX, |bytes| place(*bytes))
}

fn place([low, middle, high]: [u8; 3]) -> usize {
    usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16
}

/// The edges of a node: character with [`ENDS`], place.
fn edges(node: usize) -> impl Iterator<Item = (u8, usize)> {
    let rest = LIST.get(node..).unwrap_or_default();
    let (count, edges) = rest.split_first().unwrap_or((&0, &[]));
    let (edges, _) = edges.as_chunks::<EDGE>();
    let count = usize::from(*count);
    (edges.iter().take(count))
        .map(|[byte, low, middle, high]| (*byte, place([*low, *middle, *high])))
}

/// The node behind `byte`, and whether a code ends there.
fn step(node: usize, byte: u8) -> Option<(usize, bool)> {
    let (edge, next) = edges(node).find(|(edge, _)| edge & !ENDS == byte)?;
    Some((next, edge & ENDS != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the codes below `node` by length.
    fn count(node: usize, length: usize, counts: &mut [usize; MAX_LENGTH + 1]) {
        for (edge, next) in edges(node) {
            counts[length] += usize::from(edge & ENDS != 0);
            count(next, length + 1, counts);
        }
    }

    #[test]
    fn the_list_is_whole() {
        let mut counts = [0; MAX_LENGTH + 1];
        count(root(), 1, &mut counts);
        assert_eq!(counts, [0, 0, 0, 1_918, 10_096, 14_578, 20_109, 51_485]);
        assert_eq!(counts.iter().sum::<usize>(), 98_186);
        assert!(LIST.len() < 60_000, "{}", LIST.len());
    }

    #[test]
    fn codes_are_found_however_they_are_spelled() {
        for (code, expected) in [
            ("F32", true),
            ("F32.1", true),
            ("F321", true),
            ("f32.1", true),
            ("E11.9", true),
            ("U07.1", true),
            ("Z79.4", true),
            ("C7A.00", true),
            ("S01.00XA", true),
            ("S0100XA", true),
            ("s01.00xd", true),
            ("M54.50", true),
            // A placeholder alone ends no code.
            ("S01.00X", false),
            ("", false),
            (".", false),
            ("F", false),
            ("F3", false),
            ("F32.", false),
            ("F3.21", false),
            ("F.321", false),
            ("F32..1", false),
            ("F32.1.", false),
            ("F32.19", false),
            ("F3\u{b2}1", false),
            ("S01.00XAA", false),
            ("H26.4\u{e9}", false),
            ("A320", true),
            ("H264", true),
            ("P256", false),
            ("\u{80}32", false),
            ("F32.1\u{0}", false),
        ] {
            assert_eq!(is_icd10cm(code), expected, "{code}");
        }
    }
}
