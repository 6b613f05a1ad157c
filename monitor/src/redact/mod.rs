//! One message in, the same with its values replaced out.

use bytes::Bytes;

use crate::{
    field::Fields,
    http::{Header, Page, Request},
    phi::Evidence,
    secret::Secret,
};

/// The key of all replacements of one capture.
#[derive(Clone)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// A key from 32 secret bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// Nothing of it is left.
    Dropped,
}

impl BodyState {
    /// The name in captures.
    pub const fn as_str(self) -> &'static str {
        "dropped"
    }
}

/// A request with its values replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactedRequest {
    /// Its target.
    pub target: Secret<Bytes>,
    /// Its headers.
    pub headers: Vec<Header>,
    /// Its body.
    pub body: Secret<Bytes>,
    /// What became of the body.
    pub body_state: BodyState,
}

/// A page with its values replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactedPage {
    /// The target that was asked for.
    pub target: Option<Secret<Bytes>>,
    /// The headers of the response.
    pub headers: Vec<Header>,
    /// The markup.
    pub body: Secret<Bytes>,
    /// What became of the markup.
    pub body_state: BodyState,
}

/// Replaces values.
#[derive(Clone)]
pub struct Redactor {
    key: RedactionKey,
}

impl Redactor {
    /// A redactor with this key.
    pub const fn new(key: RedactionKey) -> Self {
        Self { key }
    }

    /// `request` with its values replaced.
    pub fn request(
        &self,
        request: &Request,
        _fields: &Fields,
        _evidence: &[Evidence],
        _planted: &[&str],
    ) -> RedactedRequest {
        let _ = &self.key;
        RedactedRequest {
            target: request.target.clone(),
            headers: request.headers.clone(),
            body: Secret::default(),
            body_state: BodyState::Dropped,
        }
    }

    /// `page` with its values replaced; `markup` is its body without codings.
    pub fn page(
        &self,
        page: &Page,
        _markup: &[u8],
        _fields: &Fields,
        _evidence: &[Evidence],
        _planted: &[&str],
    ) -> RedactedPage {
        RedactedPage {
            target: page.target.clone(),
            headers: page.headers.clone(),
            body: Secret::default(),
            body_state: BodyState::Dropped,
        }
    }
}
