//! The template of a request path: the part of a target that may be shown.
//!
//! A path can hold an email address or a patient's number, so a segment is
//! shown only if it is a word that the catalog or this module knows.

use std::{collections::HashSet, sync::LazyLock};

use crate::tracker::{Catalog, literal_segments};

/// Stands for a segment that could be payload.
const PLACEHOLDER: &str = "{id}";

/// Segments beyond this are not shown.
const MAX_SEGMENTS: usize = 32;

/// Words of interfaces that are no words about people.
const WORDS: &[&str] = &[
    "alias",
    "api",
    "batch",
    "beacon",
    "capture",
    "collect",
    "contacts",
    "conversion",
    "conversions",
    "customers",
    "engage",
    "event",
    "events",
    "flags",
    "group",
    "groups",
    "hit",
    "identify",
    "import",
    "ingest",
    "log",
    "members",
    "message",
    "messages",
    "page",
    "pixel",
    "pixels",
    "profiles",
    "screen",
    "tr",
    "track",
    "update",
    "upload",
    "users",
];

/// [`WORDS`] and the words in the path rules of the catalog, without numbers.
static KNOWN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let catalog = Catalog::builtin();
    let spelled = catalog
        .entries()
        .iter()
        .flat_map(|tracker| tracker.paths.iter().chain(&tracker.protocol))
        .flat_map(|rule| rule.path.split('/'))
        .filter(|segment| {
            !segment.contains('*') && segment.bytes().any(|b| b.is_ascii_alphabetic())
        });
    WORDS
        .iter()
        .copied()
        .chain(spelled)
        .map(str::to_owned)
        .collect()
});

/// Beginnings and ends of segments that the catalog has beside an id:
/// `:uploadClickConversions`.
static AFFIXES: LazyLock<(HashSet<String>, HashSet<String>)> = LazyLock::new(|| {
    let (mut starts, mut ends) = (HashSet::new(), HashSet::new());
    for tracker in Catalog::builtin().entries() {
        let rules = tracker.paths.iter().chain(&tracker.protocol);
        for segment in rules.flat_map(|rule| rule.path.split('/')) {
            if let (Some((start, _)), Some((_, end))) =
                (segment.split_once('*'), segment.rsplit_once('*'))
            {
                starts.extend((!start.is_empty()).then(|| start.to_owned()));
                ends.extend((!end.is_empty()).then(|| end.to_owned()));
            }
        }
    }
    (starts, ends)
});

/// How many bytes at the beginning and at the end of a segment are words of the
/// catalog. The rest may be a person's.
pub(crate) fn affixes(segment: &str) -> (usize, usize) {
    let longest = |own: &HashSet<String>, fits: &dyn Fn(&str) -> bool| {
        own.iter()
            .filter(|affix| fits(affix))
            .map(String::len)
            .max()
            .unwrap_or_default()
    };
    let start = longest(&AFFIXES.0, &|affix| segment.starts_with(affix));
    let rest = segment.get(start..).unwrap_or_default();
    (start, longest(&AFFIXES.1, &|affix| rest.ends_with(affix)))
}

/// The path of a request target (path and query, or absolute form), without
/// query.
pub(super) fn path_of(target: &[u8]) -> &[u8] {
    let end = target
        .iter()
        .position(|byte| matches!(byte, b'?' | b'#'))
        .unwrap_or(target.len());
    let path = target.get(..end).unwrap_or_default();
    if path.starts_with(b"/") {
        return path;
    }
    // Absolute form: the path begins after the authority.
    let Some(authority) = path.windows(3).position(|window| window == b"://") else {
        return b"";
    };
    let rest = path.get(authority.saturating_add(3)..).unwrap_or_default();
    let slash = rest
        .iter()
        .position(|byte| *byte == b'/')
        .unwrap_or(rest.len());
    rest.get(slash..).unwrap_or_default()
}

/// The template of a request target. `pattern` is the catalog's pattern that
/// the path matched.
pub(crate) fn template(target: &[u8], pattern: Option<&str>) -> String {
    let path = String::from_utf8_lossy(path_of(target));
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .take(MAX_SEGMENTS)
        .collect();
    let literal = pattern.map_or_else(Vec::new, |pattern| literal_segments(pattern, &segments));
    let mut shown = String::new();
    for (index, segment) in segments.iter().enumerate() {
        let is_literal = literal.get(index).copied().unwrap_or(false);
        let known = is_literal || is_shown_segment(segment);
        shown.push('/');
        shown.push_str(if known { segment } else { PLACEHOLDER });
    }
    if shown.is_empty() {
        shown.push('/');
    }
    shown
}

/// Whether a segment of a path is shown whatever the recipient.
pub(crate) fn is_shown_segment(segment: &str) -> bool {
    KNOWN.contains(segment) || is_version(segment)
}

/// `v1`, `v26.0`: at most three digits on each side of the point.
fn is_version(segment: &str) -> bool {
    let is_number =
        |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    segment
        .strip_prefix('v')
        .is_some_and(|number| match number.split_once('.') {
            Some((major, minor)) => is_number(major) && is_number(minor),
            None => is_number(number),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_shown() {
        for (target, pattern, expected) in [
            (
                "/v26.0/1234/events?access_token=x",
                Some("/v*/*/events"),
                "/v26.0/{id}/events",
            ),
            ("https://h.example/v1/batch?x#y", None, "/v1/batch"),
            ("https://jane%40example.com", None, "/"),
            (
                "/api/v1/customers/jane@example.com",
                None,
                "/api/v1/customers/{id}",
            ),
            (
                "/members/5d41402abc4b2a76b9719d911017c592/",
                None,
                "/members/{id}",
            ),
            ("/2/httpapi", Some("/2/httpapi"), "/2/httpapi"),
            ("/2/httpapi", None, "/{id}/httpapi"),
            ("/v1/v1234567/v1.2.3/V1", None, "/v1/{id}/{id}/{id}"),
            ("/depression/adhd", None, "/{id}/{id}"),
            ("/tr%2Fx", None, "/{id}"),
            ("*", None, "/"),
            ("", None, "/"),
        ] {
            assert_eq!(template(target.as_bytes(), pattern), expected, "{target}");
        }
    }
}
