//! One value, prepared once for all detectors.

use super::sets::subject::{
    EVENT_KEYS, EVENT_PARENTS, GOODS, OPAQUE_KEYS, PRODUCT_ID_KEYS, TITLE_KEYS, URL_KEYS,
};
use std::{
    cell::{Cell, OnceCell},
    sync::Arc,
};

use percent_encoding::percent_decode_str;

use super::{
    assessment,
    coding::Systems,
    insurance,
    key::Key,
    lexicon::{Kind, Term},
    path::Path,
    sets::WordSet,
    text::{self, Words},
    trade::Trades,
};
use crate::field::{Field, Part, ValueKind};

/// Bytes of one value that are examined.
const MAX_VALUE_LENGTH: usize = 16_384;

/// What kind of statement a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vehicle {
    /// An address, or a part of one.
    Url,
    /// The name of an event.
    Event,
    /// A title, a category, a search.
    Title,
    /// A property of an event or a person.
    Property,
    /// Not a statement: software, access, ids.
    Opaque,
}

/// What the values of one event name.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
pub(super) struct Names {
    /// Insurance.
    pub(super) insurance: bool,
    /// Health insurance or an insurer.
    pub(super) insurer: bool,
    /// A questionnaire.
    pub(super) assessment: bool,
    /// A drug or medication.
    pub(super) medication: bool,
    /// Reproduction.
    pub(super) reproductive: bool,
    /// A group of users.
    pub(super) group: bool,
    /// How many small numbers are given as answers.
    pub(super) answers: usize,
    /// Other trades.
    pub(super) trades: Trades,
    /// Systems of medical codes.
    pub(super) coding: Systems,
}

impl Names {
    /// What both name.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            insurance: self.insurance || other.insurance,
            insurer: self.insurer || other.insurer,
            assessment: self.assessment || other.assessment,
            medication: self.medication || other.medication,
            reproductive: self.reproductive || other.reproductive,
            group: self.group || other.group,
            answers: self.answers.saturating_add(other.answers),
            trades: self.trades.or(other.trades),
            coding: self.coding.and(other.coding),
        }
    }

    /// What that makes likely.
    pub(super) fn surroundings<'a>(self) -> Surroundings<'a> {
        Surroundings {
            insurance: insurance::is_of_health(self.insurance, self.insurer, self.trades),
            assessment: self.assessment,
            medication: self.medication,
            answers: assessment::ANSWER_COUNTS.contains(&self.answers),
            reproductive: self.reproductive,
            group: self.group,
            trades: self.trades,
            coding: self.coding,
            health: false,
            asked: None,
        }
    }
}

/// What the rest of the event makes likely.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
pub(super) struct Surroundings<'a> {
    /// It names health insurance.
    pub(super) insurance: bool,
    /// It names a questionnaire.
    pub(super) assessment: bool,
    /// It names a drug or medication.
    pub(super) medication: bool,
    /// As many of its answers are small numbers as a questionnaire has.
    pub(super) answers: bool,
    /// It names reproduction.
    pub(super) reproductive: bool,
    /// It is about a group of users, which is no person.
    pub(super) group: bool,
    /// Other trades that it names.
    pub(super) trades: Trades,
    /// The systems of medical codes that it names.
    pub(super) coding: Systems,
    health: bool,
    asked: Option<&'a Cell<bool>>,
}

impl<'a> Surroundings<'a> {
    /// The same, where it is known whether the event says something about
    /// health; `asked` will say whether that mattered.
    pub(super) const fn with_health(self, health: bool, asked: &'a Cell<bool>) -> Self {
        Self {
            health,
            asked: Some(asked),
            ..self
        }
    }

    /// Whether it says something about health, apart from the keys that other
    /// trades have too.
    pub(super) fn health(self) -> bool {
        if let Some(asked) = self.asked {
            asked.set(true);
        }
        self.health
    }
}

/// One value and what leads to it. Holds payload: no `Debug`.
pub(super) struct Subject<'a> {
    /// Without surrounding white space.
    pub(super) value: &'a str,
    pub(super) kind: ValueKind,
    pub(super) part: Part,
    /// Keys on the way, outermost first.
    pub(super) keys: &'a [Arc<Key>],
    pub(super) vehicle: Vehicle,
    words: OnceCell<Words>,
    /// Phrases in the value.
    pub(super) terms: Vec<Term>,
    /// Phrases in the last two keys.
    pub(super) key_terms: &'a [Term],
}

/// The value of `field` as far as it is examined.
pub(super) fn examined<'a>(field: &Field<'a>) -> &'a str {
    head(field.value(), MAX_VALUE_LENGTH).trim()
}

/// Whether words of a value under `keys` are no statement.
pub(super) fn is_wordless(vehicle: Option<Vehicle>, keys: &[Arc<Key>]) -> bool {
    let is_product_id = keys.last().is_some_and(|leaf| {
        let parent = keys.iter().rev().nth(1);
        leaf.is_in(PRODUCT_ID_KEYS)
            || (leaf.folded == "id" && parent.is_some_and(|parent| parent.is_in(GOODS)))
    });
    vehicle == Some(Vehicle::Opaque) || is_product_id
}

impl<'a> Subject<'a> {
    /// Prepares `value`, which stands at `path`.
    pub(super) fn new(
        value: &'a str,
        kind: ValueKind,
        part: Part,
        path: &'a Path,
        words: OnceCell<Words>,
        terms: Vec<Term>,
    ) -> Self {
        Self {
            value,
            kind,
            part,
            keys: &path.keys,
            vehicle: vehicle(value, part, path),
            words,
            terms,
            key_terms: &path.key_terms,
        }
    }

    /// Words of the value.
    pub(super) fn words(&self) -> &Words {
        self.words.get_or_init(|| words_of(self.value))
    }

    /// The last key.
    pub(super) fn leaf(&self) -> Option<&'a Key> {
        self.keys.last().map(AsRef::as_ref)
    }

    /// The key before the last.
    pub(super) fn parent(&self) -> Option<&'a Key> {
        self.keys.iter().rev().nth(1).map(AsRef::as_ref)
    }

    /// Whether the last key is in `table`.
    pub(super) fn leaf_in(&self, table: WordSet) -> bool {
        self.leaf().is_some_and(|key| key.is_in(table))
    }

    /// Whether one of the last two keys has a word of `table`.
    pub(super) fn near_word(&self, table: WordSet) -> bool {
        self.keys
            .iter()
            .rev()
            .take(2)
            .any(|key| key.has_word(table))
    }

    /// Whether some key before the last has a word of `table`.
    pub(super) fn under(&self, table: WordSet) -> bool {
        self.keys
            .iter()
            .rev()
            .skip(1)
            .any(|key| key.has_word(table))
    }

    /// Whether the value belongs to an object about a person.
    pub(super) fn in_person(&self) -> bool {
        self.parent().is_some_and(Key::is_person)
    }

    /// The first phrase of `kind` in the value.
    pub(super) fn term(&self, kind: Kind) -> Option<Term> {
        self.terms.iter().copied().find(|term| term.kind == kind)
    }

    /// The first phrase of `kind` in the last two keys.
    pub(super) fn key_term(&self, kind: Kind) -> Option<Term> {
        self.key_terms
            .iter()
            .copied()
            .find(|term| term.kind == kind)
    }

    /// Whether the value names what happened or where, instead of stating it.
    pub(super) fn is_context(&self) -> bool {
        matches!(self.vehicle, Vehicle::Url | Vehicle::Event | Vehicle::Title)
    }

    /// Whether the value has letters and is no placeholder.
    pub(super) fn is_text(&self) -> bool {
        self.kind == ValueKind::Text
            && self.value.chars().any(char::is_alphabetic)
            && !text::is_placeholder(self.value)
            && !text::is_negative(self.value)
    }

    /// Whether the value has one of these words.
    pub(super) fn has_word(&self, table: WordSet) -> bool {
        self.words().iter().any(|word| table.has(word))
    }
}

/// At most `limit` bytes of `text`, ending at a character.
fn head(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// The words of `value`.
pub(super) fn words_of(value: &str) -> Words {
    if value.contains('%') {
        text::words(&percent_decode_str(value).decode_utf8_lossy())
    } else {
        text::words(value)
    }
}

/// The kind of statement that keys make of their value, whatever it is.
pub(super) fn key_vehicle(keys: &[Arc<Key>]) -> Option<Vehicle> {
    let leaf = keys.last()?;
    let parent = keys.iter().rev().nth(1);
    let names_event =
        leaf.folded == "name" && parent.is_none_or(|parent| parent.folds_to(EVENT_PARENTS));
    let is = |table: WordSet| table.has(leaf.folded.as_str());
    if is(OPAQUE_KEYS) || parent.is_some_and(|parent| parent.folds_to(OPAQUE_KEYS)) {
        Some(Vehicle::Opaque)
    } else if is(URL_KEYS) {
        Some(Vehicle::Url)
    } else if is(EVENT_KEYS) || names_event {
        Some(Vehicle::Event)
    } else if is(TITLE_KEYS) || leaf.folded == "name" {
        Some(Vehicle::Title)
    } else {
        None
    }
}

fn vehicle(value: &str, part: Part, path: &Path) -> Vehicle {
    match path.vehicle {
        Some(Vehicle::Opaque) => Vehicle::Opaque,
        _ if part == Part::Path
            || value.starts_with("http://")
            || value.starts_with("https://") =>
        {
            Vehicle::Url
        }
        Some(vehicle) => vehicle,
        None => Vehicle::Property,
    }
}
