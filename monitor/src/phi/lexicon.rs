//! One index over the words of all classes of health information.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    appointment, assessment, condition, insurance, medication, provider, reproductive,
    substance_use, trade, trade::Trade, treatment,
};

/// What a phrase means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Name of a condition.
    Condition,
    /// Name of a condition that is also an everyday word or abbreviation.
    AmbiguousCondition,
    /// Name of a drug.
    Drug,
    /// Name of a drug that is also an everyday word.
    AmbiguousDrug,
    /// Name of a questionnaire.
    Instrument,
    /// Name of a questionnaire that is also an everyday word or code.
    AmbiguousInstrument,
    /// Wording of a question in one.
    Item,
    /// Wording of an answer in one.
    Answer,
    /// Says that someone assesses their health.
    Assessing,
    /// Name of a treatment.
    Treatment,
    /// Name of a health plan or insurer.
    Payer,
    /// A medical profession or specialty.
    Provider,
    /// About reproduction.
    Reproductive,
    /// About the use of substances.
    SubstanceUse,
    /// About an appointment.
    Appointment,
    /// Says that the message is of another trade.
    Trade(Trade),
}

/// Phrases of one kind: lower-case words separated by one space.
pub(super) type Table = (Kind, &'static [&'static str]);

/// A phrase that stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// What it means.
    pub(super) kind: Kind,
    /// The phrase.
    pub(super) phrase: &'static str,
    /// Whether the text holds nothing else.
    pub(super) whole: bool,
}

struct Entry {
    kind: Kind,
    phrase: &'static str,
    /// The words after the first.
    rest: Vec<&'static str>,
}

/// By first word; a phrase of several words also stands under its joined form.
static INDEX: LazyLock<HashMap<String, Vec<Entry>>> = LazyLock::new(|| {
    let tables = [
        appointment::TERMS,
        assessment::TERMS,
        condition::TERMS,
        insurance::TERMS,
        medication::TERMS,
        provider::TERMS,
        reproductive::TERMS,
        substance_use::TERMS,
        trade::TERMS,
        treatment::TERMS,
    ];
    let mut index: HashMap<String, Vec<Entry>> = HashMap::new();
    for (kind, phrases) in tables.into_iter().flatten() {
        for phrase in *phrases {
            let mut words = phrase.split(' ');
            let first = words.next().unwrap_or_default();
            let rest: Vec<_> = words.collect();
            if !rest.is_empty() {
                let joined = Entry {
                    kind: *kind,
                    phrase,
                    rest: Vec::new(),
                };
                index
                    .entry(phrase.replace(' ', ""))
                    .or_default()
                    .push(joined);
            }
            index.entry(first.to_owned()).or_default().push(Entry {
                kind: *kind,
                phrase,
                rest,
            });
        }
    }
    index
});

/// Terms of one text beyond this are not reported.
const MAX_TERMS: usize = 64;

/// A plural of a word shorter than this is another word.
const MIN_PLURAL: usize = 5;

/// The phrases that stand in `words`, in their order.
pub(super) fn find(words: &[String]) -> Vec<Term> {
    let mut terms = Vec::new();
    for (start, word) in words.iter().enumerate() {
        for entry in entries(word) {
            let after = words.get(start.saturating_add(1)..).unwrap_or_default();
            let fits = entry.rest.len() <= after.len()
                && entry
                    .rest
                    .iter()
                    .zip(after)
                    .all(|(wanted, word)| same(wanted, word));
            if fits {
                let whole = entry.rest.len().saturating_add(1) == words.len();
                terms.push(Term {
                    kind: entry.kind,
                    phrase: entry.phrase,
                    whole,
                });
            }
            if terms.len() >= MAX_TERMS {
                return terms;
            }
        }
    }
    terms
}

fn entries(word: &str) -> impl Iterator<Item = &'static Entry> {
    let singular = if word.len() > MIN_PLURAL {
        word.strip_suffix('s')
    } else {
        None
    };
    let of = |word: &str| INDEX.get(word).into_iter().flatten();
    of(word).chain(singular.into_iter().flat_map(of))
}

fn same(wanted: &str, word: &str) -> bool {
    wanted == word || word.strip_suffix('s') == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::text::words;

    #[test]
    fn phrases_match_on_word_boundaries() {
        for (text, expected) in [
            ("Major Depression", "depression"),
            ("depressions", "depression"),
            ("expression", ""),
            ("PHQ-9", "phq 9"),
            ("phq9", "phq 9"),
            ("phq 10", ""),
            ("eating disorders", "eating disorder"),
            ("EatingDisorder", "eating disorder"),
            ("eating well", ""),
            ("zoloft", "zoloft"),
        ] {
            let words = words(text);
            let found: Vec<_> = find(&words).into_iter().map(|term| term.phrase).collect();
            assert_eq!(found.join(", "), expected, "{text}");
        }
    }

    #[test]
    fn tables_hold_folded_words() {
        for entries in INDEX.values() {
            for entry in entries {
                let respelled = words(entry.phrase).join(" ");
                assert_eq!(respelled, entry.phrase);
            }
        }
    }
}
