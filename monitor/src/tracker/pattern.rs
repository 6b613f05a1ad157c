//! Path patterns of the catalog.

/// Paths with more segments than this match nothing; no tracker's has ten.
const MAX_SEGMENTS: usize = 32;

/// Whether `path` (decoded, without query) has the shape of `pattern`. A
/// trailing slash makes no difference.
pub(super) fn path_matches(pattern: &str, path: &str) -> bool {
    let segments: Vec<&str> = split(path).take(MAX_SEGMENTS + 1).collect();
    if segments.len() > MAX_SEGMENTS {
        return false;
    }
    let mut wanted: Vec<&str> = split(pattern).collect();
    let open_start = wanted.first() == Some(&"**");
    if open_start {
        wanted.remove(0);
    }
    let open_end = wanted.last() == Some(&"**");
    if open_end {
        wanted.pop();
    }
    let Some(spare) = segments.len().checked_sub(wanted.len()) else {
        return false;
    };
    match (open_start, open_end) {
        (false, false) => spare == 0 && fits(&wanted, &segments),
        (false, true) => fits(&wanted, &segments),
        (true, false) => fits(&wanted, segments.get(spare..).unwrap_or_default()),
        (true, true) => {
            (0..=spare).any(|start| fits(&wanted, segments.get(start..).unwrap_or_default()))
        }
    }
}

/// For a path that matched `pattern`: which of its segments the pattern spells
/// out, counted from the first. Those are the catalog's own words.
pub(crate) fn literal_segments(pattern: &str, segments: &[&str]) -> Vec<bool> {
    let mut wanted: Vec<&str> = split(pattern).collect();
    let mut offset = 0;
    if wanted.first() == Some(&"**") {
        wanted.remove(0);
        offset = segments.len().saturating_sub(wanted.len());
    }
    segments
        .iter()
        .enumerate()
        .map(|(index, segment)| {
            index
                .checked_sub(offset)
                .and_then(|index| wanted.get(index))
                == Some(segment)
        })
        .collect()
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/')
        .unwrap_or(path)
        .split('/')
        .filter(|segment| !segment.is_empty())
}

fn fits(wanted: &[&str], segments: &[&str]) -> bool {
    wanted
        .iter()
        .zip(segments)
        .all(|(pattern, segment)| segment_fits(pattern, segment))
}

/// `*` matches one character or more, so that `v*` is not `v`.
fn segment_fits(pattern: &str, segment: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == segment;
    };
    segment
        .strip_prefix(head)
        .and_then(|rest| rest.strip_suffix(tail))
        .is_some_and(|middle| !middle.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_segments() {
        for (pattern, path, expected) in [
            ("/v*/*/events", "/v26.0/1234/events", true),
            ("/v*/*/events", "/v26.0/1234/events/", true),
            ("/v*/*/events", "/v/1234/events", false),
            ("/v*/*/events", "/v26.0/1234/events/more", false),
            ("/v*/*/events", "/v26.0/events", false),
            (
                "/v*/customers/*:uploadClickConversions",
                "/v17/customers/1:uploadClickConversions",
                true,
            ),
            (
                "/v*/customers/*:uploadClickConversions",
                "/v17/customers/1:search",
                false,
            ),
            ("/b/ss/**", "/b/ss/suite/1/JS", true),
            ("/b/ss/**", "/b/s", false),
            ("/**/g/collect", "/g/collect", true),
            ("/**/g/collect", "/metrics/g/collect", true),
            ("/**/g/collect", "/gg/collect", false),
            ("/**/ss/**", "/a/ss/b", true),
            ("/**/ss/**", "/a/s/b", false),
            ("/", "/", true),
            ("/", "/x", false),
        ] {
            assert_eq!(path_matches(pattern, path), expected, "{pattern} {path}");
        }
        assert!(!path_matches("/**", &"/a".repeat(MAX_SEGMENTS + 1)));
    }

    #[test]
    fn literals_are_where_the_pattern_spells_them() {
        assert_eq!(literal_segments("/2/**", &["2", "42"]), [true, false],);
        assert_eq!(
            literal_segments("/**/mp/collect", &["x", "mp", "collect"]),
            [false, true, true],
        );
    }
}
