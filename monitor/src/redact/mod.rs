//! Messages without what could identify anyone.
//!
//! In: one HTTP request or page, its fields and the evidence in them. Out: the
//! same message with every value replaced: evidence by a pseudonym of its class
//! that depends on a key, so that the same person stays recognizable;
//! everything else except words of recipients and programs by letters and
//! digits of the same shape. Structure, lengths and encodings are kept as far
//! as possible. A final search makes sure that no replaced value is left in any
//! encoding.
//!
//! # What stays
//!
//! Words of interfaces as keys; literals; numbers of at most three digits; names
//! of standard events, currencies, programs; hosts of recipients; and times about
//! that of the message, which say when an event happened, unless they are
//! evidence themselves (a birth date, an appointment).

mod encoding;
mod escape;
mod header;
mod host;
mod key;
mod known;
mod leftovers;
mod number;
mod page;
mod pseudonym;
mod rewriter;
mod scramble;
mod script;
mod segment;
mod vocabulary;

use bytes::Bytes;

pub use self::key::RedactionKey;
use self::{
    known::Known,
    leftovers::LeftoverSearch,
    rewriter::{Rewriter, Scope},
};
use crate::{
    field::{Fields, target, url},
    http::{Completeness, Header, Page, Request},
    phi::Evidence,
    secret::Secret,
};

/// What happened to a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BodyState {
    /// It has the length that it had on the wire.
    #[default]
    SameLength,
    /// It has another length.
    Resized,
    /// A transfer or content coding was removed.
    Decoded,
    /// Its structure could not be kept: it is a JSON document of paths and
    /// replaced values.
    Rebuilt,
    /// It was left out, since it could not be redacted.
    Dropped,
}

impl BodyState {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::SameLength,
        Self::Resized,
        Self::Decoded,
        Self::Rebuilt,
        Self::Dropped,
    ];

    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameLength => "same_length",
            Self::Resized => "resized",
            Self::Decoded => "decoded",
            Self::Rebuilt => "rebuilt",
            Self::Dropped => "dropped",
        }
    }
}

/// A request without anything that could identify a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactedRequest {
    /// The request target.
    pub target: Secret<Bytes>,
    /// Headers and trailers, in order, adapted to the body.
    pub headers: Vec<Header>,
    /// The body, without transfer and content codings.
    pub body: Secret<Bytes>,
    /// What became of the body.
    pub body_state: BodyState,
}

/// A page without anything that could identify a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactedPage {
    /// The target of the request that it answers.
    pub target: Option<Secret<Bytes>>,
    /// Its headers, in order, as they fit the body.
    pub headers: Vec<Header>,
    /// The markup, without transfer and content codings.
    pub body: Secret<Bytes>,
    /// What became of the body.
    pub body_state: BodyState,
}

/// Redacts messages with one key. `Debug` hides it.
#[derive(Clone, Debug)]
pub struct Redactor {
    key: RedactionKey,
}

impl Redactor {
    /// A redactor whose pseudonyms depend on `key`.
    pub const fn new(key: RedactionKey) -> Self {
        Self { key }
    }

    /// Redacts a request. `shown` is the template of its path, whose words
    /// stay; `fields` and `evidence` are those of this request; `planted` are
    /// further values that must be removed.
    pub fn request(
        &self,
        request: &Request,
        shown: &str,
        fields: &Fields,
        evidence: &[Evidence],
        planted: &[&str],
    ) -> RedactedRequest {
        let known = Known::new(&self.key, fields, evidence, planted, request.time);
        let mut rewriter = Rewriter::new(&known);
        let mut target = rewriter.target(request.target.expose(), shown);
        let mut headers = rewriter.headers(&request.headers);
        let cut = request.completeness == Completeness::Truncated;
        let body = rewriter.body(request.body.expose(), cut);
        let leftovers = LeftoverSearch::new(&known);
        leftovers.clear_target(&mut target);
        leftovers.clear_headers(&mut headers);
        let (body, state) = leftovers.clear_body(body, || rewriter.told(fields));
        let state = state.unwrap_or_else(|| {
            state_of(
                &request.headers,
                request.body.expose().len(),
                request.body_wire_length,
                body.len(),
            )
        });
        fit_headers(&mut headers, body.len(), !request.body.expose().is_empty());
        RedactedRequest {
            target: Secret::new(target.into()),
            headers,
            body: Secret::new(body.into()),
            body_state: state,
        }
    }

    /// Redacts a page whose decoded content is `markup`; the rest as for
    /// requests.
    pub fn page(
        &self,
        page: &Page,
        shown: &str,
        markup: &[u8],
        fields: &Fields,
        evidence: &[Evidence],
        planted: &[&str],
    ) -> RedactedPage {
        let known = Known::new(&self.key, fields, evidence, planted, page.time);
        let mut rewriter = Rewriter::new(&known);
        let mut target = page
            .target
            .as_ref()
            .map(|target| rewriter.target(target.expose(), shown));
        let mut headers = rewriter.headers(&page.headers);
        let body = rewriter.page(markup);
        let leftovers = LeftoverSearch::new(&known);
        if let Some(target) = &mut target {
            leftovers.clear_target(target);
        }
        leftovers.clear_headers(&mut headers);
        let (body, state) = leftovers.clear_body(body, Vec::new);
        let state = state
            .unwrap_or_else(|| state_of(&page.headers, markup.len(), page.wire_length, body.len()));
        fit_headers(&mut headers, body.len(), true);
        RedactedPage {
            target: target.map(|target| Secret::new(target.into())),
            headers,
            body: Secret::new(body.into()),
            body_state: state,
        }
    }
}

/// The state of a body of `decoded` bytes that was sent as `wire` bytes.
fn state_of(headers: &[Header], decoded: usize, wire: u64, new: usize) -> BodyState {
    let is_coded = headers.iter().any(|header| {
        matches!(
            header.name.as_str(),
            "content-encoding" | "transfer-encoding"
        ) && !header
            .value
            .expose()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    });
    if is_coded || usize::try_from(wire).ok() != Some(decoded) {
        BodyState::Decoded
    } else if new == decoded {
        BodyState::SameLength
    } else {
        BodyState::Resized
    }
}

/// Makes the headers describe a body of `length` bytes without codings.
fn fit_headers(headers: &mut Vec<Header>, length: usize, has_body: bool) {
    headers.retain(|header| {
        !matches!(
            header.name.as_str(),
            "content-encoding" | "transfer-encoding" | "trailer"
        )
    });
    let value = Secret::new(Bytes::from(length.to_string()));
    let mut seen = false;
    headers.retain_mut(|header| {
        if header.name != "content-length" {
            return true;
        }
        header.value = value.clone();
        !std::mem::replace(&mut seen, true)
    });
    if !seen && has_body {
        headers.push(Header {
            name: "content-length".to_owned(),
            value,
        });
    }
}

impl Rewriter<'_> {
    /// A request target: path and query, the absolute form, or an authority.
    fn target(&mut self, target: &[u8], shown: &str) -> Vec<u8> {
        self.shown = shown
            .split('/')
            .filter(|word| !word.is_empty() && !word.contains('{'))
            .map(str::to_owned)
            .collect();
        self.scope = Scope::Target;
        let new = self.any_target(target);
        self.scope = Scope::Message;
        self.shown.clear();
        new
    }

    fn any_target(&mut self, target: &[u8]) -> Vec<u8> {
        if target.first() == Some(&b'/') || url::Parts::of_absolute(target).is_some() {
            return self.rewrite(target, |reader| target::read(reader, target));
        }
        let (name, port) = url::split_once(target, b':');
        let mut out = match std::str::from_utf8(name) {
            Ok(name) => host::host(self.known, name).into_bytes(),
            Err(_) => scramble::bytes(self.known.key, name),
        };
        if let Some(port) = port {
            out.push(b':');
            out.extend(self.leaf(port, None));
        }
        out
    }
}

#[cfg(test)]
mod tests;
