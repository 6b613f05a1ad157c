//! Dates of birth, and parts of them: by key.

pub(super) use super::sets::birth_date::{AGE_KEYS, KEYS, PART_KEYS, PARTS};
use super::sets::birth_date::{AGELESS, DATE_KEYS, LABELS, SHORT_KEYS};
use super::{
    Hits, Identifier, Strength, date,
    digest::digest,
    key::Key,
    named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::Part;

/// Ages beyond which an age identifies (45 CFR 164.514(b)(2)(i)(C)).
const TELLING_AGES: std::ops::RangeInclusive<u8> = 90..=120;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if !value.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    age(subject, hits);
    let under_birth = || {
        subject
            .parent()
            .is_some_and(|parent| named::ends_in(parent, KEYS))
    };
    let is_whole = named::is(subject, KEYS) || subject.leaf_in(DATE_KEYS) && under_birth();
    let is_part = named::is(subject, PART_KEYS) || (subject.leaf_in(PARTS) && under_birth());
    if !is_whole && !is_part {
        labelled(subject, hits);
        return;
    }
    if let Some(digest) = digest(value) {
        let strength = if is_whole { Strength::I2 } else { Strength::I1 };
        hits.hashed(
            Identifier::BirthDate,
            strength,
            "birth_date.key.hash",
            digest,
        );
    } else if let Some(date) = whole(subject) {
        hits.plain(
            Identifier::BirthDate,
            Strength::I3,
            "birth_date.key",
            date.iso(),
        );
    } else if is_part && value.parse().is_ok_and(is_plausible) || is_whole && is_partial(value) {
        let part = value.to_owned();
        hits.plain(
            Identifier::BirthDate,
            Strength::I1,
            "birth_date.key.part",
            part,
        );
    }
}

/// `db` is a database too, which is no date and may be a number.
fn whole(subject: &Subject<'_>) -> Option<date::Date> {
    if subject.leaf_in(SHORT_KEYS) {
        date::parse(subject.value)
    } else {
        date::parse_birth(subject.value)
    }
}

/// Words behind such a word among which the date is sought.
const LABEL_REACH: usize = 4;

/// `DOB: 02/29/1984` in a text.
fn labelled(subject: &Subject<'_>, hits: &mut Hits<'_>) {
    if subject.words().len() < 2 || !subject.has_word(LABELS) {
        return;
    }
    let is_label = |word: &&str| LABELS.has(text::fold(word).as_str());
    let mut words = subject.value.split_whitespace();
    if words.by_ref().find(is_label).is_none() {
        return;
    }
    let found = words
        .take(LABEL_REACH)
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| word.len() >= 8)
        .find_map(date::parse);
    if let Some(date) = found {
        hits.plain(
            Identifier::BirthDate,
            Strength::I3,
            "birth_date.label",
            date.iso(),
        );
    }
}

/// An age that few people have.
fn age(subject: &Subject<'_>, hits: &mut Hits<'_>) {
    let is_ageless = || {
        let of = |key: Option<&Key>| key.is_some_and(|key| key.has_word(AGELESS));
        of(subject.leaf()) || of(subject.parent())
    };
    if subject.part != Part::Header
        && subject
            .value
            .parse()
            .is_ok_and(|age: u8| TELLING_AGES.contains(&age))
        && named::is(subject, AGE_KEYS)
        && !is_ageless()
    {
        let age = subject.value.to_owned();
        hits.plain(
            Identifier::BirthDate,
            Strength::I1,
            "birth_date.key.age",
            age,
        );
    }
}

/// A day, a month or a year.
fn is_plausible(part: u16) -> bool {
    (1..=31).contains(&part) || (1_900..=2_099).contains(&part)
}

/// `1984`, `1984-02`, `02-29`, `--02-29`, `02/1984`.
fn is_partial(value: &str) -> bool {
    let value = value.strip_prefix("--").unwrap_or(value);
    let is_year = |text: &str| {
        text.len() == 4
            && text
                .parse()
                .is_ok_and(|year: u16| (1_900..=2_099).contains(&year))
    };
    let is_small = |text: &str| {
        (1..=2).contains(&text.len()) && text.parse().is_ok_and(|part: u8| (1..=31).contains(&part))
    };
    match value.split_once(['-', '/', '.']) {
        None => is_year(value),
        Some((first, second)) => {
            (is_year(first) || is_small(first)) && is_small(second)
                || is_small(first) && is_year(second)
        }
    }
}
