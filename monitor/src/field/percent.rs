//! Percent-encoded text to bytes.

use std::borrow::Cow;

/// Decodes `%XX`, and `+` to a space if `plus`. A broken or cut escape stays as
/// it is.
pub(crate) fn decode(bytes: &[u8], plus: bool) -> Cow<'_, [u8]> {
    let first = bytes
        .iter()
        .position(|byte| *byte == b'%' || (plus && *byte == b'+'));
    let Some(first) = first else {
        return Cow::Borrowed(bytes);
    };
    let (clean, mut rest) = bytes.split_at(first);
    let mut decoded = Vec::with_capacity(bytes.len());
    decoded.extend_from_slice(clean);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' if plus => decoded.push(b' '),
            b'%' => match escape(after) {
                Some(value) => {
                    decoded.push(value);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => decoded.push(b'%'),
            },
            byte => decoded.push(*byte),
        }
    }
    Cow::Owned(decoded)
}

/// Whether there is an escape in these bytes.
pub(crate) fn has_escape(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'%', bytes).any(|at| {
        bytes
            .get(at.saturating_add(1)..)
            .is_some_and(|after| escape(after).is_some())
    })
}

/// The byte that the two hexadecimal digits at the beginning stand for.
fn escape(after: &[u8]) -> Option<u8> {
    let mut byte = [0];
    base16ct::mixed::decode(after.first_chunk::<2>()?, &mut byte).ok()?;
    Some(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_an_escape() {
        for (encoded, plus, expected) in [
            ("plain", true, "plain"),
            ("a+b%20c", true, "a b c"),
            ("a+b%20c", false, "a+b c"),
            ("%7B%22a%22%7d", true, "{\"a\"}"),
            ("50%", true, "50%"),
            ("%4", true, "%4"),
            ("%zz%41", true, "%zzA"),
            ("%2540", true, "%40"),
        ] {
            assert_eq!(
                decode(encoded.as_bytes(), plus),
                expected.as_bytes(),
                "{encoded}"
            );
        }
    }

    #[test]
    fn tells_whether_there_is_an_escape() {
        assert!(has_escape(b"a%40") && has_escape(b"%%41"));
        assert!(!has_escape(b"a%4") && !has_escape(b"100%") && !has_escape(b"%zz"));
    }
}
