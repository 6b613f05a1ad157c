//! Whether a word means what medicine means by it: decided by the words around
//! it.

use super::sets::sense::{CHARITY, GOODS, INTERFACE_WORDS, MERCHANDISE, NAME_KEYS, NAMES};
pub(super) use super::sets::sense::{CONTENT_KEYS, HEALTH_WORDS};
use super::{
    lexicon::Term,
    sets::WordSet,
    subject::{Subject, Surroundings},
    trade::{Trade, Trades},
};

/// What a phrase means beside other words.
pub(super) struct Sense {
    /// The phrases that this is about.
    pub(super) phrases: WordSet,
    /// Words in the value or its keys beside which they mean something else.
    pub(super) words: WordSet,
    /// Trades of the event in which they do.
    pub(super) trades: Trades,
}

include!(concat!(env!("OUT_DIR"), "/senses.rs"));

/// Trades that name their things after conditions.
const NAMING: Trades = Trades::of(&[Trade::Media, Trade::Game, Trade::Pet]);

/// Their complaints are no one's.
const ANIMALS: Trades = Trades::of(&[Trade::Pet]);

/// Whether the value or one of its last two keys has a word of `table`.
pub(super) fn beside(subject: &Subject<'_>, table: WordSet) -> bool {
    subject.has_word(table) || subject.near_word(table)
}

/// Whether `term`, which stands in the value or its keys, means something that
/// is not of health.
pub(super) fn means_other(
    subject: &Subject<'_>,
    surroundings: Surroundings,
    term: Term,
    senses: &[Sense],
) -> bool {
    let own = Trades::of_subject(subject);
    let around = own.or(surroundings.trades);
    if own.meets(NAMING) || subject.has_word(MERCHANDISE) || subject.has_word(CHARITY) {
        return true;
    }
    let is_named_so = || around.meets(ANIMALS) || (around.meets(NAMING) && !states(subject));
    let sense = senses
        .iter()
        .filter(|sense| sense.phrases.has(term.phrase))
        .any(|sense| around.meets(sense.trades) || beside(subject, sense.words));
    sense || is_named_so()
}

/// Whether the value is a name, of a person or a company or a file, or an email
/// address: a term in it says nothing.
pub(super) fn is_name(subject: &Subject<'_>) -> bool {
    subject.leaf_in(NAME_KEYS)
        || (subject.in_person() && subject.leaf_in(NAMES))
        || (subject.value.contains('@') && !subject.value.contains(' '))
}

/// Whether the value belongs to an article of a shop.
pub(super) fn is_of_goods(subject: &Subject<'_>) -> bool {
    subject.keys.iter().any(|key| key.folds_to(GOODS))
}

/// Whether the value is what its property states about someone, and no name of
/// a page, an event or an article.
pub(super) fn states(subject: &Subject<'_>) -> bool {
    subject.leaf().is_some()
        && !subject.is_context()
        && !is_of_goods(subject)
        && !subject.leaf_in(CONTENT_KEYS)
}

/// Whether the key is about a page or a program that a term names, not about
/// someone.
pub(super) fn is_of_interface(subject: &Subject<'_>) -> bool {
    subject.near_word(INTERFACE_WORDS)
}

/// Whether a flag says no. An answer in words says that the question was asked.
pub(super) fn is_off(subject: &Subject<'_>) -> bool {
    let value = subject.value;
    value.is_empty()
        || ["0", "false", "null", "undefined", "na", "n/a"]
            .iter()
            .any(|off| value.eq_ignore_ascii_case(off))
        || (is_flag(subject) && super::text::is_negative(value))
}

/// Whether the last key asks for yes or no.
fn is_flag(subject: &Subject<'_>) -> bool {
    subject.leaf().is_some_and(|leaf| {
        leaf.words
            .first()
            .is_some_and(|word| matches!(word.as_str(), "has" | "is"))
    })
}

/// Whether the value says nothing that was not there to choose: `other`.
pub(super) fn is_filler(value: &str) -> bool {
    /// Longer texts are no filler.
    const MAX_LENGTH: usize = 24;
    value.len() <= MAX_LENGTH
        && matches!(
            super::text::fold(value).as_str(),
            "all"
                | "any"
                | "default"
                | "draft"
                | "empty"
                | "idontknow"
                | "new"
                | "noneoftheabove"
                | "notapplicable"
                | "notsure"
                | "other"
                | "others"
                | "pending"
                | "pleaseselect"
                | "prefernottosay"
                | "select"
                | "selectone"
                | "skip"
                | "skipped"
                | "string"
                | "submitted"
                | "tbd"
                | "test"
                | "unspecified"
                | "yes"
        )
}

/// Whether `phrase` is the whole value, or an element of the list that the
/// value is.
pub(super) fn is_element(subject: &Subject<'_>, phrase: &str) -> bool {
    let same = |text: &str| {
        let mut wanted = phrase.chars().filter(|c| *c != ' ');
        let mut given = text
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase);
        loop {
            match (wanted.next(), given.next()) {
                (None, None | Some('s')) => return given.next().is_none(),
                (a, b) if a == b => {}
                _ => return false,
            }
        }
    };
    subject
        .value
        .split([',', ';', '|', '/', '[', ']', '"'])
        .any(same)
}
