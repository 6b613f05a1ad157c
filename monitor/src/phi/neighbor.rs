//! What stands beside a value and says what it is: a typed pair, or a person.
//!
//! Platforms take identifiers as pairs (`["UID2", …]`, `{"type": "Email",
//! "token": …}`), and senders put `name` and `id` beside an address. Input:
//! fields and what stands where. Output: the key that the value might as well
//! have, which the detectors know.

use super::sets::neighbor::{
    CONTEXT_KEYS, EVENT_KEYS, EVENT_WORDS, GOODS, KIND_KEYS, KINDS, PERSON_KEYS, TITLE_WORDS,
    TYPED_KEYS,
};
use super::{
    email, email_hash,
    online_id::is_opaque,
    path::{Layout, Path, Paths},
    sets::WordSet,
};
use crate::field::{Field, Fields, StepId, ValueKind};

/// Fields before and after a value that are looked at.
const REACH: usize = 8;

/// Longest kind of identifier.
const MAX_KIND_LENGTH: usize = 24;

/// The key that a neighbor of the value at `index` gives it. `path` is its own.
pub(super) fn key<'a>(
    fields: &'a Fields,
    index: usize,
    layout: &Layout,
    paths: &Paths,
    path: &Path,
) -> Option<&'a str> {
    let field = fields.get(index)?;
    if field.kind() == ValueKind::Literal || field.value().len() < 3 {
        return None;
    }
    let step = field.step()?;
    if !layout.is_key(step) {
        return pair(fields, index, layout, step).or_else(|| segment(fields, index, layout, step));
    }
    let leaf = path.keys.last()?;
    let beside = Beside {
        fields,
        index,
        layout,
        paths,
    };
    let is_of_goods = || (path.keys.iter().rev().nth(1)).is_some_and(|key| key.has_word(GOODS));
    if leaf.folds_to(TYPED_KEYS)
        && !is_of_goods()
        && let Some(kind) = beside.kind()
    {
        return Some(kind);
    }
    beside.person(&field, path)
}

/// `["UID2", "…"]`: the element before it.
fn pair<'a>(fields: &'a Fields, index: usize, layout: &Layout, step: StepId) -> Option<&'a str> {
    let before = fields.get(index.checked_sub(1)?)?;
    let (kind, value) = (before.value(), fields.get(index)?.value());
    let is_pair = is_kind(kind)
        && value
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte == b'@')
        && before.step().is_some_and(|other| {
            !layout.is_key(other) && layout.above(other) == layout.above(step)
        });
    is_pair.then_some(kind)
}

/// A hash in the path of an address: of a version or a file. Readers give the
/// whole address before its parts.
fn segment(fields: &Fields, index: usize, layout: &Layout, step: StepId) -> Option<&'static str> {
    /// Parts of an address before it.
    const DEPTH: usize = 16;
    let above = layout.above(step)?;
    let is_part = email_hash::may_have(fields.get(index)?.value())
        && (index.saturating_sub(DEPTH)..index)
            .rev()
            .filter_map(|before| fields.get(before))
            .any(|before| before.step() == Some(above));
    is_part.then_some("segment")
}

fn is_kind(text: &str) -> bool {
    (3..=MAX_KIND_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte))
        && KINDS.has(super::text::fold(text).as_str())
}

struct Beside<'a, 'p> {
    fields: &'a Fields,
    index: usize,
    layout: &'p Layout,
    paths: &'p Paths,
}

impl<'a> Beside<'a, '_> {
    /// The fields in the same object, and their paths.
    fn others(&self) -> impl Iterator<Item = (Field<'a>, &Path)> {
        let layout = self.layout;
        // The step above a field's key, where it has a key.
        let holder = move |field: &Field<'_>| {
            let key = layout.key(field.step())?;
            Some(layout.above(key))
        };
        let own = self.fields.get(self.index);
        let part = own.as_ref().map(Field::part);
        let above = own.as_ref().and_then(holder);
        let first = self.index.saturating_sub(REACH);
        let last = self.index.saturating_add(REACH);
        (first..=last)
            .filter(|other| *other != self.index)
            .filter_map(|other| self.fields.get(other))
            .filter(move |other| {
                Some(other.part()) == part && above.is_some() && holder(other) == above
            })
            .map(|other| (other, self.paths.get(self.layout.path(other.step()))))
    }

    fn kind(&self) -> Option<&'a str> {
        self.others()
            .find(|(other, path)| {
                (path.keys.last()).is_some_and(|key| key.folds_to(KIND_KEYS))
                    && is_kind(other.value())
            })
            .map(|(other, _)| other.value())
    }

    fn has(&self, table: WordSet) -> bool {
        self.others()
            .any(|(_, path)| path.keys.last().is_some_and(|key| key.is_in(table)))
    }

    /// What a key that everything has means in an object about a person.
    fn person(&self, field: &Field<'_>, path: &Path) -> Option<&'static str> {
        let leaf = path.keys.last()?;
        let parent = path.keys.iter().rev().nth(1);
        let value = field.value().trim();
        match leaf.folded.as_str() {
            "name"
                if is_full_name(value)
                    && !parent.is_some_and(|parent| parent.has_word(EVENT_WORDS))
                    && self.has(PERSON_KEYS) =>
            {
                Some("person_name")
            }
            "first" if is_name(value) && self.has(PERSON_KEYS) => Some("first_name"),
            "last" if is_name(value) && self.has(PERSON_KEYS) => Some("last_name"),
            "id" if parent.is_none_or(|parent| !parent.is_person())
                && is_opaque(value)
                && self.has(PERSON_KEYS)
                && !self.has(EVENT_KEYS) =>
            {
                Some("user_id")
            }
            // Feature flags: `{"kind": "user", "key": …}`.
            "key" if parent.is_some_and(|parent| parent.folds_to(CONTEXT_KEYS)) => {
                let kind = self
                    .others()
                    .find(|(_, path)| path.keys.last().is_some_and(|key| key.folded == "kind"));
                let is_user = kind.is_none_or(|(kind, _)| kind.value() == "user");
                (is_user && !email::is_address(value)).then_some("user_key")
            }
            // `{"trafficTypeName": "user", "key": …}`.
            "key" if is_opaque(value) && self.is_of_users() => Some("user_key"),
            _ => None,
        }
    }

    fn is_of_users(&self) -> bool {
        self.others().any(|(kind, path)| {
            kind.value() == "user"
                && (path.keys.last()).is_some_and(|key| key.folded == "traffictypename")
        })
    }
}

/// A word that could be a part of a name.
fn is_name(value: &str) -> bool {
    (2..=40).contains(&value.len())
        && value.chars().next().is_some_and(char::is_uppercase)
        && value
            .chars()
            .all(|c| c.is_alphabetic() || " '’-.".contains(c))
}

/// Two or more capitalized words that are no title.
fn is_full_name(value: &str) -> bool {
    const MAX_LENGTH: usize = 60;
    const MAX_WORDS: usize = 5;
    let words = || value.split_whitespace();
    let is_upper = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    value.len() <= MAX_LENGTH
        && (2..=MAX_WORDS).contains(&words().count())
        && words().next().is_some_and(is_upper)
        && words().next_back().is_some_and(is_upper)
        && value
            .chars()
            .all(|c| c.is_alphabetic() || " '’-.,".contains(c))
        && !words().any(|word| TITLE_WORDS.has(word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use crate::phi::{rules, tests::fields};

    const SHA256: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";
    const UUID: &str = "0b0a3c1e-7a0f-4c58-9a39-0a6c5b1f2d3e";

    /// The classes of the evidence.
    fn check(pairs: &[(&str, &str)], expected: &str) {
        let found: Vec<_> = rules(&fields(pairs))
            .iter()
            .map(|item| item.class.as_str())
            .collect();
        assert_eq!(found.join(", "), expected, "{pairs:?}");
    }

    #[test]
    fn pairs_are_typed_by_their_first() {
        check(
            &[
                ("data.0.user_id_array.0.0", "UID2"),
                ("data.0.user_id_array.0.1", SHA256),
                ("data.0.user_id_array.1.0", "TDID"),
                ("data.0.user_id_array.1.1", UUID),
            ],
            "email, online_id",
        );
        check(
            &[("a.0.2", "userId"), ("a.0.3", "PT-1234567")],
            "external_id",
        );
        check(&[("a.0.2", "userId"), ("a.1.0", "PT-1234567")], "");
        check(&[("a.0", "email"), ("a.1", "first_name")], "");
        check(
            &[("s.0.type", "SMS"), ("s.0.token", "+15125460182")],
            "phone",
        );
        check(&[("s.0.type", "push"), ("s.0.token", SHA256)], "");
    }

    #[test]
    fn what_stands_beside_an_address_is_a_person() {
        let email = ("p.email", "jane@example.com");
        check(&[email, ("p.name", "Jane van der Berg")], "email, name");
        check(&[email, ("p.name", "Viewed Page")], "email");
        check(&[email, ("p.name", "newsletter")], "email");
        check(&[email, ("q.name", "Jane Doe")], "email");
        check(
            &[
                ("actions.0.email", "jane@example.com"),
                ("actions.0.name", "Nail Art"),
            ],
            "email",
        );
        check(&[("p.price", "5"), ("p.name", "Jane Doe")], "");
        check(&[email, ("p.id", UUID)], "email, external_id");
        check(&[email, ("p.event", "x"), ("p.id", UUID)], "email");
        check(&[email, ("p.id", "12")], "email");
        check(&[email, ("p.first", "Jane")], "email, name");
        check(
            &[("context.kind", "user"), ("context.key", "PT-1234567")],
            "external_id",
        );
        check(&[("context.kind", "device"), ("context.key", "a1")], "");
    }
}
