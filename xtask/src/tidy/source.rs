//! As much of Rust's syntax as the rules need: what is code, and its words.

/// Whether the file begins with `//!` docs; an SPDX line and inner attributes
/// may stand before them.
pub(super) fn has_module_docs(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .find(|line| !line.starts_with("#![") && !line.starts_with("// SPDX"))
        .is_some_and(|line| line.starts_with("//!"))
}

/// Identifiers in the code, with their lines (from 1).
pub(super) fn identifiers(text: &str) -> Vec<(usize, String)> {
    let mut found = tokens(text);
    found.retain(|(_, token)| token.starts_with(is_word));
    found
}

/// Identifiers, `::`, braces and commas of the code, with their lines (from 1).
pub(super) fn tokens(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, code) in code(text) {
        let mut rest = code.as_str();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            let (token, behind) = rest.split_at(length);
            // A constant of the build, unlike `std::env`.
            let is_constant = token == "env" && behind.starts_with('!');
            if is_constant {
                rest = behind;
                continue;
            }
            if is_word(first) || ["::", "{", "}", ","].contains(&token) {
                found.push((number, token.to_owned()));
            }
            rest = behind;
        }
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// How many lines are code: neither blank, nor prose, nor the values of a table,
/// nor a test.
pub(super) fn code_lines(text: &str) -> usize {
    let mut in_table = false;
    let mut count = 0;
    for (_, code) in code(text) {
        let code = code.trim();
        if in_table {
            in_table = !code.ends_with("];");
        } else if code.contains(is_word) {
            count += 1;
            let is_constant = code
                .split(' ')
                .any(|word| word == "const" || word == "static");
            in_table = is_constant && code.ends_with('[');
        }
    }
    count
}

/// The lines without comments, strings and items of tests, with their numbers.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open = Text::None;
    let mut item = Test::None;
    for (index, line) in text.lines().enumerate() {
        let stripped = code_of(line, &mut open);
        if item == Test::None && stripped.trim_start().starts_with("#[cfg(test)]") {
            item = Test::Announced;
            continue;
        }
        item = item.after(&stripped);
        match item {
            Test::None => lines.push((index + 1, stripped)),
            Test::Over => item = Test::None,
            Test::Announced | Test::Within(_) => {}
        }
    }
    lines
}

/// An item that is compiled for tests alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    None,
    /// Its attribute was seen.
    Announced,
    /// So many braces are open.
    Within(usize),
    /// This is its last line.
    Over,
}

impl Test {
    fn after(self, code: &str) -> Self {
        let depth = match self {
            Self::None | Self::Over => return Self::None,
            Self::Announced => 0,
            Self::Within(depth) => depth,
        };
        let opened = depth + code.matches('{').count();
        let open = opened.saturating_sub(code.matches('}').count());
        match open {
            0 if opened > 0 || code.trim_end().ends_with([';', ',']) => Self::Over,
            0 => Self::Announced,
            open => Self::Within(open),
        }
    }
}

/// A string that goes on at the end of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    None,
    Plain,
    /// With so many `#` before its quotation marks.
    Raw(usize),
}

/// The part of a line that is neither comment nor string.
fn code_of(line: &str, text: &mut Text) -> String {
    let mut code = String::new();
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let (taken, behind) = rest.split_at(character.len_utf8());
        rest = behind;
        match (*text, character) {
            (Text::Plain, '\\') => rest = rest.get(1..).unwrap_or_default(),
            (Text::Plain, '"') => *text = Text::None,
            (Text::Raw(marks), '"') => {
                if let Some(behind) = rest.strip_prefix("#".repeat(marks).as_str()) {
                    rest = behind;
                    *text = Text::None;
                }
            }
            (Text::Plain | Text::Raw(_), _) => {}
            (Text::None, '"') => {
                let before = code.trim_end_matches('#');
                *text = if before.ends_with('r') {
                    Text::Raw(code.len() - before.len())
                } else {
                    Text::Plain
                };
                code.push(' ');
            }
            // A quote or backslash as a character literal opens no string.
            (Text::None, '\'') if rest.starts_with(['"', '\\']) => {
                rest = rest.strip_prefix('\\').unwrap_or(rest);
                rest = rest.get(1..).unwrap_or_default();
            }
            (Text::None, '/') if rest.starts_with('/') => break,
            (Text::None, _) => code.push_str(taken),
        }
    }
    code
}
