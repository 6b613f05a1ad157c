//! Sex and gender: by key.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings},
    text,
};

/// Keys that hold it.
pub(super) const KEYS: &[&str] = &[
    "administrativegender",
    "birthsex",
    "gender",
    "gendercode",
    "genderidentity",
    "sex",
    "sexassignedatbirth",
    "sexatbirth",
    "sexcode",
];

/// Meta's key, which is too short to mean it elsewhere.
pub(super) const SHORT_KEYS: &[&str] = &["ge"];

const VALUES: &[&str] = &[
    "cisman",
    "ciswoman",
    "enby",
    "f",
    "female",
    "genderfluid",
    "genderqueer",
    "intersex",
    "m",
    "male",
    "man",
    "nb",
    "nonbinary",
    "other",
    "transfemale",
    "transgender",
    "transman",
    "transmale",
    "transwoman",
    "woman",
    "x",
];

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
    } else if VALUES.contains(&folded.as_str()) && (!is_short || subject.in_person()) {
        hits.plain(Identifier::Sex, Strength::I1, "sex.key", folded);
    }
}
