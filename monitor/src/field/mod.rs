//! Message to fields: every value that a request carries, with its path.
//!
//! Input: a [`Request`]. Output: [`Field`]s in the order of the message.
//! Formats are recognized by content, never by `Content-Type`; nesting (a form
//! that holds JSON that holds JSON strings, base64 JSON in a query) is followed
//! to a bounded depth; every reader yields all fields before a truncation. A
//! reader never fails: what it does not understand is text.
//!
//! The readers also tell a `Sink` where in the bytes each value stands and how
//! it is encoded there, so that redaction replaces what was read.

pub(crate) mod base64;
mod coded;
pub(crate) mod compression;
pub(crate) mod content;
mod csv;
pub(crate) mod entity;
mod envelope;
mod fields;
pub(crate) mod form;
pub(crate) mod header;
mod hex;
pub mod html;
pub(crate) mod json;
pub(crate) mod limits;
mod multipart;
pub(crate) mod packed;
pub(crate) mod percent;
pub(crate) mod protobuf;
mod reader;
mod sink;
pub(crate) mod sniff;
pub(crate) mod target;
pub(crate) mod text;
pub(crate) mod url;
mod xml;

pub use self::{
    fields::{Field, Fields, Step, StepId},
    limits::FieldLimits,
};
pub(crate) use self::{
    reader::Reader,
    sink::{Encoding, Segment, Sink, Span},
};
use crate::{
    http::{Completeness, Request},
    loss::Losses,
    name::named,
};

named! {
    /// The part of the message in which a field stands. Its name is the first word
    /// of the field's path.
    pub enum Part {
        /// A segment of the request target's path.
        Path = "path",
        /// The query of the request target.
        Query = "query",
        /// A header.
        Header = "header",
        /// The body; of a page, what its scripts pass to trackers.
        Body = "body",
        /// The title, a heading or the description of a page.
        Page = "page",
        /// What a form of a page asks for.
        Form = "form",
    }
}

/// What kind of value a field had before it became text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A string, or a form value.
    Text,
    /// A JSON number, in its own spelling.
    Number,
    /// `true`, `false` or `null`.
    Literal,
}

/// Reads every field of `request`: target, then headers, then body.
///
/// Never fails. What a limit leaves out is counted in `losses`.
pub fn read(request: &Request, limits: &FieldLimits, losses: &mut Losses) -> Fields {
    let cut = request.completeness == Completeness::Truncated;
    let mut reader = Reader::new(limits, losses);
    target::read(&mut reader, request.target.expose());
    header::read(&mut reader, &request.headers);
    reader.start_part(Part::Body);
    content::read_body(&mut reader, request.body.expose(), cut);
    reader.into_fields()
}

/// Reads the fields of a body alone; `cut` means that the body continues behind
/// what is given. Every field that the cut may have changed is marked
/// truncated.
pub fn read_body(body: &[u8], cut: bool, limits: &FieldLimits, losses: &mut Losses) -> Fields {
    let mut reader = Reader::new(limits, losses);
    reader.start_part(Part::Body);
    content::read_body(&mut reader, body, cut);
    reader.into_fields()
}

/// Reads the fields of a request target alone: path segments and query.
pub fn read_target(target: &[u8], limits: &FieldLimits, losses: &mut Losses) -> Fields {
    let mut reader = Reader::new(limits, losses);
    target::read(&mut reader, target);
    reader.into_fields()
}

#[cfg(test)]
pub(crate) mod tests;
