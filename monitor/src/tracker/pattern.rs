//! Path patterns of the catalog, compiled, and globs.

/// Paths with more segments match nothing; no tracker's has ten.
const MAX_SEGMENTS: usize = 32;

/// A path, split once for all patterns.
pub(super) struct Segments<'a> {
    list: [&'a str; MAX_SEGMENTS],
    count: usize,
}

impl<'a> Segments<'a> {
    /// The segments of `path` (decoded, without query); `None` if there are
    /// more than any tracker has. A trailing slash makes no difference.
    pub(super) fn new(path: &'a str) -> Option<Self> {
        let mut list = [""; MAX_SEGMENTS];
        let mut count = 0;
        for segment in split(path) {
            *list.get_mut(count)? = segment;
            count += 1;
        }
        Some(Self { list, count })
    }

    fn from(&self, start: usize) -> &[&'a str] {
        self.list.get(start..self.count).unwrap_or_default()
    }
}

/// A compiled pattern. `*` stands for one character or more inside one segment,
/// a leading `**` for any number of segments before, a trailing one for any
/// number after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    open_start: bool,
    open_end: bool,
    wanted: Vec<Box<str>>,
}

impl Pattern {
    /// Compiles `text`.
    pub(super) fn new(text: &str) -> Self {
        let mut wanted: Vec<&str> = split(text).collect();
        let open_start = wanted.first() == Some(&"**");
        if open_start {
            wanted.remove(0);
        }
        let open_end = wanted.last() == Some(&"**");
        if open_end {
            wanted.pop();
        }
        Self {
            open_start,
            open_end,
            wanted: wanted.into_iter().map(Box::from).collect(),
        }
    }

    /// Whether `path` has this shape.
    pub(super) fn matches(&self, path: &Segments<'_>) -> bool {
        let Some(spare) = path.count.checked_sub(self.wanted.len()) else {
            return false;
        };
        match (self.open_start, self.open_end) {
            (false, false) => spare == 0 && self.fits(path.from(0)),
            (false, true) => self.fits(path.from(0)),
            (true, false) => self.fits(path.from(spare)),
            (true, true) => (0..=spare).any(|start| self.fits(path.from(start))),
        }
    }

    fn fits(&self, segments: &[&str]) -> bool {
        self.wanted
            .iter()
            .zip(segments)
            .all(|(pattern, segment)| glob(pattern, segment, 1))
    }

    /// How specific the pattern is: of two that match, the more specific
    /// decides.
    pub(super) fn specificity(&self) -> (usize, usize) {
        let literal = self.wanted.iter().filter(|word| !word.contains('*'));
        let letters = |word: &str| word.bytes().filter(|byte| *byte != b'*').count();
        (
            literal.count(),
            self.wanted.iter().map(|word| letters(word)).sum(),
        )
    }
}

/// For a path that matched `pattern`: which of its segments are literal in the
/// pattern, counted from the first. Those are the catalog's own words.
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
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Whether `text` matches `pattern`, in which `*` stands for at least `least`
/// bytes. Each part is matched at its first occurrence, which finds a match if
/// there is one, in linear time.
pub(super) fn glob(pattern: &str, text: &str, least: usize) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left
                .strip_suffix(part)
                .is_some_and(|middle| middle.len() >= least);
        }
        let start = (least..=left.len()).find(|at| left.is_char_boundary(*at));
        let Some((at, found)) = start.and_then(|at| Some((at, left.get(at..)?.find(part)?))) else {
            return false;
        };
        left = left.get(at + found + part.len()..).unwrap_or_default();
    }
    false
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
            ("/v*.*", "/v26.0/", true),
            ("/v*.*", "/videos", false),
            ("/v*/customers/*:upload", "/v17/customers/1:upload", true),
            ("/v*/customers/*:upload", "/v17/customers/1:search", false),
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
            let path = Segments::new(path).unwrap();
            assert_eq!(
                Pattern::new(pattern).matches(&path),
                expected,
                "{pattern} {:?}",
                path.from(0)
            );
        }
        assert!(Segments::new(&"/a".repeat(MAX_SEGMENTS)).is_some());
        assert!(Segments::new(&"/a".repeat(MAX_SEGMENTS + 1)).is_none());
    }

    #[test]
    fn globs() {
        for (pattern, text, least, expected) in [
            ("a*c", "abc", 1, true),
            ("a*c", "ac", 1, false),
            ("a*c", "ac", 0, true),
            ("*", "", 0, true),
            ("*", "", 1, false),
            ("*.*", "é.ü", 1, true),
            ("*b*b", "abab", 1, true),
            ("*/intake*", "/srv/intake-2", 0, true),
            ("a**b", "aXb", 0, true),
            ("abc", "abcd", 0, false),
        ] {
            assert_eq!(glob(pattern, text, least), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn literals_are_where_the_pattern_spells_them() {
        assert_eq!(literal_segments("/2/**", &["2", "42"]), [true, false]);
        assert_eq!(
            literal_segments("/**/mp/collect", &["x", "mp", "collect"]),
            [false, true, true],
        );
    }
}
