//! Words that say together what none says alone: `refill` and `requested`,
//! `next` and `visit` and a date.
//!
//! Input: a value and its keys. Output: evidence of the class that a rule names.
//! Developers spell the same in a thousand ways, so a rule holds a word of
//! medicine and the words beside which it is about someone's care.

use super::sets::compound::{RESULTS, STATING_WORDS, VISITED_WORDS};
use super::{
    Class, Health, Hits, Strength, appointment, date, insurance,
    key::Key,
    lexicon::{Kind, Term},
    sense,
    sets::WordSet,
    sets::compound_texts,
    shared,
    subject::{Subject, Surroundings, Vehicle},
    text::{self, Words},
    trade::{Trade, Trades},
};
use crate::field::ValueKind;

pub(super) use super::sets::compound::KEY_FIRSTS;

/// A text of more words is prose.
const MAX_WORDS: usize = 16;

/// Trades that use the same words of something else.
const OTHER_TRADES: Trades = Trades::of(&[
    Trade::Food,
    Trade::Game,
    Trade::Media,
    Trade::Pet,
    Trade::School,
]);

/// Trades that treat and insure things.
const CARE_TRADES: Trades = Trades::of(&[
    Trade::Beauty,
    Trade::Car,
    Trade::OtherInsurance,
    Trade::Property,
]);

/// Trades that make appointments besides those.
const MEETING_TRADES: Trades = Trades::of(&[Trade::Sales, Trade::Service, Trade::Travel]);

include!(concat!(env!("OUT_DIR"), "/compound.rs"));

/// A word of medicine in a key, and what has to stand beside it.
struct KeyRule {
    health: Health,
    /// One of these.
    subjects: WordSet,
    /// And one of these, unless there are none.
    attributes: WordSet,
    /// But none of these.
    unless: WordSet,
    /// What the value has to be.
    value: Expect,
}

/// What a value has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Anything but a no.
    Any,
    /// A text with letters.
    Text,
    /// A text with a capital or a space, as names have: commands have none.
    Name,
    /// A number, or a text that begins with one.
    Measure,
    /// A number, or a word of a result.
    Result,
    /// A date or a moment.
    Date,
}

/// A word of medicine in a text, and the words beside which it counts.
struct TextRule {
    health: Health,
    nouns: WordSet,
    beside: WordSet,
    unless: WordSet,
    /// Whether it counts as the name of an article of a shop too.
    goods: bool,
}

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    let trades = around.trades.or(Trades::of_subject(subject));
    if subject.vehicle == Vehicle::Opaque || trades.meets(OTHER_TRADES) {
        return;
    }
    detect_key(subject, trades, hits);
    detect_text(subject, trades, hits);
}

/// What the last two keys say about any value.
fn detect_key(subject: &Subject<'_>, trades: Trades, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    let parent = subject.parent();
    let wakes = |key: &Key| key.has_word(KEY_FIRSTS);
    if !(wakes(leaf) || parent.is_some_and(wakes))
        || subject.is_context()
        || sense::is_of_goods(subject)
        || sense::is_of_interface(subject)
        || sense::is_off(subject)
    {
        return;
    }
    let has = |table: WordSet| {
        leaf.has_word(table) || parent.is_some_and(|parent| parent.has_word(table))
    };
    for rule in KEY_RULES {
        let is_named = if leaf.has_word(rule.subjects) {
            rule.attributes.is_empty() || has(rule.attributes)
        } else {
            !rule.attributes.is_empty() && leaf.has_word(rule.attributes) && has(rule.subjects)
        };
        let is_other = match rule.health {
            Health::Insurance => insurance::is_of_other(subject),
            Health::Appointment => subject.has_word(appointment::UNLESS),
            _ => false,
        };
        if is_named
            && !is_other
            && !has_trade(trades, rule.health)
            && !has(rule.unless)
            && fits(subject, rule.value)
        {
            let (id, _) = ids(rule.health);
            hits.health(rule.health, Strength::H3, id, subject.value);
        }
    }
}

fn fits(subject: &Subject<'_>, value: Expect) -> bool {
    let is_measure = || {
        subject.kind == ValueKind::Number || subject.value.starts_with(|c: char| c.is_ascii_digit())
    };
    match value {
        Expect::Any => !text::is_negative(subject.value),
        Expect::Text => subject.is_text() && !sense::is_filler(subject.value),
        Expect::Name => {
            subject.is_text()
                && !sense::is_filler(subject.value)
                && subject
                    .value
                    .contains(|c: char| c == ' ' || c.is_uppercase())
        }
        Expect::Measure => is_measure(),
        Expect::Result => is_measure() || subject.has_word(RESULTS),
        Expect::Date => {
            subject.value.bytes().any(|byte| byte.is_ascii_digit())
                && date::parse_moment(subject.value).is_some()
        }
    }
}

/// Whether the class's words are those of another trade in this event.
const fn has_trade(trades: Trades, health: Health) -> bool {
    match health {
        Health::Appointment => trades.meets(CARE_TRADES.or(MEETING_TRADES)),
        Health::Insurance | Health::Provider | Health::Treatment => trades.meets(CARE_TRADES),
        _ => false,
    }
}

/// What the words of a value say together.
fn detect_text(subject: &Subject<'_>, trades: Trades, hits: &mut Hits<'_>) {
    let is_of_care = |term: &Term| {
        matches!(
            term.kind,
            Kind::Care
                | Kind::Condition
                | Kind::Drug
                | Kind::Provider
                | Kind::Reproductive
                | Kind::SubstanceUse
                | Kind::Treatment
        )
    };
    let is_of_others = shared::is_of_others(subject) && !subject.is_context();
    let is_other = || is_of_others || subject.has_word(shared::WORK_WORDS);
    if !subject.terms.iter().any(is_of_care) || sense::is_name(subject) || is_other() {
        return;
    }
    // The host of an address is who sends, not what about.
    let own;
    let words = match path_of_url(subject.value) {
        Some(path) => {
            own = text::words(path);
            &own
        }
        None => subject.words(),
    };
    if words.len() < 2 || words.len() > MAX_WORDS {
        return;
    }
    let is_goods = sense::is_of_goods(subject);
    let stated =
        sense::states(subject) && (subject.leaf()).is_some_and(|leaf| leaf.has_word(STATING_WORDS));
    let strength = if stated { Strength::H3 } else { Strength::H2 };
    // The terms of a text are known: few rules are asked for their other words.
    let nouns: Vec<&str> = (subject.terms.iter())
        .filter(|term| term.kind == Kind::Care)
        .map(|term| term.phrase)
        .filter(|phrase| !subject.value.contains("://") || stands_in(words, phrase))
        .collect();
    for rule in TEXT_RULES {
        let is_meeting = rule.health == Health::Appointment;
        let is_visit = || {
            !is_meeting
                || subject.value.contains('/')
                || subject.has_word(VISITED_WORDS)
                || shared::is_bare(subject, "", appointment::VISIT_WORDS)
        };
        if nouns.iter().any(|noun| rule.nouns.has(noun))
            && (rule.goods || !is_goods)
            && has_phrase(words, rule.beside)
            && is_visit()
            && !has_phrase(words, rule.unless)
            && !has_trade(trades, rule.health)
            && !(is_meeting && has_phrase(words, appointment::UNLESS))
        {
            let (_, id) = ids(rule.health);
            hits.health(rule.health, strength, id, subject.value);
        }
    }
    detect_care_of(subject, words, strength, hits);
}

/// A treatment of what a term names, and a test for it.
fn detect_care_of(subject: &Subject<'_>, words: &Words, strength: Strength, hits: &mut Hits<'_>) {
    let found = |health: Health| {
        (hits.evidence.iter().skip(hits.first))
            .any(|evidence| evidence.class == Class::Health(health))
    };
    // Other rules have decided whether the term means what medicine means.
    let is_ill = found(Health::Condition) || found(Health::SubstanceUse);
    if !is_ill && !found(Health::Medication) && !found(Health::Reproductive) {
        return;
    }
    // `program` alone says little in an address.
    let is_stated = strength == Strength::H3;
    let treats = (is_ill && !found(Health::SubstanceUse) || is_stated)
        && (has_phrase(words, compound_texts::TREATING)
            || (is_stated && has_phrase(words, compound_texts::OFFERS)));
    let tests = is_ill && has_phrase(words, compound_texts::TESTING) && subject.value.contains('/');
    if treats {
        hits.health(
            Health::Treatment,
            strength,
            "treatment.words",
            subject.value,
        );
    }
    if tests {
        hits.health(
            Health::Assessment,
            strength,
            "assessment.words",
            subject.value,
        );
    }
}

/// The part of an address behind its host and before its query.
fn path_of_url(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let path = rest.find('/').and_then(|start| rest.get(start..));
    let path = path.unwrap_or_default();
    Some(path.split(['?', '#']).next().unwrap_or_default())
}

/// Whether a phrase of `table` stands in `words`.
fn has_phrase(words: &Words, table: WordSet) -> bool {
    table.iter().any(|phrase| stands_in(words, phrase))
}

/// Whether `phrase` stands in `words`, in the singular or plural.
fn stands_in(words: &Words, phrase: &str) -> bool {
    (0..words.len()).any(|start| {
        let mut at = start;
        phrase.split(' ').all(|wanted| {
            let word = words.get(at);
            at = at.saturating_add(1);
            word.is_some_and(|word| word == wanted || word.strip_suffix('s') == Some(wanted))
        })
    })
}

/// The rules by which a key and a text of a class count.
const fn ids(health: Health) -> (&'static str, &'static str) {
    match health {
        Health::Condition => ("condition.key.words", "condition.words"),
        Health::Medication => ("medication.key.words", "medication.words"),
        Health::Procedure => ("procedure.key.words", "procedure.words"),
        Health::Lab => ("lab.key.words", "lab.words"),
        Health::Assessment => ("assessment.key.words", "assessment.words"),
        Health::Appointment => ("appointment.key.words", "appointment.words"),
        Health::Treatment => ("treatment.key.words", "treatment.words"),
        Health::Insurance => ("insurance.key.words", "insurance.words"),
        Health::Provider => ("provider.key.words", "provider.words"),
        Health::Reproductive => ("reproductive.key.words", "reproductive.words"),
        Health::SubstanceUse | Health::Inherent => {
            ("substance_use.key.words", "substance_use.words")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_says_nothing() {
        for (value, expected) in [
            ("https://clinic.example/book/visit?x=1", Some("/book/visit")),
            ("https://clinic.example", Some("")),
            ("/book/visit", None),
            ("://", Some("")),
        ] {
            assert_eq!(path_of_url(value), expected, "{value}");
        }
    }
}
