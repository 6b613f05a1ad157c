//! JSON, one or several documents: strings and numbers are replaced where they
//! stand, whatever is broken around them.

use super::Rewriter;

/// Rewrites `text`. `None` if it does not look like JSON.
pub(super) fn rewrite(rewriter: &Rewriter<'_>, text: &str) -> Option<String> {
    let start = text.trim_start();
    let inner = start.get(1..)?.trim_start().as_bytes().first();
    let fits = match start.as_bytes().first()? {
        b'{' => matches!(inner, Some(b'"' | b'}') | None),
        b'[' => true,
        b'"' => start.len() > 1 && start.trim_end().ends_with('"'),
        _ => false,
    };
    if !fits {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => {
                let (raw, behind, is_closed) = string(rest.get(1..).unwrap_or_default());
                out.push('"');
                let is_key = is_closed && behind.trim_start().starts_with(':');
                let value = unescape(raw);
                let new = if is_key {
                    rewriter.key(&value)
                } else {
                    rewriter.value(&value)
                };
                // What did not change stays as it was written.
                out.push_str(&if new == value {
                    raw.to_owned()
                } else {
                    escape(&new)
                });
                if is_closed {
                    out.push('"');
                }
                rest = behind;
            }
            '0'..='9' | '-' => {
                let end = rest
                    .find(|c: char| {
                        !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E'))
                    })
                    .unwrap_or(rest.len());
                let (number, behind) = rest.split_at(end);
                out.push_str(&rewriter.number(number));
                rest = behind;
            }
            _ if c.is_alphabetic() => {
                let end = rest
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                // A literal, or something that is no JSON.
                let is_literal = matches!(word, "true" | "false" | "null");
                out.push_str(&if is_literal {
                    word.to_owned()
                } else {
                    rewriter.value(word)
                });
                rest = behind;
            }
            _ => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    Some(out)
}

/// A string up to its closing quote, what stands behind it, and whether there is
/// one.
fn string(text: &str) -> (&str, &str, bool) {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => {
                let raw = text.get(..at).unwrap_or_default();
                return (raw, text.get(at + 1..).unwrap_or_default(), true);
            }
            _ => {}
        }
    }
    (text, "", false)
}

fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    // A string that was cut within an escape is read without it.
    let whole = (0..6).find_map(|cut| {
        let end = raw.len().checked_sub(cut)?;
        let quoted = format!("\"{}\"", raw.get(..end)?);
        serde_json::from_str::<String>(&quoted).ok()
    });
    whole.unwrap_or_else(|| raw.replace('\\', ""))
}

fn escape(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned()
}
