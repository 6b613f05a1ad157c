//! What all readers share: the path to their position, the fields they have
//! found, what the limits still allow, and who is told where the values stand.

use hashbrown::HashMap;

use super::{
    FieldLimits, Fields, Part, StepId, ValueKind,
    sink::{Segment, Sink, Span},
    text,
};
use crate::loss::{Loss, Losses};

/// What a step or a value counts towards the output limit besides its bytes.
const ENTRY_BYTES: usize = 32;

/// A position in the fields that were found.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    step: usize,
    field: usize,
}

/// A step that all values below it share: its parent, and its key or index.
type SharedStep = (Option<StepId>, Result<Box<[u8]>, usize>);

/// Collects the fields of one message, and tells a sink where they stand.
pub(crate) struct Reader<'a, S = ()> {
    sink: S,
    limits: &'a FieldLimits,
    losses: &'a mut Losses,
    fields: Fields,
    part: Part,
    /// The path to the reader's position; `None` for a step that a limit left
    /// out.
    steps: Vec<Option<StepId>>,
    shared: HashMap<SharedStep, StepId>,
    depth: u32,
    nested_left: usize,
    output_left: usize,
    full: bool,
}

impl<'a> Reader<'a> {
    /// A reader that has found nothing yet.
    pub(super) fn new(limits: &'a FieldLimits, losses: &'a mut Losses) -> Self {
        Self::with_sink(limits, losses, ())
    }
}

impl<'a, S: Sink> Reader<'a, S> {
    /// A reader that tells `sink` where the values stand.
    pub(crate) fn with_sink(limits: &'a FieldLimits, losses: &'a mut Losses, sink: S) -> Self {
        Self {
            sink,
            limits,
            losses,
            fields: Fields::default(),
            part: Part::Path,
            steps: Vec::new(),
            shared: HashMap::new(),
            depth: 0,
            nested_left: limits.nested_bytes,
            output_left: limits.output_bytes,
            full: false,
        }
    }

    /// The fields, in the order of the message.
    pub(super) fn into_fields(self) -> Fields {
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
        let step = if self.pay(kept.len()) {
            self.fields.add_key(self.here(), kept)
        } else {
            None
        };
        self.steps.push(step);
    }

    /// Goes down to an index.
    pub(super) fn go_index(&mut self, index: usize) {
        let step = if self.pay(0) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            self.fields.add_index(self.here(), index)
        } else {
            None
        };
        self.steps.push(step);
    }

    /// Descends to a key that other values of the message may share.
    pub(super) fn go_shared_key(&mut self, key: &[u8]) {
        let step = (self.here(), Ok(Box::from(key)));
        self.go_shared(step, |reader| reader.go_key(key));
    }

    /// Descends to an index that other values of the message may share.
    pub(super) fn go_shared_index(&mut self, index: usize) {
        let step = (self.here(), Err(index));
        self.go_shared(step, |reader| reader.go_index(index));
    }

    fn go_shared(&mut self, step: SharedStep, go: impl FnOnce(&mut Self)) {
        if let Some(known) = self.shared.get(&step) {
            self.steps.push(Some(*known));
            return;
        }
        go(self);
        if let Some(new) = self.here() {
            self.shared.insert(step, new);
        }
    }

    /// The key of the innermost step, if that is a key.
    pub(super) fn key(&self) -> Option<&str> {
        self.fields.key(self.here()?)
    }

    /// The position from which a second value can show that the first, which
    /// begins here, was one of several.
    pub(super) const fn mark(&self) -> Mark {
        Mark {
            step: self.fields.step_count(),
            field: self.fields.len(),
        }
    }

    /// Inserts index 0 into the path of everything since `mark`, which was
    /// taken at the present position.
    pub(super) fn number_first(&mut self, mark: Mark) {
        self.fields.insert_index(self.here(), mark.step, mark.field);
        // The steps since the mark have moved on by one.
        let moved = |step: StepId| {
            if step.index() >= mark.step {
                step.next()
            } else {
                step
            }
        };
        self.shared = std::mem::take(&mut self.shared)
            .into_iter()
            .map(|((parent, step), id)| ((parent.map(moved), step), moved(id)))
            .collect();
    }

    /// How many steps and fields there are since `mark`.
    pub(super) const fn count_since(&self, mark: Mark) -> usize {
        let steps = self.fields.step_count().saturating_sub(mark.step);
        steps.saturating_add(self.fields.len().saturating_sub(mark.field))
    }

    /// The innermost step, to descend to it again; `None` at the top, or if a
    /// limit left it out.
    pub(super) fn place(&self) -> Option<StepId> {
        self.here()
    }

    /// Descends to a child step that was visited before.
    pub(super) fn go_to(&mut self, step: Option<StepId>) {
        self.steps.push(step);
    }

    /// Takes the value at the current path, which stands in `span`.
    pub(super) fn take(&mut self, span: Span<'_>, kind: ValueKind, cut: bool) {
        self.place_value(span, kind);
        self.emit(span.content, kind, cut);
    }

    /// Tells where a value stands that is yielded otherwise, if at all.
    pub(super) fn place_value(&mut self, span: Span<'_>, kind: ValueKind) {
        if S::REWRITES && !self.full {
            let key = self.steps.last().copied().flatten();
            let key = key.and_then(|key| self.fields.key(key));
            self.sink.value(span, kind, key);
        }
    }

    /// Tells where a text stands that may also be an encoding of `content`.
    pub(super) fn either(&mut self, span: Span<'_>, content: &[u8]) {
        if self.sink.is_text(span, content) {
            self.place_value(span, ValueKind::Text);
        }
    }

    /// Opens an encoding, within which spans are slices of its content.
    pub(super) fn open(&mut self, span: Span<'_>) {
        self.sink.open(span);
    }

    /// Closes what was opened last; `rest` of its content was not read.
    pub(super) fn close(&mut self, rest: &[u8]) {
        self.sink.unread(rest);
        self.sink.close();
    }

    /// Tells where a key or a name stands.
    pub(super) fn name(&mut self, span: Span<'_>) {
        self.sink.name(span);
    }

    /// Tells where the name of a column stands.
    pub(super) fn column(&mut self, span: Span<'_>) {
        self.sink.column(span);
    }

    /// Tells where words of the format itself stand.
    pub(super) fn keep(&mut self, raw: &[u8]) {
        self.sink.keep(raw);
    }

    /// Tells which bytes no reader understands.
    pub(super) fn unread(&mut self, raw: &[u8]) {
        self.sink.unread(raw);
    }

    /// Tells where scheme and authority of a URL stand.
    pub(super) fn origin(&mut self, raw: &[u8]) {
        self.sink.origin(raw);
    }

    /// What of a segment of a path is a value.
    pub(super) fn segment<'w>(&self, word: &'w [u8]) -> Segment<'w> {
        self.sink.segment(word)
    }

    /// Takes a value at the current path whose place is told otherwise.
    pub(super) fn emit(&mut self, value: &[u8], kind: ValueKind, cut: bool) {
        if self.full {
            return;
        }
        let kept = text::clip(value, self.limits.value_bytes);
        let clipped = kept.len() < value.len();
        if self.fields.len() >= self.limits.fields {
            self.fill();
            return;
        }
        if !self.pay(kept.len()) {
            return;
        }
        if clipped {
            self.lose(Loss::FieldLength);
        }
        self.fields
            .add(self.part, self.here(), kept, kind, cut || clipped);
    }

    /// The innermost step.
    fn here(&self) -> Option<StepId> {
        self.steps.last().copied().flatten()
    }

    /// Deducts the cost of an entry of `length` bytes from the output limit, if
    /// enough is left.
    const fn pay(&mut self, length: usize) -> bool {
        if self.full {
            return false;
        }
        let cost = length.saturating_add(ENTRY_BYTES);
        let Some(left) = self.output_left.checked_sub(cost) else {
            self.fill();
            return false;
        };
        self.output_left = left;
        true
    }

    /// Takes no further field.
    const fn fill(&mut self) {
        self.full = true;
        self.lose(Loss::FieldLimit);
    }

    /// Enters a nested encoding of `length` bytes. Returns how many of them may
    /// be read, or `None` if it is too deep. Every entry must be left again.
    pub(super) fn enter(&mut self, length: usize) -> Option<usize> {
        if self.is_deepest() {
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

    /// Whether no further nested encoding may be entered.
    pub(super) const fn is_deepest(&self) -> bool {
        self.depth >= self.limits.depth
    }

    /// Leaves what [`Reader::enter`] entered.
    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Bytes of nested encodings that may still be read.
    pub(crate) const fn nested_left(&self) -> usize {
        self.nested_left
    }
}
