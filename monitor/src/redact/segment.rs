//! Segments of paths: words of interfaces, of programs and of recipients stay.

use super::rewriter::{Rewriter, Scope};
use crate::{
    field::Segment,
    finding::{affixes, is_shown_segment},
};

/// Endings of the names of programs and pictures.
const PROGRAMS: &[&str] = &[
    "css", "gif", "htm", "html", "js", "json", "php", "png", "svg",
];

impl Rewriter<'_> {
    /// What of a segment stays in front, is a value, and stays behind.
    pub(super) fn parts_of<'w>(&self, segment: &'w [u8]) -> Segment<'w> {
        let whole: Segment<'w> = (&[], segment, &[]);
        let Ok(word) = std::str::from_utf8(segment) else {
            return whole;
        };
        let is_kept = (is_shown_segment(word)
            || (self.in_program() && is_program(word))
            || self.shown.iter().any(|own| own == word))
            && !self.known.has(word)
            && !self.known.hidden.is_in(word);
        if is_kept {
            return (segment, &[], &[]);
        }
        // Words of the catalog beside an id, such as `:uploadClickConversions`,
        // identify the recipient.
        if self.scope != Scope::Target {
            return whole;
        }
        let (start, end) = affixes(word);
        let stem = segment.len().saturating_sub(end);
        match (
            segment.get(..start),
            segment.get(start..stem),
            segment.get(stem..),
        ) {
            (Some(head), Some(stem), Some(tail)) => (head, stem, tail),
            _ => whole,
        }
    }
}

/// Whether a segment names a program or its language.
fn is_program(segment: &str) -> bool {
    let is_locale = matches!(segment.as_bytes(), [a, b, b'_' | b'-', c, d]
        if [a, b, c, d].into_iter().all(u8::is_ascii_alphabetic));
    let has_ending = segment
        .rsplit_once('.')
        .is_some_and(|(name, ending)| name.len() <= 32 && PROGRAMS.contains(&ending));
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    is_locale || (has_ending && digits <= 3) || PROGRAMS.contains(&segment)
}
