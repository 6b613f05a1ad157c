//! One message in, the same message with its values replaced out.
//!
//! In: a request or a page with its fields and the evidence in them. Out: the
//! message as a redacted capture holds it. Values with evidence become keyed
//! pseudonyms of the same shape and length: the same value is the same pseudonym
//! everywhere, and without the key nobody finds the value. Every other value is
//! replaced as well, unless it is a word of the platforms' own or a small number.
//! At the end a search in every encoding makes sure that nothing is left; what
//! cannot be rewritten is told by its fields, or dropped.

mod key;
mod net;
mod pseudonym;
mod rewrite;
mod vocabulary;

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;

pub use self::key::RedactionKey;
use self::{net::Net, rewrite::Rewriter};
use crate::{
    field::{Field, Fields, Part, Step},
    finding::{affixes, is_shown_segment},
    http::{Header, Page, Request},
    phi::{Class, Evidence},
    secret::Secret,
};

/// Headers that say how, and not who or what.
const KEPT_HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "content-encoding",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Fields of a body that is told by its fields.
const MAX_TOLD: usize = 4_096;

/// What became of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyState {
    /// It is as long as it was.
    #[default]
    SameLength,
    /// It has another length.
    Resized,
    /// Its content coding was removed.
    Decoded,
    /// Its fields are told as JSON, since it could not be rewritten.
    Rebuilt,
    /// Nothing of it is left.
    Dropped,
}

impl BodyState {
    /// The name in captures.
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
#[derive(Clone, Debug)]
pub struct Redactor {
    key: RedactionKey,
}

/// What is the same for all parts of one message.
struct Plan<'a> {
    key: &'a RedactionKey,
    known: HashMap<String, String>,
    net: Net,
    fields: &'a Fields,
}

impl Redactor {
    /// A redactor with this key.
    pub const fn new(key: RedactionKey) -> Self {
        Self { key }
    }

    /// `request` with its values replaced. `shown` is the template of its path,
    /// whose words stay; `fields` and `evidence` are its own; `planted` are
    /// further values that must not stay.
    pub fn request(
        &self,
        request: &Request,
        shown: &str,
        fields: &Fields,
        evidence: &[Evidence],
        planted: &[&str],
    ) -> RedactedRequest {
        let plan = self.plan(fields, evidence, planted);
        let body = request.body.expose();
        let is_coded = request.headers.iter().any(|header| {
            header.name == "content-encoding"
                && !header.value.expose().eq_ignore_ascii_case(b"identity")
        });
        let (body, state) = plan.body(body);
        let body_state = match state {
            BodyState::SameLength | BodyState::Resized if is_coded => BodyState::Decoded,
            other => other,
        };
        RedactedRequest {
            target: Secret::new(plan.target(request.target.expose(), shown)),
            headers: plan.headers(&request.headers),
            body: Secret::new(body),
            body_state,
        }
    }

    /// `page` with its values replaced; `markup` is its body without codings, and
    /// the rest as with requests.
    pub fn page(
        &self,
        page: &Page,
        shown: &str,
        markup: &[u8],
        fields: &Fields,
        evidence: &[Evidence],
        planted: &[&str],
    ) -> RedactedPage {
        let plan = self.plan(fields, evidence, planted);
        let (mut body, mut body_state) = plan.body(markup);
        if body_state == BodyState::Rebuilt {
            // Markup that is told by its fields loads nothing.
            (body, body_state) = (Bytes::new(), BodyState::Dropped);
        }
        RedactedPage {
            target: page
                .target
                .as_ref()
                .map(|target| Secret::new(plan.target(target.expose(), shown))),
            headers: plan.headers(&page.headers),
            body: Secret::new(body),
            body_state,
        }
    }

    fn plan<'a>(
        &'a self,
        fields: &'a Fields,
        evidence: &[Evidence],
        planted: &[&'a str],
    ) -> Plan<'a> {
        let mut known = HashMap::new();
        let mut sought: Vec<Cow<'a, str>> = Vec::new();
        for item in evidence {
            let Some(field) = fields.get(item.field) else {
                continue;
            };
            let value = field.value();
            let is_identifier = matches!(item.class, Class::Identifier(_));
            if is_identifier || is_telling(value) {
                sought.push(Cow::Owned(value.to_owned()));
            }
            if is_identifier {
                sought.push(Cow::Owned(item.normalized.expose().clone()));
            }
            known
                .entry(value.to_owned())
                .or_insert_with(|| pseudonym::of(&self.key, item.class, item.form, value));
        }
        for value in planted {
            sought.push(Cow::Borrowed(value));
            known
                .entry((*value).to_owned())
                .or_insert_with(|| pseudonym::any(&self.key, value));
        }
        Plan {
            key: &self.key,
            known,
            net: Net::new(sought.iter().map(Cow::as_ref)),
            fields,
        }
    }
}

/// Whether a health value is more than a word that keys have too.
fn is_telling(value: &str) -> bool {
    let value = value.trim();
    value.len() >= 16 || value.chars().any(|c| !c.is_alphabetic())
}

impl Plan<'_> {
    fn rewriter(&self, is_strict: bool) -> Rewriter<'_> {
        Rewriter::new(self.key, &self.known, is_strict)
    }

    /// The first of the ways to write a body in which nothing is found.
    fn body(&self, body: &[u8]) -> (Bytes, BodyState) {
        if body.is_empty() {
            return (Bytes::new(), BodyState::SameLength);
        }
        if let Ok(text) = std::str::from_utf8(whole(body))
            && !text.contains('\0')
        {
            for is_strict in [false, true] {
                let new = self.rewriter(is_strict).body(text);
                if !self.net.catches(new.as_bytes()) {
                    let state = if new.len() == body.len() {
                        BodyState::SameLength
                    } else {
                        BodyState::Resized
                    };
                    return (Bytes::from(new), state);
                }
            }
        }
        let told = self.told();
        if told.is_empty() || self.net.catches(&told) {
            return (Bytes::new(), BodyState::Dropped);
        }
        (Bytes::from(told), BodyState::Rebuilt)
    }

    /// The fields of the body with their values replaced, as JSON.
    fn told(&self) -> Vec<u8> {
        let rewriter = self.rewriter(true);
        let fields: Vec<_> = self
            .fields
            .iter()
            .filter(|field| field.part() == Part::Body)
            .take(MAX_TOLD)
            .map(|field| {
                let value = rewriter.value(field.value());
                serde_json::json!({"path": path(&rewriter, &field), "value": value})
            })
            .collect();
        if fields.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&serde_json::json!({ "fields": fields })).unwrap_or_default()
    }

    /// A request target: segments that findings may show stay, and so does the
    /// shape of the others.
    fn target(&self, target: &[u8], shown: &str) -> Bytes {
        let text = String::from_utf8_lossy(target);
        for is_strict in [false, true] {
            let new = self.written_target(&text, shown, is_strict);
            if !self.net.catches(new.as_bytes()) {
                return Bytes::from(new);
            }
        }
        Bytes::from_static(b"/")
    }

    fn written_target(&self, text: &str, shown: &str, is_strict: bool) -> String {
        let kept: Vec<&str> = shown.split('/').filter(|own| !own.contains('{')).collect();
        let rewriter = self.rewriter(is_strict);
        let (place, query) = match text.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (text, None),
        };
        let (authority, path) = match place.split_once("://") {
            Some((_, rest)) => place.split_at(
                rest.find('/')
                    .map_or(place.len(), |slash| place.len() - rest.len() + slash),
            ),
            None if place.starts_with('/') => ("", place),
            // The authority form of CONNECT, or `*`.
            None => (place, ""),
        };
        let mut new = authority.to_owned();
        for (index, segment) in path.split('/').enumerate() {
            if index > 0 {
                new.push('/');
            }
            let stays = segment.is_empty() || kept.contains(&segment) || is_shown_segment(segment);
            if stays {
                new.push_str(segment);
            } else {
                new.push_str(&segment_of(&rewriter, segment));
            }
        }
        if let Some(query) = query {
            new.push('?');
            let parts: Vec<String> = query
                .split('&')
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or(("", pair));
                    let own = if key.is_empty() && !pair.contains('=') {
                        format!("x={value}")
                    } else {
                        pair.to_owned()
                    };
                    let written = rewriter.pair(&own);
                    if pair.contains('=') {
                        written
                    } else {
                        written.get(2..).unwrap_or_default().to_owned()
                    }
                })
                .collect();
            new.push_str(&parts.join("&"));
        }
        // Nothing may end a request line early.
        new.replace([' ', '\r', '\n'], "+")
    }

    fn headers(&self, headers: &[Header]) -> Vec<Header> {
        let rewriter = self.rewriter(false);
        headers
            .iter()
            .map(|header| {
                let text = String::from_utf8_lossy(header.value.expose());
                let is_kept = KEPT_HEADERS.contains(&header.name.as_str());
                let mut new = if is_kept {
                    text.into_owned()
                } else {
                    rewriter.value(&text)
                };
                if self.net.catches(new.as_bytes()) {
                    new = String::new();
                }
                let name = &header.name;
                let is_named = is_kept || finding_knows(name);
                Header {
                    name: if is_named {
                        name.clone()
                    } else {
                        pseudonym::any(self.key, name)
                    },
                    value: Secret::new(Bytes::from(new.replace(['\r', '\n'], " "))),
                }
            })
            .collect()
    }
}

/// Whether the name of a header is a word of interfaces.
fn finding_knows(name: &str) -> bool {
    vocabulary::is_key(name) || name.starts_with("x-") || name.starts_with("sec-")
}

/// A segment of a path, in which letters stay letters and digits digits.
fn segment_of(rewriter: &Rewriter<'_>, segment: &str) -> String {
    let (start, end) = affixes(segment);
    let stem = segment
        .len()
        .checked_sub(end)
        .and_then(|end| segment.get(start..end));
    let stem = stem.unwrap_or(segment);
    let decoded = percent_encoding::percent_decode_str(stem).decode_utf8_lossy();
    let new = match rewriter.known.get(decoded.as_ref()) {
        Some(known) => known.replace(['/', '?', '#', ' ', '%'], "x"),
        None => pseudonym::any(rewriter.key, stem),
    };
    segment.replacen(stem, &new, 1)
}

/// The path of a field with its keys as far as they may be told.
fn path(rewriter: &Rewriter<'_>, field: &Field<'_>) -> String {
    let mut path = field.part().as_str().to_owned();
    for step in field.steps() {
        match step {
            Step::Key(key) => {
                path.push('.');
                path.push_str(&rewriter.key(key));
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// The bytes up to a character that was cut at the end.
fn whole(body: &[u8]) -> &[u8] {
    match std::str::from_utf8(body) {
        Err(error) if error.error_len().is_none() => {
            body.get(..error.valid_up_to()).unwrap_or(body)
        }
        _ => body,
    }
}

#[cfg(test)]
mod tests;
