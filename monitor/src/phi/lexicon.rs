//! One index over the words of all classes of health information.

use super::sets::lexicon::APART;
use std::sync::LazyLock;

use hashbrown::HashMap;

use super::{
    engine::Detectors,
    sets::{self, WordSet},
    text::Words,
    trade::{self, Trade},
};

/// What a phrase means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Name of a condition.
    Condition,
    /// Name of a drug.
    Drug,
    /// Name of a drug that is also an everyday word.
    AmbiguousDrug,
    /// Name of a procedure.
    Procedure,
    /// Name of a laboratory test.
    Lab,
    /// Name of one that is short or means something else too.
    AmbiguousLab,
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
    /// Name of a condition that is also an everyday word.
    AmbiguousCondition,
    /// A word of medicine that says something beside others.
    Care,
    /// Says that the message is of another trade.
    Trade(Trade),
}

impl Kind {
    /// Every kind.
    const ALL: &'static [Self] = &[
        Self::Condition,
        Self::Drug,
        Self::AmbiguousDrug,
        Self::Procedure,
        Self::Lab,
        Self::AmbiguousLab,
        Self::Instrument,
        Self::AmbiguousInstrument,
        Self::Item,
        Self::Answer,
        Self::Assessing,
        Self::Treatment,
        Self::Payer,
        Self::Provider,
        Self::Reproductive,
        Self::SubstanceUse,
        Self::Appointment,
        Self::AmbiguousCondition,
        Self::Care,
    ];
}

/// Phrases of every kind: lower-case words separated by one space.
pub(super) const TABLES: &[(Kind, WordSet)] = &[
    (Kind::Appointment, sets::appointment::TERMS),
    (Kind::Instrument, sets::assessment_names::INSTRUMENTS),
    (Kind::AmbiguousInstrument, sets::assessment_names::AMBIGUOUS),
    (Kind::Item, sets::assessment_wording::ITEMS),
    (Kind::Answer, sets::assessment_wording::ANSWERS),
    (Kind::Assessing, sets::assessment_names::ASSESSING),
    (Kind::Care, sets::compound::TEXT_FIRSTS),
    (Kind::Condition, sets::condition_mental::TERMS),
    (Kind::Condition, sets::condition_body::TERMS),
    (Kind::Condition, sets::condition_body::CANCER),
    (Kind::Condition, sets::condition_body::INFECTIOUS),
    (Kind::Condition, sets::condition_body::INTIMATE),
    (Kind::AmbiguousCondition, sets::condition_mental::AMBIGUOUS),
    (Kind::AmbiguousCondition, sets::condition_body::AMBIGUOUS),
    (Kind::Payer, sets::insurance::TERMS),
    (Kind::Lab, sets::lab::TERMS),
    (Kind::AmbiguousLab, sets::lab::AMBIGUOUS_LAB),
    (Kind::Drug, sets::medication_psychiatric::NAMES),
    (Kind::Drug, sets::medication_substance::NAMES),
    (Kind::Drug, sets::medication_hormone::NAMES),
    (Kind::Drug, sets::medication_infection::NAMES),
    (Kind::Drug, sets::medication_metabolic::NAMES),
    (Kind::Drug, sets::medication_pain::NAMES),
    (Kind::Drug, sets::medication_neurology::NAMES),
    (Kind::Drug, sets::medication_heart::NAMES),
    (Kind::Drug, sets::medication_cancer::NAMES),
    (Kind::Drug, sets::medication_immune::NAMES),
    (Kind::Drug, sets::medication_lungs_and_gut::NAMES),
    (Kind::Drug, sets::medication_skin_and_eyes::NAMES),
    (Kind::Drug, sets::medication_vaccine::NAMES),
    (Kind::AmbiguousDrug, sets::medication_ambiguous::SUBSTANCES),
    (Kind::AmbiguousDrug, sets::medication_ambiguous::WORDS),
    (Kind::Procedure, sets::procedure::TERMS),
    (Kind::Provider, sets::provider::TERMS),
    (Kind::Reproductive, sets::reproductive::TERMS),
    (Kind::SubstanceUse, sets::substance_use::TERMS),
    (Kind::Trade(Trade::Astrology), sets::trade::ASTROLOGY),
    (Kind::Trade(Trade::Weather), sets::trade::WEATHER),
    (Kind::Trade(Trade::Economy), sets::trade::ECONOMY),
    (Kind::Trade(Trade::Media), sets::trade::MEDIA),
    (Kind::Trade(Trade::Game), sets::trade::GAME),
    (Kind::Trade(Trade::Pet), sets::trade::PET),
    (
        Kind::Trade(Trade::OtherInsurance),
        sets::trade::OTHER_INSURANCE,
    ),
    (Kind::Trade(Trade::Car), sets::trade::CAR),
    (Kind::Trade(Trade::Beauty), sets::trade::BEAUTY),
    (Kind::Trade(Trade::Sales), sets::trade::SALES),
    (Kind::Trade(Trade::Property), sets::trade::PROPERTY),
    (Kind::Trade(Trade::Travel), sets::trade::TRAVEL),
    (Kind::Trade(Trade::Software), sets::trade::SOFTWARE),
    (Kind::Trade(Trade::School), sets::trade::SCHOOL),
    (Kind::Trade(Trade::Food), sets::trade::FOOD),
    (Kind::Treatment, sets::treatment::TERMS),
];

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
    let mut index: HashMap<String, Vec<Entry>> = HashMap::new();
    for (kind, phrases) in TABLES {
        for phrase in phrases.iter() {
            let mut words = phrase.split(' ');
            let first = words.next().unwrap_or_default();
            let rest: Vec<_> = words.collect();
            if !rest.is_empty() && !APART.has(phrase) {
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

/// Bits of [`FIRST_WORDS`]: a power of two, large enough that a word that is in
/// no table has a bit of its own more than nine times in ten.
const FILTER_BITS: usize = 1 << 19;

/// A bit for the hash of every word that a phrase begins with.
static FIRST_WORDS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut filter = vec![0; FILTER_BITS / 64];
    for word in INDEX.keys() {
        let hash = word.bytes().fold(0, mix);
        let (word, bit) = position(hash);
        if let Some(bits) = filter.get_mut(word) {
            *bits |= 1 << bit;
        }
    }
    filter
});

const fn mix(hash: u32, byte: u8) -> u32 {
    hash.wrapping_mul(31).wrapping_add(byte as u32)
}

const fn position(hash: u32) -> (usize, u32) {
    let bit = (hash.wrapping_mul(0x9e37_79b1) >> 7) as usize % FILTER_BITS;
    (bit / 64, (bit % 64) as u32)
}

/// Whether a phrase may stand in `value`: `false` is certain.
pub(super) fn may_have(value: &str) -> bool {
    let filter = FIRST_WORDS.as_slice();
    let is_set = |hash: u32| {
        let (word, bit) = position(hash);
        filter.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    };
    let bytes = value.as_bytes();
    // The word up to now, and the same without its last letter.
    let (mut hash, mut shorter, mut before) = (0, 0, 0_u8);
    for (index, &byte) in bytes.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            // What is decoded or folded first is examined.
            if byte >= 0x80 || byte == b'%' {
                return true;
            }
            if before != 0 && (is_set(hash) || (before | 0x20 == b's' && is_set(shorter))) {
                return true;
            }
            (hash, before) = (0, 0);
            continue;
        }
        let is_upper = byte.is_ascii_uppercase();
        let starts_word = before != 0
            && (is_upper
                && (before.is_ascii_lowercase()
                    || (before.is_ascii_uppercase()
                        && bytes
                            .get(index.saturating_add(1))
                            .is_some_and(u8::is_ascii_lowercase)))
                || (before.is_ascii_digit() && !byte.is_ascii_digit()));
        if starts_word {
            if is_set(hash) || (before | 0x20 == b's' && is_set(shorter)) {
                return true;
            }
            hash = 0;
        }
        shorter = hash;
        hash = mix(hash, byte.to_ascii_lowercase());
        before = byte;
    }
    before != 0 && (is_set(hash) || (before | 0x20 == b's' && is_set(shorter)))
}

/// The detectors that examine a value with a phrase of `kind`.
pub(super) fn wakes(kind: Kind) -> Detectors {
    static WAKES: LazyLock<HashMap<Kind, Detectors>> = LazyLock::new(|| {
        let kinds = Kind::ALL.iter().chain(trade::KINDS).copied();
        kinds
            .map(|kind| {
                let detectors = Detectors::which(|rules| rules.kinds.contains(&kind));
                (kind, detectors)
            })
            .collect()
    });
    WAKES.get(&kind).copied().unwrap_or_default()
}

/// Terms of one text beyond this are not reported.
const MAX_TERMS: usize = 64;

/// A plural of a word shorter than this is another word.
const MIN_PLURAL: usize = 5;

/// The phrases that stand in `words`, in their order.
pub(super) fn find(words: &Words) -> Vec<Term> {
    let mut terms = Vec::new();
    for (start, word) in words.iter().enumerate() {
        for entry in entries(word) {
            let first = start.saturating_add(1);
            let fits = entry.rest.iter().enumerate().all(|(offset, wanted)| {
                let word = words.get(first.saturating_add(offset));
                word.is_some_and(|word| same(wanted, word))
            });
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
            assert!(found.is_empty() || may_have(text), "{text}");
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
