//! Use of substances and its treatment: terms in any vehicle, and keys.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
    text,
};

/// Terms. `alcohol`, `drug` and `recovery` alone have other uses.
pub(super) const TERMS: &[Table] = &[(
    Kind::SubstanceUse,
    &[
        "addiction",
        "alcohol abuse",
        "alcohol dependence",
        "alcohol treatment",
        "alcohol use",
        "alcoholic anonymous",
        "alcoholism",
        "binge drinking",
        "cocaine",
        "detox",
        "drinking problem",
        "drug abuse",
        "drug use",
        "heroin",
        "medication assisted treatment",
        "methamphetamine",
        "opiate",
        "opioid",
        "overdose",
        "quit drinking",
        "sober living",
        "sobriety",
        "substance abuse",
        "substance use",
    ],
)];

/// Words beside which a term means something else.
const UNLESS: &[&str] = &[
    "album",
    "chocolate",
    "fashion",
    "game",
    "gaming",
    "juice",
    "movie",
    "music",
    "perfume",
    "song",
    "tea",
];

/// Keys whose value is about it, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "alcoholuse",
    "drinksperweek",
    "druguse",
    "sobrietydate",
    "substanceuse",
];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    if subject.leaf_in(KEYS) && has_value {
        hits.health(
            Health::SubstanceUse,
            Strength::H3,
            "substance_use.key",
            subject.value,
        );
    }
    if let Some(term) = subject.term(Kind::SubstanceUse)
        && !subject.has_word(UNLESS)
    {
        let stated = !subject.is_context()
            && (subject.leaf_in(super::condition::CONDITION_KEYS)
                || subject.leaf_in(super::condition::DIAGNOSIS_KEYS));
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::SubstanceUse,
            strength,
            "substance_use.term",
            term.phrase,
        );
    }
    if let Some(term) = subject.key_term(Kind::SubstanceUse) {
        let strength = if has_value {
            Strength::H3
        } else {
            Strength::H2
        };
        hits.health(
            Health::SubstanceUse,
            strength,
            "substance_use.key_name",
            term.phrase,
        );
    }
}
