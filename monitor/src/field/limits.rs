//! The limits of the field stage: how much of one message is examined.

/// Fields of one message.
const MAX_FIELDS: usize = 20_000;
/// Bytes of one value.
const MAX_VALUE_BYTES: usize = 64 << 10;
/// Bytes of one key. Every field carries all keys above it.
const MAX_KEY_BYTES: usize = 256;
/// Encodings within encodings.
const MAX_DEPTH: u32 = 6;
/// Open brackets of one JSON text, or open elements of one XML text.
const MAX_BRACKETS: usize = 256;
/// Bytes of all nested encodings of one message.
const MAX_NESTED_BYTES: usize = 16 << 20;
/// Bytes that one compressed text may decode to.
const MAX_INFLATED_BYTES: usize = 8 << 20;
/// Bytes of all fields of one message, values and paths.
const MAX_OUTPUT_BYTES: usize = 32 << 20;

/// How much of one message the readers examine. Whatever a limit leaves out is
/// counted as [`Loss::FieldLimit`](crate::loss::Loss::FieldLimit),
/// [`Loss::FieldDepth`](crate::loss::Loss::FieldDepth) or
/// [`Loss::FieldLength`](crate::loss::Loss::FieldLength).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLimits {
    /// Fields of one message.
    pub fields: usize,
    /// Bytes of one value; a longer one is cut and marked truncated.
    pub value_bytes: usize,
    /// Bytes of one key; a longer one is cut.
    pub key_bytes: usize,
    /// Encodings within encodings that are followed.
    pub depth: u32,
    /// Open brackets of one JSON text or elements of one XML text.
    pub brackets: usize,
    /// Bytes of all nested encodings of one message together, decoded.
    pub nested_bytes: usize,
    /// Bytes that one compressed text may decode to.
    pub inflated_bytes: usize,
    /// Bytes of all fields of one message, values and paths together.
    pub output_bytes: usize,
}

impl Default for FieldLimits {
    fn default() -> Self {
        Self {
            fields: MAX_FIELDS,
            value_bytes: MAX_VALUE_BYTES,
            key_bytes: MAX_KEY_BYTES,
            depth: MAX_DEPTH,
            brackets: MAX_BRACKETS,
            nested_bytes: MAX_NESTED_BYTES,
            inflated_bytes: MAX_INFLATED_BYTES,
            output_bytes: MAX_OUTPUT_BYTES,
        }
    }
}
