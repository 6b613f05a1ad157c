//! A replacement in the spelling of the value that it replaces.
//!
//! In: how a value was written, and its replacement. Out: the new value,
//! escaped where the old one was, so that values of equal length stay so in
//! every encoding.

use std::borrow::Cow;

use crate::field::{Encoding, entity, json, percent};

impl Encoding {
    /// What `raw` stands for, if it is a text with escapes.
    fn decode(self, raw: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Json(_) => json::unescape(raw),
            Self::Percent(plus) => percent::decode(raw, plus),
            Self::Entities => entity::unescape(raw),
            _ => Cow::Borrowed(raw),
        }
    }

    const fn mark(self) -> Option<u8> {
        match self {
            Self::Json(_) => Some(b'\\'),
            Self::Percent(_) => Some(b'%'),
            Self::Entities => Some(b'&'),
            _ => None,
        }
    }

    /// The length of the first unit of `raw`: an escape, or one byte.
    fn unit(self, raw: &[u8]) -> usize {
        let is_escape = raw.first().copied() == self.mark();
        let length = match self {
            _ if !is_escape => 1,
            Self::Json(_) if raw.get(1) == Some(&b'u') => {
                let pair = raw.get(..12).is_some_and(|pair| {
                    pair.get(6..8) == Some(b"\\u")
                        && std::str::from_utf8(&json::unescape(pair))
                            .is_ok_and(|text| text.len() == 4 && text.chars().count() == 1)
                });
                if pair { 12 } else { 6 }
            }
            Self::Json(_) => 2,
            Self::Percent(_) => {
                let escaped = raw.get(..3).is_some_and(percent::has_escape);
                if escaped { 3 } else { 1 }
            }
            Self::Entities => {
                let window = raw.get(..12).unwrap_or(raw);
                match memchr::memchr(b';', window) {
                    Some(at) if entity::has_entity(window) => at.saturating_add(1),
                    _ => 1,
                }
            }
            _ => 1,
        };
        length.min(raw.len())
    }

    /// Writes `new` in the place of `raw`, with escapes where it has them.
    pub(super) fn escape_like(self, raw: &[u8], new: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let (mut raw_left, mut new_left) = (raw, new);
        while !raw_left.is_empty() {
            let (unit, behind) = raw_left.split_at(self.unit(raw_left));
            let old = self.decode(unit);
            let Some((own, rest)) = new_left.split_at_checked(old.len()) else {
                break;
            };
            if *own == *old {
                out.extend_from_slice(unit);
            } else if unit.len() == 1 {
                self.write(own, out);
            } else if !self.write_escaped(unit, own, out) {
                break;
            }
            (raw_left, new_left) = (behind, rest);
        }
        if !(raw_left.is_empty() && new_left.is_empty()) {
            out.truncate(start);
            self.write(new, out);
        }
    }

    /// Writes `text`, with escapes where it needs them.
    fn write(self, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            match self {
                Self::Json(quote) if *byte == quote || *byte == b'\\' => {
                    out.extend_from_slice(&[b'\\', *byte]);
                }
                Self::Json(_) if *byte < 0x20 => {
                    out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                }
                Self::Percent(true) if *byte == b' ' => out.push(b'+'),
                Self::Percent(_) if !is_unreserved(*byte) => {
                    out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                }
                Self::Entities => match byte {
                    b'&' => out.extend_from_slice(b"&amp;"),
                    b'<' => out.extend_from_slice(b"&lt;"),
                    b'>' => out.extend_from_slice(b"&gt;"),
                    b'"' => out.extend_from_slice(b"&quot;"),
                    b'\'' => out.extend_from_slice(b"&#39;"),
                    other => out.push(*other),
                },
                _ => out.push(*byte),
            }
        }
    }

    /// Writes the character `new` as an escape like `unit`; false if that is
    /// not possible.
    fn write_escaped(self, unit: &[u8], new: &[u8], out: &mut Vec<u8>) -> bool {
        let character = || {
            let mut characters = std::str::from_utf8(new).ok()?.chars();
            let first = characters.next()?;
            characters.next().is_none().then_some(first)
        };
        let text = match (self, unit) {
            (Self::Percent(_), _) => {
                let [byte] = new else { return false };
                let is_lower = unit.iter().any(u8::is_ascii_lowercase);
                if is_lower {
                    format!("%{byte:02x}")
                } else {
                    format!("%{byte:02X}")
                }
            }
            (Self::Json(_), [b'\\', b'u', ..]) => {
                let Some(character) = character() else {
                    return false;
                };
                let is_upper = unit.iter().any(u8::is_ascii_uppercase);
                let mut buffer = [0; 2];
                let units = character.encode_utf16(&mut buffer);
                units.iter().fold(String::new(), |text, unit| {
                    if is_upper {
                        text + &format!("\\u{unit:04X}")
                    } else {
                        text + &format!("\\u{unit:04x}")
                    }
                })
            }
            (Self::Entities, [b'&', b'#', kind, ..]) => {
                let Some(character) = character() else {
                    return false;
                };
                let code = u32::from(character);
                if kind.eq_ignore_ascii_case(&b'x') {
                    format!("&#x{code:x};")
                } else {
                    format!("&#{code};")
                }
            }
            _ => {
                self.write(new, out);
                return true;
            }
        };
        out.extend_from_slice(text.as_bytes());
        true
    }
}

/// What forms and paths hold as it is.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_'
                | b'.'
                | b'~'
                | b'/'
                | b':'
                | b'@'
                | b','
                | b'!'
                | b'*'
                | b'('
                | b')'
                | b'$'
                | b'\''
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(escapes: Encoding, raw: &str, new: &str, expected: &str) {
        let mut out = Vec::new();
        escapes.escape_like(raw.as_bytes(), new.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{raw} {new}");
        assert_eq!(*escapes.decode(&out), *new.as_bytes(), "{raw} {new}");
    }

    #[test]
    fn escapes_stay_where_they_are() {
        let json = Encoding::Json(b'"');
        check(json, r"a\/b\u00e9\n", "c/dé\n", r"c\/d\u00e9\n");
        check(json, r"\u0041\u4e2d", "B文", r"\u0042\u6587");
        check(json, r"\uD83D\uDE00", "\u{1f601}", r"\uD83D\uDE01");
        check(json, "ab", "a\"b", r#"a\"b"#);
        check(json, "", "x", "x");
        check(Encoding::Json(b'\''), "a", "'", r"\'");
        let form = Encoding::Percent(true);
        check(form, "a%40b.c+d", "x@y.z w", "x%40y.z+w");
        check(form, "%4aane%c3%a9", "Kxyzè", "%4bxyz%c3%a8");
        check(form, "%41", "B", "%42");
        check(form, "a", "&", "%26");
        check(form, "100%", "777%", "777%");
        let entities = Encoding::Entities;
        check(entities, "a&amp;b&#64;c", "x&y@z", "x&amp;y&#64;z");
        check(entities, "&#65;&#x42;", "CD", "&#67;&#x44;");
        check(entities, "a", "<", "&lt;");
    }

    #[test]
    fn every_prefix_can_be_written() {
        for escapes in [
            Encoding::Json(b'"'),
            Encoding::Percent(true),
            Encoding::Entities,
        ] {
            let raw = br#"a\u00e9\ud83d\ude00\"%4a%zz&#65;&amp;&nope;\"#;
            for end in 0..raw.len() {
                let decoded = escapes.decode(&raw[..end]).into_owned();
                let mut out = Vec::new();
                escapes.escape_like(&raw[..end], &decoded, &mut out);
                assert_eq!(*escapes.decode(&out), *decoded, "{escapes:?} {end}");
            }
        }
    }
}
