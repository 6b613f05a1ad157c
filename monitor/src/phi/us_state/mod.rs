//! States of the United States: by name, by postal code, by hash.
//!
//! In: the fields of a message and the evidence in them. Out: which states an
//! event names, and in which array element. A state tells nobody apart, so that
//! it is no evidence by itself; whoever must notify people by state wants to
//! know it.

mod table;

use crate::phi::sets::us_state::{COUNTRY_KEYS, KEYS, OWNERS};
use std::{collections::HashMap, fmt, sync::LazyLock};

use sha2::{Digest as _, Sha256};

use self::table::{AMBIGUOUS, POSTAL, STATES};
use super::{Class, Evidence, Form, Identifier, path::elements};
use crate::field::{Field, Fields, Step, StepId};

/// Longer keys are none of these, longer values no names of states, in bytes.
const MAX_LENGTH: usize = 64;

/// Hashes of letters and names in lower case, as platforms want them.
static HASHES: LazyLock<HashMap<String, States>> = LazyLock::new(|| {
    let hash = |text: &str| base16ct::lower::encode_string(&Sha256::digest(text.as_bytes()));
    STATES
        .iter()
        .enumerate()
        .flat_map(|(index, (letters, name))| {
            let state = States::of(index);
            let letters = letters.to_ascii_lowercase();
            let name = name.to_ascii_lowercase();
            [
                (hash(&letters), state),
                (hash(&name), state),
                (hash(&name.replace([' ', '.'], "")), state),
            ]
        })
        .collect()
});

static US_HASHES: LazyLock<[String; 2]> = LazyLock::new(|| {
    ["us", "usa"].map(|text| base16ct::lower::encode_string(&Sha256::digest(text.as_bytes())))
});

/// A set of states.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct States(u64);

impl States {
    const fn of(index: usize) -> Self {
        Self(1 << index)
    }

    /// The state with these two letters.
    pub fn from_letters(letters: &str) -> Option<Self> {
        STATES
            .iter()
            .position(|(own, _)| own.eq_ignore_ascii_case(letters))
            .map(Self::of)
    }

    /// The states with these letters; what is none is left out.
    pub fn from_all<'a>(letters: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for state in letters.filter_map(Self::from_letters) {
            all.add(state);
        }
        all
    }

    /// Adds all of `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their two letters, sorted.
    pub fn letters(self) -> Vec<&'static str> {
        STATES
            .iter()
            .enumerate()
            .filter(|(index, _)| self.0 & (1 << index) != 0)
            .map(|(_, (letters, _))| *letters)
            .collect()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({} of them)", self.0.count_ones())
    }
}

/// The name of the state with these two letters.
pub fn state_name(letters: &str) -> Option<&'static str> {
    STATES
        .iter()
        .find(|(own, _)| *own == letters)
        .map(|(_, name)| *name)
}

/// The states that a message names, each with the array element that the field
/// belongs to, `None` where it is shared by the whole message.
pub fn states_in(fields: &Fields, evidence: &[Evidence]) -> Vec<(Option<StepId>, States)> {
    let mut found: Vec<(Option<StepId>, States)> = Vec::new();
    if evidence.is_empty() {
        return found;
    }
    let has_address = evidence.iter().any(|item| {
        matches!(
            item.class,
            Class::Identifier(Identifier::Address | Identifier::City | Identifier::Zip)
        )
    });
    for item in evidence {
        let value = item.normalized.expose();
        let state = match (item.class, item.form) {
            (Class::Identifier(Identifier::Zip), Form::Plain) => by_postal_code(value),
            (Class::Identifier(Identifier::Address), Form::Plain) => by_address(value),
            _ => None,
        };
        found.extend(state.map(|state| (item.element, state)));
    }
    // Where a state is named, a postal code adds none.
    let coded = found.len();
    let (mut is_elsewhere, mut is_here) = (false, false);
    let mut layout = None;
    for (index, field) in fields.iter().enumerate() {
        match kind_of(&field) {
            Some(Kind::Country) => {
                let own = is_united_states(field.value());
                is_here |= own == Some(true);
                is_elsewhere |= own == Some(false);
            }
            Some(Kind::State) => {
                if let Some(state) = by_value(field.value(), has_address) {
                    let layout = layout.get_or_insert_with(|| elements(fields));
                    found.push((layout.get(index).copied().flatten(), state));
                }
            }
            None => {}
        }
    }
    if is_elsewhere && !is_here {
        found.clear();
        return found;
    }
    let named = found.split_off(coded.min(found.len()));
    found.retain(|(element, _)| named.iter().all(|(own, _)| own != element));
    found.extend(named);
    found
}

enum Kind {
    State,
    Country,
}

fn kind_of(field: &Field<'_>) -> Option<Kind> {
    let key = field.steps_up().find_map(|step| match step {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    })?;
    if key.len() > MAX_LENGTH {
        return None;
    }
    let mut buffer = [0; MAX_LENGTH];
    let letters = key.bytes().filter(u8::is_ascii_alphanumeric);
    let mut length = 0;
    for (slot, letter) in buffer.iter_mut().zip(letters) {
        *slot = letter.to_ascii_lowercase();
        length += 1;
    }
    let folded = buffer.get(..length).unwrap_or_default();
    if COUNTRY_KEYS.iter().any(|own| own.as_bytes() == folded) {
        return Some(Kind::Country);
    }
    let is_state = |key: &[u8]| KEYS.iter().any(|own| own.as_bytes() == key);
    let is_owned = || {
        OWNERS
            .iter()
            .filter_map(|owner| folded.strip_prefix(owner.as_bytes()))
            .any(is_state)
    };
    (is_state(folded) || is_owned()).then_some(Kind::State)
}

fn by_value(value: &str, has_address: bool) -> Option<States> {
    let value = value.trim();
    if value.len() > MAX_LENGTH {
        return None;
    }
    if value.len() == MAX_LENGTH {
        return HASHES.get(&value.to_ascii_lowercase()).copied();
    }
    let is_certain = |letters: &str| {
        has_address
            || !AMBIGUOUS
                .iter()
                .any(|own| own.eq_ignore_ascii_case(letters))
    };
    // `US-CA`, as ISO 3166-2 writes it.
    let letters = value
        .get(..3)
        .filter(|country| country.eq_ignore_ascii_case("US-"))
        .and_then(|_| value.get(3..))
        .or_else(|| Some(value).filter(|value| is_certain(value)));
    letters.and_then(States::from_letters).or_else(|| {
        let folded = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphabetic)
                .map(|char| char.to_ascii_lowercase())
                .collect()
        };
        let own = folded(value);
        // A whole name is certain, two letters of it are not.
        STATES
            .iter()
            .position(|(_, name)| own.len() > 3 && folded(name) == own)
            .map(States::of)
    })
}

fn is_united_states(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    if value.is_empty() {
        return None;
    }
    Some(
        matches!(
            &*value,
            "us" | "usa" | "u.s." | "u.s.a." | "united states" | "united states of america" | "840"
        ) || US_HASHES.contains(&value),
    )
}

/// The state of a postal code of five or nine digits.
fn by_postal_code(code: &str) -> Option<States> {
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    let is_code = matches!(digits, 5 | 9)
        && code
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' '));
    if !is_code {
        return None;
    }
    let prefix: u16 = code.get(..3)?.parse().ok()?;
    let letters = match code.get(..5)? {
        "06390" => "NY",
        "96799" => "AS",
        "96950" | "96951" | "96952" => "MP",
        _ => {
            POSTAL
                .iter()
                .find(|(first, last, _)| (*first..=*last).contains(&prefix))?
                .2
        }
    };
    States::from_letters(letters)
}

/// The state of an address in one line: `… il 62704`, `… il`.
fn by_address(address: &str) -> Option<States> {
    let mut words = address
        .rsplit([' ', ',', '\n'])
        .filter(|word| !word.is_empty() && !matches!(*word, "usa" | "us" | "USA" | "US"));
    let last = words.next()?;
    if !last.starts_with(|char: char| char.is_ascii_digit()) {
        // Two letters at the end of a street may be a direction or a kind of
        // street: only behind a code it is certain.
        return None;
    }
    // The last four digits of nine may stand alone.
    let mut before = words.next()?;
    if before.len() == 5 && before.bytes().all(|byte| byte.is_ascii_digit()) {
        before = words.next()?;
    }
    States::from_letters(before).filter(|_| matches!(last.len(), 4 | 5 | 9 | 10))
}

#[cfg(test)]
mod tests;
