//! The keys on the way to a value, looked at once.
//!
//! Clients send the same keys again and again, so what a path means is kept for
//! the messages that follow: which detectors it wakes, what its words say. The
//! result never depends on what is kept.

use super::sets::path::{
    EVENT_ARRAYS, PART_ARRAYS, PART_ENDINGS, PEOPLE_ARRAYS, ROW_ARRAYS, SOFTWARE_KEYS,
};
use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};

use super::{
    engine::{Detectors, wakes_of_path},
    key::Key,
    lexicon::{self, Term},
    sets::WordSet,
    subject::{Vehicle, is_wordless, key_vehicle},
    text::Words,
};
use crate::field::{Field, Fields, Part, Step, StepId};

/// Paths that are kept; then all are forgotten and it begins anew.
const MAX_PATHS: usize = 16_384;

/// Keys of one path that are looked at, the outermost.
const MAX_KEYS: usize = 32;

/// What a path of keys means.
pub(super) struct Path {
    /// The keys, outermost first. `ud[em]` and `ep.email` are two keys each, as
    /// the trackers that write them mean it.
    pub(super) keys: Vec<Arc<Key>>,
    /// Phrases in the last two keys.
    pub(super) key_terms: Vec<Term>,
    /// What kind of statement the keys make of their value, where they say so.
    pub(super) vehicle: Option<Vehicle>,
    /// The detectors that examine any value here.
    pub(super) wakes: Detectors,
    /// Whether words of a value here are no statement.
    pub(super) is_wordless: bool,
    /// Whether the value names a program or a place for programs, which no
    /// shape makes an identifier.
    pub(super) is_software: bool,
    /// Keys as sent, which the split ones are parts of.
    sent: usize,
}

impl Path {
    fn new(keys: Vec<Arc<Key>>, sent: usize) -> Self {
        let mut words = Words::default();
        for key in keys.iter().skip(keys.len().saturating_sub(2)) {
            words.extend(key.words.iter().map(String::as_str));
        }
        let mut key_terms = lexicon::find(&words);
        // `ed` and `medication` are a phrase in one key, chance in two.
        key_terms.retain(|term| {
            let is_short = (term.phrase.split(' ').next()).is_some_and(|word| word.len() <= 2);
            let stands_in_one = || {
                keys.iter().rev().take(2).any(|key| {
                    let mut own = Words::default();
                    own.extend(key.words.iter().map(String::as_str));
                    (lexicon::find(&own).iter())
                        .any(|other| (other.kind, other.phrase) == (term.kind, term.phrase))
                })
            };
            !is_short || stands_in_one()
        });
        let wakes = wakes_of_path(&keys, &key_terms);
        let vehicle = key_vehicle(&keys);
        Self {
            is_software: keys.last().is_some_and(|leaf| leaf.folds_to(SOFTWARE_KEYS)),
            is_wordless: is_wordless(vehicle, &keys),
            vehicle,
            keys,
            key_terms,
            wakes,
            sent,
        }
    }

    /// Whether the last key is in `table`.
    fn ends_in(&self, table: WordSet) -> bool {
        self.keys
            .last()
            .is_some_and(|key| table.has(key.folded.as_str()))
    }

    /// Whether elements of an array here are events or people.
    fn holds_events(&self) -> bool {
        let name = self.keys.last().map_or("", |key| key.folded.as_str());
        let is_part =
            || PART_ARRAYS.has(name) || PART_ENDINGS.iter().any(|ending| name.ends_with(ending));
        EVENT_ARRAYS.has(name) || (self.sent <= 1 && !is_part())
    }
}

/// Position of a path in [`Paths`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PathId(u32);

impl PathId {
    /// The path without keys.
    pub(super) const EMPTY: Self = Self(0);
}

#[derive(PartialEq, Eq, Hash)]
struct PathKey {
    above: PathId,
    key: Box<str>,
}

/// Looks up a [`PathKey`] without owning the key.
#[derive(Hash)]
struct PathKeyRef<'a> {
    above: PathId,
    key: &'a str,
}

impl Equivalent<PathKey> for PathKeyRef<'_> {
    fn equivalent(&self, step: &PathKey) -> bool {
        self.above == step.above && *self.key == *step.key
    }
}

/// Every path that is known.
pub(super) struct Paths {
    ids: HashMap<PathKey, PathId>,
    paths: Vec<Path>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            paths: vec![Path::new(Vec::new(), 0)],
        }
    }
}

impl Paths {
    /// Forgets all paths if there are too many. Ids from before are void.
    pub(super) fn trim(&mut self) {
        if self.paths.len() > MAX_PATHS {
            *self = Self::default();
        }
    }

    /// The path of `id`.
    pub(super) fn get(&self, id: PathId) -> &Path {
        // An id of another time is void; the empty path wakes nothing.
        self.paths.get(id.0 as usize).unwrap_or(&self.paths[0])
    }

    /// The path that goes on from `above` with `key`.
    pub(super) fn below(&mut self, above: PathId, key: &str) -> PathId {
        if let Some(id) = self.ids.get(&PathKeyRef { above, key }) {
            return *id;
        }
        let path = self.get(above);
        let mut keys = path.keys.clone();
        let parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
        keys.extend(parts.map(|part| Arc::new(Key::new(part))));
        let excess = keys.len().saturating_sub(MAX_KEYS);
        // The innermost keys say what a value is.
        keys.drain(..excess);
        let path = Path::new(keys, path.sent.saturating_add(1));
        let id = PathId(u32::try_from(self.paths.len()).unwrap_or_default());
        self.paths.push(path);
        let key = Box::from(key);
        self.ids.insert(PathKey { above, key }, id);
        id
    }
}

/// What stands where in one message.
pub(super) struct Layout {
    steps: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    path: PathId,
    above: Option<StepId>,
    is_key: bool,
    /// The outermost step above or here that is an element of an array of
    /// events.
    candidate: Option<StepId>,
    /// The same, if a key follows: what has none is a list of values.
    element: Option<StepId>,
}

impl Layout {
    /// Looks at all steps of `fields`.
    pub(super) fn new(fields: &Fields, paths: &mut Paths) -> Self {
        let mut steps: Vec<Place> = Vec::with_capacity(fields.step_count());
        for (id, above, step) in fields.steps() {
            let outer = above.and_then(|above| steps.get(above.index()).copied());
            let path = outer.map_or(PathId::EMPTY, |outer| outer.path);
            let candidate = outer.and_then(|outer| outer.candidate);
            let element = outer.and_then(|outer| outer.element);
            steps.push(match step {
                Step::Key(key) => Place {
                    path: paths.below(path, key),
                    above,
                    is_key: true,
                    candidate,
                    element: candidate,
                },
                Step::Index(_) => {
                    let keys = paths.get(path);
                    let row = above.filter(|_| {
                        outer.is_some_and(|outer| !outer.is_key) && keys.ends_in(ROW_ARRAYS)
                    });
                    let person = outer
                        .is_some_and(|outer| outer.is_key && keys.ends_in(PEOPLE_ARRAYS))
                        .then_some(id);
                    Place {
                        path,
                        above,
                        is_key: false,
                        candidate: row
                            .or(person)
                            .or(candidate)
                            .or_else(|| keys.holds_events().then_some(id)),
                        element,
                    }
                }
            });
        }
        Self { steps }
    }

    /// The path that a value at `step` has.
    pub(super) fn path(&self, step: Option<StepId>) -> PathId {
        self.place(step).map_or(PathId::EMPTY, |place| place.path)
    }

    /// The array element that a field belongs to, `None` where it is shared by
    /// the whole message.
    pub(super) fn element(&self, field: &Field<'_>) -> Option<StepId> {
        if field.part() == Part::Path {
            return None;
        }
        self.place(field.step())?.element
    }

    /// The innermost key at or above `step`.
    pub(super) fn key(&self, step: Option<StepId>) -> Option<StepId> {
        let mut at = step?;
        loop {
            let place = self.place(Some(at))?;
            if place.is_key {
                return Some(at);
            }
            at = place.above?;
        }
    }

    /// Whether `step` is `outer` or below it.
    pub(super) fn is_below(&self, step: StepId, outer: StepId) -> bool {
        let mut at = Some(step);
        // What is below comes after.
        while let Some(step) = at.filter(|step| *step > outer) {
            at = self.above(step);
        }
        at == Some(outer)
    }

    /// Whether `step` is a key.
    pub(super) fn is_key(&self, step: StepId) -> bool {
        self.place(Some(step)).is_some_and(|place| place.is_key)
    }

    /// The step above `step`.
    pub(super) fn above(&self, step: StepId) -> Option<StepId> {
        self.place(Some(step))?.above
    }

    fn place(&self, step: Option<StepId>) -> Option<Place> {
        self.steps.get(step?.index()).copied()
    }
}

/// The array element that each field belongs to, in the order of the fields.
pub(crate) fn elements(fields: &Fields) -> Vec<Option<StepId>> {
    let layout = Layout::new(fields, &mut Paths::default());
    fields.iter().map(|field| layout.element(&field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::tests::fields;

    #[test]
    fn array_elements_are_events() {
        for (path, expected) in [
            ("data.0.user_data.em.0", Some(1)),
            ("0.event", Some(0)),
            ("events.3.params.x", Some(1)),
            ("data.events.3.user.email", Some(2)),
            ("user_data.address.0.first_name", None),
            ("user_data.em.0", None),
            ("contents.0.id", None),
            ("user.userIds.0.idValue", None),
            ("elements.2.user.userIds.0.idValue", Some(1)),
            ("payload.data.3.1.email", Some(2)),
            ("users.0.data.5.0.email", Some(3)),
            ("0.params.users.2.email", Some(3)),
            ("data.attributes.identifiers.4.0.email", Some(3)),
            ("audience_members.1.email", Some(1)),
            ("data.0.users.email", Some(1)),
            ("path:0", None),
            ("email", None),
        ] {
            let fields = fields(&[(path, "x")]);
            let layout = Layout::new(&fields, &mut Paths::default());
            let field = fields.get(0).unwrap();
            let element = layout.element(&field).map(StepId::index);
            assert_eq!(element, expected, "{path}");
        }
    }
}
