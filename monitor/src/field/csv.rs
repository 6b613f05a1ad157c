//! Tables of separated values (customer lists, offline conversions) to fields:
//! each row is an element, each cell is below the name of its column.

use super::{Encoding, Reader, Sink, Span, content, url};

/// What separates cells.
const SEPARATORS: &[u8] = b",\t;|";
/// The longest header line, in bytes.
const MAX_HEADER: usize = 4 << 10;
/// The longest name of a column, in bytes.
const MAX_NAME: usize = 64;
/// The most words in the name of a column.
const MAX_WORDS: usize = 5;
/// The most columns.
const MAX_COLUMNS: usize = 256;

/// The dialect of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) separator: u8,
    /// Whether the first line names the columns.
    pub(crate) named: bool,
}

/// The dialect of `text`, if it begins with two lines of equally many cells,
/// the first of which has column names, or an address or a digest of a customer
/// list.
pub(crate) fn sniff(text: &[u8]) -> Option<Table> {
    let window = text.get(..MAX_HEADER).unwrap_or(text);
    let (header, rest) = url::split_once(window, b'\n');
    let rest = rest?;
    let separator = *header.iter().find(|byte| SEPARATORS.contains(byte))?;
    let (mut columns, mut named, mut listed) = (0, true, false);
    let mut cells = Cells::new(header.trim_ascii_end(), separator);
    while let Some((cell, _)) = cells.next_cell() {
        let cell = unquote(cell.trim_ascii());
        columns += 1;
        named &= is_name(&cell);
        listed |= is_listed(&cell);
        if columns > MAX_COLUMNS {
            return None;
        }
    }
    if columns < 2 || !(named || listed) {
        return None;
    }
    let mut cells = Cells::new(rest, separator);
    let mut found = 0;
    while let Some((_, end)) = cells.next_cell() {
        found += 1;
        if end {
            break;
        }
    }
    // A row that the window cuts has at most as many.
    let whole = memchr::memchr(b'\n', rest).is_some() || window.len() == text.len();
    (found == columns || (!whole && found < columns)).then_some(Table {
        separator,
        named: named && !listed,
    })
}

/// Whether a cell belongs to a list of customers rather than to a header.
fn is_listed(cell: &[u8]) -> bool {
    let blank = cell.iter().any(u8::is_ascii_whitespace);
    let is_address = memchr::memchr(b'@', cell)
        .is_some_and(|at| at > 0 && cell.get(at..).is_some_and(|host| host.contains(&b'.')));
    let is_digest = matches!(cell.len(), 32 | 40 | 64) && cell.iter().all(u8::is_ascii_hexdigit);
    !blank && (is_address || is_digest)
}

/// Whether a cell may name a column.
fn is_name(cell: &[u8]) -> bool {
    (1..=MAX_NAME).contains(&cell.len())
        && cell.iter().any(u8::is_ascii_alphabetic)
        && cell.first().is_some_and(|byte| !byte.is_ascii_digit())
        && cell
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b" _-.$()/#\xef\xbb\xbf".contains(byte))
        && cell.split(|byte| *byte == b' ').count() <= MAX_WORDS
}

/// Yields the cells of `text` by the names of their columns, else their index.
pub(super) fn read<S: Sink>(reader: &mut Reader<'_, S>, text: &[u8], table: Table, cut: bool) {
    let Table { separator, named } = table;
    let base = reader.path_length();
    let mut names = Vec::new();
    let mut rows = text;
    if named {
        let (header, rest) = url::split_once(text, b'\n');
        rows = rest.unwrap_or_default();
        let mut cells = Cells::new(header.trim_ascii_end(), separator);
        while let Some((name, _)) = cells.next_cell() {
            let raw = name.trim_ascii();
            let name = unquote(raw);
            reader.column(in_cell(raw, &name, separator));
            names.push(name);
            if names.len() >= MAX_COLUMNS {
                break;
            }
        }
    }
    let mut cells = Cells::new(rows, separator);
    let (mut row, mut column) = (0, 0);
    while let Some((cell, end)) = cells.next_cell() {
        if reader.is_full() {
            return;
        }
        let cell = cell.trim_ascii();
        if !cell.is_empty() {
            reader.go_index(row);
            match names.get(column) {
                Some(name) => reader.go_key(name),
                None => reader.go_index(column),
            }
            let content = unquote(cell);
            let span = in_cell(cell, &content, separator);
            content::read_value(reader, span, cut && cells.rest.is_none());
            reader.go_back(base);
        }
        column += 1;
        if end {
            // An empty line is no row.
            row += usize::from(column > 1 || !cell.is_empty());
            column = 0;
        }
    }
}

/// A cell with its content.
const fn in_cell<'a>(raw: &'a [u8], content: &'a [u8], separator: u8) -> Span<'a> {
    Span {
        raw,
        content,
        encoding: Encoding::Cell(separator),
    }
}

/// Without the quotes of a quoted cell.
fn unquote(cell: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let Some(inner) = cell
        .strip_prefix(b"\"")
        .and_then(|cell| cell.strip_suffix(b"\""))
    else {
        return cell.into();
    };
    if memchr::memmem::find(inner, b"\"\"").is_none() {
        return inner.into();
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut quotes = 0_usize;
    for byte in inner {
        quotes = if *byte == b'"' { quotes + 1 } else { 0 };
        if quotes.is_multiple_of(2) {
            plain.push(*byte);
        }
    }
    // A pair of quotes is pushed with the second one; a lone quote is dropped.
    plain.into()
}

/// The cells of the rows of a text.
struct Cells<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Cells<'a> {
    const fn new(text: &'a [u8], separator: u8) -> Self {
        Self {
            rest: Some(text),
            separator,
        }
    }

    /// The next cell, and whether it is the last of its row.
    fn next_cell(&mut self) -> Option<(&'a [u8], bool)> {
        let text = self.rest?;
        let from = if text.first() == Some(&b'"') {
            closing_quote(text)
        } else {
            0
        };
        let found = memchr::memchr2(self.separator, b'\n', text.get(from..).unwrap_or_default());
        let Some(at) = found.and_then(|at| at.checked_add(from)) else {
            self.rest = None;
            return Some((text, true));
        };
        self.rest = text.get(at.saturating_add(1)..);
        Some((text.get(..at)?, text.get(at) == Some(&b'\n')))
    }
}

/// The position behind the quote that ends the cell at the beginning of `text`,
/// or 0 if nothing ends it: then it is an ordinary cell.
fn closing_quote(text: &[u8]) -> usize {
    let mut from = 1_usize;
    while let Some(at) = text
        .get(from..)
        .and_then(|rest| memchr::memchr(b'"', rest))
        .and_then(|at| at.checked_add(from))
    {
        let behind = at.saturating_add(1);
        if text.get(behind) != Some(&b'"') {
            return behind;
        }
        from = behind.saturating_add(1);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_only() {
        for (text, expected) in [
            ("email,phone\njane@example.com,555", Some((b',', true))),
            ("Email\tFirst Name\na\tb\n", Some((b'\t', true))),
            ("UserId;Price\n1;2\n", Some((b';', true))),
            ("Dear team,\nI am ill, and will not come\n", None),
            ("email,phone", None),
            ("email\njane@example.com", None),
            ("1,2\n3,4\n", None),
            ("a,b\nc\n", None),
            ("jane@example.com,x\ny,z", Some((b',', false))),
            (
                "5d41402abc4b2a76b9719d911017c592;x\ny;z",
                Some((b';', false)),
            ),
            ("\"Email\",\"Phone\"\na,b", Some((b',', true))),
            ("ask jane@example.com, please\nor me, now", None),
        ] {
            let expected = expected.map(|(separator, named)| Table { separator, named });
            assert_eq!(sniff(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn quotes() {
        for (cell, expected) in [
            ("\"a, b\"", "a, b"),
            ("\"a \"\"b\"\"\"", "a \"b\""),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(&*unquote(cell.as_bytes()), expected.as_bytes(), "{cell}");
        }
    }
}
