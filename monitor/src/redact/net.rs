//! The last look: whether a value that was to be replaced is still there, in any
//! encoding.

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::token::hex;

/// Shorter values stand in other words by chance.
const MIN_LENGTH: usize = 4;
/// Shorter encodings do.
const MIN_ENCODED: usize = 8;
/// Values of one message that are sought; a message with more is not let
/// through.
const MAX_VALUES: usize = 20_000;

/// Values that must not be found.
pub(super) enum Net {
    /// There is nothing to find.
    Empty,
    /// They can be sought.
    Values(Box<AhoCorasick>),
    /// They are too many.
    Full,
}

impl Net {
    /// A net for `values`.
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut patterns: Vec<String> = Vec::new();
        let mut count = 0_usize;
        for value in values {
            let value = value.trim();
            if value.chars().filter(|c| c.is_alphanumeric()).count() < MIN_LENGTH {
                continue;
            }
            count += 1;
            if count > MAX_VALUES {
                return Self::Full;
            }
            spell(value, &mut patterns);
        }
        if patterns.is_empty() {
            return Self::Empty;
        }
        patterns.sort_unstable();
        patterns.dedup();
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&patterns)
            .map_or(Self::Full, |own| Self::Values(Box::new(own)))
    }

    /// Whether `text` may hold one of the values.
    pub(super) fn catches(&self, text: &[u8]) -> bool {
        match self {
            Self::Empty => false,
            Self::Values(values) => values.is_match(text),
            Self::Full => true,
        }
    }
}

fn spell(value: &str, patterns: &mut Vec<String>) {
    patterns.push(value.to_owned());
    let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    if percent != value {
        patterns.push(percent.replace("%20", "+"));
        patterns.push(percent.replace('%', "%25"));
        // Marks that many encoders leave.
        patterns.push(
            percent
                .replace("%2E", ".")
                .replace("%2D", "-")
                .replace("%5F", "_"),
        );
        patterns.push(percent);
    }
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.trim_matches('"');
    if json != value {
        patterns.push(json.to_owned());
    }
    let digits = hex(value.as_bytes(), value.len());
    if digits.len() >= MIN_ENCODED {
        patterns.push(digits);
    }
    for offset in 0..3_usize {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(value.as_bytes());
        let text = STANDARD_NO_PAD.encode(&bytes);
        let (first, last) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
        let Some(stem) = text
            .get(first..last)
            .filter(|stem| stem.len() >= MIN_ENCODED)
        else {
            continue;
        };
        let safe = stem.replace('+', "-").replace('/', "_");
        if safe != stem {
            patterns.push(safe);
        }
        patterns.push(stem.to_owned());
    }
}
