//! JSON without invisible or active characters.
//!
//! In: values to serialize. Out: the same values, with characters that change
//! the writing direction, are invisible or control a terminal written as
//! escapes. A parser restores them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{
    Serializer,
    ser::{CompactFormatter, Formatter, PrettyFormatter},
};

use super::text::is_active;

/// Writes `value` in one line.
pub(super) fn compact(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Plain(CompactFormatter));
    Ok(value.serialize(&mut serializer)?)
}

/// Writes `value` for people.
pub(super) fn pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Plain(PrettyFormatter::new()));
    Ok(value.serialize(&mut serializer)?)
}

/// The list in a document, written as its items come.
pub(super) struct List {
    /// What stands before it.
    opening: &'static str,
    has_begun: bool,
}

impl List {
    /// A list behind `opening`.
    pub(super) const fn new(opening: &'static str) -> Self {
        Self {
            opening,
            has_begun: false,
        }
    }

    /// Writes one item in a line.
    pub(super) fn item(&mut self, out: &mut dyn Write, item: &impl Serialize) -> io::Result<()> {
        let is_first = self.begin(out)?;
        out.write_all(if is_first { b"\n" } else { b",\n" })?;
        compact(out, item)
    }

    /// Writes the end.
    pub(super) fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        out.write_all(b"\n]")
    }

    /// Returns whether it begins here.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<bool> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        if is_first {
            out.write_all(self.opening.as_bytes())?;
        }
        Ok(is_first)
    }
}

struct Plain<F>(F);

impl<F: Formatter> Formatter for Plain<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, active)) = rest.char_indices().find(|(_, char)| is_active(*char)) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in active.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.get(active.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_comes_back() {
        for text in [
            "plain",
            "a\u{202e}b\u{9b}2J\u{1b}[0m\0\n\"\\</script>",
            "\u{e0001}\u{feff}日本",
            "",
        ] {
            let mut written = Vec::new();
            compact(&mut written, &[text]).expect("memory");
            let written = String::from_utf8(written).expect("text");
            assert!(!written.chars().any(is_active), "{written}");
            let read: Vec<String> = serde_json::from_str(&written).expect("JSON");
            assert_eq!(read, [text]);
        }
    }
}
