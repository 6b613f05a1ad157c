//! Questions about bytes that may be text.

/// The first `length` bytes at most, not ending inside a UTF-8 character.
pub(crate) fn clip(bytes: &[u8], length: usize) -> &[u8] {
    let mut end = length.min(bytes.len());
    // A character has at most three continuation bytes; anything longer is not
    // UTF-8 and needs no care.
    for _ in 0..3 {
        match bytes.get(end) {
            Some(0x80..=0xbf) if end > 0 => end -= 1,
            _ => break,
        }
    }
    bytes.get(..end).unwrap_or_default()
}

/// `bytes` without a byte order mark and white space at the beginning.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

/// The UTF-8 text of `bytes` if they are UTF-16: with a byte order mark, or
/// JSON in which every other byte is zero. At most `limit` bytes of it.
pub(crate) fn from_utf16(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (bytes, big) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [b'{' | b'[', 0, second, 0, ..] if *second != 0 => (bytes, false),
        [0, b'{' | b'[', 0, second, ..] if *second != 0 => (bytes, true),
        _ => return None,
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| {
        if big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    let mut text = String::new();
    for character in char::decode_utf16(units) {
        if text.len() >= limit {
            break;
        }
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    is_printable(text.as_bytes(), Some(10)).then(|| text.into_bytes())
}

/// Whether these bytes are UTF-8 (that may end inside a character) of which at
/// most one character in `tolerance` is a control character; with `None`, none.
pub(crate) fn is_printable(bytes: &[u8], tolerance: Option<usize>) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(valid) => valid,
        Err(error) if error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let controls = valid
        .chars()
        .filter(|character| character.is_control() && !matches!(character, '\t' | '\r' | '\n'))
        .count();
    match tolerance {
        None => controls == 0,
        Some(tolerance) => controls.saturating_mul(tolerance) <= valid.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_keeps_characters_whole() {
        for (bytes, length, expected) in [
            ("abc".as_bytes(), 2, "ab".as_bytes()),
            ("abc".as_bytes(), 9, "abc".as_bytes()),
            ("aé".as_bytes(), 2, "a".as_bytes()),
            ("é".as_bytes(), 1, b"".as_slice()),
            ("a\u{1f600}".as_bytes(), 4, "a".as_bytes()),
            (b"\x80\x80\x80\x80\x80".as_slice(), 4, b"\x80".as_slice()),
        ] {
            assert_eq!(clip(bytes, length), expected, "{bytes:?} {length}");
        }
    }

    #[test]
    fn printable() {
        for (bytes, tolerance, expected) in [
            (b"plain\ttext\r\n".as_slice(), None, true),
            (b"a\0b".as_slice(), None, false),
            (b"a\0bcdefghijkl".as_slice(), Some(10), true),
            (b"a\0\0\0".as_slice(), Some(10), false),
            ("aé".as_bytes().split_last().unwrap().1, None, true),
            (b"a\xffb".as_slice(), Some(10), false),
        ] {
            assert_eq!(is_printable(bytes, tolerance), expected, "{bytes:?}");
        }
    }
}
