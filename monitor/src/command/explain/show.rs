//! A finding in words.
//!
//! In: its record, and its values if they may be shown. Out: text without
//! control characters.

use std::io::{self, Write};

use serde_json::Value;

use crate::{http::Completeness, report::cut, rules, secret::Secret};

/// The longest value that is shown whole, in characters.
const MAX_VALUE: usize = 4_096;

/// The phrases in the second sentence of `why`, and the levels they stand for.
const LEVELS: &[(&str, &str)] = &[
    ("direct identifiers in clear", "I3"),
    (
        "direct identifiers as hashes, which the recipient can match",
        "I2",
    ),
    ("a pseudonym that stays the same", "I1"),
    ("no identifier", "I0"),
    ("an explicit statement about health", "H3"),
    ("a context that tells about health", "H2"),
    ("a sender that is a health service", "H1"),
    ("no statement about health", "H0"),
    ("an advertising company", "R3"),
    (
        "a third party with a declared agreement (two levels lower)",
        "R1",
    ),
    ("a third party", "R2"),
];

/// Writes the finding; `values` are those of its fields.
pub(super) fn show(
    out: &mut impl Write,
    record: &Value,
    values: Option<&[Option<Secret<String>>]>,
) -> io::Result<()> {
    let text = |pointer: &str| text(record, pointer);
    let of = |pointer: &str| text(pointer).unwrap_or_else(|| "-".to_owned());
    writeln!(
        out,
        "{} {} {} {}\n",
        of("/id"),
        of("/time"),
        of("/severity"),
        of("/kind")
    )?;
    let why = of("/why");
    let (story, derivation) = match why.find("Severity ") {
        Some(start) => why.split_at(start),
        None => (why.as_str(), ""),
    };
    line(out, "Why", story.trim_end())?;
    if !derivation.is_empty() {
        let derivation = derivation.trim_start_matches("Severity ");
        line(out, "Severity", &with_levels(derivation))?;
        line(out, "", "`phiwatch explain severity` shows the matrix")?;
    }
    let labels = record.get("labels").map(list).unwrap_or_default();
    if !labels.is_empty() {
        line(out, "Labels", &labels)?;
    }
    let recipient = format!(
        "{} ({}, {}) at {}, recognized by {}",
        of("/recipient/owner"),
        of("/recipient/tracker"),
        of("/recipient/category"),
        of("/recipient/host"),
        of("/recipient/matched_by")
    );
    line(out, "Recipient", &recipient)?;
    line(out, "Process", &process(record))?;
    line(out, "Request", &request(record))?;
    if let Some(reason) = text("/contact/reason") {
        let count = text("/contact/connections").unwrap_or_default();
        line(out, "Not read", &format!("{reason}, connections: {count}"))?;
    }
    let connection = [
        text("/peer/addr"),
        text("/peer/sni").map(|name| format!("TLS name {name}")),
        text("/peer/host_source").map(|source| format!("host from {source}")),
    ];
    let connection: Vec<String> = connection.into_iter().flatten().collect();
    line(out, "Connection", &connection.join(", "))?;
    let seen = format!("{}, {}", of("/source"), completeness(&of("/completeness")));
    line(out, "Seen by", &seen)?;
    if let Some(person) = text("/person") {
        line(out, "Person", &person)?;
    }
    if let Some(people) = text("/people") {
        line(out, "People", &people)?;
    }
    let evidence = match (text("/evidence/file"), text("/evidence/packet")) {
        (Some(file), Some(packet)) => format!("{file}, packet {packet}"),
        _ => "not recorded".to_owned(),
    };
    line(out, "Evidence", &evidence)?;
    let fields = record.get("fields").and_then(Value::as_array);
    for (index, field) in fields.into_iter().flatten().enumerate() {
        writeln!(out)?;
        show_field(out, field)?;
        if let Some(values) = values {
            let value = values.get(index).and_then(Option::as_ref);
            // The only place where values are shown: the custody log has
            // recorded it.
            let value = value.map_or_else(
                || "(no value of the message)".to_owned(),
                |value| quoted(value.expose()),
            );
            line(out, "  Value", &value)?;
        }
    }
    Ok(())
}

fn show_field(out: &mut impl Write, field: &Value) -> io::Result<()> {
    let of = |key: &str| text(field, &format!("/{key}")).unwrap_or_else(|| "-".to_owned());
    writeln!(out, "{}", of("path"))?;
    let what = format!("{}, {}: {}", of("class"), of("form"), of("masked"));
    line(out, "  Class", &what)?;
    let rule = of("rule");
    let matches = rules::find(&rule).map_or("", |(_, matches)| matches);
    line(
        out,
        "  Rule",
        format!("{rule}: {matches}").trim_end_matches(": "),
    )?;
    line(out, "  Token", &of("token"))?;
    let labels = field.get("labels").map(list).unwrap_or_default();
    if !labels.is_empty() {
        line(out, "  Labels", &labels)?;
    }
    Ok(())
}

fn line(out: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!("{name}:")
    };
    writeln!(out, "{name:<12}{value}")
}

fn process(record: &Value) -> String {
    let of = |key: &str| text(record, &format!("/process/{key}"));
    let mut parts = Vec::new();
    let name = match (of("comm"), of("pid")) {
        (Some(comm), Some(pid)) => Some(format!("{comm} ({pid})")),
        (comm, pid) => comm.or(pid),
    };
    parts.extend(name);
    parts.extend(of("exe"));
    for key in ["service", "unit", "container", "cgroup"] {
        parts.extend(of(key).map(|value| format!("{key} {value}")));
    }
    if parts.is_empty() {
        return "not known".to_owned();
    }
    parts.join(", ")
}

fn request(record: &Value) -> String {
    let of = |key: &str| text(record, &format!("/request/{key}"));
    let Some(method) = of("method") else {
        return "not seen".to_owned();
    };
    let host = of("host").unwrap_or_default();
    let mut parts = vec![format!("{method} {host}{}", of("path").unwrap_or_default())];
    parts.extend(of("protocol"));
    parts.extend(of("bytes").map(|bytes| format!("{bytes} bytes")));
    parts.extend(of("body_bytes").map(|bytes| format!("{bytes} of them body")));
    parts.push(of("status").map_or_else(
        || "no answer was seen".to_owned(),
        |status| format!("answered with {status}"),
    ));
    parts.join(", ")
}

fn completeness(name: &str) -> String {
    let known = Completeness::ALL.iter().find(|own| own.as_str() == name);
    let words = match known {
        Some(Completeness::Complete) => "the whole message was seen",
        Some(Completeness::Truncated) => "the message is longer than what was kept of it",
        Some(Completeness::Gap) => "bytes within the message were not seen",
        Some(Completeness::Late) => "the beginning of the connection was not seen",
        None => return name.to_owned(),
    };
    format!("{name}: {words}")
}

/// Adds the levels of the matrix to the phrases that stand for them.
fn with_levels(derivation: &str) -> String {
    let mut text = derivation.to_owned();
    for (words, level) in LEVELS {
        // The words of R1 begin with those of R2.
        if let Some(start) = text.find(words)
            && !(*level == "R2" && text.contains("(R1"))
        {
            text.insert_str(start + words.len(), &format!(" ({level})"));
        }
    }
    text
}

/// The text or number at `pointer`, made safe for a terminal.
fn text(record: &Value, pointer: &str) -> Option<String> {
    match record.pointer(pointer)? {
        Value::String(text) => Some(plain(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn list(value: &Value) -> String {
    let items = value.as_array().into_iter().flatten();
    let items: Vec<String> = items.filter_map(Value::as_str).map(plain).collect();
    items.join(", ")
}

/// What a terminal would act upon, spelled out.
fn plain(text: &str) -> String {
    cut(text, MAX_VALUE).into_owned()
}

/// A value in quotes.
fn quoted(value: &str) -> String {
    let more = value.chars().count().saturating_sub(MAX_VALUE);
    let shown: String = value.chars().take(MAX_VALUE).collect();
    let shown = shown.replace('\\', "\\\\").replace('"', "\\\"");
    let shown = cut(&shown, 2 * MAX_VALUE);
    if more > 0 {
        return format!("\"{shown}\" and {more} more characters");
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_behind_their_words() {
        for (derivation, expected) in [
            (
                "Severity critical: direct identifiers in clear, an explicit statement about \
                 health, an advertising company.",
                &["clear (I3),", "health (H3),", "company (R3)."][..],
            ),
            (
                "Severity low: a pseudonym that stays the same, a context that tells about \
                 health, a third party with a declared agreement (two levels lower).",
                &["same (I1),", "health (H2),", "lower) (R1)."],
            ),
            (
                "Severity info: no identifier, no statement about health, a third party; one \
                 level lower because it was refused.",
                &["identifier (I0),", "health (H0),", "party (R2);"],
            ),
        ] {
            let text = with_levels(derivation);
            for part in expected {
                assert!(text.contains(part), "{text}");
            }
            assert_eq!(
                text.matches(" (").count() - derivation.matches(" (").count(),
                3,
                "{text}"
            );
        }
    }

    #[test]
    fn terminals_get_nothing_to_act_upon() {
        assert_eq!(plain("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\u{a}");
        assert_eq!(plain("a\u{202e}b é"), "a\\u{202e}b é");
        assert_eq!(quoted("a\"b\\c\r"), "\"a\\\"b\\\\c\\u{d}\"");
        let long = quoted(&"x".repeat(MAX_VALUE + 7));
        assert!(long.ends_with("x\" and 7 more characters"));
    }
}
