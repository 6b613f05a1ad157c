//! As much of Rust's syntax as the rules need: what is code, and its words.

/// Whether the file begins with `//!` docs; an SPDX line and inner attributes
/// may stand before them.
pub(super) fn has_module_docs(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .find(|line| !line.starts_with("#![") && !line.starts_with("// SPDX"))
        .is_some_and(|line| line.starts_with("//!"))
}

/// Identifiers in the code, with their lines (from 1). Comments, strings, macro
/// names of tests and everything from the first `#[cfg(test)]` on are no code.
pub(super) fn identifiers(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_string = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let code = code(line, &mut in_string);
        let words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        found.extend(
            words
                .filter(|word| !word.is_empty())
                .map(|word| (index + 1, word.to_owned())),
        );
    }
    found
}

/// The part of a line that is neither comment nor string. `in_string` carries a
/// string over the end of its line.
fn code(line: &str, in_string: &mut bool) -> String {
    let mut code = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if *in_string => {
                characters.next();
            }
            '"' => {
                *in_string = !*in_string;
                code.push(' ');
            }
            _ if *in_string => {}
            // A quote or backslash as a character literal opens no string.
            '\'' if matches!(characters.peek(), Some('"' | '\\')) => {
                characters.next_if_eq(&'\\');
                characters.next();
            }
            '/' if characters.peek() == Some(&'/') => break,
            _ => code.push(character),
        }
    }
    code
}
