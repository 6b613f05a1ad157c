//! Message to fields: every value that a request carries, with its path.
//!
//! Input: a [`Request`]. Output: [`Field`]s in the order of the message.
//! Formats are recognized by content, never by `Content-Type`; nesting (a form
//! that holds JSON that holds JSON strings, base64 JSON in a query) is followed
//! to a bounded depth; every reader yields all fields before a truncation. A
//! reader never fails: what it does not understand is text.

pub(crate) mod base64;
pub(crate) mod coded;
pub(crate) mod compression;
mod content;
pub(crate) mod csv;
pub(crate) mod entity;
pub(crate) mod envelope;
mod fields;
pub(crate) mod form;
pub(crate) mod header;
pub(crate) mod hex;
pub mod html;
pub(crate) mod json;
pub(crate) mod limits;
pub(crate) mod multipart;
pub(crate) mod packed;
pub(crate) mod percent;
pub(crate) mod protobuf;
mod reader;
pub(crate) mod sniff;
mod target;
pub(crate) mod text;
pub(crate) mod url;
pub(crate) mod xml;

use self::reader::Reader;
pub use self::{
    fields::{Field, Fields, Step, StepId},
    limits::FieldLimits,
};
use crate::{
    http::{Completeness, Request},
    loss::Losses,
};

/// The part of the message in which a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A segment of the request target's path.
    Path,
    /// The query of the request target.
    Query,
    /// A header.
    Header,
    /// The body; of a page, what its scripts pass to trackers.
    Body,
    /// The title, a heading or the description of a page.
    Page,
    /// What a form of a page asks for.
    Form,
}

impl Part {
    /// The first word of a field's path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
            Self::Page => "page",
            Self::Form => "form",
        }
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
