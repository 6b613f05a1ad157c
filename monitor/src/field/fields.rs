//! The fields of one message, kept together.
//!
//! A message has dozens of fields whose paths share most of their steps.
//! Therefore values and keys stand one after another in one text, and the paths
//! form a tree: reading a field allocates nothing of its own.

use std::{fmt, ops::Range};

use super::{Part, ValueKind};

/// The parent of the steps that have none.
const ROOT: u32 = u32::MAX;

/// A step of the tree: an index that is stable within one message. A step comes
/// after its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(u32);

impl StepId {
    /// The position in the order of the tree, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The step behind this one.
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One step of a field's path below its part. `Debug` shows no key, since a
/// client may use a payload value as one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step<'a> {
    /// The key of an object, a form or a query, as sent.
    Key(&'a str),
    /// The index in an array, or of a path segment, from 0.
    Index(u32),
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "Key({} bytes)", key.len()),
            Self::Index(index) => write!(f, "Index({index})"),
        }
    }
}

#[derive(Clone, Copy)]
enum Node {
    Key { parent: u32, start: u32, end: u32 },
    Index { parent: u32, index: u32 },
}

impl Node {
    const fn parent(self) -> u32 {
        match self {
            Self::Key { parent, .. } | Self::Index { parent, .. } => parent,
        }
    }

    fn shift(&mut self, change: impl Fn(u32) -> u32) {
        match self {
            Self::Key { parent, .. } | Self::Index { parent, .. } => *parent = change(*parent),
        }
    }
}

#[derive(Clone, Copy)]
struct Entry {
    part: Part,
    kind: ValueKind,
    truncated: bool,
    step: u32,
    start: u32,
    end: u32,
}

/// Every field of one message, in its order. Holds payload; `Debug` shows how
/// many there are.
#[derive(Clone, Default)]
pub struct Fields {
    text: String,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Fields {
    /// How many fields there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The field at `index`.
    pub fn get(&self, index: usize) -> Option<Field<'_>> {
        let entry = *self.entries.get(index)?;
        Some(Field {
            fields: self,
            entry,
        })
    }

    /// All fields, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Field<'_>> + ExactSizeIterator {
        self.entries.iter().map(|entry| Field {
            fields: self,
            entry: *entry,
        })
    }

    /// How many steps the tree has.
    pub const fn step_count(&self) -> usize {
        self.nodes.len()
    }

    /// Every step of the tree with the one above it, parents first.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, Option<StepId>, Step<'_>)> {
        (0..).zip(&self.nodes).map(|(id, node)| {
            let step = self.step_of(*node);
            (StepId(id), above(node.parent()), step)
        })
    }

    /// Adds a field at the path `steps`, outermost step first.
    pub fn push(
        &mut self,
        part: Part,
        steps: &[Step<'_>],
        value: &str,
        kind: ValueKind,
        truncated: bool,
    ) {
        let mut parent = None;
        for step in steps {
            parent = match step {
                Step::Key(key) => self.add_key(parent, key.as_bytes()),
                Step::Index(index) => self.add_index(parent, *index),
            };
        }
        self.add(part, parent, value.as_bytes(), kind, truncated);
    }

    /// Extends the path of the field at `index` by `steps`.
    pub(crate) fn extend_path(&mut self, index: usize, steps: &[Step<'_>]) {
        let Some(entry) = self.entries.get(index) else {
            return;
        };
        let mut at = above(entry.step);
        for step in steps {
            let next = match step {
                Step::Key(key) => self.add_key(at, key.as_bytes()),
                Step::Index(index) => self.add_index(at, *index),
            };
            at = next.or(at);
        }
        if let Some(entry) = self.entries.get_mut(index) {
            entry.step = below(at);
        }
    }

    /// Drops every field for which `kept` is false.
    #[cfg(test)]
    pub(super) fn retain(&mut self, kept: impl Fn(Field<'_>) -> bool) {
        let keep: Vec<bool> = self.iter().map(kept).collect();
        let mut keep = keep.into_iter();
        self.entries.retain(|_| keep.next().unwrap_or(true));
    }

    /// The step below `parent` that is `key`; nothing if there are too many.
    pub(super) fn add_key(&mut self, parent: Option<StepId>, key: &[u8]) -> Option<StepId> {
        let span = self.add_text(key)?;
        let (start, end) = (span.start, span.end);
        self.add_node(Node::Key {
            parent: below(parent),
            start,
            end,
        })
    }

    /// The step below `parent` that is `index`; nothing if there are too many.
    pub(super) fn add_index(&mut self, parent: Option<StepId>, index: u32) -> Option<StepId> {
        self.add_node(Node::Index {
            parent: below(parent),
            index,
        })
    }

    /// Adds a field whose path ends at `step`.
    pub(super) fn add(
        &mut self,
        part: Part,
        step: Option<StepId>,
        value: &[u8],
        kind: ValueKind,
        truncated: bool,
    ) {
        if let Some(Range { start, end }) = self.add_text(value) {
            self.entries.push(Entry {
                part,
                kind,
                truncated,
                step: below(step),
                start,
                end,
            });
        }
    }

    /// The key that `step` is, if it is one.
    pub(super) fn key(&self, step: StepId) -> Option<&str> {
        match self.nodes.get(step.index())? {
            Node::Key { start, end, .. } => self.text(*start, *end),
            Node::Index { .. } => None,
        }
    }

    /// Inserts index 0 between `base` and everything below it that was added
    /// since there were `first_step` steps and `first_field` fields.
    pub(super) fn insert_index(
        &mut self,
        base: Option<StepId>,
        first_step: usize,
        first_field: usize,
    ) {
        let base = below(base);
        let at = first_step.min(self.nodes.len());
        let Ok(new) = u32::try_from(at) else { return };
        let moved = |step: u32| match step {
            ROOT => ROOT,
            step if step >= new => step.saturating_add(1),
            step => step,
        };
        for node in self.nodes.iter_mut().skip(at) {
            node.shift(|parent| if parent == base { new } else { moved(parent) });
        }
        for entry in self.entries.iter_mut().skip(first_field) {
            entry.step = if entry.step == base {
                new
            } else {
                moved(entry.step)
            };
        }
        self.nodes.insert(
            at,
            Node::Index {
                parent: base,
                index: 0,
            },
        );
    }

    fn add_node(&mut self, node: Node) -> Option<StepId> {
        let id = u32::try_from(self.nodes.len())
            .ok()
            .filter(|id| *id != ROOT)?;
        self.nodes.push(node);
        Some(StepId(id))
    }

    /// Keeps `bytes`, with U+FFFD for what is no UTF-8.
    fn add_text(&mut self, bytes: &[u8]) -> Option<Range<u32>> {
        let start = u32::try_from(self.text.len()).ok()?;
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.text.push_str(&String::from_utf8_lossy(bytes)),
        }
        let end = u32::try_from(self.text.len()).ok()?;
        Some(start..end)
    }

    fn text(&self, start: u32, end: u32) -> Option<&str> {
        self.text.get(start as usize..end as usize)
    }

    fn step_of(&self, node: Node) -> Step<'_> {
        match node {
            Node::Key { start, end, .. } => Step::Key(self.text(start, end).unwrap_or_default()),
            Node::Index { index, .. } => Step::Index(index),
        }
    }
}

const fn below(parent: Option<StepId>) -> u32 {
    match parent {
        Some(StepId(id)) => id,
        None => ROOT,
    }
}

const fn above(parent: u32) -> Option<StepId> {
    if parent == ROOT {
        None
    } else {
        Some(StepId(parent))
    }
}

/// One value of a message and the way to it. Holds payload; `Debug` shows
/// lengths only.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    fields: &'a Fields,
    entry: Entry,
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("part", &self.part())
            .field("steps", &self.steps())
            .field("value", &self.value().len())
            .field("kind", &self.kind())
            .field("truncated", &self.is_truncated())
            .finish()
    }
}

impl<'a> Field<'a> {
    /// Which part of the message.
    pub const fn part(&self) -> Part {
        self.entry.part
    }

    /// The value, decoded to text (invalid UTF-8 becomes U+FFFD). It is payload
    /// and must not be printed.
    pub fn value(&self) -> &'a str {
        self.fields
            .text(self.entry.start, self.entry.end)
            .unwrap_or_default()
    }

    /// What the value was before it became text.
    pub const fn kind(&self) -> ValueKind {
        self.entry.kind
    }

    /// Whether the value was cut at a limit or at the end of what was seen.
    pub const fn is_truncated(&self) -> bool {
        self.entry.truncated
    }

    /// The innermost step of the path, if it has any.
    pub const fn step(&self) -> Option<StepId> {
        above(self.entry.step)
    }

    /// The path of the value, outermost step first. Steps into nested encodings
    /// continue the path: form key `data`, index 0 of the JSON array in it, key
    /// `user_data` of the JSON in that string.
    pub fn steps(&self) -> Vec<Step<'a>> {
        let mut steps: Vec<Step<'a>> = self.steps_up().collect();
        steps.reverse();
        steps
    }

    /// The way back from the value, innermost step first.
    pub fn steps_up(&self) -> impl Iterator<Item = Step<'a>> {
        let fields = self.fields;
        let mut at = self.entry.step;
        std::iter::from_fn(move || {
            let node = *fields.nodes.get(at as usize)?;
            at = node.parent();
            Some(fields.step_of(node))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_payload() {
        let mut fields = Fields::default();
        let steps = [Step::Key("jane@example.com"), Step::Index(0)];
        fields.push(Part::Body, &steps, "Jane Roe", ValueKind::Text, false);
        let shown = format!("{fields:?} {:#?}", fields.get(0));
        assert!(shown.contains("Key(16 bytes)"), "{shown}");
        assert!(
            !shown.contains("jane") && !shown.contains("Jane"),
            "{shown}"
        );
    }

    #[test]
    fn an_index_is_inserted_below_its_base() {
        let mut fields = Fields::default();
        let base = fields.add_key(None, b"base");
        fields.add(Part::Body, base, b"before", ValueKind::Text, false);
        let (steps, count) = (fields.step_count(), fields.len());
        let inner = fields.add_key(base, b"inner");
        fields.add(Part::Body, inner, b"x", ValueKind::Text, false);
        fields.add(Part::Body, base, b"y", ValueKind::Text, false);
        fields.insert_index(base, steps, count);
        let found: Vec<_> = fields.iter().map(|field| field.steps()).collect();
        let (base, inner) = (Step::Key("base"), Step::Key("inner"));
        assert_eq!(
            found,
            [
                vec![base],
                vec![base, Step::Index(0), inner],
                vec![base, Step::Index(0)]
            ]
        );
    }
}
