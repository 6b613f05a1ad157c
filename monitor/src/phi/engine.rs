//! Which detectors look at which values.
//!
//! Most values of most messages are of no interest: their keys are in no table,
//! their words in no lexicon, their shape is nobody's. Every detector says what
//! wakes it, so that such values cost one look at their bytes. A detector finds
//! nothing in a value that does not wake it; the tests hold that, by asking all.

use std::{
    cell::{Cell, OnceCell},
    sync::{Arc, LazyLock},
};

use hashbrown::{HashMap, HashSet};

use super::{
    Class, Evidence, Hits, Kind, Subject, Surroundings,
    facts::{self, Fact, FactKind},
    judge,
    key::Key,
    label,
    lexicon::{self, Term},
    named,
    path::{Layout, PathId, Paths},
    registry::DETECTORS,
    sets::WordSet,
    shape::{self, Shape},
    subject::{self, Names},
    text::{self, Words},
};
use crate::field::{Fields, StepId, ValueKind};

/// A class's rules and what wakes them.
pub(super) struct Rules {
    /// The rules.
    pub(super) detect: fn(&Subject<'_>, Surroundings<'_>, &mut Hits<'_>),
    /// Tables of keys: of the last two keys of a path, one ends in a phrase of
    /// one of them.
    pub(super) keys: &'static [WordSet],
    /// Tables of words: of the words of the last two keys, one is in one of
    /// them.
    pub(super) words: &'static [WordSet],
    /// Phrases in the value or in the last two keys.
    pub(super) kinds: &'static [Kind],
    /// The shape of a text.
    pub(super) shape: Option<Shape>,
    /// Notes what the value makes likely for others of its event.
    pub(super) note: Option<fn(&Subject<'_>, &mut Names)>,
    /// What a text of that shape must also be.
    pub(super) fits: fn(&str) -> bool,
    /// Keys that no table lists.
    pub(super) other: fn(&[Arc<Key>]) -> bool,
}

/// A set of detectors, by their position in [`DETECTORS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Detectors(u64);

impl Detectors {
    /// The detectors that `fits` says yes to.
    pub(super) fn which(fits: impl Fn(&Rules) -> bool) -> Self {
        let mut set = 0;
        for (position, rules) in DETECTORS.iter().enumerate() {
            if fits(rules) {
                set |= 1_u64 << position;
            }
        }
        Self(set)
    }

    /// Those of them that `fits` says yes to.
    pub(super) fn that(self, fits: impl Fn(&Rules) -> bool) -> Self {
        let mut left = self.0;
        let mut set = 0;
        while left != 0 {
            let position = left.trailing_zeros();
            left &= left - 1;
            if DETECTORS.get(position as usize).is_some_and(&fits) {
                set |= 1_u64 << position;
            }
        }
        Self(set)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn rules(self) -> impl Iterator<Item = &'static Rules> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let rules = DETECTORS.get(left.trailing_zeros() as usize)?;
            left &= left.wrapping_sub(1);
            Some(rules)
        })
    }
}

/// The detectors that examine any value under `keys`.
pub(super) fn wakes_of_path(keys: &[Arc<Key>], key_terms: &[Term]) -> Detectors {
    let last = || keys.iter().rev().take(2);
    Detectors::which(|rules| {
        last().any(|key| rules.keys.iter().any(|table| named::ends_in(key, *table)))
            || last().any(|key| rules.words.iter().any(|table| key.has_word(*table)))
            || key_terms
                .iter()
                .any(|term| rules.kinds.contains(&term.kind))
            || (rules.other)(keys)
    })
}

/// Finds evidence in messages, and keeps what it has learned of their keys: no
/// result depends on that, but the time does.
#[derive(Default)]
pub struct Detector {
    paths: Paths,
}

/// A value that some detector examines.
struct Awake<'a> {
    field: usize,
    element: Option<StepId>,
    subject: Subject<'a>,
    detectors: Detectors,
}

impl Detector {
    /// The evidence in `fields`, as of [`detect`](super::detect).
    pub fn detect(&mut self, fields: &Fields) -> Vec<Evidence> {
        let (ids, layout, evidence) = self.found(fields);
        judge::judge(fields, &ids, &layout, &self.paths, evidence)
    }

    /// What the rules find, as of [`rules`](super::rules).
    pub(super) fn rules(&mut self, fields: &Fields) -> Vec<Evidence> {
        self.found(fields).2
    }

    /// The path of every field, what stands where, and what the rules find.
    fn found(&mut self, fields: &Fields) -> (Vec<Option<PathId>>, Layout, Vec<Evidence>) {
        let (ids, layout) = self.layout(fields);
        let evidence = self.examine(fields, &ids, &layout, Detectors::default());
        #[cfg(test)]
        self.assert_none_slept(&evidence, fields, &ids, &layout);
        (ids, layout, evidence)
    }

    /// The path of every field, and what stands where.
    fn layout(&mut self, fields: &Fields) -> (Vec<Option<PathId>>, Layout) {
        self.paths.trim();
        let layout = Layout::new(fields, &mut self.paths);
        let ids = (0..fields.len())
            .map(|index| label::path_of(fields, index, &layout, &mut self.paths))
            .collect();
        (ids, layout)
    }

    /// Every fact of `fields` with the array element that it is of.
    pub fn facts(&mut self, fields: &Fields, take: &mut dyn FnMut(Option<StepId>, Fact<'_>)) {
        let (ids, layout, evidence) = self.found(fields);
        let contexts = facts::contexts(fields, &ids, &layout, &self.paths);
        let mut phrases = HashSet::new();
        judge::gather(
            fields,
            &ids,
            &layout,
            &self.paths,
            &contexts,
            &evidence,
            &mut |element, _, fact| {
                if fact.kind == FactKind::Phrase {
                    phrases.insert(fact.hash());
                }
                take(element, fact);
            },
        );
        for fact in facts::counts(phrases.len()) {
            take(None, fact);
        }
        take(None, judge::ALWAYS);
    }

    /// All detectors together find no more than those that were awake.
    #[cfg(test)]
    fn assert_none_slept(
        &self,
        evidence: &[Evidence],
        fields: &Fields,
        paths: &[Option<PathId>],
        layout: &Layout,
    ) {
        let all = Detectors::which(|_| true);
        let complete = self.examine(fields, paths, layout, all);
        assert_eq!(evidence, complete, "a detector slept");
    }

    /// The evidence that the detectors which are woken find; those `ahead` are
    /// awake.
    fn examine(
        &self,
        fields: &Fields,
        paths: &[Option<PathId>],
        layout: &Layout,
        ahead: Detectors,
    ) -> Vec<Evidence> {
        let awake: Vec<Awake<'_>> = paths
            .iter()
            .enumerate()
            .filter_map(|(field, path)| self.wake(fields, field, (*path)?, layout, ahead))
            .collect();
        without_repeats(examine(&awake), fields, layout)
    }

    /// The field at `index`, if some detector examines it.
    fn wake<'a>(
        &'a self,
        fields: &'a Fields,
        index: usize,
        path: PathId,
        layout: &Layout,
        ahead: Detectors,
    ) -> Option<Awake<'a>> {
        let field = fields.get(index)?;
        let path = self.paths.get(path);
        let (kind, value) = (field.kind(), subject::examined(&field));
        let mut detectors = path.wakes.and(ahead);
        if kind == ValueKind::Text && !path.is_software {
            detectors = detectors.and(shape::wakes(value));
        }
        let is_wordless = path.is_wordless || kind == ValueKind::Literal;
        let words = OnceCell::new();
        let mut terms = Vec::new();
        if is_wordless {
            words.get_or_init(Words::default);
        } else if lexicon::may_have(value) && !text::is_code(value) {
            terms = lexicon::find(words.get_or_init(|| subject::words_of(value)));
            let kinds = terms.iter().map(|term| term.kind);
            detectors = kinds.fold(detectors, |set, kind| set.and(lexicon::wakes(kind)));
        }
        if detectors.is_empty() {
            return None;
        }
        Some(Awake {
            field: index,
            element: layout.element(&field),
            subject: Subject::new(value, kind, field.part(), path, words, terms),
            detectors,
        })
    }
}

/// The detectors that note something for others.
static NAMING: LazyLock<Detectors> =
    LazyLock::new(|| Detectors::which(|rules| rules.note.is_some()));

/// What the values of one event say about each other, by its element.
struct Events {
    shared: Names,
    all: Names,
    own: HashMap<StepId, Names>,
}

impl Events {
    fn new(awake: &[Awake<'_>]) -> Self {
        let mut events = Self {
            shared: Names::default(),
            all: Names::default(),
            own: HashMap::new(),
        };
        for Awake {
            element,
            subject,
            detectors,
            ..
        } in awake
        {
            let naming = detectors.intersection(*NAMING);
            if naming.is_empty() {
                continue;
            }
            let mut names = Names::default();
            for note in naming.rules().filter_map(|rules| rules.note) {
                note(subject, &mut names);
            }
            events.all = events.all.and(names);
            match element {
                None => events.shared = events.shared.and(names),
                Some(element) => {
                    let own = events.own.entry(*element).or_default();
                    *own = own.and(names);
                }
            }
        }
        events
    }

    /// What surrounds a value of `element`.
    fn around(&self, element: Option<StepId>) -> Surroundings<'_> {
        let names = match element {
            None => self.all,
            Some(element) => {
                let own = self.own.get(&element).copied().unwrap_or_default();
                own.and(self.shared)
            }
        };
        names.surroundings()
    }
}

/// The evidence in `awake`, in their order.
fn examine(awake: &[Awake<'_>]) -> Vec<Evidence> {
    let events = Events::new(awake);
    let asked = Cell::new(false);
    let mut first = Vec::new();
    let mut depends = Vec::new();
    for subject in awake {
        let start = first.len();
        asked.set(false);
        let around = events.around(subject.element).with_health(false, &asked);
        ask(subject, around, &mut first);
        depends.push((start..first.len(), asked.get()));
    }
    // What other trades have too counts only beside evidence that they have
    // not, in the same event.
    let medical: Vec<Option<StepId>> = first
        .iter()
        .filter(|evidence| matches!(evidence.class, Class::Health(_)))
        .map(|evidence| evidence.element)
        .collect();
    if medical.is_empty() {
        return first;
    }
    let mut evidence = Vec::with_capacity(first.len());
    let mut first = first.into_iter();
    for (subject, (found, asked_for)) in awake.iter().zip(depends) {
        let own = subject.element;
        let is_medical = own.is_none() || medical.contains(&None) || medical.contains(&own);
        let known = first.by_ref().take(found.len());
        if asked_for && is_medical {
            known.for_each(drop);
            let around = events.around(own).with_health(true, &asked);
            ask(subject, around, &mut evidence);
        } else {
            evidence.extend(known);
        }
    }
    evidence
}

/// `evidence` without what a value and a part that was read from it both say:
/// the part of a URL tells better where it stands, the stronger is kept.
fn without_repeats(evidence: Vec<Evidence>, fields: &Fields, layout: &Layout) -> Vec<Evidence> {
    let step_of = |item: &Evidence| fields.get(item.field).and_then(|field| field.step());
    let mut kept: Vec<Evidence> = Vec::with_capacity(evidence.len());
    // The first piece of evidence of the last value that parts may follow.
    let mut whole: Option<(usize, StepId)> = None;
    for item in evidence {
        let step = step_of(&item);
        let first_part = whole.filter(|(_, outer)| {
            step.is_some_and(|step| step != *outer && layout.is_below(step, *outer))
        });
        let Some((first, _)) = first_part else {
            if kept.last().is_none_or(|last| last.field != item.field) {
                whole = step.map(|step| (kept.len(), step));
            }
            kept.push(item);
            continue;
        };
        let same = kept.iter_mut().skip(first).find(|other| {
            other.class == item.class
                && (matches!(item.class, Class::Health(_)) || other.normalized == item.normalized)
        });
        match same {
            Some(known) if known.strength < item.strength => *known = item,
            Some(_) => {}
            None => kept.push(item),
        }
    }
    kept
}

/// Asks the detectors of one value.
fn ask(awake: &Awake<'_>, around: Surroundings<'_>, evidence: &mut Vec<Evidence>) {
    let first = evidence.len();
    let mut hits = Hits {
        field: awake.field,
        element: awake.element,
        first,
        evidence,
    };
    for rules in awake.detectors.rules() {
        (rules.detect)(&awake.subject, around, &mut hits);
    }
}
