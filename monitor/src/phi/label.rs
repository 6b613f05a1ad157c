//! What a neighbor calls a value.
//!
//! Input: a field and those around it. Output: its path, extended by the name
//! that stands beside the value (`{"type": "email", "value": …}`) or before it
//! in a path (`/patients/…`), so that detectors see one key.

use super::sets::label::{
    BY_WORDS, COLLECTIONS, HEADERS, IDENTITIES, IDENTITY_KEYS, IDENTITY_LABEL_KEYS, LABEL_KEYS,
    SYSTEM_LISTS, VALUE_KEYS,
};
use super::{
    neighbor,
    path::{Layout, PathId, Paths},
    sets::WordSet,
};
use crate::field::{Fields, Part, StepId};

/// Fields before and after a value among which the one that names it is sought.
const LABEL_REACH: usize = 6;

/// Labels longer than this are prose.
const MAX_LABEL_LENGTH: usize = 200;

/// The path of the field at `index`, with what a neighbor calls the value:
/// `{"idType": "SHA256_EMAIL", "idValue": …}`, or for a path segment the
/// segment before it. `None` for headers that say nothing about people.
pub(super) fn path_of(
    fields: &Fields,
    index: usize,
    layout: &Layout,
    paths: &mut Paths,
) -> Option<PathId> {
    let field = fields.get(index)?;
    let id = layout.path(field.step());
    let path = paths.get(id);
    if field.part() == Part::Header {
        let name = path.keys.first()?;
        if !name.folds_to(HEADERS) && !name.has_word(BY_WORDS) {
            return None;
        }
    }
    let leaf_in = |table| path.keys.last().is_some_and(|key| key.folds_to(table));
    let parent_in = |table| (path.keys.iter().rev().nth(1)).is_some_and(|key| key.folds_to(table));
    let is_value = leaf_in(VALUE_KEYS);
    let is_named =
        field.part() == Part::Path || is_value || leaf_in(IDENTITY_KEYS) && parent_in(IDENTITIES);
    let label = if is_named {
        let labels = Labels {
            keys: if is_value {
                LABEL_KEYS
            } else {
                IDENTITY_LABEL_KEYS
            },
            has_system: is_value && parent_in(SYSTEM_LISTS),
        };
        label(fields, index, layout, paths, labels).or_else(|| {
            (field.part() != Part::Path && !is_value)
                .then(|| neighbor::key(fields, index, layout, paths, path))
                .flatten()
        })
    } else {
        neighbor::key(fields, index, layout, paths, path)
    };
    Some(label.map_or(id, |label| paths.below(id, label)))
}

/// What tells what a value is.
#[derive(Clone, Copy)]
struct Labels {
    /// Keys of neighbors, the more telling first.
    keys: WordSet,
    /// Whether the `system` tells it best.
    has_system: bool,
}

/// What a neighbor calls the value at `index`.
fn label<'a>(
    fields: &'a Fields,
    index: usize,
    layout: &Layout,
    paths: &Paths,
    labels: Labels,
) -> Option<&'a str> {
    let field = fields.get(index)?;
    if field.part() == Part::Path {
        let before = fields.get(index.checked_sub(1)?)?;
        let collection = before.value();
        let is_named = before.part() == Part::Path
            && is_id(field.value())
            && COLLECTIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(collection));
        // `/customers/1/conversions:upload`: the account of the sender.
        let is_own = || {
            (index..index.saturating_add(LABEL_REACH))
                .map_while(|later| fields.get(later))
                .any(|later| later.part() == Part::Path && later.value().contains(':'))
        };
        return (is_named && !is_own()).then_some(collection);
    }
    let holder = |step: Option<StepId>| layout.key(step).map(|key| layout.above(key));
    let own = holder(field.step())?;
    let first = index.saturating_sub(LABEL_REACH);
    let last = index.saturating_add(LABEL_REACH);
    let mut best: Option<(usize, &str)> = None;
    for other in (first..=last).filter_map(|other| fields.get(other)) {
        if other.part() != field.part() || holder(other.step()) != Some(own) {
            continue;
        }
        let path = paths.get(layout.path(other.step()));
        let Some(key) = path.keys.last() else {
            continue;
        };
        let rank = if labels.has_system && key.folded == "system" {
            Some(0)
        } else {
            labels.keys.iter().position(|wanted| *wanted == key.folded)
        };
        let label = other.value();
        if let Some(rank) = rank
            && best.is_none_or(|(known, _)| rank < known)
        {
            best = Some((rank, label));
        }
    }
    let (_, label) = best?;
    (label.len() <= MAX_LABEL_LENGTH).then_some(label)
}

/// Whether a segment of a path is an id, not a word of the interface
/// (`/users/track`, `/patients/billing-help`).
fn is_id(segment: &str) -> bool {
    segment
        .bytes()
        .any(|byte| !(byte.is_ascii_lowercase() || b"_-".contains(&byte)))
}
