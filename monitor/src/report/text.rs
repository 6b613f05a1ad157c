//! Text of others, made harmless for people's eyes.
//!
//! In: names of hosts, files and processes, which a sender may choose. Out: one
//! line without characters that move the cursor, change the writing direction
//! or are invisible.

use std::borrow::Cow;

/// Longer names are cut, in characters.
const MAX_SHOWN: usize = 256;

/// Whether `char` does something else than to be seen.
pub(super) const fn is_active(char: char) -> bool {
    matches!(
        char,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// `text` in one line, its active characters written as `\u{…}`, cut if it is
/// too long.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    cut(text, MAX_SHOWN)
}

/// Like [`clean`], with at most `max` characters of `text`.
pub(crate) fn cut(text: &str, max: usize) -> Cow<'_, str> {
    let is_long = text.chars().nth(max).is_some();
    if !is_long && !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let shown = if is_long { max.saturating_sub(1) } else { max };
    let mut cleaned = String::with_capacity(text.len().min(4 * max));
    for char in text.chars().take(shown) {
        if is_active(char) {
            cleaned.extend(char.escape_unicode());
        } else {
            cleaned.push(char);
        }
    }
    if is_long {
        cleaned.push('…');
    }
    Cow::Owned(cleaned)
}

/// `count` with its digits in groups of three.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` with the noun in the singular or plural.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.as_ref().to_owned(),
        Some((last, before)) => {
            let before: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", before.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_harmless() {
        let long = "x".repeat(300);
        for (text, shown) in [
            ("graph.facebook.com", "graph.facebook.com"),
            ("naïve 日本 👍", "naïve 日本 👍"),
            ("a\u{1b}[31mb\r\nc\0", "a\\u{1b}[31mb\\u{d}\\u{a}c\\u{0}"),
            ("a\u{202e}cod.exe", "a\\u{202e}cod.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("c1\u{9b}2J", "c1\\u{9b}2J"),
            (&long, &format!("{}…", "x".repeat(255))),
        ] {
            assert_eq!(clean(text), shown);
        }
    }

    #[test]
    fn numbers_and_lists_are_readable() {
        for (count, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(count), shown);
        }
        assert_eq!(counted(1, "person", "people"), "1 person");
        assert_eq!(counted(2, "person", "people"), "2 people");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(listed(&["a"]), "a");
    }
}
