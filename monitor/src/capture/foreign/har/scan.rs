//! JSON text in one pass: values are skipped or kept, whatever their length.
//!
//! In: the bytes of a file. Out: one value at a time, kept up to limits, so
//! that memory does not grow with the file. The parser of the kept text finds
//! out whether it is well-formed; here only strings and brackets matter.

use crate::capture::{CaptureError, file::Input};

/// The longest string that is kept, in bytes as written; the rest of it is left
/// out. More than what is examined of a body.
const MAX_STRING: usize = 8 << 20;
/// The longest value that is kept.
const MAX_VALUE: usize = 24 << 20;
/// The most commas in a kept value, since each stands for memory.
const MAX_COMMAS: usize = 200_000;
/// What is looked at once.
const WINDOW: usize = 64 << 10;
/// The longest key that matters.
const MAX_KEY: usize = 64;

/// A value, of which as much is kept as fits.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) text: Vec<u8>,
    commas: usize,
    /// A string was cut.
    pub(super) is_cut: bool,
    /// It is too long: what was kept is no value.
    pub(super) is_over: bool,
}

impl Kept {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        *self = Self {
            text: std::mem::take(&mut self.text),
            ..Self::default()
        };
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.text.len() + bytes.len() > MAX_VALUE {
            self.is_over = true;
        } else {
            self.text.extend_from_slice(bytes);
        }
    }
}

/// A JSON text that is read from front to end.
pub(super) struct Scanner<'a>(pub(super) Input<'a>);

impl Scanner<'_> {
    /// The next byte that is no white space, without consuming it. `None` at
    /// the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, CaptureError> {
        loop {
            let window = self.0.peek(1)?;
            let Some(first) = window.first().copied() else {
                return Ok(None);
            };
            if !first.is_ascii_whitespace() {
                return Ok(Some(first));
            }
            self.0.consume(1);
        }
    }

    /// Takes the next byte that is no white space, if it is `wanted`.
    pub(super) fn take(&mut self, wanted: u8) -> Result<bool, CaptureError> {
        let is_next = self.peek()? == Some(wanted);
        if is_next {
            self.0.consume(1);
        }
        Ok(is_next)
    }

    /// Steps over a byte order mark.
    pub(super) fn skip_mark(&mut self) -> Result<(), CaptureError> {
        if self.0.peek(3)? == b"\xef\xbb\xbf" {
            self.0.consume(3);
        }
        Ok(())
    }

    /// Takes a key and the colon behind it. `None` where there is none.
    pub(super) fn key(&mut self) -> Result<Option<Vec<u8>>, CaptureError> {
        if !self.take(b'"')? {
            return Ok(None);
        }
        let mut key = Kept::default();
        if !self.string(&mut Some(&mut key), MAX_KEY)? || !self.take(b':')? {
            return Ok(None);
        }
        Ok(Some(key.text))
    }

    /// Takes the next value. `false` if the text ends within it.
    pub(super) fn value(&mut self, mut out: Option<&mut Kept>) -> Result<bool, CaptureError> {
        let Some(first) = self.peek()? else {
            return Ok(false);
        };
        let mut depth = 0_usize;
        loop {
            let window = self.0.peek(1)?;
            if window.is_empty() {
                // A number or a word may end with the text, an archive cannot.
                return Ok(false);
            }
            let window = self.0.ready(WINDOW);
            // What comes before the next byte that matters.
            let length = window
                .iter()
                .position(|byte| b"\"{}[],".contains(byte) || depth == 0 && is_space(*byte))
                .unwrap_or(window.len());
            if let Some(kept) = out.as_deref_mut() {
                kept.push(window.get(..length).unwrap_or_default());
            }
            let byte = window.get(length).copied();
            self.0.consume(length);
            let Some(byte) = byte else { continue };
            match byte {
                b'}' | b']' | b',' if depth == 0 => return Ok(true),
                _ if is_space(byte) => return Ok(true),
                _ => {}
            }
            self.0.consume(1);
            if let Some(kept) = out.as_deref_mut() {
                kept.push(&[byte]);
                kept.commas += usize::from(byte == b',');
                kept.is_over |= kept.commas > MAX_COMMAS;
            }
            match byte {
                b'"' => {
                    if !self.string(&mut out, MAX_STRING)? {
                        return Ok(false);
                    }
                    if let Some(kept) = out.as_deref_mut() {
                        kept.push(b"\"");
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(first, b'"' | b'{' | b'[') && byte != b',' {
                return Ok(true);
            }
        }
    }

    /// Reads the rest of a string and the quotation mark that ends it, which is
    /// not kept. `false` if the text ends within it.
    fn string(&mut self, out: &mut Option<&mut Kept>, limit: usize) -> Result<bool, CaptureError> {
        let mut room = limit;
        loop {
            let window = self.0.peek(1)?;
            if window.is_empty() {
                return Ok(false);
            }
            let window = self.0.ready(WINDOW);
            let length = memchr::memchr2(b'"', b'\\', window).unwrap_or(window.len());
            let special = window.get(length).copied();
            if let Some(kept) = out.as_deref_mut()
                && length > 0
            {
                let plain = window.get(..length).unwrap_or_default();
                if length > room {
                    kept.is_cut = true;
                    // Not within a character.
                    let whole = (0..=room)
                        .rev()
                        .find(|at| plain.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80));
                    kept.push(plain.get(..whole.unwrap_or(0)).unwrap_or_default());
                    room = 0;
                } else {
                    kept.push(plain);
                    room -= length;
                }
            }
            self.0.consume(length);
            match special {
                None => {}
                Some(b'"') => {
                    self.0.consume(1);
                    return Ok(true);
                }
                Some(_) => {
                    let window = self.0.peek(12)?;
                    let (taken, replaced) = escape(window);
                    if taken > window.len() {
                        let rest = window.len();
                        self.0.consume(rest);
                        return Ok(false);
                    }
                    if let Some(kept) = out.as_deref_mut() {
                        if room < 12 {
                            kept.is_cut = true;
                            room = 0;
                        } else {
                            kept.push(match &replaced {
                                Some(text) => text,
                                None => window.get(..taken).unwrap_or_default(),
                            });
                            room -= taken;
                        }
                    }
                    self.0.consume(taken);
                }
            }
        }
    }
}

const fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

/// The first of the characters that stand for bytes which are no text: the
/// exporter wrote half a surrogate pair, as Python does for such bytes, and
/// JSON parsers refuse that.
const RAW_BYTES: u16 = 0xf700;

/// The length of the escape at the beginning of `text`, and what is kept in its
/// place, if not itself.
fn escape(text: &[u8]) -> (usize, Option<[u8; 6]>) {
    let unit = |at: usize| -> Option<u16> {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let digits = std::str::from_utf8(digits).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let written = |unit: u16| {
        let mut text = *b"\\u0000";
        for (at, digit) in text.iter_mut().skip(2).enumerate() {
            let nibble = usize::from(unit >> (12 - 4 * at) & 0xf);
            *digit = b"0123456789abcdef".get(nibble).copied().unwrap_or(b'0');
        }
        Some(text)
    };
    if text.get(1) != Some(&b'u') {
        return (2, None);
    }
    match unit(0) {
        Some(0xd800..=0xdbff) => match unit(6) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, written(0xfffd)),
        },
        Some(half @ 0xdc80..=0xdcff) => (6, written(RAW_BYTES | half & 0xff)),
        Some(0xdc00..=0xdfff) => (6, written(0xfffd)),
        Some(_) => (6, None),
        // The parser will report it.
        None => (2, None),
    }
}

/// The bytes that `text` stands for, which may include bytes that are no text.
pub(super) fn raw_bytes(text: &str) -> Vec<u8> {
    if is_latin_1(text) {
        return text.chars().map(|each| u32::from(each) as u8).collect();
    }
    let is_raw = |character: char| ('\u{f780}'..='\u{f7ff}').contains(&character);
    // All such characters begin with this byte.
    if memchr::memchr(0xef, text.as_bytes()).is_none() || !text.contains(is_raw) {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        if is_raw(character) {
            bytes.push((u32::from(character) & 0xff) as u8);
        } else {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes
}

/// Whether each character stands for a byte, as mitmproxy writes bodies that
/// are no text: they have control characters, which text does not.
fn is_latin_1(text: &str) -> bool {
    let is_control = |byte: &u8| *byte < 0x20 && !b"\t\n\r\x1b".contains(byte);
    text.as_bytes().iter().any(is_control) && text.chars().all(|each| u32::from(each) < 0x100)
}
