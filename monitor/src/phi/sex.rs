//! Sex and gender: by key.

use super::sets::sex::VALUES;
pub(super) use super::sets::sex::{KEYS, SHORT_KEYS};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
    text,
};

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    /// Longer values are neither one of these nor hashed.
    const MAX_LENGTH: usize = 140;
    if subject.value.len() > MAX_LENGTH {
        return;
    }
    let is_short = subject.leaf_in(SHORT_KEYS);
    if !is_short && !named::is(subject, KEYS) {
        return;
    }
    let folded = text::fold(subject.value);
    if let Some(digest) = digest(subject.value) {
        hits.hashed(Identifier::Sex, Strength::I1, "sex.key.hash", digest);
    } else if VALUES.has(folded.as_str()) && (!is_short || subject.in_person()) {
        hits.plain(Identifier::Sex, Strength::I1, "sex.key", folded);
    }
}
