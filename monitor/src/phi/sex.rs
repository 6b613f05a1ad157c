//! Sex and gender: by key.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    subject::{Subject, Surroundings},
    text,
};

/// Keys that hold it.
pub(super) const KEYS: &[&str] = &["gender", "genderidentity", "sex", "sexatbirth"];

/// Meta's key, which is too short to mean it elsewhere.
pub(super) const SHORT_KEYS: &[&str] = &["ge"];

const VALUES: &[&str] = &[
    "f",
    "female",
    "m",
    "male",
    "man",
    "nb",
    "nonbinary",
    "other",
    "transfemale",
    "transgender",
    "transmale",
    "woman",
    "x",
];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let is_short = subject.leaf_in(SHORT_KEYS);
    if !subject.leaf_in(KEYS) && !is_short {
        return;
    }
    let folded = text::fold(subject.value);
    if let Some(digest) = digest(subject.value) {
        hits.hashed(Identifier::Sex, Strength::I1, "sex.key.hash", digest);
    } else if VALUES.contains(&folded.as_str()) && (!is_short || subject.in_person()) {
        hits.plain(Identifier::Sex, Strength::I1, "sex.key", folded);
    }
}
