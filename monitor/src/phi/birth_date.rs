//! Dates of birth, and parts of them: by key.

use super::{
    Hits, Identifier, Strength, date,
    digest::digest,
    subject::{Subject, Surroundings},
};

/// Keys that hold a date of birth.
pub(super) const KEYS: &[&str] = &[
    "bday",
    "birth",
    "birthdate",
    "birthday",
    "dateofbirth",
    "db",
    "dob",
];

/// Keys that hold a year, a month or a day of birth.
pub(super) const PART_KEYS: &[&str] = &[
    "birthday",
    "birthmonth",
    "birthyear",
    "dobd",
    "dobm",
    "doby",
    "yearofbirth",
];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let (is_whole, is_part) = (subject.leaf_in(KEYS), subject.leaf_in(PART_KEYS));
    if !is_whole && !is_part {
        return;
    }
    if let Some(digest) = digest(subject.value) {
        let strength = if is_whole { Strength::I2 } else { Strength::I1 };
        hits.hashed(
            Identifier::BirthDate,
            strength,
            "birth_date.key.hash",
            digest,
        );
    } else if let Some(date) = date::parse(subject.value) {
        hits.plain(
            Identifier::BirthDate,
            Strength::I3,
            "birth_date.key",
            date.iso(),
        );
    } else if is_part
        && subject
            .value
            .parse()
            .is_ok_and(|part: u16| is_plausible(part))
    {
        let part = subject.value.to_owned();
        hits.plain(
            Identifier::BirthDate,
            Strength::I1,
            "birth_date.key.part",
            part,
        );
    }
}

/// A day, a month or a year.
fn is_plausible(part: u16) -> bool {
    (1..=31).contains(&part) || (1_900..=2_099).contains(&part)
}
