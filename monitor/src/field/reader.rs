//! What all readers share: the path to where they stand, the fields they have
//! found, and what the limits still allow.

use super::{Field, FieldLimits, Part, Step, ValueKind, text};
use crate::{
    loss::{Loss, Losses},
    secret::Secret,
};

/// What a step costs of the output limit besides the bytes of its key.
const STEP_BYTES: usize = 32;

/// Collects the fields of one message.
pub(super) struct Reader<'a> {
    limits: &'a FieldLimits,
    losses: &'a mut Losses,
    fields: Vec<Field>,
    part: Part,
    steps: Vec<Step>,
    depth: u32,
    nested_left: usize,
    output_left: usize,
    full: bool,
}

impl<'a> Reader<'a> {
    /// A reader that has found nothing yet.
    pub(super) fn new(limits: &'a FieldLimits, losses: &'a mut Losses) -> Self {
        Self {
            limits,
            losses,
            fields: Vec::new(),
            part: Part::Path,
            steps: Vec::new(),
            depth: 0,
            nested_left: limits.nested_bytes,
            output_left: limits.output_bytes,
            full: false,
        }
    }

    /// The fields, in the order of the message.
    pub(super) fn into_fields(self) -> Vec<Field> {
        self.fields
    }

    /// Goes to the top of `part`.
    pub(super) fn start_part(&mut self, part: Part) {
        self.part = part;
        self.steps.clear();
    }

    /// Sets the part of the fields that follow, and returns the one before.
    pub(super) fn swap_part(&mut self, part: Part) -> Part {
        std::mem::replace(&mut self.part, part)
    }

    /// The limits.
    pub(super) const fn limits(&self) -> &'a FieldLimits {
        self.limits
    }

    /// How many fields there are.
    pub(super) const fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// Whether no further field will be taken, so that reading on is useless.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// Counts a loss that a reader saw itself.
    pub(super) const fn lose(&mut self, loss: Loss) {
        self.losses.count(loss);
    }

    /// How many steps the path has.
    pub(super) const fn path_length(&self) -> usize {
        self.steps.len()
    }

    /// Goes back up to the first `length` steps.
    pub(super) fn go_back(&mut self, length: usize) {
        self.steps.truncate(length);
    }

    /// Goes down to a key.
    pub(super) fn go_key(&mut self, key: &[u8]) {
        let kept = text::clip(key, self.limits.key_bytes);
        if kept.len() < key.len() {
            self.lose(Loss::FieldLength);
        }
        self.steps.push(Step::Key(Secret::new(
            String::from_utf8_lossy(kept).into_owned(),
        )));
    }

    /// Goes down to an index.
    pub(super) fn go_index(&mut self, index: usize) {
        self.steps
            .push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
    }

    /// The key of the innermost step, if that is a key.
    pub(super) fn key(&self) -> Option<&str> {
        match self.steps.last() {
            Some(Step::Key(key)) => Some(key.expose()),
            _ => None,
        }
    }

    /// Puts index 0 into the path of all fields from number `first` on, behind
    /// `length` steps: a second value shows that the first was one of several.
    pub(super) fn number_first(&mut self, first: usize, length: usize) {
        for field in self.fields.iter_mut().skip(first) {
            if length <= field.steps.len() {
                field.steps.insert(length, Step::Index(0));
            }
        }
    }

    /// Takes the value at the current path.
    pub(super) fn emit(&mut self, value: &[u8], kind: ValueKind, cut: bool) {
        if self.full {
            return;
        }
        let kept = text::clip(value, self.limits.value_bytes);
        let clipped = kept.len() < value.len();
        let cost = self.steps.iter().fold(kept.len(), |sum, step| {
            let key = match step {
                Step::Key(key) => key.expose().len(),
                Step::Index(_) => 0,
            };
            sum.saturating_add(key).saturating_add(STEP_BYTES)
        });
        if self.fields.len() >= self.limits.fields || cost > self.output_left {
            self.full = true;
            self.lose(Loss::FieldLimit);
            return;
        }
        self.output_left -= cost;
        if clipped {
            self.lose(Loss::FieldLength);
        }
        self.fields.push(Field {
            part: self.part,
            steps: self.steps.clone(),
            value: Secret::new(String::from_utf8_lossy(kept).into_owned()),
            kind,
            truncated: cut || clipped,
        });
    }

    /// Enters a nested encoding of `length` bytes: how many of them may be
    /// read, or nothing if it is too deep. What is entered must be left.
    pub(super) fn enter(&mut self, length: usize) -> Option<usize> {
        if self.depth >= self.limits.depth {
            self.lose(Loss::FieldDepth);
            return None;
        }
        let allowed = length.min(self.nested_left);
        if allowed < length {
            self.lose(Loss::FieldLength);
            if allowed == 0 {
                return None;
            }
        }
        self.nested_left -= allowed;
        self.depth += 1;
        Some(allowed)
    }

    /// Leaves what [`Reader::enter`] entered.
    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Bytes of nested encodings that may still be read.
    pub(super) const fn nested_left(&self) -> usize {
        self.nested_left
    }
}
