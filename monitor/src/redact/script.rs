//! Scripts of pages: strings and numbers are values, names stay if they are
//! words of scripts, of trackers or of interfaces.

use super::{rewriter::Rewriter, scramble};
use crate::field::{Encoding, html, json};

/// Words of scripts.
const SCRIPT: &[&str] = &[
    "addeventlistener",
    "appendchild",
    "arguments",
    "array",
    "async",
    "await",
    "body",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "constructor",
    "continue",
    "createelement",
    "currentscript",
    "date",
    "default",
    "delete",
    "document",
    "documentelement",
    "else",
    "export",
    "extends",
    "false",
    "fetch",
    "finally",
    "for",
    "function",
    "getelementbyid",
    "getelementsbytagname",
    "gtm",
    "head",
    "href",
    "if",
    "import",
    "in",
    "init",
    "innerhtml",
    "insertbefore",
    "instanceof",
    "js",
    "json",
    "key",
    "let",
    "location",
    "log",
    "map",
    "math",
    "navigator",
    "new",
    "null",
    "number",
    "object",
    "of",
    "parentnode",
    "parse",
    "promise",
    "prototype",
    "push",
    "queryselector",
    "return",
    "script",
    "self",
    "setattribute",
    "shift",
    "slice",
    "src",
    "start",
    "static",
    "string",
    "stringify",
    "super",
    "switch",
    "then",
    "this",
    "throw",
    "true",
    "try",
    "type",
    "typeof",
    "undefined",
    "value",
    "var",
    "void",
    "while",
    "window",
    "with",
    "yield",
];
impl Rewriter<'_> {
    /// A script: its strings and numbers are values.
    pub(super) fn script(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(byte) = rest.first().copied() {
            let length = match byte {
                b'/' if rest.starts_with(b"//") => {
                    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    let own = rest.get(..end).unwrap_or_default();
                    out.extend(scramble::bytes(self.known.key, own));
                    end
                }
                b'/' if rest.starts_with(b"/*") => {
                    let end = memchr::memmem::find(rest, b"*/").unwrap_or(rest.len());
                    let own = rest.get(..end).unwrap_or_default();
                    out.extend(scramble::bytes(self.known.key, own));
                    end.max(1)
                }
                b'"' | b'\'' | b'`' => self.script_string(rest, byte, out),
                _ if byte.is_ascii_alphanumeric() || b"_$".contains(&byte) || byte >= 0x80 => {
                    self.script_word(rest, out)
                }
                _ => {
                    out.push(byte);
                    1
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
    }

    /// A string of a script. Returns its length with both quotes.
    fn script_string(&mut self, text: &[u8], quote: u8, out: &mut Vec<u8>) -> usize {
        let inner = text.get(1..).unwrap_or_default();
        let line = memchr::memchr(b'\n', inner).filter(|_| quote != b'`');
        let end = json::string_end(inner, quote);
        let (raw, closed) = match (end, line) {
            (Some(end), None) => (inner.get(..end).unwrap_or_default(), true),
            (Some(end), Some(line)) if end < line => (inner.get(..end).unwrap_or_default(), true),
            (_, Some(line)) => (inner.get(..line).unwrap_or_default(), false),
            (None, None) => (inner, false),
        };
        let content = json::unescape(raw);
        let new = if content.starts_with(b"//") || content.starts_with(b"/") {
            self.address(&content)
        } else {
            match std::str::from_utf8(&content) {
                Ok(word) if is_script_word(word) && !self.known.hides(word) => content.to_vec(),
                _ => self.value(&content),
            }
        };
        out.push(quote);
        Encoding::Json(quote).escape_like(raw, &new, out);
        if closed {
            out.push(quote);
        }
        raw.len().saturating_add(1 + usize::from(closed))
    }

    /// A name or a number of a script. Returns its length.
    fn script_word(&self, text: &[u8], out: &mut Vec<u8>) -> usize {
        let is_word =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"_$".contains(byte) || *byte >= 0x80;
        let length = text
            .iter()
            .position(|byte| !is_word(byte))
            .unwrap_or(text.len());
        let own = text.get(..length).unwrap_or_default();
        match std::str::from_utf8(own) {
            Ok(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                out.extend(self.known.number(word, None).into_bytes());
            }
            Ok(word) if is_script_word(word) => out.extend_from_slice(own),
            _ => out.extend(self.key(own)),
        }
        length.max(1)
    }
}

/// Whether a name belongs to scripts or to the trackers that they use.
fn is_script_word(word: &str) -> bool {
    SCRIPT.contains(&word.to_ascii_lowercase().as_str()) || html::is_tracker_word(word)
}
