//! XML and HTML: texts, the values of attributes and the strings of scripts are
//! replaced. What a page loads, and what its forms are called, stays.

use super::Rewriter;

/// Attributes whose values are names of the page's author.
const NAMES: &[&str] = &[
    "action",
    "async",
    "charset",
    "class",
    "crossorigin",
    "defer",
    "for",
    "href",
    "http-equiv",
    "id",
    "lang",
    "method",
    "name",
    "rel",
    "src",
    "srcset",
    "type",
    "xmlns",
    "property",
    "autocomplete",
];
/// Of these, those that are addresses.
const ADDRESSES: &[&str] = &["action", "href", "src", "srcset"];

/// Rewrites `text`.
pub(super) fn rewrite(rewriter: &Rewriter<'_>, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find('<').unwrap_or(rest.len());
        let (content, behind) = rest.split_at(start);
        out.push_str(&words(rewriter, content));
        let end = behind.find('>').map_or(behind.len(), |at| at + 1);
        let (tag, behind) = behind.split_at(end);
        rest = behind;
        if tag.starts_with("<!--") {
            out.push_str("<!-- -->");
            let skip = tag
                .ends_with("-->")
                .then_some(0)
                .or_else(|| rest.find("-->").map(|at| at + 3));
            rest = rest.get(skip.unwrap_or(rest.len())..).unwrap_or_default();
            continue;
        }
        if tag.starts_with("<![CDATA[") {
            out.push_str(&words(rewriter, tag));
            continue;
        }
        let name: String = tag
            .trim_start_matches(['<', '/'])
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        attributes(rewriter, tag, &name, &mut out);
        if matches!(name.as_str(), "script" | "style")
            && !tag.starts_with("</")
            && !tag.ends_with("/>")
        {
            let close = format!("</{name}");
            let end = rest.to_ascii_lowercase().find(&close).unwrap_or(rest.len());
            let (source, behind) = rest.split_at(end);
            if name == "script" {
                script(rewriter, source, &mut out);
            }
            rest = behind;
        }
    }
    out
}

/// Text between tags, whose surrounding white space stays.
fn words(rewriter: &Rewriter<'_>, content: &str) -> String {
    let trimmed = content.trim();
    if trimmed.is_empty() {
        return content.to_owned();
    }
    content.replacen(trimmed, &rewriter.value(trimmed), 1)
}

/// A tag with the values of its attributes replaced.
fn attributes(rewriter: &Rewriter<'_>, tag: &str, element: &str, out: &mut String) {
    let mut rest = tag;
    let mut last = String::new();
    while let Some(c) = rest.chars().next() {
        if c == '"' || c == '\'' {
            let inner = rest.get(1..).unwrap_or_default();
            let end = inner.find(c).unwrap_or(inner.len());
            let (value, behind) = inner.split_at(end);
            out.push(c);
            out.push_str(&attribute(rewriter, element, &last, value));
            if behind.starts_with(c) {
                out.push(c);
            }
            rest = behind.get(1..).unwrap_or_default();
            last.clear();
        } else if c == '=' {
            out.push(c);
            rest = rest.get(1..).unwrap_or_default();
            if !rest.starts_with(['"', '\'']) {
                let end = rest.find([' ', '>', '\n', '\t']).unwrap_or(rest.len());
                let (value, behind) = rest.split_at(end);
                out.push_str(&attribute(rewriter, element, &last, value));
                rest = behind;
                last.clear();
            }
        } else if c.is_alphanumeric() || matches!(c, '-' | '_' | ':') {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | ':')))
                .unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            last = word.to_ascii_lowercase();
            out.push_str(word);
            rest = behind;
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
}

fn attribute(rewriter: &Rewriter<'_>, element: &str, name: &str, value: &str) -> String {
    if rewriter.known.contains_key(value) {
        return rewriter.value(value);
    }
    if ADDRESSES.contains(&name) {
        let loads = matches!(
            element,
            "script" | "img" | "iframe" | "link" | "noscript" | "source"
        );
        return if loads {
            loaded(rewriter, value)
        } else {
            rewriter.address(value)
        };
    }
    if NAMES.contains(&name) && rewriter.key(value) == value {
        return value.to_owned();
    }
    if NAMES.contains(&name) && name != "name" && name != "property" && value.len() < 24 {
        return value.to_owned();
    }
    rewriter.value(value)
}

/// The address of what a page loads: host and path stay, and values of the query
/// are replaced.
fn loaded(rewriter: &Rewriter<'_>, value: &str) -> String {
    match value.split_once('?') {
        Some((address, query)) => {
            let separator = query.replace("&amp;", "&");
            format!("{address}?{}", super::form::rewrite(rewriter, &separator))
        }
        None => value.to_owned(),
    }
}

/// The source of a script with its strings replaced. Comments go.
fn script(rewriter: &Rewriter<'_>, source: &str, out: &mut String) {
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
            rest = rest.get(end..).unwrap_or_default();
        } else if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            rest = rest.get(end..).unwrap_or_default();
        } else if matches!(c, '"' | '\'' | '`') {
            let (raw, behind) = quoted(rest.get(1..).unwrap_or_default(), c);
            out.push(c);
            out.push_str(&literal(rewriter, raw, behind));
            out.push(c);
            rest = behind;
        } else if c.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
                .unwrap_or(rest.len());
            let (number, behind) = rest.split_at(end);
            out.push_str(&rewriter.number(number));
            rest = behind;
        } else if c.is_alphabetic() || c == '_' || c == '$' {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            out.push_str(word);
            rest = behind;
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
}

/// A string up to its closing quote, and what stands behind that.
fn quoted(text: &str, quote: char) -> (&str, &str) {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == quote {
            let behind = text.get(at + c.len_utf8()..).unwrap_or_default();
            return (text.get(..at).unwrap_or_default(), behind);
        }
    }
    (text, "")
}

/// A string of a script: the address of what it loads, a name, or a value.
fn literal(rewriter: &Rewriter<'_>, raw: &str, behind: &str) -> String {
    let is_known = rewriter.known.contains_key(raw);
    if behind.trim_start().starts_with(':') && !is_known {
        return rewriter.key(raw);
    }
    let loads = raw.starts_with("https://") || raw.starts_with("//");
    if loads && !is_known {
        return loaded(rewriter, raw);
    }
    let new = rewriter.value(raw);
    if new.contains(['"', '\'', '`', '\\', '\n']) {
        "x".repeat(raw.len())
    } else {
        new
    }
}
