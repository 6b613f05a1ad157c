//! The Huffman code of HPACK (RFC 7541, appendix B).
//!
//! The code is canonical: symbols of one length have consecutive codes in their
//! order, and longer codes follow shorter ones. So the lengths alone define it.

/// How many symbols have a code of each length that occurs, the end mark included.
const COUNTS: [(u32, u16); 21] = [
    (5, 10),
    (6, 26),
    (7, 32),
    (8, 6),
    (10, 5),
    (11, 3),
    (12, 2),
    (13, 6),
    (14, 2),
    (15, 3),
    (19, 3),
    (20, 8),
    (21, 13),
    (22, 26),
    (23, 29),
    (24, 12),
    (25, 4),
    (26, 15),
    (27, 19),
    (28, 29),
    (30, 4),
];

/// The bytes in the order of their codes. The end mark, which never occurs, would be
/// the last.
const SYMBOLS: [u8; 256] = [
    48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57,
    61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68, 69, 70, 71,
    72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118, 119,
    120, 121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39, 43, 124, 35, 62, 0, 36, 64, 91,
    93, 126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161,
    167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154, 156,
    160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233, 1,
    135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174,
    175, 180, 182, 183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159, 171, 206, 215, 225,
    236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242,
    243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252,
    253, 254, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 127, 220, 249, 10, 13, 22,
];

/// The codes of one length.
#[derive(Clone, Copy)]
struct Row {
    length: u32,
    /// The first of them and the first behind them, shifted to the top of 32 bits.
    first: u64,
    end: u64,
    /// Which symbol has the first of them.
    symbol: u16,
}

const ROWS: [Row; COUNTS.len()] = {
    let mut rows = [Row {
        length: 0,
        first: 0,
        end: 0,
        symbol: 0,
    }; COUNTS.len()];
    let (mut at, mut code, mut symbol) = (0, 0_u64, 0_u16);
    while at < COUNTS.len() {
        let (length, count) = COUNTS[at];
        let end = code + ((count as u64) << (32 - length));
        rows[at] = Row {
            length,
            first: code,
            end,
            symbol,
        };
        symbol += count;
        code = end;
        at += 1;
    }
    rows
};

/// Appends what `coded` stands for to `out`. `None` if it is not in this code.
pub(super) fn decode(coded: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (mut bits, mut count) = (0_u64, 0_u32);
    let mut rest = coded.iter();
    loop {
        while count <= 32
            && let Some(byte) = rest.next()
        {
            bits = (bits << 8) | u64::from(*byte);
            count += 8;
        }
        if count == 0 {
            return Some(());
        }
        // The next 32 bits, with ones behind the last: the padding is of ones.
        let window = if count >= 32 {
            bits >> (count - 32)
        } else {
            ((bits + 1) << (32 - count)) - 1
        } & 0xffff_ffff;
        let row = ROWS.iter().find(|row| window < row.end)?;
        if row.length > count {
            // Less than a byte of padding, the beginning of the end mark.
            return (count < 8 && bits + 1 == 1 << count).then_some(());
        }
        let behind = (window - row.first) >> (32 - row.length);
        out.push(*SYMBOLS.get(usize::from(row.symbol) + behind as usize)?);
        count -= row.length;
        bits &= (1 << count) - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code and length of each byte, as the table says.
    fn codes() -> Vec<(u64, u32)> {
        let mut codes = vec![(0, 0); 256];
        for row in ROWS {
            let count = (row.end - row.first) >> (32 - row.length);
            for number in 0..count {
                let code = (row.first >> (32 - row.length)) + number;
                if let Some(symbol) = SYMBOLS.get(usize::from(row.symbol) + number as usize) {
                    codes[usize::from(*symbol)] = (code, row.length);
                }
            }
        }
        codes
    }

    fn encode(text: &[u8]) -> Vec<u8> {
        let codes = codes();
        let (mut out, mut bits, mut count) = (Vec::new(), 0_u64, 0);
        for byte in text {
            let (code, length) = codes[usize::from(*byte)];
            bits = (bits << length) | code;
            count += length;
            while count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
                bits &= (1 << count) - 1;
            }
        }
        if count > 0 {
            out.push((bits << (8 - count)) as u8 | (0xff >> count));
        }
        out
    }

    #[test]
    fn the_code_uses_every_sequence_of_bits() {
        assert_eq!(ROWS.last().map(|row| row.end), Some(1 << 32));
        let mut seen: Vec<_> = SYMBOLS.to_vec();
        seen.sort_unstable();
        assert_eq!(seen, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn every_text_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        for start in 0..all.len() {
            for end in [start, start + 1, start + 5, all.len()] {
                let text = all.get(start..end.min(all.len())).unwrap();
                let mut back = Vec::new();
                decode(&encode(text), &mut back).unwrap();
                assert_eq!(back, text, "{start}..{end}");
            }
        }
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (text, coded) in [
            ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"),
            ("no-cache", "a8eb10649cbf"),
            ("302", "6402"),
            ("private", "aec3771a4b"),
        ] {
            let coded = base16ct::lower::decode_vec(coded).unwrap();
            let mut back = Vec::new();
            decode(&coded, &mut back).unwrap();
            assert_eq!((&*back, encode(&back)), (text.as_bytes(), coded));
        }
    }

    #[test]
    fn what_is_not_in_the_code_is_refused() {
        for coded in [
            // The end mark.
            &[0xff, 0xff, 0xff, 0xff][..],
            &[0xff, 0xff, 0xff, 0xfc],
            // A byte of padding.
            &[0xff],
            &[0x07, 0xff],
            // Padding that is not of ones.
            &[0x00],
            &[0x06],
        ] {
            assert_eq!(decode(coded, &mut Vec::new()), None, "{coded:x?}");
        }
    }
}
